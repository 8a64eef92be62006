/*
 * BDAT: chunks counted to the octet.  What is refused is never read as a
 * command, what was refused in part never becomes a message, and a text by
 * chunks is the same as one by DATA, however both are cut.
 *
 * room: edge
 */
#include "dice.h"
#include "edge_kit.h"

#define EVIL	"MAIL FROM:<evil@x.example>\r\n"	/* 28 octets */
#define QUEUED	"250 2.6.0 Message queued as "				\
	"01000000-0000-0000-0000-00000000000"

static void
begin(void)
{
	kit_ready();
	kit_say(KIT_ENVELOPE);
	assert_string_equal(kit_codes(kit_hear()), "250 250 ");
}

/* The text that the queue has, behind our own trace field. */
static struct span
text(void)
{
	static char all[1 << 17];
	struct span header = grow_span(&kit_last()->header);
	struct span body = grow_span(&kit_last()->body);
	size_t at = 0;

	do
		at += span_find(span_tail(header, at), '\n') + 1;
	while (at < header.len && (header.ptr[at] == '\t' ||
	    header.ptr[at] == ' '));
	header = span_tail(header, at);
	assert_true(header.len + body.len <= sizeof(all));
	memcpy(all, header.ptr, header.len);
	if (body.len > 0)
		memcpy(all + header.len, body.ptr, body.len);
	return (struct span){ all, header.len + body.len };
}

/* No message, and none that a chunk has begun. */
static void
assert_nothing_came(void)
{
	for (unsigned i = 0; i < kit.mail_cnt; i++) {
		assert_false(kit.mails[i].is_committed);
		assert_string_not_equal(kit.mails[i].sender,
		    "evil@x.example");
	}
}

static void
assert_text(const char *want)
{
	struct span got = text();

	if (!span_eq(got, span_of(want)))
		fail_msg("%.*s", (int)got.len, got.ptr);
}

static void
each_chunk_is_answered_and_the_last_one_queues(void **state)
{
	begin();
	kit_want("BDAT 14\r\nSubject: x\r\n\r\n",
	    "250 2.0.0 14 octets received\r\n");
	assert_false(kit_last()->is_committed);
	kit_want("BDAT 5\r\n.\r\nhi", "250 2.0.0 5 octets received\r\n");
	kit_want("BDAT 5 last\r\n\r\n.\r", "");
	kit_want("\n", QUEUED "1\r\n");	/* an octet short until now */
	assert_text("Subject: x\r\n\r\n.\r\nhi\r\n.\r\n");
	kit_want("QUIT\r\n", "221 2.0.0 Bye\r\n");
}

static void
chunks_may_be_sent_ahead(void **state)
{
	begin();
	kit_say("BDAT 6\r\nA: b\r\nBDAT 3\r\n\r\nxBDAT 2 LAST\r\n\r\n"
	    KIT_ENVELOPE "BDAT 5 LAST\r\nC: d\nQUIT\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "250 250 250 250 250 550 221 ");
	assert_int_equal(kit.mail_cnt, 2);
	assert_true(kit.mails[0].is_committed);
	assert_false(kit.mails[1].is_committed);
	assert_true(kit.is_closed);
}

static void
an_empty_chunk_ends_a_message_or_is_one(void **state)
{
	begin();
	kit_say("BDAT 8\r\nA: b\r\n\r\nBDAT 0\r\nBDAT 0 LAST\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 250 ");
	assert_text("A: b\r\n\r\n");
	kit_say(KIT_ENVELOPE "BDAT 0 LAST\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 250 ");
	assert_true(kit_last()->is_committed);
}

/* The last line gets an end: all who take lines want one. */
static void
a_last_line_without_an_end_gets_one(void **state)
{
	static const char *const rows[][2] = {
		{ "BDAT 9 LAST\r\nA: b\r\n\r\nx", "A: b\r\n\r\nx\r\n" },
		{ "BDAT 4 LAST\r\nA: b", "A: b\r\n" },
		{ "BDAT 9\r\nA: b\r\n\r\nxBDAT 0 LAST\r\n",
		    "A: b\r\n\r\nx\r\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		kit_say(rows[i][0]);
		assert_non_null(strstr(kit_hear(), QUEUED));
		assert_text(rows[i][1]);
	}
}

/* BDT-04 and 05: whatever is wrong, the octets are no commands. */
static void
what_is_refused_is_never_run(void **state)
{
	static const char *const rows[][3] = {
		{ "", "503 ", "250 " },
		{ "EHLO x\r\n", "503 ", "250 " },
		{ "EHLO x\r\nMAIL FROM:<a@x.example>\r\n", "503 ", "503 " },
		{ "EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<x\r\n",
		    "554 ", "503 " },
		{ "HELO x\r\n" KIT_ENVELOPE, "503 ", "503 " },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_connect();
		kit_say(rows[i][0]);
		(void)kit_hear();
		kit_say("BDAT 28\r\n" EVIL);
		assert_string_equal(kit_codes(kit_hear()), rows[i][1]);
		kit_say("NOOP\r\nRSET\r\nEHLO x\r\nNOOP\r\n");
		assert_string_equal(kit_codes(kit_hear()),
		    "250 250 250 250 ");
		assert_nothing_came();
	}
}

/* The chunks behind a refused one are no message of their own. */
static void
a_text_that_lacks_a_chunk_is_none(void **state)
{
	kit_connect();
	kit_say("EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<x\r\n"
	    "BDAT 28\r\n" EVIL "RCPT TO:<v@test.example>\r\n"
	    "BDAT 8 LAST\r\nA: b\r\n\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "220 250 250 501 554 503 554 ");
	kit_say("RCPT TO:<v@test.example>\r\nBDAT 8 LAST\r\nA: b\r\n\r\n");
	assert_string_equal(kit_codes(kit_hear()), "503 503 ");
	assert_nothing_came();

	/* A queue that goes and comes back between two chunks. */
	begin();
	kit_want("BDAT 8\r\nA: b\r\n\r\n", "250 2.0.0 8 octets received\r\n");
	from_queue_close(kit.edge);
	kit_link();
	kit_say("BDAT 3\r\nx\r\nBDAT 3 LAST\r\ny\r\n");
	assert_string_equal(kit_codes(kit_hear()), "451 451 ");
	assert_false(kit_last()->is_committed);
	kit_say(KIT_ENVELOPE "BDAT 3 LAST\r\nz\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 250 ");
}

static void
without_a_queue_the_chunks_are_refused_for_now(void **state)
{
	begin();
	from_queue_close(kit.edge);
	kit_want("BDAT 28\r\n" EVIL "BDAT 0 LAST\r\n",
	    "451 4.3.0 " QUEUE_AWAY "\r\n451 4.3.0 " QUEUE_AWAY "\r\n");
	assert_nothing_came();
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
}

/* BDT-06: where the next command is nobody knows. */
static void
a_size_that_is_none_ends_the_connection(void **state)
{
	static const char *const rows[] = {
		"BDAT", "BDAT ", "BDAT LAST", "BDAT -1", "BDAT +1", "BDAT 1e3",
		"BDAT 0x10", "BDAT 10 LASTX", "BDAT 10 LAST LAST", "BDAT 10,1",
		"BDAT 18446744073709551616", "BDAT 9223372036854775808",
		"BDAT 18446744073709551615 LAST", "BDAT 1\t2", "BDAT 10 \xc3",
		"BDAT 1\r1", "BDAT5", "bdat 1\x01", "BDAT 4294967306 LAST",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		kit_say(rows[i]);
		kit_say("\r\n" EVIL "RSET\r\n" EVIL);
		assert_int_equal(span_find(span_of(kit_codes(kit_hear())),
		    '5'), 0);
		assert_true(kit.is_closed);
		assert_nothing_came();
	}
}

/* BDT-07: told at the chunk that is too much, before a byte of it is kept. */
static void
chunks_over_the_limit_are_refused_and_thrown_away(void **state)
{
	kit.edge->set.max_size = 100;
	begin();
	kit_say("BDAT 90\r\n");
	for (int i = 0; i < 9; i++)
		kit_say("A: 45678\r\n");
	kit_want("BDAT 28\r\n" EVIL,
	    "250 2.0.0 90 octets received\r\n"
	    "552 5.3.4 Message size exceeds 100 limit\r\n");
	assert_true(kit_last()->is_aborted);
	kit_want("BDAT 0 LAST\r\n",
	    "552 5.3.4 Message size exceeds 100 limit\r\n");
	kit_want("RCPT TO:<v@test.example>\r\n",
	    "503 5.5.1 Bad sequence of commands\r\n");
	kit_say(KIT_ENVELOPE "BDAT 3 LAST\r\nz\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 250 ");
}

/* BDT-08. */
static void
data_and_bdat_do_not_mix(void **state)
{
	begin();
	kit_say("BDAT 6\r\nA: b\r\nDATA\r\nMAIL FROM:<a@x.example>\r\n"
	    "RCPT TO:<b@x.example>\r\nSTARTTLS\r\nNOOP\r\n"
	    "BDAT 0 LAST\r\nBDAT 28 LAST\r\n" EVIL "BDAT 0 LAST\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "250 503 503 503 503 250 250 503 503 ");
	assert_string_equal(kit_last()->rcpts, "v@test.example,");
}

/* BDT-09. */
static void
a_reset_forgets_the_chunks(void **state)
{
	static const char *const resets[] = { "RSET\r\n", "EHLO y\r\n",
		"HELO y\r\n", "QUIT\r\n" };

	for (size_t i = 0; i < sizeof(resets) / sizeof(resets[0]); i++) {
		begin();
		kit_say("BDAT 6\r\nA: b\r\n");
		(void)kit_hear();
		kit_say(resets[i]);
		(void)kit_hear();
		assert_true(kit_last()->is_aborted);
		if (kit.is_closed)
			continue;
		kit_say(KIT_ENVELOPE "DATA\r\nC: d\r\n.\r\n");
		assert_string_equal(kit_codes(kit_hear()),
		    "250 250 354 250 ");
		assert_text("C: d\r\n");
	}
}

/* EOD-23: a line ends with CR LF here too. */
static void
bare_line_ends_are_refused(void **state)
{
	static const struct {
		const char	*bytes;
		size_t		 len;
	} rows[] = {
#define ROW(s)	{ s, sizeof(s) - 1 }
		ROW("\n.\n"), ROW("\n.\r\n"), ROW("\r\n.\n"), ROW("\r.\r"),
		ROW("\r.\n"), ROW("\n.\r"), ROW("\r.\r\n"),
		ROW("\r\n.\rtext"), ROW("\r\n\0.\r\n"), ROW("\r\n.\0\r\n"),
		ROW("\r\r\n.\r\r\n"), ROW("\r\n.\r\r\n"), ROW("x\r"),
#undef ROW
	};
	char line[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		snprintf(line, sizeof(line), "BDAT %zu LAST\r\n",
		    rows[i].len + 9);
		kit_say(line);
		kit_say("A: b\r\n\r\nx");
		kit_give(rows[i].bytes, rows[i].len);
		kit_want(EVIL, "550 5.5.2 Bare CR, bare LF or NUL not allowed"
		    "\r\n250 2.1.0 <evil@x.example> Ok\r\n");
		assert_false(kit.mails[kit.mail_cnt - 2].is_committed);
		assert_true(kit.mails[kit.mail_cnt - 2].is_aborted);
	}
}

/* BDT-13, and one that never comes. */
static void
a_line_end_may_lie_in_two_chunks(void **state)
{
	begin();
	kit_say("BDAT 5\r\nA: b\rBDAT 4 LAST\r\n\n\r\nx");
	assert_string_equal(kit_codes(kit_hear()), "250 250 ");
	assert_text("A: b\r\n\r\nx\r\n");
	kit_say(KIT_ENVELOPE "BDAT 5\r\nA: b\rBDAT 0 LAST\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 250 550 ");
	assert_false(kit_last()->is_committed);
}

/* One of whom we know may end lines with LF, as with DATA. */
static void
lf_alone_passes_where_it_does_with_data(void **state)
{
	kit.edge->set.normalise_lf = true;
	assert_int_equal(rules_add_net(&kit.edge->set.rules,
	    SPAN("192.0.2.0/24")), OK);
	begin();
	kit_say("BDAT 12 LAST\r\nA: b\n\n.\n..\nx");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_text("A: b\r\n\r\n.\r\n..\r\nx\r\n");
}

/* A message cut anyhow by chunks, and these by segments, is what it is. */
static void
cuts_change_nothing(void **state)
{
	static char whole[3000];
	char line[40];
	size_t len, at, n;

	dice_begin();
	for (int round = 0; round < 60; round++) {
		len = (size_t)snprintf(whole, sizeof(whole), "A: b\r\n\r\n");
		while (len < (size_t)(random() % 2000)) {
			memcpy(whole + len, random() % 2 ? ".x\r\n" : "\r\n.y",
			    4);
			len += 4;
		}
		if (whole[len - 1] != '\n') {
			memcpy(whole + len, "\r\n", 2);
			len += 2;
		}
		begin();
		for (at = 0; at < len || random() % 4 == 0; at += n) {
			n = (size_t)random() % 300;
			if (n > len - at)
				n = len - at;
			snprintf(line, sizeof(line), "BDAT %zu\r\n", n);
			kit_say(line);
			for (size_t k = 0, m; k < n; k += m) {
				m = (size_t)random() % 40 + 1;
				m = m < n - k ? m : n - k;
				kit_give(whole + at + k, m);
				if (random() % 4 == 0)
					kit_turn(1);
			}
		}
		kit_say("BDAT 0 LAST\r\n");
		(void)kit_hear();
		assert_true(kit_last()->is_committed);
		whole[len] = '\0';
		assert_text(whole);
	}
}

/* A queue that gives no credit holds the client back, within a chunk too. */
static void
a_large_chunk_waits_for_credit(void **state)
{
	const size_t len = 800000;
	char *lines = malloc(len);
	size_t at = 0;
	ssize_t n;

	assert_non_null(lines);
	for (size_t i = 0; i < len; i++)
		lines[i] = i % 100 == 98 ? '\r' : i % 100 == 99 ? '\n' : 'x';
	kit.no_credit = true;
	begin();
	kit_say("BDAT 8\r\nA: b\r\n\r\nBDAT 800000 LAST\r\n");
	for (int quiet = 0; quiet < 20; quiet++) {
		n = send(kit.fd, lines + at, len - at, MSG_DONTWAIT);
		if (n > 0) {
			at += (size_t)n;
			quiet = 0;
		}
		kit_turn(2);
	}
	assert_in_range(at, STREAM_CREDIT * PIECE_MAX, len - 1);
	assert_int_equal(kit_last()->body.len, STREAM_CREDIT * PIECE_MAX);
	kit.no_credit = false;
	kit_credit(kit_last(), STREAM_CREDIT);
	kit_give(lines + at, len - at);
	assert_non_null(strstr(kit_hear(), QUEUED));
	assert_int_equal(kit_last()->odd_cnt, 0);
	assert_true(span_eq(grow_span(&kit_last()->body),
	    (struct span){ lines, len }));
	free(lines);
}

/* EOD-24: a body of any octets; the header is lines all the same. */
static void
binary_text_is_kept_as_it_is(void **state)
{
	static const struct {
		const char	*said;
		size_t		 len;
		const char	*codes, *kept;
		size_t		 kept_len;
	} rows[] = {
#define ROW(said, codes, kept)						\
	{ said, sizeof(said) - 1, codes, kept, sizeof(kept) - 1 }
		ROW("BDAT 15 LAST\r\nA: b\r\n\r\nx\r.\n\0\r\n", "250 ",
		    "A: b\r\n\r\nx\r.\n\0\r\n"),
		ROW("BDAT 6\r\nA: b\r\nBDAT 3 LAST\r\n\r\n\r", "250 250 ",
		    "A: b\r\n\r\n\r"),
		ROW("BDAT 4 LAST\r\nA: b", "250 ", "A: b\r\n"),
		ROW("BDAT 8 LAST\r\nA: b\n\r\nx", "550 ", ""),
		ROW("BDAT 10 LAST\r\nA: b\0\r\n\r\nx", "550 ", ""),
#undef ROW
	};

	kit.edge->set.binarymime = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_ready();
		kit_say("MAIL FROM:<a@x.example> BODY=BINARYMIME\r\n"
		    "RCPT TO:<b@x.example>\r\nDATA\r\n");
		assert_string_equal(kit_codes(kit_hear()), "250 250 503 ");
		kit_give(rows[i].said, rows[i].len);
		assert_string_equal(kit_codes(kit_hear()), rows[i].codes);
		assert_int_equal(kit_last()->kind, BODY_BINARYMIME);
		assert_true(kit_last()->is_committed ==
		    (rows[i].kept_len > 0));
		if (rows[i].kept_len > 0)
			assert_true(span_eq(text(), (struct span){
			    rows[i].kept, rows[i].kept_len }));
	}
}

/* BDT-02. */
static void
a_chunk_that_does_not_come_times_out(void **state)
{
	kit.edge->set.data_timeout_ms = 60;
	begin();
	kit_say("BDAT 10 LAST\r\n123456789");
	kit_wait(200);
	assert_string_equal(kit_hear(),
	    "421 4.4.2 Connection timed out\r\n");
	assert_false(kit_last()->is_committed);
	assert_true(kit_last()->is_aborted);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		T(each_chunk_is_answered_and_the_last_one_queues),
		T(chunks_may_be_sent_ahead),
		T(an_empty_chunk_ends_a_message_or_is_one),
		T(a_last_line_without_an_end_gets_one),
		T(what_is_refused_is_never_run),
		T(a_text_that_lacks_a_chunk_is_none),
		T(without_a_queue_the_chunks_are_refused_for_now),
		T(a_size_that_is_none_ends_the_connection),
		T(chunks_over_the_limit_are_refused_and_thrown_away),
		T(data_and_bdat_do_not_mix),
		T(a_reset_forgets_the_chunks),
		T(bare_line_ends_are_refused),
		T(a_line_end_may_lie_in_two_chunks),
		T(lf_alone_passes_where_it_does_with_data),
		T(cuts_change_nothing),
		T(a_large_chunk_waits_for_credit),
		T(binary_text_is_kept_as_it_is),
		T(a_chunk_that_does_not_come_times_out),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
