/* A file of Lua: what it has, what it has not, its bounds, and its waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <lauxlib.h>

#include "lua/script.h"

static struct script *s;
static char got[256];
static struct script_call *waiting;
static unsigned cancelled;

static void
on_cancel(void *arg)
{
	cancelled++;
	waiting = NULL;
}

static int
after(lua_State *L, int status, lua_KContext ctx)
{
	lua_pushstring(L, "an answer");
	return 1;
}

/* Somebody who is asked, and answers when the test says so. */
static int
ask(lua_State *L)
{
	waiting = script_under_way(L);
	return script_wait(L, on_cancel, NULL, after, 0);
}

static void
library(lua_State *L, void *arg)
{
	lua_pushcfunction(L, ask);
	lua_setglobal(L, "ask");
}

static int
note(lua_State *L, int status, lua_KContext ctx)
{
	snprintf(got, sizeof(got), "%s", luaL_tolstring(L, -1, NULL));
	return 0;
}

/* Calls the global that arg names. */
static int
enter(lua_State *L)
{
	lua_getglobal(L, lua_touserdata(L, 1));
	lua_callk(L, 0, 1, 0, note);
	return note(L, LUA_OK, 0);
}

static enum script_end
run(struct script_call *call, const char *name)
{
	*call = (struct script_call){ .may_wait = true };
	got[0] = '\0';
	return script_call(s, call, enter, (void *)(uintptr_t)name);
}

static void
begin(const char *text)
{
	struct script_limits limits = script_usual;

	limits.ms = 60000;	/* steps are to end it, on any machine */
	cancelled = 0;
	waiting = NULL;
	assert_int_equal(script_new(&s, &limits, library, NULL), OK);
	if (script_add(s, SPAN("/etc/a.lua"), span_of(text)) != OK)
		fail_msg("%u: %s", script_why(s)->line, script_why(s)->text);
}

/* f() of the text says so. */
static void
says(const char *text, const char *want)
{
	struct script_call call;

	begin(text);
	if (run(&call, "f") != SCRIPT_DONE)
		fail_msg("%s: %s", text, script_why(s)->text);
	assert_string_equal(got, want);
	script_free(&s);
}

/* f() fails in this line, for what it says; and g() says "well" after it. */
static void
fails(const char *text, unsigned line, const char *why)
{
	struct script_call call;
	char all[2048];

	snprintf(all, sizeof(all), "%s\nfunction g() return 'well' end", text);
	begin(all);
	assert_int_equal(run(&call, "f"), SCRIPT_FAILED);
	if (strstr(script_why(s)->text, why) == NULL)
		fail_msg("%s: %s", text, script_why(s)->text);
	assert_int_equal(script_why(s)->line, line);
	assert_string_equal(script_why(s)->file, "/etc/a.lua");
	assert_int_equal(run(&call, "g"), SCRIPT_DONE);
	assert_string_equal(got, "well");
	script_free(&s);
}

static void
there_is_nothing_but_what_is_safe(void **state)
{
	says("function f()\n"
	    "  local all = {}\n"
	    "  for name, value in pairs(_G) do\n"
	    "    if name ~= 'f' and name ~= 'ask' and name ~= '_G' then\n"
	    "      all[#all + 1] = name\n"
	    "    end\n"
	    "  end\n"
	    "  table.sort(all)\n"
	    "  return table.concat(all, ' ')\n"
	    "end",
	    "_VERSION assert error getmetatable ipairs math next os pairs "
	    "pcall rawequal rawget rawlen rawset select setmetatable string "
	    "table tonumber tostring type utf8");
	says("function f()\n"
	    "  local all = {}\n"
	    "  for _, t in ipairs({string, table, os}) do\n"
	    "    for name in pairs(t) do all[#all + 1] = name end\n"
	    "  end\n"
	    "  table.sort(all)\n"
	    "  return table.concat(all, ' ')\n"
	    "end",
	    "byte char concat find format gmatch gsub insert len lower match "
	    "move pack remove rep reverse sort sub time unpack upper");
	says("function f() return tostring(('').dump) ..\n"
	    "tostring(getmetatable('')) end", "nilfalse");
}

static void
an_endless_loop_ends_and_is_named(void **state)
{
	fails("function f()\n while true do end\nend", 2, "too many steps");
	fails("function f()\n while true do pcall(f) end\nend", 2,
	    "too many steps");
	fails("function f()\n while true do pcall(function()\n"
	    "  while true do end end)\n end\nend", 2, "too many steps");
	fails("function f()\n local c <close> = setmetatable({}, {__close = "
	    "function()\n  while true do end end})\n"
	    " while true do end\nend", 4, "too many steps");
	fails("function f()\n return f()\nend", 2, "too many steps");
}

static void
memory_has_an_end_and_comes_back(void **state)
{
	fails("local t = {}\nfunction f()\n for i = 1, 1e9 do t[i] = i end\n"
	    "end", 3, "it would hold more memory");
	fails("kept = {}\nfunction f()\n for i = 1, 1e9 do\n"
	    "  kept[i] = ('x'):rep(999):rep(60) .. i end\nend", 4,
	    "it would hold more memory");
	fails("function f()\n local s = 'x'\n while true do s = s .. s end\n"
	    "end", 3, "longer than 64 KiB");
	fails("function f()\n return ('x'):rep(1e9)\nend", 2,
	    "longer than 64 KiB");
	fails("function f()\n for i = 1, 1e9 do\n  local s = ('x'):rep(999)"
	    ":rep(60)\n end\nend", 3, "more memory than a call may");
	fails("function f()\n return 1 + f()\nend", 2, "more memory");
}

static void
what_no_instruction_counts_has_an_end(void **state)
{
	fails("function f()\n return table.move({}, 1, math.maxinteger - 1,"
	    " 2)\nend", 2, "an index over");
	fails("function f()\n local s = ('a'):rep(5000)\n"
	    " return s:match('.-.-.-.-.-b')\nend", 3, "too many steps");
	fails("function f()\n while true do\n"
	    "  pcall(string.find, ('a'):rep(50000), '.-.-b') end\nend", 3,
	    "too many steps");
	fails("function f()\n return table.sort(setmetatable({}, {\n"
	    "__len = function() return 2^31 end}))\nend", 2, "metatable");
	fails("function f()\n setmetatable({}, {__gc = f})\nend", 2,
	    "__gc is not to be had");
	fails("function f()\n local t = {}\n for i = 1, 1e5 do t[i] = -i end\n"
	    " while true do table.sort(t) end\nend", 4, "too many steps");
}

static void
an_error_is_told_with_its_place(void **state)
{
	fails("function f()\n local t\n return t.x\nend", 3,
	    "attempt to index a nil value (local 't')");
	fails("function f()\n\n error('so: it is 3: done')\nend", 3,
	    "so: it is 3: done");
	fails("function f()\n error({})\nend", 2, "that is no text");
	fails("local function h()\n error('deep', 2)\nend\nfunction f()\n"
	    " h()\n return 1\nend", 2, "deep");
}

static void
wrong(const char *text, unsigned line, const char *why)
{
	struct script_why is;

	assert_int_equal(script_compile(SPAN("/etc/a very long path/that Lua "
	    "would cut/in the middle/for it is longer than sixty/a.lua"),
	    (struct span){ text, strlen(text) }, &is), ERR_PEER);
	assert_int_equal(is.line, line);
	if (strstr(is.text, why) == NULL)
		fail_msg("%s", is.text);
}

static void
what_is_no_lua_is_told_with_its_line(void **state)
{
	struct script_why why;

	wrong("local a = 1\nif a then\n\n a = = 2 end", 4,
	    "unexpected symbol near '='");
	wrong("function f()\n", 2, "'end' expected");
	wrong("\x1bLua\x54", 0, "attempt to load a binary chunk");
	assert_int_equal(script_compile(SPAN("a"), SPAN("return 1"), &why),
	    OK);
	assert_int_equal(script_compile(SPAN("a"), SPAN(""), &why), OK);
}

static void
one_waits_and_others_go_on(void **state)
{
	struct script_call one, two, three;

	begin("local n = 0\n"
	    "function f() n = n + 1; return ask() .. n end\n"
	    "function g() n = n + 10; return n end\n");
	assert_int_equal(run(&one, "f"), SCRIPT_WAITS);
	assert_ptr_equal(waiting, &one);
	assert_int_equal(run(&two, "g"), SCRIPT_DONE);
	assert_string_equal(got, "11");
	assert_int_equal(run(&two, "f"), SCRIPT_WAITS);
	assert_int_equal(run(&three, "f"), SCRIPT_WAITS);
	script_drop(&three);
	assert_int_equal(cancelled, 1);
	assert_int_equal(script_go_on(&one), SCRIPT_DONE);
	assert_string_equal(got, "an answer13");
	assert_int_equal(script_go_on(&two), SCRIPT_DONE);
	assert_int_equal(cancelled, 1);
	script_drop(&two);
	script_free(&s);
}

/* Steps are those of the whole call, whoever was waited for between. */
static void
who_waits_gets_no_new_steps(void **state)
{
	struct script_call call;
	unsigned cnt = 0;

	begin("function f()\n while true do\n  for i = 1, 1e5 do end\n"
	    "  ask()\n end\nend");
	for (enum script_end end = run(&call, "f"); end == SCRIPT_WAITS;
	    end = script_go_on(&call))
		assert_true(cnt++ < 20);
	assert_true(cnt > 5);
	assert_string_equal(script_why(s)->text, "it takes too many steps");
	script_free(&s);
}

static void
what_may_not_wait_is_told_so(void **state)
{
	struct script_call call = { .may_wait = false };

	begin("function f()\n return ask()\nend\n"
	    "function g()\n return (('a'):gsub('a', ask))\nend");
	assert_int_equal(script_call(s, &call, enter, (char[]){ "f" }),
	    SCRIPT_FAILED);
	assert_string_equal(script_why(s)->text,
	    "nothing may be waited for here");
	assert_int_equal(run(&call, "g"), SCRIPT_FAILED);
	assert_non_null(strstr(script_why(s)->text, "yield"));
	script_free(&s);
}

/* The state is not taken away from under who waits in it. */
static void
a_new_state_waits_for_who_waits(void **state)
{
	struct script_call one, two;

	begin("n = 0\nfunction f() return ask() end\n"
	    "function g() n = n + 1 return n end\n"
	    "function eat() local s = 'x' while true do s = s .. s end end");
	assert_int_equal(run(&one, "f"), SCRIPT_WAITS);
	assert_int_equal(run(&two, "g"), SCRIPT_DONE);
	assert_int_equal(run(&two, "eat"), SCRIPT_FAILED);
	assert_int_equal(run(&two, "g"), SCRIPT_DONE);
	assert_string_equal(got, "2");
	assert_int_equal(script_go_on(&one), SCRIPT_DONE);
	assert_string_equal(got, "an answer");
	assert_int_equal(run(&two, "g"), SCRIPT_DONE);
	assert_string_equal(got, "1");
	script_free(&s);
}

static void
time_ends_what_steps_do_not(void **state)
{
	struct script_limits limits = script_usual;
	struct script_call call = { .may_wait = false };

	limits.ms = 0;
	assert_int_equal(script_new(&s, &limits, NULL, NULL), OK);
	assert_int_equal(script_add(s, SPAN("a"), SPAN("function f()\n"
	    "for i = 1, 1e4 do end end")), OK);
	assert_int_equal(script_call(s, &call, enter, (char[]){ "f" }),
	    SCRIPT_FAILED);
	assert_string_equal(script_why(s)->text, "it takes too long");
	script_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_nothing_but_what_is_safe),
		cmocka_unit_test(an_endless_loop_ends_and_is_named),
		cmocka_unit_test(memory_has_an_end_and_comes_back),
		cmocka_unit_test(what_no_instruction_counts_has_an_end),
		cmocka_unit_test(an_error_is_told_with_its_place),
		cmocka_unit_test(what_is_no_lua_is_told_with_its_line),
		cmocka_unit_test(one_waits_and_others_go_on),
		cmocka_unit_test(who_waits_gets_no_new_steps),
		cmocka_unit_test(what_may_not_wait_is_told_so),
		cmocka_unit_test(a_new_state_waits_for_who_waits),
		cmocka_unit_test(time_ends_what_steps_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
