/*
 * test_relay_delivery - a delivery whose text and recipients are still arriving
 * when it is opened, beside one of which all is known at once.
 * room: relay
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "relay/delivery.h"

static char full[PIECE_MAX];
static char pulled[4096];

static void
on_pull(struct delivery *d, enum part part, uint32_t piece_no)
{
	size_t len = strlen(pulled);

	snprintf(pulled + len, sizeof(pulled) - len, "%c%u ",
	    part == PART_HEADER ? 'h' : 'b', piece_no);
}

static void
on_finished(struct delivery *d)
{
}

static void
on_back(struct delivery *d, enum back why)
{
}

static struct delivery *
open_one(uint64_t header_len, uint64_t body_len, uint32_t rcpt_cnt)
{
	static const struct delivery_calls calls = {
		.pull = on_pull, .finished = on_finished, .back = on_back,
	};
	struct delivery *d = delivery_new(&(struct msg_delivery_open){
	    .header_len = header_len, .body_len = body_len,
	    .rcpt_cnt = rcpt_cnt }, &calls, NULL);

	assert_non_null(d);
	pulled[0] = '\0';
	return d;
}

static enum err
piece(struct delivery *d, enum part part, uint32_t no, enum piece_next next,
    size_t len)
{
	return delivery_add_piece(d, part, no, next,
	    (struct span){ full, len });
}

/* Take the piece at hand, which is so long. */
static void
want(struct delivery *d, size_t len)
{
	struct span text;

	assert_int_equal(delivery_text(d, 0, &text), OK);
	assert_int_equal(text.len, len);
	delivery_drop(d, 1);
}

static void
a_text_that_arrives_is_asked_for_as_far_as_it_is_sure(void **state)
{
	struct delivery *d = open_one(BUS_NOT_KNOWN, BUS_NOT_KNOWN, 1);
	struct span text;

	delivery_prefetch(d);
	assert_string_equal(pulled, "h0 ");
	assert_int_equal(delivery_size(d), 0);
	assert_int_equal(piece(d, PART_HEADER, 0, PIECE_NEXT, PIECE_MAX), OK);
	assert_string_equal(pulled, "h0 h1 ");
	want(d, PIECE_MAX);
	assert_int_equal(piece(d, PART_HEADER, 1, PIECE_NEXT_PART, 100), OK);
	assert_string_equal(pulled, "h0 h1 b0 ");
	want(d, 100);
	assert_int_equal(delivery_text(d, 0, &text), ERR_AGAIN);
	assert_int_equal(piece(d, PART_BODY, 0, PIECE_NEXT, PIECE_MAX), OK);
	want(d, PIECE_MAX);
	assert_int_equal(piece(d, PART_BODY, 1, PIECE_NEXT_NONE, 7), OK);
	assert_string_equal(pulled, "h0 h1 b0 b1 ");
	want(d, 7);
	assert_int_equal(delivery_text(d, 0, &text), ERR_NONE);
	assert_true(d->is_measured);
	assert_int_equal(delivery_size(d), 2 * PIECE_MAX + 107);
	delivery_free(&d);
}

static void
its_lengths_are_counted_once_when_it_begins_anew(void **state)
{
	struct delivery *d = open_one(BUS_NOT_KNOWN, BUS_NOT_KNOWN, 1);

	delivery_prefetch(d);
	assert_int_equal(piece(d, PART_HEADER, 0, PIECE_NEXT_PART, 100), OK);
	want(d, 100);
	delivery_rewind(d);		/* b0 is on its way */
	assert_int_equal(piece(d, PART_BODY, 0, PIECE_NEXT_NONE, 5), OK);
	assert_string_equal(pulled, "h0 b0 h0 b0 ");
	assert_int_equal(piece(d, PART_HEADER, 0, PIECE_NEXT_PART, 100), OK);
	assert_int_equal(piece(d, PART_BODY, 0, PIECE_NEXT_NONE, 5), OK);
	want(d, 100);
	want(d, 5);
	assert_int_equal(delivery_size(d), 105);
	delivery_free(&d);
}

static void
what_cannot_follow_breaks_the_link(void **state)
{
	static const struct {
		enum part	 part;
		uint32_t	 no;
		unsigned	 next;
		size_t		 len;
	} wrong[] = {
		{ PART_HEADER, 0, PIECE_NEXT, 100 },	/* short, not last */
		{ PART_HEADER, 1, PIECE_NEXT_NONE, 100 },	/* not asked */
		{ PART_BODY, 0, PIECE_NEXT_NONE, 100 },
		{ PART_HEADER, 0, PIECE_NEXT__COUNT, 100 },
		{ PART__COUNT, 0, PIECE_NEXT_NONE, 100 },
	};
	struct delivery *d = open_one(BUS_NOT_KNOWN, BUS_NOT_KNOWN, 1);

	delivery_prefetch(d);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(piece(d, wrong[i].part, wrong[i].no,
		    wrong[i].next, wrong[i].len), ERR_PEER);
	assert_int_equal(piece(d, PART_HEADER, 0, PIECE_NEXT_PART, 10), OK);
	assert_int_equal(piece(d, PART_HEADER, 1, PIECE_NEXT_NONE, 10),
	    ERR_PEER);
	assert_int_equal(piece(d, PART_BODY, 0, PIECE_NEXT_PART, 10),
	    ERR_PEER);
	assert_int_equal(piece(d, PART_BODY, 0, PIECE_NEXT_NONE, 10), OK);
	assert_int_equal(piece(d, PART_BODY, 1, PIECE_NEXT_NONE, 10),
	    ERR_PEER);
	delivery_free(&d);
}

static void
known_lengths_are_asked_for_at_once_and_hold(void **state)
{
	struct delivery *d = open_one(100, PIECE_MAX + 1, 1);

	delivery_prefetch(d);
	assert_string_equal(pulled, "h0 b0 ");
	assert_int_equal(delivery_size(d), PIECE_MAX + 101);
	assert_int_equal(piece(d, PART_HEADER, 0, PIECE_NEXT_PART, 99),
	    ERR_PEER);
	assert_int_equal(piece(d, PART_HEADER, 0, PIECE_NEXT_PART, 100), OK);
	delivery_free(&d);
}

static void
recipients_may_come_one_by_one(void **state)
{
	struct delivery *d = open_one(BUS_NOT_KNOWN, BUS_NOT_KNOWN, 0);
	char address[32];

	for (unsigned i = 0; i < 9; i++) {
		snprintf(address, sizeof(address), "r%u@x", i);
		assert_int_equal(delivery_add_rcpt(d, i, span_of(address)),
		    OK);
		assert_int_equal(delivery_add_dsn(d, 0, SPAN("")), OK);
		assert_false(delivery_is_whole(d));
	}
	assert_int_equal(delivery_end_rcpts(d), OK);
	assert_true(delivery_is_whole(d));
	assert_int_equal(d->undecided, 9);
	assert_true(span_eq(d->rcpts[0].address, SPAN("r0@x")));
	assert_true(span_eq(d->rcpts[8].address, SPAN("r8@x")));
	assert_int_equal(delivery_add_rcpt(d, 9, SPAN("r9@x")), ERR_PEER);
	delivery_free(&d);
	d = open_one(1, 1, 2);
	assert_int_equal(delivery_add_rcpt(d, 0, SPAN("r0@x")), OK);
	assert_int_equal(delivery_end_rcpts(d), ERR_PEER);
	delivery_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_text_that_arrives_is_asked_for_as_far_as_it_is_sure),
		cmocka_unit_test(
		    its_lengths_are_counted_once_when_it_begins_anew),
		cmocka_unit_test(what_cannot_follow_breaks_the_link),
		cmocka_unit_test(known_lengths_are_asked_for_at_once_and_hold),
		cmocka_unit_test(recipients_may_come_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
