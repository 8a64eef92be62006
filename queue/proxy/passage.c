/*
 * passage.c - the life of one, and its envelope.
 *
 * A relay with one next hop gets it at MAIL, whose reply is then the next
 * hop's.  One of type mx finds that by the first recipient, so MAIL is granted
 * by us; what the next hop says to it is the reply to that recipient.
 *
 * A recipient who cannot go with the others is told so by 452 4.5.3, which has
 * his sender try a transaction of his own (RFC 5321 4.5.3.1.10): one of another
 * domain, where each has hosts of its own; and each but the first where the
 * next hop speaks LMTP and our client does not.  That hop answers the end of
 * the text once for each (RFC 2033 4.2), which cannot be said in one reply: a
 * yes for all would lose who was refused, a no would have the others get it
 * twice.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "mail/dsn.h"
#include "queue/proxy/passage.h"
#include "queue/route/route_utf8.h"
#include "queue/to_edge.h"

#define PASSAGES_MAX	65536		/* of an edge			*/
#define EDGE_BYTES_MAX	(256u << 20)	/* likewise, all in all		*/
#define RCPT_HELD	64		/* bytes of a recipient besides his */

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
	return ed->held < EDGE_BYTES_MAX && bytes < EDGE_BYTES_MAX - ed->held;
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

/* To the relay. */

static void
send_rcpts(struct passage *p)
{
	while (p->sent_cnt < p->rcpt_cnt) {
		uint32_t no = p->sent_cnt++;
		const struct passage_rcpt *r = &p->rcpts[no];

		if (r->is_told)		/* by us */
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
	    p->id, 0, p->attempt });
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

/* From the edge: MAIL. */

static struct span
keep(char **at, struct span s)
{
	struct span kept = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

static struct passage *
new_passage(struct proxy_edge *ed, const struct msg_mail_open *m)
{
	size_t bytes = m->sender.len + m->client.len + m->helo.len +
	    m->proto.len + m->tenant.len + m->envid.len;
	struct passage *p = calloc(1, sizeof(*p) + bytes);
	char *at;

	if (p == NULL)
		return NULL;
	at = p->strings;
	p->facts = *m;
	p->facts.sender = keep(&at, m->sender);
	p->facts.client = keep(&at, m->client);
	p->facts.helo = keep(&at, m->helo);
	p->facts.proto = keep(&at, m->proto);
	p->facts.tenant = keep(&at, m->tenant);
	p->facts.envid = keep(&at, m->envid);
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

static bool
is_clean(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return false;
	return true;
}

static bool
is_sound(const struct proxy_edge *ed, const struct msg_mail_open *m)
{
	return m->stream >= ed->highest && m->stream != UINT64_MAX &&
	    is_clean(m->sender) && is_clean(m->tenant) &&
	    m->ret < DSN_RET__COUNT && m->body < BODY__COUNT &&
	    (m->params & ~PARAM__ALL) == 0 && (m->by_mode & ~BY__ALL) == 0 &&
	    (m->envid.len == 0 || dsn_is_envid(m->envid));
}

enum err
passage_mail(struct proxy_edge *ed, const struct msg_mail_open *m)
{
	struct proxy *px = ed->proxy;
	struct passage *p;

	if (!is_sound(ed, m))
		return ERR_PEER;
	ed->highest = m->stream + 1;
	if (px->is_draining || ed->cnt >= PASSAGES_MAX ||
	    !passage_may_hold(ed, 0) || (p = new_passage(ed, m)) == NULL) {
		to_edge_refused(ed->link, m->stream, 451, "4.3.0",
		    "Try again in a moment");
		return OK;
	}
	if (proxy_has_one_hop(px)) {
		strlcpy(p->destination, proxy_relay(px),
		    sizeof(p->destination));
		passage_serve(p);
	} else {
		p->is_granted = true;
		to_edge_grant(ed->link, p->no, p->id);
	}
	return OK;
}

/* The one of that number; ERR_NONE it has ended, and the edge may not have
 * heard so yet; ERR_PEER there never was one. */
static enum err
find(struct proxy_edge *ed, uint64_t no, struct passage **out)
{
	struct passage key = { .no = no };

	*out = RB_FIND(passage_tree, &ed->passages, &key);
	if (*out == NULL)
		return no < ed->highest ? ERR_NONE : ERR_PEER;
	(*out)->heard_ms = ev_now_ms(ed->proxy->loop);
	return OK;
}

enum err
passage_abort(struct proxy_edge *ed, uint64_t no)
{
	struct passage *p;
	enum err e = find(ed, no, &p);

	if (e == OK)
		passage_end(p);
	return e == ERR_NONE ? OK : e;
}

/* From the edge: RCPT. */

static void
answer(struct passage *p, uint64_t ask, const struct route_reply *r)
{
	if (ask != 0)
		to_edge_rcpt(p->edge->link, ask, r);
	else if (r->code != 250)	/* he was taken, and cannot be now */
		passage_refuse(p, 451, "4.4.0",
		    "A recipient cannot be taken any more, try again");
}

static bool
is_alone(const struct passage *p)
{
	return proxy_answers_each(p->proxy) && !p->facts.each;
}

/* Recipients who were taken, or may be yet. */
static uint32_t
company(const struct passage *p)
{
	return p->taken_cnt + p->open_cnt;
}

static void
set_reply(struct route_reply *r, uint16_t code, const char *dsn,
    const char *text)
{
	r->code = code;
	strlcpy(r->dsn, dsn, sizeof(r->dsn));
	strlcpy(r->text, text, sizeof(r->text));
}

/* Does the relay take him, and can he go with the others? */
static bool
judge(struct passage *p, const struct msg_mail_rcpt *m, struct route_reply *no)
{
	const struct routes *routes = p->proxy->settings.routes;
	struct route_ask ask = { .rcpt = m->rcpt, .sender = p->facts.sender };
	struct route r;
	enum route_verdict v = route_judge(routes, &ask, &r, no);

	if (v == ROUTE_FOUND && p->facts.judged)
		(void)route_utf8_is_lost(routes, &r, &ask, false, no);
	if (no->code != 250)
		return false;
	if (p->destination[0] != '\0' &&
	    strcmp(p->destination, r.destination) != 0)
		set_reply(no, 452, "4.5.3", "Recipients of several domains go "
		    "one domain at a time: send to this one by itself");
	else if (is_alone(p) && company(p) > 0)
		set_reply(no, 452, "4.5.3", "Recipients of this server go one "
		    "at a time: send to this one by itself");
	else if (p->rcpt_cnt >= RCPTS_MAX || p->rcpt_bytes + m->rcpt.len +
	    m->orcpt.len > RCPT_BYTES_MAX)
		set_reply(no, 452, "4.5.3", "Too many recipients");
	else
		strlcpy(p->destination, r.destination,
		    sizeof(p->destination));
	return no->code == 250;
}

static bool
add(struct passage *p, const struct msg_mail_rcpt *m)
{
	uint32_t cap = p->rcpt_cap == 0 ? 4 : p->rcpt_cap * 2;
	size_t bytes = m->rcpt.len + m->orcpt.len;
	struct passage_rcpt *r;
	char *at;

	if (p->rcpt_cnt == p->rcpt_cap) {
		r = recallocarray(p->rcpts, p->rcpt_cap, cap, sizeof(*r));
		if (r == NULL)
			return false;
		p->rcpts = r;
		p->rcpt_cap = cap;
	}
	if ((at = malloc(bytes)) == NULL)
		return false;
	r = &p->rcpts[p->rcpt_cnt++];
	*r = (struct passage_rcpt){ .ask = m->ask, .notify = m->notify,
	    .bytes = at };
	r->address = keep(&at, m->rcpt);
	r->orcpt = keep(&at, m->orcpt);
	p->open_cnt++;
	p->rcpt_bytes += bytes;
	passage_hold(p, bytes + RCPT_HELD);
	return true;
}

enum err
passage_rcpt(struct proxy_edge *ed, const struct msg_mail_rcpt *m)
{
	struct route_reply no;
	struct passage *p;
	enum err e = find(ed, m->stream, &p);

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	if (p->data_ask != 0 || m->rcpt.len == 0 || !is_clean(m->rcpt) ||
	    !dsn_is_notify(m->notify) ||
	    (m->orcpt.len > 0 && !dsn_is_orcpt(m->orcpt, true)))
		return ERR_PEER;
	if (!judge(p, m, &no)) {
		answer(p, m->ask, &no);
		return OK;
	}
	if (!passage_may_hold(ed, m->rcpt.len + m->orcpt.len) || !add(p, m))
		passage_refuse(p, 451, "4.3.0", "Out of memory");
	else if (p->worker != NULL)
		send_rcpts(p);
	else
		passage_serve(p);
	return OK;
}

/* Nothing is known yet of those that are on their way. */
enum err
passage_data(struct proxy_edge *ed, const struct msg_mail_data *m)
{
	struct passage *p;
	enum err e = find(ed, m->stream, &p);

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	if (p->data_ask != 0 || m->ask == 0 || company(p) == 0)
		return ERR_PEER;
	p->data_ask = m->ask;
	if (p->worker != NULL)
		send_data(p);
	return OK;
}

/* From the relay. */

struct passage *
passage_find(struct proxy *px, uint64_t attempt)
{
	struct passage key = { .attempt = attempt };

	return RB_FIND(attempt_tree, &px->attempts, &key);
}

/* Nobody is asked any more, until something else comes. */
static void
rest_if(struct passage *p)
{
	if (p->open_cnt == 0 && p->is_granted && p->state != PASSAGE_DATA)
		timer_stop(&p->deadline);
	else
		passage_ask(p, PASSAGE_ANSWER_MS);
}

static enum err
hear_rcpt(struct passage *p, const struct msg_delivery_word *m)
{
	struct passage_rcpt *r;
	struct route_reply reply = { .code = 250 };

	if (m->rcpt_no >= p->sent_cnt || p->rcpts[m->rcpt_no].is_told)
		return ERR_PEER;
	r = &p->rcpts[m->rcpt_no];
	r->is_told = true;
	r->is_taken = m->code / 100 == 2;
	p->open_cnt--;
	p->taken_cnt += r->is_taken;
	if (!r->is_taken)
		reply.code = m->code == 421 ? 451 : m->code;
	(void)span_cstr(span_head(passage_split(reply.code, m->reply,
	    reply.dsn), sizeof(reply.text) - 1), reply.text,
	    sizeof(reply.text));
	rest_if(p);
	answer(p, r->ask, &reply);
	return OK;
}

static enum err
hear_data(struct passage *p)
{
	struct route_reply yes = { .code = 250 };

	if (p->state != PASSAGE_DATA || p->open_cnt > 0)
		return ERR_PEER;
	p->state = PASSAGE_TEXT;
	timer_stop(&p->deadline);
	to_edge_rcpt(p->edge->link, p->data_ask, &yes);
	return OK;
}

/* A hop is told for the log alone. */
static void
keep_hop(struct passage *p, struct span hop)
{
	if (hop.len > 0)
		(void)span_cstr(span_head(hop, sizeof(p->hop) - 1), p->hop,
		    sizeof(p->hop));
}

/* Without a link to its edge nobody is told, and all has ended. */
enum err
passage_word(struct passage *p, const struct msg_delivery_word *m)
{
	if (m->stage >= STAGE__COUNT || m->code < 200 || m->code > 599 ||
	    p->state == PASSAGE_WAITING)
		return ERR_PEER;
	keep_hop(p, m->hop);
	if (m->rcpt_no == UINT32_MAX) {
		if (p->state != PASSAGE_ENDED)
			passage_refuse_by(p, m->code, m->reply);
		return OK;		/* else the results say it */
	}
	if (m->stage == STAGE_RCPT)
		return hear_rcpt(p, m);
	if (m->stage == STAGE_DATA)
		return hear_data(p);
	if (m->stage != STAGE_MAIL)
		return ERR_PEER;
	if (!p->is_granted)
		to_edge_grant(p->edge->link, p->no, p->id);
	p->is_granted = true;
	rest_if(p);
	return OK;
}

enum err
passage_result(struct passage *p, const struct msg_delivery_result *m)
{
	struct span text = span_head(m->reply, REPLY_TEXT_MAX);
	struct passage_rcpt *r;

	if (m->rcpt_no >= p->sent_cnt || m->class >= CLASS__COUNT ||
	    m->code < 200 || m->code > 599)
		return ERR_PEER;
	r = &p->rcpts[m->rcpt_no];
	if (r->code != 0)
		return ERR_PEER;
	p->result_cnt++;
	r->code = m->class == CLASS_DONE ? 250 :
	    m->code < 400 || m->code == 421 ? 451 : m->code;
	if ((r->reply = malloc(text.len + 1)) == NULL)
		return ERR_SYS;
	(void)span_cstr(text, r->reply, text.len + 1);
	keep_hop(p, m->hop);
	return OK;
}

void
passage_done(struct passage *p)
{
	if (p->state == PASSAGE_ENDED)
		passage_answer(p);
	else
		passage_refuse(p, 451, "4.3.0",
		    "The relay has given the message up");
}
