/*
 * dot.c - a dot at the start of a line ends the run it is in and begins the
 * next, so it goes out twice and nothing is copied.
 */
#include "mail/dot.h"
#include "mail/plain.h"

enum at {
	AT_LINE,	/* before the first byte of a line	*/
	AT_TEXT,	/* within a line			*/
	AT_CR		/* behind a CR				*/
};

void
dot_init(struct dot *d)
{
	*d = (struct dot){ .state = AT_LINE };
}

void
dot_init_counted(struct dot *d)
{
	*d = (struct dot){ .state = AT_LINE, .is_counted = true };
}

bool
dot_ends_bare(const struct dot *d)
{
	return d->state == AT_CR;
}

/* Text of a line: take all up to its CR, and the CR. */
static const char *
take_text(struct dot *d, const char *p, const char *end)
{
	bool ignored = false;
	const char *stop = plain_end(p, end, &ignored);

	if (stop == end)
		return stop;
	if (*stop == '\n' || *stop == '\0') {
		d->bad = true;
		return stop;
	}
	if (*stop == '\r')
		d->state = AT_CR;
	return stop + 1;
}

/* Walk on to the end of the input, to bad bytes, or to a dot to double. */
static const char *
walk(struct dot *d, const char *p, const char *end, bool *at_dot)
{
	while (p < end && !d->bad) {
		switch ((enum at)d->state) {
		case AT_LINE:
			d->state = AT_TEXT;
			if (*p == '.' && !d->is_counted) {
				*at_dot = true;
				return p;
			}
			break;
		case AT_TEXT:
			p = take_text(d, p, end);
			break;
		case AT_CR:
			d->bad = *p != '\n';
			d->state = AT_LINE;
			p++;
			break;
		}
	}
	return p;
}

bool
dot_next(struct dot *d, struct span *in, struct span *run)
{
	bool at_dot = false;
	const char *p;

	if (d->bad || in->len == 0)
		return false;
	p = walk(d, in->ptr, in->ptr + in->len, &at_dot);
	if (d->bad)
		return false;
	*run = span_head(*in, (size_t)(p - in->ptr) + (at_dot ? 1 : 0));
	*in = span_tail(*in, (size_t)(p - in->ptr));
	return true;
}

/* A CR that was the last byte of the text gets its LF: nothing goes bare. */
struct span
dot_end(const struct dot *d)
{
	switch ((enum at)d->state) {
	case AT_LINE:
		return SPAN(".\r\n");
	case AT_CR:
		return SPAN("\n.\r\n");
	default:
		return SPAN("\r\n.\r\n");
	}
}
