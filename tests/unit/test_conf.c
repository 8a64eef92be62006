/* From a configuration to its plan and slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/options.h"
#include "conf/slice.h"
#include "conf_memory.h"

static const char short_conf[] =
    "process { hostname mx.example.org; run_dir run }\n"
    "edge in {\n"
    "    type smtp\n"
    "    listener { interface 127.0.0.1; port 2525 }\n"
    "    queue main\n"
    "}\n"
    "queue main { type lmdb; path run/queue; relay out }\n"
    "relay out { type static; host 127.0.0.1; port 2526 }\n";

/* Load text as /etc/p/postern.conf and plan it; it must be right. */
static void
plan_of(const char *text, struct conf **c, struct conf_plan *p, bool is_root)
{
	const struct memory_file files[] = {
		{ "/etc/p/postern.conf", text }, { NULL, NULL } };
	struct memory m = { .files = files, .known_user =
	    "_postern-edge _postern-queue _postern-relay _postern-dns vmail" };

	*c = NULL;
	if (memory_load(&m, c, is_root) != OK)
		fail_msg("%s", m.told);
	assert_int_equal(conf_plan(*c, p), OK);
}

static void
assert_text(const struct slice *s, const char *option, unsigned i,
    const char *want)
{
	struct span got = slice_text(s, option, i);

	if (!span_eq(got, span_of(want)))
		fail_msg("%s is `%.*s', not `%s'", option, (int)got.len,
		    got.ptr, want);
}

static struct slice
slice_at(const struct conf_plan *p, unsigned row)
{
	struct slice s;

	assert_int_equal(slice_open(&s, p->slices[row]), OK);
	return s;
}

static void
assert_row(const struct conf_plan *p, unsigned no, enum role role,
    const char *block, const char *own_dir)
{
	const struct plan_process *row = &p->processes[no];

	assert_int_equal(row->no, no);
	assert_int_equal(row->role, role);
	assert_string_equal(row->block, block);
	assert_string_equal(row->own_dir, own_dir);
}

static void
a_short_configuration_runs_as_it_stands(void **state)
{
	struct conf_plan p;
	struct conf *c;
	struct slice s, l;

	plan_of(short_conf, &c, &p, false);
	assert_int_equal(p.head.magic, PLAN_MAGIC);
	assert_string_equal(p.head.run_dir, "/etc/p/run");
	assert_int_equal(p.head.process_cnt, 4);
	assert_row(&p, 0, ROLE_RESOLVER, "resolver", "");
	assert_row(&p, 1, ROLE_RELAY, "out", "");
	assert_row(&p, 2, ROLE_QUEUE, "main", "/etc/p/run/queue");
	assert_row(&p, 3, ROLE_EDGE, "in", "");

	assert_int_equal(p.head.link_cnt, 3);
	assert_int_equal(p.links[0].from, 1);
	assert_int_equal(p.links[0].to, 0);
	assert_int_equal(p.links[1].from, 2);
	assert_int_equal(p.links[1].to, 1);
	assert_int_equal(p.links[2].from, 3);
	assert_int_equal(p.links[2].to, 2);

	assert_int_equal(p.processes[3].listener_cnt, 1);
	assert_int_equal(p.processes[3].listeners[0].family, 4);
	assert_int_equal(p.processes[3].listeners[0].port, 2525);
	assert_int_equal(p.processes[3].listeners[0].address[0], 127);

	s = slice_at(&p, 3);
	assert_text(&s, "name", 0, "in");
	assert_text(&s, "banner", 0, "mx.example.org ESMTP postern");
	l = slice_block(&s, "listener", 0);
	assert_int_equal(slice_num(&l, "port"), 2525);
	s = slice_at(&p, 1);
	assert_text(&s, "ehlo_as", 0, "mx.example.org");
	assert_text(&s, "host", 0, "127.0.0.1");
	assert_int_equal(slice_num(&s, "port"), 2526);
	conf_free(&c);
	assert_null(c);
}

static void
what_is_not_said_has_its_default(void **state)
{
	struct conf_plan p;
	struct conf *c;
	struct slice s, b;

	plan_of("edge e { type smtp }\nqueue q { type lmdb }\n"
	    "relay r { type static; host mail.example.net }\n", &c, &p, false);
	assert_string_equal(p.head.run_dir, "/run/postern");
	assert_string_equal(p.processes[2].own_dir, "/var/lib/postern/q");
	assert_int_equal(p.processes[3].listener_cnt, 1);
	assert_int_equal(p.processes[3].listeners[0].port, 25);
	assert_int_equal(p.processes[3].listeners[0].backlog, 1024);

	s = slice_at(&p, 3);
	assert_text(&s, "queue", 0, "q");
	assert_text(&s, "hostname", 0, "host.example.org");
	assert_int_equal(slice_num(&s, "max_size"), 50 * 1024 * 1024);
	assert_int_equal(slice_num(&s, "max_header_size"), 256 * 1024);
	assert_int_equal(slice_num(&s, "timeout"), 300000);
	assert_int_equal(slice_block_count(&s, "listener"), 1);
	b = slice_block(&s, "rules", 0);
	assert_int_equal(slice_count(&b, "clients"), 0);
	assert_int_equal(slice_count(&b, "only_recipients"), 0);

	s = slice_at(&p, 2);
	assert_text(&s, "relay", 0, "r");
	assert_int_equal(slice_num(&s, "history"), 14 * 86400000ull);
	b = slice_block(&s, "retry", 0);
	assert_text(&b, "delay", 0, "60*2**n");
	assert_int_equal(slice_num(&b, "maximum"), OPTIONS_UNLIMITED);
	assert_int_equal(slice_num(&b, "maximum_delay"), 4 * 3600000);
	assert_int_equal(slice_num(&b, "lifetime"), 5 * 86400000);

	s = slice_at(&p, 1);
	assert_false(slice_flag(&s, "ipv4_only"));
	assert_int_equal(slice_num(&s, "concurrent_connections"), 5);
	assert_int_equal(slice_num(&s, "data_timeout"), 60000);
	conf_free(&c);
}

/* A slice has what its program may see, and no more. */
static void
a_program_sees_what_is_its_own(void **state)
{
	struct conf_plan p;
	struct conf *c;
	struct slice s, b;

	plan_of("process { resolver { forward 192.0.2.1 192.0.2.2@5300;\n"
	    "stub a.example 192.0.2.3; stub b.example ::1@5300 } }\n"
	    "edge e { type smtp }\nqueue q { type lmdb }\n"
	    "relay r { type maildir; path \"/m/{domain}/{user}\" }\n",
	    &c, &p, false);
	assert_row(&p, 1, ROLE_MAILDIR, "r", "/m");
	assert_int_equal(p.head.link_cnt, 2);	/* none to the resolver */
	s = slice_at(&p, 1);
	assert_text(&s, "path", 0, "/m/{domain}/{user}");
	assert_int_equal(slice_count(&s, "host"), 0);
	assert_int_equal(slice_count(&s, "ehlo_as"), 0);
	b = slice_process(&s);
	assert_text(&b, "hostname", 0, "host.example.org");
	assert_int_equal(slice_count(&b, "run_dir"), 0);
	assert_int_equal(slice_block_count(&b, "resolver"), 0);

	s = slice_at(&p, 0);
	b = slice_process(&s);
	b = slice_block(&b, "resolver", 0);
	assert_int_equal(slice_count(&b, "forward"), 2);
	assert_text(&b, "forward", 1, "192.0.2.2@5300");
	assert_int_equal(slice_count(&b, "stub"), 4);
	assert_text(&b, "stub", 2, "b.example");
	assert_text(&b, "stub", 3, "::1@5300");
	conf_free(&c);
}

static void
workers_are_rows_that_share_a_slice(void **state)
{
	struct conf_plan p;
	struct conf *c;

	plan_of("edge e { type smtp; workers 2\n"
	    "rules { clients 10.0.0.0/8 2001:db8::/32; clients 127.0.0.1 }\n"
	    "listener { interface \"\"; port 25 } }\n"
	    "queue q { type lmdb }\n"
	    "relay r { type static; host a.example; workers 3 }\n",
	    &c, &p, false);
	assert_int_equal(p.head.process_cnt, 1 + 3 + 1 + 2);
	assert_int_equal(p.head.link_cnt, 3 + 3 + 2);
	assert_int_equal(p.processes[6].worker, 1);
	assert_int_equal(p.processes[6].workers, 2);
	assert_true(span_eq(p.slices[5], p.slices[6]));
	/* All addresses of both families are two listeners. */
	assert_int_equal(p.processes[6].listener_cnt, 2);
	assert_int_equal(p.processes[6].listeners[0].family, 6);
	assert_int_equal(p.processes[6].listeners[1].family, 4);
	conf_free(&c);
}

static void
as_root_each_row_has_its_user(void **state)
{
	struct conf_plan p;
	struct conf *c;

	plan_of("edge e { type smtp }\nqueue q { type lmdb }\n"
	    "relay r { type maildir; user vmail; path \"/m/{user}\" }\n",
	    &c, &p, true);
	for (unsigned i = 0; i < p.head.process_cnt; i++) {
		assert_int_equal(p.processes[i].uid, 1000);
		assert_int_equal(p.processes[i].gid, 1001);
	}
	conf_free(&c);
}

static void
names_are_put_into_banners(void **state)
{
	struct conf_plan p;
	struct conf *c;
	struct slice s;

	plan_of("process { hostname mail.example.org }\n"
	    "edge e { type smtp; hostname \"in.{fqdn}\"\n"
	    "rules { banner \"{fqdn} ESMTP at {hostname}\" } }\n"
	    "queue q { type lmdb }\n"
	    "relay r { type static; host a.example; "
	    "ehlo_as \"{hostname}.example.net\" }\n", &c, &p, false);
	s = slice_at(&p, 3);
	assert_text(&s, "hostname", 0, "in.mail.example.org");
	assert_text(&s, "banner", 0, "in.mail.example.org ESMTP at in");
	s = slice_at(&p, 1);
	assert_text(&s, "ehlo_as", 0, "mail.example.net");
	conf_free(&c);
}

static void
included_files_stand_where_they_are_named(void **state)
{
	const struct memory_file files[] = {
		{ "conf/main", "include \"d/*.conf\"\nqueue q { type lmdb\n"
		    "include q.inc }\n" },
		{ "conf/d/a.conf", "edge e { type smtp }\n" },
		{ "conf/d/b.conf", "relay r { type maildir; "
		    "path \"m/{user}\" }\n" },
		{ "conf/d/c.other", "nonsense {\n" },
		{ "conf/q.inc", "path spool; max_bytes 1G\n" },
		{ NULL, NULL } };
	struct memory m = { .files = files };
	struct conf *c = NULL;
	struct conf_plan p;
	struct slice s;

	if (memory_load(&m, &c, false) != OK)
		fail_msg("%s", m.told);
	assert_int_equal(conf_plan(c, &p), OK);
	/* Relative paths begin at the file they stand in. */
	assert_row(&p, 1, ROLE_MAILDIR, "r", "/home/dir/conf/d/m");
	assert_row(&p, 2, ROLE_QUEUE, "q", "/home/dir/conf/spool");
	s = slice_at(&p, 2);
	assert_int_equal(slice_num(&s, "max_bytes"), 1u << 30);
	conf_free(&c);
}

static void
values_are_read_in_all_their_forms(void **state)
{
	struct conf_plan p;
	struct conf *c;
	struct slice s;

	plan_of("edge e{type smtp;max_size 2g# a comment\r\n"
	    "timeout 1500ms;data_timeout 90;session_timeout 1w\r\n"
	    "banner \"a \\\"b\\\" \\\\ c\"}queue q{type lmdb}"
	    "relay r{type static;host \"a.example\";ipv4_only yes}",
	    &c, &p, false);
	s = slice_at(&p, 3);
	assert_int_equal(slice_num(&s, "max_size"), 2ull << 30);
	assert_int_equal(slice_num(&s, "timeout"), 1500);
	assert_int_equal(slice_num(&s, "data_timeout"), 90000);
	assert_int_equal(slice_num(&s, "session_timeout"), 604800000);
	assert_text(&s, "banner", 0, "a \"b\" \\ c");
	s = slice_at(&p, 1);
	assert_true(slice_flag(&s, "ipv4_only"));
	conf_free(&c);
}

/* Every default of the list must itself be a good value. */
static void
no_row_of_the_list_contradicts_itself(void **state)
{
	for (unsigned i = 0; i < OPTION__COUNT; i++) {
		const struct option_row *row = options_row((enum option_no)i);

		assert_int_equal(options_find(row->block, span_of(row->name)),
		    i);
		assert_true(row->needed + (row->value != NULL) +
		    (row->rule != NULL) == 1);
		assert_true(row->sees != 0);
		assert_true(row->help[0] != '\0');
		assert_true((row->type == TYPE_CHOICE) ==
		    (row->words != NULL && row->words[0] != '\0'));
	}
}

static char *
text_of_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 65536);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void
the_shipped_files_are_right(void **state)
{
	static const char *const paths[] = { "conf/postern.conf",
	    "conf/examples/demo.conf", "conf/examples/smarthost.conf",
	    "conf/examples/mx-maildir.conf" };
	struct conf_plan p;
	struct conf *c;

	for (unsigned i = 0; i < 4; i++) {
		char *text = text_of_file(paths[i]);

		plan_of(text, &c, &p, false);
		assert_int_equal(p.head.process_cnt, 4);
		conf_free(&c);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_configuration_runs_as_it_stands),
		cmocka_unit_test(what_is_not_said_has_its_default),
		cmocka_unit_test(a_program_sees_what_is_its_own),
		cmocka_unit_test(workers_are_rows_that_share_a_slice),
		cmocka_unit_test(as_root_each_row_has_its_user),
		cmocka_unit_test(names_are_put_into_banners),
		cmocka_unit_test(included_files_stand_where_they_are_named),
		cmocka_unit_test(values_are_read_in_all_their_forms),
		cmocka_unit_test(no_row_of_the_list_contradicts_itself),
		cmocka_unit_test(the_shipped_files_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
