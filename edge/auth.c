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
#include "edge/auth.h"
#include "edge/edge.h"
#include "edge/session.h"
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
	char		 user[LOGIN_USER_MAX + 1]; /* "": none that can be */
};

void
auth_end(struct auth **ap)
{
	struct auth *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	login_cancel(&a->query);
	timer_stop(&a->delay);
	free(a);
}

const char *
auth_user(const struct auth *a)
{
	return a->user;
}

/* The exchange is over and a reply is said; the session goes on. */
static void
go_back(struct session *s)
{
	auth_end(&s->auth);
	s->since_ms = ev_now_ms(s->edge->loop);
	if (s->state == ST_CLOSED)
		return;
	s->state = ST_READY;
	if (s->edge->is_draining)
		session_drain(s);
}

static void
say_no(struct session *s)
{
	s->verb = "AUTH";
	if (s->login_failures > AUTH_FAILURES_MAX)
		session_end(s, "4.7.0", "Too many failed logins");
	else
		session_refuse(s, 535, "5.7.8",
		    "Authentication credentials invalid");
	go_back(s);
}

static void
refuse_for_now(struct session *s)
{
	s->verb = "AUTH";
	session_refuse(s, 454, "4.7.0", "Temporary authentication failure");
	go_back(s);
}

static void
delay_is_over(struct timer *timer, void *arg)
{
	struct auth *a = arg;
	struct session *s = a->session;

	if (a->is_busy)
		refuse_for_now(s);
	else
		say_no(s);
	session_wake(s);
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
	log_text(&l, LOG_KEY_client, s->client_text);
	log_text(&l, LOG_KEY_user, s->login);
	log_end(&l);
}

static void
succeed(struct session *s)
{
	if ((s->login = strdup(s->auth->user)) == NULL) {
		refuse_for_now(s);
		return;
	}
	counter_add(COUNTER_logins, 1);
	log_login(s);
	s->junk_cnt = 0;
	session_reply(s, 235, "2.7.0", "Authentication successful");
	go_back(s);
}

static void
judge(struct session *s, enum login_status status)
{
	switch (status) {
	case LOGIN_GOOD:
		succeed(s);
		return;
	case LOGIN_BAD:
		fail(s);
		return;
	default:
		put_off(s);
		return;
	}
}

void
auth_told(struct session *s, enum login_status status)
{
	judge(s, status);
	session_wake(s);
}

static void
vault_answers(enum login_status status, void *arg)
{
	struct auth *a = arg;

	a->query = NULL;
	auth_told(a->session, status);
}

/* All is said that the client has to say. */
static void
ask(struct session *s, struct span password)
{
	struct auth *a = s->auth;
	char network[CROWD_NET_TEXT];

	s->state = ST_LOGIN;
	a->asked_ms = ev_now_ms(s->edge->loop);
	if (a->user[0] == '\0') {
		fail(s);
		return;
	}
	/* Whoever has a /64 is one client, as in the crowd. */
	crowd_net_text(&s->address, network);
	a->query = login_ask(s->edge->users, span_of(a->user), password,
	    span_of(network), vault_answers, a);
	if (a->query == NULL)
		judge(s, LOGIN_BUSY);
}

static void
note_user(struct auth *a, struct span user)
{
	char *domain;

	if (!account_is_name(user) ||
	    !span_cstr(user, a->user, sizeof(a->user))) {
		a->user[0] = '\0';
		return;
	}
	/* Domains have no case, and one user is one tenant. */
	if ((domain = strrchr(a->user, '@')) == NULL)
		return;
	for (; *domain != '\0'; domain++)
		if (*domain >= 'A' && *domain <= 'Z')
			*domain = (char)(*domain - 'A' + 'a');
}

/* Give the exchange up, with a reply. */
static void
give_up(struct session *s, unsigned code, const char *dsn, const char *text)
{
	session_refuse(s, code, dsn, "%s", text);
	go_back(s);
}

/* authzid NUL authcid NUL password, RFC 4616 2. */
static void
take_plain(struct session *s, struct span bytes)
{
	struct span authzid = span_head(bytes, span_find(bytes, '\0'));
	struct span rest = span_tail(bytes, authzid.len + 1);
	struct span user = span_head(rest, span_find(rest, '\0'));
	struct span password = span_tail(rest, user.len + 1);

	if (authzid.len == bytes.len || user.len == rest.len ||
	    span_find(password, '\0') < password.len) {
		give_up(s, 501, "5.5.2", "Cannot read response");
		return;
	}
	if (authzid.len == 0 || span_eq(authzid, user))
		note_user(s->auth, user);
	ask(s, password);
}

static void
prompt(struct session *s, const char *text)
{
	session_reply(s, 334, "", "%s", text);
	if (s->state != ST_CLOSED)
		s->state = ST_AUTH;
}

/* What the client's response decodes to. */
static void
take(struct session *s, struct span bytes)
{
	switch (s->auth->wants) {
	case WANTS_PLAIN:
		take_plain(s, bytes);
		return;
	case WANTS_USER:
		note_user(s->auth, bytes);
		s->auth->wants = WANTS_PASSWORD;
		prompt(s, PASSWORD_PROMPT);
		return;
	case WANTS_PASSWORD:
		ask(s, bytes);
		return;
	}
}

static void
decode(struct session *s, struct span text)
{
	char bytes[AUTH_LINE_MAX / 4 * 3];
	size_t len;

	if (base64_decode(text, bytes, sizeof(bytes), &len))
		take(s, (struct span){ bytes, len });
	else
		give_up(s, 501, "5.5.2", "Cannot decode response");
	explicit_bzero(bytes, sizeof(bytes));
}

void
auth_respond(struct session *s, struct span line)
{
	if (span_eq(line, SPAN("*")))
		give_up(s, 501, "5.7.0", "Authentication cancelled");
	else
		decode(s, line);
}

void
auth_begin(struct session *s, enum auth_mechanism mechanism,
    const struct span *initial)
{
	struct auth *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		refuse_for_now(s);
		return;
	}
	a->session = s;
	a->wants = mechanism == AUTH_PLAIN ? WANTS_PLAIN : WANTS_USER;
	timer_init(&a->delay, s->edge->loop, delay_is_over, a);
	s->auth = a;
	if (initial == NULL)
		prompt(s, mechanism == AUTH_PLAIN ? "" : USER_PROMPT);
	else if (span_eq(*initial, SPAN("=")))
		take(s, SPAN(""));
	else
		decode(s, *initial);
}
