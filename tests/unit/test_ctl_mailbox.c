/*
 * test_ctl_mailbox - the addresses in To: and on sendmail's command line, and
 * what becomes of the header and the text.
 * room: ctl/sendmail
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/sendmail/fields.h"
#include "ctl/sendmail/mailbox.h"
#include "ctl/sendmail/text.h"
#include "ctl/sendmail/who.h"

struct found {
	char	 text[2048];	/* addresses, each with a blank behind */
};

static enum err
note(struct span address, void *arg)
{
	struct found *f = arg;
	size_t len = strlen(f->text);

	snprintf(f->text + len, sizeof(f->text) - len, "%.*s ",
	    (int)address.len, address.ptr);
	return OK;
}

static enum err
read_list(const char *text, struct found *f)
{
	struct span bad;

	memset(f, 0, sizeof(*f));
	return mailbox_list(span_of(text), SPAN("here.example"), note, f,
	    &bad);
}

static void
every_form_of_an_address_is_read(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ " (nobody) ", "" },
		{ "ann@x.example", "ann@x.example " },
		{ "a@x.example,b@y.example", "a@x.example b@y.example " },
		{ " a@x.example ,, b@y.example , ",
		  "a@x.example b@y.example " },
		{ "Ann B. Lee <ann@x.example>", "ann@x.example " },
		{ "\"Lee, Ann\" <ann@x.example>", "ann@x.example " },
		{ "\"a \\\" <q\" <ann@x.example>", "ann@x.example " },
		{ "<ann@x.example> (home), bob", "ann@x.example "
		  "bob@here.example " },
		{ "ann (a (nested\\) ) one) @ x . example",
		  "ann@x.example " },
		{ "team: a@x.example, B <b@y.example>;",
		  "a@x.example b@y.example " },
		{ "nobody:;, c@z.example", "c@z.example " },
		{ "undisclosed-recipients: ;", "" },
		{ "<@one.example,@two.example:ann@x.example>",
		  "ann@x.example " },
		{ "\"a b\"@x.example", "\"a b\"@x.example " },
		{ "\"a@b\"", "\"a@b\"@here.example " },
		{ "Ann\r\n <ann@x.example>,\r\n\tb@y.example\r\n",
		  "ann@x.example b@y.example " },
		{ "ann@[192.0.2.1]", "ann@[192.0.2.1] " },
		{ "d\xc3\xb6rte@x.example", "d\xc3\xb6rte@x.example " },
		{ "root", "root@here.example " },
	};
	struct found f;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_list(cases[i][0], &f), OK);
		assert_string_equal(f.text, cases[i][1]);
	}
}

static void
what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"ann bob@x.example", "<>", "ann@", "@x.example", "a@@x.example",
		"<ann@x.example", "ann@x.example>", "(open",
		"\"open",
		"a@x.example;", "team: a@x.example",
		"team: other: a@x.example;",
		"a..b@x.example", "<a@x.example> b@y.example", "a@x.example\\",
		"<@one.example>", "a\x01@x.example", "a@[1.2.3.4",
		"a@x.example\r\nRCPT TO:<b@y.example>",
	};
	struct found f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_list(bad[i], &f) != ERR_PEER)
			fail_msg("taken: %s -> %s", bad[i], f.text);
}

static void
the_place_of_the_mistake_is_told(void **state)
{
	struct found f = { "" };
	struct span bad;

	assert_int_equal(mailbox_list(SPAN("a@x.example, b c, d@y.example"),
	    SPAN("h.example"), note, &f, &bad), ERR_PEER);
	assert_true(span_begins(bad, SPAN("b c")));
}

static void
an_address_too_long_is_refused_and_a_name_is_not(void **state)
{
	char text[2000];
	struct found f;

	memset(text, 'n', 1000);
	snprintf(text + 1000, 100, "%s", " <a@x.example>");
	assert_int_equal(read_list(text, &f), OK);
	assert_string_equal(f.text, "a@x.example ");
	snprintf(text + 1000, 100, "%s", "@x.example");
	assert_int_equal(read_list(text, &f), ERR_PEER);
}

#define HEADER								\
	"To: a@x.example,\r\n b@x.example\r\n"				\
	"BCC : c@x.example\r\n"						\
	"Resent-Bcc: d@x.example\r\n"					\
	"Subject: to: me\r\n"

static void
fields_are_taken_with_their_continuations(void **state)
{
	struct span left = SPAN(HEADER);
	struct field f;

	assert_true(fields_next(&left, &f));
	assert_true(span_eq(f.name, SPAN("To")));
	assert_true(span_eq(f.whole, SPAN("To: a@x.example,\r\n "
	    "b@x.example\r\n")));
	assert_true(fields_is_recipient(&f, false));
	assert_false(fields_is_blind(&f));
	assert_true(fields_next(&left, &f));
	assert_true(fields_is_blind(&f) && fields_is_recipient(&f, false));
	assert_true(fields_next(&left, &f));
	assert_true(fields_is_blind(&f) && fields_is_recipient(&f, true));
	assert_false(fields_is_recipient(&f, false));
	assert_true(fields_next(&left, &f));
	assert_false(fields_is_recipient(&f, false));
	assert_false(fields_next(&left, &f));
	assert_true(fields_has(SPAN(HEADER), SPAN("subject")));
	assert_false(fields_has(SPAN(HEADER), SPAN("Date")));
}

static void
want_text(const char *in, size_t len, enum text_end end, const char *header,
    const char *body)
{
	bool has_ended;
	char buf[4096];
	struct text t;
	FILE *f = fmemopen((void *)(uintptr_t)in, len, "r");
	size_t n;

	assert_non_null(f);
	assert_int_equal(text_read(&t, f, end, &has_ended), OK);
	assert_int_equal(t.header.len, strlen(header));
	assert_memory_equal(t.header.ptr, header, t.header.len);
	n = fread(buf, 1, sizeof(buf), t.body);
	assert_int_equal(n, strlen(body));
	assert_int_equal(n, t.body_len);
	assert_memory_equal(buf, body, n);
	text_free(&t);
	fclose(f);
}

#define WANT_TEXT(in, end, header, body)				\
	want_text(in, sizeof(in) - 1, end, header, body)

static void
line_ends_become_crlf_and_the_header_ends_where_it_ends(void **state)
{
	WANT_TEXT("A: 1\n\nbody\n", TEXT_DOT, "A: 1\r\n", "body\r\n");
	WANT_TEXT("A: 1\r\n\r\nbody\r\n", TEXT_DOT, "A: 1\r\n", "body\r\n");
	WANT_TEXT("A: 1\n x\n\n\nb", TEXT_DOT, "A: 1\r\n x\r\n", "\r\nb\r\n");
	WANT_TEXT("just text\nA: 1\n", TEXT_DOT, "", "just text\r\nA: 1\r\n");
	WANT_TEXT(" x\n", TEXT_DOT, "", " x\r\n");
	WANT_TEXT("A: 1\nno field\n", TEXT_DOT, "A: 1\r\n", "no field\r\n");
	WANT_TEXT("\nbody\n", TEXT_DOT, "", "body\r\n");
	WANT_TEXT("A: 1\n\na\rb\r\nc\0d\n", TEXT_DOT, "A: 1\r\n",
	    "a\r\nb\r\ncd\r\n");
	WANT_TEXT("From ann Sat Nov 21\nA: 1\n\nb\n", TEXT_DOT, "A: 1\r\n",
	    "b\r\n");
	WANT_TEXT("\n", TEXT_DOT, "", "");
	WANT_TEXT("A: 1\r\r\n\r\r\na\r\r\r\nb\r\n", TEXT_DOT, "A: 1\r\n",
	    "a\r\nb\r\n");
}

static void
a_dot_alone_ends_the_text_unless_told_otherwise(void **state)
{
	WANT_TEXT("A: 1\n\none\n.\ntwo\n", TEXT_DOT, "A: 1\r\n", "one\r\n");
	WANT_TEXT("A: 1\n\none\n.\ntwo\n", TEXT_EOF, "A: 1\r\n",
	    "one\r\n.\r\ntwo\r\n");
	WANT_TEXT("A: 1\n.\n\nx\n", TEXT_DOT, "A: 1\r\n", "");
	WANT_TEXT("\n..\n. \n", TEXT_DOT, "", "..\r\n. \r\n");
}

static void
in_a_dialogue_the_dot_has_to_come_and_others_lose_theirs(void **state)
{
	char whole[] = ".A: 1\r\n\r\n..\r\n.x\r\n.\r\nQUIT\r\n";
	FILE *f = fmemopen(whole, strlen(whole), "r");
	bool has_ended;
	struct text t;
	char rest[16];

	assert_non_null(f);
	assert_int_equal(text_read(&t, f, TEXT_DOTTED, &has_ended), OK);
	assert_true(has_ended);
	assert_int_equal(t.body_len, strlen(".\r\nx\r\n"));
	assert_non_null(fgets(rest, sizeof(rest), f));
	assert_string_equal(rest, "QUIT\r\n");
	text_free(&t);
	fclose(f);
	whole[strlen(whole) - strlen(".\r\nQUIT\r\n")] = 'x';
	f = fmemopen(whole, strlen(whole), "r");
	assert_non_null(f);
	assert_int_equal(text_read(&t, f, TEXT_DOTTED, &has_ended),
	    ERR_CLOSED);
	assert_false(has_ended);
	fclose(f);
}

static void
names_are_quoted_or_encoded(void **state)
{
	static const char *const cases[][2] = {
		{ "", "a@x" },
		{ "Ann Lee", "\"Ann Lee\" <a@x>" },
		{ "A \"b\" \\c", "\"A \\\"b\\\" \\\\c\" <a@x>" },
		{ "D\xc3\xb6", "=?utf-8?Q?=44=C3=B6?= <a@x>" },
		{ "x\xff", "a@x" },
		{ "x\r\nBcc: y", "a@x" },
	};
	char buf[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		who_from(span_of(cases[i][0]), SPAN("a@x"), buf, sizeof(buf));
		assert_string_equal(buf, cases[i][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_an_address_is_read),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(the_place_of_the_mistake_is_told),
		cmocka_unit_test(
		    an_address_too_long_is_refused_and_a_name_is_not),
		cmocka_unit_test(fields_are_taken_with_their_continuations),
		cmocka_unit_test(
		    line_ends_become_crlf_and_the_header_ends_where_it_ends),
		cmocka_unit_test(
		    a_dot_alone_ends_the_text_unless_told_otherwise),
		cmocka_unit_test(
		    in_a_dialogue_the_dot_has_to_come_and_others_lose_theirs),
		cmocka_unit_test(names_are_quoted_or_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
