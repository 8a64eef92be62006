/*
 * tls_kit - a TLS client of OpenSSL's own against our server, whose keys are
 * in a vault in a process of its own.  For tests only.
 */
#ifndef TESTS_TLS_KIT_H
#define TESTS_TLS_KIT_H

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "ask/tls_inside.h"
#include "ask/tls_server.h"
#include "keys_kit.h"
#include "sys/clock.h"
#include "sys/seccomp.h"

#define SHAKE_MS	20000	/* to wait for a handshake, valgrind's too */

struct shop {			/* what lasts over sessions */
	struct ev_loop	*loop;
	struct keys	*keys;
	struct kit_edges edges;
	pid_t		 vault;
	unsigned	 lost_cnt;
	struct tls_server *server;
};

struct call {			/* one client and its session */
	struct shop	*shop;
	int		 ends[2];	/* ours, the client's		*/
	struct tls	*tls;
	SSL_CTX		*context;
	SSL		*client;
	bool		 client_done, client_failed;
	unsigned long	 client_error;
	enum tls_step	 step;
	unsigned	 wakes;
	bool		 free_on_wake;
};

static inline void
shop_lost(const struct link_peer *p, enum err why, void *arg)
{
	struct shop *s = arg;

	assert_int_equal(p->role, ROLE_KEYS);
	s->lost_cnt++;
}

static inline void
shop_link(struct shop *s)
{
	const struct link_peer peer = { .role = ROLE_KEYS, .block = "keys" };
	int fd;

	s->vault = kit_vault(&s->edges, &fd);
	assert_int_equal(keys_set_link(s->keys, fd, ROLE_EDGE, &peer), OK);
}

static inline void
shop_open(struct shop *s, struct pair *p)
{
	*s = (struct shop){ .edges = {
	    .names = { "in" }, .pairs = { p }, .cnt = 1 } };
	assert_int_equal(ev_open(&s->loop), OK);
	assert_int_equal(keys_open(&s->keys, s->loop, shop_lost, s), OK);
	shop_link(s);
	assert_int_equal(tls_server_open(&s->server, s->keys, p->cert_fd), OK);
}

static inline void
shop_close(struct shop *s)
{
	tls_server_free(&s->server);
	keys_close(&s->keys);
	kit_vault_end(&s->vault);
	ev_close(&s->loop);
}

static inline void
shop_stop(struct timer *t, void *arg)
{
	ev_stop(arg);
}

/* Let the loop run for a while. */
static inline void
shop_turn(struct shop *s, int64_t ms)
{
	struct timer t;

	timer_init(&t, s->loop, shop_stop, s->loop);
	timer_set(&t, ms);
	assert_int_equal(ev_run(s->loop), OK);
	timer_stop(&t);
}

static inline void
call_wake(void *arg)
{
	struct call *c = arg;

	c->wakes++;
	if (c->free_on_wake)
		tls_free(&c->tls);
	else
		c->step = TLS_WANT_READ;
}

static inline void
call_open(struct call *c, struct shop *s)
{
	*c = (struct call){ .shop = s, .step = TLS_WANT_READ };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, c->ends), 0);
	assert_int_equal(tls_accept(&c->tls, s->server, c->ends[0], call_wake,
	    c), OK);
	assert_non_null(c->context = SSL_CTX_new(TLS_client_method()));
	SSL_CTX_set_security_level(c->context, 0);
}

/* After the client's context has been set up as the test wants it. */
static inline void
call_dial(struct call *c)
{
	assert_non_null(c->client = SSL_new(c->context));
	assert_int_equal(SSL_set_fd(c->client, c->ends[1]), 1);
	SSL_set_connect_state(c->client);
}

static inline void
call_hang_up(struct call *c)
{
	if (c->ends[1] != -1)
		close(c->ends[1]);
	c->ends[1] = -1;
}

static inline void
call_close(struct call *c)
{
	tls_free(&c->tls);
	SSL_free(c->client);
	SSL_CTX_free(c->context);
	close(c->ends[0]);
	call_hang_up(c);
}

static inline void
call_client_step(struct call *c)
{
	int rc, why;

	if (c->client_done || c->client_failed || c->ends[1] == -1)
		return;
	ERR_clear_error();
	rc = SSL_do_handshake(c->client);
	why = SSL_get_error(c->client, rc);
	c->client_done = rc == 1;
	c->client_failed = rc != 1 && why != SSL_ERROR_WANT_READ &&
	    why != SSL_ERROR_WANT_WRITE;
	if (c->client_failed)
		c->client_error = ERR_peek_error();
	ERR_clear_error();
}

static inline void
call_server_step(struct call *c)
{
	if (c->tls != NULL && (c->step == TLS_WANT_READ ||
	    c->step == TLS_WANT_WRITE))
		c->step = tls_handshake(c->tls);
}

/* Both sides, until the server waits for the vault or is through. */
static inline void
call_until_wait(struct call *c)
{
	for (int i = 0; i < 10; i++) {
		call_client_step(c);
		call_server_step(c);
	}
}

static inline bool
call_is_over(const struct call *c)
{
	return (c->client_done && c->step == TLS_OK) ||
	    ((c->client_failed || c->ends[1] == -1) &&
	    c->step == TLS_ERROR);
}

/* True when the handshake has come about. */
static inline bool
call_shake(struct call *c)
{
	int64_t end_ms = clock_mono_ms() + SHAKE_MS;

	while (!call_is_over(c) && clock_mono_ms() < end_ms) {
		call_client_step(c);
		call_server_step(c);
		if (!call_is_over(c))
			shop_turn(c->shop, 1);
	}
	return c->client_done && c->step == TLS_OK;
}

#endif
