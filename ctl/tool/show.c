/* show.c - amounts, and messages in the words of the log. */
#include <inttypes.h>
#include <time.h>

#include "base/utf8.h"
#include "base/json.h"
#include "bus/held.h"
#include "ctl/tool/caller.h"
#include "ctl/tool/show.h"

const char *
show_size(uint64_t bytes, char buf[SHOW_MAX])
{
	static const char letters[] = "BKMGTPE";
	unsigned unit = 0;
	double n = (double)bytes;

	while (n >= 1000 && letters[unit + 1] != '\0') {
		n /= 1024;
		unit++;
	}
	snprintf(buf, SHOW_MAX, unit > 0 && n < 9.95 ? "%.1f%c" : "%.0f%c", n,
	    letters[unit]);
	return buf;
}

const char *
show_age(uint64_t ms, char buf[SHOW_MAX])
{
	uint64_t s = ms / 1000;

	if (s < 60)
		snprintf(buf, SHOW_MAX, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(buf, SHOW_MAX, "%" PRIu64 "m", s / 60);
	else if (s < 86400)
		snprintf(buf, SHOW_MAX, "%" PRIu64 "h %" PRIu64 "m", s / 3600,
		    s / 60 % 60);
	else
		snprintf(buf, SHOW_MAX, "%" PRIu64 "d %" PRIu64 "h", s / 86400,
		    s / 3600 % 24);
	return buf;
}

const char *
show_time(uint64_t wall_ms, char buf[SHOW_MAX])
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (gmtime_r(&s, &tm) == NULL || tm.tm_year > 9999 - 1900 ||
	    strftime(buf, SHOW_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(buf, SHOW_MAX, "-");
	return buf;
}

/*
 * U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069: lines end at
 * them, or text reads in another order than it has.
 */
static bool
is_turning(struct span s)
{
	const unsigned char *c = (const unsigned char *)s.ptr;

	if (s.len == 2)
		return c[0] == 0xd8 && c[1] == 0x9c;
	if (s.len != 3 || c[0] != 0xe2)
		return false;
	return c[1] == 0x80 ? c[2] == 0x8e || c[2] == 0x8f ||
	    (c[2] >= 0xa8 && c[2] <= 0xae) :
	    c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9;
}

void
show_text(FILE *out, struct span s)
{
	while (s.len > 0) {
		unsigned char c = (unsigned char)s.ptr[0];
		size_t len = c >= ' ' && c <= '~' ? 1 : utf8_len(s);

		if (len > 1 && is_turning(span_head(s, len)))
			len = 0;	/* byte by byte */
		if (len > 0)
			fwrite(s.ptr, 1, len, out);
		else
			fprintf(out, "\\x%02x", c);
		s = span_tail(s, len > 0 ? len : 1);
	}
}

void
show_sender(FILE *out, struct span s)
{
	show_text(out, s.len > 0 ? s : SPAN("<>"));
}

/* The next step of a trace, see queue/route/expand.h; false: it is over. */
static bool
next_step(struct span *trace, struct span *word, struct span *address)
{
	struct span line = span_head(*trace, span_find(*trace, '\n'));
	size_t tab = span_find(line, '\t');

	*trace = span_tail(*trace, line.len + 1);
	*word = span_head(line, tab);
	*address = span_tail(line, tab + 1);
	return line.len > 0;
}

static void
trace_json(struct json *j, struct span trace)
{
	struct span word, address;

	if (trace.len == 0)
		return;
	json_open(j, "trace", '[');
	while (next_step(&trace, &word, &address)) {
		json_open(j, NULL, '{');
		json_text(j, "by", word);
		json_text(j, "of", address);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static const char *const waits_words[WAITS__COUNT] = {
	[WAITS_RELAY] = "relay", [WAITS_AWAY] = "away", [WAITS_DOWN] = "down",
	[WAITS_BUSY] = "busy",
};

static void
why_json(struct json *j, const struct listed_delivery *d)
{
	char who[CALLER_MAX];

	if (listed_is_suspended(d)) {
		json_text(j, "suspended_by", caller_of(d->who, who));
		json_text(j, "suspended_why", d->reason);
	}
	if (d->state != LISTED_DUE || d->waits == WAITS_NOTHING)
		return;
	json_text(j, "waits", span_of(waits_words[d->waits]));
	if (d->waits == WAITS_DOWN)
		json_time(j, "down", d->down_ms);
	if (d->waits == WAITS_DOWN && d->probe_ms > 0)
		json_time(j, "probe", d->probe_ms);
}

static void
rcpt_json(struct json *j, const struct listed_message *m,
    const struct listed_rcpt *r)
{
	const struct listed_delivery *d = listed_delivery_of(m, r);
	char who[CALLER_MAX];

	json_open(j, NULL, '{');
	json_text(j, "address", r->address);
	if (d != NULL) {
		json_text(j, "status", span_of(listed_state(d)));
		json_text(j, "relay", d->relay);
		json_text(j, "destination", d->destination);
		json_number(j, "attempts", d->attempts);
		if (d->state == LISTED_DUE)
			json_time(j, "due", d->due_ms);
		if (d->state == LISTED_HELD)
			json_text(j, "held", span_of(held_word(d->held)));
		if (d->state == LISTED_HELD && d->holder.len > 0)
			json_text(j, "held_by", caller_of(d->holder, who));
		if (d->state == LISTED_HELD && d->until_ms > 0)
			json_time(j, "until", d->until_ms);
		if (listed_is_suspended(d))
			json_time(j, "suspended", d->suspended_ms);
		why_json(j, d);
	}
	if (r->code > 0)
		json_number(j, "code", r->code);
	json_text(j, "reply", r->reply);
	json_text(j, "hop", r->hop);
	trace_json(j, r->trace);
	json_close(j, '}');
}

void
show_message_json(FILE *out, const struct listed_message *m)
{
	struct json j = { .out = out };
	char id[ID_TEXT_LEN + 1];

	id_text(m->id, id);
	json_open(&j, NULL, '{');
	json_text(&j, "id", span_of(id));
	json_text(&j, "queue", m->queue);
	json_time(&j, "arrived", m->arrived_ms);
	json_number(&j, "size", m->size);
	json_text(&j, "from", m->sender);
	json_text(&j, "login", m->tenant);
	json_text(&j, "client", m->client);
	json_text(&j, "edge", m->edge);
	json_open(&j, "recipients", '[');
	for (size_t i = 0; i < m->rcpt_len; i++)
		rcpt_json(&j, m, &m->rcpts[i]);
	json_close(&j, ']');
	json_close(&j, '}');
}

static uint64_t
since(uint64_t then_ms, int64_t now_ms)
{
	uint64_t now = now_ms < 0 ? 0 : (uint64_t)now_ms;

	return now > then_ms ? now - then_ms : 0;
}

static void
show_held(FILE *out, const struct listed_delivery *d, uint64_t now_ms)
{
	char left[SHOW_MAX], who[CALLER_MAX];

	fputs("held ", out);
	if (d->holder.len > 0) {
		fputs("by ", out);
		show_text(out, caller_of(d->holder, who));
	} else {
		fputs(held_why(d->held), out);
	}
	fprintf(out, ", %s", held_until(d->held));
	if (d->until_ms > 0)
		fprintf(out, " in %s", show_age(d->until_ms > now_ms ?
		    d->until_ms - now_ms : 0, left));
}

/* "held ...", "try 3 in 4m", "try 2 now", "active", "suspended since ...". */
static void
show_delivery(FILE *out, const struct listed_delivery *d, int64_t now_ms)
{
	uint64_t now = now_ms < 0 ? 0 : (uint64_t)now_ms;
	char age[SHOW_MAX];

	if (d->state == LISTED_HELD)
		show_held(out, d, now);
	else if (d->state != LISTED_DUE)
		fputs(listed_state(d), out);
	else if (listed_is_suspended(d) && d->suspended_ms == 1)
		fputs("suspended", out);	/* nobody knows since when */
	else if (listed_is_suspended(d))
		fprintf(out, "suspended since %s",
		    show_time(d->suspended_ms, age));
	else if (d->due_ms <= now)
		fprintf(out, "try %" PRIu32 " now", d->attempts + 1);
	else
		fprintf(out, "try %" PRIu32 " in %s", d->attempts + 1,
		    show_age(d->due_ms - now, age));
}

static void
show_down(FILE *out, const struct listed_delivery *d, uint64_t now_ms)
{
	char age[SHOW_MAX], left[SHOW_MAX];

	show_text(out, d->destination);
	fprintf(out, " is down for %s, ", show_age(now_ms > d->down_ms ?
	    now_ms - d->down_ms : 0, age));
	if (d->probe_ms == 0)
		fputs("and is just being tried", out);
	else
		fprintf(out, "and tried in %s", show_age(d->probe_ms > now_ms ?
		    d->probe_ms - now_ms : 0, left));
}

/* Why it is not under way, though nothing holds it; a line, or none. */
static void
show_why(FILE *out, const struct listed_delivery *d, int64_t now_ms)
{
	char who[CALLER_MAX];

	if (d->state != LISTED_DUE || (d->waits == WAITS_NOTHING &&
	    d->who.len == 0))
		return;
	fputs("        ", out);
	if (d->who.len > 0) {
		fputs("suspended by ", out);
		show_text(out, caller_of(d->who, who));
		fputs(d->reason.len > 0 ? ": " : "", out);
		show_text(out, d->reason);
	} else if (d->waits == WAITS_DOWN) {
		show_down(out, d, now_ms < 0 ? 0 : (uint64_t)now_ms);
	} else {
		fputs(d->waits == WAITS_BUSY ? "" : "relay ", out);
		show_text(out, d->waits == WAITS_BUSY ? d->destination :
		    d->relay);
		fputs(d->waits == WAITS_BUSY ? " has all it takes at once" :
		    d->waits == WAITS_AWAY ? " is not running" :
		    " is none that the queue has a route to", out);
	}
	fputc('\n', out);
}

/* "by alias of team@here.example, by alias of all@here.example" */
void
show_trace(FILE *out, struct span trace)
{
	const char *between = "        ";
	struct span word, address;

	if (trace.len == 0)
		return;
	while (next_step(&trace, &word, &address)) {
		fputs(between, out);
		fputs("by ", out);
		show_text(out, word);
		if (address.len > 0)
			fputs(" of ", out);
		show_text(out, address);
		between = ", ";
	}
	fputc('\n', out);
}

static void
show_rcpt(FILE *out, const struct listed_message *m,
    const struct listed_rcpt *r, int64_t now_ms)
{
	const struct listed_delivery *d = listed_delivery_of(m, r);

	fputs("    ", out);
	show_text(out, r->address);
	if (d != NULL) {
		fputs("  by ", out);
		show_text(out, d->relay);
		fputs("  ", out);
		show_delivery(out, d, now_ms);
	}
	fputc('\n', out);
	if (d != NULL)
		show_why(out, d, now_ms);
	show_trace(out, r->trace);
	if (r->reply.len == 0 && r->code == 0)
		return;
	fputs("        ", out);
	if (r->hop.len > 0) {
		show_text(out, r->hop);
		fputs(": ", out);
	}
	if (r->code > 0)
		fprintf(out, "%u ", r->code);
	show_text(out, r->reply);
	fputc('\n', out);
}

void
show_message_rcpts(FILE *out, const struct listed_message *m, int64_t now_ms)
{
	for (size_t i = 0; i < m->rcpt_len; i++)
		show_rcpt(out, m, &m->rcpts[i], now_ms);
}

void
show_message(FILE *out, const struct listed_message *m, int64_t now_ms)
{
	char id[ID_TEXT_LEN + 1], age[SHOW_MAX], size[SHOW_MAX];

	id_text(m->id, id);
	fprintf(out, "%s  %7s  %6s  ", id,
	    show_age(since(m->arrived_ms, now_ms), age),
	    show_size(m->size, size));
	show_sender(out, m->sender);
	fputc('\n', out);
	show_message_rcpts(out, m, now_ms);
}

static void
show_fact(FILE *out, const char *name, struct span s)
{
	if (s.len == 0)
		return;
	fprintf(out, "  %-11s ", name);
	show_text(out, s);
	fputc('\n', out);
}

void
show_message_whole(FILE *out, const struct listed_message *m, int64_t now_ms)
{
	char id[ID_TEXT_LEN + 1], text[SHOW_MAX], age[SHOW_MAX];

	id_text(m->id, id);
	fprintf(out, "%s\n", id);
	show_fact(out, "queue", m->queue);
	fprintf(out, "  %-11s %s, %s ago\n", "arrived",
	    show_time(m->arrived_ms, text),
	    show_age(since(m->arrived_ms, now_ms), age));
	fprintf(out, "  %-11s %" PRIu64 " bytes\n", "size", m->size);
	show_fact(out, "from", m->sender.len > 0 ? m->sender : SPAN("<>"));
	show_fact(out, "login", m->tenant);
	show_fact(out, "client", m->client);
	show_fact(out, "edge", m->edge);
	fprintf(out, "  %-11s %" PRIu32 "\n", "recipients", m->rcpt_cnt);
	show_message_rcpts(out, m, now_ms);
}
