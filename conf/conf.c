/*
 * conf.c - read, settle, check, tell; each step reports what it finds and goes
 * on with what it understood, so that one run shows all mistakes.
 */
#include <stdlib.h>

#include "conf/block.h"
#include "conf/check/check.h"

#define CREDENTIALS	"/run/credentials/postern.service"

static struct conf *
new_conf(const struct conf_opener *opener, const struct conf_host *host)
{
	struct conf *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	arena_init(&c->arena);
	report_init(&c->mistakes, &c->arena, &c->sources);
	c->opener = opener;
	c->host = host;
	c->is_root = host->is_root;
	c->read_place.mistakes = &c->mistakes;
	c->read_place.cwd = span_of(host->cwd);
	c->read_place.credentials = span_of(host->credentials != NULL ?
	    host->credentials : CREDENTIALS);
	c->read_place.regex = opener->regex;
	return c;
}

void
conf_free(struct conf **c)
{
	if (*c == NULL)
		return;
	for (unsigned i = 0; i < CONF_FILES_MAX; i++)
		free((*c)->sources.v[i].owned);
	arena_fini(&(*c)->arena);
	free(*c);
	*c = NULL;
}

enum err
conf_load(struct conf **out, const char *path,
    const struct conf_opener *opener, const struct conf_host *host,
    struct conf_report *report)
{
	struct conf *c = new_conf(opener, host);
	struct node *tree = NULL;

	if (c == NULL)
		return ERR_FULL;
	c->mistakes.wants_facts = report->wants_facts;
	parse_files(&tree, path, &c->sources, &c->mistakes, opener);
	/* A file that could not be read has no other mistakes. */
	if (tree != NULL && c->sources.v[0].owned != NULL) {
		block_settle(c, tree);
		check_all(c);
		if (c->mistakes.cnt == 0)
			check_doubts(c);
	} else if (c->mistakes.cnt == 0)
		report_add(&c->mistakes, (struct place){ 0, 0, 0 },
		    "there is no edge: nothing would take mail in");
	if (c->arena.bad) {
		if (report->line != NULL)
			report->line(report->arg,
			    "no memory for the configuration");
		report->errors++;
		conf_free(&c);
		return ERR_FULL;
	}
	report_tell(&c->mistakes, report);
	if (c->mistakes.cnt > 0) {
		conf_free(&c);
		return ERR_PEER;
	}
	c->opener = NULL;
	c->host = NULL;
	*out = c;
	return OK;
}
