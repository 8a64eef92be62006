/*
 * queries.c - queries by number, as answers name them, and by what they ask.
 *
 * The waiters are resolve.c's, which puts their ends off; so they are told at
 * once, while what an answer carries is still where the link has it.
 */
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "ask/cache.h"
#include "ask/dnsname.h"
#include "ask/queries.h"

struct query {
	struct question	 question;	/* first: they are one		*/
	RB_ENTRY(query)	 by_name;
	char		 name[DNSNAME_MAX + 1];
	uint16_t	 rrtype;
	struct queries	*owner;
	TAILQ_HEAD(, waiter) waiters;
};

RB_HEAD(name_tree, query);

struct queries {
	struct helper	 helper;	/* first: they are one		*/
	struct cache	*cache;
	struct name_tree by_name;
};

static const struct resolve_answer failure = { .status = RESOLVED_FAILED };

#define UNUSED	__attribute__((unused))	/* not all of a tree's calls */

static int
compare(struct query *a, struct query *b)
{
	if (a->rrtype != b->rrtype)
		return a->rrtype < b->rrtype ? -1 : 1;
	return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(name_tree, query, by_name, compare, UNUSED static)

static void
unlist(struct query *q)
{
	question_close(&q->question);
	RB_REMOVE(name_tree, &q->owner->by_name, q);
}

/* Tell all who wait.  None of them may close us: see resolve.c. */
static void
finish(struct query *q, const struct resolve_answer *a)
{
	struct waiter *w;

	unlist(q);
	while ((w = TAILQ_FIRST(&q->waiters)) != NULL) {
		queries_leave(w);
		w->fn(a, w->arg);
	}
	free(q);
}

/* Answers do not come here, but to on_msg(). */
static void
on_end(struct question *q, enum err why)
{
	finish((struct query *)q, &failure);
}

static void
send_query(struct helper *h, struct question *question)
{
	struct query *q = (struct query *)question;

	(void)link_send_resolve_ask(h->link, &(struct msg_resolve_ask){
	    .request = question->no, .rrtype = q->rrtype,
	    .name = span_of(q->name) });
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
makes_sense(const struct msg_resolve_answer *m)
{
	char name[DNSNAME_MAX + 1];

	return m->status < RESOLVE__COUNT && m->trust < TRUST__COUNT &&
	    are_records(m->records) &&
	    (m->name.len == 0 || dnsname_fold(m->name, name)) &&
	    (m->status == RESOLVED) == (m->records.len > 0);
}

static enum err
on_msg(struct helper *h, unsigned type, const union msg *any)
{
	const struct msg_resolve_answer *m = &any->resolve_answer;
	struct queries *qs = (struct queries *)h;
	struct question *found = NULL;
	struct resolve_answer answer;
	struct query *q;

	if (type != MSG_resolve_answer || !makes_sense(m) ||
	    question_find(&h->questions, m->request, &found) != OK)
		return ERR_PEER;
	if (found == NULL)
		return OK;
	q = (struct query *)found;
	answer = (struct resolve_answer){ m->status, m->trust, m->ttl_s,
	    m->name, m->records };
	cache_keep(qs->cache, q->name, q->rrtype, &answer,
	    ev_now_ms(h->loop));
	finish(q, &answer);
	return OK;
}

static const struct helper_calls calls = {
	.max = RESOLVE_ASKED_MAX, .patience_ms = RESOLVE_PATIENCE_MS,
	.on_msg = on_msg, .on_end = on_end, .on_link = send_query,
};

/* The calls of queries.h. */

enum err
queries_open(struct queries **out, struct ev_loop *loop,
    helper_lost_fn *on_lost, void *arg)
{
	struct queries *qs = calloc(1, sizeof(*qs));

	if (qs == NULL)
		return ERR_SYS;
	if ((qs->cache = cache_new(RESOLVE_CACHE_MAX)) == NULL) {
		free(qs);
		return ERR_SYS;
	}
	helper_init(&qs->helper, loop, &calls, on_lost, arg);
	RB_INIT(&qs->by_name);
	*out = qs;
	return OK;
}

void
queries_close(struct queries **qsp)
{
	struct queries *qs = *qsp;
	struct query *q;

	*qsp = NULL;
	if (qs == NULL)
		return;
	while ((q = RB_ROOT(&qs->by_name)) != NULL) {
		unlist(q);
		while (!TAILQ_EMPTY(&q->waiters))
			queries_leave(TAILQ_FIRST(&q->waiters));
		free(q);
	}
	helper_fini(&qs->helper);
	cache_free(&qs->cache);
	free(qs);
}

enum err
queries_set_link(struct queries *qs, int fd, enum role mine,
    const struct link_peer *peer)
{
	return helper_set_link(&qs->helper, fd, mine, peer);
}

static struct query *
new_query(struct queries *qs, const char *name, uint16_t rrtype)
{
	struct query *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	if (!span_cstr(span_of(name), q->name, sizeof(q->name))) {
		free(q);
		return NULL;
	}
	q->rrtype = rrtype;
	q->owner = qs;
	TAILQ_INIT(&q->waiters);
	RB_INSERT(name_tree, &qs->by_name, q);
	if (helper_ask(&qs->helper, &q->question))
		send_query(&qs->helper, &q->question);
	return q;
}

static struct query *
find_query(struct queries *qs, const char *name, uint16_t rrtype)
{
	struct query key = { .rrtype = rrtype };

	if (!span_cstr(span_of(name), key.name, sizeof(key.name)))
		return NULL;
	return RB_FIND(name_tree, &qs->by_name, &key);
}

void
queries_join(struct queries *qs, const char *name, uint16_t rrtype,
    struct waiter *w)
{
	struct resolve_answer answer;
	struct query *q;

	w->query = NULL;
	if (cache_find(qs->cache, name, rrtype, ev_now_ms(qs->helper.loop),
	    &answer)) {
		w->fn(&answer, w->arg);
		return;
	}
	if ((q = find_query(qs, name, rrtype)) == NULL)
		q = new_query(qs, name, rrtype);
	if (q == NULL) {
		w->fn(&failure, w->arg);
		return;
	}
	w->query = q;
	TAILQ_INSERT_TAIL(&q->waiters, w, entry);
}

void
queries_leave(struct waiter *w)
{
	if (w->query == NULL)
		return;
	TAILQ_REMOVE(&w->query->waiters, w, entry);
	w->query = NULL;
}
