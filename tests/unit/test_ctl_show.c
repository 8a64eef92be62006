/*
 * test_ctl_show - a message in words and in JSON: by whom somebody came to be
 * its recipient.
 * room: ctl/tool
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bus/held.h"
#include "ctl/tool/listed.h"
#include "ctl/tool/show.h"

static char *
shown(const char *trace, bool json)
{
	struct listed_message m = { .rcpt_cnt = 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(listed_begin(&m, SPAN("main"),
	    &(struct msg_list_message){ .arrived_ms = 1 }), OK);
	assert_int_equal(listed_add_rcpt(&m, &(struct msg_list_rcpt){
	    .address = SPAN("ann@here.example"), .trace = span_of(trace) }),
	    OK);
	if (json)
		show_message_json(out, &m);
	else
		show_message(out, &m, 2);
	fclose(out);
	listed_fini(&m);
	return text;
}

static void
want(const char *trace, bool json, const char *part)
{
	char *text = shown(trace, json);

	if (strstr(text, part) == NULL)
		fail_msg("no %s in %s", part, text);
	free(text);
}

/* Of a message whose one delivery is this row, looked at at 61 s. */
static void
want_of(const struct msg_list_delivery *row, bool json, const char *part)
{
	struct listed_message m = { .rcpt_cnt = 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(listed_begin(&m, SPAN("main"),
	    &(struct msg_list_message){ .arrived_ms = 1 }), OK);
	assert_int_equal(listed_add_delivery(&m, row), OK);
	assert_int_equal(listed_add_rcpt(&m, &(struct msg_list_rcpt){
	    .address = SPAN("ann@b.example") }), OK);
	if (json)
		show_message_json(out, &m);
	else
		show_message(out, &m, 61000);
	fclose(out);
	listed_fini(&m);
	if (strstr(text, part) == NULL)
		fail_msg("no %s in %s", part, text);
	free(text);
}

static void
who_stood_for_a_recipient_is_shown(void **state)
{
	static const char two[] = "alias\tall@here.example\ntable\tteam@x";

	want(two, false, "    ann@here.example\n"
	    "        by alias of all@here.example, by table of team@x\n");
	want(two, true, "\"trace\":[{\"by\":\"alias\","
	    "\"of\":\"all@here.example\"},{\"by\":\"table\","
	    "\"of\":\"team@x\"}]");
	want("alias\ta@x...", false, "        by alias of a@x...\n");
}

static void
who_was_said_himself_has_no_trace(void **state)
{
	char *text = shown("", true);

	assert_null(strstr(text, "trace"));
	free(text);
	want("", false, "    ann@here.example\n");
}

static void
why_a_delivery_waits_is_shown(void **state)
{
	static const struct {
		struct msg_list_delivery row;
		const char	*line, *json;
	} rows[] = {
		{ { .waits = WAITS_DOWN, .down_ms = 1000, .probe_ms = 91000 },
		    "        b.example is down for 1m, and tried in 30s\n",
		    "\"waits\":\"down\",\"down\":\"1970-01-01T00:00:01.000Z\","
		    "\"probe\":\"1970-01-01T00:01:31.000Z\"" },
		{ { .waits = WAITS_DOWN, .down_ms = 1000 },
		    " is down for 1m, and is just being tried\n",
		    "\"down\":\"1970-01-01T00:00:01.000Z\",\"reply\"" },
		{ { .waits = WAITS_BUSY },
		    "        b.example has all it takes at once\n",
		    "\"waits\":\"busy\",\"reply\"" },
		{ { .waits = WAITS_AWAY }, "        relay out is not running\n",
		    "\"waits\":\"away\",\"reply\"" },
		{ { .waits = WAITS_RELAY },
		    " relay out is none that the queue has a route to\n",
		    "\"waits\":\"relay\",\"reply\"" },
		{ { .suspended_ms = 5, .who = SPAN("ann"),
		    .reason = SPAN("they\x1b") },
		    "        suspended by ann: they\\x1b\n",
		    "\"suspended_by\":\"ann\",\"suspended_why\":\"they" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct msg_list_delivery row = rows[i].row;

		row.relay = SPAN("out");
		row.destination = SPAN("b.example");
		want_of(&row, false, rows[i].line);
		want_of(&row, true, rows[i].json);
		row.state = LISTED_ACTIVE;
		want_of(&row, false, "  by out  active\n");
	}
}

/* By his name, where that is known, or what is a name. */
static void
who_holds_it_is_shown(void **state)
{
	struct msg_list_delivery row = { .relay = SPAN("out"),
	    .destination = SPAN("b.example"), .state = LISTED_HELD,
	    .held = HELD_ADMINISTRATOR, .holder = SPAN("ann\x1b") };

	want_of(&row, false, "held by ann\\x1b, until it is released\n");
	want_of(&row, true, "\"held\":\"administrator\",\"held_by\":"
	    "\"ann");
	row.holder = SPAN("uid 0");
	want_of(&row, false, "held by root, until");
	want_of(&row, true, "\"held_by\":\"root\"");
	row.holder = SPAN("uid 4294967294");
	want_of(&row, false, "held by uid 4294967294, until");
	row.holder = SPAN("");
	want_of(&row, false, "held by an administrator, until");
	want_of(&row, true, "\"held\":\"administrator\",\"reply\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(why_a_delivery_waits_is_shown),
		cmocka_unit_test(who_holds_it_is_shown),
		cmocka_unit_test(who_stood_for_a_recipient_is_shown),
		cmocka_unit_test(who_was_said_himself_has_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
