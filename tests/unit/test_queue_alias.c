/*
 * test_queue_alias - a queue's aliases: what is looked for, in which order, and
 * who owns a list.
 * room: queue
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "queue/route/alias.h"
#include "queue/route/route.h"

struct here {
	struct alias_look look;
	struct alias_table *table;
	struct routes	*routes;
	struct expander	 expander;
	struct expanders all;
};

static void
on_word(void *arg, enum aliases_word what, struct span s)
{
	struct here *h = arg;
	char text[300];

	if (what == ALIASES_KEY) {
		assert_int_equal(alias_table_begin(h->table, s), OK);
		return;
	}
	/* As check_aliases.c does. */
	snprintf(text, sizeof(text), "%.*s%s", (int)s.len, s.ptr,
	    what != ALIASES_DOMAIN && address_is_local(s) ? "@here" : "");
	assert_int_equal(alias_table_add(h->table, what, span_of(text)), OK);
}

static void
on_fault(void *arg, struct span at, const char *why)
{
	fail_msg("%.*s: %s", (int)at.len, at.ptr, why);
}

static void
begin(struct here *h, const char *aliases)
{
	static const struct aliases_calls calls = { on_word, on_fault };

	*h = (struct here){ .look = { .delimiter = '+' } };
	assert_int_equal(alias_table_new(&h->table), OK);
	assert_int_equal(route_new(&h->routes), OK);
	assert_int_equal(route_add_home(h->routes, SPAN("here")), OK);
	assert_int_equal(route_add_home(h->routes, SPAN("home.example")), OK);
	aliases_read(span_of(aliases), &calls, h);
	h->look.table = h->table;
	h->look.routes = h->routes;
	h->expander = (struct expander){ "alias", alias_ask, NULL, &h->look };
	h->all = (struct expanders){ &h->expander, 1 };
}

static void
end(struct here *h)
{
	alias_table_free(&h->table);
	route_free(&h->routes);
}

static void
on_late(struct expansion *x, enum err why, void *arg)
{
	fail();
}

/* "a@x b@x/owner" */
static void
want(const struct here *h, const char *address, const char *as)
{
	struct expand_rcpt r;
	struct expansion *x;
	char text[2048] = "";
	size_t len = 0;

	assert_int_equal(expand_begin(&x, &h->all,
	    &(struct route_ask){ .rcpt = span_of(address) }, on_late, NULL),
	    OK);
	for (uint32_t i = 0; i < expand_cnt(x); i++) {
		expand_rcpt(x, i, &r);
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%.*s%s%.*s", i > 0 ? " " : "", (int)r.address.len,
		    r.address.ptr, r.owner.len > 0 ? "/" : "",
		    (int)r.owner.len, r.owner.ptr);
	}
	expand_end(&x);
	assert_string_equal(text, as);
}

static void
what_says_most_is_found_first(void **state)
{
	struct here h;

	begin(&h, "ann+x@here: 1@a\nann@here: 2@a\nann+x: 3@a\nann: 4@a\n"
	    "@here: 5@a\nbob+x: 6@a\nbob: 7@a\nroot: \\root, bob\n"
	    "eve@else.example: 8@a\n@else.example: 9@a\n");
	want(&h, "ann+x@here", "1@a");
	want(&h, "ANN+y@here", "2@a");
	want(&h, "ann+x@home.example", "3@a");
	want(&h, "ann+y@Home.Example", "4@a");
	want(&h, "bob+x@here", "6@a");
	want(&h, "bob+z@here", "7@a");
	want(&h, "zoe@here", "5@a");
	want(&h, "zoe@home.example", "zoe@home.example");
	want(&h, "eve+x@else.example", "8@a");
	want(&h, "bob@else.example", "9@a");
	want(&h, "bob@third.example", "bob@third.example");
	want(&h, "bob@[192.0.2.1]", "bob@[192.0.2.1]");
	h.look.delimiter = '\0';
	want(&h, "ann+y@home.example", "ann+y@home.example");
	end(&h);
}

static void
a_domain_may_be_another_with_the_same_users(void **state)
{
	struct here h;

	begin(&h, "@old.example: @home.example\nann: ann@there\n"
	    "x@old.example: y@there\n");
	want(&h, "ann@old.example", "ann@there");
	want(&h, "x@old.example", "y@there");
	want(&h, "bob+lists@old.example", "bob+lists@home.example");
	end(&h);
}

static void
a_backslash_stops_and_a_catch_all_may_name_one_of_its_own(void **state)
{
	struct here h;

	begin(&h, "ann: \\ann, carol\ncarol: dave\nall: carol, \\carol\n"
	    "both: \\carol, carol\none: two\ntwo: \\one\n"
	    "@home.example: boss@home.example\nme: \\me\n");
	want(&h, "ann@here", "ann@here dave@here");
	want(&h, "all@here", "carol@here dave@here");
	want(&h, "both@here", "carol@here dave@here");
	want(&h, "one@here", "one@here");
	want(&h, "me@here", "me@here");
	want(&h, "zoe@home.example", "boss@home.example");
	want(&h, "boss@home.example", "boss@home.example");
	end(&h);
}

static void
members_of_a_list_have_its_owner(void **state)
{
	struct here h;

	begin(&h, "team: ann, inner, all\nowner-team: boss\n"
	    "owner-inner: chief\ninner: bob\nall: carol\nplain: team, zoe\n"
	    "\"a list\": ann\n\"owner-a list\": boss\n"
	    "l@else.example: ann\nowner-l@else.example: boss\n");
	want(&h, "team@here", "ann@here/owner-team@here "
	    "bob@here/owner-inner@here carol@here/owner-team@here");
	want(&h, "Team+x@home.example", "ann@here/owner-Team@home.example "
	    "bob@here/owner-inner@here carol@here/owner-Team@home.example");
	want(&h, "plain@here", "zoe@here ann@here/owner-team@here "
	    "bob@here/owner-inner@here carol@here/owner-team@here");
	want(&h, "owner-team@here", "boss@here");
	want(&h, "\"a list\"@here", "ann@here/\"owner-a list\"@here");
	want(&h, "l@else.example", "ann@here/owner-l@else.example");
	end(&h);
}

static void
it_is_known_who_stands_for_others(void **state)
{
	struct alias_look none = { .table = NULL };
	struct here h;

	begin(&h, "root: ann\n@else.example: ann\n");
	assert_true(alias_knows(&h.look, SPAN("ROOT+x@here")));
	assert_true(alias_knows(&h.look, SPAN("x@else.example")));
	assert_false(alias_knows(&h.look, SPAN("root@third.example")));
	assert_false(alias_knows(&h.look, SPAN("")));
	assert_false(alias_knows(&none, SPAN("root@here")));
	end(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_says_most_is_found_first),
		cmocka_unit_test(a_domain_may_be_another_with_the_same_users),
		cmocka_unit_test(
		    a_backslash_stops_and_a_catch_all_may_name_one_of_its_own),
		cmocka_unit_test(members_of_a_list_have_its_owner),
		cmocka_unit_test(it_is_known_who_stands_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
