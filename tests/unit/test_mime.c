/*
 * A message's text converted: every case fed whole and octet by octet, and
 * once more, which must change nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/mime.h"

static void
feed(struct mime_plan *plan, struct mime_out *out, struct span in, size_t part)
{
	struct mime *m = mime_new(plan, out);

	assert_non_null(m);
	for (; in.len > 0; in = span_tail(in, part))
		mime_feed(m, span_head(in, part));
	mime_end(m);
	mime_free(&m);
}

static bool was_utf8;	/* the text came with SMTPUTF8		*/

/* The text converted, as a C string; NULL when it cannot be. */
static char *
convert(struct span in, bool to_7bit, size_t part)
{
	struct mime_out out = { .ptr = NULL };
	struct mime_plan plan;
	bool is_stuck;

	mime_plan_init(&plan, to_7bit);
	plan.is_utf8 = was_utf8;
	feed(&plan, NULL, in, part);
	if (mime_plan_is_due(&plan))
		feed(&plan, &out, in, part);
	else
		mime_out_put(&out, in);
	is_stuck = plan.is_stuck;
	mime_plan_fini(&plan);
	mime_out_char(&out, '\0');
	assert_false(out.has_failed);
	if (is_stuck)
		mime_out_free(&out);
	return out.ptr;
}

static void
want(const char *in, bool to_7bit, const char *text)
{
	char *got = convert(span_of(in), to_7bit, SIZE_MAX);
	char *cut = convert(span_of(in), to_7bit, 1), *again;

	if (text == NULL) {
		assert_null(got);
		assert_null(cut);
		return;
	}
	assert_non_null(got);
	assert_string_equal(got, text);
	assert_string_equal(cut, text);
	again = convert(span_of(got), to_7bit, 7);
	assert_string_equal(again, text);
	free(got);
	free(cut);
	free(again);
}

static const struct {
	const char	*in, *text;
} cases[] = {
	/* Nothing to do. */
	{ "A: b\r\n\r\nc\r\n", "A: b\r\n\r\nc\r\n" },
	{ "", "" },
	/* No MIME at all. */
	{ "A: b\r\n\r\nbl\xc3\xa5 = x \r\n-y\r\n",
	    "A: b\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "bl=C3=A5 =3D x=20\r\n=2Dy\r\n" },
	{ "A: b\r\n\r\nbl\xe5 bl\xe5 blabla\r\n",
	    "A: b\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "bl=E5 bl=E5 blabla\r\n" },
	/* Base64 is shorter; the body's last line end is its own ... */
	{ "MIME-Version: 1.0\r\ncontent-type: text/plain; charset=koi8-r\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n"
	    "\xd0\xd2\xc9\xd7\xc5\xd4\xd0\xd2\xc9\xd7\xc5\xd4"
	    "\xd0\xd2\xc9\xd7\xc5\xd4\xd0\xd2\xc9\xd7\xc5\xd4"
	    "\xd0\xd2\xc9\xd7\xc5\xd4\xd0\xd2\xc9\xd7\xc5\xd4\r\n",
	    "MIME-Version: 1.0\r\ncontent-type: text/plain; charset=koi8-r\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n"
	    "0NLJ18XU0NLJ18XU0NLJ18XU0NLJ18XU0NLJ18XU0NLJ18XUDQo=\r\n" },
	/* ... and none of it before a boundary. */
	{ "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"x y\""
	    "\r\nContent-Transfer-Encoding: 8bit\r\n\r\nhi\r\n--x y\r\n"
	    "Content-Type: text/plain; charset=koi8-r\r\n\r\n"
	    "\xd0\xd2\xc9\xd7\xc5\xd4\xd0\xd2\xc9\xd7\xc5\xd4"
	    "\xd0\xd2\xc9\xd7\xc5\xd4\xd0\xd2\xc9\xd7\xc5\xd4"
	    "\xd0\xd2\xc9\xd7\xc5\xd4\xd0\xd2\xc9\xd7\xc5\xd4\r\n"
	    "--x y\r\n\r\n plain \r\n--x y-- \r\n",
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=\"x y\"\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n\r\nhi\r\n--x y\r\n"
	    "Content-Type: text/plain; charset=koi8-r\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n"
	    "0NLJ18XU0NLJ18XU0NLJ18XU0NLJ18XU0NLJ18XU0NLJ18XU\r\n"
	    "--x y\r\n\r\n plain \r\n--x y-- \r\n" },
	/* What claims to be coded is mended. */
	{ "Content-Transfer-Encoding: Quoted-Printable\r\n\r\n=C3\xa4=\r\n"
	    "x =3D\r\n", "Content-Transfer-Encoding: Quoted-Printable\r\n\r\n"
	    "=C3=A4=\r\nx =3D\r\n" },
	{ "Content-Transfer-Encoding: base64\r\n\r\nQU\xa4JD\r\n",
	    "Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\n" },
	/* Messages and fields within. */
	{ "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"
	    "\r\nSubject: \xc3\xa4\r\nMIME-Version: 1.0\r\n\r\n\xc3\xa4""bcdef",
	    "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit"
	    "\r\n\r\nSubject: =?utf-8?b?w6Q=?=\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4bcdef" },
	{ "Content-Type: message/delivery-status\r\n\r\nA: b\r\n\r\n"
	    "B: c \xc3\xa4\r\n", "Content-Type: message/delivery-status\r\n\r\n"
	    "A: b\r\n\r\nB: c =?utf-8?b?w6Q=?=\r\n" },
	/* Fields. */
	{ "Subject: a \xc3\xa4 \xc3\xb6 b\r\n\r\n",
	    "Subject: a =?utf-8?b?w6Qgw7Y=?= b\r\n\r\n" },
	{ "Subject: =?utf-8?q?=C3=A4?= \xc3\xb6\r\n\r\n",
	    "Subject: =?utf-8?q?=C3=A4?= =?utf-8?b?IMO2?=\r\n\r\n" },
	{ "To: \"M\xc3\xbcller, J\" <a@b>, \"x, y\" <c@d> (\xc3\xa4)\r\n\r\n",
	    "To: =?utf-8?q?M=C3=BCller=2C_J?= <a@b>, \"x, y\" <c@d>"
	    " (=?utf-8?b?w6Q=?=)\r\n\r\n" },
	{ "Content-Disposition: attachment; size=1; filename=\"\xc3\xa4 b.c\""
	    "\r\n\r\n", "Content-Disposition: attachment; size=1;\r\n"
	    " filename*=utf-8''%C3%A4%20b.c\r\n\r\n" },
	{ "Content-Disposition: inline; filename=\"\xc3\xa4\"; "
	    "filename*=utf-8''%C3%A4\r\n\r\n",
	    "Content-Disposition: inline; filename=\"__\"; "
	    "filename*=utf-8''%C3%A4\r\n\r\n" },
	/* What may not be touched. */
	{ "Content-Type: multipart/signed; boundary=s\r\nSubject: \xc3\xa4\r\n"
	    "\r\n--s\r\n\r\nx\r\n--s--\r\n",
	    "Content-Type: multipart/signed; boundary=s\r\n"
	    "Subject: =?utf-8?b?w6Q=?=\r\n\r\n--s\r\n\r\nx\r\n--s--\r\n" },
	{ "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\n"
	    "\xc3\xa4\r\n--s--\r\n", NULL },
	{ "Content-Type: multipart/encrypted; boundary=s\r\n\r\n--s\r\n"
	    "Subject: \xc3\xa4\r\n\r\n--s--\r\n", NULL },
	{ "Content-Type: multipart/mixed\r\n\r\n--s\r\n\xc3\xa4\r\n", NULL },
	{ "Content-Type: multipart/mixed; boundary=t\r\n\r\n--s\r\n"
	    "\xc3\xa4\r\n", NULL },
	{ "Content-Type: message/partial; id=1\r\n\r\n\xc3\xa4\r\n", NULL },
	{ "Content-Transfer-Encoding: x-uuencode\r\n\r\n\xc3\xa4\r\n", NULL },
};

static void
eight_bits_become_seven(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		want(cases[i].in, true, cases[i].text);
}

static void
eight_bits_alone_stay_where_the_next_hop_takes_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		want(cases[i].in, false, cases[i].in);
}

/* Of what came with SMTPUTF8, for a hop with 8BITMIME; NULL: it cannot go. */
static const struct {
	const char	*in, *text;
} utf8_cases[] = {
	{ "Subject: \xc3\xa4\r\n\r\n\xc3\xa4 = x \r\n",
	    "Subject: =?utf-8?b?w6Q=?=\r\n\r\n\xc3\xa4 = x \r\n" },
	{ "From: \xc3\x84nn <ann@m\xc3\xbcller.example>,\r\n"
	    " bob@\xd0\xb0.example (\xc3\xa4@x)\r\n\r\n",
	    "From: =?utf-8?q?=C3=84nn?= <ann@xn--mller-kva.example>,\r\n"
	    " bob@xn--80a.example (=?utf-8?b?w6RAeA==?=)\r\n\r\n" },
	{ "To: \"a b\"@\xc3\xa4.example, \"\xc3\xa4@x\" <c@d>\r\n\r\n",
	    "To: \"a b\"@xn--4ca.example, =?utf-8?b?w6RAeA==?= <c@d>"
	    "\r\n\r\n" },
	{ "X-List: \xc3\xa4@x.example\r\n\r\n",
	    "X-List: =?utf-8?b?w6RAeC5leGFtcGxl?=\r\n\r\n" },
	/* Nobody could answer to it. */
	{ "From: <j\xc3\xb6rg@x.example>\r\n\r\n", NULL },
	{ "cc: a@b, j\xc3\xb6rg@m\xc3\xbcller.example\r\n\r\n", NULL },
	{ "Reply-To: \"j\xc3\xb6rg\"@x.example\r\n\r\n", NULL },
	/* Parts have fields as well; a message within is text. */
	{ "Content-Type: multipart/mixed; boundary=s\r\n\r\n\xc3\xa4\r\n"
	    "--s\r\nContent-Description: \xc3\xa4\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n--s\r\n"
	    "Content-Type: message/rfc822\r\n\r\n"
	    "From: <j\xc3\xb6rg@x.example>\r\n\r\n\xc3\xa4\r\n--s--\r\n",
	    "Content-Type: multipart/mixed; boundary=s\r\n\r\n\xc3\xa4\r\n"
	    "--s\r\nContent-Description: =?utf-8?b?w6Q=?=\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n--s\r\n"
	    "Content-Type: message/rfc822\r\n\r\n"
	    "From: <j\xc3\xb6rg@x.example>\r\n\r\n\xc3\xa4\r\n--s--\r\n" },
	{ "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n"
	    "Content-Description: \xc3\xa4\r\n\r\nx\r\n--s--\r\n", NULL },
};

static void
fields_in_utf8_become_ascii_where_an_address_does_not_forbid_it(void **state)
{
	(void)state;
	was_utf8 = true;
	for (size_t i = 0; i < sizeof(utf8_cases) / sizeof(utf8_cases[0]); i++)
		want(utf8_cases[i].in, false, utf8_cases[i].text);
	/* A next hop that takes 7 bits only gets neither the address. */
	want(utf8_cases[4].in, true, NULL);
	was_utf8 = false;
	want(utf8_cases[4].in, true,
	    "From: < =?utf-8?b?asO2cmdAeC5leGFtcGxl?=>\r\n\r\n");
}

static void
want_lines(const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\r");

		assert_true(len <= 998);
		text += len + (text[len] != '\0' ? 2 : 0);
	}
}

/* A long run at the place of the "@" of a text. */
static char *
stretched(const char *text, size_t len)
{
	size_t at = strcspn(text, "@");
	char *s = malloc(strlen(text) + len + 1);

	assert_non_null(s);
	memcpy(s, text, at);
	memset(s + at, 'x', len);
	strcpy(s + at + len, text + at + 1);
	return s;
}

static void
long_lines_become_short_and_998_is_not_long(void **state)
{
	static const char *const texts[] = {
		"A: b\r\n\r\n@\r\n",
		"A: b\r\n\r\n@",
		"Content-Transfer-Encoding: base64\r\n\r\n@\r\n",
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n@\r\n",
		"A:\r\n @\r\n\r\n",
		"A:\r\n @",
		"DKIM-Signature: v=1;\r\n@\r\n\r\n",
		"Content-Type: text/plain;\r\n@\r\n\r\n",
		"Content-Type: message/feedback-report\r\n\r\nA: b\r\n@\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t len = 990; len < 80000; len += len < 1000 ? 1 :
		    len / 3) {
			char *in = stretched(texts[i], len);
			char *got = convert(span_of(in), false, 4096);
			bool is_long = false;

			assert_non_null(got);
			want_lines(got);
			for (const char *p = in; *p != '\0'; p += strcspn(p,
			    "\r"), p += *p != '\0' ? 2 : 0)
				is_long |= strcspn(p, "\r") > 998;
			assert_int_equal(strcmp(in, got) != 0, is_long);
			want(in, true, got);
			free(in);
			free(got);
		}
}

static void
a_long_line_that_is_signed_stays(void **state)
{
	char *in = stretched("Content-Type: multipart/signed; boundary=s\r\n"
	    "\r\n--s\r\n\r\n@\r\n--s--\r\n", 3000);

	(void)state;
	want(in, true, in);
	want(in, false, in);
	free(in);
}

static void
a_file_name_longer_than_a_line_is_cut_by_rfc_2231(void **state)
{
	char in[4096] = "Content-Disposition: attachment; filename=\"";
	char *got;

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(in, "\xc3\xa4");
	strcat(in, "\"\r\n\r\n");
	got = convert(span_of(in), true, SIZE_MAX);
	assert_non_null(got);
	assert_non_null(strstr(got, " filename*0*=utf-8''%C3%A4"));
	assert_non_null(strstr(got, ";\r\n filename*12*="));
	free(got);
}

/* More parts than are counted: what would need it is not converted. */
static void
too_many_and_too_deep_parts_are_left(void **state)
{
	char *in = malloc(400000), *p = in, *got;

	(void)state;
	assert_non_null(in);
	p += sprintf(p, "Content-Type: multipart/mixed; boundary=s\r\n\r\n");
	for (int i = 0; i < MIME_PARTS_MAX + 10; i++)
		p += sprintf(p, "--s\r\n\r\nx\r\n");
	want(in, true, in);
	p += sprintf(p, "--s\r\n\r\n\xc3\xa4\r\n");
	want(in, true, NULL);
	p = in;
	for (int i = 0; i < MIME_DEPTH_MAX + 10; i++)
		p += sprintf(p, "Content-Type: message/rfc822\r\n\r\n");
	p += sprintf(p, "\r\n\xc3\xa4\r\n");
	want(in, true, NULL);
	got = convert(span_of(in), false, SIZE_MAX);
	assert_string_equal(got, in);
	free(got);
	free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eight_bits_become_seven),
		cmocka_unit_test(
		    eight_bits_alone_stay_where_the_next_hop_takes_them),
		cmocka_unit_test(
	    fields_in_utf8_become_ascii_where_an_address_does_not_forbid_it),
		cmocka_unit_test(long_lines_become_short_and_998_is_not_long),
		cmocka_unit_test(a_long_line_that_is_signed_stays),
		cmocka_unit_test(
		    a_file_name_longer_than_a_line_is_cut_by_rfc_2231),
		cmocka_unit_test(too_many_and_too_deep_parts_are_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
