/* How long a certificate is good and for whom it is, told by postern -n. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_memory.h"

#define EDGE(n, more)	"edge e { type smtp; " TLS(n) more " }\n"
#define RELAY(more)	"relay r { type static; host a.example; " more " }\n"
#define REST		"queue q { type lmdb }\n" RELAY("")
#define TLS(n)		"tls { certfile /c" n "; keyfile /k" n " } "

static void
want(const char *text, const char *told)
{
	const struct memory_file files[] = { { "f", text },
		{ "/c1", "cert 1" }, { "/k1", "key 1" },
		{ "/c2", "cert 2 days 3" }, { "/k2", "key 2 days 3" },
		{ "/c3", "cert 3 days -1" }, { "/k3", "key 3 days -1" },
		{ "/c4", "cert 4 not host." }, { "/k4", "key 4 not host." },
		{ "/c5", "cert 5 days 14" }, { "/k5", "key 5 days 14" },
		{ "/c6", "cert 6 days 1" }, { "/k6", "key 6 days 1" },
		{ NULL, NULL } };
	struct memory m = { .files = files };
	struct conf *c = NULL;

	assert_int_equal(memory_load(&m, &c, false), OK);
	conf_free(&c);
	if (strncmp(m.told, told, strlen(told)) != 0 ||
	    (told[0] == '\0' && m.told_len > 0))
		fail_msg("%s\n%s", text, m.told);
}

static void
one_that_ends_soon_is_told_of(void **state)
{
	want(EDGE("1", "") REST, "");
	want(EDGE("5", "") REST, "");
	want(EDGE("2", "") REST, "f:1:36: warning: this certificate ends in 3 "
	    "days\n");
	want(EDGE("6", "") REST, "f:1:36: warning: this certificate ends in 1 "
	    "day\n");
	want("edge e { type smtp }\nqueue q { type lmdb }\n" RELAY(TLS("3")),
	    "f:3:55: warning: this certificate has ended\n");
}

/* Of a client nobody looks for a name. */
static void
one_for_another_host_is_told_of(void **state)
{
	want(EDGE("4", "") REST, "f:1:36: warning: this certificate is not for "
	    "host.example.org, the hostname of this edge\n");
	want(EDGE("4", "hostname o.example") REST, "");
	want("edge e { type smtp }\nqueue q { type lmdb }\n" RELAY(TLS("4")),
	    "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_ends_soon_is_told_of),
		cmocka_unit_test(one_for_another_host_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
