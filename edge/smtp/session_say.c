/*
 * session_say.c - replies, and what of them is told to the log.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"
#include "sys/counters.h"

#define REPLY_MAX	510		/* bytes of a reply line without CRLF,
					 * RFC 5321 4.5.3.1.5		*/
#define LOGGED_MAX	20u		/* refusals logged of one session */
#define NAMED_MAX	20u		/* recipients in one of them	*/

static void
put_reply(struct session *s, unsigned code, const char *dsn, const char *text)
{
	char line[REPLY_MAX + 3];
	bool is_more = strcmp(dsn, "-") == 0;
	int len;

	if (is_more || dsn[0] == '\0')
		len = snprintf(line, REPLY_MAX + 1, "%u%c%s", code,
		    is_more ? '-' : ' ', text);
	else
		len = snprintf(line, REPLY_MAX + 1, "%u %s %s", code, dsn,
		    text);
	if (len > REPLY_MAX)
		len = REPLY_MAX;
	line[len++] = '\r';
	line[len++] = '\n';
	/* Without memory for a reply there is no dialogue. */
	if (grow_add(&s->seat.out, (struct span){ line, (size_t)len }) != OK)
		session_close(s, s->seat.is_hasty);
}

/* Whom it is about: he in hand, else all that were taken so far. */
static void
log_envelope(struct log_line *l, const struct session *s,
    const struct transaction *t)
{
	struct envelope_rcpt r;
	size_t at = 0;

	if (t != NULL)
		log_str(l, LOG_KEY_from, envelope_sender(&t->envelope));
	else if (s->path_key == LOG_KEY_from)
		log_str(l, LOG_KEY_from, s->path);
	if (s->path_key == LOG_KEY_rcpt) {
		log_str(l, LOG_KEY_rcpt, s->path);
		return;
	}
	if (t == NULL || t->envelope.rcpt_cnt == 0)
		return;
	log_num(l, LOG_KEY_rcpts, t->envelope.rcpt_cnt);
	for (unsigned i = 0; i < t->envelope.rcpt_cnt && i < NAMED_MAX; i++) {
		envelope_rcpt(&t->envelope, &at, &r);
		log_str(l, LOG_KEY_rcpt, r.address);
	}
}

static void
log_refusal(struct session *s, unsigned code, const char *dsn,
    const char *text)
{
	const struct transaction *t = s->transaction;
	struct log_line l;

	counter_add(COUNTER_refused, 1);
	if (s->logged_cnt++ >= LOGGED_MAX)
		return;
	log_begin(&l, LOG_refused);
	log_hex(&l, LOG_KEY_session, s->origin.session);
	if (t != NULL && t->stream.is_granted)
		log_id(&l, LOG_KEY_id, t->stream.id);
	log_text(&l, LOG_KEY_client, s->origin.client);
	if (s->helo != NULL || s->origin.helo != NULL)
		log_text(&l, LOG_KEY_helo, s->helo != NULL ? s->helo :
		    s->origin.helo);
	if (s->origin.login != NULL)
		log_text(&l, LOG_KEY_user, s->origin.login);
	else if (s->claims != NULL)
		log_text(&l, LOG_KEY_user, s->claims);
	log_text(&l, LOG_KEY_command, s->verb);
	log_num(&l, LOG_KEY_code, code);
	log_text(&l, LOG_KEY_dsn, dsn);
	log_text(&l, LOG_KEY_reply, text);
	log_envelope(&l, s, t);
	log_end(&l);
}

void
session_reply(struct session *s, unsigned code, const char *dsn,
    const char *fmt, ...)
{
	char text[REPLY_MAX + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_reply(s, code, dsn, text);
}

/* The last reply.  The transaction stays: a command may be looking at it. */
void
session_goodbye(struct session *s, const char *dsn, const char *text)
{
	log_refusal(s, 421, dsn, text);
	put_reply(s, 421, dsn, text);
	session_close(s, true);
}

void
session_refuse(struct session *s, unsigned code, const char *dsn,
    const char *fmt, ...)
{
	char text[REPLY_MAX + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_refusal(s, code, dsn, text);
	if (code >= 500 && ++s->bad_cnt > s->edge->set.max_errors) {
		session_goodbye(s, "4.7.0", "Too many errors");
		return;
	}
	put_reply(s, code, dsn, text);
}

void
session_say(struct session *s, const struct reply *r)
{
	session_refuse(s, r->code, r->dsn, "%s", r->text);
	if (r->close)
		session_close(s, true);
}
