/* Patterns: what Lua's own library says to them, and the bound it lacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lualib.h>

#include "dice.h"
#include "lua/match.h"
#include "lua/script.h"

#define ROUNDS	20000

/* The same program for both: the one has Lua's strings, the other ours. */
static const char program[] =
    "local text, pattern, words = ...\n"
    "local out = {}\n"
    "local function say(...)\n"
    "  for i = 1, select('#', ...) do\n"
    "    out[#out + 1] = tostring((select(i, ...)))\n"
    "  end\n"
    "end\n"
    "say(pcall(string.find, text, pattern))\n"
    "say(pcall(string.find, text, pattern, 3))\n"
    "say(pcall(string.find, text, pattern, -2, true))\n"
    "say(pcall(string.match, text, pattern))\n"
    "say(pcall(string.gsub, text, pattern, words))\n"
    "say(pcall(string.gsub, text, pattern, function(a) return a end, 2))\n"
    "say(pcall(string.gsub, text, pattern, {a = 'b', b = false}))\n"
    "say(pcall(function()\n"
    "  for a, b in string.gmatch(text, pattern) do say(a, b) end\n"
    "end))\n"
    "for i, s in ipairs(out) do\n"
    "  if s:find(' ', 1, true) and not s:find('^[ab%%]*$') then\n"
    "    out[i] = 'error'\n"
    "  end\n"
    "end\n"
    "return table.concat(out, '|')\n";

static char got[1 << 16];

static struct {
	const char	*text, *pattern, *words;
} asked;

static int
note(lua_State *L, int status, lua_KContext ctx)
{
	snprintf(got, sizeof(got), "%s", lua_tostring(L, -1));
	return 0;
}

static int
enter(lua_State *L)
{
	lua_getglobal(L, "run");
	lua_pushstring(L, asked.text);
	lua_pushstring(L, asked.pattern);
	lua_pushstring(L, asked.words);
	lua_callk(L, 3, 1, 0, note);
	return note(L, LUA_OK, 0);
}

static const char *
lua_says(lua_State *L)
{
	lua_settop(L, 0);
	assert_int_equal(luaL_loadstring(L, program), LUA_OK);
	lua_pushstring(L, asked.text);
	lua_pushstring(L, asked.pattern);
	lua_pushstring(L, asked.words);
	assert_int_equal(lua_pcall(L, 3, 1, 0), LUA_OK);
	return lua_tostring(L, -1);
}

static void
make(char *out, const char *of, size_t most)
{
	size_t len = (size_t)random() % (most + 1);

	for (size_t i = 0; i < len; i++)
		out[i] = of[(size_t)random() % strlen(of)];
	out[len] = '\0';
}

static void
it_says_what_lua_says(void **state)
{
	static char text[16], pattern[12], words[8], file[2048];
	struct script_call call = { .may_wait = false };
	lua_State *L = luaL_newstate();
	struct script *s;

	dice_begin();
	luaL_openlibs(L);
	assert_int_equal(script_new(&s, &script_usual, NULL, NULL), OK);
	snprintf(file, sizeof(file), "function run(...) %s end", program);
	assert_int_equal(script_add(s, SPAN("match"), span_of(file)), OK);
	asked.text = text;
	asked.pattern = pattern;
	asked.words = words;
	for (unsigned i = 0; i < ROUNDS; i++) {
		make(text, "aab .[]1-", sizeof(text) - 1);
		make(pattern, "aab.%%[]()^$*+-?1fdwsS", sizeof(pattern) - 1);
		make(words, "ab%01%", sizeof(words) - 1);
		assert_int_equal(script_call(s, &call, enter, NULL),
		    SCRIPT_DONE);
		if (strcmp(got, lua_says(L)) != 0)
			fail_msg("<%s> <%s> <%s>: %s, but Lua %s", text,
			    pattern, words, got, lua_tostring(L, -1));
	}
	script_free(&s);
	lua_close(L);
}

/* Each .- doubles what Lua's own would take: 2^30 here. */
static void
what_doubles_with_each_item_is_given_up(void **state)
{
	static const char *const patterns[] = {
		".-.-.-.-.-.-.-.-b", "(.-)(.-)(.-)(.-)(.-)(.-)%6c",
		"a*a*a*a*a*a*a*a*a*a*b", "[^b]-[^b]-[^b]-[^b]-[^b]-c",
	};
	char text[2001];
	uint64_t steps;
	size_t end;

	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		struct match m = { .text = { text, 2000 },
		    .pattern = span_of(patterns[i]), .steps = &steps };

		steps = 100000;
		assert_int_equal(match_at(&m, 0, &end), MATCH_SPENT);
		assert_int_equal(steps, 0);
	}
}

static void
what_is_too_deep_is_given_up(void **state)
{
	char pattern[1001];
	uint64_t steps = 100000;
	struct match m = { .text = SPAN("aaaa"), .steps = &steps };
	size_t end;

	for (size_t i = 0; i < 1000; i += 2)
		memcpy(pattern + i, "a?", 2);
	m.pattern = (struct span){ pattern, 1000 };
	assert_int_equal(match_at(&m, 0, &end), MATCH_YES);
	for (size_t i = 0; i < 1000; i += 2)
		memcpy(pattern + i, "a*", 2);
	assert_int_equal(match_at(&m, 0, &end), MATCH_SPENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_lua_says),
		cmocka_unit_test(what_doubles_with_each_item_is_given_up),
		cmocka_unit_test(what_is_too_deep_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
