/*
 * Asking for a login: over a link to a vault of ours, which answers, waits,
 * speaks nonsense, or is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask/login.h"

#define MAX	16

struct world {
	struct ev_loop	*loop;
	struct login	*login;
	struct link	*vault;
	struct timer	 patience, tick;
	unsigned	 lost_cnt;
	enum err	 why;
	unsigned	 ask_cnt;
	uint64_t	 requests[MAX];
	char		 user[300], password[300], client[64];
	unsigned	 told_cnt;
	enum login_status told;
	bool		 in_call;
};

static enum err
vault_hears(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct world *w = arg;

	assert_int_equal(type, MSG_login_ask);
	assert_true(w->ask_cnt < MAX);
	w->requests[w->ask_cnt++] = m->login_ask.request;
	assert_true(span_cstr(m->login_ask.user, w->user, sizeof(w->user)));
	assert_true(span_cstr(m->login_ask.password, w->password,
	    sizeof(w->password)));
	assert_true(span_cstr(m->login_ask.client, w->client,
	    sizeof(w->client)));
	return OK;
}

static void
vault_gone(struct link *l, enum err why, void *arg)
{
	struct world *w = arg;

	link_close(&w->vault);
}

static void
lost(const struct link_peer *peer, enum err why, void *arg)
{
	struct world *w = arg;

	assert_int_equal(peer->no, 9);
	w->lost_cnt++;
	w->why = why;
}

static void
told(enum login_status status, void *arg)
{
	struct world *w = arg;

	assert_false(w->in_call);
	w->told_cnt++;
	w->told = status;
}

static void
out_of_patience(struct timer *t, void *arg)
{
	fail_msg("nothing happened");
}

static void
tick(struct timer *t, void *arg)
{
	struct world *w = arg;

	ev_stop(w->loop);
}

/* A few turns: what was said has been heard, and answered. */
static void
turns(struct world *w)
{
	timer_set(&w->tick, 20);
	assert_int_equal(ev_run(w->loop), OK);
}

static void
make_link(struct world *w)
{
	static const struct link_peer vault = {
		.role = ROLE_USERS, .block = "staff", .no = 9,
	};
	static const struct link_peer edge = {
		.role = ROLE_EDGE, .block = "in", .no = 3,
	};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(login_set_link(w->login, fds[0], ROLE_EDGE, &vault),
	    OK);
	link_close(&w->vault);
	assert_int_equal(link_open(&w->vault, w->loop, fds[1], ROLE_USERS,
	    &edge, vault_hears, vault_gone, w), OK);
}

static int
begin(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	if (ev_open(&w.loop) != OK ||
	    login_open(&w.login, w.loop, lost, &w) != OK)
		return -1;
	timer_init(&w.patience, w.loop, out_of_patience, &w);
	timer_set(&w.patience, 60000);
	timer_init(&w.tick, w.loop, tick, &w);
	*state = &w;
	return 0;
}

static int
end(void **state)
{
	struct world *w = *state;

	login_close(&w->login);
	link_close(&w->vault);
	timer_stop(&w->patience);
	timer_stop(&w->tick);
	ev_close(&w->loop);
	return 0;
}

static struct login_query *
ask(struct world *w, const char *user, const char *password)
{
	struct login_query *q;

	w->in_call = true;
	q = login_ask(w->login, span_of(user), span_of(password),
	    SPAN("192.0.2.1"), told, w);
	w->in_call = false;
	assert_non_null(q);
	return q;
}

static void
answer(struct world *w, uint64_t request, unsigned status)
{
	(void)link_send_login_answer(w->vault, &(struct msg_login_answer){
	    request, (uint8_t)status });
}

static void
an_answer_finds_its_question(void **state)
{
	struct world *w = *state;

	make_link(w);
	(void)ask(w, "ann", "wheel");
	(void)ask(w, "bob", "barrow");
	turns(w);
	assert_int_equal(w->ask_cnt, 2);
	assert_string_equal(w->user, "bob");
	assert_string_equal(w->password, "barrow");
	assert_string_equal(w->client, "192.0.2.1");
	assert_int_equal(w->told_cnt, 0);
	answer(w, w->requests[1], LOGIN_GOOD);
	turns(w);
	assert_int_equal(w->told_cnt, 1);
	assert_int_equal(w->told, LOGIN_GOOD);
	answer(w, w->requests[0], LOGIN_BAD);
	turns(w);
	assert_int_equal(w->told_cnt, 2);
	assert_int_equal(w->told, LOGIN_BAD);
}

static void
without_a_vault_the_answer_is_later(void **state)
{
	struct world *w = *state;

	(void)ask(w, "ann", "wheel");
	assert_int_equal(w->told_cnt, 0);
	turns(w);
	assert_int_equal(w->told_cnt, 1);
	assert_int_equal(w->told, LOGIN_BUSY);
}

static void
what_is_too_long_or_empty_is_no_login(void **state)
{
	struct world *w = *state;
	char longest[LOGIN_USER_MAX + 2];

	memset(longest, 'x', sizeof(longest));
	longest[LOGIN_USER_MAX + 1] = '\0';
	make_link(w);
	(void)ask(w, "", "x");
	(void)ask(w, "x", "");
	(void)ask(w, longest, "x");
	(void)ask(w, "x", longest);
	turns(w);
	assert_int_equal(w->told_cnt, 4);
	assert_int_equal(w->told, LOGIN_BAD);
	assert_int_equal(w->ask_cnt, 0);
	longest[LOGIN_USER_MAX] = '\0';
	(void)ask(w, longest, longest);
	turns(w);
	assert_int_equal(w->ask_cnt, 1);
	assert_string_equal(w->password, longest);
}

static void
a_vault_that_dies_leaves_nobody_waiting(void **state)
{
	struct world *w = *state;

	make_link(w);
	(void)ask(w, "ann", "wheel");
	(void)ask(w, "bob", "wheel");
	turns(w);
	link_close(&w->vault);
	turns(w);
	assert_int_equal(w->lost_cnt, 1);
	assert_int_equal(w->why, ERR_CLOSED);
	assert_int_equal(w->told_cnt, 2);
	assert_int_equal(w->told, LOGIN_BUSY);
	make_link(w);
	(void)ask(w, "ann", "wheel");
	turns(w);
	answer(w, w->requests[w->ask_cnt - 1], LOGIN_GOOD);
	turns(w);
	assert_int_equal(w->told, LOGIN_GOOD);
}

/* A new link in place of one that still stands: nobody answers the old. */
static void
a_new_link_ends_what_was_asked_on_the_old(void **state)
{
	struct world *w = *state;

	make_link(w);
	(void)ask(w, "ann", "wheel");
	turns(w);
	make_link(w);
	turns(w);
	assert_int_equal(w->told_cnt, 1);
	assert_int_equal(w->told, LOGIN_BUSY);
	answer(w, w->requests[0], LOGIN_GOOD);
	turns(w);
	assert_int_equal(w->told_cnt, 1);
	assert_int_equal(w->lost_cnt, 0);
}

static void
a_cancelled_question_is_silent(void **state)
{
	struct world *w = *state;
	struct login_query *q;

	make_link(w);
	q = ask(w, "ann", "wheel");
	turns(w);
	login_cancel(&q);
	assert_null(q);
	answer(w, w->requests[0], LOGIN_GOOD);
	turns(w);
	assert_int_equal(w->told_cnt, 0);
	assert_int_equal(w->lost_cnt, 0);
	login_cancel(&q);
}

static void
nonsense_costs_the_link(void **state)
{
	struct world *w = *state;

	make_link(w);
	(void)ask(w, "ann", "wheel");
	turns(w);
	answer(w, w->requests[0], LOGIN__COUNT);
	turns(w);
	assert_int_equal(w->lost_cnt, 1);
	assert_int_equal(w->why, ERR_PEER);
	assert_int_equal(w->told, LOGIN_BUSY);
	make_link(w);
	answer(w, 77, LOGIN_GOOD);		/* never asked */
	turns(w);
	assert_int_equal(w->lost_cnt, 2);
	assert_int_equal(w->why, ERR_PEER);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_finds_its_question),
		TEST(without_a_vault_the_answer_is_later),
		TEST(what_is_too_long_or_empty_is_no_login),
		TEST(a_vault_that_dies_leaves_nobody_waiting),
		TEST(a_new_link_ends_what_was_asked_on_the_old),
		TEST(a_cancelled_question_is_silent),
		TEST(nonsense_costs_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
