/*
 * The SMTP client against a next hop that lives in the same loop and does what
 * each test tells it to.
 *
 * room: relay
 */
#include <sys/resource.h>

#include "mail/dsn.h"
#include "relay_kit.h"
#include "sys/clock.h"

#define WHOLE								\
	"EHLO me.example\r\n"						\
	"MAIL FROM:<s@a.example> SIZE=21\r\n"				\
	"RCPT TO:<r@b.example>\r\n"					\
	"DATA\r\n"							\
	"Subject: x\r\n\r\nHello\r\n.\r\n"

static void
a_message_goes_in_one_write_of_commands_and_one_of_text(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example", "r@b.example");

	connect_client(b);
	run(b);
	assert_string_equal(b->hop.seen, WHOLE);
	want_done(d, 0);
	assert_int_equal(b->hop.reads, 2);	/* EHLO; the envelope */
	assert_int_equal(d->rcpts[0].outcome->hop.len, 17);
	assert_memory_equal(d->rcpts[0].outcome->verdict.text.ptr,
	    "2.6.0 Taken as 42", 17);
}

static void
without_pipelining_each_command_waits(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "", "r@b.example q@b.example");

	b->hop.ehlo = "250 hop.example";
	connect_client(b);
	run(b);
	assert_string_equal(b->hop.seen, "EHLO me.example\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<r@b.example>\r\nRCPT TO:<q@b.example>\r\nDATA\r\n"
	    "Subject: x\r\n\r\nHello\r\n.\r\n");
	assert_int_equal(b->hop.reads, 5);
	want_done(d, 0);
	want_done(d, 1);
}

static void
replies_may_come_byte_by_byte(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example", "r@b.example");

	b->hop.drips = true;
	connect_client(b);
	run(b);
	assert_string_equal(b->hop.seen, WHOLE);
	want_done(d, 0);
}

static void
a_next_hop_without_ehlo_gets_helo(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example", "r@b.example");

	b->hop.rules[0] = (struct rule){ "EHLO", 0, "502 5.5.1 What?" };
	connect_client(b);
	run(b);
	assert_non_null(strstr(b->hop.seen, "HELO me.example\r\n"
	    "MAIL FROM:<s@a.example>\r\n"));
	want_done(d, 0);
}

static void
a_refused_recipient_harms_no_other(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example",
	    "a@b.example no@b.example c@b.example later@b.example");

	b->hop.rules[0] = (struct rule){ "RCPT TO:<no@", 0,
	    "550-5.1.1 Nobody\r\n550 5.1.1 of this name" };
	b->hop.rules[1] = (struct rule){ "RCPT TO:<later@", 0,
	    "450 4.2.1 Greylisted" };
	connect_client(b);
	run(b);
	want_done(d, 0);
	want_outcome(d, 1, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_RCPT, 550);
	want_done(d, 2);
	want_outcome(d, 3, CLASS_LATER, SCOPE_RECIPIENT, STAGE_RCPT, 450);
	assert_memory_equal(d->rcpts[1].outcome->verdict.text.ptr,
	    "5.1.1 Nobody of this name", 25);
}

static void
when_nobody_is_left_no_text_is_sent(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example", "a@b.example");
	struct delivery *e = add_delivery(0, "s@a.example", "b@b.example");

	b->hop.rules[0] = (struct rule){ "RCPT", 1, "550 5.1.1 No" };
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_RCPT, 550);
	want_done(e, 0);
	assert_non_null(strstr(b->hop.seen, "DATA\r\n.\r\nMAIL"));
}

static void
an_open_transaction_is_reset_before_the_next(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example", "a@b.example");
	struct delivery *e = add_delivery(0, "s@a.example", "b@b.example");

	b->hop.rules[0] = (struct rule){ "RCPT", 1, "550 5.1.1 No" };
	b->hop.rules[1] = (struct rule){ "DATA", 1, "503 5.5.1 No one" };
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_RCPT, 550);
	want_done(e, 0);
	assert_non_null(strstr(b->hop.seen, "DATA\r\nRSET\r\nMAIL"));
	assert_int_equal(b->hop.connections, 1);
}

static void
a_refused_sender_concerns_the_message(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example",
	    "a@b.example b@b.example");
	struct delivery *e = add_delivery(0, "s@a.example", "b@b.example");

	b->hop.rules[0] = (struct rule){ "MAIL", 1, "553 5.1.8 Not you" };
	b->hop.rules[1] = (struct rule){ "RCPT", 1, "503 5.5.1 Sender?" };
	b->hop.rules[2] = (struct rule){ "RCPT", 1, "503 5.5.1 Sender?" };
	b->hop.rules[3] = (struct rule){ "DATA", 1, "503 5.5.1 Sender?" };
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_NEVER, SCOPE_MESSAGE, STAGE_MAIL, 553);
	want_outcome(d, 1, CLASS_NEVER, SCOPE_MESSAGE, STAGE_MAIL, 553);
	want_done(e, 0);
}

static void
a_sender_refused_but_a_recipient_taken_sends_nothing(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example", "a@b.example");

	b->hop.rules[0] = (struct rule){ "MAIL", 1, "451 4.7.1 Slow down" };
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_LATER, SCOPE_MESSAGE, STAGE_MAIL, 451);
	assert_null(strstr(b->hop.seen, "\r\n.\r\n"));
}

static void
too_many_recipients_go_in_another_transaction(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example",
	    "a@b.example b@b.example c@b.example");

	b->hop.rules[0] = (struct rule){ "RCPT TO:<b@", 1,
	    "452 4.5.3 Too many" };
	b->hop.rules[1] = (struct rule){ "RCPT TO:<c@", 1,
	    "552 Too many" };		/* as in RFC 821 */
	connect_client(b);
	run(b);
	for (uint32_t i = 0; i < 3; i++)
		want_done(d, i);
	assert_int_equal(d->undecided, 0);
	assert_non_null(strstr(strstr(b->hop.seen, "\r\n.\r\n"),
	    "RCPT TO:<b@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n"
	    "Subject: x\r\n\r\nHello\r\n.\r\n"));
}

static void
a_full_mailbox_is_not_taken_for_too_many(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example",
	    "a@b.example b@b.example c@b.example");

	b->hop.rules[0] = (struct rule){ "RCPT TO:<b@", 0, "452 4.2.2 Full" };
	b->hop.rules[1] = (struct rule){ "RCPT TO:<c@", 0, "552 5.2.2 Full" };
	connect_client(b);
	run(b);
	want_done(d, 0);
	want_outcome(d, 1, CLASS_LATER, SCOPE_RECIPIENT, STAGE_RCPT, 452);
	want_outcome(d, 2, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_RCPT, 552);
}

/* What is refused for lack of an extension, and what is said with it. */
static void
extensions_are_used_or_missed(void **state)
{
	static const struct {
		unsigned	 flags;
		const char	*ehlo, *rcpt, *mail;
		unsigned	 code;
	} cases[] = {
		{ MAIL_8BIT, "8BITMIME", "a@b.example",
		    "MAIL FROM:<s@a.example> BODY=8BITMIME\r\n", 250 },
		/* What was noted is wrong: there are no 8 bits. */
		{ MAIL_8BIT, "SMTPUTF8", "a@b.example",
		    "MAIL FROM:<s@a.example>\r\n", 250 },
		{ MAIL_SMTPUTF8, "8BITMIME", "a@b.example",
		    "MAIL FROM:<s@a.example>\r\n", 250 },
		{ MAIL_SMTPUTF8, "SMTPUTF8", "a@b.example",
		    "MAIL FROM:<s@a.example> SMTPUTF8\r\n", 250 },
		{ 0, "SIZE", "\xc3\xa4@b.example", NULL, 550 },
		{ 0, "SMTPUTF8", "\xc3\xa4@b.example",
		    "MAIL FROM:<s@a.example> SMTPUTF8\r\n", 250 },
		{ 0, "SIZE 20", "a@b.example", NULL, 552 },
		{ 0, "SIZE 21", "a@b.example",
		    "MAIL FROM:<s@a.example> SIZE=21\r\n", 250 },
		{ 0, "SIZE 0", "a@b.example",
		    "MAIL FROM:<s@a.example> SIZE=21\r\n", 250 },
		{ 0, "X-ODD", "a b@b.example", NULL, 550 },
	};
	char ehlo[100];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench *b;
		struct delivery *d;

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		b = *state;
		snprintf(ehlo, sizeof(ehlo), "250-hop\r\n250 %s",
		    cases[i].ehlo);
		b->hop.ehlo = ehlo;
		d = add_delivery(cases[i].flags, "s@a.example", "x@y");
		free((void *)(uintptr_t)d->rcpts[0].address.ptr);
		d->rcpts[0].address = span_of(strdup(cases[i].rcpt));
		connect_client(b);
		run(b);
		assert_non_null(d->rcpts[0].outcome);
		assert_int_equal(d->rcpts[0].outcome->verdict.code,
		    cases[i].code);
		assert_int_equal(d->rcpts[0].outcome->verdict.class,
		    cases[i].code == 250 ? CLASS_DONE : CLASS_NEVER);
		if (cases[i].mail != NULL)
			assert_non_null(strstr(b->hop.seen, cases[i].mail));
		else
			assert_null(strstr(b->hop.seen, "MAIL"));
	}
}

/* A domain has an A-label; a local part has nothing, and harms no other. */
static void
without_smtputf8_a_domain_goes_as_a_label(void **state)
{
	struct bench *b = *state;
	struct delivery *d;

	b->hop.ehlo = "250-hop\r\n250-DSN\r\n250 8BITMIME";
	d = add_delivery(MAIL_SMTPUTF8, "s@\xc3\xa4.example",
	    "a@B\xc3\xbc""cher.example \xc3\xbc@b.example c@b.example");
	assert_int_equal(delivery_add_dsn(d, 0, span_of("utf-8;\xc3\xa4@x")),
	    OK);
	connect_client(b);
	run(b);
	want_done(d, 0);
	want_outcome(d, 1, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_RCPT, 550);
	assert_memory_equal(d->rcpts[1].outcome->verdict.text.ptr, "5.6.7 ",
	    6);
	want_done(d, 2);
	assert_non_null(strstr(b->hop.seen,
	    "MAIL FROM:<s@xn--4ca.example>\r\n"
	    "RCPT TO:<a@xn--bcher-kva.example>\r\n"
	    "RCPT TO:<c@b.example> ORCPT=utf-8;\\x{E4}@x\r\nDATA\r\n"));
}

/* Its sender is told by nothing else, and the hop may offer it again. */
static void
a_bounce_that_needs_smtputf8_waits_for_it(void **state)
{
	struct bench *b = *state;
	struct delivery *d;

	b->hop.ehlo = "250-hop\r\n250 8BITMIME";
	d = add_delivery(MAIL_SMTPUTF8, "", "\xc3\xbc@b.example c@b.example");
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_LATER, SCOPE_RECIPIENT, STAGE_RCPT, 451);
	assert_memory_equal(d->rcpts[0].outcome->verdict.text.ptr, "4.6.7 ",
	    6);
	want_done(d, 1);
}

static void
with_smtputf8_addresses_go_as_they_were_written(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example",
	    "a@B\xc3\xbc""cher.example c@b.example");

	connect_client(b);
	run(b);
	want_done(d, 0);
	want_done(d, 1);
	assert_non_null(strstr(b->hop.seen, "SMTPUTF8\r\n"
	    "RCPT TO:<a@B\xc3\xbc""cher.example>\r\n"));
}

/* What came with SMTPUTF8 goes to a hop without it, if its fields can. */
static void
fields_in_utf8_are_converted_for_a_hop_without_smtputf8(void **state)
{
	static const struct {
		const char	*header, *sender, *seen;
		enum smtp_8bit	 eightbit;
		bool		 is_lmtp;
		unsigned	 code;
	} cases[] = {
		{ "Subject: \xc3\xa4\r\n\r\n", "s@a", "BODY=8BITMIME\r\n"
		    "RCPT TO:<r@b.example>\r\nDATA\r\n"
		    "Subject: =?utf-8?b?w6Q=?=\r\n\r\n\xc3\xb6\r\n.\r\n",
		    SMTP_8BIT_CONVERT, false, 250 },
		{ "From: \xc3\xa4@x\r\n\r\n", "s@a", NULL,
		    SMTP_8BIT_CONVERT, false, 550 },
		{ "Subject: \xc3\xa4\r\n\r\n", "\xc3\xa4@a", NULL,
		    SMTP_8BIT_CONVERT, false, 550 },
		{ "Subject: \xc3\xa4\r\n\r\n", "s@a", NULL,
		    SMTP_8BIT_REFUSE, false, 550 },
		{ "Subject: \xc3\xa4\r\n\r\n", "s@a", NULL,
		    SMTP_8BIT_SEND, false, 550 },
		{ "Subject: a\r\n\r\n", "s@a", "Subject: a\r\n\r\n\xc3\xb6",
		    SMTP_8BIT_REFUSE, false, 250 },
		{ "From: \xc3\xa4@x\r\n\r\n", "s@a", "\nFrom: \xc3\xa4@x\r\n",
		    SMTP_8BIT_CONVERT, true, 250 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench *b;
		struct delivery *d;

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		b = *state;
		b->hop.ehlo = "250-hop\r\n250 8BITMIME";
		b->hop.is_lmtp = b->target.is_lmtp = cases[i].is_lmtp;
		b->target.eightbit = cases[i].eightbit;
		b->header = cases[i].header;
		b->body = "\xc3\xb6\r\n";
		b->body_len = 4;
		d = add_delivery(MAIL_SMTPUTF8 | MAIL_8BIT, cases[i].sender,
		    "r@b.example");
		connect_client(b);
		run(b);
		assert_int_equal(d->rcpts[0].outcome->verdict.code,
		    cases[i].code);
		if (cases[i].seen != NULL) {
			assert_non_null(strstr(b->hop.seen, cases[i].seen));
			continue;
		}
		assert_null(strstr(b->hop.seen, "MAIL"));
		assert_memory_equal(d->rcpts[0].outcome->verdict.text.ptr,
		    "5.6.7 ", 6);
	}
}

static void
eight_bits_go_without_8bitmime_where_the_block_says_so(void **state)
{
	struct bench *b = *state;
	struct delivery *d;

	b->hop.ehlo = "250-hop\r\n250 SIZE";
	b->target.eightbit = SMTP_8BIT_SEND;
	d = add_delivery(MAIL_8BIT, "s@a.example", "a@b.example");
	connect_client(b);
	run(b);
	want_done(d, 0);
	assert_non_null(strstr(b->hop.seen,
	    "MAIL FROM:<s@a.example> SIZE=21\r\n"));
}

static void
eight_bits_are_converted_for_a_hop_without_8bitmime(void **state)
{
	struct bench *b = *state;
	struct delivery *d;

	b->hop.ehlo = "250-hop\r\n250 PIPELINING";
	b->body = "\xc3\xa4\r\n.b is plain\r\n";
	b->body_len = strlen(b->body);
	d = add_delivery(MAIL_8BIT, "s@a.example", "a@b.example");
	connect_client(b);
	run(b);
	want_done(d, 0);
	assert_non_null(strstr(b->hop.seen, "MAIL FROM:<s@a.example>\r\n"));
	assert_non_null(strstr(b->hop.seen, "DATA\r\nSubject: x\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "=C3=A4\r\n..b is plain\r\n.\r\n"));
}

static void
eight_bits_are_refused_where_the_block_says_so(void **state)
{
	struct bench *b = *state;
	struct delivery *d, *e;

	b->hop.ehlo = "250 hop";
	b->target.eightbit = SMTP_8BIT_REFUSE;
	b->body = "\xc3\xa4\r\n";
	b->body_len = strlen(b->body);
	d = add_delivery(MAIL_8BIT, "s@a.example", "a@b.example");
	e = add_delivery(0, "s@a.example", "b@b.example");
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_NEVER, SCOPE_MESSAGE, STAGE_MAIL, 550);
	want_done(e, 0);		/* what was not noted goes */
	assert_int_equal(b->hop.connections, 1);
}

/* Read twice, over many pieces, in two transactions. */
static void
a_large_text_is_converted_in_each_transaction(void **state)
{
	struct bench *b = *state;
	struct delivery *d;
	char *body = malloc(300001), *p = body, *end;
	size_t lines = 0;

	assert_non_null(body);
	for (; p < body + 299980; lines++)
		p += sprintf(p, "\xc3\xa4 and plain text\r\n");
	b->hop.ehlo = "250-hop\r\n250 PIPELINING";
	b->hop.rules[0] = (struct rule){ "RCPT TO:<b@", 1,
	    "452 4.5.3 Too many" };
	b->body = body;
	b->body_len = (size_t)(p - body);
	d = add_delivery(MAIL_8BIT, "s@a.example", "a@b.example b@b.example");
	connect_client(b);
	run(b);
	want_done(d, 0);
	want_done(d, 1);
	p = b->hop.seen;
	for (int i = 0; i < 2; i++) {
		assert_non_null(p = strstr(p, "printable\r\n\r\n"));
		p += 13;
		assert_non_null(end = strstr(p, "\r\n.\r\n"));
		assert_int_equal(end + 2 - p, lines * 23);
		for (; p < end; p += 23)
			assert_memory_equal(p, "=C3=A4 and plain text\r\n",
			    23);
	}
	free(body);
}

static void
pieces_from_before_a_rewind_are_not_taken_for_later_ones(void **state)
{
	static char body[2 * PIECE_MAX];
	struct bench *b = *state;
	struct span head = span_of(b->header), text, half = { body, PIECE_MAX };
	struct delivery *d;

	b->has_no_text = true;
	b->body_len = sizeof(body);
	d = add_delivery(0, "s@a.example", "a@b.example");
	delivery_prefetch(d);
	assert_int_equal(delivery_add_piece(d, PART_HEADER, 0,
	    PIECE_NEXT, head), OK);
	delivery_drop(d, 1);
	assert_int_equal(d->pulled, 3);
	delivery_rewind(d);
	assert_int_equal(delivery_text(d, 0, &text), ERR_AGAIN);
	assert_int_equal(delivery_add_piece(d, PART_BODY, 0,
	    PIECE_NEXT, half), OK);
	assert_int_equal(d->pulled, 0);
	assert_int_equal(delivery_add_piece(d, PART_BODY, 1,
	    PIECE_NEXT, half), OK);
	assert_int_equal(d->pulled, 2);
	assert_int_equal(delivery_text(d, 0, &text), ERR_AGAIN);
	assert_int_equal(delivery_add_piece(d, PART_HEADER, 0,
	    PIECE_NEXT, head), OK);
	assert_int_equal(delivery_text(d, 0, &text), OK);
	assert_true(span_eq(text, head));
}

/* What the sender asked, as a next hop with and without DSN hears it. */
static void
what_is_wanted_of_reports_is_passed_on_where_dsn_is_offered(void **state)
{
	struct bench *b = *state;
	struct delivery *d;

	for (int offers = 0; offers < 2; offers++) {
		if (offers) {
			tear_down(state);
			set_up(state);
			b = *state;
		}
		b->hop.ehlo = offers ? "250-hop\r\n250 DSN" : "250 hop";
		d = add_delivery(0, "s@a.example", "a@b.example b@b.example");
		d->ret = DSN_RET_HDRS;
		free((void *)(uintptr_t)d->envid.ptr);
		d->envid = span_of(strdup("QQ+2B314159"));
		d->rcpts[0].notify = DSN_SUCCESS | DSN_DELAY;
		d->rcpts[0].orcpt = span_of(strdup("rfc822;A+2Bb@B.example"));
		d->rcpts[1].orcpt = span_of(strdup("utf-8;\xc3\xa9@c"));
		connect_client(b);
		run(b);
		want_done(d, 0);
		assert_int_equal(d->rcpts[0].outcome->verdict.flags,
		    offers ? RESULT_PASSED : 0);
		assert_string_equal(b->hop.seen, offers ?
		    "EHLO me.example\r\n"
		    "MAIL FROM:<s@a.example> RET=HDRS ENVID=QQ+2B314159\r\n"
		    "RCPT TO:<a@b.example> NOTIFY=SUCCESS,DELAY "
		    "ORCPT=rfc822;A+2Bb@B.example\r\n"
		    "RCPT TO:<b@b.example> ORCPT=utf-8;\\x{E9}@c\r\n"
		    "DATA\r\nSubject: x\r\n\r\nHello\r\n.\r\n" :
		    "EHLO me.example\r\nMAIL FROM:<s@a.example>\r\n"
		    "RCPT TO:<a@b.example>\r\nRCPT TO:<b@b.example>\r\n"
		    "DATA\r\nSubject: x\r\n\r\nHello\r\n.\r\n");
	}
}

static void
nothing_is_asked_of_a_hop_that_was_not_asked_of_us(void **state)
{
	struct bench *b = *state;

	b->hop.ehlo = "250-hop\r\n250 DSN";
	(void)add_delivery(0, "s@a.example", "a@b.example");
	connect_client(b);
	run(b);
	assert_non_null(strstr(b->hop.seen, "MAIL FROM:<s@a.example>\r\n"
	    "RCPT TO:<a@b.example>\r\n"));
}

/* Whose words they are: a refusal of the hop's, and one of our own. */
static void
a_verdict_says_whose_words_it_has(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example",
	    "a@b.example no@b.example");
	struct delivery *cut = add_delivery(0, "s@a.example", "c@b.example");

	free((void *)(uintptr_t)d->rcpts[0].address.ptr);
	d->rcpts[0].address = span_of(strdup("a b@b.example"));
	b->hop.rules[0] = (struct rule){ "RCPT TO:<no", 0, "550 5.1.1 No" };
	b->hop.rules[1] = (struct rule){ "RCPT TO:<c", 0, "gibberish" };
	connect_client(b);
	run(b);
	assert_int_equal(d->rcpts[0].outcome->verdict.flags, RESULT_OWN);
	assert_int_equal(d->rcpts[1].outcome->verdict.flags, 0);
	assert_int_equal(cut->rcpts[0].outcome->verdict.flags, RESULT_OWN);
}

/* At each step: what is said, and what comes of it. */
static void
each_failure_has_its_class_scope_and_stage(void **state)
{
	static const struct {
		const char	*at, *reply;
		enum outcome_class class;
		enum outcome_scope scope;
		enum stage	 stage;
		unsigned	 code;
	} cases[] = {
		{ "MAIL", NULL, CLASS_LATER, SCOPE_HOST, STAGE_MAIL, 451 },
		{ "MAIL", "421 4.3.2 Bye", CLASS_LATER, SCOPE_HOST,
		    STAGE_MAIL, 421 },
		{ "MAIL", "530 5.7.0 STARTTLS first", CLASS_LATER, SCOPE_HOST,
		    STAGE_MAIL, 530 },
		{ "RCPT", "530 5.7.0 Authentication required", CLASS_LATER,
		    SCOPE_HOST, STAGE_RCPT, 530 },
		{ "MAIL", "250", CLASS_DONE, SCOPE_RECIPIENT, STAGE_BODY,
		    250 },
		{ "MAIL", "999 What", CLASS_LATER, SCOPE_HOST, STAGE_MAIL,
		    451 },
		{ "MAIL", "25", CLASS_LATER, SCOPE_HOST, STAGE_MAIL, 451 },
		{ "MAIL", "354 Go on", CLASS_LATER, SCOPE_HOST, STAGE_MAIL,
		    451 },
		{ "MAIL", "250-a\r\n550 b", CLASS_NEVER, SCOPE_MESSAGE,
		    STAGE_MAIL, 550 },
		{ "MAIL", "553-a\r\n553-b\r\n451 c", CLASS_LATER,
		    SCOPE_MESSAGE, STAGE_MAIL, 451 },
		{ "RCPT", "550-a\r\n250 b", CLASS_DONE, SCOPE_RECIPIENT,
		    STAGE_BODY, 250 },
		{ "RCPT", "551\tMoved\taway", CLASS_NEVER, SCOPE_RECIPIENT,
		    STAGE_RCPT, 551 },
		{ "RCPT", "550", CLASS_NEVER, SCOPE_RECIPIENT, STAGE_RCPT,
		    550 },
		{ "RCPT", "550\rgone\x07", CLASS_NEVER, SCOPE_RECIPIENT,
		    STAGE_RCPT, 550 },
		{ "RCPT", "553Sorry", CLASS_NEVER, SCOPE_RECIPIENT,
		    STAGE_RCPT, 553 },
		{ "RCPT", "5530 Sorry", CLASS_LATER, SCOPE_HOST, STAGE_RCPT,
		    451 },
		{ "RCPT", NULL, CLASS_LATER, SCOPE_HOST, STAGE_RCPT, 451 },
		{ "RCPT", "421 Bye", CLASS_LATER, SCOPE_HOST, STAGE_RCPT,
		    421 },
		{ "RCPT", "250 \x01\x1b[2J", CLASS_DONE, SCOPE_RECIPIENT,
		    STAGE_BODY, 250 },
		{ "DATA", NULL, CLASS_LATER, SCOPE_HOST, STAGE_DATA, 451 },
		{ "DATA", "250 Fine", CLASS_LATER, SCOPE_HOST, STAGE_DATA,
		    451 },
		{ "DATA", "451 4.7.0 No", CLASS_LATER, SCOPE_MESSAGE,
		    STAGE_DATA, 451 },
		{ "DATA", "554 5.7.0 No", CLASS_NEVER, SCOPE_MESSAGE,
		    STAGE_DATA, 554 },
		{ ".", NULL, CLASS_LATER, SCOPE_HOST, STAGE_BODY, 451 },
		{ ".", "452 4.3.1 Full", CLASS_LATER, SCOPE_MESSAGE,
		    STAGE_BODY, 452 },
		{ ".", "554 5.6.0 Spam", CLASS_NEVER, SCOPE_MESSAGE,
		    STAGE_BODY, 554 },
		{ ".", "421 Bye", CLASS_LATER, SCOPE_HOST, STAGE_BODY, 421 },
		{ ".", "\001\002", CLASS_LATER, SCOPE_HOST, STAGE_BODY, 451 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int piped = 0; piped < 2; piped++) {
			struct bench *b;
			struct delivery *d;

			tear_down(state);
			set_up(state);
			b = *state;
			if (!piped)
				b->hop.ehlo = "250 hop";
			b->hop.rules[0] = (struct rule){ cases[i].at, 0,
			    cases[i].reply };
			d = add_delivery(0, "s@a.example", "r@b.example");
			connect_client(b);
			run(b);
			want_outcome(d, 0, cases[i].class, cases[i].scope,
			    cases[i].stage, cases[i].code);
		}
	}
}

/* The second could only be the reply to a RCPT that has not gone out yet. */
static void
a_reply_to_nothing_is_nobodys_verdict(void **state)
{
	static const char *const replies[] = {
		"250 Fine\r\n550 5.1.1 Nobody", "250 Fine\r\n250 Fine too",
		"250-Fine\r\n250 Fine\r\n450 Later\r\n450 Later",
	};

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct bench *b;
		struct delivery *d;

		tear_down(state);
		set_up(state);
		b = *state;
		b->hop.ehlo = "250 hop";
		b->hop.rules[0] = (struct rule){ "MAIL", 0, replies[i] };
		d = add_delivery(0, "s@a.example", "r@b.example");
		connect_client(b);
		run(b);
		want_outcome(d, 0, CLASS_LATER, SCOPE_HOST, STAGE_RCPT, 451);
		assert_null(strstr(b->hop.seen, "DATA"));
	}
}

/* Before it was ready even once, a client that ends says why. */
static void
a_client_that_never_got_ready_says_why(void **state)
{
	static char long_line[5000];
	static const struct {
		const char	*greeting, *ehlo, *helo;
		enum stage	 stage;
		unsigned	 code;
	} cases[] = {
		{ "554 5.7.1 Go away", "", "", STAGE_GREETING, 554 },
		{ "521 None here", "", "", STAGE_GREETING, 521 },
		{ "421 Busy", "", "", STAGE_GREETING, 421 },
		{ "250 Odd", "", "", STAGE_GREETING, 451 },
		{ "999 Odd", "", "", STAGE_GREETING, 451 },
		{ long_line, "", "", STAGE_GREETING, 454 },
		{ "Hello\r\n220 a", "", "", STAGE_GREETING, 451 },
		{ "220 a", "450 4.3.2 Later", "", STAGE_EHLO, 450 },
		{ "220 a", "554 No", "554 No", STAGE_EHLO, 554 },
		{ "220 a\r\n220 b", "250 a", "", STAGE_EHLO, 451 },
		{ NULL, "", "", STAGE_GREETING, 451 },
	};

	memset(long_line, 'x', sizeof(long_line) - 1);
	memcpy(long_line, "454 ", 4);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench *b;

		tear_down(state);
		set_up(state);
		b = *state;
		if (cases[i].greeting == NULL)
			b->target.command_ms = 500;
		b->hop.greeting = cases[i].greeting;
		b->hop.rules[0] = (struct rule){ "EHLO", 0, cases[i].ehlo };
		b->hop.rules[1] = (struct rule){ "HELO", 0, cases[i].helo };
		connect_client(b);
		run(b);
		assert_int_equal(b->gone_cnt, 1);
		assert_true(b->has_why);
		assert_int_equal(b->why.code, cases[i].code);
		assert_int_equal(b->why.stage, cases[i].stage);
		assert_int_equal(b->why.class, CLASS_LATER);
		assert_int_equal(b->why.scope, SCOPE_DESTINATION);
	}
}

static void
a_next_hop_that_falls_silent_is_left(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example", "r@b.example");

	b->target.command_ms = 500;
	b->hop.rules[0] = (struct rule){ "RCPT", 0, "250-a\r\n250-b" };
	b->hop.rules[1] = (struct rule){ "DATA", 0, "250-c" };
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_LATER, SCOPE_HOST, STAGE_RCPT, 451);
}

static void
endless_replies_are_cut_off(void **state)
{
	struct bench *b = *state;
	static char many[60000];
	struct delivery *d = add_delivery(0, "s@a.example", "r@b.example");

	for (size_t i = 0; i + 10 < sizeof(many); i += 7)
		memcpy(many + i, "250-x\r\n", 7);
	b->hop.rules[0] = (struct rule){ "MAIL", 0, many };
	b->target.command_ms = 500;
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_LATER, SCOPE_HOST, STAGE_MAIL, 451);
}

static void
controls_in_a_reply_are_replaced_and_its_length_capped(void **state)
{
	struct bench *b = *state;
	char reply[6000];
	struct delivery *d = add_delivery(0, "s@a.example", "r@b.example");
	size_t len = 0;
	struct span text;

	for (int i = 0; i < 8; i++)
		len += (size_t)snprintf(reply + len, sizeof(reply) - len,
		    "%s550%c\x1b%0500d", i ? "\r\n" : "", i < 7 ? '-' : ' ',
		    0);
	b->hop.rules[0] = (struct rule){ "RCPT", 0, reply };
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_RCPT, 550);
	text = d->rcpts[0].outcome->verdict.text;
	assert_int_equal(text.len, REPLY_TEXT_MAX);
	for (size_t i = 0; i < text.len; i++)
		assert_true(text.ptr[i] >= ' ');
}

/* Dots wherever a piece may end, in a text of several pieces. */
static void
dots_are_doubled_once_at_every_border(void **state)
{
	const size_t len = PIECE_MAX * 3 + 10;
	char *body = malloc(len), *want, *out;

	assert_non_null(body);
	for (size_t shift = 0; shift < 4; shift++) {
		struct bench *b;
		struct delivery *d;

		tear_down(state);
		set_up(state);
		b = *state;
		for (size_t i = 0; i < len; i++)
			body[i] = "\r\n.x"[(i + shift) % 4];
		memcpy(body, ".abc", 4);
		memcpy(body + 4, "\r\n..\r\n" "yyyy", 10);
		for (size_t i = 14; i < 40; i++)
			body[i] = 'z';
		for (size_t i = 40; (i + shift) % 4 != 0; i++)
			body[i] = 'z';
		memcpy(body + len - 6, "wwww\r\n", 6);
		/* No CRLF may be cut in two by what was written over. */
		if (body[len - 7] == '\r')
			body[len - 7] = 'w';
		b->body = body;
		b->body_len = len;
		b->hop.ehlo = "250-hop\r\n250 PIPELINING";
		d = add_delivery(0, "s@a.example", "r@b.example");
		connect_client(b);
		run(b);
		want_done(d, 0);
		want = out = malloc(len * 2);
		assert_non_null(want);
		for (size_t i = 0; i < len; i++) {
			if (body[i] == '.' && (i == 0 || body[i - 1] == '\n'))
				*out++ = '.';
			*out++ = body[i];
		}
		memcpy(out, ".\r\n", 3);
		out += 3;
		assert_true(b->hop.seen_len > (size_t)(out - want));
		assert_memory_equal(b->hop.seen + b->hop.seen_len -
		    (out - want), want, out - want);
		free(want);
	}
	free(body);
}

static void
a_text_without_last_crlf_gets_one(void **state)
{
	struct bench *b = *state;
	struct delivery *d;

	b->body = "Hello";
	b->body_len = 5;
	d = add_delivery(0, "s@a.example", "r@b.example");
	connect_client(b);
	run(b);
	want_done(d, 0);
	assert_non_null(strstr(b->hop.seen, "\r\n\r\nHello\r\n.\r\n"));
}

static void
a_bare_line_end_or_nul_never_goes_out(void **state)
{
	static const struct span bodies[] = {
		{ "a\nb\r\n", 5 }, { "a\rb\r\n", 5 }, { "a\0b\r\n", 5 },
		{ "a\r\n.\n\r\n", 7 }, { "a\n.\r\nb\r\n", 9 },
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct bench *b;
		struct delivery *d;

		tear_down(state);
		set_up(state);
		b = *state;
		b->body = bodies[i].ptr;
		b->body_len = bodies[i].len;
		d = add_delivery(0, "s@a.example", "r@b.example");
		connect_client(b);
		run(b);
		want_outcome(d, 0, CLASS_NEVER, SCOPE_MESSAGE, STAGE_BODY,
		    550);
		assert_false(b->hop.seen_len >= 5 && memcmp(b->hop.seen +
		    b->hop.seen_len - 5, "\r\n.\r\n", 5) == 0);
	}
}

/* It may be another's: the end is not sent, and nothing is taken there. */
static void
after_its_deadline_a_delivery_gets_no_dot(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example", "r@b.example");

	d->deadline_ms = clock_mono_ms();
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_LATER, SCOPE_OURS, STAGE_BODY, 451);
	assert_null(strstr(b->hop.seen, "\r\n.\r\n"));
}

static void
one_that_is_ours_for_a_while_is_sent(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example", "r@b.example");

	d->deadline_ms = clock_mono_ms() + 3600000;
	connect_client(b);
	run(b);
	want_done(d, 0);
}

static void
text_that_will_never_come_fails_the_attempt_as_ours(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example", "r@b.example");

	b->has_no_text = true;
	delivery_orphan(d);
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_LATER, SCOPE_OURS, STAGE_BODY, 451);
}

/* The queue reads it piece by piece, and may find a later one damaged. */
static void
a_text_that_breaks_off_never_gets_its_dot(void **state)
{
	static char body[5 * PIECE_MAX];

	for (unsigned have = 1; have < 5; have++) {
		struct bench *b;
		struct delivery *d;

		tear_down(state);
		set_up(state);
		b = *state;
		for (size_t i = 0; i < sizeof(body); i++)
			body[i] = "some text\r\n"[i % 11];
		b->body = body;
		b->body_len = sizeof(body);
		b->hop.ehlo = "250-hop\r\n250 PIPELINING";
		b->pieces_have = have;
		d = add_delivery(0, "s@a.example", "r@b.example");
		connect_client(b);
		run(b);
		want_outcome(d, 0, CLASS_LATER, SCOPE_OURS, STAGE_BODY, 451);
		assert_null(strstr(b->hop.seen, "\r\n.\r\n"));
		assert_non_null(strstr(b->hop.seen, "some text"));
	}
}

static void
a_dead_connection_that_was_used_costs_no_attempt(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example", "r@b.example");
	struct delivery *e = add_delivery(0, "s@a.example", "q@b.example");

	b->hop.closes_after = true;
	connect_client(b);
	run(b);
	want_done(d, 0);
	assert_int_equal(b->back_cnt, 1);
	assert_null(e->rcpts[0].outcome);
	assert_false(b->has_why);
}

/* The pool, over loopback. */

static void
one_connection_serves_many_deliveries(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 20; i++)
		(void)add_delivery(0, "s@a.example", "r@b.example");
	open_pool(b, 1, true);
	run(b);
	for (unsigned i = 0; i < 20; i++)
		want_done(b->deliveries[i], 0);
	assert_int_equal(b->hop.connections, 1);
}

static void
a_next_hop_that_always_closes_still_gets_everything(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 10; i++)
		(void)add_delivery(0, "s@a.example", "r@b.example");
	b->hop.closes_after = true;
	open_pool(b, 1, true);
	run(b);
	for (unsigned i = 0; i < 10; i++)
		want_done(b->deliveries[i], 0);
	assert_int_equal(b->hop.connections, 10);
}

static void
a_next_hop_that_refuses_is_a_destination_down(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 5; i++)
		(void)add_delivery(0, "s@a.example", "r@b.example");
	open_pool(b, 2, false);
	run(b);
	for (unsigned i = 0; i < 5; i++)
		want_outcome(b->deliveries[i], 0, CLASS_LATER,
		    SCOPE_DESTINATION, STAGE_CONNECT, 451);
}

/* What we lack is not laid at the next hop's endpoint. */
static void
out_of_descriptors_is_our_own_fault(void **state)
{
	struct bench *b = *state;
	struct rlimit was, none = { 0 };

	(void)add_delivery(0, "s@a.example", "r@b.example");
	open_pool(b, 2, true);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	run(b);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	want_outcome(b->deliveries[0], 0, CLASS_LATER, SCOPE_OURS,
	    STAGE_CONNECT, 451);
}

static void
an_address_no_host_can_have_is_refused(void **state)
{
	static const char *const hosts[] = {
		"0.0.0.0", "[::]", "224.0.0.1", "255.255.255.255", "ff02::1",
		"::ffff:0.0.0.0",
	};

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct bench *b;

		tear_down(state);
		set_up(state);
		b = *state;
		(void)add_delivery(0, "s@a.example", "r@b.example");
		b->target.dial.host = span_of(hosts[i]);
		open_pool(b, 2, true);
		run(b);
		want_outcome(b->deliveries[0], 0, CLASS_LATER,
		    SCOPE_DESTINATION, STAGE_LOOKUP, 451);
	}
}

static void
a_drained_pool_says_quit_and_defers_what_waits(void **state)
{
	struct bench *b = *state;

	(void)add_delivery(0, "s@a.example", "r@b.example");
	open_pool(b, 1, true);
	run(b);
	pool_drain(b->pool);
	(void)add_delivery(0, "s@a.example", "r@b.example");
	pool_take(b->pool, b->deliveries[1]);
	run(b);
	want_outcome(b->deliveries[1], 0, CLASS_LATER, SCOPE_OURS,
	    STAGE_CONNECT, 451);
	for (int i = 0; i < 100 && pool_is_busy(b->pool); i++) {
		timer_set(&b->alarm, 10);
		assert_int_equal(ev_run(b->loop), OK);
	}
	assert_false(pool_is_busy(b->pool));
	assert_string_equal(b->hop.seen, WHOLE "QUIT\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_goes_in_one_write_of_commands_and_one_of_text),
		TEST(without_pipelining_each_command_waits),
		TEST(replies_may_come_byte_by_byte),
		TEST(a_next_hop_without_ehlo_gets_helo),
		TEST(a_refused_recipient_harms_no_other),
		TEST(
		    what_is_wanted_of_reports_is_passed_on_where_dsn_is_offered
		    ),
		TEST(nothing_is_asked_of_a_hop_that_was_not_asked_of_us),
		TEST(a_verdict_says_whose_words_it_has),
		TEST(when_nobody_is_left_no_text_is_sent),
		TEST(an_open_transaction_is_reset_before_the_next),
		TEST(a_refused_sender_concerns_the_message),
		TEST(a_sender_refused_but_a_recipient_taken_sends_nothing),
		TEST(too_many_recipients_go_in_another_transaction),
		TEST(a_full_mailbox_is_not_taken_for_too_many),
		TEST(extensions_are_used_or_missed),
		TEST(without_smtputf8_a_domain_goes_as_a_label),
		TEST(a_bounce_that_needs_smtputf8_waits_for_it),
		TEST(with_smtputf8_addresses_go_as_they_were_written),
		TEST(fields_in_utf8_are_converted_for_a_hop_without_smtputf8),
		TEST(eight_bits_go_without_8bitmime_where_the_block_says_so),
		TEST(eight_bits_are_converted_for_a_hop_without_8bitmime),
		TEST(eight_bits_are_refused_where_the_block_says_so),
		TEST(a_large_text_is_converted_in_each_transaction),
		TEST(pieces_from_before_a_rewind_are_not_taken_for_later_ones),
		TEST(each_failure_has_its_class_scope_and_stage),
		TEST(a_reply_to_nothing_is_nobodys_verdict),
		TEST(a_client_that_never_got_ready_says_why),
		TEST(a_next_hop_that_falls_silent_is_left),
		TEST(endless_replies_are_cut_off),
		TEST(controls_in_a_reply_are_replaced_and_its_length_capped),
		TEST(dots_are_doubled_once_at_every_border),
		TEST(a_text_without_last_crlf_gets_one),
		TEST(a_bare_line_end_or_nul_never_goes_out),
		TEST(after_its_deadline_a_delivery_gets_no_dot),
		TEST(one_that_is_ours_for_a_while_is_sent),
		TEST(text_that_will_never_come_fails_the_attempt_as_ours),
		TEST(a_text_that_breaks_off_never_gets_its_dot),
		TEST(a_dead_connection_that_was_used_costs_no_attempt),
		TEST(one_connection_serves_many_deliveries),
		TEST(a_next_hop_that_always_closes_still_gets_everything),
		TEST(a_next_hop_that_refuses_is_a_destination_down),
		TEST(an_address_no_host_can_have_is_refused),
		TEST(out_of_descriptors_is_our_own_fault),
		TEST(a_drained_pool_says_quit_and_defers_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
