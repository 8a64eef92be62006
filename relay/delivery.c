/*
 * delivery.c - pieces are numbered through header and body alike; the number
 * on the bus starts anew in each part.
 *
 * Of a text that is still arriving each piece says what follows, and no more is
 * asked for than that; of one with known lengths all is known at once.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/delivery.h"
#include "sys/counters.h"

#define STRING_TAKES	32	/* bytes besides its own, about		*/
#define REPLY_SHORT	80	/* bytes of each when memory is short	*/

static uint64_t
pieces_of(uint64_t len)
{
	return len / PIECE_MAX + (len % PIECE_MAX != 0);
}

static bool
copy_span(struct span *out, struct span s)
{
	char *copy = malloc(s.len + 1);

	if (copy == NULL)
		return false;
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	*out = (struct span){ copy, s.len };
	return true;
}

static void
free_span(struct span *s)
{
	free((void *)(uintptr_t)s->ptr);
	*s = (struct span){ NULL, 0 };
}

static void
count_taken(struct delivery *d, size_t bytes)
{
	d->taken += bytes;
	if (d->hold != NULL)
		d->hold->bytes += bytes;
}

static bool
keep_span(struct delivery *d, struct span *out, struct span s)
{
	if (!copy_span(out, s))
		return false;
	count_taken(d, s.len + STRING_TAKES);
	return true;
}

/* What is said of the lengths; a header section has one piece at least. */
static void
measure(struct delivery *d, const struct msg_delivery_open *m)
{
	d->is_measured = m->header_len != BUS_NOT_KNOWN;
	if (!d->is_measured) {
		d->header_cnt = d->piece_cnt = UINT64_MAX;
		d->sure_cnt = 1;
		return;
	}
	d->header_len = m->header_len;
	d->body_len = m->body_len;
	d->header_cnt = pieces_of(m->header_len);
	d->piece_cnt = d->header_cnt + pieces_of(m->body_len);
	d->sure_cnt = d->learnt_cnt = d->piece_cnt;
}

struct delivery *
delivery_new(const struct msg_delivery_open *m,
    const struct delivery_calls *calls, void *home)
{
	struct delivery *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->calls = calls;
	d->home = home;
	d->id = m->id;
	d->delivery = m->delivery;
	d->attempt = m->attempt;
	d->flags = m->flags;
	measure(d, m);
	d->ret = m->ret;
	d->body = m->body;
	d->params = m->params;
	d->by_ms = m->by_ms;
	d->by_mode = m->by_mode;
	d->deadline_ms = (int64_t)m->deadline_ms;
	d->size_hint = m->size_hint;
	d->rcpt_cnt = d->undecided = m->rcpt_cnt;
	d->rcpt_cap = m->rcpt_cnt > 0 ? m->rcpt_cnt : 1;
	d->taken = sizeof(*d) + d->rcpt_cap * sizeof(*d->rcpts);
	SLIST_INIT(&d->outcomes);
	d->rcpts = calloc(d->rcpt_cap, sizeof(*d->rcpts));
	if (d->rcpts == NULL || !keep_span(d, &d->sender, m->sender) ||
	    !keep_span(d, &d->envid, m->envid) ||
	    !keep_span(d, &d->destination, m->destination) ||
	    !keep_span(d, &d->client, m->client) ||
	    !keep_span(d, &d->helo, m->helo) ||
	    !keep_span(d, &d->proto, m->proto) ||
	    !keep_span(d, &d->tenant, m->tenant))
		delivery_free(&d);
	return d;
}

void
delivery_hold(struct delivery *d, struct hold *h)
{
	d->hold = h;
	h->bytes += d->taken;
}

static void
forget_piece(struct delivery *d, uint64_t no)
{
	struct span *piece = &d->held[no % STREAM_CREDIT];

	if (d->hold != NULL)
		d->hold->text -= piece->len;
	free_span(piece);
}

static void
forget_pieces(struct delivery *d)
{
	for (unsigned i = 0; i < STREAM_CREDIT; i++)
		forget_piece(d, i);
}

static void
forget_envelope(struct delivery *d)
{
	for (uint32_t i = 0; d->rcpts != NULL && i < d->rcpt_have; i++) {
		free_span(&d->rcpts[i].address);
		free_span(&d->rcpts[i].orcpt);
	}
	free(d->rcpts);
	d->rcpts = NULL;
	free_span(&d->destination);
	free_span(&d->sender);
	free_span(&d->envid);
	free_span(&d->client);
	free_span(&d->helo);
	free_span(&d->proto);
	free_span(&d->tenant);
}

void
delivery_refuse(struct delivery *d)
{
	forget_envelope(d);
	if (d->hold != NULL)
		d->hold->bytes -= d->taken - sizeof(*d);
	d->taken = sizeof(*d);
}

void
delivery_free(struct delivery **dp)
{
	struct delivery *d = *dp;
	struct outcome *o;

	*dp = NULL;
	if (d == NULL)
		return;
	while ((o = SLIST_FIRST(&d->outcomes)) != NULL) {
		SLIST_REMOVE_HEAD(&d->outcomes, entry);
		free(o);
	}
	forget_pieces(d);
	forget_envelope(d);
	if (d->hold != NULL)
		d->hold->bytes -= d->taken;
	free(d);
}

/* For one more; those that were announced have theirs. */
static enum err
make_place(struct delivery *d)
{
	uint32_t cap = d->rcpt_cap;
	struct delivery_rcpt *more;

	if (d->rcpt_have == (d->rcpt_cnt > 0 && !d->is_passing ?
	    d->rcpt_cnt : DELIVERY_RCPTS_MAX))
		return ERR_PEER;
	if (d->rcpts == NULL || d->rcpt_have < cap)
		return OK;
	more = recallocarray(d->rcpts, cap, cap * 2, sizeof(*more));
	if (more == NULL)
		return ERR_SYS;
	d->rcpts = more;
	d->rcpt_cap = cap * 2;
	count_taken(d, cap * sizeof(*more));
	return OK;
}

void
delivery_pass(struct delivery *d)
{
	d->is_passing = true;
}

void
delivery_word(struct delivery *d, enum stage stage, uint32_t rcpt_no,
    const struct verdict *v, struct span hop)
{
	if (d->calls->word != NULL)
		d->calls->word(d, stage, rcpt_no, v, hop);
}

enum err
delivery_end_rcpts(struct delivery *d)
{
	if (d->rcpt_cnt == 0)
		d->rcpt_cnt = d->undecided = d->rcpt_have;
	return delivery_is_whole(d) ? OK : ERR_PEER;
}

enum err
delivery_add_rcpt(struct delivery *d, uint32_t no, struct span address)
{
	struct delivery_rcpt *r;
	enum err e = make_place(d);

	if (e != OK)
		return e;
	if (d->rcpts != NULL) {
		r = &d->rcpts[d->rcpt_have];
		if (!keep_span(d, &r->address, address))
			return ERR_SYS;
		r->no = no;
	}
	d->rcpt_have++;
	if (d->is_passing) {
		d->rcpt_cnt++;
		d->undecided++;
	}
	return OK;
}

enum err
delivery_add_dsn(struct delivery *d, uint8_t notify, struct span orcpt)
{
	struct delivery_rcpt *r;

	if (d->rcpts == NULL)
		return OK;
	r = &d->rcpts[d->rcpt_have - 1];
	r->notify = notify;
	if (orcpt.len > 0 && !keep_span(d, &r->orcpt, orcpt))
		return ERR_SYS;
	return OK;
}

bool
delivery_is_whole(const struct delivery *d)
{
	if (d->is_passing)
		return d->is_over;
	return d->rcpt_cnt > 0 && d->rcpt_have == d->rcpt_cnt;
}

/* The text. */

static void
ask_more(struct delivery *d)
{
	uint64_t no;

	while (!d->is_orphan && d->stale == 0 && d->pulled < d->sure_cnt &&
	    d->pulled - d->first < STREAM_CREDIT) {
		no = d->pulled++;
		if (no < d->header_cnt)
			d->calls->pull(d, PART_HEADER, (uint32_t)no);
		else
			d->calls->pull(d, PART_BODY,
			    (uint32_t)(no - d->header_cnt));
	}
}

void
delivery_prefetch(struct delivery *d)
{
	ask_more(d);
}

static uint64_t
piece_len(uint64_t part_len, uint64_t no)
{
	uint64_t rest = part_len - no * PIECE_MAX;

	return rest < PIECE_MAX ? rest : PIECE_MAX;
}

/* Can this piece be so long?  While it arrives one that was asked for can, and
 * only the last of a part is shorter. */
static bool
is_right(const struct delivery *d, unsigned part, uint32_t piece_no,
    unsigned next, struct span piece)
{
	uint64_t len = part == PART_HEADER ? d->header_len : d->body_len;
	uint64_t no = piece_no;

	if (part >= PART__COUNT || next >= PIECE_NEXT__COUNT)
		return false;
	if (d->is_measured)
		return no < pieces_of(len) && piece.len == piece_len(len, no);
	if (part == PART_BODY)
		no = d->header_cnt < UINT64_MAX ? no + d->header_cnt :
		    UINT64_MAX;
	return no < d->sure_cnt && (part == PART_BODY) == (no >=
	    d->header_cnt) && piece.len <= PIECE_MAX &&
	    (next != PIECE_NEXT || (piece.len == PIECE_MAX &&
	    piece_no < UINT32_MAX - 1)) &&
	    (next != PIECE_NEXT_PART || part == PART_HEADER);
}

/* What the next piece of a text that is arriving says of it: is there more to
 * be asked for? */
static bool
learn(struct delivery *d, unsigned part, uint64_t no, unsigned next,
    size_t len)
{
	if (no < d->learnt_cnt)
		return false;
	d->learnt_cnt = no + 1;
	if (part == PART_HEADER)
		d->header_len += len;
	else
		d->body_len += len;
	if (part == PART_HEADER && next != PIECE_NEXT)
		d->header_cnt = no + 1;
	if (next != PIECE_NEXT_NONE) {
		d->sure_cnt = no + 2;
		return true;
	}
	d->piece_cnt = no + 1;
	d->is_measured = true;
	return false;
}

enum err
delivery_add_piece(struct delivery *d, unsigned part, uint32_t piece_no,
    unsigned next, struct span piece)
{
	uint64_t no = piece_no;
	struct span *place;

	if (!is_right(d, part, piece_no, next, piece))
		return ERR_PEER;
	if (d->is_finished)
		return OK;
	if (d->stale > 0) {
		if (--d->stale == 0)
			ask_more(d);
		return OK;
	}
	if (part == PART_BODY)
		no += d->header_cnt;
	if (no < d->first)
		return OK;
	place = &d->held[no % STREAM_CREDIT];
	if (no >= d->pulled || place->ptr != NULL)
		return ERR_PEER;
	if (!copy_span(place, piece))
		return ERR_SYS;
	if (d->hold != NULL)
		d->hold->text += piece.len;
	if (learn(d, part, no, next, piece.len))
		ask_more(d);
	if (d->on_text != NULL)
		d->on_text(d, d->on_text_arg);
	return OK;
}

void
delivery_orphan(struct delivery *d)
{
	d->is_orphan = true;
	if (!d->is_finished && d->on_text != NULL)
		d->on_text(d, d->on_text_arg);
}

enum err
delivery_text(const struct delivery *d, unsigned i, struct span *out)
{
	uint64_t no = d->first + i;

	if (no >= d->piece_cnt)
		return ERR_NONE;
	if (no < d->pulled && d->held[no % STREAM_CREDIT].ptr != NULL) {
		*out = d->held[no % STREAM_CREDIT];
		return OK;
	}
	return d->is_orphan ? ERR_CLOSED : ERR_AGAIN;
}

void
delivery_drop(struct delivery *d, unsigned cnt)
{
	while (cnt-- > 0 && d->first < d->pulled)
		forget_piece(d, d->first++);
	ask_more(d);
}

/*
 * Pieces still on their way from the first round would be taken for the
 * second's: it begins when all of them have come.
 */
void
delivery_rewind(struct delivery *d)
{
	if (d->first == 0)
		return;
	for (uint64_t no = d->first; no < d->pulled; no++)
		d->stale += d->held[no % STREAM_CREDIT].ptr == NULL;
	forget_pieces(d);
	d->first = d->pulled = 0;
	ask_more(d);
}

bool
delivery_can_go_on(const struct delivery *d)
{
	struct span unused;
	uint64_t i;

	if (!d->is_orphan)
		return true;
	for (i = 0; d->first == 0 && i < d->piece_cnt; i++)
		if (i >= STREAM_CREDIT ||
		    delivery_text(d, (unsigned)i, &unused) != OK)
			return false;
	return d->first == 0;
}

uint64_t
delivery_size(const struct delivery *d)
{
	return d->is_measured ? d->header_len + d->body_len : 0;
}

/* The results. */

static const struct outcome *
keep_outcome(struct delivery *d, const struct verdict *v, size_t text_len,
    struct span hop)
{
	struct outcome *o;

	if ((o = malloc(sizeof(*o) + text_len + hop.len +
	    v->tls.len)) == NULL)
		return NULL;
	o->verdict = *v;
	o->verdict.text = (struct span){ o->bytes, text_len };
	o->hop = (struct span){ o->bytes + text_len, hop.len };
	if (text_len > 0)
		memcpy(o->bytes, v->text.ptr, text_len);
	if (hop.len > 0)
		memcpy(o->bytes + text_len, hop.ptr, hop.len);
	o->verdict.tls = (struct span){ o->bytes + text_len + hop.len,
	    v->tls.len };
	if (v->tls.len > 0)
		memcpy(o->bytes + text_len + hop.len, v->tls.ptr, v->tls.len);
	SLIST_INSERT_HEAD(&d->outcomes, o, entry);
	count_taken(d, sizeof(*o) + text_len + hop.len + v->tls.len);
	return o;
}

const struct outcome *
delivery_outcome(struct delivery *d, const struct verdict *v, struct span hop)
{
	size_t held = d->hold != NULL ? d->hold->bytes : 0;
	const struct outcome **shared = &d->shared[v->class];

	if (held >= DELIVERY_HOLD_MAX) {
		if (*shared == NULL)
			*shared = keep_outcome(d, v, 0, SPAN(""));
		return *shared;
	}
	return keep_outcome(d, v, span_head(v->text,
	    held >= DELIVERY_HOLD_MAX / 2 ? REPLY_SHORT : REPLY_TEXT_MAX).len,
	    span_head(hop, BUS_STR_MAX));
}

void
delivery_decide(struct delivery *d, uint32_t i, const struct outcome *o)
{
	if (o == NULL || d->rcpts[i].outcome != NULL)
		return;
	d->rcpts[i].outcome = o;
	d->undecided--;
}

void
delivery_end(struct delivery *d, const struct verdict *v, struct span hop)
{
	const struct outcome *o = NULL;

	if (d->is_passing)
		delivery_word(d, v->stage, DELIVERY_ALL, v, hop);
	if (d->undecided > 0)
		o = delivery_outcome(d, v, hop);
	for (uint32_t i = 0; o != NULL && i < d->rcpt_cnt; i++)
		delivery_decide(d, i, o);
	delivery_finish(d);
}

static void
count(const struct delivery *d)
{
	static const enum counter counters[CLASS__COUNT] = {
		[CLASS_DONE] = COUNTER_delivered,
		[CLASS_LATER] = COUNTER_deferred,
		[CLASS_NEVER] = COUNTER_failed,
	};

	for (uint32_t i = 0; d->rcpts != NULL && i < d->rcpt_cnt; i++) {
		const struct outcome *o = d->rcpts[i].outcome;

		counter_add(counters[o != NULL ? o->verdict.class :
		    CLASS_LATER], 1);
	}
}

void
delivery_finish(struct delivery *d)
{
	count(d);
	d->is_finished = true;
	d->on_text = NULL;
	d->on_leave = NULL;
	forget_pieces(d);
	if (d->on_end != NULL)
		d->on_end(d, d->on_end_arg);
	d->calls->finished(d);
}

void
delivery_give_back(struct delivery *d, enum back why)
{
	d->on_text = NULL;
	d->on_leave = NULL;
	if (d->on_end != NULL)
		d->on_end(d, d->on_end_arg);
	d->calls->back(d, why);
}

void
delivery_recall(struct delivery *d)
{
	if (d->on_leave == NULL || d->is_finished)
		return;
	d->on_leave(d, d->on_leave_arg);
	delivery_give_back(d, BACK_RECALLED);
}
