/*
 * AUTH: every row of what a client can say wrong, what the vault's answers
 * lead to, and that no password stays behind.
 *
 * room: edge
 */
#include "edge/smtp/auth.h"
#include "edge_kit.h"
#include "mail/base64.h"

#define GOOD	"235 2.7.0 Authentication successful\r\n"
#define BAD	"535 5.7.8 Authentication credentials invalid\r\n"
#define BUSY	"454 4.7.0 Temporary authentication failure\r\n"

/* "AUTH PLAIN " and these bytes. */
static const char *
plain(const char *bytes, size_t len)
{
	static char line[1200];
	char text[1000];
	size_t n;

	assert_true(base64_encode((struct span){ bytes, len }, text,
	    sizeof(text), &n));
	snprintf(line, sizeof(line), "AUTH PLAIN %.*s\r\n", (int)n, text);
	return line;
}

#define PLAIN(lit)	plain(lit, sizeof(lit) - 1)
#define ANN	PLAIN("\0ann@here.example\0secret 1")

static int
setup(void **state)
{
	kit_start();
	kit_users();
	kit_ready();
	return 0;
}

static void
a_good_password_opens_the_door(void **state)
{
	kit_want(ANN, "");
	assert_string_equal(kit.login_user, "ann@here.example");
	assert_string_equal(kit.login_password, "secret 1");
	kit_vault_says(LOGIN_GOOD);
	kit_want("", GOOD);
	kit_say(KIT_ENVELOPE "DATA\r\n\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 354 250 ");
	assert_string_equal(kit_last()->tenant, "ann@here.example");
	assert_string_equal(kit_last()->proto, "ESMTPA");
	assert_non_null(memmem(kit_last()->header.ptr,
	    kit_last()->header.len, " with ESMTPA id ", 16));
}

/* Else he would have as many turns in the queue as ways to write himself. */
static void
a_user_is_one_tenant_however_his_domain_is_written(void **state)
{
	static const struct {
		const char	*name, *tenant;
	} cases[] = {
		{ "Ann@B\xc3\x9c""CHER.example", "Ann@xn--bcher-kva.example" },
		{ "Ann@xn--BCHER-kva.Example.", "Ann@xn--bcher-kva.example" },
		{ "Ann@\xc3\xa9..EXAMPLE", "Ann@\xc3\xa9..example" },
		{ "\xc3\x84nn", "\xc3\x84nn" },
	};
	char text[100];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int n = snprintf(text, sizeof(text), "%c%s%cx", 0,
		    cases[i].name, 0);

		kit_ready();
		kit_want(plain(text, (size_t)n), "");
		assert_string_equal(kit.login_user, cases[i].tenant);
		kit_vault_says(LOGIN_GOOD);
		kit_want("", GOOD);
		kit_say(KIT_ENVELOPE "DATA\r\n\r\n.\r\n");
		kit_hear();
		assert_string_equal(kit_last()->tenant, cases[i].tenant);
	}
}

static void
each_form_of_the_exchange_is_understood(void **state)
{
	static const struct {
		const char *lines[4], *replies[4];
	} rows[] = {
		{ { "AUTH PLAIN AGFubgBzZWNyZXQ=\r\n" }, { "" } },
		{ { "auth plain\r\n", "AGFubgBzZWNyZXQ=\r\n" },
		    { "334 \r\n", "" } },
		{ { "AUTH PLAIN YW5uAGFubgBzZWNyZXQ=\r\n" }, { "" } },
		{ { "AUTH LOGIN\r\n", "YW5u\r\n", "c2VjcmV0\r\n" },
		    { "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "" } },
		{ { "AUTH LOGIN YW5u\r\n", "c2VjcmV0\r\n" },
		    { "334 UGFzc3dvcmQ6\r\n", "" } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_ready();
		for (int k = 0; rows[i].lines[k] != NULL && k < 4; k++)
			kit_want(rows[i].lines[k], rows[i].replies[k]);
		assert_string_equal(kit.login_user, "ann");
		assert_string_equal(kit.login_password, "secret");
		kit_vault_says(LOGIN_GOOD);
		kit_want("", GOOD);
		memset(kit.login_user, 0, sizeof(kit.login_user));
	}
}

static void
what_cannot_be_read_is_refused_unasked(void **state)
{
	static const struct {
		const char *line, *start;
	} rows[] = {
		{ "AUTH\r\n", "501 5.5.4" },
		{ "AUTH CRAM-MD5\r\n", "504 5.5.4" },
		{ "AUTH PLAINS AA==\r\n", "504 5.5.4" },
		{ "AUTH PLAIN =AAA\r\n", "501 5.5.2" },
		{ "AUTH PLAIN AAA=BBB\r\n", "501 5.5.2" },
		{ "AUTH PLAIN AGFubg BzZWNyZXQ=\r\n", "501 5.5.2" },
		{ "AUTH PLAIN AGFubgBzZWNyZXQ\r\n", "501 5.5.2" },
		{ "AUTH PLAIN =\r\n", "501 5.5.2" },
		{ "AUTH PLAIN YW5u\r\n", "501 5.5.2" },
		{ "AUTH PLAIN AGFubg==\r\n", "501 5.5.2" },
		{ "AUTH PLAIN AGFubgBhAGI=\r\n", "501 5.5.2" },
		{ "AUTH PLAIN *\r\n", "501 5.5.2" },
		{ "AUTH PLAIN \xc3\xa9\r\n", "501 5.5.4" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_say(rows[i].line);
		assert_memory_equal(kit_hear(), rows[i].start, 9);
	}
	assert_int_equal(kit.login_cnt, 0);
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
}

static void
a_name_that_cannot_be_fails_like_a_wrong_password(void **state)
{
	const char *lines[] = {
		strdup(PLAIN("bob\0ann\0secret")),
		strdup(PLAIN("\0\0secret")),
		strdup(PLAIN("\0\xff\xfe\0secret")),
		strdup(PLAIN("\0a\nb\0secret")),
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		kit_ready();
		kit_want(lines[i], "");
		kit_wait(AUTH_DELAY_MS + 50);
		kit_want("", BAD);
		free((void *)(uintptr_t)lines[i]);
	}
	assert_int_equal(kit.login_cnt, 0);
}

static void
an_asterisk_cancels(void **state)
{
	kit_want("AUTH PLAIN\r\n*\r\n",
	    "334 \r\n501 5.7.0 Authentication cancelled\r\n");
	kit_want("AUTH LOGIN\r\nYW5u\r\n*\r\n", "334 VXNlcm5hbWU6\r\n"
	    "334 UGFzc3dvcmQ6\r\n501 5.7.0 Authentication cancelled\r\n");
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
	assert_int_equal(kit.login_cnt, 0);
}

static void
within_the_exchange_a_command_is_a_bad_response(void **state)
{
	kit_say("AUTH PLAIN\r\nMAIL FROM:<>\r\n");
	assert_string_equal(kit_codes(kit_hear()), "334 501 ");
	kit_say("AUTH PLAIN\r\nAGFu\rbg==\r\nNOOP\r\n");
	assert_string_equal(kit_codes(kit_hear()), "334 500 250 ");
	kit_say("AUTH LOGIN\r\nYW5u\nQUIT\r\n");
	assert_string_equal(kit_codes(kit_hear()), "334 500 ");
	assert_true(kit.is_closed);
}

static void
a_line_of_12288_bytes_is_read_and_a_longer_one_ends_it(void **state)
{
	static char line[AUTH_LINE_MAX + 100];

	memset(line, 'A', sizeof(line));
	memcpy(line + AUTH_LINE_MAX - 4, "\r\n", 2);
	kit_want("AUTH PLAIN\r\n", "334 \r\n");
	kit_give(line, AUTH_LINE_MAX - 2);
	assert_string_equal(kit_codes(kit_hear()), "501 ");
	memcpy(line, "AUTH PLAIN ", 11);
	kit_give(line, AUTH_LINE_MAX - 2);
	assert_string_equal(kit_codes(kit_hear()), "501 ");
	memset(line, 'A', sizeof(line));
	kit_want("AUTH PLAIN\r\n", "334 \r\n");
	kit_give(line, sizeof(line));
	assert_string_equal(kit_hear(),
	    "500 5.5.6 Authentication exchange line is too long\r\n");
	assert_true(kit.is_closed);
	assert_int_equal(kit.login_cnt, 0);
}

static void
a_wrong_password_is_answered_later_each_time(void **state)
{
	kit_want(ANN, "");
	kit_vault_says(LOGIN_BAD);
	kit_want("NOOP\r\n", "");
	kit_wait(AUTH_DELAY_MS / 4);
	kit_want("", "");
	kit_wait(AUTH_DELAY_MS);
	kit_want("", BAD "250 2.0.0 Ok\r\n");
	kit_want(ANN, "");
	kit_vault_says(LOGIN_BAD);
	kit_wait(AUTH_DELAY_MS + 100);
	kit_want("", "");
	kit_wait(AUTH_DELAY_MS);
	kit_want("", BAD);
	kit_want(ANN, "");
	kit_vault_says(LOGIN_GOOD);
	kit_want("", GOOD);
}

/* Cheap hashes, dear ones, and none: all answers come at the same times. */
static void
how_long_the_hash_took_is_not_to_be_seen(void **state)
{
	static const int64_t took[] = { 0, 1, 70, 499, 500, 501, 1234, 9999 };

	for (size_t i = 0; i < sizeof(took) / sizeof(took[0]); i++)
		for (unsigned n = 0; n <= AUTH_FAILURES_MAX; n++) {
			int64_t ms = auth_wait_ms(took[i], n);

			assert_in_range(ms, 1, AUTH_DELAY_MS << n);
			assert_int_equal((took[i] + ms) %
			    (AUTH_DELAY_MS << n), 0);
		}
}

static void
one_failure_too_many_ends_the_session(void **state)
{
	for (int i = 0; i <= AUTH_FAILURES_MAX; i++) {
		kit_want(ANN, "");
		kit_vault_says(LOGIN_BAD);
		kit_wait((AUTH_DELAY_MS << i) + 50);
		kit_want("", i < AUTH_FAILURES_MAX ? BAD :
		    "421 4.7.0 Too many failed logins\r\n");
	}
	assert_true(kit.is_closed);
}

static void
a_vault_that_is_away_or_busy_is_no_refusal(void **state)
{
	kit_want(ANN, "");
	kit_vault_says(LOGIN_BUSY);
	kit_want("", "");		/* as late as a failure */
	kit_wait(AUTH_DELAY_MS + 50);
	kit_want("", BUSY);
	kit_want(ANN, "");
	link_close(&kit.vault);
	kit_wait(AUTH_DELAY_MS + 50);
	kit_want("", BUSY);
	assert_int_equal(kit.lost_cnt, 1);
	kit_want(ANN, "");
	kit_wait(AUTH_DELAY_MS + 50);
	kit_want("", BUSY);
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
}

static void
who_leaves_meanwhile_is_forgotten(void **state)
{
	kit_want(ANN, "");
	kit_hang_up();
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.edge->client_cnt, 0);
	kit_vault_says(LOGIN_GOOD);
	kit_ready();
	kit_want(ANN, "");
	kit_vault_says(LOGIN_BAD);
	kit_hang_up();
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.edge->client_cnt, 0);
	kit_wait(AUTH_DELAY_MS + 50);
	assert_int_equal(kit.lost_cnt, 0);
}

static void
it_has_its_time_and_place(void **state)
{
	kit_connect();
	kit_hear();
	kit_say("AUTH PLAIN\r\nHELO x\r\nAUTH PLAIN\r\nEHLO x\r\n");
	assert_string_equal(kit_codes(kit_hear()), "503 250 503 250 ");
	kit_say("MAIL FROM:<>\r\nAUTH PLAIN\r\nRCPT TO:<v@x.example>\r\n"
	    "AUTH PLAIN\r\nRSET\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 503 250 503 250 ");
	kit_want(ANN, "");
	kit_vault_says(LOGIN_GOOD);
	kit_want("", GOOD);
	kit_want(ANN, "503 5.5.1 Already authenticated\r\n");
	kit_say("EHLO x\r\n");
	assert_non_null(strstr(kit_hear(), "250-AUTH PLAIN LOGIN\r\n"));
}

static void
in_the_clear_it_is_neither_offered_nor_taken(void **state)
{
	kit.edge->set.auth_without_tls = false;
	kit_connect();
	kit_hear();
	kit_say("EHLO x\r\n");
	assert_null(strstr(kit_hear(), "AUTH"));
	kit_want(ANN, "538 5.7.11 Encryption required for requested "
	    "authentication mechanism\r\n");
	kit_want("MAIL FROM:<> AUTH=<>\r\n", "555 5.5.4 Parameters not "
	    "recognized or not implemented\r\n");
	assert_int_equal(kit.login_cnt, 0);
}

static void
without_users_there_is_no_such_command(void **state)
{
	kit.edge->set.has_users = false;
	kit_want(ANN, "502 5.5.1 Command not implemented\r\n");
}

static void
where_it_is_required_mail_waits_for_it(void **state)
{
	kit.edge->set.require_auth = true;
	kit_want("MAIL FROM:<>\r\n", "530 5.7.0 Authentication required\r\n");
	kit_want(ANN, "");
	kit_vault_says(LOGIN_GOOD);
	kit_want("", GOOD);
	kit_want("MAIL FROM:<> AUTH=e+3Dmc2@x.example\r\n",
	    "250 2.1.0 <> Ok\r\n");
	kit_want("RSET\r\n", "250 2.0.0 Ok\r\n");
	kit_say("MAIL FROM:<> AUTH=e+3dmc2\r\n");
	assert_string_equal(kit_codes(kit_hear()), "501 ");
}

static void
a_local_user_needs_no_password(void **state)
{
	kit.edge->set.require_auth = true;
	kit.edge->set.require_tls = true;
	kit.edge->set.tls_immediately = true;
	kit_connect_as(client_address_user(1000));
	assert_string_equal(kit_codes(kit_hear()), "220 ");
	kit_say("EHLO x\r\n");
	assert_null(strstr(kit_hear(), "AUTH"));
	kit_want(ANN, "502 5.5.1 Command not implemented\r\n");
	kit_say(KIT_ENVELOPE "DATA\r\n\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 354 250 ");
	assert_string_equal(kit_last()->tenant, "uid:1000");
	assert_memory_equal(kit_last()->header.ptr,
	    "Received: from localhost (uid 1000)\r\n\tby ", 41);
}

/* So that the vault can count what it tries: a network is one client. */
static void
the_vault_hears_from_which_network_it_comes(void **state)
{
	struct client_address a = { .family = 6,
	    .bytes = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };

	kit_want(ANN, "");
	assert_string_equal(kit.login_client, "192.0.2.1");
	for (int i = 0; i < 2; i++) {
		a.bytes[15]++;
		kit_connect_as(a);
		kit_hear();
		kit_say("EHLO x\r\n");
		kit_hear();
		kit_want(ANN, "");
		assert_string_equal(kit.login_client, "2001:db8::/64");
	}
}

/* Is it anywhere in what the edge still holds? */
static bool
is_kept(const char *words)
{
	return memmem(kit.edge->in, sizeof(kit.edge->in), words,
	    strlen(words)) != NULL;
}

static void
no_line_with_a_password_stays_behind(void **state)
{
	kit_say("AUTH PLAIN AGFubgBzZWNy");
	kit_turn(KIT_TURNS);
	assert_false(is_kept("AGFubgBzZWNy"));
	kit_want("ZXQ=\r\n", "");
	assert_string_equal(kit.login_password, "secret");
	assert_false(is_kept("AGFubgBzZWNy"));
	assert_false(is_kept("secret"));
	kit_vault_says(LOGIN_GOOD);
	kit_want("", GOOD);
	kit_want("NOOP AGFubgBzZWNy\r\n", "250 2.0.0 Ok\r\n");
	assert_true(is_kept("AGFubgBzZWNy"));	/* so it would be seen */
}

static void
draining_waits_for_the_vault_and_not_for_the_client(void **state)
{
	kit_want(ANN, "");
	edge_drain(kit.edge, 10000);
	kit_want("", "");
	kit_vault_says(LOGIN_GOOD);
	kit_want("", GOOD "421 4.3.2 Service shutting down\r\n");
	assert_true(kit.is_closed);
	kit.edge->is_draining = false;
	kit_ready();
	kit_want("AUTH PLAIN\r\n", "334 \r\n");
	edge_drain(kit.edge, 10000);
	kit_want("", "421 4.3.2 Service shutting down\r\n");
	assert_true(kit.is_closed);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, kit_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_good_password_opens_the_door),
		T(a_user_is_one_tenant_however_his_domain_is_written),
		T(each_form_of_the_exchange_is_understood),
		T(what_cannot_be_read_is_refused_unasked),
		T(a_name_that_cannot_be_fails_like_a_wrong_password),
		T(an_asterisk_cancels),
		T(within_the_exchange_a_command_is_a_bad_response),
		T(a_line_of_12288_bytes_is_read_and_a_longer_one_ends_it),
		T(a_wrong_password_is_answered_later_each_time),
		T(how_long_the_hash_took_is_not_to_be_seen),
		T(one_failure_too_many_ends_the_session),
		T(a_vault_that_is_away_or_busy_is_no_refusal),
		T(who_leaves_meanwhile_is_forgotten),
		T(it_has_its_time_and_place),
		T(in_the_clear_it_is_neither_offered_nor_taken),
		T(without_users_there_is_no_such_command),
		T(where_it_is_required_mail_waits_for_it),
		T(a_local_user_needs_no_password),
		T(the_vault_hears_from_which_network_it_comes),
		T(no_line_with_a_password_stays_behind),
		T(draining_waits_for_the_vault_and_not_for_the_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
