/*
 * handshake.c - see the header.
 */
#include "ask/tls_server.h"
#include "base/log.h"
#include "edge/client/handshake.h"
#include "edge/text/origin.h"
#include "sys/counters.h"

void
handshake_given_up(void)
{
	counter_add(COUNTER_tls_failed, 1);
}

enum err
handshake_begin(struct channel *ch, struct tls_server *server,
    void (*wake)(void *arg), void *arg)
{
	enum err e;

	if (server == NULL)
		return ERR_NONE;
	if ((e = channel_accept(ch, server, wake, arg)) != OK)
		handshake_given_up();
	return e;
}

static void
log_secured(const struct channel *ch, const struct origin *o)
{
	struct tls_facts facts;
	struct log_line l;

	if (!log_wants(LOG_DEBUG))
		return;
	tls_facts(ch->tls, &facts);
	log_begin(&l, LOG_secured);
	log_hex(&l, LOG_KEY_session, o->session);
	log_text(&l, LOG_KEY_client, o->client);
	log_text(&l, LOG_KEY_version, facts.version);
	log_text(&l, LOG_KEY_cipher, facts.cipher);
	log_end(&l);
}

static void
log_failed(const struct channel *ch, const struct origin *o)
{
	struct log_line l;

	log_begin(&l, LOG_tls_failed);
	log_hex(&l, LOG_KEY_session, o->session);
	log_text(&l, LOG_KEY_client, o->client);
	log_text(&l, LOG_KEY_why, tls_why(ch->tls));
	log_end(&l);
}

enum err
handshake_go_on(struct channel *ch, const struct origin *o)
{
	enum err e = channel_shake(ch);

	if (e == OK) {
		counter_add(COUNTER_tls_done, 1);
		log_secured(ch, o);
	} else if (e != ERR_AGAIN) {
		handshake_given_up();
		log_failed(ch, o);
	}
	return e;
}
