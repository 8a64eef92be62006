/*
 * LMTP in, RFC 2033: LHLO, and a reply for each recipient at the end of a text.
 *
 * room: edge
 */
#include "edge/protocol.h"
#include "edge_kit.h"

#define ID	"01000000-0000-0000-0000-00000000000"
#define THREE	"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n"	\
	"RCPT TO:<c@x.example>\r\nRCPT TO:<b@x.example>\r\n"

static int
setup(void **state)
{
	kit_start();
	kit.edge->protocol = &protocol_lmtp;
	return 0;
}

static void
begin(void)
{
	kit_connect();
	kit_say("LHLO x\r\n");
	assert_string_equal(kit_codes(kit_hear()), "220 250 ");
}

static void
each_recipient_hears_of_the_end(void **state)
{
	begin();
	kit_say(THREE "RCPT TO:<x\r\nDATA\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "250 250 250 250 501 354 ");
	kit_want("A: b\r\n\r\nx\r\n.\r\n",
	    "250 2.6.0 <b@x.example> Message queued as " ID "1\r\n"
	    "250 2.6.0 <c@x.example> Message queued as " ID "1\r\n"
	    "250 2.6.0 <b@x.example> Message queued as " ID "1\r\n");
	assert_string_equal(kit_last()->proto, "LMTP");
	kit_say(THREE "BDAT 6\r\nA: b\r\nBDAT 0 LAST\r\nNOOP\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "250 250 250 250 250 250 250 250 250 ");
	assert_int_equal(kit.mail_cnt, 2);
}

static void
each_recipient_hears_the_refusal(void **state)
{
	kit.no_verdict = true;
	begin();
	kit_say(THREE "DATA\r\n");
	(void)kit_hear();
	kit_want("A: b\r\n\r\nx\r\n.\r\n", "");
	kit_refuse(kit_last(), 452, "4.3.1", "No room");
	kit_want("NOOP\r\n", "452 4.3.1 No room\r\n452 4.3.1 No room\r\n"
	    "452 4.3.1 No room\r\n250 2.0.0 Ok\r\n");

	kit.no_verdict = false;
	kit.edge->set.max_size = 20;
	kit_say(THREE "BDAT 99\r\n");
	for (int i = 0; i < 9; i++)
		kit_say("NOOP 5678\r\n");
	(void)kit_hear();
	kit_say("BDAT 0 LAST\r\nNOOP\r\n");
	assert_string_equal(kit_codes(kit_hear()), "552 552 552 250 ");

	kit_say(THREE "DATA\r\n");
	(void)kit_hear();
	kit_say("A: b\nNOOP\r\n.\r\nNOOP\r\n");
	assert_string_equal(kit_codes(kit_hear()), "550 550 550 ");
	assert_true(kit.is_closed);
	assert_false(kit_last()->is_committed);
}

/* A queue that goes away says no to each as well. */
static void
each_recipient_hears_that_the_queue_is_away(void **state)
{
	kit.no_verdict = true;
	begin();
	kit_say(THREE "DATA\r\nA: b\r\n\r\nx\r\n.\r\n");
	(void)kit_hear();
	from_queue_close(kit.edge);
	assert_string_equal(kit_codes(kit_hear()), "451 451 451 ");
}

static void
many_recipients_are_one_error(void **state)
{
	kit.edge->set.max_errors = 4;
	begin();
	for (int i = 0; i < 2; i++) {
		kit_say(THREE THREE "DATA\r\n");
		for (int k = 0; k < 101; k++)
			kit_say("Received: x\r\n");
		(void)kit_hear();
		kit_say("\r\n.\r\n");
		assert_string_equal(kit_codes(kit_hear()),
		    "554 554 554 554 554 554 ");
	}
	assert_false(kit.is_closed);
}

static void
words_of_smtp_are_unknown(void **state)
{
	kit_connect();
	kit_say("EHLO x\r\nHELO x\r\nMAIL FROM:<a@x.example>\r\n"
	    "LHLO\r\nLHLO x\r\nHELP\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "220 500 500 503 501 250 214 ");
	kit_want("HELP\r\n", "214 2.0.0 LHLO MAIL RCPT DATA BDAT RSET NOOP "
	    "VRFY HELP QUIT\r\n");
	kit.edge->protocol = &protocol_smtp;
	kit_connect();
	kit_say("LHLO x\r\nEHLO x\r\n");
	assert_string_equal(kit_codes(kit_hear()), "220 500 250 ");
}

/* RFC 2033 4.2: DATA without anybody is 503. */
static void
without_a_recipient_there_is_no_text(void **state)
{
	begin();
	kit_say("DATA\r\nMAIL FROM:<a@x.example>\r\nDATA\r\nRCPT TO:<x\r\n"
	    "DATA\r\nBDAT 6 LAST\r\nNOOP\r\nNOOP\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "503 250 503 501 503 503 250 ");
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		T(each_recipient_hears_of_the_end),
		T(each_recipient_hears_the_refusal),
		T(each_recipient_hears_that_the_queue_is_away),
		T(many_recipients_are_one_error),
		T(words_of_smtp_are_unknown),
		T(without_a_recipient_there_is_no_text),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
