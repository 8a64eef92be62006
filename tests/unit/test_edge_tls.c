/*
 * STARTTLS and TLS from the first byte: what is said before counts for nothing
 * after, what is put behind the command in the clear is never carried out, and
 * a handshake that does not come about harms nobody else.
 *
 * room: edge
 */
#include "edge_tls.h"
#include "sys/counters.h"
#include "sys/seccomp.h"

#define READY	"220 2.0.0 Ready to start TLS\r\n"

static void
the_dialogue_begins_anew_under_tls(void **state)
{
	kit_ready();
	kit_say("EHLO x\r\n");
	assert_non_null(strstr(kit_hear(), "250-STARTTLS\r\n"));
	kit_want("STARTTLS\r\n", READY);
	assert_true(tls_kit_shake());
	tls_kit_want("MAIL FROM:<>\r\n",
	    "503 5.5.1 Bad sequence of commands\r\n");
	tls_kit_say("EHLO x\r\n");
	assert_null(strstr(tls_kit_hear(), "STARTTLS"));
	tls_kit_want("STARTTLS\r\n", "503 5.5.1 TLS already active\r\n");
	tls_kit_say(KIT_ENVELOPE "DATA\r\n");
	assert_string_equal(kit_codes(tls_kit_hear()), "250 250 354 ");
	tls_kit_say("A: b\r\n\r\nx\r\n.\r\nQUIT\r\n");
	assert_string_equal(kit_codes(tls_kit_hear()), "250 221 ");
	assert_true(tls_kit.is_closed);
	assert_string_equal(kit_last()->proto, "ESMTPS");
	assert_int_equal(kit.edge->client_cnt, 0);
}

static void
what_was_put_behind_starttls_is_never_carried_out(void **state)
{
	static const char *const rows[] = {
		"STARTTLS\r\nEHLO x\r\n",
		"STARTTLS\r\nRSET\r\nMAIL FROM:<a@x.example>\r\n",
		"STARTTLS\r\nAUTH PLAIN AA==",
		"STARTTLS\r\nX", "STARTTLS\r\n\r\n",
		"NOOP\r\nSTARTTLS\r\nNOOP\r\n",
	};
	const char *said;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_ready();
		kit_say(rows[i]);
		said = kit_hear();
		if (i == 5)
			said += strlen("250 2.0.0 Ok\r\n");
		assert_string_equal(said,
		    "554 5.5.1 Nothing may be sent behind STARTTLS\r\n");
		assert_true(kit.is_closed);
		assert_int_equal(kit.mail_cnt, 0);
	}
}

static void
what_comes_in_the_clear_after_it_is_no_handshake(void **state)
{
	kit_ready();
	kit_want("STARTTLS\r\n", READY);
	kit_say("EHLO x\r\nMAIL FROM:<>\r\n");
	assert_null(strstr(kit_hear(), "250"));
	assert_true(kit.is_closed);
	assert_false(kit.was_reset);
	kit_hang_up();
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.edge->client_cnt, 0);
}

static void
it_has_its_time_and_place(void **state)
{
	kit_connect();
	kit_hear();
	kit_say("STARTTLS\r\n");
	assert_string_equal(kit_codes(kit_hear()), "503 ");
	kit_say("HELO x\r\n");
	kit_hear();
	kit_say("STARTTLS\r\n");
	assert_string_equal(kit_codes(kit_hear()), "503 ");
	kit_say("EHLO x\r\nMAIL FROM:<>\r\n");
	kit_hear();
	kit_say("STARTTLS\r\n");
	assert_string_equal(kit_codes(kit_hear()), "503 ");
	kit_say("RSET\r\n");
	kit_hear();
	kit_say("STARTTLS now\r\n");
	assert_string_equal(kit_codes(kit_hear()), "501 ");
	kit.edge->can_tls = false;
	kit_want("STARTTLS\r\n", "454 4.7.0 TLS not available\r\n");
	kit.edge->set.has_tls = false;
	kit_want("STARTTLS\r\n", "502 5.5.1 Command not implemented\r\n");
	kit_say("EHLO x\r\n");
	assert_null(strstr(kit_hear(), "STARTTLS"));
}

static void
nothing_known_from_before_counts_after(void **state)
{
	kit_users();
	kit.edge->set.require_auth = true;
	kit_ready();
	kit_want("AUTH PLAIN AGFubgBzZWNyZXQ=\r\n", "");
	kit_vault_says(LOGIN_GOOD);
	assert_string_equal(kit_codes(kit_hear()), "235 ");
	kit_say("MAIL FROM:<>\r\nRSET\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 ");
	kit_want("STARTTLS\r\n", READY);
	assert_true(tls_kit_shake());
	tls_kit_say("EHLO x\r\nMAIL FROM:<>\r\n");
	assert_string_equal(kit_codes(tls_kit_hear()), "250 530 ");
	tls_kit_want("AUTH PLAIN AGFubgBzZWNyZXQ=\r\n", "");
	kit_vault_says(LOGIN_GOOD);
	assert_string_equal(kit_codes(tls_kit_hear()), "235 ");
	tls_kit_say(KIT_ENVELOPE "DATA\r\n\r\n.\r\n");
	assert_string_equal(kit_codes(tls_kit_hear()), "250 250 354 250 ");
	assert_string_equal(kit_last()->proto, "ESMTPSA");
	assert_string_equal(kit_last()->tenant, "ann");
}

static void
logins_are_offered_under_tls_only(void **state)
{
	kit_users();
	kit.edge->set.auth_without_tls = false;
	kit_ready();
	kit_say("EHLO x\r\n");
	assert_null(strstr(kit_hear(), "AUTH"));
	kit_want("STARTTLS\r\n", READY);
	assert_true(tls_kit_shake());
	tls_kit_say("EHLO x\r\n");
	assert_non_null(strstr(tls_kit_hear(), "250-AUTH PLAIN LOGIN\r\n"));
}

/* What broke off in the middle of a line was perhaps half a password. */
static void
a_broken_record_leaves_no_password_behind(void **state)
{
	static const char half[] = "AUTH PLAIN AGFubgBzZWNy";

	kit_users();
	tls_kit_ready(true);
	tls_kit_say(half);
	kit_turn(KIT_TURNS);
	kit_say("this is no record of TLS");
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.edge->client_cnt, 0);
	assert_null(memmem(kit.edge->in, sizeof(kit.edge->in), half + 11, 12));
}

static void
from_the_first_byte_means_no_word_in_the_clear(void **state)
{
	kit.edge->set.tls_immediately = true;
	kit_connect();
	kit_want("", "");
	assert_true(tls_kit_shake());
	tls_kit_want("", "220 mx.test.example ESMTP\r\n");
	tls_kit_say("EHLO x\r\n" KIT_ENVELOPE "DATA\r\n");
	assert_string_equal(kit_codes(tls_kit_hear()), "250 250 250 354 ");
	tls_kit_hang_up();
	kit_connect();
	kit_say("EHLO x\r\n");
	assert_null(strstr(kit_hear(), "250"));
	assert_true(kit.is_closed);
}

static void
where_it_is_required_little_may_be_said_without(void **state)
{
	static const struct {
		const char *said, *codes;
	} rows[] = {
		{ "EHLO x\r\nNOOP\r\nRSET\r\nHELP\r\n", "250 250 250 214 " },
		{ "MAIL FROM:<>\r\n", "530 " }, { "HELO x\r\n", "530 " },
		{ "AUTH PLAIN\r\n", "530 " }, { "VRFY x\r\n", "530 " },
		{ "RCPT TO:<a@x.example>\r\n", "503 " },
		{ "QUIT\r\n", "221 " },
	};

	kit.edge->set.require_tls = true;
	kit_connect();
	kit_hear();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_say(rows[i].said);
		assert_string_equal(kit_codes(kit_hear()), rows[i].codes);
	}
	tls_kit_ready(true);
	tls_kit_want("MAIL FROM:<>\r\n", "250 2.1.0 <> Ok\r\n");
}

static void
a_handshake_has_its_time_too(void **state)
{
	kit.edge->set.timeout_ms = 60;
	kit_ready();
	kit_want("STARTTLS\r\n", READY);
	kit_say("\x16\x03\x01");
	kit_wait(120);
	kit_want("", "");
	assert_true(kit.is_closed);
	kit.edge->set.tls_immediately = true;
	kit_connect();
	kit_wait(120);
	kit_want("", "");
	assert_true(kit.is_closed);
	assert_int_equal(kit.edge->client_cnt, 0);
}

static void
text_cut_off_by_a_closed_connection_is_not_queued(void **state)
{
	tls_kit_ready(true);
	tls_kit_say(KIT_ENVELOPE "DATA\r\n");
	assert_string_equal(kit_codes(tls_kit_hear()), "250 250 354 ");
	tls_kit_say("A: b\r\n\r\nx\r\n");
	kit_turn(KIT_TURNS);
	tls_kit_hang_up();
	kit_turn(KIT_TURNS);
	assert_true(kit_last()->is_aborted);
	assert_int_equal(kit.edge->client_cnt, 0);
}

static void
a_large_message_arrives_as_it_was_sent(void **state)
{
	static char text[700001];
	size_t len = sizeof(text) - 1;
	const struct kit_mail *m;

	for (size_t i = 0; i < len; i += 70)
		snprintf(text + i, 71, "%067zu.\r\n", i);
	tls_kit_ready(true);
	tls_kit_say(KIT_ENVELOPE "DATA\r\n");
	assert_string_equal(kit_codes(tls_kit_hear()), "250 250 354 ");
	tls_kit_say("A: b\r\n\r\n");
	tls_kit_give(text, len);
	tls_kit_want(".\r\n", "250 2.6.0 Message queued as "
	    "01000000-0000-0000-0000-000000000001\r\n");
	m = kit_last();
	assert_int_equal(m->body.len, len);
	assert_memory_equal(m->body.ptr, text, len);
	assert_int_equal(m->odd_cnt, 0);
}

/* What TLS has read and we have not is in no socket for epoll to see. */
static void
half_a_record_waits_for_credit_and_is_not_forgotten(void **state)
{
	static char text[199 * 80 + 3];
	size_t len = sizeof(text) - 3;
	struct kit_mail *m;

	memset(text, 'x', sizeof(text));
	for (size_t i = 78; i < len; i += 80)
		memcpy(text + i, "\r\n", 2);
	memcpy(text + len, ".\r\n", 3);
	kit.no_credit = true;
	tls_kit_ready(true);
	tls_kit_say(KIT_ENVELOPE "DATA\r\n");
	assert_string_equal(kit_codes(tls_kit_hear()), "250 250 354 ");
	tls_kit_say("A: b\r\n\r\n");
	for (int i = 1; i < 13; i++)
		tls_kit_give(text, len);
	tls_kit_give(text, sizeof(text));
	assert_string_equal(tls_kit_hear(), "");
	m = kit_last();
	assert_int_equal(m->piece_cnt, STREAM_CREDIT);
	for (int i = 0; i < 2; i++) {
		kit_credit(m, 1);
		kit_turn(KIT_TURNS);
	}
	assert_string_equal(kit_codes(tls_kit_hear()), "250 ");
	assert_int_equal(m->body.len, 13 * len);
}

static void
a_record_that_has_to_wait_is_not_forgotten(void **state)
{
	kit_asks(true);
	tls_kit_ready(true);
	tls_kit_say("MAIL FROM:<>\r\nRCPT TO:<v@test.example>\r\nNOOP\r\n"
	    "NOOP\r\n");
	assert_string_equal(kit_codes(tls_kit_hear()), "250 ");
	tls_kit_say("NOOP\r\nQUIT\r\n");
	kit_turn(KIT_TURNS);
	kit_judge(250, "", "");
	assert_string_equal(kit_codes(tls_kit_hear()),
	    "250 250 250 250 221 ");
}

static void
the_last_reply_is_heard_under_tls_too(void **state)
{
	static char more[100000];

	tls_kit_ready(true);
	tls_kit_say("GET / HTTP/1.1\r\n");
	tls_kit_give(more, sizeof(more));
	assert_string_equal(kit_codes(tls_kit_hear()), "500 ");
	assert_true(tls_kit.is_closed);
}

static void
without_the_vault_only_new_handshakes_fail(void **state)
{
	int fd;
	SSL *ssl;

	tls_kit_ready(true);
	fd = kit.fd;
	ssl = tls_kit.ssl;
	kit.fd = -1;
	tls_kit.ssl = NULL;
	tls_kit_kill();
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.lost_cnt, 1);
	kit_ready();
	kit_want("STARTTLS\r\n", READY);
	assert_false(tls_kit_shake());
	tls_kit_hang_up();
	kit_ready();
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
	tls_kit_link();
	tls_kit_ready(true);
	tls_kit_hang_up();
	kit.fd = fd;
	tls_kit.ssl = ssl;
	tls_kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
}

static void
a_client_that_leaves_in_the_handshake_is_gone(void **state)
{
	for (int i = 0; i < 3; i++) {
		kit_ready();
		kit_want("STARTTLS\r\n", READY);
		tls_kit.ssl = SSL_new(tls_kit.client);
		SSL_set_fd(tls_kit.ssl, kit.fd);
		assert_int_not_equal(SSL_connect(tls_kit.ssl), 1);
		if (i > 0)
			kit_turn(i);
		tls_kit_hang_up();
		kit_wait(20);
		assert_int_equal(kit.edge->client_cnt, 0);
	}
	tls_kit_ready(true);
}

#define WAITING	24	/* clients at once */

/* As many that wait for a vault which stands still; a third has left again. */
static void
open_waiting(int *fds, SSL **ssl)
{
	if (seccomp_is_on())	/* else we would wait, and not they */
		assert_int_equal(kill(tls_kit.vault, SIGSTOP), 0);
	for (int i = 0; i < WAITING; i++) {
		kit_connect_from(i % 2 == 0 ? "192.0.2.1" : "192.0.2.2");
		fds[i] = kit.fd;
		kit.fd = -1;
		ssl[i] = SSL_new(tls_kit.client);
		SSL_set_fd(ssl[i], fds[i]);
		assert_int_not_equal(SSL_connect(ssl[i]), 1);
		ERR_clear_error();
		kit_turn(3);
		if (i % 3 == 0) {
			close(fds[i]);
			fds[i] = -1;
		}
	}
}

static void
close_waiting(int *fds, SSL **ssl)
{
	for (int i = 0; i < WAITING; i++) {
		SSL_free(ssl[i]);
		if (fds[i] != -1)
			close(fds[i]);
	}
	kit_wait(20);
}

static void
whatever_ends_while_many_wait_nobody_stays(void **state)
{
	int fds[WAITING];
	SSL *ssl[WAITING];

	kit.edge->set.tls_immediately = true;
	for (int round = 0; round < 4; round++) {
		kit.edge->set.timeout_ms = round == 1 ? 60 : 5000;
		open_waiting(fds, ssl);
		if (round == 0)
			tls_kit_kill();
		if (round == 1)
			kit_wait(120);
		if (round == 2)
			kill(tls_kit.vault, SIGCONT);
		if (round == 3) {
			edge_drain(kit.edge, 50);
			tls_kit_kill();
			kit_wait(120);
		}
		close_waiting(fds, ssl);
		assert_int_equal(kit.edge->client_cnt, 0);
		if (round == 3)
			break;
		kit.edge->set.timeout_ms = 5000;
		tls_kit_kill();
		kit_turn(KIT_TURNS);
		tls_kit_link();
		tls_kit_hang_up();
		kit_connect();
		assert_true(tls_kit_shake());
		tls_kit_hang_up();
		kit_turn(KIT_TURNS);
	}
	assert_true(kit.is_drained);
}

static void
draining_lets_a_handshake_finish_and_then_says_so(void **state)
{
	kit_ready();
	kit_want("STARTTLS\r\n", READY);
	edge_drain(kit.edge, 10000);
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.edge->client_cnt, 1);
	assert_true(tls_kit_shake());
	tls_kit_want("", "421 4.3.2 Service shutting down\r\n");
	assert_true(tls_kit.is_closed);
}

static void
handshakes_are_counted(void **state)
{
	int fd = memfd_create("counters", MFD_CLOEXEC);
	uint64_t counts[COUNTER__COUNT];
	const void *page;

	assert_int_equal(ftruncate(fd, COUNTERS_PAGE), 0);
	assert_int_equal(counters_open(fd), OK);
	tls_kit_ready(true);
	tls_kit_say(KIT_ENVELOPE "DATA\r\n\r\n.\r\nWIZ\r\n");
	assert_string_equal(kit_codes(tls_kit_hear()),
	    "250 250 354 250 500 ");
	tls_kit_hang_up();
	kit_ready();
	kit_want("STARTTLS\r\n", READY);
	kit_say("garbage that is no handshake\r\n");
	kit_hear();
	kit_hang_up();
	kit_turn(KIT_TURNS);
	kit_ready();
	page = counters_map(fd);
	counters_read(page, counts);
	assert_int_equal(counts[COUNTER_tls_done], 1);
	assert_int_equal(counts[COUNTER_tls_failed], 1);
	assert_int_equal(counts[COUNTER_taken], 1);
	assert_int_equal(counts[COUNTER_refused], 1);
	assert_int_equal(counts[COUNTER_sessions], 1);
	kit_want("STARTTLS\r\n", READY);
	kit_hang_up();
	kit_turn(KIT_TURNS);
	counters_read(page, counts);
	assert_int_equal(counts[COUNTER_tls_failed], 2);
	kit.edge->set.timeout_ms = 60;
	kit_ready();
	kit_want("STARTTLS\r\n", READY);
	kit_wait(120);
	counters_read(page, counts);
	assert_int_equal(counts[COUNTER_tls_failed], 3);
	assert_int_equal(counts[COUNTER_tls_done], 1);
	counters_unmap(page);
	close(fd);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, tls_kit_setup,	\
    tls_kit_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_dialogue_begins_anew_under_tls),
		T(what_was_put_behind_starttls_is_never_carried_out),
		T(what_comes_in_the_clear_after_it_is_no_handshake),
		T(it_has_its_time_and_place),
		T(nothing_known_from_before_counts_after),
		T(logins_are_offered_under_tls_only),
		T(a_broken_record_leaves_no_password_behind),
		T(from_the_first_byte_means_no_word_in_the_clear),
		T(where_it_is_required_little_may_be_said_without),
		T(a_handshake_has_its_time_too),
		T(text_cut_off_by_a_closed_connection_is_not_queued),
		T(a_large_message_arrives_as_it_was_sent),
		T(half_a_record_waits_for_credit_and_is_not_forgotten),
		T(a_record_that_has_to_wait_is_not_forgotten),
		T(the_last_reply_is_heard_under_tls_too),
		T(without_the_vault_only_new_handshakes_fail),
		T(a_client_that_leaves_in_the_handshake_is_gone),
		T(whatever_ends_while_many_wait_nobody_stays),
		T(draining_lets_a_handshake_finish_and_then_says_so),
		T(handshakes_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
