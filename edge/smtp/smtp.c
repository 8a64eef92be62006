/*
 * smtp.c - SMTP takes the seat: session.h by the names of protocol.h.  And LMTP
 * (RFC 2033), which is the same session with another first word, and with a
 * reply to each recipient at the end of the text.
 */
#include <stdlib.h>

#include "edge/edge.h"
#include "edge/protocol.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

/* The seat is what a session begins with. */
static struct session *
session_of(struct seat *seat)
{
	return (struct session *)(void *)seat;
}

static const struct session *
session_at(const struct seat *seat)
{
	return (const struct session *)(const void *)seat;
}

static struct seat *
smtp_open(struct edge *edge, const struct client_address *address,
    seat_wake_fn *on_wake, void *arg)
{
	struct session *s = malloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	session_init(s, edge, address, on_wake, arg);
	s->seat.protocol = &protocol_smtp;
	return &s->seat;
}

static struct seat *
lmtp_open(struct edge *edge, const struct client_address *address,
    seat_wake_fn *on_wake, void *arg)
{
	struct seat *seat = smtp_open(edge, address, on_wake, arg);

	if (seat == NULL)
		return NULL;
	seat->protocol = &protocol_lmtp;
	session_of(seat)->origin.is_lmtp = true;
	return seat;
}

static void
smtp_close(struct seat **seat)
{
	session_fini(session_of(*seat));
	free(*seat);
	*seat = NULL;
}

static void
smtp_greet(struct seat *seat)
{
	session_greet(session_of(seat));
}

static bool
smtp_wants_tls(const struct seat *seat)
{
	return session_at(seat)->state == ST_SECURE;
}

static void
smtp_secured(struct seat *seat, const char *version, const char *cipher)
{
	session_of(seat)->origin.tls_version = version;
	session_of(seat)->origin.tls_cipher = cipher;
	session_secured(session_of(seat));
}

static void
smtp_feed(struct seat *seat, struct span *in)
{
	session_feed(session_of(seat), in);
}

static size_t
smtp_room(const struct seat *seat)
{
	return session_room(session_at(seat));
}

static bool
smtp_is_waiting(const struct seat *seat)
{
	return session_is_waiting(session_at(seat));
}

static bool
smtp_is_private(const struct seat *seat)
{
	return session_is_private(session_at(seat));
}

static int64_t
smtp_patience_ms(const struct seat *seat)
{
	return session_patience_ms(session_at(seat));
}

static void
smtp_expire(struct seat *seat)
{
	session_expire(session_of(seat));
}

/* The queue drops a message of which it hears nothing for too long. */
static void
smtp_tick(struct seat *seat)
{
	struct transaction *t = session_of(seat)->transaction;

	if (t != NULL)
		transaction_wait(t);
}

static void
smtp_drain(struct seat *seat)
{
	session_drain(session_of(seat));
}

static void
smtp_end(struct seat *seat)
{
	session_end(session_of(seat), "4.3.2", "Service shutting down");
}

#define CALLS								\
	.close = smtp_close, .greet = smtp_greet,			\
	.wants_tls = smtp_wants_tls, .secured = smtp_secured,		\
	.feed = smtp_feed, .room = smtp_room,				\
	.is_waiting = smtp_is_waiting, .is_private = smtp_is_private,	\
	.patience_ms = smtp_patience_ms, .expire = smtp_expire,		\
	.tick = smtp_tick, .drain = smtp_drain, .end = smtp_end

const struct protocol protocol_smtp = { .open = smtp_open, CALLS };
const struct protocol protocol_lmtp = { .open = lmtp_open, CALLS };
