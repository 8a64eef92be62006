/*
 * edge.c - begin and end; everything in between is a session's.
 */
#include <stdlib.h>
#include <unistd.h>

#include "ask/keys.h"
#include "ask/login.h"
#include "ask/resolve.h"
#include "ask/tls_server.h"
#include "base/log.h"
#include "edge/client/client.h"
#include "edge/edge.h"
#include "edge/from_queue.h"
#include "edge/client/listen.h"
#include "edge/protocol.h"
#include "edge/text/transaction.h"
#include "sys/counters.h"

#define PATIENCE_KEPT	10	/* one part in so many of the patience is
				 * kept to say good-bye in		*/

static void
tell_drained(struct later *later, void *arg)
{
	struct edge *edge = arg;

	edge->calls->drained(edge->arg);
}

static void
drain_clients(struct edge *edge, bool always)
{
	struct client *c, *next;

	for (c = LIST_FIRST(&edge->clients); c != NULL; c = next) {
		next = client_next(c);
		client_drain(c, always);
	}
}

static void
patience_ends(struct timer *timer, void *arg)
{
	drain_clients(arg, true);
}

/* Few bits of the secret, and none as it is: they stand in the log. */
static uint64_t
first_session(uint64_t secret)
{
	secret = (secret ^ secret >> 31) * 0x9e3779b97f4a7c15u;
	return secret & 0xffffffff00000000u;
}

enum err
edge_new(struct edge **out, struct ev_loop *loop, struct settings *set,
    uint64_t secret, const struct edge_calls *calls, void *arg)
{
	struct edge *edge = calloc(1, sizeof(*edge));
	enum err e;

	if (edge == NULL) {
		settings_fini(set);
		return ERR_FULL;
	}
	edge->utf8 = QUEUE_UTF8_SOME;	/* until the queue says otherwise */
	edge->set = *set;
	*set = (struct settings){ 0 };
	edge->loop = loop;
	edge->last_session = first_session(secret);
	edge->role = ROLE_EDGE;
	edge->protocol = edge->set.protocol != NULL ? edge->set.protocol :
	    &protocol_smtp;
	stage_init(&edge->stages);
	edge->calls = calls;
	edge->arg = arg;
	timer_init(&edge->patience, loop, patience_ends, edge);
	later_init(&edge->ended, loop, tell_drained, edge);
	questions_init(&edge->words, loop, EDGE_WORDS_MAX, transaction_on_word);
	shaking_init(&edge->shaking, loop, client_give_way);
	if ((e = limits_new(&edge->limits, secret)) != OK) {
		edge_free(&edge);
		return e;
	}
	*out = edge;
	return OK;
}

static void
helper_lost(const struct link_peer *peer, enum err why, void *arg)
{
	struct edge *edge = arg;

	edge->calls->lost(peer, why, edge->arg);
}

enum err
edge_ask_vault(struct edge *edge, int cert_fd)
{
	enum err e = OK;

	if (edge->set.has_users)
		e = login_open(&edge->users, edge->loop, helper_lost, edge);
	if (e != OK || !edge->set.has_tls)
		return e;
	e = keys_open(&edge->keys, edge->loop, helper_lost, edge);
	if (e == OK)
		e = tls_server_open(&edge->tls, edge->keys, cert_fd);
	edge->can_tls = e == OK;
	if (e == OK) {
		counter_set(COUNTER_certificate_end,
		    (uint64_t)tls_server_end(edge->tls));
		counter_set(COUNTER_certificate_odd,
		    !tls_server_names(edge->tls, edge->set.hostname));
	}
	return e;
}

enum err
edge_link_resolver(struct edge *edge, int fd, const struct link_peer *peer)
{
	if (edge->resolve == NULL && resolve_open(&edge->resolve, edge->loop,
	    helper_lost, edge) != OK) {
		close(fd);
		return ERR_SYS;
	}
	return resolve_set_link(edge->resolve, fd, ROLE_EDGE, peer);
}

void
edge_free(struct edge **ep)
{
	struct edge *edge = *ep;

	*ep = NULL;
	if (edge == NULL)
		return;
	listen_close(&edge->listen);
	edge->is_draining = false;
	while (!LIST_EMPTY(&edge->clients))
		client_close(LIST_FIRST(&edge->clients), "stopped");
	timer_stop(&edge->patience);
	later_stop(&edge->ended);
	shaking_fini(&edge->shaking);
	from_queue_close(edge);
	tls_server_free(&edge->tls);
	keys_close(&edge->keys);
	login_close(&edge->users);
	resolve_close(&edge->resolve);
	limits_free(&edge->limits);
	settings_fini(&edge->set);
	free(edge);
}

void
edge_drain(struct edge *edge, uint32_t patience_ms)
{
	listen_finish(edge->listen);
	listen_close(&edge->listen);
	edge->is_draining = true;
	edge->is_gentle = patience_ms >= EDGE_GENTLE_MS;
	timer_set(&edge->patience,
	    patience_ms - patience_ms / PATIENCE_KEPT);
	drain_clients(edge, false);
	if (edge->client_cnt == 0)
		later_call(&edge->ended);
}
