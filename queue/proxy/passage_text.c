/*
 * passage_text.c - pieces: what follows one is known when the next has come, or
 * the end; and one goes on when the relay has asked for it.
 *
 * A relay asks for them in their order, for no more than it knows that there
 * are, and so for one at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/proxy/passage.h"
#include "queue/to_edge.h"

static void
drop_first(struct passage *p)
{
	passage_let_go(p, p->pieces[0].len);
	free(p->pieces[0].bytes);
	memmove(&p->pieces[0], &p->pieces[1],
	    --p->have * sizeof(p->pieces[0]));
}

void
passage_free_text(struct passage *p)
{
	while (p->have > 0)
		free(p->pieces[--p->have].bytes);
}

/* The first one goes on, if it may; the edge may send another then. */
static void
send_first(struct passage *p)
{
	struct passage_piece *first = &p->pieces[0];
	struct msg_delivery_piece m = { .id = p->id, .attempt = p->attempt };

	if (!p->is_pulled || p->have == 0 || !first->has_next ||
	    p->worker == NULL)
		return;
	p->is_pulled = false;
	m.part = first->part;
	m.piece_no = first->no;
	m.next = first->next;
	link_send_delivery_piece(p->worker->link, &m,
	    (struct span){ first->bytes, first->len });
	if (p->state == PASSAGE_TEXT && first->len > 0) {
		p->credit++;
		to_edge_credit(p->edge->link, p->no, 1);
	}
	drop_first(p);
}

/* What follows the last one that has come. */
static void
follow(struct passage *p, enum piece_next next)
{
	if (p->have == 0)
		return;
	p->pieces[p->have - 1].has_next = true;
	p->pieces[p->have - 1].next = (uint8_t)next;
}

static bool
add(struct passage *p, enum part part, struct span text)
{
	struct passage_piece *piece = &p->pieces[p->have];
	char *bytes = malloc(text.len + 1);

	if (bytes == NULL)
		return false;
	if (text.len > 0)
		memcpy(bytes, text.ptr, text.len);
	*piece = (struct passage_piece){ .bytes = bytes, .len = text.len,
	    .part = (uint8_t)part, .no = p->piece_cnt[part]++ };
	p->have++;
	p->len[part] += text.len;
	p->is_short = text.len < PIECE_MAX;
	passage_hold(p, text.len);
	return true;
}

/* A header section is there, if an empty one: the relay asks for it. */
static bool
begin_body(struct passage *p)
{
	if (p->is_body)
		return true;
	if (p->piece_cnt[PART_HEADER] == 0 && !add(p, PART_HEADER, SPAN("")))
		return false;
	follow(p, PIECE_NEXT_PART);
	p->is_body = true;
	return true;
}

static bool
take(struct passage *p, enum part part, struct span text)
{
	if (part == PART_BODY && !p->is_body) {
		if (!begin_body(p))
			return false;
	} else {
		follow(p, PIECE_NEXT);
	}
	return add(p, part, text);
}

/* Pieces are full but for the last of a part, and the header's come first. */
enum err
passage_piece(struct proxy_edge *ed, uint64_t no, enum part part,
    struct span text)
{
	struct passage *p;
	enum err e = passage_of(ed, no, &p);

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	if (text.len == 0 && part == PART_BODY)
		return OK;		/* its client is slow */
	if (p->state != PASSAGE_TEXT || p->credit == 0 || text.len == 0 ||
	    (part == PART_HEADER && p->is_body) ||
	    (p->is_short && p->is_body == (part == PART_BODY)) ||
	    p->piece_cnt[part] == UINT32_MAX)
		return ERR_PEER;
	p->credit--;
	if (!passage_may_hold(ed, text.len) || !take(p, part, text))
		passage_refuse(p, 451, "4.3.0", "Out of memory");
	else
		send_first(p);
	return OK;
}

enum err
passage_commit(struct proxy_edge *ed, const struct msg_mail_commit *m,
    struct span piece)
{
	struct passage *p;
	enum err e = passage_of(ed, m->stream, &p);

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	if (p->state != PASSAGE_TEXT || piece.len > 0 ||
	    m->header_len != p->len[PART_HEADER] ||
	    m->body_len != p->len[PART_BODY])
		return ERR_PEER;
	if (p->piece_cnt[PART_HEADER] == 0 &&
	    !add(p, PART_HEADER, SPAN(""))) {
		passage_refuse(p, 451, "4.3.0", "Out of memory");
		return OK;
	}
	p->state = PASSAGE_ENDED;
	follow(p, PIECE_NEXT_NONE);
	passage_ask(p, PASSAGE_DONE_MS);
	send_first(p);
	return OK;
}

/* Which piece comes next? */
static bool
is_next(const struct passage *p, const struct msg_delivery_pull *m)
{
	enum part part = p->is_body ? PART_BODY : PART_HEADER;

	if (p->have > 0)
		return m->part == p->pieces[0].part &&
		    m->piece_no == p->pieces[0].no;
	return m->part == part && m->piece_no == p->piece_cnt[part];
}

enum err
passage_pull(struct passage *p, const struct msg_delivery_pull *m)
{
	if (p->is_pulled || !is_next(p, m))
		return ERR_PEER;
	p->is_pulled = true;
	send_first(p);
	return OK;
}
