/* Which domains are our own, and what `local' stands for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/options.h"
#include "conf/slice/slice.h"
#include "conf_memory.h"

#define REST								\
	"edge in { type smtp\n"						\
	"rules { only_recipients local bob@x.example } }\n"		\
	"queue main {\n"						\
	"type lmdb; route to ann@z.example local relay box\n"		\
	"route from local discard; route login local relay out\n"	\
	"relay out }\n"							\
	"relay box { type lmtp; recipients local }\n"			\
	"relay out { type mx }\n"

struct made {
	struct conf	*conf;
	struct conf_plan plan;
};

/* With these two files, besides what all of a host have. */
static void
make(struct made *out, const char *process, const char *mailname,
    const char *list)
{
	char text[2048];
	struct memory_file files[] = {
		{ "/etc/p/postern.conf", text }, { "/list", list },
		{ "/etc/mailname", mailname }, MEMORY_HOST };
	struct memory m = { .files = files };

	if (mailname == NULL)
		files[2].path = "/etc/other";
	snprintf(text, sizeof(text), "%s\n%s", process, REST);
	out->conf = NULL;
	if (memory_load(&m, &out->conf, false) != OK)
		fail_msg("%s", m.told);
	assert_int_equal(conf_plan(out->conf, &out->plan), OK);
}

static struct slice
slice_for(const struct made *m, enum role role)
{
	struct slice s = { { NULL, 0 } };

	for (uint32_t i = 0; i < m->plan.head.process_cnt; i++)
		if (m->plan.processes[i].role == role)
			assert_int_equal(slice_open(&s, m->plan.slices[i]),
			    OK);
	assert_non_null(s.bytes.ptr);
	return s;
}

static void
put(struct span text, uint64_t num, void *arg)
{
	char *all = arg;

	if (all[0] != '\0')
		strlcat(all, " ", 512);
	strncat(all, text.ptr, text.len);
}

static void
assert_values(const struct slice *s, const char *option, const char *want)
{
	char all[512] = "";

	slice_each(s, option, put, all);
	assert_string_equal(all, want);
}

static void
assert_domains(const char *process, const char *mailname, const char *want)
{
	struct made m;
	struct slice edge, block;

	make(&m, process, mailname, "");
	edge = slice_for(&m, ROLE_EDGE);
	block = slice_process(&edge);
	assert_values(&block, "domains", want);
	conf_free(&m.conf);
}

static void
they_are_mailname_and_hostname_unless_they_are_said(void **state)
{
	assert_domains("", NULL, "host.example.org localhost");
	assert_domains("", "Example.ORG.\n", "example.org host.example.org "
	    "localhost");
	assert_domains("", "\n  \n", "host.example.org localhost");
	assert_domains("", "no name\n", "host.example.org localhost");
	assert_domains("", "host.example.org", "host.example.org localhost");
	assert_domains("process { hostname mx.example.net }", "localhost\n",
	    "localhost mx.example.net");
	assert_domains("process { domains B.example a.example. }",
	    "example.org\n", "b.example a.example localhost");
}

static void
a_file_may_name_them(void **state)
{
	struct made m;
	struct slice queue, block;

	make(&m, "process { domains /list c.example }", NULL,
	    "a.example # first\n\nB.example\n");
	queue = slice_for(&m, ROLE_QUEUE);
	block = slice_process(&queue);
	assert_values(&block, "domains",
	    "a.example b.example c.example localhost");
	conf_free(&m.conf);
}

static void
local_is_each_of_them_but_as_a_login(void **state)
{
	struct made m;
	struct slice edge, queue, rules, relay;

	make(&m, "process { domains a.example b.example }", NULL, "");
	edge = slice_for(&m, ROLE_EDGE);
	rules = slice_block(&edge, "rules", 0);
	assert_values(&rules, "only_recipients",
	    "@a.example @b.example @localhost bob@x.example");
	queue = slice_for(&m, ROLE_QUEUE);
	assert_values(&queue, "route",
	    "ann@z.example box @a.example box @b.example box @localhost box "
	    "@a.example  @b.example  @localhost  local out");
	relay = slice_block(&queue, "relay", 0);
	assert_values(&relay, "recipients",
	    "@a.example @b.example @localhost");
	conf_free(&m.conf);
}

static void
what_is_no_domain_is_told_with_its_place(void **state)
{
	const struct memory_file files[] = {
		{ "/etc/p/postern.conf",
		    "process { domains a.example @b.example }\n" REST },
		MEMORY_HOST };
	struct memory m = { .files = files };
	struct conf *c = NULL;

	assert_int_equal(memory_load(&m, &c, false), ERR_PEER);
	if (strstr(m.told, "/etc/p/postern.conf:1:29: `@b.example' is not the "
	    "name of a domain, nor the path of a file of them\n") == NULL)
		fail_msg("%s", m.told);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    they_are_mailname_and_hostname_unless_they_are_said),
		cmocka_unit_test(a_file_may_name_them),
		cmocka_unit_test(local_is_each_of_them_but_as_a_login),
		cmocka_unit_test(what_is_no_domain_is_told_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
