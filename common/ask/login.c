/*
 * login.c - a name or password that cannot be right is not sent; its question
 * ends like one that was answered.
 */
#include <stdlib.h>

#include "ask/login.h"

struct login_query {
	struct question	 question;	/* first: they are one		*/
	enum login_status status;	/* once it is answered		*/
	login_fn	*fn;
	void		*arg;
};

struct login {
	struct helper	 helper;	/* first: they are one		*/
};

static void
answer(struct login_query *q, enum login_status status)
{
	q->status = status;
	question_answer(&q->question);
}

static enum err
on_msg(struct helper *h, unsigned type, const union msg *any)
{
	const struct msg_login_answer *m = &any->login_answer;
	struct question *q = NULL;

	if (type != MSG_login_answer || m->status >= LOGIN__COUNT ||
	    question_find(&h->questions, m->request, &q) != OK)
		return ERR_PEER;
	if (q != NULL)
		answer((struct login_query *)q, m->status);
	return OK;
}

static void
on_end(struct question *question, enum err why)
{
	struct login_query *q = (struct login_query *)question;
	enum login_status status = why == OK ? q->status : LOGIN_BUSY;
	login_fn *fn = q->fn;
	void *arg = q->arg;

	free(q);
	fn(status, arg);
}

static const struct helper_calls calls = {
	.max = LOGIN_ASKED_MAX, .patience_ms = LOGIN_PATIENCE_MS,
	.on_msg = on_msg, .on_end = on_end,
};

enum err
login_open(struct login **out, struct ev_loop *loop, helper_lost_fn *on_lost,
    void *arg)
{
	struct login *lg = calloc(1, sizeof(*lg));

	if (lg == NULL)
		return ERR_SYS;
	helper_init(&lg->helper, loop, &calls, on_lost, arg);
	*out = lg;
	return OK;
}

static void
drop(struct login_query *q)
{
	question_close(&q->question);
	free(q);
}

void
login_close(struct login **lp)
{
	struct login *lg = *lp;
	struct question *q;

	*lp = NULL;
	if (lg == NULL)
		return;
	while ((q = questions_first(&lg->helper.questions)) != NULL)
		drop((struct login_query *)q);
	helper_fini(&lg->helper);
	free(lg);
}

enum err
login_set_link(struct login *lg, int fd, enum role mine,
    const struct link_peer *peer)
{
	return helper_set_link(&lg->helper, fd, mine, peer);
}

static bool
has_length(struct span s, size_t max)
{
	return s.len > 0 && s.len <= max;
}

struct login_query *
login_ask(struct login *lg, struct span user, struct span password,
    struct span client, login_fn *fn, void *arg)
{
	struct login_query *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->fn = fn;
	q->arg = arg;
	if (!has_length(user, LOGIN_USER_MAX) ||
	    !has_length(password, LOGIN_PASSWORD_MAX)) {
		if (question_ask(&lg->helper.questions, &q->question,
		    LOGIN_PATIENCE_MS))
			answer(q, LOGIN_BAD);
	} else if (helper_ask(&lg->helper, &q->question)) {
		(void)link_send_login_ask(lg->helper.link,
		    &(struct msg_login_ask){ .request = q->question.no,
		    .user = user, .password = password, .client = client });
	}
	return q;
}

void
login_cancel(struct login_query **qp)
{
	struct login_query *q = *qp;

	*qp = NULL;
	if (q != NULL)
		drop(q);
}
