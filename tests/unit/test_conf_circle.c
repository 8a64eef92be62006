/*
 * A relay whose next hop is the listener that its mail came in by is told
 * before the start; one that leads elsewhere is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_memory.h"

#define TOLD	"warning: this is a listener of ours: mail that relay r"

/* What is said of an edge with this, and a relay to this. */
static void
load(const char *edge, const char *relay, bool is_told)
{
	struct conf *c = NULL;
	char text[1024];

	(void)snprintf(text, sizeof(text), "process { hostname me.example }\n"
	    "edge e { type smtp; queue q; %s }\n"
	    "queue q { type lmdb; relay r }\n"
	    "relay r { type static; %s }\n", edge, relay);
	const struct memory_file files[] = { { "f", text }, MEMORY_HOST };
	struct memory m = { .files = files };

	assert_int_equal(memory_load(&m, &c, false), OK);
	conf_free(&c);
	if ((strstr(m.told, TOLD) != NULL) != is_told)
		fail_msg("%s; %s: %s", edge, relay, m.told);
}

static void
a_next_hop_that_is_our_own_listener_is_told(void **state)
{
	load("", "host 127.0.0.1", true);
	load("", "host localhost", true);
	load("", "host me.example", true);
	load("listener { port 2525 }", "host localhost; port 2525", true);
	load("listener { interface 192.0.2.1 }; rules { clients 10.0.0.0/8 }",
	    "host 192.0.2.1", true);
	load("listener { interface \"\" }; rules { clients 10.0.0.0/8 }",
	    "host ::1", true);
}

static void
one_that_is_not_is_not(void **state)
{
	load("", "host 127.0.0.2", false);
	load("", "host 127.0.0.1; port 26", false);
	load("", "host a.example", false);
	load("listener { path /run/s }", "host localhost", false);
	load("listener { interface 192.0.2.1 }; rules { clients 10.0.0.0/8 }",
	    "host localhost", false);
	/* Another edge's listener, by whose queue mail goes elsewhere. */
	load("}\nqueue p { type lmdb; relay s }\nrelay s { type static; host "
	    "b.example }\nedge f { type smtp; listener { port 2525 }; queue p",
	    "host localhost; port 2525", false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_next_hop_that_is_our_own_listener_is_told),
		cmocka_unit_test(one_that_is_not_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
