/*
 * The dialogue: the words of the replies, the order of commands, lines that
 * are none, limits on misbehaviour, and that it does not matter how the input
 * is cut into segments.
 *
 * room: edge
 */
#include "edge_kit.h"

#define EHLO_REPLY	"250-mx.test.example Hello client.example\r\n"	\
			"250-8BITMIME\r\n"				\
			"250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n"	\
			"250-DSN\r\n250-CHUNKING\r\n"			\
			"250-SMTPUTF8\r\n250 SIZE 1048576\r\n"
#define QUEUED		"250 2.6.0 Message queued as "			\
			"01000000-0000-0000-0000-000000000001\r\n"
#define QUEUED_2	"250 2.6.0 Message queued as "			\
			"01000000-0000-0000-0000-000000000002\r\n"

static void
a_whole_session_is_worded_as_documented(void **state)
{
	kit_connect();
	kit_want("", "220 mx.test.example ESMTP\r\n");
	kit_want("EHLO client.example\r\n", EHLO_REPLY);
	kit_want("MAIL FROM:<a@other.example> SIZE=10 BODY=8BITMIME\r\n",
	    "250 2.1.0 <a@other.example> Ok\r\n");
	kit_want("RCPT TO:<v@test.example>\r\n",
	    "250 2.1.5 <v@test.example> Ok\r\n");
	kit_want("DATA\r\n",
	    "354 Start mail input; end with <CRLF>.<CRLF>\r\n");
	kit_want("Subject: x\r\n\r\nhi\r\n.\r\n", QUEUED);
	kit_want("VRFY v\r\n", "252 2.5.0 Cannot VRFY user, but will accept "
	    "message and attempt delivery\r\n");
	kit_want("NOOP foo\r\n", "250 2.0.0 Ok\r\n");
	kit_want("RSET \r\n", "250 2.0.0 Ok\r\n");
	kit_want("QUIT\r\n", "221 2.0.0 Bye\r\n");
	assert_true(kit.is_closed);
	assert_int_equal(kit.edge->client_cnt, 0);
	assert_string_equal(kit_last()->sender, "a@other.example");
	assert_string_equal(kit_last()->rcpts, "v@test.example,");
	assert_string_equal(kit_last()->proto, "ESMTP");
	assert_string_equal(kit_last()->tenant, "192.0.2.1");
	assert_true(kit_last()->is_committed);
}

static void
what_reports_are_wanted_goes_to_the_queue(void **state)
{
	kit_connect();
	kit_want("", "220 mx.test.example ESMTP\r\n");
	kit_want("EHLO client.example\r\n", EHLO_REPLY);
	kit_say("MAIL FROM:<a@x.example> RET=hdrs ENVID=Q+2B1\r\n"
	    "RCPT TO:<a@x.example> NOTIFY=SUCCESS,FAILURE "
	    "ORCPT=rfc822;A+2Bb@x.example\r\n"
	    "RCPT TO:<b@x.example>\r\n"
	    "RCPT TO:<c@x.example> NOTIFY=NEVER\r\nDATA\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 250 250 354 ");
	kit_want("Subject: x\r\n\r\nhi\r\n.\r\n", QUEUED);
	assert_string_equal(kit_last()->rcpts,
	    "a@x.example,b@x.example,c@x.example,");
	assert_string_equal(kit_last()->asked, "ret=2 envid=Q+2B1 "
	    "6:rfc822;A+2Bb@x.example 0: 1:");
}

static void
a_wrong_parameter_is_told_in_plain_words(void **state)
{
	kit_connect();
	kit_want("", "220 mx.test.example ESMTP\r\n");
	kit_want("EHLO client.example\r\n", EHLO_REPLY);
	kit_want("MAIL FROM:<a@x.example> RET=ALL\r\n",
	    "501 5.5.4 RET must be FULL or HDRS\r\n");
	kit_want("MAIL FROM:<a@x.example> ENVID=+zz\r\n",
	    "501 5.5.4 ENVID must be xtext of at most 100 bytes\r\n");
	kit_want("MAIL FROM:<a@x.example>\r\n",
	    "250 2.1.0 <a@x.example> Ok\r\n");
	kit_want("RCPT TO:<b@x.example> NOTIFY=NEVER,DELAY\r\n",
	    "501 5.5.4 NOTIFY must be NEVER or a list of SUCCESS, FAILURE, "
	    "DELAY\r\n");
	kit_want("RCPT TO:<b@x.example> ORCPT=b@x.example\r\n",
	    "501 5.5.4 ORCPT must be an address type, \";\" and xtext, of at "
	    "most 500 bytes\r\n");
}

static void
each_command_gets_the_code_its_state_gives(void **state)
{
	static const struct {
		const char *said, *codes;
	} rows[] = {
		{ "MAIL FROM:<a@x.example>\r\n", "503 " },
		{ "RCPT TO:<a@x.example>\r\n", "503 " },
		{ "DATA\r\n", "503 " },
		{ "NOOP\r\nRSET\r\nHELP\r\n", "250 250 214 " },
		{ "EHLO\r\n", "501 " },
		{ "EHLO a b\r\n", "501 " },
		{ "EHLO \xc3\xa9.example\r\n", "501 " },
		{ "HELO [192.0.2.1]\r\n", "250 " },
		{ "MAIL FROM:<a@x.example> SIZE=1\r\n", "555 " },
		{ "EHLO x\r\n", "250 " },
		{ "RCPT TO:<a@x.example>\r\n", "503 " },
		{ "mail from:<a@x.example>\r\n", "250 " },
		{ "MAIL FROM:<b@x.example>\r\n", "503 " },
		{ "DATA\r\n", "503 " },
		{ "RCPT TO:<v@x.example>\r\n", "250 " },
		{ "MAIL FROM:<b@x.example>\r\n", "503 " },
		{ "DATA now\r\n", "501 " },
		{ "EHLO x\r\n", "250 " },
		{ "RCPT TO:<v@x.example>\r\n", "503 " },
		{ "EXPN l\r\nTURN\r\nETRN x\r\n", "502 502 502 " },
		{ "WIZ\r\n", "500 " },
		{ "\r\n", "500 " },
		{ "NOOP \xff\r\n", "501 " },
	};

	kit_connect();
	kit_hear();
	kit.edge->set.max_errors = 100;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_say(rows[i].said);
		assert_string_equal(kit_codes(kit_hear()), rows[i].codes);
	}
}

static void
parameters_of_mail_are_judged(void **state)
{
	static const struct {
		const char *said, *start;
	} rows[] = {
		{ "MAIL FROM:<a@x.example> SIZE=1048577\r\n",
		    "552 5.3.4 Message size exceeds 1048576 limit" },
		{ "MAIL FROM:<a@x.example> SIZE=\r\n", "501 5.5.4" },
		{ "MAIL FROM:<a@x.example> SIZE=-1\r\n", "501 5.5.4" },
		{ "MAIL FROM:<a@x.example> SIZE=1 SIZE=2\r\n", "501 5.5.4" },
		{ "MAIL FROM:<a@x.example> FOO=1\r\n", "555 5.5.4" },
		{ "MAIL FROM:<a@x.example> BODY=BINARYMIME\r\n", "501 5.5.4" },
		{ "MAIL FROM:  <a@x.example>\r\n", "501 5.5.4" },
		{ "MAIL FROM:a@x.example>\r\n", "501 5.1.7" },
		{ "MAIL FROM:<a..b@x.example>\r\n", "501 5.1.7" },
		{ "MAIL FROM:<\xc3\xa9@x.example>\r\n", "553 5.6.7" },
		{ "MAIL FROM:<\xc3\xa9@x.example> SMTPUTF8\r\n",
		    "250 2.1.0 <\xc3\xa9@x.example> Ok" },
	};

	kit_ready();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_say(rows[i].said);
		assert_memory_equal(kit_hear(), rows[i].start,
		    strlen(rows[i].start));
	}
}

/* As printers, scanners and scripts say it. */
static void
careless_clients_are_understood(void **state)
{
	char local[LOCAL_PART_MAX + 1], line[600];

	memset(local, 'x', sizeof(local) - 1);
	local[sizeof(local) - 1] = '\0';
	kit_connect();
	kit_want("", "220 mx.test.example ESMTP\r\n");
	kit_want("HELO 02:00:5e:10:00:01\r\n",
	    "250 mx.test.example Hello 02:00:5e:10:00:01\r\n");
	kit_say("EHLO https://user:pw@shop.example/~x?y=[z]&(q)\r\n");
	assert_memory_equal(kit_hear(), "250-mx.test.example Hello https://",
	    34);
	kit_want("MAIL FROM: <a@x.example>\r\nRCPT TO:b@x.example\r\n"
	    "RCPT TO: c@[192.0.2.1] NOTIFY=NEVER\r\nRCPT TO:PostMaster\r\n",
	    "250 2.1.0 <a@x.example> Ok\r\n250 2.1.5 <b@x.example> Ok\r\n"
	    "250 2.1.5 <c@[192.0.2.1]> Ok\r\n"
	    "250 2.1.5 <PostMaster@mx.test.example> Ok\r\n");
	snprintf(line, sizeof(line), "RSET\r\nMAIL FROM:<%s@x>\r\n", local);
	kit_say(line);
	assert_string_equal(kit_codes(kit_hear()), "250 250 ");
	kit_want("RCPT TO:<v@test.example>\r\nDATA\r\n.\r\n",
	    "250 2.1.5 <v@test.example> Ok\r\n354 Start mail input; end with "
	    "<CRLF>.<CRLF>\r\n" QUEUED_2);
	assert_int_equal(strlen(kit_last()->sender), 254);
	assert_memory_equal(kit_last()->header.ptr, "Received: from "
	    "https???user?pw?shop.example??x?y??z???q? ([192.0.2.1])", 70);
}

static void
help_names_what_can_be_said(void **state)
{
	kit_connect();
	kit_hear();
	kit_want("HELP\r\n", "214 2.0.0 EHLO HELO MAIL RCPT DATA BDAT "
	    "RSET NOOP VRFY HELP QUIT\r\n");
	kit.edge->set.has_users = kit.edge->set.auth_without_tls = true;
	kit_want("HELP\r\n", "214 2.0.0 EHLO HELO AUTH MAIL RCPT DATA BDAT "
	    "RSET NOOP VRFY HELP QUIT\r\n");
	kit.edge->set.has_users = false;
	kit.edge->set.has_tls = true;
	kit_want("HELP\r\n", "214 2.0.0 EHLO HELO STARTTLS MAIL RCPT DATA "
	    "BDAT RSET NOOP VRFY HELP QUIT\r\n");
}

static void
a_command_that_ends_in_lf_alone_is_the_last(void **state)
{
	kit_connect();
	kit_hear();
	kit_want("EHLO x\nMAIL FROM:<a@x.example>\r\nNOOP\r\n",
	    "500 5.5.2 Lines end with CR LF\r\n");
	assert_true(kit.is_closed);
}

static void
bare_cr_and_nul_make_one_refused_command(void **state)
{
	kit_ready();
	kit_want("NOOP\rRSET\r\n",
	    "500 5.5.2 Bare CR or NUL not allowed\r\n");
	kit_give("EHLO a\0b\r\n", 10);
	assert_string_equal(kit_codes(kit_hear()), "500 ");
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
}

static void
a_line_of_4096_bytes_is_taken_and_a_longer_one_ends_it(void **state)
{
	static char line[200000];

	memset(line, 'x', sizeof(line));
	memcpy(line, "NOOP ", 5);
	kit_ready();
	memcpy(line + COMMAND_LINE_MAX - 2, "\r\n", 2);
	kit_give(line, COMMAND_LINE_MAX);
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	memcpy(line + COMMAND_LINE_MAX - 2, "xx", 2);
	kit_give(line, sizeof(line));
	assert_string_equal(kit_codes(kit_hear()), "500 ");
	assert_true(kit.is_closed);
}

static void
other_protocols_hear_one_500(void **state)
{
	static const char *const rows[] = {
		"GET / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<>\r\n",
		"POST /x HTTP/1.1\r\n\r\nEHLO x\r\nMAIL FROM:<a@x.example>\r\n",
		"CONNECT x:25 HTTP/1.1\r\n\r\n",
		"SSH-2.0-OpenSSH_9.2\r\nEHLO x\r\n",
		"\x16\x03\x01\x02",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_connect();
		kit_hear();
		kit_say(rows[i]);
		assert_string_equal(kit_codes(kit_hear()), "500 ");
		assert_true(kit.is_closed);
	}
}

static void
too_many_errors_end_the_session(void **state)
{
	kit_ready();
	for (int i = 0; i < 30; i++)
		kit_say("WIZ\r\n");
	kit_say("NOOP\r\n");
	assert_int_equal(strlen(kit_codes(kit_hear())) / 4, 21);
	assert_true(kit.is_closed);
}

static void
too_many_errors_end_the_transaction_after_the_command(void **state)
{
	kit_ready();
	kit_say("MAIL FROM:<>\r\n");
	for (int i = 0; i < 30; i++)
		kit_say("RCPT TO:<v@x..y>\r\n");
	assert_int_equal(strlen(kit_codes(kit_hear())) / 4, 22);
	assert_true(kit.is_closed);
}

static void
commands_without_mail_end_the_session_too(void **state)
{
	const char *codes;

	kit_ready();
	for (int i = 0; i < 200; i++)
		kit_say("RSET\r\n");
	codes = kit_codes(kit_hear());
	assert_int_equal(strlen(codes) / 4, 100);
	assert_string_equal(codes + strlen(codes) - 8, "250 421 ");
	assert_true(kit.is_closed);
}

static void
a_recipient_too_many_is_refused_and_the_others_stay(void **state)
{
	kit_ready();
	kit_say("MAIL FROM:<>\r\n");
	for (int i = 0; i < 101; i++)
		kit_say("RCPT TO:<v@test.example>\r\n");
	assert_non_null(strstr(kit_hear(),
	    "452 4.5.3 Too many recipients\r\n"));
	kit_say("DATA\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "354 250 ");
	assert_int_equal(kit_last()->rcpt_cnt, 100);
}

/* Of whatever kind the limit is, it is told at the RCPT that is too many. */
static void
what_the_queue_would_not_take_is_refused_at_once(void **state)
{
	char line[1000], local[200];
	unsigned cnt = 0;

	memset(local, 'x', sizeof(local) - 1);
	local[sizeof(local) - 1] = '\0';
	snprintf(line, sizeof(line), "RCPT TO:<%s@test.example> "
	    "ORCPT=rfc822;%s%s@x\r\n", local, local, local);
	kit.edge->set.max_recipients = 100000;
	kit_ready();
	kit_say("MAIL FROM:<>\r\n");
	kit_hear();
	do {
		kit_say(line);
		cnt++;
	} while (strncmp(kit_hear(), "250", 3) == 0);
	assert_int_equal(cnt - 1, RCPT_BYTES_MAX / (199 + 13 + 7 + 398 + 2));
	kit_want("RCPT TO:<v@test.example>\r\n",
	    "250 2.1.5 <v@test.example> Ok\r\n");
	kit_want("RSET\r\n", "250 2.0.0 Ok\r\n");
	kit_want("MAIL FROM:<>\r\n", "250 2.1.0 <> Ok\r\n");
	for (cnt = 0; cnt < RCPTS_MAX; cnt++) {
		kit_say("RCPT TO:<v@test.example>\r\n");
		if (cnt % 500 == 499)
			assert_null(strstr(kit_hear(), "452"));
	}
	kit_want("RCPT TO:<v@test.example>\r\n",
	    "452 4.5.3 Too many recipients\r\n");
}

static void
ten_thousand_pipelined_recipients_are_all_answered(void **state)
{
	size_t said = 0, heard = 0;

	kit_ready();
	kit_want("MAIL FROM:<>\r\n", "250 2.1.0 <> Ok\r\n");
	while (said < 10000) {
		kit_say("RCPT TO:<v@test.example>\r\n");
		if (++said % 500 == 0)
			heard += strlen(kit_codes(kit_hear())) / 4;
	}
	assert_int_equal(heard, 10000);
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
}

static void
who_does_not_read_replies_is_not_read_from(void **state)
{
	static char line[] = "RCPT TO:<v@test.example>\r\n";
	size_t sent = 0;

	kit_ready();
	kit_want("MAIL FROM:<>\r\n", "250 2.1.0 <> Ok\r\n");
	while (send(kit.fd, line, strlen(line), MSG_NOSIGNAL) > 0 &&
	    sent < 100000) {
		sent++;
		if (sent % 100 == 0)
			kit_turn(2);
	}
	kit_turn(50);
	assert_true(sent < 100000);
	for (size_t heard = 0; heard < sent;)
		heard += strlen(kit_codes(kit_hear())) / 4;
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
}

#define SESSION "EHLO client.example\r\nMAIL FROM:<a@other.example>\r\n"  \
	"RCPT TO:<v@test.example>\r\nDATA\r\nA: b\r\n\r\n..x\r\n.\r\n"	  \
	"MAIL FROM:<>\r\nRCPT TO:<w@test.example>\r\nDATA\r\n.\r\nQUIT\r\n"

static void
every_split_of_a_pipelined_session_gives_the_same(void **state)
{
	const char *text = SESSION;

	for (size_t cut = 0; cut <= strlen(text); cut++) {
		kit_connect();
		kit_hear();
		kit_give(text, cut);
		kit_turn(KIT_TURNS);
		kit_say(text + cut);
		assert_string_equal(kit_codes(kit_hear()),
		    "250 250 250 354 250 250 250 354 250 221 ");
		assert_true(kit.mail_cnt == 2);
		assert_memory_equal(kit.mails[0].body.ptr, ".x\r\n", 4);
		assert_int_equal(kit.mails[0].body.len, 4);
		kit_stop();
		kit_start();
	}
}

static void
a_session_given_byte_by_byte_gives_the_same(void **state)
{
	const char *text = SESSION;

	kit_connect();
	for (size_t i = 0; i < strlen(text); i++) {
		kit_give(text + i, 1);
		kit_turn(3);
	}
	assert_string_equal(kit_codes(kit_hear()),
	    "220 250 250 250 354 250 250 250 354 250 221 ");
}

static void
vrfy_says_the_same_to_all(void **state)
{
	char known[200];

	kit_ready();
	kit_say("VRFY postmaster\r\n");
	snprintf(known, sizeof(known), "%s", kit_hear());
	kit_want("VRFY nobody-at-all\r\n", known);
}

static void
tell_utf8(enum queue_utf8 utf8)
{
	(void)link_send_queue_state(kit.queue, &(struct msg_queue_state){
	    .eightbit = 1, .utf8 = (uint8_t)utf8 });
	kit_turn(KIT_TURNS);
}

/* Whoever is behind a proxy may have none; a queue of ours converts. */
static void
eightbitmime_is_a_parameter_where_the_next_hop_has_it(void **state)
{
	static const char say[] = "MAIL FROM:<a@x.example> BODY=8BITMIME\r\n";

	kit_ready();
	(void)link_send_queue_state(kit.queue, &(struct msg_queue_state){
	    .utf8 = QUEUE_ASCII });
	kit_turn(KIT_TURNS);
	kit_want(say, "451 4.6.3 8BITMIME is not offered any more, say EHLO "
	    "again\r\n");
	kit_say("EHLO client.example\r\n");
	assert_null(strstr(kit_hear(), "8BITMIME"));
	kit_want(say, "555 5.6.3 8BITMIME is not offered\r\n");
	(void)link_send_queue_state(kit.queue, &(struct msg_queue_state){
	    .utf8 = QUEUE_UTF8 });
	kit_turn(KIT_TURNS);
	kit_say("EHLO client.example\r\n");	/* RFC 6531 3.1 */
	assert_non_null(strstr(kit_hear(), "250-8BITMIME\r\n"));
	kit_want(say, "250 2.1.0 <a@x.example> Ok\r\n");
}

static void
smtputf8_is_a_parameter_where_all_relays_can_carry_it(void **state)
{
	static const char say[] = "MAIL FROM:<\xc3\xa9@x.example> SMTPUTF8\r\n";

	tell_utf8(QUEUE_ASCII);
	kit_ready();
	kit_want(say, "555 5.6.7 SMTPUTF8 is not offered\r\n");
	kit_want("MAIL FROM:<a@x.example> SMTPUTF8\r\n",
	    "555 5.6.7 SMTPUTF8 is not offered\r\n");
	tell_utf8(QUEUE_UTF8);
	kit_say("EHLO client.example\r\n");
	assert_non_null(strstr(kit_hear(), "250-SMTPUTF8\r\n"));
	tell_utf8(QUEUE_ASCII);
	kit_want(say, "451 4.6.7 SMTPUTF8 is not offered any more, say EHLO "
	    "again\r\n");
	kit_say("EHLO client.example\r\n");
	assert_null(strstr(kit_hear(), "SMTPUTF8"));
	kit_want(say, "555 5.6.7 SMTPUTF8 is not offered\r\n");
	kit.edge->set.smtputf8 = SMTPUTF8_YES;
	kit_want(say, "250 2.1.0 <\xc3\xa9@x.example> Ok\r\n");
	kit_want("RSET\r\n", "250 2.0.0 Ok\r\n");
	kit.edge->set.smtputf8 = SMTPUTF8_NO;
	tell_utf8(QUEUE_UTF8);
	kit_say("EHLO client.example\r\n");
	assert_null(strstr(kit_hear(), "SMTPUTF8"));
	kit.edge->set.smtputf8 = SMTPUTF8_AUTO;
	tell_utf8(QUEUE_UTF8_SOME);
	kit_say("EHLO client.example\r\n");
	assert_non_null(strstr(kit_hear(), "250-SMTPUTF8\r\n"));
}

#define T(name)	cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_whole_session_is_worded_as_documented),
		T(what_reports_are_wanted_goes_to_the_queue),
		T(a_wrong_parameter_is_told_in_plain_words),
		T(each_command_gets_the_code_its_state_gives),
		T(parameters_of_mail_are_judged),
		T(careless_clients_are_understood),
		T(help_names_what_can_be_said),
		T(a_command_that_ends_in_lf_alone_is_the_last),
		T(bare_cr_and_nul_make_one_refused_command),
		T(a_line_of_4096_bytes_is_taken_and_a_longer_one_ends_it),
		T(other_protocols_hear_one_500),
		T(too_many_errors_end_the_session),
		T(too_many_errors_end_the_transaction_after_the_command),
		T(commands_without_mail_end_the_session_too),
		T(a_recipient_too_many_is_refused_and_the_others_stay),
		T(what_the_queue_would_not_take_is_refused_at_once),
		T(ten_thousand_pipelined_recipients_are_all_answered),
		T(who_does_not_read_replies_is_not_read_from),
		T(every_split_of_a_pipelined_session_gives_the_same),
		T(a_session_given_byte_by_byte_gives_the_same),
		T(eightbitmime_is_a_parameter_where_the_next_hop_has_it),
		T(smtputf8_is_a_parameter_where_all_relays_can_carry_it),
		T(vrfy_says_the_same_to_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
