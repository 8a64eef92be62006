/*
 * auth.c - what the client says is decoded on the stack, given on, and wiped
 * there: no password is kept.  Whoever holds the line wipes that, see
 * session_is_private().
 *
 * A name or a pair of names that cannot be right fails like a wrong password,
 * and as slowly.
 */
#include <stdlib.h>
#include <string.h>

#include "ask/login.h"
#include "base/log.h"
#include "edge/smtp/auth.h"
#include "edge/edge.h"
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"
#include "mail/account.h"
#include "mail/base64.h"
#include "sys/counters.h"

#define USER_PROMPT	"VXNlcm5hbWU6"		/* "Username:"	*/
#define PASSWORD_PROMPT	"UGFzc3dvcmQ6"		/* "Password:"	*/

enum auth_wants { WANTS_PLAIN, WANTS_USER, WANTS_PASSWORD };

struct auth {
	struct session	*session;
	enum auth_wants	 wants;		/* in the next response		*/
	bool		 is_busy;	/* a 454 is delayed, not a 535	*/
	int64_t		 asked_ms;	/* when the password was said	*/
	struct login_query *query;
	struct timer	 delay;		/* runs before a 535 or 454	*/
	struct span	 password;	/* in the buffer it was decoded into */
	char		 user[LOGIN_USER_MAX + 1]; /* "": none that can be */
};

void
auth_end(struct auth **ap)
{
	struct auth *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	a->session->claims = NULL;
	login_cancel(&a->query);
	timer_stop(&a->delay);
	free(a);
}

static void
delay_is_over(struct timer *timer, void *arg)
{
	static const struct reply no = { 535, "5.7.8",
	    "Authentication credentials invalid", false };
	static const struct reply too_many = { 421, "4.7.0",
	    "Too many failed logins", true };
	struct auth *a = arg;
	struct session *s = a->session;

	if (a->is_busy)
		session_away(s);
	else if (s->login_failures > AUTH_FAILURES_MAX)
		session_resume(s, &too_many);
	else
		session_resume(s, &no);
}

int64_t
auth_wait_ms(int64_t elapsed_ms, unsigned failures)
{
	int64_t delay_ms = (int64_t)AUTH_DELAY_MS << failures;

	return delay_ms - elapsed_ms % delay_ms;
}

static void
delay(struct session *s)
{
	timer_set(&s->auth->delay, auth_wait_ms(ev_now_ms(s->edge->loop) -
	    s->auth->asked_ms, s->login_failures));
}

static void
fail(struct session *s)
{
	counter_add(COUNTER_login_failures, 1);
	delay(s);
	s->login_failures++;
}

/* As late as a failure: who crowds others out gains nothing by it. */
static void
put_off(struct session *s)
{
	s->auth->is_busy = true;
	delay(s);
}

static void
log_login(const struct session *s)
{
	struct log_line l;

	log_begin(&l, LOG_logged_in);
	log_hex(&l, LOG_KEY_session, s->origin.session);
	log_text(&l, LOG_KEY_client, s->origin.client);
	if (s->origin.helo != NULL)
		log_text(&l, LOG_KEY_helo, s->origin.helo);
	log_text(&l, LOG_KEY_user, s->origin.login);
	log_end(&l);
}

/* The password is right, and nobody objects. */
static enum taken
succeed(struct session *s)
{
	if ((s->origin.login = strdup(s->auth->user)) == NULL) {
		session_say(s, &check_login.away);
		return REFUSED;
	}
	counter_add(COUNTER_logins, 1);
	log_login(s);
	s->junk_cnt = 0;
	cmd_say_yes(s, POINT_AUTH);
	return TAKEN;
}

/* The exchange is over. */
static enum taken
finish(struct session *s, const struct reply *no)
{
	enum taken taken = REFUSED;

	if (no == NULL)
		taken = succeed(s);
	else
		session_say(s, no);
	auth_end(&s->auth);
	return taken;
}

void
auth_status(struct session *s, enum login_status status)
{
	switch (status) {
	case LOGIN_GOOD:
		session_resume(s, NULL);
		return;
	case LOGIN_BAD:
		fail(s);
		return;
	default:
		put_off(s);
		return;
	}
}

static void
vault_answers(enum login_status status, void *arg)
{
	struct auth *a = arg;

	a->query = NULL;
	auth_status(a->session, status);
}

static enum answer
judge_login(struct session *s, struct reply *no)
{
	struct auth *a = s->auth;
	char network[CLIENT_ADDRESS_TEXT];

	a->asked_ms = ev_now_ms(s->edge->loop);
	if (a->user[0] == '\0') {
		fail(s);
		return ANSWER_LATER;
	}
	/* Whoever has a /64 is one client, as in limits.h. */
	client_address_net_text(&s->origin.address, network);
	a->query = login_ask(s->edge->users, span_of(a->user), a->password,
	    span_of(network), vault_answers, a);
	if (a->query == NULL)
		put_off(s);
	return ANSWER_LATER;
}

static void
cancel_login(struct session *s)
{
	login_cancel(&s->auth->query);
	timer_stop(&s->auth->delay);
}

/* The vault's answer comes at the latest after LOGIN_PATIENCE_MS, see login.h:
 * it needs no patience of its own here. */
const struct check check_login = {
	.name = "login", .asks = "users", .judge = judge_login,
	.cancel = cancel_login,
	.away = { 454, "4.7.0", "Temporary authentication failure", false },
};

/* All is said that the client has to say.  Only while this call lasts is the
 * password at hand: login is the first check of its stage. */
static enum taken
ask(struct session *s, struct span password)
{
	enum taken taken;

	s->auth->password = password;
	taken = stage_run(s, AT_AUTH, finish);
	if (s->auth != NULL)
		s->auth->password = SPAN("");
	return taken;
}

static void
note_user(struct auth *a, struct span user)
{
	char key[ACCOUNT_KEY_MAX];

	/* However its domain is written, one user is one tenant. */
	if (!account_is_name(user) ||
	    (!span_cstr(account_key(user, key), a->user, sizeof(a->user)) &&
	    !span_cstr(user, a->user, sizeof(a->user))))
		a->user[0] = '\0';
}

/* Give the exchange up, with a reply. */
static enum taken
give_up(struct session *s, unsigned code, const char *dsn, const char *text)
{
	session_refuse(s, code, dsn, "%s", text);
	auth_end(&s->auth);
	return REFUSED;
}

/* authzid NUL authcid NUL password, RFC 4616 2. */
static enum taken
take_plain(struct session *s, struct span bytes)
{
	struct span authzid = span_head(bytes, span_find(bytes, '\0'));
	struct span rest = span_tail(bytes, authzid.len + 1);
	struct span user = span_head(rest, span_find(rest, '\0'));
	struct span password = span_tail(rest, user.len + 1);

	if (authzid.len == bytes.len || user.len == rest.len ||
	    span_find(password, '\0') < password.len)
		return give_up(s, 501, "5.5.2", "Cannot read response");
	if (authzid.len == 0 || span_eq(authzid, user))
		note_user(s->auth, user);
	return ask(s, password);
}

static enum taken
prompt(struct session *s, const char *text)
{
	session_reply(s, 334, "", "%s", text);
	return MORE;
}

/* What the client's response decodes to. */
static enum taken
take(struct session *s, struct span bytes)
{
	switch (s->auth->wants) {
	case WANTS_USER:
		note_user(s->auth, bytes);
		s->auth->wants = WANTS_PASSWORD;
		return prompt(s, PASSWORD_PROMPT);
	case WANTS_PASSWORD:
		return ask(s, bytes);
	default:
		return take_plain(s, bytes);
	}
}

static enum taken
decode(struct session *s, struct span text)
{
	char bytes[AUTH_LINE_MAX / 4 * 3];
	enum taken taken;
	size_t len;

	if (!base64_decode(text, bytes, sizeof(bytes), &len))
		return give_up(s, 501, "5.5.2", "Cannot decode response");
	taken = take(s, (struct span){ bytes, len });
	explicit_bzero(bytes, sizeof(bytes));
	return taken;
}

enum taken
auth_respond(struct session *s, struct span line)
{
	if (span_find(line, '\r') < line.len ||
	    span_find(line, '\0') < line.len)
		return give_up(s, 500, "5.5.2", "Bare CR or NUL not allowed");
	if (span_eq(line, SPAN("*")))
		return give_up(s, 501, "5.7.0", "Authentication cancelled");
	return decode(s, line);
}

enum taken
auth_begin(struct session *s, enum auth_mechanism mechanism,
    const struct span *initial)
{
	struct auth *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		session_say(s, &check_login.away);
		return REFUSED;
	}
	a->session = s;
	a->wants = mechanism == AUTH_PLAIN ? WANTS_PLAIN : WANTS_USER;
	timer_init(&a->delay, s->edge->loop, delay_is_over, a);
	s->auth = a;
	s->claims = a->user;
	if (initial == NULL)
		return prompt(s, mechanism == AUTH_PLAIN ? "" : USER_PROMPT);
	if (span_eq(*initial, SPAN("=")))
		return take(s, SPAN(""));
	return decode(s, *initial);
}
