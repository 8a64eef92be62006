/*
 * cmd_alias.c - each queue says whom an address stands for; and its files of
 * aliases are taken anew.
 *
 * A server that does not run reads them when it starts: so newaliases(1), which
 * packages call while they are installed, is done when they have no mistakes.
 */
#include <stdio.h>

#include "base/json.h"
#include "ctl/tool/cmd.h"
#include "ctl/tool/fetch.h"
#include "ctl/tool/show.h"
#include "mail/address.h"

struct aliasing {
	bool		 json;
	struct span	 address;
	const char	*queue;
	bool		 found;		/* some queue has a recipient	*/
	uint32_t	 next;
	enum run_end	 end;
};

static void
print_json(const struct aliasing *g, const struct msg_alias_row *m)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "address", g->address);
	json_text(&j, "queue", span_of(g->queue));
	json_text(&j, "recipient", m->address);
	json_text(&j, "trace", m->trace);
	json_text(&j, "owner", m->owner);
	json_text(&j, "relay", m->relay);
	json_number(&j, "code", m->code);
	json_text(&j, "dsn", m->dsn);
	json_text(&j, "text", m->text);
	json_close(&j, '}');
}

static void
print(const struct msg_alias_row *m)
{
	fputs("    ", stdout);
	show_text(stdout, m->address);
	if (m->relay.len > 0) {
		fputs("  by ", stdout);
		show_text(stdout, m->relay);
	}
	if (m->owner.len > 0) {
		fputs("  from ", stdout);
		show_text(stdout, m->owner);
	}
	if (m->code != 250) {
		printf("  %u ", m->code);
		show_text(stdout, m->dsn);
		putchar(' ');
		show_text(stdout, m->text);
	}
	putchar('\n');
	show_trace(stdout, m->trace);
}

static void
tell_nobody(const struct aliasing *g, const struct msg_alias_end *m)
{
	struct msg_alias_row row = { .code = m->code, .dsn = m->dsn,
	    .text = m->text };

	if (m->code == 250)
		return;
	if (g->json) {
		print_json(g, &row);
		return;
	}
	printf("    %u ", m->code);
	show_text(stdout, m->dsn);
	putchar(' ');
	show_text(stdout, m->text);
	putchar('\n');
}

static bool
take_row(unsigned type, const union msg *m, void *arg)
{
	struct aliasing *g = arg;

	switch (type) {
	case MSG_alias_row:
		g->found |= m->alias_row.code == 250;
		if (g->json)
			print_json(g, &m->alias_row);
		else
			print(&m->alias_row);
		return false;
	case MSG_alias_end:
		g->next = m->alias_end.next;
		tell_nobody(g, &m->alias_end);
		return true;
	default:
		return false;
	}
}

/* Part by part, as long as there are more. */
static void
ask_queue(struct talk *t, struct aliasing *g)
{
	struct msg_alias_ask ask = { .queue = span_of(g->queue),
	    .address = g->address };

	if (!g->json) {
		fputs("  queue ", stdout);
		show_text(stdout, span_of(g->queue));
		putchar('\n');
	}
	do {
		g->next = 0;
		ask.request++;
		g->end = run_ask(t, MSG_alias_ask, &ask, take_row, g);
		ask.from = g->next;
	} while (g->end == END_DONE && g->next > 0);
}

enum run_end
cmd_alias(struct run *r)
{
	static struct fetch_queues queues;
	struct aliasing g = { .json = r->json };
	struct address a;
	struct talk *t;

	if (r->arg_cnt != 1) {
		run_complain("alias: which address?");
		return END_USAGE;
	}
	g.address = span_of(r->args[0]);
	if (address_parse(g.address, true, &a) != OK &&
	    !address_is_local(g.address)) {
		run_complain("\"%s\" is no address, and no user", r->args[0]);
		return END_USAGE;
	}
	if ((g.end = run_reach(r, &t)) != END_DONE)
		return g.end;
	g.end = fetch_names(t, &r->select, &queues);
	if (g.end == END_DONE && !g.json) {
		show_text(stdout, g.address);
		putchar('\n');
	}
	for (unsigned i = 0; i < queues.cnt && g.end == END_DONE; i++) {
		g.queue = queues.names[i];
		ask_queue(t, &g);
	}
	talk_close(&t);
	return g.end == END_DONE && !g.found ? END_NOTHING : g.end;
}

enum run_end
cmd_aliases(struct run *r)
{
	struct talk *t;
	enum err e;

	if (cmd_check_file(r->config) != END_DONE) {
		run_complain("the aliases that are in force stay");
		return END_NOTHING;
	}
	e = run_try(r, &t);
	if (e == OK)
		talk_close(&t);
	if (e != ERR_NONE)
		return cmd_reload_now(r);
	if (!r->json)
		puts("postern is not running; it reads them when it starts.");
	return END_DONE;
}
