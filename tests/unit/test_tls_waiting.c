/*
 * test_tls_waiting - handshakes that wait for a vault that is slow, stopped,
 * dead or away, and clients that do not wait for it.
 *
 * Sanitizer builds wait within the call, so there is nothing to be left in the
 * middle: there the same tests show that the call ends and says why.
 *
 * room: vault
 */
#include <sys/resource.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls_kit.h"

#define LOST_CNT	300	/* sessions left in the middle		*/
#define CROWD		1100	/* over what may wait at once		*/

static struct pair pair;

static void
stop_vault(struct shop *s)
{
	siginfo_t si;

	assert_int_equal(kill(s->vault, SIGSTOP), 0);
	assert_int_equal(waitid(P_PID, (id_t)s->vault, &si, WSTOPPED), 0);
}

/* A session in the middle of its handshake, the vault being stopped. */
static void
open_waiting(struct call *c, struct shop *s)
{
	call_open(c, s);
	call_dial(c);
	call_until_wait(c);
	assert_int_equal(c->step, TLS_WAIT);
}

/* A whole handshake: the vault works, and so do we. */
static void
assert_works(struct shop *s)
{
	struct call c;

	call_open(&c, s);
	call_dial(&c);
	assert_true(call_shake(&c));
	call_close(&c);
}

static void
a_vault_that_dies_fails_the_handshake_and_a_new_one_serves(void **state)
{
	struct shop shop;
	struct call c;

	shop_open(&shop, &pair);
	if (seccomp_is_on()) {
		stop_vault(&shop);
		open_waiting(&c, &shop);
	} else {
		call_open(&c, &shop);
		call_dial(&c);
	}
	kit_vault_end(&shop.vault);
	assert_false(call_shake(&c));
	assert_string_equal(tls_why(c.tls), "the vault does not answer");
	assert_int_equal(ERR_GET_REASON(c.client_error),
	    SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
	call_close(&c);
	shop_turn(&shop, 1);
	assert_int_equal(shop.lost_cnt, 1);
	call_open(&c, &shop);
	call_dial(&c);
	assert_false(call_shake(&c));
	call_close(&c);
	shop_link(&shop);
	assert_works(&shop);
	shop_close(&shop);
}

static void
patience_with_a_stopped_vault_ends_after_five_seconds(void **state)
{
	int64_t begun_ms, ms;
	struct shop shop;
	struct call c;

	shop_open(&shop, &pair);
	shop_turn(&shop, 20);		/* hello has come */
	stop_vault(&shop);
	call_open(&c, &shop);
	call_dial(&c);
	begun_ms = clock_mono_ms();
	assert_false(call_shake(&c));
	ms = clock_mono_ms() - begun_ms;
	assert_in_range(ms, KEYS_PATIENCE_MS - 200, KEYS_PATIENCE_MS + 5000);
	assert_string_equal(tls_why(c.tls), "the vault does not answer");
	call_close(&c);
	assert_int_equal(kill(shop.vault, SIGCONT), 0);
	/* Its answer to the first comes late, and finds nobody. */
	assert_works(&shop);
	assert_int_equal(shop.lost_cnt, 0);
	shop_close(&shop);
}

static void
established_sessions_go_on_without_a_vault(void **state)
{
	struct shop shop;
	struct call c;
	char buf[8];
	size_t got, put;

	shop_open(&shop, &pair);
	call_open(&c, &shop);
	call_dial(&c);
	assert_true(call_shake(&c));
	kit_vault_end(&shop.vault);
	shop_turn(&shop, 20);
	assert_int_equal(shop.lost_cnt, 1);
	assert_int_equal(SSL_write(c.client, "hello", 5), 5);
	assert_int_equal(tls_read(c.tls, buf, sizeof(buf), &got), TLS_OK);
	assert_int_equal(tls_write(c.tls, SPAN("world"), &put), TLS_OK);
	assert_int_equal(SSL_read(c.client, buf, sizeof(buf)), 5);
	call_close(&c);
	shop_close(&shop);
}

/* Where calls do not block, each of these is freed while its fibre sleeps. */
static void
clients_that_leave_in_the_middle_harm_nobody(void **state)
{
	static struct call calls[LOST_CNT];
	int64_t begun_ms = clock_mono_ms();
	struct shop shop;
	bool in_time;

	shop_open(&shop, &pair);
	if (!seccomp_is_on()) {
		for (int i = 0; i < LOST_CNT; i++) {
			call_open(&calls[i], &shop);
			call_dial(&calls[i]);
			call_client_step(&calls[i]);
			call_hang_up(&calls[i]);
			call_server_step(&calls[i]);
			call_close(&calls[i]);
		}
		assert_works(&shop);
		shop_close(&shop);
		return;
	}
	stop_vault(&shop);
	for (int i = 0; i < LOST_CNT; i++) {
		open_waiting(&calls[i], &shop);
		if (i % 3 == 0)
			call_hang_up(&calls[i]);
		if (i % 3 == 1)		/* freed while it waits */
			tls_free(&calls[i].tls);
		calls[i].free_on_wake = i % 2 == 0;
		if (i % 10 == 0)
			shop_turn(&shop, 0);
	}
	assert_int_equal(kill(shop.vault, SIGCONT), 0);
	/* Where all is slow, patience ends before the vault goes on. */
	in_time = clock_mono_ms() - begun_ms < KEYS_PATIENCE_MS / 2;
	for (int i = 0; i < LOST_CNT; i++) {
		if (calls[i].tls != NULL && !calls[i].free_on_wake)
			(void)call_shake(&calls[i]);
		if (i % 3 == 2 && i % 2 != 0)
			assert_int_equal(calls[i].step, in_time ? TLS_OK :
			    calls[i].step == TLS_OK ? TLS_OK : TLS_ERROR);
		if (i % 3 == 1)
			assert_int_equal(calls[i].wakes, 0);
		call_close(&calls[i]);
	}
	assert_works(&shop);
	shop_close(&shop);
}

/* Answered, and freed before it has gone on. */
static void
a_session_freed_between_answer_and_next_step_ends(void **state)
{
	struct shop shop;
	struct call c;

	shop_open(&shop, &pair);
	for (int i = 0; i < 20; i++) {
		call_open(&c, &shop);
		call_dial(&c);
		call_until_wait(&c);
		for (int turns = 0; c.wakes == 0 && turns < 1000 &&
		    c.step == TLS_WAIT; turns++)
			shop_turn(&shop, 1);
		assert_int_equal(c.wakes, seccomp_is_on() ? 1 : 0);
		call_close(&c);
	}
	assert_works(&shop);
	shop_close(&shop);
}

static void
the_loss_of_the_link_wakes_all_who_wait(void **state)
{
	static struct call calls[50];
	struct shop shop;

	shop_open(&shop, &pair);
	if (seccomp_is_on())
		stop_vault(&shop);
	for (int i = 0; i < 50; i++) {
		call_open(&calls[i], &shop);
		call_dial(&calls[i]);
		if (seccomp_is_on())
			call_until_wait(&calls[i]);
		calls[i].free_on_wake = i % 2 == 0;
	}
	kit_vault_end(&shop.vault);
	for (int i = 1; i < 50; i += 2) {
		assert_false(call_shake(&calls[i]));
		assert_int_equal(calls[i].step, TLS_ERROR);
	}
	for (int i = 0; i < 50; i++) {
		assert_int_equal(calls[i].wakes, seccomp_is_on() ? 1 : 0);
		call_close(&calls[i]);
	}
	shop_close(&shop);
}

static void
more_than_may_wait_are_refused_with_words(void **state)
{
	static struct call calls[CROWD];
	unsigned waiting = 0, refused = 0;
	struct rlimit files;
	struct shop shop;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	shop_open(&shop, &pair);
	if (seccomp_is_on())
		stop_vault(&shop);
	for (int i = 0; i < CROWD; i++) {
		call_open(&calls[i], &shop);
		call_dial(&calls[i]);
		call_client_step(&calls[i]);
		call_server_step(&calls[i]);
		waiting += calls[i].step == TLS_WAIT;
		refused += calls[i].step == TLS_ERROR;
		if (calls[i].step == TLS_ERROR)
			assert_string_equal(tls_why(calls[i].tls),
			    "too many handshakes at once");
		SSL_free(calls[i].client);
		calls[i].client = NULL;
	}
	assert_int_equal(waiting, seccomp_is_on() ? 1024 : 0);
	assert_int_equal(refused, seccomp_is_on() ? CROWD - 1024 : 0);
	for (int i = 0; i < CROWD; i++)
		call_close(&calls[i]);
	/* Another vault, which has not been asked all that. */
	kit_vault_end(&shop.vault);
	shop_link(&shop);
	assert_works(&shop);
	shop_close(&shop);
}

static void
a_key_the_vault_does_not_have_fails_the_handshake(void **state)
{
	struct pair other = pair_make("P-256");
	struct tls_server *ours;
	struct shop shop;
	struct call c;

	shop_open(&shop, &pair);
	ours = shop.server;
	assert_int_equal(tls_server_open(&shop.server, shop.keys,
	    other.cert_fd), OK);
	call_open(&c, &shop);
	call_dial(&c);
	assert_false(call_shake(&c));
	assert_string_equal(tls_why(c.tls),
	    "the vault has no such key for us");
	call_close(&c);
	tls_server_free(&shop.server);
	shop.server = ours;
	assert_works(&shop);
	shop_close(&shop);
	pair_free(&other);
}

static int
make_pair(void **state)
{
	(void)signal(SIGPIPE, SIG_IGN);
	pair = pair_make("P-256");
	return 0;
}

static int
free_pair(void **state)
{
	pair_free(&pair);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_vault_that_dies_fails_the_handshake_and_a_new_one_serves),
		cmocka_unit_test(
		    patience_with_a_stopped_vault_ends_after_five_seconds),
		cmocka_unit_test(established_sessions_go_on_without_a_vault),
		cmocka_unit_test(clients_that_leave_in_the_middle_harm_nobody),
		cmocka_unit_test(
		    a_session_freed_between_answer_and_next_step_ends),
		cmocka_unit_test(the_loss_of_the_link_wakes_all_who_wait),
		cmocka_unit_test(more_than_may_wait_are_refused_with_words),
		cmocka_unit_test(
		    a_key_the_vault_does_not_have_fails_the_handshake),
	};

	return cmocka_run_group_tests(tests, make_pair, free_pair);
}
