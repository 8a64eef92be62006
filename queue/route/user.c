/* user.c - questions, and what their answers name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "queue/route/user.h"
#include "queue/to_relay.h"

struct user_query {
	struct question	 question;
	struct expansion *expansion;
	const void	*who;		/* is asked; NULL: nobody is there */
	enum user_found	 found;
	char		*names;		/* NULL: none			*/
	size_t		 len;
	size_t		 address_len, domain_at;	/* that of "@"	*/
	char		 address[];
};

static struct user_query *
query_of(struct question *q)
{
	return (struct user_query *)(void *)((char *)q -
	    offsetof(struct user_query, question));
}

static void
query_free(struct user_query *a)
{
	free(a->names);
	free(a);
}

/* A user alone is one of the same domain; what is no address is left out. */
static bool
name(const struct user_query *a, struct span s)
{
	char text[PATH_MAX_SMTP + DOMAIN_MAX + 2];
	bool is_last = span_begins(s, SPAN("\\"));
	struct address parsed;

	if (is_last)
		s = span_tail(s, 1);
	if (address_is_local(s)) {
		if (snprintf(text, sizeof(text), "%.*s%s", (int)s.len, s.ptr,
		    a->address + a->domain_at) >= (int)sizeof(text))
			return false;
		s = span_of(text);
	}
	if (address_parse(s, true, &parsed) != OK)
		return false;
	if (is_last)
		expand_stop(a->expansion, s);
	else
		expand_name(a->expansion, s);
	return true;
}

static enum err
name_all(const struct user_query *a)
{
	struct span rest = { a->names, a->len };
	enum err e = ERR_NONE;

	while (rest.len > 0)
		if (name(a, span_cut(&rest, '\n')))
			e = OK;
	return e;
}

static void
on_end(struct question *q, enum err why)
{
	struct user_query *a = query_of(q);
	struct expansion *x = a->expansion;
	enum err e = ERR_SYS;

	if (why == OK && a->found == USER_NOBODY)
		e = ERR_CLOSED;
	else if (why == OK && a->found == USER_IS)
		e = name_all(a);
	query_free(a);
	expand_answer(x, e);
}

void
user_init(struct user_look *u, struct ev_loop *loop,
    struct link *(*link_of)(void *, const char *, const void **), void *arg)
{
	u->link_of = link_of;
	u->arg = arg;
	questions_init(&u->queries, loop, USER_QUERIES_MAX, on_end);
}

static struct user_query *
query_new(struct expansion *x, struct span address)
{
	struct user_query *a = calloc(1, sizeof(*a) + address.len + 1);

	if (a == NULL)
		return NULL;
	memcpy(a->address, address.ptr, address.len);
	a->address_len = a->domain_at = address.len;
	while (a->domain_at > 0 && a->address[a->domain_at] != '@')
		a->domain_at--;
	a->expansion = x;
	return a;
}

/* Whom?  As the routes of now have it; false: nobody need be asked. */
static bool
ask_somebody(const struct user_look *u, struct user_query *a)
{
	struct route_ask ask = *expand_who(a->expansion);
	const char *relay;
	struct link *l;

	ask.rcpt = (struct span){ a->address, a->address_len };
	if ((relay = route_users_of(u->routes, &ask)) == NULL)
		return false;
	if ((l = u->link_of(u->arg, relay, &a->who)) != NULL)
		to_relay_user(l, a->question.no, ask.rcpt);
	return true;
}

enum err
user_ask(struct expansion *x, struct span address, void *arg)
{
	struct route_ask ask = *expand_who(x);
	struct user_look *u = arg;
	struct user_query *a;

	ask.rcpt = address;
	if (route_users_of(u->routes, &ask) == NULL)
		return ERR_NONE;
	if ((a = query_new(x, address)) == NULL)
		return ERR_SYS;
	if (question_ask(&u->queries, &a->question, USER_MS))
		(void)ask_somebody(u, a);
	return ERR_AGAIN;
}

void
user_cancel(struct expansion *x, void *arg)
{
	struct user_look *u = arg;
	struct question *q;

	for (q = questions_first(&u->queries); q != NULL;
	    q = questions_next(q))
		if (query_of(q)->expansion == x) {
			question_close(q);
			query_free(query_of(q));
			return;
		}
}

enum err
user_answered(struct user_look *u, const void *who,
    const struct msg_user_answer *m)
{
	struct question *q;
	struct user_query *a;
	enum err e = question_find(&u->queries, m->no, &q);

	if (e != OK || q == NULL)
		return e;
	a = query_of(q);
	if (a->who != who)
		return ERR_PEER;
	a->found = (enum user_found)m->found;
	if (m->names.len > 0) {
		if ((a->names = malloc(m->names.len)) == NULL)
			a->found = USER_LATER;
		else
			memcpy(a->names, m->names.ptr, m->names.len);
		a->len = m->names.len;
	}
	question_answer(q);
	return OK;
}

void
user_lost(struct user_look *u, const void *who)
{
	struct question *q;

	for (q = questions_first(&u->queries); q != NULL;
	    q = questions_next(q))
		if (query_of(q)->who == who)
			query_of(q)->who = NULL;
	user_there(u);
}

/* One whom no such relay is for any more is who he is. */
void
user_there(struct user_look *u)
{
	struct question *q;

	for (q = questions_first(&u->queries); q != NULL;
	    q = questions_next(q))
		if (query_of(q)->who == NULL && !q->has_ended &&
		    !ask_somebody(u, query_of(q))) {
			query_of(q)->found = USER_IS;
			question_answer(q);
		}
}
