/*
 * asked.c - questions by number, as answers name them, and by what they ask.
 *
 * A number is never used twice, so an answer that comes after its question
 * was given up finds nothing and is dropped; one to a number we never used is
 * nonsense and costs the link.
 */
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "ask/asked.h"
#include "ask/dnsname.h"
#include "ask/known.h"

struct question {
	RB_ENTRY(question) by_no, by_name;
	uint64_t	 no;
	char		 name[DNSNAME_MAX + 1];
	uint16_t	 rrtype;
	struct timer	 deadline;
	struct asked	*asked;
	TAILQ_HEAD(, waiter) waiters;
};

RB_HEAD(no_tree, question);
RB_HEAD(name_tree, question);

struct asked {
	struct ev_loop	*loop;
	struct link	*link;		/* NULL while there is none	*/
	struct known	*known;
	struct no_tree	 by_no;
	struct name_tree by_name;
	unsigned	 cnt;
	uint64_t	 next_no;
	resolve_lost_fn	*lost;
	void		*arg;
};

static const struct resolve_answer failure = { .status = RESOLVED_FAILED };

#define UNUSED	__attribute__((unused))	/* not all of a tree's calls */

static int
compare_no(struct question *a, struct question *b)
{
	return a->no < b->no ? -1 : a->no > b->no;
}

static int
compare_name(struct question *a, struct question *b)
{
	if (a->rrtype != b->rrtype)
		return a->rrtype < b->rrtype ? -1 : 1;
	return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(no_tree, question, by_no, compare_no, UNUSED static)
RB_GENERATE_INTERNAL(name_tree, question, by_name, compare_name, UNUSED static)

static void
unlist(struct question *q)
{
	RB_REMOVE(no_tree, &q->asked->by_no, q);
	RB_REMOVE(name_tree, &q->asked->by_name, q);
	q->asked->cnt--;
	timer_stop(&q->deadline);
}

/* Tell all who wait.  None of them may close us: see resolve.c. */
static void
finish(struct question *q, const struct resolve_answer *a)
{
	struct waiter *w;

	unlist(q);
	while ((w = TAILQ_FIRST(&q->waiters)) != NULL) {
		asked_leave(w);
		w->fn(a, w->arg);
	}
	free(q);
}

static void
give_up(struct timer *t, void *arg)
{
	finish(arg, &failure);
}

static void
send_question(struct question *q)
{
	/* A link that fails here says so to on_gone(). */
	if (q->asked->link != NULL)
		(void)link_send_resolve_ask(q->asked->link,
		    &(struct msg_resolve_ask){ .request = q->no,
		    .rrtype = q->rrtype, .name = span_of(q->name) });
}

/* Receiving. */

static bool
are_records(struct span records)
{
	struct span one;

	while (records.len > 0)
		if (!resolve_record(&records, &one))
			return false;
	return true;
}

static bool
makes_sense(const struct asked *a, const struct msg_resolve_answer *m)
{
	char name[DNSNAME_MAX + 1];

	return m->request < a->next_no && m->status < RESOLVE__COUNT &&
	    m->trust < TRUST__COUNT && are_records(m->records) &&
	    (m->name.len == 0 || dnsname_fold(m->name, name)) &&
	    (m->status == RESOLVED) == (m->records.len > 0);
}

static enum err
on_msg(struct link *l, unsigned type, const union msg *any, struct span piece,
    int fd, void *arg)
{
	const struct msg_resolve_answer *m = &any->resolve_answer;
	struct question *q, key;
	struct resolve_answer answer;
	struct asked *a = arg;

	if (type != MSG_resolve_answer || !makes_sense(a, m))
		return ERR_PEER;
	key.no = m->request;
	if ((q = RB_FIND(no_tree, &a->by_no, &key)) == NULL)
		return OK;
	answer = (struct resolve_answer){ m->status, m->trust, m->ttl_s,
	    m->name, m->records };
	known_keep(a->known, q->name, q->rrtype, &answer, ev_now_ms(a->loop));
	finish(q, &answer);
	return OK;
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct link_peer peer = *link_peer(l);
	struct asked *a = arg;

	link_close(&a->link);
	a->lost(&peer, why, a->arg);
}

/* The calls of asked.h. */

enum err
asked_open(struct asked **out, struct ev_loop *loop, resolve_lost_fn *lost,
    void *arg)
{
	struct asked *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return ERR_SYS;
	if ((a->known = known_new(RESOLVE_KNOWN_MAX)) == NULL) {
		free(a);
		return ERR_SYS;
	}
	a->loop = loop;
	a->lost = lost;
	a->arg = arg;
	RB_INIT(&a->by_no);
	RB_INIT(&a->by_name);
	*out = a;
	return OK;
}

void
asked_close(struct asked **ap)
{
	struct asked *a = *ap;
	struct question *q;

	*ap = NULL;
	if (a == NULL)
		return;
	while ((q = RB_MIN(no_tree, &a->by_no)) != NULL) {
		unlist(q);
		while (!TAILQ_EMPTY(&q->waiters))
			asked_leave(TAILQ_FIRST(&q->waiters));
		free(q);
	}
	link_close(&a->link);
	known_free(&a->known);
	free(a);
}

enum err
asked_set_link(struct asked *a, int fd, enum role mine,
    const struct link_peer *peer)
{
	struct question *q;
	enum err e;

	link_close(&a->link);
	e = link_open(&a->link, a->loop, fd, mine, peer, on_msg, on_gone, a);
	if (e != OK) {
		a->link = NULL;
		return e;
	}
	RB_FOREACH(q, no_tree, &a->by_no)
		send_question(q);
	return OK;
}

static struct question *
new_question(struct asked *a, const char *name, uint16_t rrtype)
{
	struct question *q = NULL;

	if (a->cnt < RESOLVE_ASKED_MAX)
		q = calloc(1, sizeof(*q));
	if (q == NULL)
		return NULL;
	if (!span_cstr(span_of(name), q->name, sizeof(q->name))) {
		free(q);
		return NULL;
	}
	q->rrtype = rrtype;
	q->no = a->next_no++;
	q->asked = a;
	TAILQ_INIT(&q->waiters);
	RB_INSERT(no_tree, &a->by_no, q);
	RB_INSERT(name_tree, &a->by_name, q);
	a->cnt++;
	timer_init(&q->deadline, a->loop, give_up, q);
	timer_set(&q->deadline, RESOLVE_PATIENCE_MS);
	send_question(q);
	return q;
}

static struct question *
find_question(struct asked *a, const char *name, uint16_t rrtype)
{
	struct question key = { .rrtype = rrtype };

	if (!span_cstr(span_of(name), key.name, sizeof(key.name)))
		return NULL;
	return RB_FIND(name_tree, &a->by_name, &key);
}

void
asked_join(struct asked *a, const char *name, uint16_t rrtype,
    struct waiter *w)
{
	struct resolve_answer answer;
	struct question *q;

	w->question = NULL;
	if (known_find(a->known, name, rrtype, ev_now_ms(a->loop), &answer)) {
		w->fn(&answer, w->arg);
		return;
	}
	if ((q = find_question(a, name, rrtype)) == NULL)
		q = new_question(a, name, rrtype);
	if (q == NULL) {
		w->fn(&failure, w->arg);
		return;
	}
	w->question = q;
	TAILQ_INSERT_TAIL(&q->waiters, w, entry);
}

void
asked_leave(struct waiter *w)
{
	if (w->question == NULL)
		return;
	TAILQ_REMOVE(&w->question->waiters, w, entry);
	w->question = NULL;
}
