/*
 * keys.c - signatures wait in their question until it is told: fn never comes
 * from within the link, and so never in the middle of a handshake's step.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "ask/keys.h"
#include "sys/clock.h"

struct keys_query {
	struct question	 question;	/* first: they are one		*/
	enum sign_status status;	/* once it is answered		*/
	uint8_t		 signature[KEYS_SIGNATURE_MAX];
	size_t		 len;		/* bytes of it			*/
	keys_fn		*fn;
	void		*arg;
};

struct keys {
	struct helper	 helper;	/* first: they are one		*/
	int		 fd;		/* of the link, which owns it	*/
};

static enum err
on_msg(struct helper *h, unsigned type, const union msg *any)
{
	const struct msg_sign_answer *m = &any->sign_answer;
	struct question *found = NULL;
	struct keys_query *q;

	if (type != MSG_sign_answer || m->status >= SIGN__COUNT ||
	    m->signature.len > KEYS_SIGNATURE_MAX ||
	    (m->status == SIGN_DONE) != (m->signature.len > 0) ||
	    question_find(&h->questions, m->request, &found) != OK)
		return ERR_PEER;
	if (found == NULL)
		return OK;
	q = (struct keys_query *)found;
	q->status = m->status;
	q->len = m->signature.len;
	if (q->len > 0)
		memcpy(q->signature, m->signature.ptr, q->len);
	question_answer(found);
	return OK;
}

static void
on_end(struct question *question, enum err why)
{
	struct keys_query *q = (struct keys_query *)question;
	struct span signature = { (const char *)q->signature, q->len };

	q->fn(why == OK ? q->status : SIGN_BUSY, signature, q->arg);
	free(q);
}

static const struct helper_calls calls = {
	.max = KEYS_ASKED_MAX, .patience_ms = KEYS_PATIENCE_MS,
	.on_msg = on_msg, .on_end = on_end,
};

/* The calls of keys.h. */

enum err
keys_open(struct keys **out, struct ev_loop *loop, helper_lost_fn *on_lost,
    void *arg)
{
	struct keys *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return ERR_SYS;
	helper_init(&k->helper, loop, &calls, on_lost, arg);
	*out = k;
	return OK;
}

static void
drop(struct keys_query *q)
{
	question_close(&q->question);
	free(q);
}

void
keys_close(struct keys **kp)
{
	struct keys *k = *kp;
	struct question *q;

	*kp = NULL;
	if (k == NULL)
		return;
	while ((q = questions_first(&k->helper.questions)) != NULL)
		drop((struct keys_query *)q);
	helper_fini(&k->helper);
	free(k);
}

enum err
keys_set_link(struct keys *k, int fd, enum role mine,
    const struct link_peer *peer)
{
	k->fd = fd;
	return helper_set_link(&k->helper, fd, mine, peer);
}

struct keys_query *
keys_sign(struct keys *k, const uint8_t id[KEYS_ID_LEN], unsigned scheme,
    struct span text, keys_fn *fn, void *arg)
{
	struct keys_query *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->fn = fn;
	q->arg = arg;
	if (!helper_ask(&k->helper, &q->question))
		return q;
	if (text.len > KEYS_TEXT_MAX)
		question_fail(&q->question, ERR_FULL);
	else
		(void)link_send_sign_ask(k->helper.link, &(struct msg_sign_ask){
		    .request = q->question.no, .scheme = (uint16_t)scheme,
		    .key = { (const char *)id, KEYS_ID_LEN } }, text);
	return q;
}

void
keys_cancel(struct keys_query **qp)
{
	struct keys_query *q = *qp;

	*qp = NULL;
	if (q != NULL)
		drop(q);
}

/* Here and now. */

static void
nobody(enum sign_status status, struct span signature, void *arg)
{
}

/* Until it is answered, or all patience is gone. */
static void
wait_for(struct keys *k, struct keys_query *q)
{
	int64_t end_ms = clock_mono_ms() + KEYS_PATIENCE_MS, left;

	while (!q->question.has_ended) {
		struct pollfd p = { .fd = k->fd, .events = POLLIN };

		left = end_ms - clock_mono_ms();
		if (left <= 0 || k->helper.link == NULL)
			break;
		link_flush(k->helper.link);
		if (poll(&p, 1, (int)left) == -1 && errno != EINTR)
			break;
		if (p.revents != 0 && link_receive(k->helper.link) != OK)
			break;
	}
	question_fail(&q->question, ERR_AGAIN);	/* or it was answered */
}

enum sign_status
keys_sign_now(struct keys *k, const uint8_t id[KEYS_ID_LEN], unsigned scheme,
    struct span text, uint8_t *signature, size_t *len)
{
	struct keys_query *q = keys_sign(k, id, scheme, text, nobody, NULL);
	enum sign_status status;

	if (q == NULL)
		return SIGN_BUSY;
	wait_for(k, q);
	status = q->question.why == OK ? q->status : SIGN_BUSY;
	*len = q->len;
	memcpy(signature, q->signature, q->len);
	drop(q);
	return status;
}
