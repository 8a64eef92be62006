/*
 * intake.c - a stream lives until the store has let go of all it was given.
 * Calls to the store come back in order, so a drop that follows the pieces is
 * the last to come back.
 */
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/intake.h"
#include "queue/to_edge.h"
#include "sys/clock.h"

#define RCPTS_MAX	10000		/* of a message			*/
#define RCPT_BYTES_MAX	(1u << 20)	/* of their addresses together	*/
#define STREAMS_MAX	65536		/* of an edge			*/
#define NAME_MAX_KEPT	255		/* bytes of helo, client	*/
#define PROTO_MAX_KEPT	32
#define FLAGS		(MAIL_SMTPUTF8 | MAIL_8BIT)

enum stream_state {
	STREAM_OPEN,		/* recipients and text are coming	*/
	STREAM_COMMITTING,	/* in the store's hands			*/
	STREAM_ENDED,		/* only waits for the store		*/
};

struct stream {
	RB_ENTRY(stream) by_no;
	struct queue	*queue;
	struct edge	*edge;		/* NULL: nobody to answer	*/
	uint64_t	 no;
	enum stream_state state;
	unsigned	 credit;
	struct store_mail mail;
	uint64_t	 len[PART__COUNT];	/* bytes that came	*/
	uint32_t	 pieces[PART__COUNT];	/* handed to the store	*/
	char		*tail[PART__COUNT];	/* a last, shorter one	*/
	size_t		 tail_len[PART__COUNT];
	bool		 body_is_over;		/* it was a shorter one	*/
	struct span	*rcpts;
	uint32_t	 rcpt_cap;
	size_t		 rcpt_bytes;
	struct store_delivery where;
	struct store_accept accept;
	struct store_drop drop;
	char		 strings[];
};

RB_HEAD(stream_tree, stream);

struct edge {
	LIST_ENTRY(edge) entry;
	struct queue	*queue;
	struct link	*link;
	char		 name[BLOCK_NAME_MAX + 1];
	struct stream_tree streams;
	unsigned	 stream_cnt;
	uint64_t	 highest;	/* stream opened so far, + 1	*/
};

struct intake {
	struct queue	*queue;
	LIST_HEAD(, edge) edges;
	unsigned	 busy_cnt;	/* commits on their way		*/
};

/* A full piece on its way to the disk. */
struct piece {
	struct store_piece put;
	char		 text[];
};

static int
cmp_stream(struct stream *a, struct stream *b)
{
	return (a->no > b->no) - (a->no < b->no);
}

#define LOCAL	__attribute__((unused)) static
RB_GENERATE_INTERNAL(stream_tree, stream, by_no, cmp_stream, LOCAL)

static void
free_stream(struct stream *s)
{
	for (uint32_t i = 0; i < s->accept.message.rcpt_cnt; i++)
		free((char *)s->rcpts[i].ptr);
	free(s->rcpts);
	free(s->tail[PART_HEADER]);
	free(s->tail[PART_BODY]);
	free(s);
}

/* The edge knows nothing of it from here on. */
static void
detach(struct stream *s)
{
	if (s->edge == NULL)
		return;
	RB_REMOVE(stream_tree, &s->edge->streams, s);
	s->edge->stream_cnt--;
	s->edge = NULL;
}

static void
dropped(struct store_op *op, enum err e, void *arg)
{
	struct stream *s = arg;

	/* Not marked as done with: the next start sweeps it all the same. */
	free_stream(s);
}

/* It will be no message. */
static void
end(struct stream *s)
{
	detach(s);
	s->state = STREAM_ENDED;
	if (s->pieces[PART_HEADER] + s->pieces[PART_BODY] == 0) {
		free_stream(s);
		return;
	}
	s->drop.mail = &s->mail;
	store_drop(s->queue->store, &s->drop, dropped, s);
}

static void
refuse(struct stream *s, uint16_t code, const char *dsn, const char *text)
{
	if (s->edge != NULL)
		to_edge_refused(s->edge->link, s->no, code, dsn, text);
	end(s);
}

/*
 * The stream of that number; ERR_PEER if there never was one, ERR_NONE if it
 * has ended, which the edge may not have heard yet.
 */
static enum err
find(struct edge *ed, uint64_t no, struct stream **out)
{
	struct stream key = { .no = no };

	*out = RB_FIND(stream_tree, &ed->streams, &key);
	if (*out == NULL)
		return no < ed->highest ? ERR_NONE : ERR_PEER;
	return (*out)->state == STREAM_OPEN ? OK : ERR_PEER;
}

/* What goes into headers and commands later must not break out of a line. */
static bool
is_clean(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return false;
	return true;
}

static struct span
keep(char **at, struct span s, size_t max)
{
	struct span kept;

	s = span_head(s, max);
	kept = (struct span){ *at, s.len };
	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

static struct stream *
new_stream(struct edge *ed, const struct msg_mail_open *m)
{
	struct span edge = span_of(ed->name);
	size_t bytes = m->sender.len + m->client.len + m->helo.len +
	    m->proto.len + m->tenant.len + edge.len;
	struct stream *s = calloc(1, sizeof(*s) + bytes);
	struct record_message *facts;
	char *at;

	if (s == NULL)
		return NULL;
	at = s->strings;
	facts = &s->accept.message;
	facts->flags = m->flags & FLAGS;
	facts->sender = keep(&at, m->sender, RECORD_STR_MAX);
	facts->client = keep(&at, m->client, NAME_MAX_KEPT);
	facts->helo = keep(&at, m->helo, NAME_MAX_KEPT);
	facts->proto = keep(&at, m->proto, PROTO_MAX_KEPT);
	facts->tenant = keep(&at, m->tenant, STORE_TENANT_MAX);
	facts->edge = keep(&at, edge, BLOCK_NAME_MAX);
	s->queue = ed->queue;
	s->edge = ed;
	s->no = m->stream;
	s->credit = STREAM_CREDIT;
	return s;
}

enum err
intake_mail(struct edge *ed, const struct msg_mail_open *m)
{
	struct queue *q = ed->queue;
	struct stream *s, key = { .no = m->stream };

	if (RB_FIND(stream_tree, &ed->streams, &key) != NULL ||
	    !is_clean(m->sender) || !is_clean(m->tenant) ||
	    m->stream == UINT64_MAX)
		return ERR_PEER;
	if (m->stream >= ed->highest)
		ed->highest = m->stream + 1;
	if (q->is_draining || ed->stream_cnt >= STREAMS_MAX) {
		to_edge_refused(ed->link, m->stream, 451, "4.3.0",
		    "Try again in a moment");
		return OK;
	}
	if (q->is_full) {
		to_edge_refused(ed->link, m->stream, 452, "4.3.1",
		    "Mail system full");
		return OK;
	}
	if ((s = new_stream(ed, m)) == NULL) {
		to_edge_refused(ed->link, m->stream, 451, "4.3.0",
		    "Out of memory");
		return OK;
	}
	s->mail.id = queue_mint(q);
	RB_INSERT(stream_tree, &ed->streams, s);
	ed->stream_cnt++;
	to_edge_grant(ed->link, s->no, s->mail.id);
	return OK;
}

static bool
add_rcpt(struct stream *s, struct span rcpt)
{
	uint32_t cnt = s->accept.message.rcpt_cnt;
	char *copy;

	if (cnt == s->rcpt_cap) {
		uint32_t cap = cnt == 0 ? 1 : cnt * 2;
		struct span *more = reallocarray(s->rcpts, cap,
		    sizeof(*more));

		if (more == NULL)
			return false;
		s->rcpts = more;
		s->rcpt_cap = cap;
	}
	if ((copy = malloc(rcpt.len)) == NULL)
		return false;
	memcpy(copy, rcpt.ptr, rcpt.len);
	s->rcpts[cnt] = (struct span){ copy, rcpt.len };
	s->accept.message.rcpt_cnt++;
	s->rcpt_bytes += rcpt.len;
	return true;
}

enum err
intake_rcpt(struct edge *ed, const struct msg_mail_rcpt *m)
{
	struct stream *s;
	enum err e = find(ed, m->stream, &s);

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	if (m->rcpt.len == 0 || !is_clean(m->rcpt))
		return ERR_PEER;
	if (s->accept.message.rcpt_cnt >= RCPTS_MAX ||
	    s->rcpt_bytes + m->rcpt.len > RCPT_BYTES_MAX)
		refuse(s, 452, "4.5.3", "Too many recipients");
	else if (!add_rcpt(s, m->rcpt))
		refuse(s, 451, "4.3.0", "Out of memory");
	return OK;
}

static void
piece_put(struct store_op *op, enum err e, void *arg)
{
	struct stream *s = arg;

	free(op);		/* the head of its struct piece */
	if (s->edge == NULL || s->state != STREAM_OPEN)
		return;
	if (e != OK) {
		refuse(s, 452, "4.3.1", "Mail system full");
		return;
	}
	s->credit++;
	to_edge_credit(s->edge->link, s->no, 1);
}

static bool
put_piece(struct stream *s, enum part part, struct span text)
{
	struct piece *p = malloc(sizeof(*p) + text.len);

	if (p == NULL)
		return false;
	memcpy(p->text, text.ptr, text.len);
	p->put = (struct store_piece){
		.mail = &s->mail, .part = part, .piece_no = s->pieces[part]++,
		.text = { p->text, text.len },
	};
	store_put_piece(s->queue->store, &p->put, piece_put, s);
	return true;
}

static bool
keep_tail(struct stream *s, enum part part, struct span text)
{
	if (text.len == 0)
		return true;
	if ((s->tail[part] = malloc(text.len)) == NULL)
		return false;
	memcpy(s->tail[part], text.ptr, text.len);
	s->tail_len[part] = text.len;
	return true;
}

enum err
intake_piece(struct edge *ed, uint64_t stream, enum part part,
    struct span piece)
{
	struct stream *s;
	enum err e = find(ed, stream, &s);
	bool is_full = piece.len == PIECE_MAX, kept;

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	if (s->credit == 0 || piece.len == 0 || (!is_full &&
	    part == PART_HEADER) || (part == PART_BODY && s->body_is_over) ||
	    s->len[part] / PIECE_MAX >= UINT32_MAX / PIECE_CHUNKS - 1)
		return ERR_PEER;
	s->credit--;
	s->len[part] += piece.len;
	if (s->queue->is_full) {
		refuse(s, 452, "4.3.1", "Mail system full");
		return OK;
	}
	if (is_full) {
		kept = put_piece(s, part, piece);
	} else {
		s->body_is_over = true;
		kept = keep_tail(s, part, piece);
	}
	if (!kept)
		refuse(s, 451, "4.3.0", "Out of memory");
	return OK;
}

static void
log_queued(const struct stream *s)
{
	const struct record_message *m = &s->accept.message;
	struct log_line l;

	log_begin(&l, LOG_queued);
	log_id(&l, LOG_KEY_id, s->mail.id);
	log_str(&l, LOG_KEY_from, m->sender);
	log_num(&l, LOG_KEY_size, (int64_t)(m->header_len + m->body_len));
	log_num(&l, LOG_KEY_rcpts, m->rcpt_cnt);
	log_str(&l, LOG_KEY_client, m->client);
	log_str(&l, LOG_KEY_edge, m->edge);
	log_end(&l);
}

static void
accepted(struct store_op *op, enum err e, void *arg)
{
	struct stream *s = arg;
	struct queue *q = s->queue;

	q->intake->busy_cnt--;
	if (e != OK) {
		refuse(s, 452, "4.3.1", "Mail system full");
		queue_rested(q);
		return;
	}
	if (s->edge != NULL)
		to_edge_taken(s->edge->link, s->no);
	log_queued(s);
	queue_accepted(q, &s->accept);
	detach(s);
	free_stream(s);
	queue_rested(q);
}

static void
commit(struct stream *s)
{
	struct store_accept *a = &s->accept;
	struct span relay = span_of(s->queue->settings.relay);

	s->state = STREAM_COMMITTING;
	s->where = (struct store_delivery){
		relay, relay, a->message.tenant, clock_wall_ms(),
	};
	a->mail = &s->mail;
	a->rcpts = s->rcpts;
	a->deliveries = &s->where;
	a->message.arrived_ms = (uint64_t)s->where.due_ms;
	a->message.delivery_cnt = 1;
	a->message.header_len = s->len[PART_HEADER];
	a->message.body_len = s->len[PART_BODY];
	a->header = (struct span){ s->tail[PART_HEADER],
	    s->tail_len[PART_HEADER] };
	a->body = (struct span){ s->tail[PART_BODY], s->tail_len[PART_BODY] };
	a->header_piece_no = s->pieces[PART_HEADER];
	a->body_piece_no = s->pieces[PART_BODY];
	s->queue->intake->busy_cnt++;
	store_accept(s->queue->store, a, accepted, s);
}

enum err
intake_commit(struct edge *ed, const struct msg_mail_commit *m,
    struct span piece)
{
	struct stream *s;
	enum err e = find(ed, m->stream, &s);

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	s->len[PART_HEADER] += piece.len;
	if (s->accept.message.rcpt_cnt == 0 ||
	    m->header_len != s->len[PART_HEADER] ||
	    m->body_len != s->len[PART_BODY])
		return ERR_PEER;
	s->accept.message.flags |= m->flags & FLAGS;
	if (s->queue->is_full)
		refuse(s, 452, "4.3.1", "Mail system full");
	else if (!keep_tail(s, PART_HEADER, piece))
		refuse(s, 451, "4.3.0", "Out of memory");
	else
		commit(s);
	return OK;
}

/* An abort may cross our answer, or come too late: then it is a message. */
enum err
intake_abort(struct edge *ed, uint64_t stream)
{
	struct stream key = { .no = stream };
	struct stream *s = RB_FIND(stream_tree, &ed->streams, &key);

	if (s == NULL)
		return stream < ed->highest ? OK : ERR_PEER;
	if (s->state == STREAM_OPEN)
		end(s);
	else
		detach(s);
	return OK;
}

struct edge *
intake_edge(struct queue *q, const struct link_peer *peer)
{
	struct edge *ed = calloc(1, sizeof(*ed));

	if (ed == NULL)
		return NULL;
	ed->queue = q;
	strlcpy(ed->name, peer->block, sizeof(ed->name));
	RB_INIT(&ed->streams);
	LIST_INSERT_HEAD(&q->intake->edges, ed, entry);
	return ed;
}

void
intake_edge_linked(struct edge *ed, struct link *l)
{
	ed->link = l;
	if (ed->queue->is_full)
		to_edge_state(l, true);
}

void
intake_edge_gone(struct edge **e)
{
	struct edge *ed = *e;
	struct stream *s;

	while ((s = RB_MIN(stream_tree, &ed->streams)) != NULL) {
		if (s->state == STREAM_OPEN)
			end(s);
		else
			detach(s);
	}
	LIST_REMOVE(ed, entry);
	link_close(&ed->link);
	free(ed);
	*e = NULL;
}

struct queue *
intake_queue(const struct edge *ed)
{
	return ed->queue;
}

void
intake_space(struct intake *in, bool full)
{
	struct edge *ed;

	LIST_FOREACH(ed, &in->edges, entry)
		if (ed->link != NULL)
			to_edge_state(ed->link, full);
}

void
intake_drain(struct intake *in)
{
	struct edge *ed;
	struct stream *s, *next;

	LIST_FOREACH(ed, &in->edges, entry)
		RB_FOREACH_SAFE(s, stream_tree, &ed->streams, next)
			if (s->state == STREAM_OPEN)
				refuse(s, 451, "4.3.0",
				    "Try again in a moment");
}

bool
intake_is_busy(const struct intake *in)
{
	return in->busy_cnt > 0;
}

enum err
intake_open(struct intake **out, struct queue *q)
{
	struct intake *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return ERR_SYS;
	in->queue = q;
	LIST_INIT(&in->edges);
	*out = in;
	return OK;
}

void
intake_close(struct intake **i)
{
	struct edge *ed;

	if (*i == NULL)
		return;
	while ((ed = LIST_FIRST(&(*i)->edges)) != NULL)
		intake_edge_gone(&ed);
	free(*i);
	*i = NULL;
}
