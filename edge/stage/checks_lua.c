/*
 * checks_lua.c - the functions of `validators', one check for each command, all
 * of them skipped where there are none.
 *
 * What a function makes of a reply that stays a yes is kept in the session
 * until the command says it: s->yes.  After `queued' there is no way back, for
 * the message is stored: whatever that function does, the client hears 250.
 */
#include <stdlib.h>
#include <string.h>

#include "edge/edge.h"
#include "edge/lua/validators.h"
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"

#define PATIENCE_MS	30000	/* for what a function waits for	*/
#define LATER		"This cannot be judged now, try again later"
#define AWAY		{ 451, "4.3.0", LATER, false }

static void
set_yes(struct session *s, const struct reply *r)
{
	free(s->yes);
	if ((s->yes = malloc(sizeof(*s->yes))) != NULL)
		*s->yes = *r;
}

/* No one's words take back what is stored. */
static bool
is_too_late(const struct validators_turn *t)
{
	return t->point == POINT_QUEUED && t->reply.code != t->usual.code;
}

/* What the turn came to; it is over. */
static enum answer
finish(struct session *s, struct reply *no)
{
	struct validators_turn *t = s->turn;
	enum answer answer = ANSWER_YES;

	s->turn = NULL;
	if (t->is_changed && !is_too_late(t)) {
		if (t->reply.code >= 400 ||
		    (t->reply.close && t->reply.code != t->usual.code)) {
			*no = t->reply;
			answer = ANSWER_NO;
		} else
			set_yes(s, &t->reply);
	}
	validators_end(t);
	free(t);
	return answer;
}

/* What a function waited for is here. */
static void
go_on(struct session *s)
{
	struct reply no;

	if (validators_go_on(s->turn) == SCRIPT_WAITS)
		return;
	session_resume(s, finish(s, &no) == ANSWER_NO ? &no : NULL);
}

/* The greeting of set_banner_message(), without a function of its own. */
static enum answer
judge_banner_text(struct session *s, const struct reply *r, struct reply *no)
{
	if (r->code >= 400) {
		*no = *r;
		return ANSWER_NO;
	}
	set_yes(s, r);
	return ANSWER_YES;
}

static enum answer
judge(struct session *s, struct reply *no, enum point point)
{
	struct validators *v = s->edge->set.validators;
	struct validators_turn *t;
	struct reply usual;
	bool is_ours;

	if (v == NULL || (point != POINT_BANNER && !validators_has(v, point)))
		return ANSWER_SKIP;
	usual = cmd_yes(s, point);
	is_ours = point == POINT_BANNER && validators_banner(v, &usual);
	if (is_ours && judge_banner_text(s, &usual, no) == ANSWER_NO)
		return ANSWER_NO;
	if (!validators_has(v, point))
		return is_ours ? ANSWER_YES : ANSWER_SKIP;
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		*no = (struct reply)AWAY;
		return point == POINT_QUEUED ? ANSWER_YES : ANSWER_NO;
	}
	t->session = s;
	t->on_here = go_on;
	t->point = point;
	t->usual = usual;
	s->turn = t;
	return validators_run(v, t) == SCRIPT_WAITS ? ANSWER_LATER :
	    finish(s, no);
}

static void
cancel(struct session *s)
{
	validators_end(s->turn);
	free(s->turn);
	s->turn = NULL;
}

/* Behind a handshake that is no command nobody hears a reply: a client may go
 * on whatever it says, and not where the function has failed. */
static enum answer
judge_starttls(struct session *s, struct reply *no)
{
	enum answer answer = judge(s, no, POINT_STARTTLS);

	if (answer == ANSWER_NO && s->state == ST_NEW && no->code != 451)
		return ANSWER_YES;
	return answer;
}

static enum answer
judge_ehlo(struct session *s, struct reply *no)
{
	return judge(s, no, strcmp(s->verb, "HELO") == 0 ? POINT_HELO :
	    POINT_EHLO);
}

#define JUDGE(name, point)						\
static enum answer							\
judge_##name(struct session *s, struct reply *no)			\
{									\
	return judge(s, no, point);					\
}

JUDGE(banner, POINT_BANNER)
JUDGE(auth, POINT_AUTH)
JUDGE(mail, POINT_MAIL)
JUDGE(rcpt, POINT_RCPT)
JUDGE(data, POINT_DATA)
JUDGE(have_data, POINT_HAVE_DATA)
JUDGE(queued, POINT_QUEUED)
JUDGE(rset, POINT_RSET)
JUDGE(quit, POINT_QUIT)

#define LUA(command)							\
const struct check check_lua_##command = {				\
	.name = "lua", .asks = "", .judge = judge_##command,	\
	.cancel = cancel, .patience_ms = PATIENCE_MS, .away = AWAY,	\
}

LUA(ehlo);
LUA(starttls);
LUA(auth);
LUA(mail);
LUA(rcpt);
LUA(data);
LUA(have_data);
LUA(rset);
LUA(quit);

const struct check check_lua_banner = {
	.name = "lua", .asks = "", .judge = judge_banner, .cancel = cancel,
	.patience_ms = PATIENCE_MS, .away = { 421, "4.3.0", LATER, true },
};
/* Late or lost, it is stored. */
const struct check check_lua_queued = {
	.name = "lua", .asks = "", .judge = judge_queued, .cancel = cancel,
	.patience_ms = PATIENCE_MS,
};
