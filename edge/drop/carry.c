/*
 * carry.c - both halves of a dialogue in one process: what we say is fed to the
 * session, what it says is read from its seat.  It calls on_wake from wherever
 * an answer came from, so nothing is done there but a call for later.
 *
 * The final dot is not said before the file was found to be what it was at the
 * beginning: who writes into it meanwhile only sends it later.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "edge/drop/carry.h"
#include "edge/drop/response.h"
#include "edge/drop/notice.h"
#include "edge/edge.h"
#include "edge/protocol.h"
#include "mail/address_say.h"
#include "mail/dot.h"
#include "mail/dsn.h"
#include "sys/clock.h"
#include "sys/dropdir.h"

#define READ_MAX	(32u << 10)	/* bytes of the file in hand	*/
#define WHY_MAX		600
#define NOTICE_AGAIN_MS	60000		/* then twice as long, and so on */
#define NOTICE_TRIES	6
#define TRIES_LEAST	3		/* whatever its age is		*/

enum step {
	STEP_GREETING, STEP_HELLO, STEP_MAIL, STEP_RCPT, STEP_DATA, STEP_TEXT,
	STEP_END, STEP_RESET
};

struct carry {
	struct edge	*edge;
	struct seat	*seat;
	struct later	 turn;
	struct timer	 again;		/* for the notice alone		*/
	carry_end_fn	*on_end;
	void		*arg;
	struct carry_file file;

	enum step	 step;		/* whose reply comes next	*/
	struct grow	 said;		/* not fed yet			*/
	struct response	 response;		/* the reply		*/
	struct span	 rcpts, rcpt;	/* not asked about; the last one */
	unsigned	 taken_cnt;	/* recipients, in this transaction */
	unsigned	 kept_cnt;	/* and those with a 250 at the end */
	uint64_t	 at;		/* bytes of the text taken	*/
	struct dot	 dot;
	struct notice	 notice;	/* who was refused, and why	*/
	bool		 is_notice;	/* that goes, and not the file	*/
	unsigned	 notice_tries;

	bool		 is_over;
	enum carry_end	 end;
	char		 why[WHY_MAX];
};

/* What the queue has is not to be sent once more for the notice's sake. */
static void
be_over(struct carry *c, enum carry_end end, const char *why)
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
		be_over(c, CARRY_NEVER, "an address is too long");
		return;
	}
	line[len++] = '\r';
	line[len++] = '\n';
	c->step = step;
	if (grow_add(&c->said, (struct span){ line, (size_t)len }) != OK)
		be_over(c, CARRY_LATER, "no memory");
}

static uint64_t
text_len(const struct carry *c)
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
	    (int)sender.len, sender.ptr, text_len(c),
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
		be_over(c, CARRY_NEVER, notice_first(&c->notice));
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
		be_over(c, CARRY_LATER, "no memory");
}

/* The whole is refused for good. */
static void
refuse_all(struct carry *c)
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
		be_over(c, CARRY_KEPT, NULL);
		return;
	}
	c->kept_cnt = c->taken_cnt;
	if (notice_is_empty(&c->notice))
		be_over(c, CARRY_KEPT, NULL);
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
static bool
is_too_old(const struct carry *c)
{
	struct stat now;

	return c->file.tries + 1 >= TRIES_LEAST && c->kept_cnt == 0 &&
	    fstat(c->file.fd, &now) == 0 && clock_wall_ms() -
	    (int64_t)now.st_ctim.tv_sec * 1000 >= c->edge->set.lifetime_ms;
}

/* Its last answer is "not now", and for good by now. */
static void
turn_into_never(struct carry *c, const char *answer)
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
		refuse_all(c);
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
		be_over(c, CARRY_LATER, answer);
	else if (code == wanted)
		go_on(c);
	else if (code / 100 == 5 && c->step != STEP_GREETING &&
	    c->step != STEP_HELLO)
		refused(c);
	else if (c->step == STEP_RCPT && is_too_old(c)) {
		turn_into_never(c, answer);
		refused(c);
	} else {
		be_over(c, CARRY_LATER, answer);
	}
}

/* Read what the session has said; false when there was nothing whole. */
static bool
hear(struct carry *c)
{
	struct span have = grow_span(&c->seat->out), rest = have;
	enum err e = response_take(&rest, &c->response);

	if (e == ERR_AGAIN && c->seat->is_closed)
		be_over(c, CARRY_LATER, "the session has ended");
	else if (e == ERR_PEER)
		be_over(c, CARRY_LATER, "the session speaks no SMTP");
	if (e != OK)
		return false;
	grow_drop(&c->seat->out, have.len - rest.len);
	take_reply(c);
	return true;
}

/* The text so far, with its dots, into what is to be fed. */
static void
put_text(struct carry *c, struct span text)
{
	struct span run;

	c->at += text.len;
	while (dot_next(&c->dot, &text, &run))
		if (grow_add(&c->said, run) != OK) {
			be_over(c, CARRY_LATER, "no memory");
			return;
		}
	if (c->dot.bad)
		be_over(c, CARRY_NEVER, "its text has a bare CR, LF or NUL");
}

/* All of it is said: but is it still what it was? */
static void
end_text(struct carry *c)
{
	struct stat now;

	if (!c->is_notice && (fstat(c->file.fd, &now) == -1 ||
	    !dropdir_is_same(&now, &c->file.st))) {
		be_over(c, CARRY_LATER, "it was changed while it was read");
		return;
	}
	c->step = STEP_END;
	if (grow_add(&c->said, dot_end(&c->dot)) != OK)
		be_over(c, CARRY_LATER, "no memory");
}

static void
more_text(struct carry *c)
{
	uint64_t left = text_len(c) - c->at;
	size_t want = left < READ_MAX ? (size_t)left : READ_MAX;
	char buf[READ_MAX];
	ssize_t n;

	if (left == 0) {
		end_text(c);
		return;
	}
	if (c->is_notice) {
		put_text(c, span_head(span_tail(notice_text(&c->notice),
		    (size_t)c->at), want));
		return;
	}
	n = pread(c->file.fd, buf, want,
	    (off_t)(c->file.d.head_len + c->at));
	if (n <= 0)
		be_over(c, CARRY_LATER, n == 0 ?
		    "it became shorter while it was read" :
		    "it cannot be read");
	else
		put_text(c, (struct span){ buf, (size_t)n });
}

/* Feed what there is; false when the session takes nothing now. */
static bool
feed(struct carry *c)
{
	const struct protocol *p = c->seat->protocol;
	struct span in;
	size_t before;

	if (p->room(c->seat) == 0)
		return false;
	if (c->said.len == 0 && c->step == STEP_TEXT)
		more_text(c);
	if (c->is_over || c->said.len == 0)
		return false;
	in = grow_span(&c->said);
	before = in.len;
	p->feed(c->seat, &in);
	grow_drop(&c->said, before - in.len);
	return in.len < before;
}

static void
wake(void *arg)
{
	struct carry *c = arg;

	later_call(&c->turn);
}

static struct seat *
open_seat(struct carry *c)
{
	struct client_address address =
	    client_address_user((uint32_t)c->file.st.st_uid);

	return c->edge->protocol->open(c->edge, &address, wake, c);
}

/* The notice, in a session of its own. */
static void
begin_again(struct carry *c)
{
	struct seat *seat = open_seat(c);

	if (seat == NULL) {
		be_over(c, CARRY_LATER, "no memory");
		return;
	}
	c->seat->protocol->close(&c->seat);
	c->seat = seat;
	grow_free(&c->said);
	c->is_over = false;
	c->step = STEP_GREETING;
	c->seat->protocol->greet(c->seat);
	later_call(&c->turn);
}

/* The queue has the file, and the notice is still to be sent. */
static void
wait_with_notice(struct carry *c)
{
	if (c->notice_tries < NOTICE_TRIES) {
		timer_set(&c->again, (int64_t)NOTICE_AGAIN_MS <<
		    c->notice_tries++);
		return;
	}
	notice_log(&c->notice, c->file.d.sender);
	c->on_end(CARRY_KEPT, NULL, c->arg);
}

static void
try_notice(struct timer *timer, void *arg)
{
	struct carry *c = arg;

	begin_again(c);
	if (c->is_over)
		wait_with_notice(c);
}

/* Its sender is told that nobody takes it, or cannot be told. */
static void
expire(struct carry *c)
{
	char why[WHY_MAX];

	if (c->is_notice) {
		snprintf(why, sizeof(why), "it is too old, and its sender "
		    "cannot be told: %.500s", c->why);
		(void)strlcpy(c->why, why, sizeof(c->why));
		c->end = CARRY_NEVER;
		return;
	}
	turn_into_never(c, c->why);
	c->is_over = false;
	refuse_all(c);
	if (!c->is_over)
		begin_again(c);
}

static void
take_turn(struct later *later, void *arg)
{
	struct carry *c = arg;
	bool moves = true;

	while (!c->is_over && moves)
		moves = hear(c) || (!c->is_over && feed(c));
	if (c->is_over && c->end == CARRY_LATER && is_too_old(c))
		expire(c);
	if (!c->is_over)
		return;
	if (c->end == CARRY_LATER && c->kept_cnt > 0)
		wait_with_notice(c);
	else
		c->on_end(c->end, c->end == CARRY_KEPT ? NULL : c->why,
		    c->arg);
}

enum err
carry_open(struct carry **out, struct edge *edge,
    const struct carry_file *file, carry_end_fn *on_end, void *arg)
{
	struct carry *c = calloc(1, sizeof(*c));

	if (c != NULL) {
		c->edge = edge;
		c->file = *file;
		c->seat = open_seat(c);
	}
	if (c == NULL || c->seat == NULL) {
		free(c);
		free(file->front);
		close(file->fd);
		return ERR_FULL;
	}
	c->on_end = on_end;
	c->arg = arg;
	edge->client_cnt++;
	later_init(&c->turn, edge->loop, take_turn, c);
	timer_init(&c->again, edge->loop, try_notice, c);
	c->seat->protocol->greet(c->seat);
	later_call(&c->turn);
	*out = c;
	return OK;
}

void
carry_close(struct carry **cp)
{
	struct carry *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	later_stop(&c->turn);
	timer_stop(&c->again);
	if (--c->edge->client_cnt == 0 && c->edge->is_draining)
		later_call(&c->edge->ended);
	c->seat->protocol->close(&c->seat);
	notice_clear(&c->notice);
	grow_free(&c->said);
	close(c->file.fd);
	free(c->file.front);
	free(c);
}
