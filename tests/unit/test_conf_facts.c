/* What is told of what is right: to who asks, and of the postmaster's way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf_memory.h"

#define EDGE(more)	"edge e { type smtp; " more " }\n"
#define QUEUE		"queue q { type lmdb }\n"
#define RELAY(type)	"relay r { type " type " }\n"
#define STATIC		RELAY("static; host a.example")
#define BOX		RELAY("maildir; path \"/m/{user}\"")

/* Whether it is written or not, and only to who asks. */
static void
what_smtputf8_comes_to_is_told_of_each_edge(void **state)
{
	static const struct { const char *text, *told; } cases[] = {
		{ EDGE("") QUEUE STATIC, "f:1:1: note: what edge e can "
		    "promise of SMTPUTF8 depends on what the next hop of "
		    "relay r offers, which is asked 5 seconds after a start; "
		},
		{ EDGE("") QUEUE RELAY("lmtp; path /s; ask_after 0"),
		    "f:1:1: note: what edge e can promise of SMTPUTF8 depends "
		    "on what the next hop of relay r offers, which is not "
		    "asked before its first mail (`ask_after 0'); " },
		{ EDGE("") QUEUE BOX, "f:1:1: note: edge e offers SMTPUTF8: "
		    "all relays of queue q can carry it\n" },
		{ EDGE("smtputf8 auto") QUEUE BOX, "f:1:1: note: edge e "
		    "offers" },
		{ EDGE("smtputf8 no") QUEUE STATIC, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct memory_file files[] = { { "f", cases[i].text },
			{ NULL, NULL } };
		struct memory m = { .files = files, .wants_facts = true };
		size_t len = strlen(cases[i].told);
		struct conf *c = NULL;

		assert_int_equal(memory_load(&m, &c, false), OK);
		conf_free(&c);
		if (strncmp(m.told, cases[i].told, len) != 0 ||
		    (len == 0 && m.told_len > 0))
			fail_msg("row %zu: %s", i, m.told);
		m.wants_facts = false;
		assert_int_equal(memory_load(&m, &c, false), OK);
		conf_free(&c);
		assert_string_equal(m.told, "");
	}
}

/* That of a bounce: what is our own is here for who hands on to nobody else. */
static void
a_postmaster_of_our_own_has_a_way(void **state)
{
	static const struct { const char *domain; bool has_way; } cases[] = {
		{ "host.example.org", true }, { "example.net", true },
		{ "sub.example.net", false }, { "x.example", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[500];
		const struct memory_file files[] = { { "f", text },
			{ NULL, NULL } };
		struct memory m = { .files = files };
		struct conf *c = NULL;

		snprintf(text, sizeof(text), "process { domains Example.NET; "
		    "postmaster ann@%s }\n" EDGE("") QUEUE BOX,
		    cases[i].domain);
		assert_int_equal(memory_load(&m, &c, false), OK);
		conf_free(&c);
		assert_int_equal(strstr(m.told, "no way to the postmaster") ==
		    NULL, cases[i].has_way);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_postmaster_of_our_own_has_a_way),
		cmocka_unit_test(what_smtputf8_comes_to_is_told_of_each_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
