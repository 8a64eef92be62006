/* cmd_route.c - each queue says where an address would go. */
#include <stdio.h>

#include "conf/slice/slice.h"
#include "ctl/tool/cmd.h"
#include "ctl/tool/fetch.h"
#include "base/json.h"
#include "ctl/tool/show.h"
#include "mail/address.h"

struct routing {
	bool		 json, is_bounce;
	struct span	 address;
	const char	*queue;
	bool		 found;		/* some queue takes it		*/
	enum run_end	 end;
};

/* What a rule looks at, as it is written. */
static const char *
by_word(uint8_t by)
{
	static const char *const words[ROUTE_BY__COUNT] = {
		[ROUTE_BY_RCPT] = "to", [ROUTE_BY_SENDER] = "from",
		[ROUTE_BY_LOGIN] = "login",
	};

	return by < ROUTE_BY__COUNT ? words[by] : "to";
}

static void
print_json(const struct routing *g, const struct msg_route_answer *m)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "address", g->address);
	json_text(&j, "queue", span_of(g->queue));
	json_text(&j, "rule", m->rule);
	if (m->rule.len > 0)
		json_text(&j, "by", span_of(by_word(m->by)));
	json_text(&j, "relay", m->relay);
	json_text(&j, "destination", m->destination);
	json_flag(&j, "suspended", m->suspended != 0);
	if (m->suspended != 0) {
		json_time(&j, "since", m->since_ms);
		json_text(&j, "reason", m->reason);
	}
	json_number(&j, "code", m->code);
	json_text(&j, "dsn", m->dsn);
	json_text(&j, "text", m->text);
	json_close(&j, '}');
}

static void
print_line(const char *name, struct span s)
{
	if (s.len == 0)
		return;
	printf("  %-11s ", name);
	show_text(stdout, s);
	putchar('\n');
}

static void
print_suspended(const struct msg_route_answer *m)
{
	printf("  %-11s mail waits", "suspended");
	if (m->reason.len > 0) {
		printf(": ");
		show_text(stdout, m->reason);
	}
	putchar('\n');
}

static void
print(const struct routing *g, const struct msg_route_answer *m)
{
	print_line("queue", span_of(g->queue));
	if (m->rule.len > 0) {
		printf("  %-11s %s ", "rule", by_word(m->by));
		show_text(stdout, m->rule);
		putchar('\n');
	}
	print_line("relay", m->relay);
	print_line("destination", m->destination);
	if (m->suspended != 0)
		print_suspended(m);
	printf("  %-11s %u ", "answer", m->code);
	show_text(stdout, m->dsn);
	putchar(' ');
	show_text(stdout, m->text);
	putchar('\n');
}

static bool
take_answer(unsigned type, const union msg *m, void *arg)
{
	struct routing *g = arg;

	if (type != MSG_route_answer)
		return false;
	if (m->route_answer.code / 100 == 2)
		g->found = true;
	if (g->json)
		print_json(g, &m->route_answer);
	else
		print(g, &m->route_answer);
	return true;
}

static enum run_end
ask_all(struct talk *t, const struct select *s, struct routing *g)
{
	static struct fetch_queues queues;
	struct msg_route_ask ask = { .address = g->address,
	    .sender = s->text[SELECT_FROM], .login = s->text[SELECT_LOGIN],
	    .bounce = g->is_bounce };

	g->end = fetch_names(t, s, &queues);
	if (g->end == END_DONE && !g->json) {
		show_text(stdout, g->address);
		putchar('\n');
	}
	for (unsigned i = 0; i < queues.cnt && g->end == END_DONE; i++) {
		g->queue = queues.names[i];
		ask.request = i;
		ask.queue = span_of(g->queue);
		g->end = run_ask(t, MSG_route_ask, &ask, take_answer, g);
	}
	return g->end;
}

enum run_end
cmd_route(struct run *r)
{
	struct routing g = { .json = r->json, .is_bounce = r->bounce };
	struct address a;
	struct talk *t;
	enum run_end end;

	if (r->arg_cnt != 1) {
		run_complain("route: which address?");
		return END_USAGE;
	}
	g.address = span_of(r->args[0]);
	if (address_parse(g.address, true, &a) != OK) {
		run_complain("\"%s\" is no address", r->args[0]);
		return END_USAGE;
	}
	if (span_eq(r->select.text[SELECT_FROM], SPAN("<>")))
		r->select.text[SELECT_FROM] = SPAN("");
	if ((end = run_reach(r, &t)) != END_DONE)
		return end;
	end = ask_all(t, &r->select, &g);
	talk_close(&t);
	return end == END_DONE && !g.found ? END_NOTHING : end;
}
