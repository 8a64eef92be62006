/* From a configuration to its plan and slices. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/ask.h"
#include "conf/options.h"
#include "conf/slice/slice.h"
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
		{ "/etc/p/postern.conf", text }, MEMORY_HOST };
	struct memory m = { .files = files, .known_user =
	    "_postern-edge _postern-queue _postern-relay _postern-dns "
	    "_postern-vault _postern-auth _postern-ctl vmail" };

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
assert_link(const struct conf_plan *p, uint32_t from, uint32_t to)
{
	for (uint32_t i = 0; i < p->head.link_cnt; i++)
		if (p->links[i].from == from && p->links[i].to == to)
			return;
	fail_msg("no link from %u to %u", from, to);
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
	assert_int_equal(p.head.process_cnt, 5);
	assert_row(&p, 0, ROLE_RESOLVER, "resolver", "");
	assert_row(&p, 1, ROLE_RELAY, "out", "");
	assert_row(&p, 2, ROLE_QUEUE, "main", "/etc/p/run/queue");
	assert_row(&p, 3, ROLE_CONTROL, "control", "");
	assert_row(&p, 4, ROLE_EDGE, "in", "");

	assert_int_equal(p.head.link_cnt, 4);
	assert_link(&p, 1, 0);
	assert_link(&p, 2, 1);
	assert_link(&p, 3, 2);
	assert_link(&p, 4, 2);

	assert_int_equal(p.processes[4].listener_cnt, 1);
	assert_int_equal(p.processes[4].listeners[0].family, 4);
	assert_int_equal(p.processes[4].listeners[0].port, 2525);
	assert_int_equal(p.processes[4].listeners[0].address[0], 127);
	assert_int_equal(p.processes[3].listener_cnt, 1);
	assert_int_equal(p.processes[3].listeners[0].family, 1);
	assert_true(p.processes[3].listeners[0].is_packets);
	assert_string_equal(p.processes[3].listeners[0].path,
	    "/etc/p/run/control");
	assert_int_equal(p.head.file_cnt, 0);
	assert_int_equal(p.head.endpoint_cnt, 0);

	s = slice_at(&p, 4);
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
	assert_int_equal(p.processes[4].listener_cnt, 1);
	assert_int_equal(p.processes[4].listeners[0].port, 25);
	assert_int_equal(p.processes[4].listeners[0].backlog, 1024);

	s = slice_at(&p, 4);
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
	assert_int_equal(p.head.link_cnt, 3);	/* none to the resolver */
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
	assert_int_equal(p.head.process_cnt, 1 + 3 + 1 + 1 + 2);
	/* Who is reached from abroad looks up who it is. */
	assert_int_equal(p.head.link_cnt, 3 + 3 + 1 + 2 + 2);
	assert_int_equal(p.processes[7].worker, 1);
	assert_int_equal(p.processes[7].workers, 2);
	assert_true(span_eq(p.slices[6], p.slices[7]));
	/* All addresses of both families are two listeners. */
	assert_int_equal(p.processes[7].listener_cnt, 2);
	assert_int_equal(p.processes[7].listeners[0].family, 6);
	assert_int_equal(p.processes[7].listeners[1].family, 4);
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
	    "rules { banner \"{fqdn} ESMTP at {hostname}, {client_host}\" } "
	    "}\n"
	    "queue q { type lmdb }\n"
	    "relay r { type static; host a.example; "
	    "ehlo_as \"{hostname}.example.net\" }\n", &c, &p, false);
	s = slice_at(&p, 4);
	assert_text(&s, "hostname", 0, "in.mail.example.org");
	assert_text(&s, "banner", 0, "in.mail.example.org ESMTP at in, "
	    "{client_host}");
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
	    "max_header_size 1.5M\r\n"
	    "banner \"a \\\"b\\\" \\\\ c\"}queue q{type lmdb}"
	    "relay r{type static;host \"a.example\";ipv4_only yes\n"
	    "connect_timeout 30.0;command_timeout 0.25h;data_timeout 1.5\n"
	    "data_done_timeout 0.0166666666666666666667h;idle_timeout "
	    "0.00000000001}", &c, &p, false);
	s = slice_at(&p, 4);
	assert_int_equal(slice_num(&s, "max_header_size"), 1536 * 1024);
	assert_int_equal(slice_num(&s, "max_size"), 2ull << 30);
	assert_int_equal(slice_num(&s, "timeout"), 1500);
	assert_int_equal(slice_num(&s, "data_timeout"), 90000);
	assert_int_equal(slice_num(&s, "session_timeout"), 604800000);
	assert_text(&s, "banner", 0, "a \"b\" \\ c");
	s = slice_at(&p, 1);
	assert_true(slice_flag(&s, "ipv4_only"));
	assert_int_equal(slice_num(&s, "connect_timeout"), 30000);
	assert_int_equal(slice_num(&s, "command_timeout"), 900000);
	assert_int_equal(slice_num(&s, "data_timeout"), 1500);
	assert_int_equal(slice_num(&s, "data_done_timeout"), 60001);
	assert_int_equal(slice_num(&s, "idle_timeout"), 1);
	conf_free(&c);
}

/* Every default of the list must itself be a good value. */
static void
no_row_of_the_list_contradicts_itself(void **state)
{
	for (unsigned i = 0; i < OPTION__COUNT; i++) {
		const struct option_row *row = options_row((enum option_no)i);

		assert_int_equal(options_find(row->block, span_of(row->name),
		    span_head(span_of(row->kinds), strcspn(row->kinds, " "))),
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
on_right(const char *path)
{
	char *text = text_of_file(path);
	const struct memory_file files[] = {
		{ "/etc/p/postern.conf", text }, MEMORY_HOST };
	struct memory m = { .files = files };
	struct conf_plan p;
	struct conf *c = NULL;

	assert_int_equal(memory_load(&m, &c, false), OK);
	assert_string_equal(m.told, "");	/* and nothing to warn of */
	conf_free(&c);
	plan_of(text, &c, &p, false);
	assert_true(p.head.process_cnt >= 5);
	conf_free(&c);
	free(text);
}

static void
the_shipped_files_are_right(void **state)
{
	glob_t g;

	assert_int_equal(glob("conf/examples/*.conf", 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= 8);
	for (size_t i = 0; i < g.gl_pathc; i++)
		on_right(g.gl_pathv[i]);
	globfree(&g);
	on_right("conf/postern.conf");
}

/* All arrows of the picture, in one file. */
static const char whole_conf[] =
    "process { hostname mx.example.org\n"
    "resolver { trust_anchor /etc/postern/recipients } }\n"
    "users staff { type file; path /etc/postern/users }\n"
    "edge in { type smtp; workers 2; queue main; tls_immediately yes\n"
    "  listener { interface 192.0.2.1; port 465 }\n"
    "  listener { path /run/s; backlog 7 }\n"
    "  tls { certfile /etc/ssl/certs/mx.pem; "
	"keyfile /etc/ssl/private/mx.key }\n"
    "  rules { require_auth yes; lookup_credentials staff } }\n"
    "edge plain { type smtp; queue main }\n"
    "queue main { type lmdb\n"
    "  route to @A.example ann@b.example relay dovecot\n"
    "  route to @.c.example relay prog; relay internet\n"
    "  policies { add_date_header yes; recipient_split yes } }\n"
    "relay internet { type mx; port 2525; source 192.0.2.1 2001:db8::1\n"
    "  force_mx X.example mx.y.example; force_mx z.example 127.0.0.1@26 }\n"
    "relay dovecot { type lmtp; path /run/dovecot/lmtp\n"
    "  recipients /etc/postern/recipients @d.example }\n"
    "relay smart { type static; host s.example; tls { security verified\n"
    "  certfile /etc/ssl/certs/mx.pem; keyfile /etc/ssl/private/mx.key }\n"
    "  credentials { username u; password_file "
	"/etc/postern/smarthost.password } }\n"
    "relay prog { type pipe; user vmail; args /usr/local/bin/ticket\n"
    "  args \"{sender}\" }\n";

enum whole_row { RESOLVER, KEYS, USERS, INTERNET, DOVECOT, SMART, PROG, MAIN,
	CONTROL, IN_0, IN_1, PLAIN, WHOLE__COUNT };

static int
make_whole(void **state)
{
	static struct conf_plan p;
	static struct conf *c;		/* kept to the end */

	plan_of(whole_conf, &c, &p, true);
	*state = &p;
	return 0;
}

static void
every_part_of_the_picture_is_a_row(void **state)
{
	const struct conf_plan *p = *state;

	assert_int_equal(p->head.process_cnt, WHOLE__COUNT);
	assert_row(p, RESOLVER, ROLE_RESOLVER, "resolver", "");
	assert_row(p, KEYS, ROLE_KEYS, "keys", "");
	assert_row(p, USERS, ROLE_USERS, "staff", "");
	assert_row(p, INTERNET, ROLE_RELAY, "internet", "");
	assert_row(p, DOVECOT, ROLE_RELAY, "dovecot", "");
	assert_row(p, PROG, ROLE_PIPE, "prog", "");
	assert_row(p, CONTROL, ROLE_CONTROL, "control", "");
	assert_row(p, IN_1, ROLE_EDGE, "in", "");
	assert_int_equal(p->processes[PROG].uid, 1000);
	assert_int_equal(p->processes[KEYS].uid, 1000);
	assert_int_equal(p->processes[IN_1].listeners[1].family, 1);
	assert_int_equal(p->processes[IN_1].listeners[1].backlog, 7);
	assert_false(p->processes[IN_1].listeners[1].is_packets);
	assert_string_equal(p->processes[IN_1].listeners[1].path, "/run/s");
}

static void
every_arrow_of_the_picture_is_a_link(void **state)
{
	static const struct plan_link want[] = { { IN_0, MAIN },
	    { IN_1, MAIN }, { IN_0, KEYS }, { IN_1, KEYS }, { IN_0, USERS },
	    { IN_1, USERS }, { PLAIN, MAIN }, { MAIN, INTERNET },
	    { MAIN, DOVECOT }, { MAIN, PROG }, { INTERNET, RESOLVER },
	    { SMART, RESOLVER }, { SMART, KEYS }, { CONTROL, MAIN },
	    { IN_0, RESOLVER }, { IN_1, RESOLVER } };
	const struct conf_plan *p = *state;
	unsigned cnt = sizeof(want) / sizeof(want[0]);

	for (unsigned i = 0; i < cnt; i++)
		assert_link(p, want[i].from, want[i].to);
	assert_int_equal(p->head.link_cnt, cnt);
}

static void
assert_file(const struct conf_plan *p, unsigned row, unsigned no,
    const char *path, bool is_secret)
{
	const struct plan_process *pr = &p->processes[row];

	assert_true(no < pr->file_cnt);
	assert_true(pr->first_file + pr->file_cnt <= p->head.file_cnt);
	assert_string_equal(p->files[pr->first_file + no].path, path);
	assert_int_equal(p->files[pr->first_file + no].is_secret, is_secret);
}

/* The number in the slice is the place among the files of the process. */
static void
files_are_numbered_for_each_process(void **state)
{
	const struct conf_plan *p = *state;
	struct slice s, b;

	s = slice_at(p, RESOLVER);
	s = slice_process(&s);
	b = slice_block(&s, "resolver", 0);
	assert_int_equal(p->processes[RESOLVER].file_cnt, 1);
	assert_file(p, RESOLVER, (unsigned)slice_num(&b, "trust_anchor"),
	    "/etc/postern/recipients", false);

	s = slice_at(p, KEYS);
	assert_int_equal(slice_block_count(&s, "edge"), 1);
	b = slice_block(&s, "edge", 0);
	assert_text(&b, "name", 0, "in");
	assert_int_equal(slice_block_count(&b, "listener"), 0);
	b = slice_block(&b, "tls", 0);
	assert_file(p, KEYS, (unsigned)slice_num(&b, "certfile"),
	    "/etc/ssl/certs/mx.pem", false);
	assert_file(p, KEYS, (unsigned)slice_num(&b, "keyfile"),
	    "/etc/ssl/private/mx.key", true);
	assert_int_equal(slice_block_count(&s, "relay"), 1);
	b = slice_block(&s, "relay", 0);
	assert_text(&b, "name", 0, "smart");
	assert_int_equal(slice_block_count(&b, "credentials"), 0);
	assert_int_equal(slice_count(&b, "host"), 0);
	b = slice_block(&b, "tls", 0);
	assert_file(p, KEYS, (unsigned)slice_num(&b, "certfile"),
	    "/etc/ssl/certs/mx.pem", false);
	assert_file(p, KEYS, (unsigned)slice_num(&b, "keyfile"),
	    "/etc/ssl/private/mx.key", true);

	s = slice_at(p, USERS);
	assert_file(p, USERS, (unsigned)slice_num(&s, "path"),
	    "/etc/postern/users", true);

	s = slice_at(p, SMART);
	b = slice_block(&s, "credentials", 0);
	assert_text(&b, "username", 0, "u");
	assert_file(p, SMART, (unsigned)slice_num(&b, "password_file"),
	    "/etc/postern/smarthost.password", true);
	b = slice_block(&s, "tls", 0);
	assert_text(&b, "security", 0, "verified");
	assert_file(p, SMART, (unsigned)slice_num(&b, "ca_certs"),
	    "/etc/ssl/certs/ca-certificates.crt", false);
	assert_file(p, SMART, (unsigned)slice_num(&b, "certfile"),
	    "/etc/ssl/certs/mx.pem", false);
	assert_int_equal(slice_count(&b, "keyfile"), 0);
	/* Workers share what they were given. */
	assert_int_equal(p->processes[IN_0].first_file,
	    p->processes[IN_1].first_file);
}

/* The key goes to the vault, and to nobody else. */
static void
a_secret_reaches_only_its_process(void **state)
{
	static const char *const secrets[] = { "mx.key", "postern/users",
	    "smarthost.password" };
	static const unsigned owners[] = { KEYS, USERS, SMART };
	const struct conf_plan *p = *state;

	for (unsigned i = 0; i < WHOLE__COUNT; i++)
		for (unsigned k = 0; k < 3; k++) {
			const void *found = memmem(p->slices[i].ptr,
			    p->slices[i].len, secrets[k], strlen(secrets[k]));

			assert_int_equal(found != NULL, i == owners[k]);
		}
	assert_int_equal(p->processes[IN_0].file_cnt, 1);
	assert_file(p, IN_0, 0, "/etc/ssl/certs/mx.pem", false);
}

static void
an_edge_knows_the_policies_of_its_queue(void **state)
{
	struct slice s = slice_at(*state, IN_0), b;

	assert_true(slice_flag(&s, "tls_immediately"));
	assert_int_equal(slice_block_count(&s, "tls"), 1);
	b = slice_block(&s, "listener", 1);
	assert_text(&b, "path", 0, "/run/s");
	assert_int_equal(slice_count(&b, "interface"), 0);
	assert_int_equal(slice_count(&b, "port"), 0);
	b = slice_block(&s, "rules", 0);
	assert_true(slice_flag(&b, "require_auth"));
	assert_false(slice_flag(&b, "require_tls"));
	assert_text(&b, "lookup_credentials", 0, "staff");
	b = slice_block(&s, "policies", 0);
	assert_true(slice_flag(&b, "add_date_header"));
	assert_false(slice_flag(&b, "add_message_id_header"));
	assert_true(slice_flag(&b, "add_received_header"));
	assert_int_equal(slice_count(&b, "recipient_split"), 0);
	s = slice_at(*state, PLAIN);
	assert_int_equal(slice_block_count(&s, "tls"), 0);
	assert_int_equal(slice_block_count(&s, "policies"), 1);
}

static void
a_queue_knows_its_routes_and_relays(void **state)
{
	static const char *const routes[] = { "@A.example", "dovecot",
	    "ann@b.example", "dovecot", "@.c.example", "prog" };
	struct slice s = slice_at(*state, MAIN), b;

	assert_int_equal(slice_count(&s, "route"), 6);
	for (unsigned i = 0; i < 6; i++)
		assert_text(&s, "route", i, routes[i]);
	assert_text(&s, "relay", 0, "internet");
	b = slice_block(&s, "policies", 0);
	assert_true(slice_flag(&b, "recipient_split"));
	assert_int_equal(slice_count(&b, "add_date_header"), 0);
	assert_int_equal(slice_block_count(&s, "relay"), 3);
	b = slice_block(&s, "relay", 0);
	assert_text(&b, "name", 0, "dovecot");
	assert_text(&b, "type", 0, "lmtp");
	assert_int_equal(slice_count(&b, "recipients"), 3);
	assert_text(&b, "recipients", 0, "info@example.org");
	assert_text(&b, "recipients", 1, "ann@example.org");
	assert_text(&b, "recipients", 2, "@d.example");
	assert_int_equal(slice_count(&b, "path"), 0);
	b = slice_block(&s, "relay", 2);
	assert_text(&b, "type", 0, "mx");
	assert_int_equal(slice_count(&b, "recipients"), 0);
}

/* An mx relay is told where we listen ourselves. */
static void
relays_have_what_their_type_wants(void **state)
{
	const struct conf_plan *p = *state;
	struct slice s = slice_at(p, INTERNET), b, l;

	assert_int_equal(slice_num(&s, "port"), 2525);
	assert_text(&s, "source", 1, "2001:db8::1");
	assert_text(&s, "force_mx", 0, "x.example");
	assert_text(&s, "force_mx", 1, "mx.y.example");
	assert_text(&s, "force_mx", 3, "127.0.0.1");
	b = slice_block(&s, "tls", 0);
	assert_text(&b, "security", 0, "opportunistic");
	assert_int_equal(slice_count(&b, "ca_certs"), 0);
	assert_int_equal(slice_block_count(&s, "edge"), 2);
	b = slice_block(&s, "edge", 0);
	assert_text(&b, "hostname", 0, "mx.example.org");
	assert_int_equal(slice_count(&b, "banner"), 0);
	assert_int_equal(slice_block_count(&b, "listener"), 1);
	l = slice_block(&b, "listener", 0);
	assert_text(&l, "interface", 0, "192.0.2.1");
	assert_int_equal(slice_num(&l, "port"), 465);

	s = slice_at(p, DOVECOT);
	assert_int_equal(slice_count(&s, "host"), 0);
	assert_int_equal(slice_count(&s, "port"), 0);
	assert_int_equal(p->processes[DOVECOT].endpoint_cnt, 1);
	assert_string_equal(p->endpoints[p->processes[DOVECOT].first_endpoint +
	    slice_num(&s, "path")].path, "/run/dovecot/lmtp");
	assert_int_equal(slice_block_count(&s, "edge"), 0);

	s = slice_at(p, PROG);
	assert_int_equal(slice_count(&s, "args"), 2);
	assert_text(&s, "args", 1, "{sender}");
	assert_int_equal(slice_num(&s, "timeout"), 60000);
	assert_int_equal(slice_num(&s, "max_processes"), 10);
}

struct seen {
	unsigned	 cnt;
	uint64_t	 nums;
	char		 text[256];
};

static void
see(struct span text, uint64_t num, void *arg)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->text);

	seen->cnt++;
	seen->nums = seen->nums * 100 + num;
	(void)snprintf(seen->text + len, sizeof(seen->text) - len, "%.*s ",
	    (int)text.len, text.ptr);
}

static void
all_values_come_in_turn(void **state)
{
	struct slice s = slice_at(*state, INTERNET);
	struct seen seen = { 0 };

	slice_each(&s, "force_mx", see, &seen);
	assert_int_equal(seen.cnt, 4);
	assert_int_equal(seen.nums, 26);	/* port of the last alone */
	assert_string_equal(seen.text,
	    "x.example mx.y.example z.example 127.0.0.1 ");
	slice_each(&s, "no_such", see, &seen);
	assert_int_equal(seen.cnt, 4);
}

static void
an_lmtp_relay_by_host_has_its_own_port(void **state)
{
	struct conf_plan p;
	struct conf *c;
	struct slice s;

	plan_of("edge e { type smtp }\nqueue q { type lmdb }\n"
	    "relay r { type lmtp }\n", &c, &p, false);
	s = slice_at(&p, 1);
	assert_text(&s, "host", 0, "localhost");
	assert_int_equal(slice_num(&s, "port"), 24);
	assert_link(&p, 1, 0);
	conf_free(&c);
}

static void
an_lmtp_edge_says_so_and_has_its_own_port(void **state)
{
	struct conf_plan p;
	struct conf *c;
	struct slice s, l;

	plan_of("process { hostname mx.example.org }\n"
	    "edge e { type lmtp; queue q }\nedge f { type smtp; queue q }\n"
	    "queue q { type lmdb }\nrelay r { type lmtp }\n", &c, &p, false);
	for (unsigned i = 0; i < p.head.process_cnt; i++) {
		bool is_lmtp = strcmp(p.processes[i].block, "e") == 0;

		if (p.processes[i].role != ROLE_EDGE)
			continue;
		s = slice_at(&p, i);
		assert_text(&s, "banner", 0, is_lmtp ?
		    "mx.example.org LMTP postern" :
		    "mx.example.org ESMTP postern");
		l = slice_block(&s, "listener", 0);
		assert_int_equal(slice_num(&l, "port"), is_lmtp ? 24 : 25);
		assert_int_equal(p.processes[i].listeners[0].port,
		    is_lmtp ? 24 : 25);
	}
	conf_free(&c);
}

/* With routes alone, what none matches has no relay. */
static void
a_queue_with_routes_needs_no_relay(void **state)
{
	struct conf_plan p;
	struct conf *c;
	struct slice s;

	plan_of("edge e { type smtp }\n"
	    "queue q { type lmdb; route to @a.example relay r }\n"
	    "relay r { type lmtp }\n", &c, &p, false);
	s = slice_at(&p, 2);
	assert_int_equal(slice_count(&s, "relay"), 0);
	assert_int_equal(slice_block_count(&s, "relay"), 1);
	assert_link(&p, 2, 1);
	conf_free(&c);
}

#define EVERYWHERE	"edge e { type smtp; listener { interface \"\" }\n"

static const char behind_a_login[] = EVERYWHERE
    "rules { require_auth yes; auth_without_tls yes\n"
    "lookup_credentials u } }\n"
    "users u { type file; path /etc/postern/users }\n"
    "queue q { type lmdb }\nrelay r { type mx }\n";

static const char behind_recipients[] = EVERYWHERE "}\n"
    "queue q { type lmdb; route to @a.example relay s; relay r }\n"
    "relay r { type static; host h.example; recipients @b.example }\n"
    "relay s { type mx; recipients @a.example }\n";

static const char on_a_unix_socket[] =
    "edge e { type smtp; listener { path /run/s }\n"
    "rules { require_auth yes; require_tls yes } }\n"
    "queue q { type lmdb }\nrelay r { type mx }\n";

static const char to_this_host[] = EVERYWHERE "}\n"
    "queue q { type lmdb }\nrelay r { type lmtp }\n";

/* None of these lets anybody send to anybody. */
static void
what_is_protected_is_no_open_relay(void **state)
{
	static const char *const rows[] = { behind_a_login,
	    behind_recipients, on_a_unix_socket, to_this_host };
	struct conf_plan p;
	struct conf *c;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		plan_of(rows[i], &c, &p, false);
		conf_free(&c);
	}
}

/* posternctl and sendmail ask without looking at the host. */
static void
a_tool_finds_what_it_looks_for(void **state)
{
	const struct memory_file files[] = { { "f", whole_conf },
	    { NULL, NULL } };
	struct memory m = { .files = files, .is_tool = true };
	struct conf *c = NULL;

	if (memory_load(&m, &c, false) != OK)
		fail_msg("%s", m.told);
	assert_string_equal(ask_text(c, "users", SPAN("staff"), "path").ptr,
	    "/etc/postern/users");
	assert_string_equal(ask_text(c, "users", SPAN(""), "path").ptr,
	    "/etc/postern/users");
	assert_string_equal(ask_text(c, "relay", SPAN("dovecot"), "path").ptr,
	    "/run/dovecot/lmtp");
	assert_int_equal(ask_text(c, "users", SPAN("x"), "path").len, 0);
	assert_int_equal(ask_text(c, "nothing", SPAN(""), "path").len, 0);
	assert_int_equal(ask_text(c, "users", SPAN(""), "pat").len, 0);
	assert_true(span_eq(ask_name(c, "edge", 1), SPAN("plain")));
	assert_int_equal(ask_name(c, "edge", 2).len, 0);
	assert_string_equal(ask_run_dir(c).ptr, "/run/postern");
	assert_string_equal(ask_socket(c).ptr, "/run/s");
	conf_free(&c);
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
		cmocka_unit_test(every_part_of_the_picture_is_a_row),
		cmocka_unit_test(every_arrow_of_the_picture_is_a_link),
		cmocka_unit_test(files_are_numbered_for_each_process),
		cmocka_unit_test(a_secret_reaches_only_its_process),
		cmocka_unit_test(an_edge_knows_the_policies_of_its_queue),
		cmocka_unit_test(a_queue_knows_its_routes_and_relays),
		cmocka_unit_test(relays_have_what_their_type_wants),
		cmocka_unit_test(all_values_come_in_turn),
		cmocka_unit_test(an_lmtp_relay_by_host_has_its_own_port),
		cmocka_unit_test(an_lmtp_edge_says_so_and_has_its_own_port),
		cmocka_unit_test(a_queue_with_routes_needs_no_relay),
		cmocka_unit_test(what_is_protected_is_no_open_relay),
		cmocka_unit_test(a_tool_finds_what_it_looks_for),
	};

	return cmocka_run_group_tests(tests, make_whole, NULL);
}
