/*
 * carry.c - both halves of a dialogue in one process: what we say is fed to the
 * session, what it says is read from its seat.  It calls on_wake from wherever
 * an answer came from, so nothing is done there but a call for later.
 *
 * The final dot is not said before the file was found to be what it was at the
 * beginning: who writes into it meanwhile only sends it later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/drop/carry_inside.h"
#include "edge/edge.h"
#include "edge/protocol.h"
#include "sys/dropdir.h"

#define READ_MAX	(32u << 10)	/* bytes of the file in hand	*/
#define NOTICE_AGAIN_MS	60000		/* then twice as long, and so on */
#define NOTICE_TRIES	6

/* The text so far, with its dots, into what is to be fed. */
static void
put_text(struct carry *c, struct span text)
{
	struct span run;

	c->at += text.len;
	while (dot_next(&c->dot, &text, &run))
		if (grow_add(&c->unread, run) != OK) {
			carry_over(c, CARRY_LATER, "no memory");
			return;
		}
	if (c->dot.bad)
		carry_over(c, CARRY_NEVER, "its text has a bare CR, LF or NUL");
}

/* All of it is said: but is it still what it was? */
static void
end_text(struct carry *c)
{
	struct stat now;

	if (!c->is_notice && (fstat(c->file.fd, &now) == -1 ||
	    !dropdir_is_same(&now, &c->file.st))) {
		carry_over(c, CARRY_LATER, "it was changed while it was read");
		return;
	}
	c->step = STEP_END;
	if (grow_add(&c->unread, dot_end(&c->dot)) != OK)
		carry_over(c, CARRY_LATER, "no memory");
}

static void
more_text(struct carry *c)
{
	uint64_t left = carry_text_len(c) - c->at;
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
		carry_over(c, CARRY_LATER, n == 0 ?
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
	if (c->unread.len == 0 && c->step == STEP_TEXT)
		more_text(c);
	if (c->is_over || c->unread.len == 0)
		return false;
	in = grow_span(&c->unread);
	before = in.len;
	p->feed(c->seat, &in);
	grow_drop(&c->unread, before - in.len);
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
		carry_over(c, CARRY_LATER, "no memory");
		return;
	}
	c->seat->protocol->close(&c->seat);
	c->seat = seat;
	grow_free(&c->unread);
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
	char why[CARRY_WHY_MAX];

	if (c->is_notice) {
		snprintf(why, sizeof(why), "it is too old, and its sender "
		    "cannot be told: %.500s", c->why);
		(void)strlcpy(c->why, why, sizeof(c->why));
		c->end = CARRY_NEVER;
		return;
	}
	carry_turn_into_never(c, c->why);
	c->is_over = false;
	carry_refuse_all(c);
	if (!c->is_over)
		begin_again(c);
}

static void
take_turn(struct later *later, void *arg)
{
	struct carry *c = arg;
	bool moves = true;

	while (!c->is_over && moves)
		moves = carry_hear(c) || (!c->is_over && feed(c));
	if (c->is_over && c->end == CARRY_LATER && carry_is_too_old(c))
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
	grow_free(&c->unread);
	close(c->file.fd);
	free(c->file.front);
	free(c);
}
