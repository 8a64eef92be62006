/*
 * test_ctl_select - which messages a SELECTION means, and the words of
 * posternctl's command line.
 * room: ctl/tool
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/tool/cmd.h"
#include "base/json.h"
#include "bus/held.h"
#include "ctl/tool/select.h"
#include "ctl/tool/show.h"

#define NOW_MS	1800000000000ll
#define HOUR_MS	3600000ll

/* Two recipients: one deferred by internet, one held by dovecot. */
static void
make_message(struct listed_message *m)
{
	struct msg_list_message row = {
		.arrived_ms = (uint64_t)(NOW_MS - 2 * HOUR_MS),
		.size = 2000, .rcpt_cnt = 2, .sender = SPAN("Ann@here.example"),
		.tenant = SPAN("ann"), .client = SPAN("192.0.2.1"),
		.edge = SPAN("in"),
	};
	struct msg_list_delivery first = {
		.delivery = 0, .attempts = 2, .state = LISTED_DUE,
		.due_ms = (uint64_t)NOW_MS + 60000, .relay = SPAN("internet"),
		.destination = SPAN("there.example"),
	}, second = {
		.delivery = 1, .state = LISTED_HELD, .relay = SPAN("dovecot"),
		.held = HELD_DEATHS,
		.until_ms = (uint64_t)(NOW_MS + 100 * HOUR_MS),
	};
	struct msg_list_rcpt bob = {
		.rcpt_no = 0, .delivery = 0, .code = 421,
		.address = SPAN("bob@there.example"),
		.reply = SPAN("4.7.28 Too much\x1b[2J"), .hop = SPAN("mx"),
	}, eve = {
		.rcpt_no = 1, .delivery = 1, .address = SPAN("eve@own.example"),
	};

	row.id.b[0] = first.id.b[0] = second.id.b[0] = bob.id.b[0] =
	    eve.id.b[0] = 0xab;
	row.id.b[1] = first.id.b[1] = second.id.b[1] = bob.id.b[1] =
	    eve.id.b[1] = 0xcd;
	assert_int_equal(listed_begin(m, SPAN("out"), &row), OK);
	assert_int_equal(listed_add_delivery(m, &first), OK);
	assert_int_equal(listed_add_delivery(m, &second), OK);
	assert_int_equal(listed_add_delivery(m, &first), ERR_PEER);
	assert_int_equal(listed_add_rcpt(m, &bob), OK);
	assert_int_equal(listed_add_rcpt(m, &eve), OK);
	bob.id.b[0] = 1;
	assert_int_equal(listed_add_rcpt(m, &bob), ERR_PEER);
}

struct condition {
	enum select_key	 key;
	const char	*value;
};

/* Do these conditions (to SELECT__COUNT) mean the message? */
static bool
means(const struct condition *c)
{
	struct listed_message m = { .rcpt_cnt = 0 };
	struct select *s = calloc(1, sizeof(*s));
	bool fits;

	assert_non_null(s);
	for (; c->key != SELECT__COUNT; c++)
		assert_null(select_option(s, c->key, span_of(c->value)));
	make_message(&m);
	fits = select_match(s, &m, NOW_MS);
	listed_fini(&m);
	free(s);
	return fits;
}

static void
what_waits_is_seen_though_its_recipients_cannot_be_read(void **state)
{
	struct msg_list_message row = { .rcpt_cnt = 1, .sender = SPAN("a@b") };
	struct msg_list_delivery held = { .state = LISTED_HELD,
	    .relay = SPAN("internet"), .held = HELD_DAMAGE };
	struct listed_message m = { .rcpt_cnt = 0 };
	struct select *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(listed_begin(&m, SPAN("out"), &row), OK);
	assert_int_equal(listed_add_delivery(&m, &held), OK);
	assert_null(select_option(s, SELECT_STATUS, SPAN("held")));
	assert_false(select_match(s, &m, NOW_MS));
	assert_int_equal(listed_end(&m), OK);
	assert_true(select_match(s, &m, NOW_MS));
	assert_int_equal(m.rcpt_len, 1);
	listed_fini(&m);
	make_message(&m);		/* where each has one */
	assert_int_equal(listed_end(&m), OK);
	assert_int_equal(m.rcpt_len, 2);
	listed_fini(&m);
	free(s);
}

static void
one_condition_means_what_it_says(void **state)
{
	static const struct {
		struct condition c;
		bool		 fits;
	} cases[] = {
		{ { SELECT_FROM, "ann@HERE.example" }, true },
		{ { SELECT_FROM, "@here.example" }, true },
		{ { SELECT_FROM, "@ere.example" }, false },
		{ { SELECT_FROM, "bob@there.example" }, false },
		{ { SELECT_FROM, "<>" }, false },
		{ { SELECT_FROM, "" }, false },
		{ { SELECT_TO, "bob@there.example" }, true },
		{ { SELECT_TO, "@own.example" }, true },
		{ { SELECT_TO, "@example" }, false },
		{ { SELECT_TO, "bob" }, false },
		{ { SELECT_LOGIN, "ann" }, true },
		{ { SELECT_LOGIN, "an" }, false },
		{ { SELECT_LOGIN, "Ann" }, false },
		{ { SELECT_QUEUE, "out" }, true },
		{ { SELECT_QUEUE, "in" }, false },
		{ { SELECT_RELAY, "internet" }, true },
		{ { SELECT_RELAY, "dovecot" }, true },
		{ { SELECT_RELAY, "inter" }, false },
		{ { SELECT_STATUS, "held" }, true },
		{ { SELECT_STATUS, "deferred" }, true },
		{ { SELECT_STATUS, "active" }, false },
		{ { SELECT_STATUS, "new" }, false },
		{ { SELECT_STATUS, "suspended" }, false },
		{ { SELECT_CODE, "421" }, true },
		{ { SELECT_CODE, "4*" }, true },
		{ { SELECT_CODE, "4.7.28" }, true },
		{ { SELECT_CODE, "4.7.*" }, true },
		{ { SELECT_CODE, "*.28" }, true },
		{ { SELECT_CODE, "4.7.2" }, false },
		{ { SELECT_CODE, "5*" }, false },
		{ { SELECT_REPLY, "too MUCH" }, true },
		{ { SELECT_REPLY, "too little" }, false },
		{ { SELECT_OLDER, "2h" }, true },
		{ { SELECT_OLDER, "121m" }, false },
		{ { SELECT_NEWER, "3h" }, true },
		{ { SELECT_NEWER, "2h" }, false },
		{ { SELECT_OLDER, "7200" }, true },
		{ { SELECT_SIZE, "+1K" }, true },
		{ { SELECT_SIZE, "+2000" }, false },
		{ { SELECT_SIZE, "-2K" }, true },
		{ { SELECT_SIZE, "-2000" }, false },
		{ { SELECT_ALL, "" }, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct condition c[] = {
			cases[i].c, { SELECT__COUNT, NULL },
		};

		if (means(c) != cases[i].fits)
			fail_msg("%u %s", c[0].key, c[0].value);
	}
}

static void
conditions_on_recipients_hold_for_one_and_the_same(void **state)
{
	const struct condition same[] = {
		{ SELECT_TO, "@there.example" }, { SELECT_RELAY, "internet" },
		{ SELECT_STATUS, "deferred" }, { SELECT_CODE, "421" },
		{ SELECT__COUNT, NULL },
	}, crossed[] = {
		{ SELECT_TO, "@there.example" }, { SELECT_STATUS, "held" },
		{ SELECT__COUNT, NULL },
	}, by_sender[] = {
		{ SELECT_TO, "@there.example" }, { SELECT_FROM, "<>" },
		{ SELECT__COUNT, NULL },
	};

	assert_true(means(same));
	assert_false(means(crossed));
	assert_false(means(by_sender));
}

static void
values_that_make_no_sense_are_refused(void **state)
{
	static const struct condition bad[] = {
		{ SELECT_STATUS, "frozen" }, { SELECT_OLDER, "" },
		{ SELECT_OLDER, "2y" }, { SELECT_OLDER, "h" },
		{ SELECT_NEWER, "-1h" }, { SELECT_SIZE, "10M" },
		{ SELECT_SIZE, "+" }, { SELECT_SIZE, "+10X" },
		{ SELECT_SIZE, "+99999999999999999999" },
		{ SELECT_SIZE, "+18446744073709551615K" },
		{ SELECT_LIMIT, "0" }, { SELECT_LIMIT, "x" },
		{ SELECT_TO, "" }, { SELECT_QUEUE, "" },
	};
	static struct select s;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(select_option(&s, bad[i].key,
		    span_of(bad[i].value)));
	assert_int_equal(s.given, 0);
	assert_non_null(select_id(&s, SPAN("abc")));
	assert_non_null(select_id(&s, SPAN("xyzw")));
	assert_non_null(select_id(&s, SPAN("0123456789012345678901234567890"
	    "123456")));
}

static void
ids_fit_by_their_beginning_and_are_counted(void **state)
{
	struct listed_message m = { .rcpt_cnt = 0 };
	struct select *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_false(select_is_said(s));
	assert_null(select_id(s, SPAN("ABCD")));
	assert_null(select_id(s, SPAN("abcd0000-0")));
	assert_null(select_id(s, SPAN("abce")));
	assert_null(select_id(s, SPAN("abcd")));	/* once more */
	assert_int_equal(s->id_cnt, 3);
	assert_true(select_is_said(s));
	make_message(&m);
	assert_true(select_match(s, &m, NOW_MS));
	assert_int_equal(s->id_hits[0], 1);
	assert_int_equal(s->id_hits[1], 1);
	assert_int_equal(s->id_hits[2], 0);
	assert_null(select_option(s, SELECT_STATUS, SPAN("active")));
	assert_false(select_match(s, &m, NOW_MS));
	assert_int_equal(s->id_hits[0], 1);
	listed_fini(&m);
	free(s);
}

static void
a_queue_and_a_limit_are_no_selection(void **state)
{
	struct select *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_null(select_option(s, SELECT_QUEUE, SPAN("out")));
	assert_null(select_option(s, SELECT_LIMIT, SPAN("5")));
	assert_false(select_is_said(s));
	assert_null(select_option(s, SELECT_ALL, SPAN("")));
	assert_true(select_is_said(s));
	free(s);
}

static void
want_command(const char *first, const char *second, const char *want)
{
	char *words[] = { (char *)(uintptr_t)first,
	    (char *)(uintptr_t)second };
	char got[64] = "none", *why = NULL;
	int used, cnt = first == NULL ? 0 : second == NULL ? 1 : 2;
	const struct cmd *c = cmd_find(words, cnt, &used, &why);

	if (c != NULL)
		snprintf(got, sizeof(got), "%s %s", c->verb, c->second);
	assert_string_equal(got, want);
	assert_true((c == NULL) == (why != NULL));
	free(why);
}

/* It is deferred as well; what is held or under way does not wait for it. */
static void
suspended_is_what_would_go_otherwise(void **state)
{
	struct listed_delivery d = { .state = LISTED_DUE, .attempts = 1,
	    .suspended_ms = 7 };
	struct listed_rcpt r = { .no = 0 };
	struct listed_message m = { .deliveries = &d, .delivery_len = 1,
	    .rcpts = &r, .rcpt_len = 1 };
	struct select *s = calloc(1, sizeof(*s));

	assert_null(select_option(s, SELECT_STATUS, SPAN("suspended")));
	assert_true(select_match(s, &m, NOW_MS));
	d.state = LISTED_HELD;
	assert_false(select_match(s, &m, NOW_MS));
	d.state = LISTED_ACTIVE;
	assert_false(select_match(s, &m, NOW_MS));
	d.state = LISTED_DUE;
	d.suspended_ms = 0;
	assert_false(select_match(s, &m, NOW_MS));
	d.suspended_ms = 7;
	assert_null(select_option(s, SELECT_STATUS, SPAN("deferred")));
	assert_true(select_match(s, &m, NOW_MS));
	free(s);
}

static void
verbs_may_be_cut_short_while_only_one_fits(void **state)
{
	want_command("status", NULL, "status ");
	want_command("st", NULL, "status ");
	want_command("s", NULL, "none");
	want_command("su", "relay", "suspend ");
	want_command("q", "l", "queue list");
	want_command("queue", "rel", "queue release");
	want_command("queue", "rem", "queue remove");
	want_command("u", "p", "user passwd");
	want_command("queue", "re", "none");
	want_command("queue", NULL, "none");
	want_command("queue", "lists", "none");
	want_command("r", NULL, "none");
	want_command("ro", "a@x", "route ");
	want_command("frob", NULL, "none");
	want_command(NULL, NULL, "none");
}

/* What a printer writes. */
static char *
printed(void (*print)(FILE *, const struct listed_message *))
{
	struct listed_message m = { .rcpt_cnt = 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	make_message(&m);
	print(out, &m);
	fclose(out);
	listed_fini(&m);
	return text;
}

static void
print_short(FILE *out, const struct listed_message *m)
{
	show_message(out, m, NOW_MS);
}

static void
nothing_that_came_by_mail_reaches_a_terminal_as_it_is(void **state)
{
	char *text = printed(print_short);

	assert_string_equal(text,
	    "abcd0000-0000-0000-0000-000000000000    2h 0m    2.0K  "
	    "Ann@here.example\n"
	    "    bob@there.example  by internet  try 3 in 1m\n"
	    "        mx: 421 4.7.28 Too much\\x1b[2J\n"
	    "    eve@own.example  by dovecot  held for deaths of its relay, "
	    "until it is released or its lifetime ends in 4d 4h\n");
	free(text);
}

static void
letters_are_shown_and_marks_that_turn_text_around_are_not(void **state)
{
	char buf[128] = "";
	FILE *out = fmemopen(buf, sizeof(buf), "w");

	assert_non_null(out);
	show_text(out, SPAN("\xc3\xb6\xe2\x80\x93\xd7\x90"));
	show_text(out, SPAN("\xe2\x80\xae\xd8\x9c\xe2\x81\xa6"));
	show_text(out, SPAN("\xe2\x80\xa8\xc2\x9b\xff"));
	fclose(out);
	assert_string_equal(buf, "\xc3\xb6\xe2\x80\x93\xd7\x90"
	    "\\xe2\\x80\\xae\\xd8\\x9c\\xe2\\x81\\xa6"
	    "\\xe2\\x80\\xa8\\xc2\\x9b\\xff");
}

static void
json_is_one_line_with_stable_names(void **state)
{
	char *text = printed(show_message_json);

	assert_string_equal(text,
	    "{\"id\":\"abcd0000-0000-0000-0000-000000000000\","
	    "\"queue\":\"out\",\"arrived\":\"2027-01-15T06:00:00.000Z\","
	    "\"size\":2000,\"from\":\"Ann@here.example\",\"login\":\"ann\","
	    "\"client\":\"192.0.2.1\",\"edge\":\"in\",\"recipients\":["
	    "{\"address\":\"bob@there.example\",\"status\":\"deferred\","
	    "\"relay\":\"internet\",\"destination\":\"there.example\","
	    "\"attempts\":2,\"due\":\"2027-01-15T08:01:00.000Z\","
	    "\"code\":421,\"reply\":\"4.7.28 Too much\\u001b[2J\","
	    "\"hop\":\"mx\"},"
	    "{\"address\":\"eve@own.example\",\"status\":\"held\","
	    "\"relay\":\"dovecot\",\"destination\":\"\",\"attempts\":0,"
	    "\"held\":\"deaths\",\"until\":\"2027-01-19T12:00:00.000Z\","
	    "\"reply\":\"\",\"hop\":\"\"}]}\n");
	free(text);
}

static void
json_text_is_escaped(void **state)
{
	char buf[128] = "";
	struct json j = { .out = fmemopen(buf, sizeof(buf), "w") };

	assert_non_null(j.out);
	json_open(&j, NULL, '{');
	json_text(&j, "a", SPAN("\"\\\n\x7f\xc3\xb6\xff"));
	json_flag(&j, "b", true);
	json_close(&j, '}');
	fclose(j.out);
	assert_string_equal(buf, "{\"a\":\"\\\"\\\\\\u000a\\u007f\xc3\xb6"
	    "\\ufffd\",\"b\":true}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_condition_means_what_it_says),
		cmocka_unit_test(
		    what_waits_is_seen_though_its_recipients_cannot_be_read),
		cmocka_unit_test(
		    conditions_on_recipients_hold_for_one_and_the_same),
		cmocka_unit_test(values_that_make_no_sense_are_refused),
		cmocka_unit_test(ids_fit_by_their_beginning_and_are_counted),
		cmocka_unit_test(a_queue_and_a_limit_are_no_selection),
		cmocka_unit_test(suspended_is_what_would_go_otherwise),
		cmocka_unit_test(verbs_may_be_cut_short_while_only_one_fits),
		cmocka_unit_test(
		    nothing_that_came_by_mail_reaches_a_terminal_as_it_is),
		cmocka_unit_test(
		    letters_are_shown_and_marks_that_turn_text_around_are_not),
		cmocka_unit_test(json_is_one_line_with_stable_names),
		cmocka_unit_test(json_text_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
