/*
 * What a relay knows of the house it belongs to.
 *
 * room: relay
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <unistd.h>

#include "conf_memory.h"
#include "relay/mx/ourselves.h"

static struct conf *conf;

/* Of a house with these edges. */
static struct ourselves *
read_edges(const char *edges)
{
	static char text[4096];
	static const struct memory_file files[] = {
		{ "/etc/conf", text }, { NULL, NULL } };
	static struct memory memory;
	struct conf_plan plan;
	struct ourselves *o;
	struct slice block;

	memory = (struct memory){ .files = files };
	snprintf(text, sizeof(text), "process { hostname us.example }\n%s\n"
	    "queue main { type lmdb; path q; relay out }\n"
	    "relay out { type mx; tls { security off } }\n", edges);
	if (memory_load(&memory, &conf, false) != OK)
		fail_msg("%s", memory.told);
	assert_int_equal(conf_plan(conf, &plan), OK);
	for (uint32_t i = 0; i < plan.head.process_cnt; i++)
		if (plan.processes[i].role == ROLE_RELAY)
			assert_int_equal(slice_open(&block, plan.slices[i]),
			    OK);
	assert_int_equal(ourselves_read(&o, &block, SPAN("us.example")), OK);
	return o;
}

static void
forget(struct ourselves *o)
{
	ourselves_free(&o);
	conf_free(&conf);
}

static bool
listens(const struct ourselves *o, const char *address, uint16_t port)
{
	struct resolve_address a;

	assert_true(resolve_literal(span_of(address), &a));
	return ourselves_has_address(o, &a, port);
}

#define RULES	"rules { clients 127.0.0.1 }"

static void
all_our_names_are_known_in_any_case(void **state)
{
	struct ourselves *o = read_edges(
	    "edge a { type smtp; hostname front.example; " RULES " }\n"
	    "edge b { type smtp; listener { port 26 }; " RULES " }\n");

	assert_true(ourselves_has_name(o, SPAN("us.example")));
	assert_true(ourselves_has_name(o, SPAN("US.Example.")));
	assert_true(ourselves_has_name(o, SPAN("Front.example")));
	assert_false(ourselves_has_name(o, SPAN("example")));
	assert_false(ourselves_has_name(o, SPAN("not.us.example")));
	assert_false(ourselves_has_name(o, SPAN("")));
	assert_false(ourselves_has_name(o, SPAN("[127.0.0.1]")));
	forget(o);
}

static void
a_listener_is_known_by_address_and_port(void **state)
{
	struct ourselves *o = read_edges("edge a { type smtp; " RULES "\n"
	    "listener { interface 192.0.2.1; port 25 }\n"
	    "listener { interface 2001:db8::1; port 26 } }\n");

	assert_true(listens(o, "192.0.2.1", 25));
	assert_true(listens(o, "::ffff:192.0.2.1", 25));
	assert_true(listens(o, "2001:db8::1", 26));
	assert_false(listens(o, "192.0.2.1", 26));
	assert_false(listens(o, "2001:db8::1", 25));
	assert_false(listens(o, "192.0.2.2", 25));
	assert_false(listens(o, "127.0.0.1", 25));
	forget(o);
}

static void
one_on_all_addresses_is_known_by_loopback(void **state)
{
	struct ourselves *o = read_edges("edge a { type smtp; " RULES "\n"
	    "listener { interface \"\"; port 25 }\n"
	    "listener { interface 0.0.0.0; port 26 }\n"
	    "listener { interface ::; port 27 } }\n");

	assert_true(listens(o, "127.0.0.1", 25));
	assert_true(listens(o, "127.1.2.3", 25));
	assert_true(listens(o, "::1", 25));
	assert_true(listens(o, "::ffff:127.0.0.1", 25));
	assert_false(listens(o, "192.0.2.1", 25));
	assert_true(listens(o, "127.0.0.1", 26));
	assert_false(listens(o, "::1", 26));
	assert_true(listens(o, "::1", 27));
	forget(o);
}

/* A connection over loopback, the near end bound there. */
static void
connect_to(const char *far, const char *near, int fds[2], uint16_t *port)
{
	struct resolve_address to, from;
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);

	assert_true(resolve_literal(span_of(far), &to));
	assert_true(resolve_literal(span_of(near), &from));
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	memcpy(&a.sin_addr, to.bytes, 4);
	assert_int_equal(bind(fds[0], (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(fds[0], 1), 0);
	memcpy(&a.sin_addr, from.bytes, 4);
	assert_int_equal(bind(fds[1], (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fds[0], (struct sockaddr *)&a, &len), 0);
	assert_int_equal(connect(fds[1], (struct sockaddr *)&a, len), 0);
	*port = ntohs(a.sin_port);
}

static void
a_connection_between_equal_addresses_ends_at_ourselves(void **state)
{
	char edges[200];
	struct ourselves *o;
	uint16_t port;
	int fds[2];

	connect_to("127.0.0.5", "127.0.0.5", fds, &port);
	snprintf(edges, sizeof(edges), "edge a { type smtp; " RULES "\n"
	    "listener { interface \"\"; port %u } }", port);
	o = read_edges(edges);
	assert_true(ourselves_has_peer(o, fds[1], port));
	assert_false(ourselves_has_peer(o, fds[1], 1));
	assert_false(ourselves_has_peer(o, -1, port));
	close(fds[0]);
	close(fds[1]);
	forget(o);
}

static void
one_between_others_or_to_no_listener_of_ours_does_not(void **state)
{
	char edges[200];
	struct ourselves *o;
	uint16_t port;
	int fds[2];

	connect_to("127.0.0.5", "127.0.0.6", fds, &port);
	snprintf(edges, sizeof(edges), "edge a { type smtp; " RULES "\n"
	    "listener { interface \"\"; port %u } }", port);
	o = read_edges(edges);
	assert_false(ourselves_has_peer(o, fds[1], port));
	close(fds[0]);
	close(fds[1]);
	forget(o);
	connect_to("127.0.0.5", "127.0.0.5", fds, &port);
	snprintf(edges, sizeof(edges), "edge a { type smtp; " RULES "\n"
	    "listener { interface 127.0.0.1; port %u } }", port);
	o = read_edges(edges);
	assert_false(ourselves_has_peer(o, fds[1], port));
	close(fds[0]);
	close(fds[1]);
	forget(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_our_names_are_known_in_any_case),
		cmocka_unit_test(a_listener_is_known_by_address_and_port),
		cmocka_unit_test(one_on_all_addresses_is_known_by_loopback),
		cmocka_unit_test(
		    a_connection_between_equal_addresses_ends_at_ourselves),
		cmocka_unit_test(
		    one_between_others_or_to_no_listener_of_ours_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
