/*
 * cmd_suspend.c - suspend and resume: each queue keeps its own, so each that
 * is meant is asked.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "ctl/tool/caller.h"
#include "ctl/tool/cmd.h"
#include "ctl/tool/fetch.h"
#include "ctl/tool/show.h"
#include "sys/clock.h"

#define TRIES		10	/* while it is just being changed	*/
#define PAUSE_MS	100
#define REASON_MAX	400	/* bytes that a queue keeps		*/

struct suspending {
	const struct run *run;
	bool		 ends;		/* resume			*/
	struct span	 relay, domain;
	struct span	 reason, who;
	const char	*queue;		/* the one that is asked	*/
	enum tool_status	 status;
	unsigned	 row_cnt;	/* shown, of all queues		*/
	char		 last_relay[BLOCK_NAME_MAX + 1];	/* shown */
	char		 last_domain[DOMAIN_MAX + 1];
	enum run_end	 end;
};

/* "relay smart", "destination example.org by relay smart". */
static void
print_name(FILE *out, struct span relay, struct span domain)
{
	if (domain.len > 0) {
		fputs("destination ", out);
		show_text(out, domain);
		if (relay.len > 0)
			fputs(" by ", out);
	}
	if (relay.len > 0) {
		fputs("relay ", out);
		show_text(out, relay);
	}
}

/* The list. */

static void
row_json(const struct suspending *s, const struct msg_suspended_row *m)
{
	struct json j = { .out = stdout };
	char who[CALLER_MAX];

	json_open(&j, NULL, '{');
	json_text(&j, "queue", span_of(s->queue));
	json_text(&j, "relay", m->relay);
	json_text(&j, "destination", m->domain);
	if (m->since_ms > 0)
		json_time(&j, "since", m->since_ms);
	json_text(&j, "by", caller_of(m->who, who));
	json_text(&j, "reason", m->reason);
	json_flag(&j, "configured", !m->strange);
	json_close(&j, '}');
}

static void
print_row(const struct suspending *s, const struct msg_suspended_row *m)
{
	uint64_t now = (uint64_t)clock_wall_ms();
	char age[SHOW_MAX], time[SHOW_MAX], who[CALLER_MAX];

	print_name(stdout, m->relay, m->domain);
	printf("  queue %s\n    ", s->queue);
	if (m->since_ms > 0)
		printf("since %s, %s ago", show_time(m->since_ms, time),
		    show_age(now > m->since_ms ? now - m->since_ms : 0, age));
	else
		fputs("nobody knows since when", stdout);
	if (m->who.len > 0) {
		fputs(", by ", stdout);
		show_text(stdout, caller_of(m->who, who));
	}
	if (m->reason.len > 0) {
		fputs(": ", stdout);
		show_text(stdout, m->reason);
	}
	putchar('\n');
	if (m->strange)
		puts("    no route of the queue leads to this relay any more");
}

static bool
take_row(unsigned type, const union msg *m, void *arg)
{
	struct suspending *s = arg;

	if (type == MSG_tool_done) {
		s->end = run_status(&m->tool_done);
		return true;
	}
	if (type == MSG_suspended_end) {
		s->status = m->suspended_end.status;
		return true;
	}
	if (type != MSG_suspended_row)
		return false;
	if (s->run->json)
		row_json(s, &m->suspended_row);
	else
		print_row(s, &m->suspended_row);
	s->row_cnt++;
	(void)span_cstr(m->suspended_row.relay, s->last_relay,
	    sizeof(s->last_relay));
	(void)span_cstr(m->suspended_row.domain, s->last_domain,
	    sizeof(s->last_domain));
	return false;
}

static enum run_end
list_queue(struct talk *t, struct suspending *s)
{
	struct msg_suspended_ask m = { .queue = span_of(s->queue) };
	enum err e;

	s->last_relay[0] = s->last_domain[0] = '\0';
	do {
		m.request++;
		m.relay = span_of(s->last_relay);
		m.domain = span_of(s->last_domain);
		s->status = STATUS_FAILED;
		talk_send(t, MSG_suspended_ask, &m);
		if ((e = talk_wait(t, take_row, s)) != OK)
			return run_lost(e);
		if (s->end != END_DONE)
			return s->end;
	} while (s->status == STATUS_MORE);
	if (s->status == STATUS_DONE)
		return END_DONE;
	run_complain("queue %s cannot be asked just now", s->queue);
	return END_NOTHING;
}

/* A change. */

static bool
take_done(unsigned type, const union msg *m, void *arg)
{
	struct suspending *s = arg;

	if (type == MSG_tool_done)
		s->end = run_status(&m->tool_done);
	if (type == MSG_suspend_done)
		s->status = m->suspend_done.status;
	return type == MSG_tool_done || type == MSG_suspend_done;
}

static enum run_end
ask_queue(struct talk *t, struct suspending *s)
{
	struct msg_suspend_ask m = {
		.queue = span_of(s->queue), .ends = s->ends,
		.relay = s->relay, .domain = s->domain,
		.reason = s->reason, .who = s->who,
	};
	enum err e;

	for (int i = 0; i < TRIES; i++) {
		if (i > 0)
			(void)poll(NULL, 0, PAUSE_MS);
		m.request++;
		s->status = STATUS_FAILED;
		talk_send(t, MSG_suspend_ask, &m);
		if ((e = talk_wait(t, take_done, s)) != OK)
			return run_lost(e);
		if (s->end != END_DONE || s->status != STATUS_BUSY)
			break;
	}
	return s->end;
}

static const char *
word_for(enum tool_status status)
{
	static const char *const words[STATUS__COUNT] = {
		[STATUS_DONE] = "done", [STATUS_MORE] = "failed",
		[STATUS_NONE] = "none", [STATUS_BUSY] = "busy",
		[STATUS_REFUSED] = "refused", [STATUS_FAILED] = "failed",
	};

	return status < STATUS__COUNT ? words[status] : "failed";
}

static void
report(const struct suspending *s)
{
	struct json j = { .out = stdout };

	if (s->run->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "queue", span_of(s->queue));
		json_text(&j, "relay", s->relay);
		json_text(&j, "destination", s->domain);
		json_text(&j, "action", s->ends ? SPAN("resume") :
		    SPAN("suspend"));
		json_text(&j, "status", span_of(word_for(s->status)));
		json_close(&j, '}');
		return;
	}
	if (s->status == STATUS_DONE) {
		printf("queue %s: ", s->queue);
		print_name(stdout, s->relay, s->domain);
		puts(s->ends ? " goes on." : " is suspended.");
	} else if (s->status != STATUS_NONE)
		run_complain("queue %s: %s", s->queue,
		    s->status == STATUS_REFUSED ? "that is no domain" :
		    s->status == STATUS_BUSY ? "it is just being changed" :
		    "it failed, and all is as it was");
}

/* Nobody has it: which of its names is wrong? */
static void
complain_none(const struct suspending *s)
{
	if (s->ends)
		run_complain("%s is not suspended: posternctl suspend shows "
		    "what is", s->domain.len > 0 ? s->domain.ptr :
		    s->relay.ptr);
	else
		run_complain("no route of a queue leads to a relay \"%s\"",
		    s->relay.ptr);
}

static enum run_end
walk(struct talk *t, struct suspending *s, bool lists)
{
	static struct fetch_queues queues;
	enum run_end end = fetch_names(t, &s->run->select, &queues);
	unsigned done_cnt = 0, bad_cnt = 0;

	for (unsigned i = 0; i < queues.cnt && end == END_DONE; i++) {
		s->queue = queues.names[i];
		end = lists ? list_queue(t, s) : ask_queue(t, s);
		if (lists || end != END_DONE)
			continue;
		report(s);
		done_cnt += s->status == STATUS_DONE;
		bad_cnt += s->status != STATUS_DONE && s->status != STATUS_NONE;
	}
	if (lists || end != END_DONE)
		return end;
	if (done_cnt == 0 && bad_cnt == 0)
		complain_none(s);
	return done_cnt > 0 && bad_cnt == 0 ? END_DONE : END_NOTHING;
}

/* The words behind the verb. */
static enum run_end
read_names(const struct run *r, struct suspending *s, const char *verb)
{
	struct span name = r->arg_cnt == 2 ? span_of(r->args[1]) : SPAN("");
	bool is_relay = r->arg_cnt > 0 && r->args[0][0] != '\0' &&
	    strncmp("relay", r->args[0], strlen(r->args[0])) == 0;
	bool is_domain = r->arg_cnt > 0 && r->args[0][0] != '\0' &&
	    strncmp("destination", r->args[0], strlen(r->args[0])) == 0;

	if (name.len == 0 || (!is_relay && !is_domain)) {
		run_complain("%s: say relay NAME, or destination DOMAIN", verb);
		return END_USAGE;
	}
	s->relay = r->select.text[SELECT_RELAY];
	if (is_relay && s->relay.len > 0) {
		run_complain("%s relay: --relay is for a destination", verb);
		return END_USAGE;
	}
	if (is_relay)
		s->relay = name;
	else
		s->domain = name;
	/* A dot may stand behind a domain. */
	if (s->relay.len > BLOCK_NAME_MAX || s->domain.len > DOMAIN_MAX + 1) {
		run_complain("%s: no name is that long", verb);
		return END_USAGE;
	}
	return END_DONE;
}

static enum run_end
change(struct run *r, bool ends, const char *verb)
{
	struct suspending s = { .run = r, .ends = ends };
	bool lists = !ends && r->arg_cnt == 0;
	struct talk *t;
	enum run_end end = lists ? END_DONE : read_names(r, &s, verb);

	if (lists && (r->reason != NULL ||
	    (r->select.given & 1u << SELECT_RELAY) != 0)) {
		run_complain("suspend: what?  Say relay NAME, or destination "
		    "DOMAIN");
		return END_USAGE;
	}
	s.reason = r->reason != NULL ? span_of(r->reason) : SPAN("");
	if (s.reason.len > REASON_MAX) {
		run_complain("suspend: a reason has at most %d bytes",
		    REASON_MAX);
		return END_USAGE;
	}
	s.who = span_head(caller_name(), BUS_STR_MAX);
	if (end != END_DONE || (end = run_reach(r, &t)) != END_DONE)
		return end;
	end = walk(t, &s, lists);
	talk_close(&t);
	if (lists && end == END_DONE && s.row_cnt == 0 && !r->json)
		puts("Nothing is suspended.");
	return end;
}

enum run_end
cmd_suspend(struct run *r)
{
	return change(r, false, "suspend");
}

enum run_end
cmd_resume(struct run *r)
{
	return change(r, true, "resume");
}
