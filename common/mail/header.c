/*
 * header.c - until its colon a line is only a claim to be a field.  Within
 * the claim nothing but the name is read; once it fails, the rest of the line
 * is text like that of a field.
 */
#include <string.h>

#include "mail/header.h"
#include "mail/plain.h"

enum at {
	AT_LINE,	/* before the first byte of a line		*/
	AT_NAME,	/* within what may be a field's name		*/
	AT_COLON,	/* behind the blanks that follow it		*/
	AT_TEXT,	/* within a field's text			*/
	AT_CR,		/* behind a CR in it				*/
	AT_BLANK_CR,	/* behind a CR that was first in its line	*/
	AT_OVER		/* behind the empty line			*/
};

static const struct {
	struct span	 name;
	unsigned	 bit;
} fields[] = {
	{ { "Received", 8 },	HEADER_RECEIVED		},
	{ { "Date", 4 },	HEADER_DATE		},
	{ { "Message-ID", 10 },	HEADER_MESSAGE_ID	},
	{ { "From", 4 },	HEADER_FROM		},
	{ { "Return-Path", 11 }, HEADER_RETURN_PATH	},
};

void
header_init(struct header_scan *h)
{
	*h = (struct header_scan){ .state = AT_LINE };
}

static void
count_field(struct header_scan *h)
{
	struct span name = { h->name, h->name_len };

	if (h->name_len > HEADER_NAME_KEPT)
		return;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (span_eq_nocase(name, fields[i].name))
			h->has |= fields[i].bit;
	if (span_eq_nocase(name, fields[0].name))
		h->received_cnt++;
}

/* Keep what is enough to know the name; name_len tells when it was longer. */
static void
keep_name(struct header_scan *h, char c)
{
	if (h->name_len < HEADER_NAME_KEPT)
		h->name[h->name_len] = c;
	if (h->name_len <= HEADER_NAME_KEPT)
		h->name_len++;
}

/* The line has turned out to be a field. */
static enum at
is_field(struct header_scan *h)
{
	if (h->is_mbox && h->line_at == h->first_len)
		h->mbox_len = h->first_len;
	count_field(h);
	return AT_TEXT;
}

/* No field: what there is of it, and the rest, is text. */
static enum at
is_odd(struct header_scan *h, char c)
{
	h->has_odd = true;
	if (h->line_at == 0)
		h->is_mbox = h->name_len == 4 && c > ' ' &&
		    h->state == AT_COLON && memcmp(h->name, "From", 4) == 0;
	h->is_8bit |= (unsigned char)c > 0x7f;
	return c == '\r' ? AT_CR : AT_TEXT;
}

static enum at
line_begins(struct header_scan *h, char c)
{
	h->name_len = 0;
	if (c == '\r')
		return AT_BLANK_CR;
	if ((c == ' ' || c == '\t') && h->line_at > 0)
		return AT_TEXT;
	if (c <= ' ' || c > '~' || c == ':')
		return is_odd(h, c);
	keep_name(h, c);
	return AT_NAME;
}

/* One byte of the claim: RFC 5322 2.2, and the blanks of its 4.5. */
static enum at
name_goes_on(struct header_scan *h, char c)
{
	if (c == ':')
		return is_field(h);
	if (c == ' ' || c == '\t')
		return AT_COLON;
	if (h->state == AT_COLON || c <= ' ' || c > '~')
		return is_odd(h, c);
	keep_name(h, c);
	return AT_NAME;
}

/* A field's text up to its CR, and the CR. */
static const char *
take_text(struct header_scan *h, const char *p, const char *end)
{
	const char *stop = plain_end(p, end, &h->is_8bit);

	if (stop == end)
		return stop;
	if (*stop == '\r')
		h->state = AT_CR;
	return stop + 1;
}

/* One step; at is how many bytes of the section lie before p. */
static const char *
step(struct header_scan *h, const char *p, const char *end, size_t at)
{
	switch ((enum at)h->state) {
	case AT_LINE:
		h->line_at = at;
		h->state = line_begins(h, *p);
		return p + 1;
	case AT_NAME:
	case AT_COLON:
		h->state = name_goes_on(h, *p);
		return p + 1;
	case AT_TEXT:
		return take_text(h, p, end);
	case AT_CR:
		h->state = *p == '\n' ? AT_LINE : AT_TEXT;
		if (*p == '\n' && h->line_at == 0)
			h->first_len = at + 1;
		return *p == '\n' ? p + 1 : p;
	case AT_BLANK_CR:
		h->has_blank = *p == '\n';
		h->state = h->has_blank ? AT_OVER : AT_TEXT;
		return h->has_blank ? p + 1 : p;
	default:
		return p;
	}
}

size_t
header_feed(struct header_scan *h, struct span in)
{
	const char *p = in.ptr;
	size_t before = h->len, took;

	if (h->done || in.len == 0)
		return 0;
	while (p < in.ptr + in.len && h->state != AT_OVER)
		p = step(h, p, in.ptr + in.len, before + (size_t)(p - in.ptr));
	took = (size_t)(p - in.ptr);
	h->len = before + took;
	h->done = h->state == AT_OVER;
	return took;
}

void
header_end(struct header_scan *h)
{
	h->done = true;
}

void
header_cut(struct header_scan *h)
{
	if (h->state != AT_LINE && !h->done)
		h->len = h->line_at;
	h->done = true;
}
