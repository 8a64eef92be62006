/*
 * passage.c - the life of one: it begins with an edge, is handed to a process
 * of the relay, and ends for both.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/proxy/passage.h"
#include "queue/inbound.h"
#include "queue/to_edge.h"

static int
cmp_no(struct passage *a, struct passage *b)
{
	return (a->no > b->no) - (a->no < b->no);
}

static int
cmp_attempt(struct passage *a, struct passage *b)
{
	return (a->attempt > b->attempt) - (a->attempt < b->attempt);
}

RB_GENERATE(passage_tree, passage, by_no, cmp_no)
RB_GENERATE(attempt_tree, passage, by_attempt, cmp_attempt)

bool
passage_may_hold(const struct proxy_edge *ed, size_t bytes)
{
	return ed->held < INBOUND_BYTES_MAX &&
	    bytes < INBOUND_BYTES_MAX - ed->held;
}

void
passage_hold(struct passage *p, size_t bytes)
{
	p->held += bytes;
	p->edge->held += bytes;
}

void
passage_let_go(struct passage *p, size_t bytes)
{
	p->held -= bytes;
	p->edge->held -= bytes;
}

/* The end. */

static void
free_passage(struct passage *p)
{
	for (uint32_t i = 0; i < p->rcpt_cnt; i++) {
		free(p->rcpts[i].bytes);
		free(p->rcpts[i].reply);
	}
	free(p->rcpts);
	passage_free_text(p);
	free(p);
}

static void
leave_worker(struct passage *p)
{
	struct proxy_worker *w = p->worker;

	if (w == NULL)
		return;
	RB_REMOVE(attempt_tree, &p->proxy->attempts, p);
	LIST_REMOVE(p, entry);
	w->cnt--;
	p->worker = NULL;
	later_call(&p->proxy->serve);
}

static void
stop_waiting(struct passage *p)
{
	if (p->is_waiting)
		TAILQ_REMOVE(&p->proxy->waiting, p, wait_entry);
	p->is_waiting = false;
}

void
passage_end(struct passage *p)
{
	struct proxy *px = p->proxy;
	struct proxy_edge *ed = p->edge;

	timer_stop(&p->deadline);
	stop_waiting(p);
	if (p->worker != NULL) {
		proxy_settle(p->worker, p->id, p->attempt);
		leave_worker(p);
	}
	RB_REMOVE(passage_tree, &ed->passages, p);
	ed->cnt--;
	passage_let_go(p, p->held);
	free_passage(p);
	px->passage_cnt--;
	proxy_rested(px);
}

void
passage_refuse(struct passage *p, uint16_t code, const char *dsn,
    const char *text)
{
	to_edge_refused(p->edge->link, p->no, code, dsn, text);
	passage_end(p);
}

static void
out_of_time(struct timer *t, void *arg)
{
	struct passage *p = arg;

	if (p->state == PASSAGE_ENDED)
		passage_refuse(p, 451, "4.4.2", "The next hop does not say "
		    "whether it has the message: it may come twice");
	else if (p->worker == NULL)
		passage_refuse(p, 451, "4.3.2", "Too many connections to the "
		    "next hop, try again later");
	else
		passage_refuse(p, 451, "4.4.2",
		    "The next hop does not answer in time");
}

void
passage_ask(struct passage *p, int64_t ms)
{
	timer_set(&p->deadline, ms);
}

/* Of who passes on what it says the next hop is the slow one. */
bool
passage_is_late(const struct passage *p, int64_t now_ms)
{
	const struct settings *set = &p->proxy->settings;

	if (p->state == PASSAGE_ENDED || timer_running(&p->deadline))
		return false;
	return (set->silence_ms > 0 &&
	    now_ms - p->heard_ms > set->silence_ms) ||
	    (set->session_ms > 0 && now_ms - p->begun_ms > set->session_ms);
}

/* The beginning. */

struct passage *
passage_new(struct proxy_edge *ed, const struct msg_mail_open *m)
{
	size_t bytes = m->sender.len + m->client.len + m->helo.len +
	    m->proto.len + m->tenant.len + m->envid.len;
	struct passage *p = calloc(1, sizeof(*p) + bytes);
	char *at;

	if (p == NULL)
		return NULL;
	at = p->strings;
	p->facts = *m;
	p->facts.sender = inbound_keep(&at, m->sender, SIZE_MAX);
	p->facts.client = inbound_keep(&at, m->client, SIZE_MAX);
	p->facts.helo = inbound_keep(&at, m->helo, SIZE_MAX);
	p->facts.proto = inbound_keep(&at, m->proto, SIZE_MAX);
	p->facts.tenant = inbound_keep(&at, m->tenant, SIZE_MAX);
	p->facts.envid = inbound_keep(&at, m->envid, SIZE_MAX);
	p->proxy = ed->proxy;
	p->edge = ed;
	p->no = m->stream;
	p->credit = STREAM_CREDIT;
	p->id = proxy_mint(ed->proxy);
	p->heard_ms = p->begun_ms = ev_now_ms(ed->proxy->loop);
	timer_init(&p->deadline, ed->proxy->loop, out_of_time, p);
	RB_INSERT(passage_tree, &ed->passages, p);
	ed->cnt++;
	ed->proxy->passage_cnt++;
	passage_hold(p, sizeof(*p) + bytes);
	return p;
}

/* To the relay. */

static void
send_rcpts(struct passage *p)
{
	while (p->sent_cnt < p->rcpt_cnt) {
		uint32_t no = p->sent_cnt++;
		const struct passage_rcpt *r = &p->rcpts[no];

		if (r->is_answered)		/* by us */
			continue;
		link_send_delivery_rcpt(p->worker->link,
		    &(struct msg_delivery_rcpt){ p->id, 0, p->attempt, no,
		    r->address, r->notify, r->orcpt, 0 });
		passage_ask(p, PASSAGE_ANSWER_MS);
	}
}

/* So much is asked in order; the relay says DATA after the last recipient. */
static void
send_data(struct passage *p)
{
	if (p->data_ask == 0 || p->state != PASSAGE_OPEN)
		return;
	p->state = PASSAGE_DATA;
	link_send_delivery_data(p->worker->link, &(struct msg_delivery_data){
	    p->id, 0, p->attempt, p->is_chunked });
	passage_ask(p, PASSAGE_ANSWER_MS);
}

static void
hand_to(struct passage *p, struct proxy_worker *w)
{
	const struct msg_mail_open *m = &p->facts;

	stop_waiting(p);
	p->attempt = ++p->proxy->last_attempt;
	p->worker = w;
	p->state = PASSAGE_OPEN;
	RB_INSERT(attempt_tree, &p->proxy->attempts, p);
	LIST_INSERT_HEAD(&w->passages, p, entry);
	w->cnt++;
	link_send_delivery_open(w->link, &(struct msg_delivery_open){
	    .id = p->id, .attempt = p->attempt, .flags = m->flags,
	    .header_len = BUS_NOT_KNOWN, .body_len = BUS_NOT_KNOWN,
	    .destination = span_of(p->destination), .sender = m->sender,
	    .client = m->client, .helo = m->helo, .proto = m->proto,
	    .tenant = m->tenant, .ret = m->ret, .envid = m->envid,
	    .body = m->body, .params = m->params, .by_ms = m->by_ms,
	    .by_mode = m->by_mode, .deadline_ms = BUS_NO_DEADLINE,
	    .size_hint = m->size_hint });
	passage_ask(p, PASSAGE_ANSWER_MS);
	send_rcpts(p);
	send_data(p);
}

void
passage_serve(struct passage *p)
{
	struct proxy_worker *w;

	if (p->worker != NULL) {
		send_rcpts(p);
		send_data(p);
		return;
	}
	if (p->destination[0] == '\0')
		return;
	if ((w = proxy_worker(p->proxy)) != NULL) {
		hand_to(p, w);
		return;
	}
	if (!p->is_waiting)
		TAILQ_INSERT_TAIL(&p->proxy->waiting, p, wait_entry);
	p->is_waiting = true;
	if (!timer_running(&p->deadline))
		passage_ask(p, PASSAGE_ANSWER_MS);
}

/* All is said again, to whoever gets it then. */
void
passage_wait_again(struct passage *p)
{
	leave_worker(p);
	p->state = PASSAGE_WAITING;
	p->is_pulled = false;
	p->sent_cnt = 0;
	TAILQ_INSERT_TAIL(&p->proxy->waiting, p, wait_entry);
	p->is_waiting = true;
}

/* Found again. */

enum err
passage_of(struct proxy_edge *ed, uint64_t no, struct passage **out)
{
	struct passage key = { .no = no };

	*out = RB_FIND(passage_tree, &ed->passages, &key);
	if (*out == NULL)
		return no < ed->highest ? ERR_NONE : ERR_PEER;
	(*out)->heard_ms = ev_now_ms(ed->proxy->loop);
	return OK;
}

struct passage *
passage_find(struct proxy *px, uint64_t attempt)
{
	struct passage key = { .attempt = attempt };

	return RB_FIND(attempt_tree, &px->attempts, &key);
}
