/*
 * check_domains.c - which domains are our own: those that `domains' names, else
 * the one of /etc/mailname and the hostname; and localhost, which is nobody
 * else's.  The first one completes a bare user.
 *
 * `local' in place of a pattern is all of each of them, so that nobody behind
 * the configuration knows such a word.
 */
#include <stdlib.h>

#include "conf/check/check.h"
#include "conf/slice/slice.h"
#include "mail/domain.h"

#define MAILNAME	"/etc/mailname"
#define MAILNAME_MAX	4096	/* bytes of that file */

static bool
has_domain(const struct setting *s, struct span key)
{
	for (unsigned i = 0; i < s->cnt; i++)
		if (span_eq(s->v[i].text, key))
			return true;
	return false;
}

/* Room for so many values; NULL: there is no memory. */
static struct reading *
make_room(struct conf *c, struct setting *s, unsigned room)
{
	struct reading *all = arena_take_array(&c->arena, room, sizeof(*all));

	for (unsigned i = 0; all != NULL && i < s->cnt; i++)
		all[i] = s->v[i];
	return all;
}

static void
add_domain(struct conf *c, struct setting *s, struct span name)
{
	char text[DOMAIN_KEY_MAX];
	struct span key = { text, domain_key(name, text) };
	struct reading *all;

	if (!read_is_hostname(key) || has_domain(s, key) ||
	    (all = make_room(c, s, s->cnt + 1)) == NULL)
		return;
	s->v = all;
	s->v[s->cnt++] = (struct reading){ .place = c->process->place,
	    .text = arena_copy(&c->arena, key) };
	s->room = s->cnt;
}

/* The first line that says anything. */
static void
add_mailname(struct conf *c, struct setting *s)
{
	char *bytes = NULL;
	size_t len = 0, end, from = 0;
	struct span line = SPAN("");

	if (c->opener->read(c->opener->arg, MAILNAME, MAILNAME_MAX, &bytes,
	    &len) != OK)
		return;
	for (; from < len && line.len == 0; from += end + 1) {
		line = span_tail((struct span){ bytes, len }, from);
		end = span_find(line, '\n');
		line = span_head(line, end);
		while (line.len > 0 && (unsigned char)line.ptr[line.len - 1] <=
		    ' ')
			line.len--;
	}
	add_domain(c, s, line);
	free(bytes);
}

/* Each `local' of a list; of pairs what stands behind it goes along. */
static void
put_in(struct conf *c, struct setting *s, const struct setting *domains,
    unsigned step)
{
	struct reading *all;
	unsigned cnt = 0, locals = 0;

	for (unsigned i = 0; i < s->cnt; i += step)
		locals += read_is_local(s->v[i].text) &&
		    (step == 1 || s->v[i].num != ROUTE_BY_LOGIN);
	if (locals == 0)
		return;
	all = arena_take_array(&c->arena, s->cnt + (size_t)locals * step *
	    domains->cnt, sizeof(*all));
	for (unsigned i = 0; all != NULL && i + step <= s->cnt; i += step) {
		bool is_local = read_is_local(s->v[i].text) &&
		    (step == 1 || s->v[i].num != ROUTE_BY_LOGIN);

		for (unsigned k = 0; k < (is_local ? domains->cnt : 1); k++) {
			for (unsigned n = 0; n < step; n++)
				all[cnt + n] = s->v[i + n];
			if (is_local)
				all[cnt].text = arena_join(&c->arena,
				    SPAN("@"), domains->v[k].text);
			cnt += step;
		}
	}
	if (all == NULL)
		return;
	s->v = all;
	s->cnt = s->room = cnt;
}

void
check_domains(struct conf *c)
{
	struct setting *s = &c->process->settings[OPTION_PROCESS_domains];
	struct block *b, *rules, *policies;

	if (!s->given) {
		add_mailname(c, s);
		add_domain(c, s, c->fqdn);
	}
	add_domain(c, s, SPAN("localhost"));
	TAILQ_FOREACH(b, &c->top->blocks, entry)
		if (b->no == BLOCK_QUEUE) {
			put_in(c, &b->settings[OPTION_QUEUE_route], s, 2);
			check_aliases(c, b);
			if ((policies = block_nth(b, BLOCK_POLICIES, 0)) !=
			    NULL)
				put_in(c, &policies->settings[
				    OPTION_POLICIES_sender_map], s, 2);
		} else if (b->no == BLOCK_RELAY)
			put_in(c, &b->settings[OPTION_RELAY_recipients], s, 1);
		else if (b->no == BLOCK_EDGE &&
		    (rules = block_nth(b, BLOCK_RULES, 0)) != NULL)
			put_in(c, &rules->settings[
			    OPTION_RULES_only_recipients], s, 1);
}
