/*
 * script_base.c - what remains of Lua's own libraries.
 *
 * What is left out could open files, run programs, read what was compiled, look
 * into other functions, or take time that nobody counts: a __gc and the message
 * handler of xpcall() run without the count hook, and table functions for as
 * long as a metatable's __len says.  Coroutines are left out, for waiting is
 * ours: script_wait().
 */
#include <lauxlib.h>
#include <lualib.h>

#include <time.h>

#include "lua/script_inside.h"

#define MOVE_MAX	1000000		/* last index of table.move()	*/
#define PCALL_MAX	50		/* within each other		*/

/* A table's cost, and who takes how much of it. */
enum cost { COST_ONE, COST_EACH, COST_SORT, COST_RANGE };

static const struct {
	const char	*name;
	enum cost	 cost;
	int		 cheap_args;	/* with so many arguments COST_ONE */
} table_functions[] = {
	{ "concat", COST_EACH, 0 }, { "insert", COST_EACH, 2 },
	{ "move", COST_RANGE, 0 }, { "remove", COST_EACH, 1 },
	{ "sort", COST_SORT, 0 }, { "unpack", COST_RANGE, 0 },
};

/* It is over, well or not; what ends the call goes on through it. */
static int
pcall_ends(lua_State *L, int status, lua_KContext ctx)
{
	script_under_way(L)->pcall_cnt--;
	script_pay(L, 0);
	if (status == LUA_OK || status == LUA_YIELD)
		return lua_gettop(L);
	lua_pushboolean(L, 0);
	lua_insert(L, -2);
	return 2;
}

/*
 * pcall(), so many within each other: Lua looks at all that are open whenever
 * one of them catches something.
 */
static int
protected_call(lua_State *L)
{
	struct script_call *call = script_under_way(L);

	luaL_checkany(L, 1);
	if (call->pcall_cnt == PCALL_MAX)
		return luaL_error(L, "pcall within pcall, more than %d deep",
		    PCALL_MAX);
	call->pcall_cnt++;
	lua_pushboolean(L, 1);
	lua_insert(L, 1);
	return pcall_ends(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0,
	    0, pcall_ends), 0);
}

/* setmetatable(), without __gc. */
static int
set_metatable(lua_State *L)
{
	int type = lua_type(L, 2);

	luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2,
	    "nil or table");
	luaL_checktype(L, 1, LUA_TTABLE);
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "cannot change a protected metatable");
	lua_settop(L, 2);
	if (type == LUA_TTABLE) {
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "__gc is not to be had here");
		lua_pop(L, 1);
	}
	lua_setmetatable(L, 1);
	return 1;
}

/* From argument i to argument i + 1, as far as they say so. */
static uint64_t
range(lua_State *L, int i, size_t len)
{
	lua_Integer first = luaL_optinteger(L, i, 1);
	lua_Integer last = luaL_optinteger(L, i + 1, (lua_Integer)len);

	if (last < first)
		return 0;
	if (first < -MOVE_MAX || last > MOVE_MAX)
		luaL_error(L, "an index over %d", MOVE_MAX);
	return (uint64_t)(last - first);
}

/* A function of Lua's on a plain table: upvalues are it and its row. */
static int
on_table(lua_State *L)
{
	size_t row = (size_t)lua_tointeger(L, lua_upvalueindex(2)), len;
	int cnt = lua_gettop(L);

	luaL_checktype(L, 1, LUA_TTABLE);
	if (lua_getmetatable(L, 1) != 0)
		return luaL_error(L, "table.%s takes no table with a "
		    "metatable", table_functions[row].name);
	len = lua_rawlen(L, 1);
	if (cnt > 0 && cnt == table_functions[row].cheap_args)
		script_pay(L, 1);
	else if (table_functions[row].cost == COST_RANGE)
		script_pay(L, 1 + range(L, 2, len));
	else
		script_pay(L, 1 + (table_functions[row].cost == COST_SORT ?
		    (uint64_t)len * 8 : len / 4));
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, cnt, LUA_MULTRET);
	return lua_gettop(L);
}

static void
bound_tables(lua_State *L)
{
	luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
	for (size_t i = 0; i < sizeof(table_functions) /
	    sizeof(table_functions[0]); i++) {
		lua_getfield(L, -1, table_functions[i].name);
		lua_pushinteger(L, (lua_Integer)i);
		lua_pushcclosure(L, on_table, 2);
		lua_setfield(L, -2, table_functions[i].name);
	}
	lua_pop(L, 1);
}

/* Seconds since 1970. */
static int
os_time(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)time(NULL));
	return 1;
}

void
script_base(lua_State *L)
{
	static const char *const unsafe[] = {
		"collectgarbage", "dofile", "load", "loadfile", "print",
		"warn", "xpcall",
	};

	luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
		lua_pushnil(L);
		lua_setfield(L, -2, unsafe[i]);
	}
	lua_pushcfunction(L, protected_call);
	lua_setfield(L, -2, "pcall");
	lua_pushcfunction(L, set_metatable);
	lua_setfield(L, -2, "setmetatable");
	lua_pop(L, 1);
	luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
	luaL_requiref(L, LUA_UTF8LIBNAME, luaopen_utf8, 1);
	lua_pop(L, 2);
	bound_tables(L);
	lua_newtable(L);
	lua_pushcfunction(L, os_time);
	lua_setfield(L, -2, "time");
	lua_setglobal(L, "os");
}
