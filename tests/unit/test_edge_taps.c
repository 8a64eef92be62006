/*
 * Taps beside a text: what they see of it, that each hears its end once, and
 * that a check at the end may have the body replaced.
 *
 * room: edge
 */
#include "edge/text/tap.h"
#include "edge_kit.h"

#define TEXT	"Subject: x\r\nTo: y\r\n\r\nOne\r\n..two\r\n"
#define BODY	"One\r\n.two\r\n"

static struct {
	struct tap	 tap;
	struct grow	 header, body;
	unsigned	 ended;
	bool		 is_whole;
} seen[2];
static const struct reply frown = { 550, "5.7.9", "No", false };
static struct session *waiting;

static void
on_header(struct tap *tap, struct span section)
{
	unsigned i = tap == &seen[1].tap;

	assert_int_equal(seen[i].header.len, 0);
	assert_int_equal(grow_add(&seen[i].header, section), OK);
}

static void
on_body(struct tap *tap, struct span run)
{
	unsigned i = tap == &seen[1].tap;

	assert_true(seen[i].header.len > 0);
	assert_int_equal(grow_add(&seen[i].body, run), OK);
}

static void
on_end(struct tap *tap, bool is_whole)
{
	unsigned i = tap == &seen[1].tap;

	seen[i].ended++;
	seen[i].is_whole = is_whole;
}

/* At stage DATA: two taps are put beside the text. */
static enum answer
judge_data(struct session *s, struct reply *no)
{
	for (int i = 0; i < 2; i++) {
		seen[i].tap = (struct tap){ NULL, on_header, on_body, on_end };
		text_tap(&s->transaction->text, &seen[i].tap);
	}
	return ANSWER_YES;
}

/* At stage END: what a tap has seen takes time to judge. */
static enum answer
judge_end(struct session *s, struct reply *no)
{
	waiting = s;
	return ANSWER_LATER;
}

static const struct check data = {
	.name = "tap", .asks = "", .judge = judge_data,
};
static const struct check end = {
	.name = "scanner", .asks = "scanner", .judge = judge_end,
};

static int
setup(void **state)
{
	memset(seen, 0, sizeof(seen));
	waiting = NULL;
	kit_start();
	assert_int_equal(stage_add(&kit.edge->stages, AT_DATA, 0, &data), OK);
	return 0;
}

static int
teardown(void **state)
{
	kit_stop();
	for (int i = 0; i < 2; i++) {
		assert_true(seen[i].ended <= 1);
		grow_free(&seen[i].header);
		grow_free(&seen[i].body);
	}
	return 0;
}

static void
assert_seen(const struct grow *g, const char *text)
{
	assert_int_equal(g->len, strlen(text));
	if (g->len > 0)
		assert_memory_equal(g->ptr, text, g->len);
}

static void
each_sees_header_and_body_as_they_are_kept(void **state)
{
	const char *text = TEXT ".\r\n";

	kit_data();
	for (size_t i = 0; i < strlen(text); i++) {
		kit_give(text + i, 1);
		kit_turn(2);
	}
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	for (int i = 0; i < 2; i++) {
		assert_seen(&seen[i].header, "Subject: x\r\nTo: y\r\n\r\n");
		assert_seen(&seen[i].body, BODY);
		assert_int_equal(seen[i].ended, 1);
		assert_true(seen[i].is_whole);
	}
	assert_seen(&kit_last()->body, BODY);
}

static void
a_text_with_a_fault_is_void_for_them_at_once(void **state)
{
	static const struct {
		const char *text;
		bool is_over;		/* it hangs up then */
	} rows[] = {
		{ "A: b\r\n\r\nx\ny", false },		/* smuggled */
		{ "A: b\r\n\r\nx", true },
		{ "A: b", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_data();
		kit_say(rows[i].text);
		kit_turn(KIT_TURNS);
		assert_int_equal(seen[0].ended, rows[i].is_over ? 0 : 1);
		kit_hang_up();
		kit_turn(KIT_TURNS);
		assert_int_equal(seen[0].ended, 1);
		assert_int_equal(seen[1].ended, 1);
		assert_false(seen[0].is_whole);
		teardown(NULL);
		setup(NULL);
	}
}

static void
what_they_saw_may_take_time_to_judge(void **state)
{
	assert_int_equal(stage_add(&kit.edge->stages, AT_END, 1, &end), OK);
	kit_data();
	kit_want(TEXT ".\r\n", "");
	assert_true(seen[0].is_whole);
	assert_false(kit_last()->is_committed);
	session_resume(waiting, &frown);
	kit_want("", "550 5.7.9 No\r\n");
	assert_true(kit_last()->is_aborted);
	seen[0].ended = seen[1].ended = 0;
	for (int i = 0; i < 2; i++) {
		grow_free(&seen[i].header);
		grow_free(&seen[i].body);
	}
	kit_say(KIT_ENVELOPE "DATA\r\n" TEXT ".\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 354 ");
	session_resume(waiting, NULL);
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_true(kit_last()->is_committed);
}

/* The stream begins anew, under another number and with its header. */
static void
a_check_may_have_the_body_replaced(void **state)
{
	static char big[3 * PIECE_MAX];
	char text[200];

	memset(big, 'x', sizeof(big));
	for (size_t i = 0; i + 1 < sizeof(big); i += 500)
		memcpy(big + i, "\r\n", 2);
	assert_int_equal(stage_add(&kit.edge->stages, AT_END, 1, &end), OK);
	for (int is_big = 0; is_big < 2; is_big++) {
		kit_data();
		kit_say("Subject: x\r\n\r\n");
		if (is_big)
			kit_give(big, sizeof(big));
		kit_want("y\r\n.\r\n", "");
		assert_true(stream_restart(&waiting->transaction->stream));
		assert_int_equal(stream_put(&waiting->transaction->stream,
		    SPAN("Another body\r\n")), OK);
		session_resume(waiting, NULL);
		assert_string_equal(kit_codes(kit_hear()), "250 ");
		assert_true(kit.mails[kit.mail_cnt - 2].is_aborted);
		assert_true(kit_last()->is_committed);
		assert_int_equal(kit_last()->rcpt_cnt, 1);
		assert_seen(&kit_last()->body, "Another body\r\n");
		snprintf(text, sizeof(text), "%.*s",
		    (int)kit_last()->header.len, kit_last()->header.ptr);
		assert_non_null(strstr(text, "\r\nSubject: x\r\n\r\n"));
		for (int i = 0; i < 2; i++) {
			grow_free(&seen[i].header);
			grow_free(&seen[i].body);
			seen[i].ended = 0;
		}
	}
}

static void
without_a_queue_there_is_no_new_stream(void **state)
{
	assert_int_equal(stage_add(&kit.edge->stages, AT_END, 1, &end), OK);
	kit_data();
	kit_want(TEXT ".\r\n", "");
	from_queue_close(kit.edge);
	assert_false(stream_restart(&waiting->transaction->stream));
	session_resume(waiting, NULL);
	kit_want("", "451 4.3.0 Queue not available, try again later\r\n");
}

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_sees_header_and_body_as_they_are_kept),
		T(a_text_with_a_fault_is_void_for_them_at_once),
		T(what_they_saw_may_take_time_to_judge),
		T(a_check_may_have_the_body_replaced),
		T(without_a_queue_there_is_no_new_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
