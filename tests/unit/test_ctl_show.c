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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_stood_for_a_recipient_is_shown),
		cmocka_unit_test(who_was_said_himself_has_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
