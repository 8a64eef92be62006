/*
 * intake_stream.c - calls to the store come back in order, so a drop that
 * follows the pieces is the last to come back, and frees the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/dsn.h"
#include "mail/message_id.h"
#include "queue/intake/intake_inside.h"
#include "queue/inbound.h"
#include "queue/to_edge.h"

#define NAME_MAX_KEPT	255		/* bytes of helo, client	*/
#define PROTO_MAX_KEPT	32
/* Of a recipient besides his bytes: twice, for arrays double when they grow. */
#define RCPT_HELD	(sizeof(struct stream_rcpt) + \
			 2 * (sizeof(struct span) + \
			 sizeof(struct route_kept) + sizeof(struct store_dsn)))

static int
cmp_stream(struct stream *a, struct stream *b)
{
	return (a->no > b->no) - (a->no < b->no);
}

RB_GENERATE(stream_tree, stream, by_no, cmp_stream)

static int
cmp_rcpt(struct stream_rcpt *a, struct stream_rcpt *b)
{
	if (a->key.len != b->key.len)
		return a->key.len < b->key.len ? -1 : 1;
	return memcmp(a->key.ptr, b->key.ptr, a->key.len);
}

RB_GENERATE(rcpt_tree, stream_rcpt, by_key, cmp_rcpt)

struct stream_rcpt *
stream_rcpt_of(struct span address)
{
	return (struct stream_rcpt *)((char *)(uintptr_t)address.ptr -
	    offsetof(struct stream_rcpt, bytes));
}

bool
stream_may_hold(const struct edge *ed, size_t bytes)
{
	return ed->held < INBOUND_BYTES_MAX &&
	    bytes < INBOUND_BYTES_MAX - ed->held;
}

void
stream_hold(struct stream *s, size_t bytes)
{
	s->held += bytes;
	s->holder->held += bytes;
}

void
stream_let_go(struct stream *s, size_t bytes)
{
	s->held -= bytes;
	s->holder->held -= bytes;
}

void
stream_leave(struct edge *ed)
{
	ed->is_gone = true;
	if (ed->begun_cnt == 0)
		free(ed);
}

void
stream_free(struct stream *s)
{
	struct edge *ed = s->holder;

	stream_let_go(s, s->held);
	ed->begun_cnt--;
	for (uint32_t i = 0; i < s->accept.message.rcpt_cnt; i++)
		free(stream_rcpt_of(s->rcpts[i]));
	free(s->rcpts);
	free(s->rcpt_dsn);
	free(s->rcpt_route);
	for (uint32_t i = 0; i < s->report_cnt; i++)
		free((char *)(uintptr_t)s->reports[i].address.ptr);
	free(s->reports);
	split_free(&s->split);
	free(s->facts);
	free(s->tail[PART_HEADER]);
	free(s->tail[PART_BODY]);
	free(s);
	if (ed->is_gone)
		stream_leave(ed);
}

struct stream *
stream_by_no(struct edge *ed, uint64_t no)
{
	struct stream key = { .no = no };

	return RB_FIND(stream_tree, &ed->streams, &key);
}

enum err
stream_find(struct edge *ed, uint64_t no, struct stream **out)
{
	*out = stream_by_no(ed, no);
	if (*out == NULL)
		return no < ed->highest ? ERR_NONE : ERR_PEER;
	return (*out)->state == STREAM_OPEN ? OK : ERR_PEER;
}

void
stream_free_arrival(struct arrival *a)
{
	LIST_REMOVE(a, entry);
	stream_let_go(a->stream, a->held);
	expand_end(&a->expansion);
	free(a);
}

void
stream_forget_arrivals(struct stream *s)
{
	struct arrival *a;

	while ((a = LIST_FIRST(&s->arrivals)) != NULL)
		stream_free_arrival(a);
}

void
stream_detach(struct stream *s)
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

	stream_answered(s);
	/* Not marked as done with: the next start sweeps it all the same. */
	stream_free(s);
}

void
stream_end(struct stream *s)
{
	stream_detach(s);
	stream_forget_arrivals(s);
	s->state = STREAM_ENDED;
	if (s->pieces[PART_HEADER] + s->pieces[PART_BODY] == 0) {
		stream_free(s);
		return;
	}
	s->drop.mail = &s->mail;
	store_drop(s->queue->store, &s->drop, dropped, s);
}

void
stream_refuse(struct stream *s, uint16_t code, const char *dsn,
    const char *text)
{
	if (s->edge != NULL)
		to_edge_refused(s->edge->link, s->no, code, dsn, text);
	stream_end(s);
}

void
stream_refuse_room(struct stream *s, bool is_full)
{
	if (s->edge != NULL)
		to_edge_no_room(s->edge->link, s->no, is_full);
	stream_end(s);
}

void
stream_refuse_many(struct stream *s)
{
	stream_refuse(s, 452, "4.3.1", "Too many messages at once");
}

/* What is handed over cannot be taken back: accepted() sees to it. */
void
stream_give_up(struct stream *s)
{
	if (s->state < STREAM_COMMITTING) {
		stream_refuse_room(s, false);
		return;
	}
	s->is_given_up = true;
	to_edge_no_room(s->edge->link, s->no, false);
	stream_detach(s);
}

struct stream *
stream_new(struct edge *ed, const struct msg_mail_open *m)
{
	struct span edge = span_of(ed->name);
	size_t bytes = m->sender.len + m->client.len + m->helo.len +
	    m->proto.len + m->tenant.len + edge.len + m->envid.len +
	    m->tls.len;
	struct stream *s = calloc(1, sizeof(*s) + bytes);
	struct record_message *facts;
	char *at;

	if (s == NULL)
		return NULL;
	at = s->strings;
	facts = &s->accept.message;
	facts->flags = m->flags & INTAKE_FLAGS;
	facts->sender = inbound_keep(&at, m->sender, RECORD_STR_MAX);
	facts->client = inbound_keep(&at, m->client, NAME_MAX_KEPT);
	facts->helo = inbound_keep(&at, m->helo, NAME_MAX_KEPT);
	facts->proto = inbound_keep(&at, m->proto, PROTO_MAX_KEPT);
	facts->tenant = inbound_keep(&at, m->tenant, STORE_TENANT_MAX);
	facts->edge = inbound_keep(&at, edge, BLOCK_NAME_MAX);
	facts->ret = m->ret;
	facts->envid = inbound_keep(&at, m->envid, DSN_ENVID_MAX);
	facts->body = m->body;
	facts->params = m->params;
	facts->by_ms = m->by_ms;
	facts->by_mode = m->by_mode;
	s->accept.session = m->session;
	s->accept.tls = inbound_keep(&at, m->tls, TLS_WORDS_MAX);
	s->once = m->once;
	s->is_local = m->local != 0;
	s->is_judged = m->judged != 0;
	s->queue = ed->queue;
	s->edge = s->holder = ed;
	ed->begun_cnt++;
	stream_hold(s, sizeof(*s) + bytes);
	s->no = m->stream;
	s->credit = STREAM_CREDIT;
	s->mail.id = queue_mint(ed->queue);
	RB_INSERT(stream_tree, &ed->streams, s);
	ed->stream_cnt++;
	stream_begin_watch(s);
	return s;
}

/* Room for one more; and, from the first on that asks for it, for DSN. */
static bool
reserve_rcpt(struct stream *s, uint32_t cnt, bool has_dsn)
{
	uint32_t cap = cnt == 0 ? 1 : cnt * 2;
	struct store_dsn *dsn;
	struct route_kept *kept;
	struct span *more;

	if (cnt == s->rcpt_cap) {
		more = reallocarray(s->rcpts, cap, sizeof(*more));
		if (more == NULL)
			return false;
		s->rcpts = more;
		kept = reallocarray(s->rcpt_route, cap, sizeof(*kept));
		if (kept == NULL)
			return false;
		s->rcpt_route = kept;
		if (s->rcpt_dsn != NULL) {
			dsn = recallocarray(s->rcpt_dsn, cnt, cap,
			    sizeof(*dsn));
			if (dsn == NULL)
				return false;
			s->rcpt_dsn = dsn;
		}
		s->rcpt_cap = cap;
	}
	if (has_dsn && s->rcpt_dsn == NULL)
		s->rcpt_dsn = calloc(s->rcpt_cap, sizeof(*s->rcpt_dsn));
	return !has_dsn || s->rcpt_dsn != NULL;
}

/* Itself when there is none: what is no address is refused later. */
static struct span
key_of(struct span address, char text[ADDRESS_KEY_MAX])
{
	size_t len = address_key(address, text);

	return len > 0 ? (struct span){ text, len } : address;
}

bool
stream_add_rcpt(struct stream *s, const struct msg_mail_rcpt *m,
    struct span trace, const struct route_kept *kept)
{
	char text[ADDRESS_KEY_MAX];
	struct stream_rcpt like = { .key = key_of(m->rcpt, text) }, *r;
	bool is_own = span_eq(like.key, m->rcpt);
	uint32_t cnt = s->accept.message.rcpt_cnt;
	struct span owner = kept->owner;
	size_t bytes = m->rcpt.len + m->orcpt.len + trace.len + owner.len +
	    (is_own ? 0 : like.key.len);
	char *orcpt, *at, *key;

	if (RB_FIND(rcpt_tree, &s->known_rcpts, &like) != NULL)
		return true;
	if (!reserve_rcpt(s, cnt, m->notify != 0 || m->orcpt.len > 0 ||
	    trace.len > 0 || owner.len > 0) ||
	    (r = malloc(sizeof(*r) + bytes)) == NULL)
		return false;
	memcpy(r->bytes, m->rcpt.ptr, m->rcpt.len);
	s->rcpts[cnt] = (struct span){ r->bytes, m->rcpt.len };
	orcpt = r->bytes + m->rcpt.len;
	if (m->orcpt.len > 0)
		memcpy(orcpt, m->orcpt.ptr, m->orcpt.len);
	at = orcpt + m->orcpt.len;
	key = at + trace.len + owner.len;
	if (trace.len > 0)
		memcpy(at, trace.ptr, trace.len);
	if (owner.len > 0)
		memcpy(at + trace.len, owner.ptr, owner.len);
	r->key = s->rcpts[cnt];
	if (!is_own)
		r->key = (struct span){ memcpy(key, like.key.ptr,
		    like.key.len), like.key.len };
	RB_INSERT(rcpt_tree, &s->known_rcpts, r);
	s->rcpt_route[cnt] = *kept;
	s->rcpt_route[cnt].owner = (struct span){ at + trace.len, owner.len };
	if (s->rcpt_dsn != NULL)
		s->rcpt_dsn[cnt] = (struct store_dsn){
			.notify = m->notify,
			.orcpt = { orcpt, m->orcpt.len },
			.trace = { at, trace.len },
			.owner = s->rcpt_route[cnt].owner,
		};
	s->accept.message.rcpt_cnt++;
	s->rcpt_bytes += bytes;
	stream_hold(s, bytes + RCPT_HELD);
	return true;
}

bool
stream_keep_facts(struct stream *s, const struct msg_mail_commit *m)
{
	size_t bytes = m->message_id.len + m->checks.len;
	char *at;

	if (bytes == 0)
		return true;
	if ((at = s->facts = malloc(bytes)) == NULL)
		return false;
	stream_hold(s, bytes);
	s->accept.message_id = inbound_keep(&at, m->message_id,
	    MESSAGE_ID_KEPT);
	s->accept.checks = inbound_keep(&at, m->checks, CHECKS_MAX);
	return true;
}

bool
stream_add_report(struct stream *s, const struct msg_mail_rcpt *m,
    enum report report)
{
	size_t bytes = m->rcpt.len + m->orcpt.len;
	struct store_change *more;
	char *text;

	for (uint32_t i = 0; i < s->report_cnt; i++)
		if (span_eq(s->reports[i].address, m->rcpt))
			return true;
	more = reallocarray(s->reports, s->report_cnt + 1, sizeof(*more));
	if (more == NULL)
		return false;
	s->reports = more;
	if ((text = malloc(bytes)) == NULL)
		return false;
	memcpy(text, m->rcpt.ptr, m->rcpt.len);
	if (m->orcpt.len > 0)
		memcpy(text + m->rcpt.len, m->orcpt.ptr, m->orcpt.len);
	more[s->report_cnt++] = (struct store_change){
		.class = CLASS_DONE, .report = report,
		.address = { text, m->rcpt.len },
		.orcpt = { text + m->rcpt.len, m->orcpt.len },
	};
	stream_hold(s, bytes + sizeof(*more));
	return true;
}
