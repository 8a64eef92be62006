/*
 * bounce_words.c - a line of the notice in which a placeholder stands for
 * nothing is left out; one that is long is broken at blanks, below its own
 * beginning.
 */
#include <stdlib.h>

#include "mail/date.h"
#include "mail/encoded.h"
#include "queue/bounce/bounce_original.h"
#include "queue/bounce/bounce_safe.h"
#include "queue/bounce/bounce_status.h"
#include "queue/bounce/bounce_words.h"

#define WIDTH		72	/* bytes of a line, where there are blanks */
#define FIELD_MAX	900	/* bytes of a field of the original we show */

/* What is being written. */
struct words {
	FILE		*out;
	const struct bounce *b;
	const struct notice *notice;
	enum notice_part part;
	const struct bounce_rcpt *rcpt;	/* in [recipient]		*/
};

static void put_part(struct words *);

static enum notice_part
part_of(const struct bounce_rcpt *r)
{
	switch (r->action) {
	case REPORT_DELAYED:
		return NOTICE_delayed;
	case REPORT_DELIVERED:
	case REPORT_RELAYED:
	case REPORT_EXPANDED:
		return NOTICE_delivered;
	default:
		return NOTICE_failed;
	}
}

static bool
has_part(const struct bounce *b, enum notice_part part)
{
	for (uint32_t i = 0; i < b->rcpt_cnt; i++)
		if (part_of(&b->rcpts[i]) == part)
			return true;
	return false;
}

struct span
bounce_words_subject(const struct bounce *b)
{
	enum notice_part part = has_part(b, NOTICE_failed) ? NOTICE_failed :
	    has_part(b, NOTICE_delayed) ? NOTICE_delayed : NOTICE_delivered;

	return b->notice->subjects[part];
}

static void
put_original_field(FILE *f, const struct bounce *b, struct span name)
{
	char buf[FIELD_MAX];
	struct span raw = bounce_original_field(b->header, name);
	size_t len = encoded_read_words(raw, buf, sizeof(buf));

	bounce_safe_text(f, (struct span){ buf, len }, true);
}

static void
put_until(FILE *f, const struct bounce *b)
{
	char date[DATE_TEXT_LEN + 1];
	int64_t until_ms = 0;

	for (uint32_t i = 0; i < b->rcpt_cnt; i++)
		if (b->rcpts[i].action == REPORT_DELAYED &&
		    b->rcpts[i].until_ms > until_ms)
			until_ms = b->rcpts[i].until_ms;
	if (until_ms == 0)
		return;
	date_text(until_ms, date);
	fputs(date, f);
}

static void
put_reason(FILE *f, const struct words *w)
{
	enum notice_reason reason = bounce_status_reason(w->rcpt);
	struct span words = w->notice->reasons[reason];

	if (w->rcpt->is_late && reason != NOTICE_REASON_late) {
		struct span late = w->notice->reasons[NOTICE_REASON_late];

		fprintf(f, "%.*s ", (int)late.len, late.ptr);
	}
	fwrite(words.ptr, 1, words.len, f);
}

/* The reply, to whoever it belongs: to the next hop, or to us. */
static void
put_reply(FILE *f, const struct bounce_rcpt *r, bool theirs)
{
	if (r->is_theirs != theirs || r->action == REPORT_NONE)
		return;
	if (theirs && r->code != 0)
		fprintf(f, "%03u ", r->code % 1000u);
	bounce_safe_text(f, theirs ? r->reply : bounce_status_words(r), true);
}

static void
put_hop(FILE *f, const struct bounce_rcpt *r)
{
	if (!r->is_theirs)
		return;
	bounce_safe_text(f, r->hop.len > 0 ? r->hop : SPAN("The next hop"),
	    true);
}

static void
put_rcpt_field(FILE *f, const struct words *w, enum notice_field field)
{
	switch (field) {
	case NOTICE_FIELD_recipient:
		bounce_safe_text(f, w->rcpt->address.len > 0 ?
		    w->rcpt->address : SPAN("?"), true);
		break;
	case NOTICE_FIELD_reason:
		put_reason(f, w);
		break;
	case NOTICE_FIELD_hop:
		put_hop(f, w->rcpt);
		break;
	case NOTICE_FIELD_reply:
		put_reply(f, w->rcpt, true);
		break;
	case NOTICE_FIELD_detail:
		put_reply(f, w->rcpt, false);
		break;
	default:
		break;
	}
}

static void
put_field(FILE *f, const struct words *w, enum notice_field field)
{
	const struct bounce *b = w->b;
	struct span returned;

	switch (field) {
	case NOTICE_FIELD_hostname:
		bounce_safe_text(f, b->hostname, true);
		break;
	case NOTICE_FIELD_sender:
		bounce_safe_text(f, b->to, true);
		break;
	case NOTICE_FIELD_subject:
		put_original_field(f, b, SPAN("Subject"));
		break;
	case NOTICE_FIELD_date:
		put_original_field(f, b, SPAN("Date"));
		break;
	case NOTICE_FIELD_until:
		put_until(f, b);
		break;
	case NOTICE_FIELD_returned:
		returned = w->notice->reasons[bounce_original_is_whole(b) ?
		    NOTICE_REASON_whole : NOTICE_REASON_header];
		fwrite(returned.ptr, 1, returned.len, f);
		break;
	default:
		if (w->rcpt != NULL)
			put_rcpt_field(f, w, field);
		break;
	}
}

/* Where a line of at most WIDTH bytes ends: at a blank, or not before CUT. */
static size_t
break_at(struct span line, size_t indent)
{
	size_t at = WIDTH;

	while (at > indent && line.ptr[at] != ' ')
		at--;
	if (at > indent)
		return at;
	for (at = WIDTH; at < line.len && at < BOUNCE_SAFE_CUT; at++)
		if (line.ptr[at] == ' ')
			break;
	while (at < line.len && at > 0 &&
	    ((unsigned char)line.ptr[at] & 0xc0) == 0x80)
		at--;			/* no character is cut in two */
	return at;
}

static void
put_wrapped(FILE *f, struct span line)
{
	size_t indent = 0;

	while (indent < line.len && indent < WIDTH / 2 &&
	    line.ptr[indent] == ' ')
		indent++;
	while (line.len > WIDTH) {
		size_t at = break_at(line, indent);

		fwrite(line.ptr, 1, at, f);
		fputs("\r\n", f);
		while (at < line.len && line.ptr[at] == ' ')
			at++;
		line = span_tail(line, at);
		if (line.len == 0)
			return;
		fprintf(f, "%*s", (int)indent, "");
		indent = 0;		/* it stands in front already */
	}
	fwrite(line.ptr, 1, line.len, f);
	fputs("\r\n", f);
}

static void
put_rcpts(struct words *w)
{
	enum notice_part part = w->part;

	for (uint32_t i = 0; i < w->b->rcpt_cnt; i++) {
		w->rcpt = &w->b->rcpts[i];
		w->part = NOTICE_recipient;
		if (part_of(w->rcpt) == part)
			put_part(w);
	}
	w->rcpt = NULL;
	w->part = part;
}

/* A line with what its placeholders stand for; false when one is nothing. */
static bool
fill_line(FILE *f, struct words *w, struct span line)
{
	struct notice_run run;
	long before;

	while (notice_next(&line, &run)) {
		if (!run.is_field) {
			fwrite(run.text.ptr, 1, run.text.len, f);
			continue;
		}
		if (run.field == NOTICE_FIELD_recipients) {
			put_rcpts(w);
			return false;
		}
		before = ftell(f);
		put_field(f, w, run.field);
		if (ftell(f) == before)
			return false;
	}
	return true;
}

static void
put_line(struct words *w, struct span line)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool done;

	if (f == NULL)
		return;
	done = fill_line(f, w, line);
	if (fclose(f) != EOF && done)
		put_wrapped(w->out, (struct span){ text, len });
	free(text);
}

static void
put_part(struct words *w)
{
	struct span text = w->notice->parts[w->part];

	while (text.len > 0) {
		struct span line = span_head(text, span_find(text, '\n'));

		text = span_tail(text, line.len + 1);
		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		put_line(w, line);
	}
}

void
bounce_words_put(FILE *f, const struct bounce *b)
{
	static const enum notice_part order[] = {
		NOTICE_failed, NOTICE_delayed, NOTICE_delivered
	};
	struct words w = { .out = f, .b = b, .notice = b->notice };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		w.part = order[i];
		if (has_part(b, w.part))
			put_part(&w);
	}
}
