/*
 * The text of a message: where it ends and where it does not, what is refused,
 * what the queue gets, how credit holds the client back, and every way a
 * transaction can end.
 *
 * room: edge
 */
#include "edge_kit.h"

#define SMUGGLED "MAIL FROM:<smuggled@other.example>\r\n"		\
	"RCPT TO:<v@test.example>\r\nDATA\r\nA: b\r\n\r\nx\r\n.\r\nQUIT\r\n"

struct ending {
	const char	*bytes;
	size_t		 len;
};

#define ENDING(s)	{ s, sizeof(s) - 1 }

/* EOD-02 to EOD-13 and EOD-20. */
static const struct ending bad_endings[] = {
	ENDING("\n.\n"), ENDING("\n.\r\n"), ENDING("\r\n.\n"),
	ENDING("\r.\r"), ENDING("\r.\n"), ENDING("\n.\r"),
	ENDING("\r.\r\n"), ENDING("\r\n.\rtext"), ENDING("\r\n\0.\r\n"),
	ENDING("\r\n.\0\r\n"), ENDING("\r\r\n.\r\r\n"),
	ENDING("\r\n.\r\r\n"),
};

static struct span
body(void)
{
	return grow_span(&kit_last()->body);
}

/* The header section behind our own trace field. */
static const char *
client_header(void)
{
	static char text[4096];
	const char *p;

	assert_true(span_cstr(grow_span(&kit_last()->header), text,
	    sizeof(text)));
	assert_memory_equal(text, "Received: from ", 15);
	for (p = strstr(text, "\r\n"); p[2] == '\t' || p[2] == ' ';)
		p = strstr(p + 2, "\r\n");
	return p + 2;
}

static void
nothing_but_crlf_dot_crlf_ends_the_text(void **state)
{
	for (size_t i = 0; i < sizeof(bad_endings) / sizeof(*bad_endings);
	    i++) {
		kit_data();
		kit_say("Subject: x\r\n\r\nfirst");
		kit_give(bad_endings[i].bytes, bad_endings[i].len);
		kit_say(SMUGGLED);
		assert_string_equal(kit_hear(), "550 5.5.2 Bare CR, bare LF "
		    "or NUL not allowed\r\n");
		assert_true(kit.is_closed);
		for (unsigned k = 0; k < kit.mail_cnt; k++) {
			assert_false(kit.mails[k].is_committed);
			assert_string_equal(kit.mails[k].sender,
			    "a@other.example");
		}
		assert_true(kit_last()->is_aborted);
	}
}

/* Of a client that is known LF alone is a line end, and still no end. */
static void
what_passes_for_a_line_end_ends_no_text(void **state)
{
	kit.edge->set.normalise_lf = true;
	assert_int_equal(rules_add_net(&kit.edge->set.rules,
	    SPAN("192.0.2.0/24")), OK);
	for (size_t i = 0; i < sizeof(bad_endings) / sizeof(*bad_endings);
	    i++) {
		bool spoilt = memchr(bad_endings[i].bytes, '\0',
		    bad_endings[i].len) != NULL;

		for (size_t k = 0; k < bad_endings[i].len; k++)
			spoilt |= bad_endings[i].bytes[k] == '\r' &&
			    (k + 1 == bad_endings[i].len ||
			    bad_endings[i].bytes[k + 1] != '\n');
		kit_data();
		kit_say("Subject: x\n\nfirst\n..\n");
		kit_give(bad_endings[i].bytes, bad_endings[i].len);
		kit_say(SMUGGLED);
		assert_string_equal(kit_codes(kit_hear()),
		    spoilt ? "550 " : "250 221 ");
		assert_int_equal(kit.mail_cnt, i + 1);
		assert_string_equal(kit_last()->sender, "a@other.example");
		assert_true(spoilt == kit_last()->is_aborted);
		if (spoilt)
			continue;
		assert_string_equal(client_header(), "Subject: x\r\n\r\n");
		assert_memory_equal(body().ptr, "first\r\n.\r\n", 10);
		assert_true(span_eq(span_tail(body(), body().len - 13),
		    SPAN("\r\nA: b\r\n\r\nx\r\n")));
	}
}

static void
only_who_is_known_may_end_lines_with_lf(void **state)
{
	static const char mail[] = "EHLO x\nMAIL FROM:<a@other.example>\n"
	    "RCPT TO:<v@test.example>\nDATA\nA: b\n\n.x\n\r\n.\r\n";

	kit.edge->set.normalise_lf = true;
	assert_int_equal(rules_add_net(&kit.edge->set.rules,
	    SPAN("0.0.0.0/0")), OK);
	kit_connect();
	kit_say(mail);
	assert_string_equal(kit_codes(kit_hear()), "220 500 ");
	kit_connect_as(client_address_user(1000));
	kit_say(mail);
	assert_string_equal(kit_codes(kit_hear()), "220 250 250 250 354 250 ");
	assert_string_equal(client_header(), "A: b\r\n\r\n");
	assert_true(span_eq(body(), SPAN("x\r\n\r\n")));
	kit_users();
	kit_ready();
	kit_say("AUTH PLAIN AGFubgBwdw==\r\n");
	kit_turn(KIT_TURNS);
	kit_vault_says(LOGIN_GOOD);
	kit_say("MAIL FROM:<a@other.example>\nRCPT TO:<v@test.example>\n"
	    "DATA\nA: b\n\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "235 250 250 354 250 ");
	kit.edge->set.normalise_lf = false;
	kit_connect_as(client_address_user(1000));
	kit_say(mail);
	assert_string_equal(kit_codes(kit_hear()), "220 500 ");
}

/* Twice as many bytes may come out as went in. */
static void
line_ends_that_grow_find_room(void **state)
{
	static char lines[3 * PIECE_MAX];

	kit.edge->set.normalise_lf = true;
	assert_int_equal(rules_add_net(&kit.edge->set.rules,
	    SPAN("192.0.2.1")), OK);
	memset(lines, '\n', sizeof(lines));
	kit_data();
	kit_give(lines, sizeof(lines));
	kit_say("\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_int_equal(kit_last()->odd_cnt, 0);
	assert_int_equal(kit_last()->body.len, 2 * sizeof(lines));
}

static void
a_bare_line_end_in_the_header_is_refused(void **state)
{
	kit_data();
	kit_say("A: b\nC: d\r\n\r\nx\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "550 ");
	kit_data();
	kit_say("A: b\rc\r\n\r\nx\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "550 ");
	assert_true(kit.is_closed);
}

static void
dots_are_undone_and_strange_breaks_are_content(void **state)
{
	kit_data();
	kit_say("A: b\r\n\r\n..\r\n.x\r\n\xe2\x80\xa8.\xc2\x85.\v.\f.\r\n"
	    "QUIT\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_true(span_eq(body(), SPAN(".\r\nx\r\n"
	    "\xe2\x80\xa8.\xc2\x85.\v.\f.\r\nQUIT\r\n")));
	assert_true(kit_last()->flags & MAIL_8BIT);
	assert_string_equal(client_header(), "A: b\r\n\r\n");
}

static void
what_stands_before_the_blank_line_is_the_header(void **state)
{
	static const struct {
		const char *text, *header, *body;
	} rows[] = {
		{ ".\r\n", "", "" },
		{ "A: b\r\n.\r\n", "A: b\r\n", "" },
		{ "A: b\r\n\r\n.\r\n", "A: b\r\n\r\n", "" },
		{ "\r\nx\r\n.\r\n", "\r\n", "x\r\n" },
		{ "no header\r\nA: b\r\n\r\nx\r\n.\r\n",
		    "no header\r\nA: b\r\n\r\n", "x\r\n" },
		{ "A: b\r\n c\r\nhello\r\nC: d\r\n\r\nx\r\n.\r\n",
		    "A: b\r\n c\r\nhello\r\nC: d\r\n\r\n", "x\r\n" },
		{ "A: b\r\nhello\r\nx\r\n.\r\n", "A: b\r\nhello\r\nx\r\n",
		    "" },
		{ "From a@b Mon Jan  1\r\nA: b\r\n\r\nx\r\n.\r\n",
		    "A: b\r\n\r\n", "x\r\n" },
		{ "From now\r\non\r\n.\r\n", "From now\r\non\r\n", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t cut = 0; cut < strlen(rows[i].text); cut++) {
			kit_data();
			kit_give(rows[i].text, cut);
			kit_turn(KIT_TURNS);
			kit_say(rows[i].text + cut);
			assert_string_equal(kit_codes(kit_hear()), "250 ");
			assert_string_equal(client_header(), rows[i].header);
			assert_true(span_eq(body(), span_of(rows[i].body)));
			kit_stop();
			kit_start();
		}
}

/* The whole header section of the last message, with a NUL. */
static const char *
whole_header(void)
{
	static char text[8192];

	assert_true(span_cstr(grow_span(&kit_last()->header), text,
	    sizeof(text)));
	return text;
}

static void
policies_add_what_is_missing_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		bool has_date, has_id;
	} rows[] = {
		{ "A: b\r\n\r\nx\r\n.\r\n", false, false },
		{ "DATE: x\r\n\r\nx\r\n.\r\n", true, false },
		{ "message-id : <a@b>\r\n\r\nx\r\n.\r\n", false, true },
		{ "Message-ID: <a@b>\r\nDate: x\r\n.\r\n", true, true },
		{ "no header\r\nx\r\n.\r\n", false, false },
		{ "A: b\r\nno field\r\nDate: x\r\n.\r\n", true, false },
		{ "From a@b Mon Jan  1\r\nDate: x\r\n.\r\n", true, false },
		{ "X-Date: y\r\n\r\nDate: x\r\n.\r\n", false, false },
		{ ".\r\n", false, false },
	};
	const char *h;

	kit.edge->set.add_date = kit.edge->set.add_message_id = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_data();
		kit_say(rows[i].text);
		assert_string_equal(kit_codes(kit_hear()), "250 ");
		h = whole_header();
		assert_memory_equal(h, "Received: from ", 15);
		assert_int_equal(strstr(h, "\r\nDate: ") != NULL &&
		    strstr(h, " +0000\r\nDate: ") != NULL,
		    !rows[i].has_date);
		assert_int_equal(strstr(h, "\r\nMessage-ID: <01000000-0000-"
		    "0000-0000-00000000000") != NULL, !rows[i].has_id);
	}
	assert_string_equal(h + strlen(h) - 24, "00009@mx.test.example>\r\n");
}

static void
without_policies_the_header_is_the_clients_own(void **state)
{
	kit.edge->set.add_received = false;
	kit_data();
	kit_say("A: b\r\n\r\nx\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_string_equal(whole_header(), "A: b\r\n\r\n");
	kit.edge->set.add_message_id = true;
	kit_data();
	kit_say("A: b\r\n\r\nx\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_string_equal(whole_header(), "Message-ID: <01000000-0000-0000-"
	    "0000-000000000002@mx.test.example>\r\nA: b\r\n\r\n");
}

static void
a_hundred_received_fields_pass_and_one_more_is_a_loop(void **state)
{
	kit_data();
	for (int i = 0; i < RECEIVED_MAX; i++)
		kit_say("Received: from x by y; now\r\n");
	kit_say("\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	kit_data();
	for (int i = 0; i <= RECEIVED_MAX; i++)
		kit_say("received: from x by y; now\r\n");
	kit_say("\r\n.\r\n");
	assert_string_equal(kit_hear(), "554 5.4.6 Too many hops\r\n");
	assert_true(kit_last()->is_aborted);
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
}

/* Lines of 64 bytes, len in all. */
static void
give_lines(size_t len)
{
	static char line[64];

	memset(line, 'x', sizeof(line) - 2);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	for (size_t i = 0; i < len; i += sizeof(line))
		kit_give(line, sizeof(line));
}

static void
a_message_over_max_size_is_read_to_its_end(void **state)
{
	kit.edge->set.max_size = 10000;
	kit_data();
	kit_say("A: b\r\n\r\n");
	give_lines(300000);
	kit_say(".\r\nNOOP\r\n");
	assert_string_equal(kit_hear(),
	    "552 5.3.4 Message size exceeds 10000 limit\r\n250 2.0.0 Ok\r\n");
	assert_true(kit_last()->is_aborted);
	assert_false(kit.is_closed);
}

static void
a_header_over_its_limit_is_read_to_its_end(void **state)
{
	kit_data();
	for (int i = 0; i < 6000; i++)
		kit_say("X-Long: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
	kit_say("\r\nx\r\n.\r\nNOOP\r\n");
	assert_string_equal(kit_hear(), "552 5.3.4 Message header size "
	    "exceeds limit\r\n250 2.0.0 Ok\r\n");
}

/* It may be text that has none: nothing is lost, and nothing put in. */
static void
a_text_of_any_size_may_lack_the_empty_line(void **state)
{
	static char line[80];
	struct kit_mail *m;

	memset(line, 'x', sizeof(line));
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	kit_data();
	kit_say("begin 644 a\r\n");
	for (int i = 0; i < 12000; i++)
		kit_give(line, sizeof(line));
	kit_say("end\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	m = kit_last();
	assert_memory_equal(m->header.ptr, "Received: from ", 15);
	assert_true(m->header.len < (256u << 10) + EDGE_READ_MAX);
	assert_non_null(memmem(m->header.ptr, 2000, "\r\nbegin 644 a\r\nxxx",
	    18));
	assert_memory_equal(m->header.ptr + m->header.len - 3, "x\r\n", 3);
	assert_memory_equal(m->body.ptr, "xxx", 3);
	assert_memory_equal(m->body.ptr + m->body.len - 8, "x\r\nend\r\n", 8);
	assert_int_equal((const char *)memmem(m->header.ptr, m->header.len,
	    "begin", 5) + 13 + 12000 * 80 + 5 - m->header.ptr,
	    m->header.len + m->body.len);
}

static void
a_large_header_goes_in_pieces(void **state)
{
	kit_data();
	for (int i = 0; i < 4000; i++)
		kit_say("X-Long: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
	kit_say("\r\nx\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_int_equal(kit_last()->odd_cnt, 0);
	assert_true(kit_last()->header.len > 4000 * 48);
	assert_true(span_eq(body(), SPAN("x\r\n")));
}

static void
lines_up_to_10000_bytes_pass(void **state)
{
	static char line[TEXT_LINE_MAX + 3];

	memset(line, 'x', sizeof(line));
	kit_data();
	kit_say("\r\n");
	kit_give(line, TEXT_LINE_MAX);
	kit_say("\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	kit_data();
	kit_say("\r\n");
	kit_give(line, TEXT_LINE_MAX + 1);
	kit_say("\r\n.\r\n");
	assert_string_equal(kit_hear(), "554 5.6.0 Line too long\r\n");
}

static void
a_body_goes_in_full_pieces_and_a_last_one(void **state)
{
	kit_data();
	kit_say("A: b\r\n\r\n");
	give_lines(10 * PIECE_MAX);
	kit_say(".\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_int_equal(kit_last()->odd_cnt, 0);
	assert_int_equal(kit_last()->piece_cnt, 10);
	assert_int_equal(kit_last()->body.len, 10 * PIECE_MAX);
}

/* Send until nobody takes it any more; how much that was. */
static size_t
give_until_full(void)
{
	static char block[65536];
	size_t sent = 0;
	ssize_t n;

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = "0123456789abcdef0123456789abcd\r\n"[i % 32];
	for (int quiet = 0; quiet < 20;) {
		n = send(kit.fd, block + sent % 32, sizeof(block) - 32,
		    MSG_NOSIGNAL);
		if (n > 0) {
			sent += (size_t)n;
			quiet = 0;
		} else {
			quiet++;
			kit_turn(2);
		}
		assert_true(sent < 900000);
	}
	return sent;
}

static void
without_credit_the_client_is_not_read_from(void **state)
{
	struct kit_mail *m;
	size_t sent;

	kit.no_credit = true;
	kit_data();
	kit_say("\r\n");
	sent = give_until_full();
	m = kit_last();
	assert_int_equal(m->piece_cnt, STREAM_CREDIT);
	kit_credit(m, 1);
	kit_turn(KIT_TURNS);
	assert_int_equal(m->piece_cnt, STREAM_CREDIT + 1);
	kit.no_credit = false;
	kit_credit(m, STREAM_CREDIT);
	kit_say("\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_int_equal(m->odd_cnt, 0);
	assert_true(m->body.len >= sent);
}

static void
the_end_of_a_message_waits_for_credit_too(void **state)
{
	struct kit_mail *m;

	kit.no_credit = true;
	kit_data();
	for (int i = 0; i < 4000; i++)
		kit_say("X-Long: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
	kit_say("\r\n");
	give_lines(2 * PIECE_MAX + 64);
	kit_want(".\r\nNOOP\r\n", "");
	m = kit_last();
	assert_int_equal(m->piece_cnt, STREAM_CREDIT);
	for (unsigned cnt = STREAM_CREDIT + 1; cnt <= 5; cnt++) {
		kit_credit(m, 1);
		kit_turn(KIT_TURNS);
		assert_int_equal(m->piece_cnt, cnt);
		assert_int_equal(m->is_committed, cnt == 5);
	}
	assert_string_equal(kit_codes(kit_hear()), "250 250 ");
	assert_int_equal(m->odd_cnt, 0);
}

static void
before_the_grant_nothing_is_sent_and_little_is_read(void **state)
{
	kit.no_grant = true;
	kit_data();
	kit_say("\r\n");
	give_until_full();
	assert_int_equal(kit_last()->piece_cnt, 0);
	kit_grant(kit_last());
	kit_say("\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
}

static void
a_small_message_waits_for_its_id_and_its_verdict(void **state)
{
	kit.no_grant = kit.no_verdict = true;
	kit_data();
	kit_want("A: b\r\n\r\nx\r\n.\r\nNOOP\r\n", "");
	kit_grant(kit_last());
	kit_want("", "");
	assert_true(kit_last()->is_committed);
	kit_taken(kit_last());
	assert_string_equal(kit_codes(kit_hear()), "250 250 ");
}

static void
the_trace_names_id_client_and_the_only_recipient(void **state)
{
	char text[4096];

	kit_data();
	kit_say("A: b\r\n\r\nx\r\n.\r\n");
	kit_hear();
	assert_true(span_cstr(grow_span(&kit_last()->header), text,
	    sizeof(text)));
	assert_non_null(strstr(text, "from client.example ([192.0.2.1])"));
	assert_non_null(strstr(text, "by mx.test.example with ESMTP"));
	assert_non_null(strstr(text, "01000000-0000-0000-0000-00000000000"));
	assert_non_null(strstr(text, "for <v@test.example>;"));
}

static void
a_refusal_of_the_queue_is_passed_on(void **state)
{
	kit.no_verdict = true;
	kit_data();
	kit_want("A: b\r\n\r\nx\r\n.\r\n", "");
	kit_refuse(kit_last(), 452, "4.3.1", "Disk\r\nfull");
	kit_want("NOOP\r\n",
	    "452 4.3.1 Disk??full\r\n250 2.0.0 Ok\r\n");
	kit_data();
	kit_refuse(kit_last(), 554, "5.6.0", "No");
	kit_want("A: b\r\n\r\n", "");
	kit_want("x\r\n.\r\n", "554 5.6.0 No\r\n");
	assert_false(kit_last()->is_aborted);
	kit_data();
	kit_refuse(kit_last(), 250, "2.0.0", "Fine");
	kit_want("\r\n.\r\n", "451 4.3.0 Error queuing message\r\n");
}

static void
a_lost_queue_costs_the_message_and_not_the_session(void **state)
{
	kit_data();
	kit_say("A: b\r\n\r\nx\r\n");
	kit_hear();
	link_close(&kit.queue);
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.lost_cnt, 1);
	kit_say(".\r\n");
	assert_string_equal(kit_codes(kit_hear()), "451 ");
	kit_say("MAIL FROM:<>\r\n");
	assert_memory_equal(kit_hear(), "451 4.3.0", 9);
	kit_link();
	kit_say(KIT_ENVELOPE "DATA\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 354 250 ");
}

static void
a_queue_lost_before_its_verdict_is_451(void **state)
{
	kit.no_verdict = true;
	kit_data();
	kit_want("\r\nx\r\n.\r\n", "");
	link_close(&kit.queue);
	assert_string_equal(kit_codes(kit_hear()), "451 ");
	assert_true(LIST_EMPTY(&kit.edge->streams[1]));
}

static void
a_full_queue_is_told_at_mail(void **state)
{
	kit_ready();
	(void)link_send_queue_state(kit.queue,
	    &(struct msg_queue_state){ .eightbit = 1,
	    .utf8 = QUEUE_UTF8, .full = 1 });
	kit_turn(KIT_TURNS);
	kit_want("MAIL FROM:<>\r\n",
	    "452 4.3.1 Insufficient system storage\r\n");
	assert_int_equal(kit.room_cnt, 0);
	(void)link_send_queue_state(kit.queue,
	    &(struct msg_queue_state){ .eightbit = 1,
	    .utf8 = QUEUE_UTF8, .full = 0 });
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.room_cnt, 1);
	kit_want("MAIL FROM:<>\r\n", "250 2.1.0 <> Ok\r\n");
}

/* It is not full, and nobody need make room. */
static void
a_queue_that_cannot_write_says_451(void **state)
{
	kit_ready();
	(void)link_send_queue_state(kit.queue,
	    &(struct msg_queue_state){ .eightbit = 1, .utf8 = QUEUE_UTF8,
	    .full = QUEUE_SHUT });
	kit_turn(KIT_TURNS);
	kit_want("MAIL FROM:<>\r\n", "451 4.3.0 Mail cannot be stored now, "
	    "try again later\r\n");
	(void)link_send_queue_state(kit.queue,
	    &(struct msg_queue_state){ .eightbit = 1, .utf8 = QUEUE_UTF8,
	    .full = QUEUE_HAS_ROOM });
	kit_turn(KIT_TURNS);
	kit_want("MAIL FROM:<>\r\n", "250 2.1.0 <> Ok\r\n");
}

static void
a_client_that_leaves_aborts(void **state)
{
	kit_data();
	kit_say("A: b\r\n\r\nx\r\n.\r");
	kit_turn(KIT_TURNS);
	kit_hang_up();
	kit_turn(KIT_TURNS);
	assert_true(kit_last()->is_aborted);
	assert_false(kit_last()->is_committed);
	assert_int_equal(kit.edge->client_cnt, 0);
}

static void
a_client_that_leaves_after_the_end_aborts_nothing(void **state)
{
	kit.no_verdict = true;
	kit_data();
	kit_say("\r\nx\r\n.\r\n");
	kit_turn(KIT_TURNS);
	kit_hang_up();
	kit_turn(KIT_TURNS);
	assert_true(kit_last()->is_committed);
	kit_taken(kit_last());
	kit_turn(KIT_TURNS);
	assert_false(kit_last()->is_aborted);
	assert_int_equal(kit.edge->client_cnt, 0);
	assert_int_equal(kit.lost_cnt, 0);
}

static void
a_client_that_has_said_all_still_hears_the_verdict(void **state)
{
	kit.no_verdict = true;
	kit_data();
	kit_say("\r\nx\r\n.\r\n");
	assert_int_equal(shutdown(kit.fd, SHUT_WR), 0);
	kit_want("", "");
	kit_taken(kit_last());
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_true(kit.is_closed);
	kit_data();
	kit_say("\r\nx\r\n.\r\nQUIT\r\n");
	assert_int_equal(shutdown(kit.fd, SHUT_WR), 0);
	kit_want("", "");
	kit_taken(kit_last());
	assert_string_equal(kit_codes(kit_hear()), "250 221 ");
	assert_true(kit.is_closed);
}

static void
nonsense_of_the_queue_costs_its_link(void **state)
{
	kit_ready();
	(void)link_send_mail_taken(kit.queue,
	    &(struct msg_mail_taken){ .stream = 99 });
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.lost_cnt, 1);
	kit_link();
	kit_say(KIT_ENVELOPE "DATA\r\n");
	kit_hear();
	kit_credit(kit_last(), 1);
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.lost_cnt, 2);
	kit_link();
	kit_want("\r\n.\r\n",
	    "451 4.3.0 Queue not available, try again later\r\n");
	kit_say(KIT_ENVELOPE "DATA\r\n");
	kit_hear();
	kit_taken(kit_last());
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.lost_cnt, 3);
	kit_want("\r\n.\r\n",
	    "451 4.3.0 Queue not available, try again later\r\n");
}

static void
smtputf8_is_asked_of_the_next_hop_where_it_is_needed(void **state)
{
	kit_ready();
	kit_say("MAIL FROM:<a@x.example> SMTPUTF8\r\n"
	    "RCPT TO:<v@test.example>\r\nDATA\r\nA: b\r\n\r\nx\r\n.\r\n");
	kit_hear();
	assert_int_equal(kit_last()->flags, 0);
	kit_say("MAIL FROM:<\xc3\xa9@x.example> SMTPUTF8\r\n"
	    "RCPT TO:<v@test.example>\r\nDATA\r\nA: b\r\n\r\nx\r\n.\r\n");
	kit_hear();
	assert_int_equal(kit_last()->flags, MAIL_SMTPUTF8);
	kit_say("MAIL FROM:<a@x.example> SMTPUTF8 BODY=8BITMIME\r\n"
	    "RCPT TO:<v@test.example>\r\nDATA\r\n"
	    "A: \xc3\xa9\r\n\r\nx\r\n.\r\n");
	kit_hear();
	assert_int_equal(kit_last()->flags, MAIL_SMTPUTF8 | MAIL_8BIT);
	assert_int_equal(kit_last()->params, PARAM_SMTPUTF8);
	assert_int_equal(kit_last()->kind, BODY_8BITMIME);
}

static unsigned
flags_for(const char *params, const char *text)
{
	kit_say("MAIL FROM:<a@x.example>");
	kit_say(params);
	kit_say("\r\nRCPT TO:<v@test.example>\r\nDATA\r\n");
	kit_say(text);
	kit_say("\r\n.\r\n");
	kit_hear();
	return kit_last()->flags;
}

/* Whatever its sender says of it, and in the header as well as in the body. */
static void
the_text_itself_says_what_it_asks_of_a_next_hop(void **state)
{
	static char text[2 * TEXT_LINE_SURE + 9];

	kit_ready();
	assert_int_equal(flags_for(" BODY=8BITMIME", "A: b\r\n\r\nx"), 0);
	assert_int_equal(flags_for(" BODY=7BIT", "A: b\r\n\r\n\xfc"),
	    MAIL_8BIT);
	assert_int_equal(flags_for("", "A: \xfc\r\n\r\nx"), MAIL_8BIT);
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text + TEXT_LINE_SURE, "\r\n.", 3);
	text[2 * TEXT_LINE_SURE + 3] = '\0';
	assert_int_equal(flags_for("", text), 0);
	text[2 * TEXT_LINE_SURE + 3] = 'x';
	assert_int_equal(flags_for("", text), MAIL_LONG);
	memcpy(text, "A: ", 3);
	assert_int_equal(flags_for("", text), MAIL_LONG);
	memcpy(text + TEXT_LINE_SURE - 2, "xxxx", 4);
	text[sizeof(text) / 2 + 99] = '\0';
	assert_int_equal(flags_for(" BODY=8BITMIME", text), MAIL_LONG);
	assert_int_equal(kit_last()->params, 0);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_but_crlf_dot_crlf_ends_the_text),
		T(what_passes_for_a_line_end_ends_no_text),
		T(only_who_is_known_may_end_lines_with_lf),
		T(line_ends_that_grow_find_room),
		T(a_bare_line_end_in_the_header_is_refused),
		T(dots_are_undone_and_strange_breaks_are_content),
		T(what_stands_before_the_blank_line_is_the_header),
		T(policies_add_what_is_missing_and_nothing_else),
		T(without_policies_the_header_is_the_clients_own),
		T(a_hundred_received_fields_pass_and_one_more_is_a_loop),
		T(a_message_over_max_size_is_read_to_its_end),
		T(a_header_over_its_limit_is_read_to_its_end),
		T(a_text_of_any_size_may_lack_the_empty_line),
		T(a_large_header_goes_in_pieces),
		T(lines_up_to_10000_bytes_pass),
		T(a_body_goes_in_full_pieces_and_a_last_one),
		T(without_credit_the_client_is_not_read_from),
		T(the_end_of_a_message_waits_for_credit_too),
		T(before_the_grant_nothing_is_sent_and_little_is_read),
		T(a_small_message_waits_for_its_id_and_its_verdict),
		T(the_trace_names_id_client_and_the_only_recipient),
		T(a_refusal_of_the_queue_is_passed_on),
		T(a_lost_queue_costs_the_message_and_not_the_session),
		T(a_queue_lost_before_its_verdict_is_451),
		T(a_full_queue_is_told_at_mail),
		T(a_queue_that_cannot_write_says_451),
		T(a_client_that_leaves_aborts),
		T(a_client_that_leaves_after_the_end_aborts_nothing),
		T(a_client_that_has_said_all_still_hears_the_verdict),
		T(nonsense_of_the_queue_costs_its_link),
		T(the_text_itself_says_what_it_asks_of_a_next_hop),
		T(smtputf8_is_asked_of_the_next_hop_where_it_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
