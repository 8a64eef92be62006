/*
 * fuzz_bounce.c - a report made of anything at all is taken apart again: three
 * parts, lines that hold nothing foreign, and as many recipients as went in.
 * room: queue
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "queue/bounce/bounce.h"

#define RCPTS	3
#define BOUNDARY "--07000000-0000-0000-0000-000000000000"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The bytes up to the next 0xfe, which is taken away. */
static struct span
take(struct span *in)
{
	struct span s = span_head(*in, span_find(*in, '\xfe'));

	*in = span_tail(*in, s.len + 1);
	return s;
}

static void
check_lines(struct span text)
{
	size_t column = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\r' ? i + 1 == text.len || text.ptr[i + 1] != '\n' :
		    c == '\n' ? i == 0 || text.ptr[i - 1] != '\r' :
		    c == '\0')
			abort();
		column = c == '\n' ? 0 : column + 1;
		if (column > 999)
			abort();
	}
}

static unsigned
count(struct span text, const char *begin)
{
	struct span b = span_of(begin);
	unsigned cnt = 0;

	for (size_t i = 0; i < text.len; i++)
		if ((i == 0 || text.ptr[i - 1] == '\n') &&
		    span_begins(span_tail(text, i), b))
			cnt++;
	return cnt;
}

/* The second part, without the header of its own. */
static struct span
fields_of(struct span text)
{
	struct span rest = text;
	const char *at;

	for (int i = 0; i < 2; i++) {
		if ((at = memmem(rest.ptr, rest.len, "\r\n" BOUNDARY "\r\n",
		    sizeof(BOUNDARY) + 3)) == NULL)
			abort();
		rest = span_tail(rest, (size_t)(at - rest.ptr) +
		    sizeof(BOUNDARY) + 3);
	}
	if ((at = memmem(rest.ptr, rest.len, BOUNDARY, sizeof(BOUNDARY) -
	    1)) == NULL)
		abort();
	return span_head(rest, (size_t)(at - rest.ptr));
}

static void
check(const struct bounce_text *t, const struct bounce *b)
{
	struct span text = { t->text, t->len }, fields;

	if (t->header_len < 4 || memcmp(t->text + t->header_len - 4,
	    "\r\n\r\n", 4) != 0)
		abort();
	check_lines(text);
	if (count(text, BOUNDARY "\r\n") != 3 ||
	    count(text, BOUNDARY "--\r\n") != 1)
		abort();
	fields = fields_of(text);
	if (count(fields, "Final-Recipient: ") != b->rcpt_cnt ||
	    count(fields, "Action: ") != b->rcpt_cnt ||
	    count(fields, "Status: ") != b->rcpt_cnt ||
	    count(fields, "Reporting-MTA: ") != 1 ||
	    count(fields, "Remote-MTA: ") > b->rcpt_cnt ||
	    count(fields, "\r\n") != b->rcpt_cnt + 2)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span in = { (const char *)bytes, len };
	struct bounce_rcpt r[RCPTS] = { { .action = REPORT_FAILED } };
	struct bounce b = {
		.id = { { 7 } }, .hostname = SPAN("mx.example.org"),
		.home = SPAN("example.org"),
		.to = SPAN("from@example.org"), .rcpts = r,
	};
	struct bounce_text t;

	/* The report gets its name when the original is there already. */
	if (len < 1 + RCPTS * 2 || memmem(bytes, len, BOUNDARY,
	    sizeof(BOUNDARY) - 1) != NULL)
		return 0;
	b.rcpt_cnt = bytes[0] % RCPTS + 1u;
	b.is_utf8 = bytes[0] & 0x40;
	b.has_body = bytes[0] & 0x80;
	for (uint32_t i = 0; i < b.rcpt_cnt; i++) {
		r[i].action = bytes[1 + i * 2] % (REPORT__COUNT - 1) + 1;
		r[i].is_late = bytes[1 + i * 2] & 0x40;
		r[i].is_theirs = bytes[1 + i * 2] & 0x80;
		r[i].code = bytes[2 + i * 2] * 3u;
	}
	in = span_tail(in, 1 + RCPTS * 2);
	for (uint32_t i = 0; i < b.rcpt_cnt; i++) {
		r[i].address = take(&in);
		r[i].orcpt = take(&in);
		r[i].reply = take(&in);
		r[i].hop = take(&in);
	}
	b.envid = take(&in);
	b.header = take(&in);
	b.body = in;
	if (bounce_write(&t, &b) != OK)
		abort();
	check(&t, &b);
	free(t.text);
	return 0;
}
