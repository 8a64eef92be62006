/*
 * passage_mail.c - what an edge says of a mail before its text.
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

#include "queue/proxy/passage.h"
#include "queue/route/route_utf8.h"
#include "queue/inbound.h"
#include "queue/to_edge.h"

#define RCPT_HELD	64		/* bytes of a recipient besides his */

/* MAIL. */

enum err
passage_mail(struct proxy_edge *ed, const struct msg_mail_open *m)
{
	struct proxy *px = ed->proxy;
	struct passage *p;

	if (m->stream < ed->highest ||
	    !inbound_is_mail(m, link_peer(ed->link)->role))
		return ERR_PEER;
	ed->highest = m->stream + 1;
	if (px->is_draining || ed->cnt >= INBOUND_STREAMS_MAX ||
	    !passage_may_hold(ed, 0) || (p = passage_new(ed, m)) == NULL) {
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

enum err
passage_abort(struct proxy_edge *ed, uint64_t no)
{
	struct passage *p;
	enum err e = passage_of(ed, no, &p);

	if (e == OK)
		passage_end(p);
	return e == ERR_NONE ? OK : e;
}

/* From the edge: RCPT. */

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
	r->address = inbound_keep(&at, m->rcpt, SIZE_MAX);
	r->orcpt = inbound_keep(&at, m->orcpt, SIZE_MAX);
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
	enum err e = passage_of(ed, m->stream, &p);

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	if (p->data_ask != 0 || !inbound_is_rcpt(m))
		return ERR_PEER;
	if (!judge(p, m, &no)) {
		passage_say_rcpt(p, m->ask, &no);
		return OK;
	}
	if (!passage_may_hold(ed, m->rcpt.len + m->orcpt.len) || !add(p, m))
		passage_refuse(p, 451, "4.3.0", "Out of memory");
	else
		passage_serve(p);
	return OK;
}

/* Nothing is known yet of those that are on their way. */
enum err
passage_data(struct proxy_edge *ed, const struct msg_mail_data *m)
{
	struct passage *p;
	enum err e = passage_of(ed, m->stream, &p);

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	if (p->data_ask != 0 || m->ask == 0 || m->chunks > 1 ||
	    company(p) == 0)
		return ERR_PEER;
	p->data_ask = m->ask;
	p->is_chunked = m->chunks != 0;
	if (p->worker != NULL)
		passage_serve(p);
	return OK;
}
