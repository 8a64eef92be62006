/*
 * test_resolver_settings - from the configuration language to the resolver's
 * own settings, by way of a real slice.
 *
 * room: resolver
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "resolver/settings.h"

static char conf_text[32768];
static struct settings s;

static enum err
read_conf(void *arg, const char *path, size_t max, char **bytes, size_t *len)
{
	*len = strlen(conf_text);
	*bytes = strdup(conf_text);
	return *bytes != NULL ? OK : ERR_SYS;
}

static enum err
glob_nothing(void *arg, const char *pattern, conf_found_fn *found, void *farg)
{
	return OK;
}

static enum conf_kind
kind_none(void *arg, const char *path)
{
	return KIND_NONE;
}

static void
print_line(void *arg, const char *text)
{
	print_message("%s\n", text);
}

/* Read what `resolver { }' comes to; false when it does not check. */
static bool
settings_of(const char *resolver)
{
	static const struct conf_opener opener = {
		.read = read_conf, .glob = glob_nothing, .kind = kind_none };
	static const struct conf_host host = {
		.fqdn = "mx.example.org", .cwd = "/tmp" };
	struct conf_report report = { .line = print_line };
	struct conf *conf = NULL;
	struct conf_plan plan;

	snprintf(conf_text, sizeof(conf_text),
	    "process { run_dir run; %s }\n"
	    "edge in { type smtp; queue main }\n"
	    "queue main { type lmdb; path q; relay out }\n"
	    "relay out { type static; host 127.0.0.1 }\n", resolver);
	if (conf_load(&conf, "/tmp/postern.conf", &opener, &host,
	    &report) != OK)
		return false;
	assert_int_equal(conf_plan(conf, &plan), OK);
	assert_int_equal(settings_read(&s, plan.slices[0]), OK);
	conf_free(&conf);
	return true;
}

static void
without_a_block_the_root_is_asked(void **state)
{
	assert_true(settings_of(""));
	assert_int_equal(s.forward_cnt, 0);
	assert_int_equal(s.stub_cnt, 0);
	assert_false(settings_on_loopback(&s));
	assert_non_null(s.anchors[0]);
	assert_memory_equal(s.anchors[0], ". IN DS ", 8);
}

static void
servers_come_in_their_order(void **state)
{
	assert_true(settings_of("resolver { forward 192.0.2.1 2001:db8::1\n"
	    "forward 192.0.2.2@5300\n stub Corp.Example 192.0.2.3\n"
	    "stub corp.example 2001:db8::2@53 }"));
	assert_int_equal(s.forward_cnt, 3);
	assert_string_equal(s.forwards[0], "192.0.2.1");
	assert_string_equal(s.forwards[1], "2001:db8::1");
	assert_string_equal(s.forwards[2], "192.0.2.2@5300");
	assert_int_equal(s.stub_cnt, 2);
	assert_string_equal(s.stubs[0].zone, "corp.example");
	assert_string_equal(s.stubs[0].address, "192.0.2.3");
	assert_string_equal(s.stubs[1].address, "2001:db8::2@53");
	assert_false(settings_on_loopback(&s));
}

static void
a_server_on_this_host_is_known_as_such(void **state)
{
	assert_true(settings_of("resolver { forward 127.0.0.53 }"));
	assert_true(settings_on_loopback(&s));
	assert_true(settings_of("resolver { forward 127.0.0.1@5300 }"));
	assert_true(settings_on_loopback(&s));
	assert_true(settings_of("resolver { forward ::1@5300 }"));
	assert_true(settings_on_loopback(&s));
	assert_true(settings_of("resolver { stub a.example ::1 }"));
	assert_true(settings_on_loopback(&s));
	assert_true(settings_of("resolver { forward 12.7.0.0 }"));
	assert_false(settings_on_loopback(&s));
}

static void
ports_are_those_of_all_servers_and_the_usual(void **state)
{
	uint16_t ports[SETTINGS_PORTS_MAX];

	assert_true(settings_of(""));
	assert_int_equal(settings_ports(&s, ports), 1);
	assert_int_equal(ports[0], 53);
	assert_true(settings_of("resolver { forward 192.0.2.1 "
	    "192.0.2.2@5353 2001:db8::1@5354; "
	    "stub corp.example 192.0.2.3@5353 }"));
	assert_int_equal(settings_ports(&s, ports), 3);
	assert_int_equal(ports[0], 53);
	assert_int_equal(ports[1], 5353);
	assert_int_equal(ports[2], 5354);
}

static void
what_is_too_many_is_left_out(void **state)
{
	size_t len = 0;
	static char text[16384];

	for (int i = 0; i < SETTINGS_STUBS_MAX + 5; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%sstub z%d.example 192.0.2.1\n",
		    i == 0 ? "resolver { " : "", i);
	strlcat(text, "}", sizeof(text));
	assert_true(settings_of(text));
	assert_int_equal(s.stub_cnt, SETTINGS_STUBS_MAX);
}

static void
a_file_of_anchors_is_named_for_master(void **state)
{
	assert_true(settings_of("resolver { stub a.example 192.0.2.1 }"));
	assert_false(s.has_anchor_file);
	assert_true(settings_of("resolver { trust_anchor keys }"));
	assert_true(s.has_anchor_file);
	assert_int_equal(s.anchor_file, 0);
}

static void
what_is_no_slice_is_refused(void **state)
{
	assert_int_equal(settings_read(&s, SPAN("")), ERR_PEER);
	assert_int_equal(settings_read(&s, SPAN("nonsense")), ERR_PEER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_block_the_root_is_asked),
		cmocka_unit_test(servers_come_in_their_order),
		cmocka_unit_test(a_server_on_this_host_is_known_as_such),
		cmocka_unit_test(ports_are_those_of_all_servers_and_the_usual),
		cmocka_unit_test(what_is_too_many_is_left_out),
		cmocka_unit_test(a_file_of_anchors_is_named_for_master),
		cmocka_unit_test(what_is_no_slice_is_refused),
	};

	return cmocka_run_group_tests_name("resolver settings", tests, NULL,
	    NULL);
}
