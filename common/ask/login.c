/*
 * login.c - questions by number.  An answer that comes after its question was
 * given up finds nothing and is dropped; one to a number we never used is
 * nonsense and costs the link.
 *
 * A question that is answered without the vault (no link, a name that is too
 * long) waits for the end of the turn, so that fn never comes too early.
 */
#include <sys/tree.h>

#include <stdlib.h>

#include "ask/login.h"

struct login_query {
	RB_ENTRY(login_query) by_no;
	struct login	*login;
	uint64_t	 no;
	struct timer	 deadline;
	struct later	 later;
	enum login_status status;	/* told by `later'		*/
	login_fn	*fn;
	void		*arg;
};

RB_HEAD(query_tree, login_query);

struct login {
	struct ev_loop	*loop;
	struct link	*link;		/* NULL while there is none	*/
	struct query_tree queries;
	uint64_t	 next_no;
	login_lost_fn	*lost;
	void		*arg;
};

#define UNUSED	__attribute__((unused))	/* not all of a tree's calls */

static int
compare(struct login_query *a, struct login_query *b)
{
	return a->no < b->no ? -1 : a->no > b->no;
}

RB_GENERATE_INTERNAL(query_tree, login_query, by_no, compare, UNUSED static)

static void
drop(struct login_query *q)
{
	RB_REMOVE(query_tree, &q->login->queries, q);
	timer_stop(&q->deadline);
	later_stop(&q->later);
	free(q);
}

static void
finish(struct login_query *q, enum login_status status)
{
	login_fn *fn = q->fn;
	void *arg = q->arg;

	drop(q);
	fn(status, arg);
}

static void
tell_later(struct login_query *q, enum login_status status)
{
	q->status = status;
	later_call(&q->later);
}

static void
tell(struct later *later, void *arg)
{
	struct login_query *q = arg;

	finish(q, q->status);
}

static void
give_up(struct timer *t, void *arg)
{
	finish(arg, LOGIN_BUSY);
}

static enum err
on_msg(struct link *l, unsigned type, const union msg *any, struct span piece,
    int fd, void *arg)
{
	const struct msg_login_answer *m = &any->login_answer;
	struct login_query *q, key = { .no = m->request };
	struct login *lg = arg;

	if (type != MSG_login_answer || m->request >= lg->next_no ||
	    m->status >= LOGIN__COUNT)
		return ERR_PEER;
	q = RB_FIND(query_tree, &lg->queries, &key);
	if (q != NULL && !q->later.queued)
		finish(q, m->status);
	return OK;
}

/* Nobody will answer what was asked on a link that is gone. */
static void
disappoint(struct login *lg)
{
	struct login_query *q;

	RB_FOREACH(q, query_tree, &lg->queries)
		if (!q->later.queued)
			tell_later(q, LOGIN_BUSY);
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct link_peer peer = *link_peer(l);
	struct login *lg = arg;

	link_close(&lg->link);
	disappoint(lg);
	lg->lost(&peer, why, lg->arg);
}

enum err
login_open(struct login **out, struct ev_loop *loop, login_lost_fn *lost,
    void *arg)
{
	struct login *lg = calloc(1, sizeof(*lg));

	if (lg == NULL)
		return ERR_SYS;
	lg->loop = loop;
	lg->lost = lost;
	lg->arg = arg;
	RB_INIT(&lg->queries);
	*out = lg;
	return OK;
}

void
login_close(struct login **lp)
{
	struct login *lg = *lp;
	struct login_query *q;

	*lp = NULL;
	if (lg == NULL)
		return;
	while ((q = RB_MIN(query_tree, &lg->queries)) != NULL)
		drop(q);
	link_close(&lg->link);
	free(lg);
}

enum err
login_set_link(struct login *lg, int fd, enum role mine,
    const struct link_peer *peer)
{
	enum err e;

	link_close(&lg->link);
	disappoint(lg);
	e = link_open(&lg->link, lg->loop, fd, mine, peer, on_msg, on_gone,
	    lg);
	if (e != OK)
		lg->link = NULL;
	return e;
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
	q->login = lg;
	q->no = lg->next_no++;
	q->fn = fn;
	q->arg = arg;
	timer_init(&q->deadline, lg->loop, give_up, q);
	later_init(&q->later, lg->loop, tell, q);
	RB_INSERT(query_tree, &lg->queries, q);
	if (!has_length(user, LOGIN_USER_MAX) ||
	    !has_length(password, LOGIN_PASSWORD_MAX)) {
		tell_later(q, LOGIN_BAD);
	} else if (lg->link == NULL) {
		tell_later(q, LOGIN_BUSY);
	} else {
		timer_set(&q->deadline, LOGIN_PATIENCE_MS);
		/* A link that fails here says so to on_gone(). */
		(void)link_send_login_ask(lg->link, &(struct msg_login_ask){
		    .request = q->no, .user = user, .password = password,
		    .client = client });
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
