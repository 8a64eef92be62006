/*
 * BODY=BINARYMIME on its way out, RFC 3030 3: by BDAT, to the octet, to a next
 * hop that offers it; by no other way, and never within DATA.
 *
 * room: relay
 */
#include "relay_kit.h"

#define BODY	"\0\r.\r\n.\r\n\n.\nx\xff"
#define OFFERS	"250-hop\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 BINARYMIME"

static struct delivery *
add_binary(struct bench *b, const char *rcpts)
{
	struct delivery *d;

	b->body = BODY;
	b->body_len = sizeof(BODY) - 1;
	d = add_delivery(MAIL_8BIT, "s@a.example", rcpts);
	d->body = BODY_BINARYMIME;
	return d;
}

static bool
has_seen(const struct bench *b, const char *bytes, size_t len)
{
	return memmem(b->hop.seen, b->hop.seen_len, bytes, len) != NULL;
}

static void
it_goes_by_bdat_to_the_octet(void **state)
{
	static const char *const offers[] = { OFFERS,
		"250-hop\r\n250-CHUNKING\r\n250 BINARYMIME" };
	char want[200];
	size_t len;

	for (size_t i = 0; i < 2; i++) {
		struct bench *b;
		struct delivery *d;

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		b = *state;
		b->hop.ehlo = offers[i];
		d = add_binary(b, "a@b.example c@b.example");
		len = (size_t)snprintf(want, sizeof(want),
		    "BDAT %zu LAST\r\n%s", strlen(b->header) + b->body_len,
		    b->header);
		memcpy(want + len, BODY, sizeof(BODY) - 1);
		connect_client(b);
		run(b);
		want_done(d, 0);
		want_done(d, 1);
		assert_non_null(strstr(b->hop.seen,
		    "MAIL FROM:<s@a.example> BODY=BINARYMIME\r\n"));
		assert_true(has_seen(b, want, len + sizeof(BODY) - 1));
		assert_false(has_seen(b, "DATA", 4));
	}
}

static void
a_hop_without_it_never_sees_it(void **state)
{
	static const char *const offers[] = { "250 hop",
		"250-hop\r\n250 8BITMIME", "250-hop\r\n250 CHUNKING",
		"250-hop\r\n250-8BITMIME\r\n250 BINARYMIME" };

	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		struct bench *b;
		struct delivery *d;

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		b = *state;
		b->hop.ehlo = offers[i];
		d = add_binary(b, "a@b.example");
		connect_client(b);
		run(b);
		want_outcome(d, 0, CLASS_NEVER, SCOPE_MESSAGE, STAGE_MAIL, 550);
		assert_true(span_begins(d->rcpts[0].outcome->verdict.text,
		    SPAN("5.6.1 ")));
		assert_false(has_seen(b, "MAIL", 4));
	}
}

/* RFC 3030 2: what follows a refused chunk begins with RSET. */
static void
a_refused_chunk_is_reset(void **state)
{
	struct bench *b = *state;
	struct delivery *d, *e;

	b->hop.ehlo = OFFERS;
	b->hop.rules[0] = (struct rule){ ".", 1, "451 4.3.0 Not now" };
	d = add_binary(b, "a@b.example");
	e = add_delivery(0, "t@a.example", "c@b.example");
	e->body = BODY_BINARYMIME;
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_LATER, SCOPE_MESSAGE, STAGE_BODY, 451);
	want_done(e, 0);
	assert_true(has_seen(b, "RSET\r\n", 6));
}

static void
nobody_taken_gets_no_text(void **state)
{
	struct bench *b = *state;
	struct delivery *d;

	b->hop.ehlo = OFFERS;
	b->hop.rules[0] = (struct rule){ "RCPT", 0, "550 5.1.1 No" };
	d = add_binary(b, "a@b.example c@b.example");
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_RCPT, 550);
	want_outcome(d, 1, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_RCPT, 550);
	assert_false(has_seen(b, "BDAT", 4));
	assert_false(has_seen(b, "DATA", 4));
}

#define KEPT	"250-hop\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 CHUNKING"
#define DOTS	".\r\n..x\r\n\r\n.\r\n"

/* What came as text, and is kept, by BDAT or by DATA. */
static bool
goes_by_bdat(void **state, bool wanted, const char *ehlo, uint8_t flags,
    const char *body)
{
	struct bench *b;
	struct delivery *d;
	char want[400];

	tear_down(state);
	set_up(state);
	b = *state;
	b->hop.ehlo = ehlo;
	b->target.may_chunk = wanted;
	b->body = body;
	b->body_len = strlen(body);
	d = add_delivery(flags, "s@a.example", "a@b.example c@b.example");
	connect_client(b);
	run(b);
	want_done(d, 0);
	want_done(d, 1);
	snprintf(want, sizeof(want), "\r\nBDAT %zu LAST\r\n%s%s",
	    strlen(b->header) + b->body_len, b->header, body);
	if (!has_seen(b, "BDAT", 4)) {
		assert_true(has_seen(b, "\r\n.\r\n", 5));
		return false;
	}
	assert_true(has_seen(b, want, strlen(want)));
	assert_false(has_seen(b, "DATA", 4));
	assert_false(has_seen(b, "BODY=BINARYMIME", 15));
	return true;
}

/* RFC 3030 2, and no dot doubled; what is converted has no length yet. */
static void
text_goes_by_bdat_where_that_is_wanted_and_offered(void **state)
{
	assert_true(goes_by_bdat(state, true, KEPT, 0, DOTS));
	assert_true(goes_by_bdat(state, true, "250-hop\r\n250 CHUNKING", 0,
	    DOTS));
	assert_true(goes_by_bdat(state, true, KEPT, MAIL_8BIT,
	    "K\xc3\xb6ln\r\n"));
	assert_false(goes_by_bdat(state, false, KEPT, 0, DOTS));
	assert_false(goes_by_bdat(state, true, "250-hop\r\n250 8BITMIME", 0,
	    DOTS));
	assert_false(goes_by_bdat(state, true, "250-hop\r\n250 CHUNKING",
	    MAIL_8BIT, "K\xc3\xb6ln\r\n"));
}

/* EOD-23: what no edge lets in does not go out by BDAT either. */
static void
no_bare_line_end_goes_out_in_a_chunk(void **state)
{
	static const char *const bad[] = { "x\n.\n", "x\ry\r\n", "x\r" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bench *b;
		struct delivery *d;

		tear_down(state);
		set_up(state);
		b = *state;
		b->hop.ehlo = KEPT;
		b->target.may_chunk = true;
		b->body = bad[i];
		b->body_len = strlen(bad[i]);
		d = add_delivery(0, "s@a.example", "a@b.example");
		connect_client(b);
		run(b);
		assert_int_not_equal(d->rcpts[0].outcome->verdict.class,
		    CLASS_DONE);
		assert_false(has_seen(b, bad[i], b->body_len));
	}
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(it_goes_by_bdat_to_the_octet),
		T(a_hop_without_it_never_sees_it),
		T(a_refused_chunk_is_reset),
		T(nobody_taken_gets_no_text),
		T(text_goes_by_bdat_where_that_is_wanted_and_offered),
		T(no_bare_line_end_goes_out_in_a_chunk),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
