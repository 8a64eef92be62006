/*
 * keys.c - questions by number.  An answer that comes after its question was
 * given up finds nothing and is dropped; one to a number we never used is
 * nonsense and costs the link.
 *
 * Whatever the answer is and wherever it comes from, it is told at the end of
 * the turn: so fn never comes too early, and never from within the link.
 */
#include <sys/tree.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "ask/keys.h"
#include "sys/clock.h"

struct keys_query {
	RB_ENTRY(keys_query) by_no;
	struct keys	*keys;
	uint64_t	 no;
	struct timer	 deadline;
	struct later	 later;		/* queued once it is answered	*/
	enum sign_status status;
	uint8_t		 signature[KEYS_SIGNATURE_MAX];
	size_t		 len;		/* bytes of it			*/
	keys_fn		*fn;
	void		*arg;
};

RB_HEAD(query_tree, keys_query);

struct keys {
	struct ev_loop	*loop;
	struct link	*link;		/* NULL while there is none	*/
	int		 fd;		/* of the link, which owns it	*/
	struct query_tree queries;
	uint64_t	 next_no;
	keys_lost_fn	*lost;
	void		*arg;
};

#define UNUSED	__attribute__((unused))	/* not all of a tree's calls */

static int
compare(struct keys_query *a, struct keys_query *b)
{
	return a->no < b->no ? -1 : a->no > b->no;
}

RB_GENERATE_INTERNAL(query_tree, keys_query, by_no, compare, UNUSED static)

static void
drop(struct keys_query *q)
{
	RB_REMOVE(query_tree, &q->keys->queries, q);
	timer_stop(&q->deadline);
	later_stop(&q->later);
	free(q);
}

/* The first answer counts. */
static void
settle(struct keys_query *q, enum sign_status status, struct span signature)
{
	if (q->later.queued)
		return;
	q->status = status;
	q->len = signature.len;
	if (signature.len > 0)
		memcpy(q->signature, signature.ptr, signature.len);
	timer_stop(&q->deadline);
	later_call(&q->later);
}

static void
fail(struct keys_query *q)
{
	settle(q, SIGN_BUSY, (struct span){ NULL, 0 });
}

static void
tell(struct later *later, void *arg)
{
	struct keys_query *q = arg;

	RB_REMOVE(query_tree, &q->keys->queries, q);
	q->fn(q->status, (struct span){ (const char *)q->signature, q->len },
	    q->arg);
	free(q);
}

static void
give_up(struct timer *t, void *arg)
{
	fail(arg);
}

/* The link. */

static enum err
on_msg(struct link *l, unsigned type, const union msg *any, struct span piece,
    int fd, void *arg)
{
	const struct msg_sign_answer *m = &any->sign_answer;
	struct keys_query *q, key = { .no = m->request };
	struct keys *k = arg;

	if (type != MSG_sign_answer || m->request >= k->next_no ||
	    m->status >= SIGN__COUNT ||
	    m->signature.len > KEYS_SIGNATURE_MAX ||
	    (m->status == SIGN_DONE) != (m->signature.len > 0))
		return ERR_PEER;
	if ((q = RB_FIND(query_tree, &k->queries, &key)) != NULL)
		settle(q, m->status, m->signature);
	return OK;
}

/* Nobody will answer what was asked on a link that is gone. */
static void
disappoint(struct keys *k)
{
	struct keys_query *q;

	RB_FOREACH(q, query_tree, &k->queries)
		fail(q);
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct link_peer peer = *link_peer(l);
	struct keys *k = arg;

	link_close(&k->link);
	disappoint(k);
	k->lost(&peer, why, k->arg);
}

/* The calls of keys.h. */

enum err
keys_open(struct keys **out, struct ev_loop *loop, keys_lost_fn *lost,
    void *arg)
{
	struct keys *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return ERR_SYS;
	k->loop = loop;
	k->lost = lost;
	k->arg = arg;
	RB_INIT(&k->queries);
	*out = k;
	return OK;
}

void
keys_close(struct keys **kp)
{
	struct keys *k = *kp;
	struct keys_query *q;

	*kp = NULL;
	if (k == NULL)
		return;
	while ((q = RB_MIN(query_tree, &k->queries)) != NULL)
		drop(q);
	link_close(&k->link);
	free(k);
}

enum err
keys_set_link(struct keys *k, int fd, enum role mine,
    const struct link_peer *peer)
{
	enum err e;

	link_close(&k->link);
	disappoint(k);
	e = link_open(&k->link, k->loop, fd, mine, peer, on_msg, on_gone, k);
	if (e != OK)
		k->link = NULL;
	k->fd = fd;
	return e;
}

struct keys_query *
keys_sign(struct keys *k, const uint8_t id[KEYS_ID_LEN], unsigned scheme,
    struct span text, keys_fn *fn, void *arg)
{
	struct keys_query *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->keys = k;
	q->no = k->next_no++;
	q->fn = fn;
	q->arg = arg;
	later_init(&q->later, k->loop, tell, q);
	timer_init(&q->deadline, k->loop, give_up, q);
	RB_INSERT(query_tree, &k->queries, q);
	if (k->link == NULL || text.len > KEYS_TEXT_MAX) {
		fail(q);
		return q;
	}
	timer_set(&q->deadline, KEYS_PATIENCE_MS);
	/* A link that fails here says so to on_gone(). */
	(void)link_send_sign_ask(k->link, &(struct msg_sign_ask){
	    .request = q->no, .scheme = (uint16_t)scheme,
	    .key = { (const char *)id, KEYS_ID_LEN }, .text = text });
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

	while (!q->later.queued) {
		struct pollfd p = { .fd = k->fd, .events = POLLIN };

		left = end_ms - clock_mono_ms();
		if (left <= 0 || k->link == NULL)
			break;
		link_flush(k->link);
		if (poll(&p, 1, (int)left) == -1 && errno != EINTR)
			break;
		if (p.revents != 0 && link_receive(k->link) != OK)
			break;
	}
	fail(q);		/* unless it was answered */
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
	status = q->status;
	*len = q->len;
	memcpy(signature, q->signature, q->len);
	drop(q);
	return status;
}
