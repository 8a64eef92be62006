/*
 * carry_dialogue.c - what is said of a file on its way, and what comes of each
 * reply: recipients who are refused are noted, and when all is over for the
 * file its notice goes the same way.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "edge/drop/carry_inside.h"
#include "edge/edge.h"
#include "edge/protocol.h"
#include "mail/address_say.h"
#include "mail/dsn.h"
#include "sys/clock.h"

#define TRIES_LEAST	3		/* whatever its age is		*/

/* What the queue has is not to be sent once more for the notice's sake. */
void
carry_over(struct carry *c, enum carry_end end, const char *why)
{
	if (c->is_over)
		return;
	if (c->kept_cnt > 0 && end == CARRY_NEVER) {
		notice_log(&c->notice, c->file.d.sender);
		end = CARRY_KEPT;
	}
	c->is_over = true;
	c->end = end;
	if (why != NULL)
		(void)strlcpy(c->why, why, sizeof(c->why));
}

static void
say(struct carry *c, enum step step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
say(struct carry *c, enum step step, const char *format, ...)
{
	char line[DROPPED_LINE_MAX * 2];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(line, sizeof(line) - 2, format, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(line) - 2) {
		carry_over(c, CARRY_NEVER, "an address is too long");
		return;
	}
	line[len++] = '\r';
	line[len++] = '\n';
	c->step = step;
	if (grow_add(&c->unread, (struct span){ line, (size_t)len }) != OK)
		carry_over(c, CARRY_LATER, "no memory");
}

uint64_t
carry_text_len(const struct carry *c)
{
	return c->is_notice ? notice_text(&c->notice).len :
	    c->file.d.text_len;
}

static void
say_mail(struct carry *c)
{
	const struct dropped *d = &c->file.d;
	bool has_dsn = !c->is_notice && c->response.has_dsn;
	bool is_utf8 = d->is_utf8 && c->response.has_utf8;
	char ascii[ADDRESS_KEY_MAX];
	struct span sender = c->is_notice ? SPAN("") :
	    address_say(d->sender, is_utf8, ascii);
	struct span envid = has_dsn ? d->envid : SPAN("");

	say(c, STEP_MAIL, "MAIL FROM:<%.*s> SIZE=%" PRIu64 "%s%s%s%s%.*s",
	    (int)sender.len, sender.ptr, carry_text_len(c),
	    d->is_8bit ? " BODY=8BITMIME" : "",
	    is_utf8 ? " SMTPUTF8" : "",
	    !has_dsn || d->ret == DSN_RET_NONE ? "" :
	    d->ret == DSN_RET_FULL ? " RET=FULL" : " RET=HDRS",
	    envid.len > 0 ? " ENVID=" : "", (int)envid.len, envid.ptr);
}

static void
say_rcpt(struct carry *c)
{
	bool has_dsn = !c->is_notice && c->file.d.notify != 0 &&
	    c->response.has_dsn;
	char buf[DSN_NOTIFY_TEXT], ascii[ADDRESS_KEY_MAX];
	struct span notify = dsn_notify_text(c->file.d.notify, buf);
	struct span rcpt = address_say(c->rcpt, c->response.has_utf8, ascii);

	say(c, STEP_RCPT, "RCPT TO:<%.*s>%s%.*s", (int)rcpt.len, rcpt.ptr,
	    has_dsn ? " NOTIFY=" : "", has_dsn ? (int)notify.len : 0,
	    notify.ptr);
}

/* One who has refused all that came before is told who sent it. */
static void
begin_notice(struct carry *c)
{
	const struct dropped *d = &c->file.d;

	if (c->is_notice || d->sender.len == 0 ||
	    !dsn_wants(d->notify, DSN_FAILURE) ||
	    notice_make(&c->notice, c->edge->set.hostname, d, c->file.fd) !=
	    OK) {
		carry_over(c, CARRY_NEVER, notice_first(&c->notice));
		return;
	}
	c->is_notice = true;
	say(c, STEP_RESET, "RSET");
}

/* A transaction begins, with the file or with the notice. */
static void
begin_mail(struct carry *c)
{
	c->rcpts = c->is_notice ? SPAN("") : c->file.d.rcpts;
	c->rcpt = c->file.d.sender;
	if (!c->is_notice)
		(void)dropped_rcpt(&c->rcpts, &c->rcpt);
	c->taken_cnt = 0;
	c->at = 0;
	dot_init(&c->dot);
	c->seat->once = c->file.once + (c->is_notice ? 1 : 0);
	say_mail(c);
}

static void
next_rcpt(struct carry *c)
{
	if (!c->is_notice && dropped_rcpt(&c->rcpts, &c->rcpt))
		say_rcpt(c);
	else if (c->taken_cnt > 0)
		say(c, STEP_DATA, "DATA");
	else
		begin_notice(c);
}

static void
note_refusal(struct carry *c, struct span rcpt)
{
	if (notice_add(&c->notice, rcpt, &c->response) != OK)
		carry_over(c, CARRY_LATER, "no memory");
}

/* The whole is refused for good. */
void
carry_refuse_all(struct carry *c)
{
	struct span rcpts = c->file.d.rcpts, rcpt;

	if (!c->is_notice)
		notice_clear(&c->notice);
	while (!c->is_notice && dropped_rcpt(&rcpts, &rcpt))
		note_refusal(c, rcpt);
	if (!c->is_over)
		begin_notice(c);
}

static void
kept(struct carry *c)
{
	if (c->is_notice) {
		carry_over(c, CARRY_KEPT, NULL);
		return;
	}
	c->kept_cnt = c->taken_cnt;
	if (notice_is_empty(&c->notice))
		carry_over(c, CARRY_KEPT, NULL);
	else
		begin_notice(c);
}

/* What was wanted is there: the next thing. */
static void
go_on(struct carry *c)
{
	switch (c->step) {
	case STEP_GREETING:
		say(c, STEP_HELLO, "EHLO %s", c->edge->set.hostname);
		break;
	case STEP_HELLO:
	case STEP_RESET:
		begin_mail(c);
		break;
	case STEP_MAIL:
		say_rcpt(c);
		break;
	case STEP_RCPT:
		c->taken_cnt++;
		next_rcpt(c);
		break;
	case STEP_DATA:
		c->step = STEP_TEXT;
		break;
	case STEP_END:
		kept(c);
		break;
	case STEP_TEXT:
		break;			/* nothing is replied to it */
	}
}

/* Whatever was done to the file begins its life anew. */
bool
carry_is_too_old(const struct carry *c)
{
	struct stat now;

	return c->file.tries + 1 >= TRIES_LEAST && c->kept_cnt == 0 &&
	    fstat(c->file.fd, &now) == 0 && clock_wall_ms() -
	    (int64_t)now.st_ctim.tv_sec * 1000 >= c->edge->set.lifetime_ms;
}

/* Its last answer is "not now", and for good by now. */
void
carry_turn_into_never(struct carry *c, const char *answer)
{
	struct response no = { .code = 554, .status = "5.4.7" };

	snprintf(no.text, sizeof(no.text), "554 5.4.7 Tried for too long; the "
	    "last answer was: %.400s", answer);
	c->response = no;
}

/* No for good: of a recipient, or of all. */
static void
refused(struct carry *c)
{
	if (c->step != STEP_RCPT || c->is_notice) {
		carry_refuse_all(c);
		return;
	}
	note_refusal(c, c->rcpt);
	if (!c->is_over)
		next_rcpt(c);
}

static void
take_reply(struct carry *c)
{
	char answer[sizeof(c->response.text)];
	unsigned code = c->response.code;
	unsigned wanted = c->step == STEP_GREETING ? 220 :
	    c->step == STEP_DATA ? 354 : 250;

	(void)strlcpy(answer, c->response.text, sizeof(answer));
	if (c->step == STEP_TEXT)
		carry_over(c, CARRY_LATER, answer);
	else if (code == wanted)
		go_on(c);
	else if (code / 100 == 5 && c->step != STEP_GREETING &&
	    c->step != STEP_HELLO)
		refused(c);
	else if (c->step == STEP_RCPT && carry_is_too_old(c)) {
		carry_turn_into_never(c, answer);
		refused(c);
	} else {
		carry_over(c, CARRY_LATER, answer);
	}
}

/* Read what the session has said; false when there was nothing whole. */
bool
carry_hear(struct carry *c)
{
	struct span have = grow_span(&c->seat->out), rest = have;
	enum err e = response_take(&rest, &c->response);

	if (e == ERR_AGAIN && c->seat->is_closed)
		carry_over(c, CARRY_LATER, "the session has ended");
	else if (e == ERR_PEER)
		carry_over(c, CARRY_LATER, "the session speaks no SMTP");
	if (e != OK)
		return false;
	grow_drop(&c->seat->out, have.len - rest.len);
	take_reply(c);
	return true;
}
