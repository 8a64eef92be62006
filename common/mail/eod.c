/*
 * eod.c - where we are within a line is the whole state; a CR at the end of
 * the input needs no holding back, because a run that ends in one which turns
 * out bare belongs to a message nobody will keep.  So runs are never copied.
 */
#include "base/limits.h"
#include "mail/eod.h"
#include "mail/plain.h"

enum at {
	AT_LINE,	/* before the first byte of a line		*/
	AT_TEXT,	/* within a line				*/
	AT_CR,		/* behind a CR that was given out		*/
	AT_DOT,		/* behind a dot at the start, not given out	*/
	AT_DOT_CR,	/* and behind its CR, not given out either	*/
	AT_LF,		/* before a bare LF that passes for CR LF	*/
	AT_LF_LINE,	/* before the first byte of the line behind it	*/
	AT_END
};

void
eod_init(struct eod *e)
{
	*e = (struct eod){ .state = AT_LINE };
}

static bool
is_spoilt(const struct eod *e)
{
	return e->bare || e->nul;
}

static void
measure(struct eod *e)
{
	if (e->line_len > e->longest)
		e->longest = e->line_len;
}

/* Text of a line: take all up to its CR, and the CR. */
static const char *
take_text(struct eod *e, const char *p, const char *end)
{
	const char *stop = plain_end(p, end, &e->is_8bit);

	e->line_len += (size_t)(stop - p);
	if (stop < end && *stop == '\n' && e->is_lax && !is_spoilt(e)) {
		e->state = AT_LF;
		measure(e);
		return stop;
	}
	if (stop < end && *stop == '\r') {
		e->state = AT_CR;
		stop++;
	} else if (stop < end) {
		e->bare |= *stop == '\n';
		e->nul |= *stop == '\0';
		e->line_len++;
		stop++;
	}
	measure(e);
	return stop;
}

/* Behind a CR: a LF makes it a line end, anything else leaves it bare. */
static const char *
take_lf(struct eod *e, const char *p, enum at then)
{
	if (*p != '\n') {
		e->bare = true;
		e->state = AT_TEXT;
		return p;
	}
	e->line_len = 0;
	e->state = then;
	return p + 1;
}

/*
 * Walk on to the end of the input, of the run, or of the text.  *run_at is
 * where the run began; it moves up over what is not given out.
 */
static const char *
walk(struct eod *e, const char *p, const char *end, const char **run_at)
{
	while (p < end && e->state != AT_END && e->state != AT_LF) {
		switch ((enum at)e->state) {
		case AT_LINE:
			if (*p != '.' || e->is_counted) {
				e->state = AT_TEXT;
				break;
			}
			if (p > *run_at && !is_spoilt(e))
				return p;
			e->state = AT_DOT;
			*run_at = ++p;
			break;
		case AT_DOT:
			e->state = *p == '\r' ? AT_DOT_CR : AT_TEXT;
			if (*p == '\r')
				*run_at = ++p;
			break;
		case AT_TEXT:
			p = take_text(e, p, end);
			break;
		case AT_CR:
			p = take_lf(e, p, AT_LINE);
			break;
		case AT_DOT_CR:
			p = take_lf(e, p, AT_END);
			*run_at = p;
			break;
		case AT_LF_LINE:
			e->state = AT_TEXT;
			if (*p == '.' && !e->is_counted)
				*run_at = ++p;
			break;
		case AT_LF:
		case AT_END:
			break;
		}
	}
	return p;
}

enum eod_step
eod_next(struct eod *e, struct span *in, struct span *run)
{
	const char *from = in->ptr, *p;

	if (e->state == AT_END)
		return EOD_END;
	if (in->len == 0)
		return EOD_MORE;
	p = walk(e, in->ptr, in->ptr + in->len, &from);
	if (p == from && e->state == AT_LF) {
		e->state = AT_LF_LINE;
		e->line_len = 0;
		*in = span_tail(*in, (size_t)(p - in->ptr) + 1);
		*run = SPAN("\r\n");
		return EOD_RUN;
	}
	*in = span_tail(*in, (size_t)(p - in->ptr));
	if (p > from && !is_spoilt(e)) {
		*run = (struct span){ from, (size_t)(p - from) };
		return EOD_RUN;
	}
	return e->state == AT_END ? EOD_END : EOD_MORE;
}

bool
eod_finish(struct eod *e)
{
	if (e->state == AT_CR)
		e->bare = true;
	return e->state == AT_LINE || e->state == AT_LF_LINE;
}
