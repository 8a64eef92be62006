/*
 * channel.c - what the socket, or TLS over it, says, in our words.
 */
#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

#include "ask/tls.h"
#include "ask/tls_server.h"
#include "base/log.h"
#include "edge/client/channel.h"
#include "sys/counters.h"
#include "sys/ev.h"

void
channel_init(struct channel *ch, int fd)
{
	*ch = (struct channel){
		.fd = fd, .read_wants = EV_READ, .write_wants = EV_WRITE,
	};
}

void
channel_fini(struct channel *ch)
{
	if (ch->is_shaking)		/* given up, by whichever side */
		counter_add(COUNTER_tls_failed, 1);
	else if (ch->tls != NULL)
		(void)tls_shutdown(ch->tls);
	tls_free(&ch->tls);
	close(ch->fd);
}

enum err
channel_secure(struct channel *ch, struct tls_server *server,
    void (*wake)(void *arg), void *arg)
{
	enum err e = tls_accept(&ch->tls, server, ch->fd, wake, arg);

	if (e != OK) {
		ch->tls = NULL;
		counter_add(COUNTER_tls_failed, 1);
		return e;
	}
	ch->is_shaking = true;
	ch->read_wants = ch->write_wants = EV_READ;
	return OK;
}

static void
log_secured(const struct channel *ch, const char *client)
{
	struct tls_facts facts;
	struct log_line l;

	if (!log_wants(LOG_DEBUG))
		return;
	tls_facts(ch->tls, &facts);
	log_begin(&l, LOG_secured);
	log_text(&l, LOG_KEY_client, client);
	log_text(&l, LOG_KEY_version, facts.version);
	log_text(&l, LOG_KEY_cipher, facts.cipher);
	log_end(&l);
}

static void
log_failed(const struct channel *ch, const char *client)
{
	struct log_line l;

	log_begin(&l, LOG_tls_failed);
	log_text(&l, LOG_KEY_client, client);
	log_text(&l, LOG_KEY_why, tls_why(ch->tls));
	log_end(&l);
}

enum err
channel_shake(struct channel *ch, const char *client)
{
	enum tls_step step = tls_handshake(ch->tls);

	switch (step) {
	case TLS_OK:
		ch->is_shaking = false;
		ch->read_wants = EV_READ;
		ch->write_wants = EV_WRITE;
		counter_add(COUNTER_tls_done, 1);
		log_secured(ch, client);
		return OK;
	case TLS_WANT_READ:
		ch->read_wants = ch->write_wants = EV_READ;
		return ERR_AGAIN;
	case TLS_WANT_WRITE:
		ch->read_wants = ch->write_wants = EV_WRITE;
		return ERR_AGAIN;
	case TLS_WAIT:
		ch->read_wants = ch->write_wants = 0;
		return ERR_AGAIN;
	default:
		ch->is_shaking = false;
		counter_add(COUNTER_tls_failed, 1);
		log_failed(ch, client);
		return step == TLS_EOF ? ERR_CLOSED : ERR_PEER;
	}
}

bool
channel_has_moved(struct channel *ch)
{
	return tls_has_moved(ch->tls);
}

/* What a step of TLS means; *wants is what to wait for. */
static enum err
judge(enum tls_step step, uint8_t usual, uint8_t *wants)
{
	*wants = usual;
	switch (step) {
	case TLS_OK:
		return OK;
	case TLS_WANT_READ:
		*wants = EV_READ;
		return ERR_AGAIN;
	case TLS_WANT_WRITE:
		*wants = EV_WRITE;
		return ERR_AGAIN;
	case TLS_EOF:
		return ERR_NONE;
	default:
		return ERR_PEER;
	}
}

static enum err
judge_errno(void)
{
	return errno == EAGAIN || errno == EINTR ? ERR_AGAIN : ERR_CLOSED;
}

static enum err
read_plain(int fd, char *buf, size_t cap, size_t *got)
{
	ssize_t n = recv(fd, buf, cap, MSG_DONTWAIT);

	if (n == -1)
		return judge_errno();
	*got = (size_t)n;
	return n > 0 ? OK : ERR_NONE;
}

enum err
channel_read(struct channel *ch, char *buf, size_t cap, size_t *got)
{
	if (ch->tls == NULL)
		return read_plain(ch->fd, buf, cap, got);
	return judge(tls_read(ch->tls, buf, cap, got), EV_READ,
	    &ch->read_wants);
}

enum err
channel_write(struct channel *ch, struct span s, size_t *put)
{
	ssize_t n;

	if (ch->tls != NULL)
		return judge(tls_write(ch->tls, s, put), EV_WRITE,
		    &ch->write_wants);
	n = send(ch->fd, s.ptr, s.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1)
		return judge_errno();
	*put = (size_t)n;
	return OK;
}

bool
channel_has_more(const struct channel *ch)
{
	return ch->tls != NULL && !ch->is_shaking && tls_pending(ch->tls) > 0;
}

enum err
channel_shut(struct channel *ch)
{
	if (ch->tls != NULL && !ch->is_shaking)
		(void)tls_shutdown(ch->tls);
	tls_free(&ch->tls);
	ch->is_shaking = false;
	return shutdown(ch->fd, SHUT_WR) == -1 ? ERR_CLOSED : OK;
}

enum err
channel_drop(struct channel *ch, char *buf, size_t cap, size_t *got)
{
	return read_plain(ch->fd, buf, cap, got);
}
