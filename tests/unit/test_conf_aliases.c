/* Files of aliases, as a queue has them in its slice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/options.h"
#include "conf/slice/slice.h"
#include "conf_memory.h"

#define CONF(files)							\
	"process { hostname mx.example.org; domains example.org }\n"	\
	"edge in { type smtp }\n"					\
	"queue main { type lmdb; relay out; aliases " files " }\n"	\
	"relay out { type mx }\n"

/* The report of such files; *out stays NULL when there are mistakes. */
static const char *
load(struct conf **out, const char *conf, const char *aliases,
    const char *list)
{
	static struct memory m;
	const struct memory_file files[] = {
		{ "/etc/p/postern.conf", conf }, { "/etc/a/aliases", aliases },
		{ "/etc/a/lists/team", list }, { "/etc/other", "eve\n" },
		MEMORY_HOST };

	m = (struct memory){ .files = files };
	*out = NULL;
	(void)memory_load(&m, out, false);
	return m.told;
}

static void
put(struct span text, uint64_t num, void *arg)
{
	static const char marks[] = "=+\\d";
	char *all = arg;
	size_t len = strlen(all);

	snprintf(all + len, 1024 - len, "%c%.*s ", marks[num], (int)text.len,
	    text.ptr);
}

static void
want(const char *conf, const char *aliases, const char *list, const char *as)
{
	char all[1024] = "";
	struct conf_plan plan;
	struct conf *c;
	const char *told = load(&c, conf, aliases, list);
	struct slice s = { { NULL, 0 } };

	if (c == NULL)
		fail_msg("%s", told);
	assert_int_equal(conf_plan(c, &plan), OK);
	for (uint32_t i = 0; i < plan.head.process_cnt; i++)
		if (plan.processes[i].role == ROLE_QUEUE)
			assert_int_equal(slice_open(&s, plan.slices[i]), OK);
	slice_each(&s, "aliases", put, all);
	assert_string_equal(all, as);
	conf_free(&c);
}

static void
bare_users_get_our_first_domain_and_lists_their_members(void **state)
{
	want(CONF("/etc/a/aliases"), "root: ann, \\bob\n"
	    "team: :include:lists/team, zoe@x.example\n@y.example: "
	    "@example.org\n", "carol # first\ndave@z.example\n",
	    "=root +ann@example.org \\bob@example.org =team "
	    "+carol@example.org +dave@z.example +zoe@x.example =@y.example "
	    "d@example.org ");
	want(CONF("/etc/a/aliases /etc/aliases"), "a: b\n", "",
	    "=a +b@example.org =root +ann@example.org ");
}

static void
what_is_there_twice_is_told_and_the_first_counts(void **state)
{
	struct conf *c;

	want(CONF("/etc/a/aliases"), "a: b\nA: c\n d\ne: f\n", "",
	    "=a +b@example.org =e +f@example.org ");
	assert_string_equal(load(&c, CONF("/etc/a/aliases"),
	    "a: b\nA: c\n d\n", ""),
	    "/etc/a/aliases:2:1: warning: there is an alias `A' already, and "
	    "this one does nothing\n"
	    "    A: c\n"
	    "    ^\n"
	    "/etc/a/aliases:1:1: the first is here\n"
	    "    a: b\n"
	    "    ^\n");
	conf_free(&c);
}

/* Nothing is written as root: somebody else must read its mail. */
static void
where_users_have_mailboxes_root_needs_an_alias(void **state)
{
	static const char local[] = "edge in { type smtp }\n"
	    "queue main { type lmdb; relay box; aliases /etc/a/aliases }\n"
	    "relay box { type local }\n";
	static const char warning[] = "/etc/p/postern.conf:2:7: warning: mail "
	    "for root waits in queue main, for nothing is written as root";
	static const char *const some[] = {
		"root: ann\n", "ROOT: a@b.example\n", "\"root\": ann\n",
		"a: b\nroot@mx.example.org: ann\n",
		"@mx.example.org: ann\n",
	};
	static const char *const none[] = { "", "a: root\n", "toor: ann\n" };
	struct conf *c;

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		assert_string_equal(load(&c, local, some[i], ""), "");
		conf_free(&c);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		const char *told = load(&c, local, none[i], "");

		if (strncmp(told, warning, strlen(warning)) != 0)
			fail_msg("%s", told);
		conf_free(&c);
	}
	assert_string_equal(load(&c, CONF("/etc/a/aliases"), "", ""), "");
	conf_free(&c);
}

static void
mistakes_are_told_where_they_stand(void **state)
{
	static const struct {
		const char *aliases, *list, *told;
	} cases[] = {
		{ "root: ann,\n  |/bin/x\n", "", "/etc/a/aliases:2:3: no "
		    "program is run from here: give it a relay of type pipe" },
		{ "t: :include:lists/team\n", "a\nb c..d\n",
		    "/etc/a/lists/team:2:3: this is no user" },
		{ "t: :include:../other\n", "", "/etc/a/aliases:1:13: a file "
		    "that is included lies below the directory of this file, "
		    "/etc/a/\n" },
		{ "t: :include:/etc/other\n", "", "/etc/a/aliases:1:13: a "
		    "file that is included lies below" },
		{ "t: :include:gone\n", "", "/etc/a/aliases:1:13: cannot read "
		    "/etc/a/gone: there is no such file\n" },
	};
	struct conf *c;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *told = load(&c, CONF("/etc/a/aliases"),
		    cases[i].aliases, cases[i].list);

		assert_null(c);
		if (strstr(told, cases[i].told) == NULL)
			fail_msg("%s: %s", cases[i].aliases, told);
	}
}

static void
a_file_that_is_not_there_and_a_list_of_nobody_are_warnings(void **state)
{
	struct conf *c;
	const char *told = load(&c, CONF("/etc/gone"), "", "");

	assert_non_null(c);
	assert_non_null(strstr(told, "warning: there is no /etc/gone: it is "
	    "taken for an empty one\n"));
	conf_free(&c);
	told = load(&c, CONF("/etc/a/aliases"), "t: :include:lists/team\n",
	    "# nobody\n");
	assert_non_null(c);
	assert_non_null(strstr(told, "/etc/a/aliases:1:1: warning: `t' stands "
	    "for nobody: mail for it is refused\n"));
	conf_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    bare_users_get_our_first_domain_and_lists_their_members),
		cmocka_unit_test(
		    what_is_there_twice_is_told_and_the_first_counts),
		cmocka_unit_test(
		    where_users_have_mailboxes_root_needs_an_alias),
		cmocka_unit_test(mistakes_are_told_where_they_stand),
		cmocka_unit_test(
		    a_file_that_is_not_there_and_a_list_of_nobody_are_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
