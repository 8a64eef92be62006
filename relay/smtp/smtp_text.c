/*
 * smtp_text.c - runs point into the pieces, which stay until the runs are
 * written: that is when c->iov is empty again.
 *
 * What is converted comes a page at a time, which stays until its runs are
 * written; the pieces are gone by then.
 *
 * A message of at most two pieces waits for both, so that a small one leaves
 * in one write; a larger one goes as its pieces come.
 */
#include <stdio.h>

#include "relay/smtp/smtp_convert.h"
#include "relay/smtp/smtp_text.h"

void
smtp_text_begin(struct smtp_client *c)
{
	if (c->is_counted)
		dot_init_counted(&c->dot);
	else
		dot_init(&c->dot);
	c->rest = (struct span){ NULL, 0 };
	c->scanned = 0;
	c->text_begun = smtp_convert_is_on(c);
	c->text_ended = false;
	c->iov_cnt = c->iov_pos = 0;
	if (smtp_convert_is_on(c))
		smtp_convert_begin(c);
}

static enum err
start(struct smtp_client *c)
{
	struct span unused;
	enum err e;

	for (unsigned i = 0; i < STREAM_CREDIT; i++) {
		e = delivery_text(c->delivery, i, &unused);
		if (e == ERR_CLOSED)
			return e;
		if (e == ERR_AGAIN &&
		    (i == 0 || c->delivery->piece_cnt <= STREAM_CREDIT))
			return e;
	}
	c->text_begun = true;
	return OK;
}

static void
add_run(struct smtp_client *c, struct span run)
{
	c->iov[c->iov_cnt++] = (struct iovec){
		(void *)(uintptr_t)run.ptr, run.len
	};
}

/* The next piece to read from, or why there is none. */
static enum err
turn_page(struct smtp_client *c)
{
	enum err e;

	if (smtp_convert_is_on(c))
		return c->iov_cnt > 0 ? ERR_AGAIN :
		    smtp_convert_page(c, &c->rest);
	e = delivery_text(c->delivery, c->scanned, &c->rest);
	if (e == OK)
		c->scanned++;
	return e;
}

/* The runs before are written, so the pieces they lay in may go. */
static void
let_go(struct smtp_client *c)
{
	unsigned cnt = c->scanned;

	if (cnt > 0 && c->rest.len > 0)
		cnt--;			/* still reading this one */
	c->scanned -= cnt;
	if (cnt > 0)
		delivery_drop(c->delivery, cnt);
	c->iov_cnt = c->iov_pos = 0;
}

/* Binary text holds whatever it holds; all other has proper line ends. */
static bool
next_run(struct smtp_client *c, struct span *run)
{
	if (!c->is_binary)
		return dot_next(&c->dot, &c->rest, run);
	*run = c->rest;
	c->rest = (struct span){ NULL, 0 };
	return run->len > 0;
}

/* Of a text whose end is not known each piece is a chunk of its own. */
static enum err
fill_chunk(struct smtp_client *c)
{
	const struct delivery *d = c->delivery;
	struct span piece;
	bool is_last;
	enum err e;
	int len;

	while ((e = delivery_text(d, c->scanned, &piece)) == OK) {
		is_last = d->first + c->scanned + 1 == d->piece_cnt;
		c->scanned++;
		if (piece.len == 0 && !is_last)
			continue;
		len = snprintf(c->chunk, sizeof(c->chunk), "BDAT %zu%s\r\n",
		    piece.len, is_last ? " LAST" : "");
		add_run(c, (struct span){ c->chunk, (size_t)len });
		if (piece.len > 0)
			add_run(c, piece);
		c->text_ended = is_last;
		c->chunk_ended = !is_last;
		return OK;
	}
	return e;
}

bool
smtp_text_is_chunk(struct smtp_client *c)
{
	bool is = c->chunk_ended;

	c->chunk_ended = false;
	return is;
}

enum err
smtp_text_fill(struct smtp_client *c)
{
	struct span run;
	enum err e = OK;

	let_go(c);
	if (c->text_ended)
		return ERR_NONE;
	if (c->is_chunked)
		return fill_chunk(c);
	if (!c->text_begun && (e = start(c)) != OK)
		return e;
	while (c->iov_cnt < SMTP_CLIENT_IOV - 1) {
		if (next_run(c, &run)) {
			add_run(c, run);
			continue;
		}
		if (c->dot.bad)
			return ERR_PEER;
		if ((e = turn_page(c)) != OK)
			break;
	}
	if (e == ERR_NONE) {
		if (c->is_counted && !c->is_binary && dot_ends_bare(&c->dot))
			return ERR_PEER;
		if (!c->is_counted)
			add_run(c, dot_end(&c->dot));
		c->text_ended = true;
	}
	if (c->iov_cnt > 0)
		return OK;
	return e;
}
