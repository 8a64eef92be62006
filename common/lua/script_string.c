/*
 * script_string.c - the string library: Lua's own as far as it is linear, and
 * what takes patterns over match.h, whose steps are the call's.
 */
#include <lauxlib.h>
#include <lualib.h>

#include <string.h>

#include "lua/match.h"
#include "lua/script_inside.h"

static struct span
check_string(lua_State *L, int i)
{
	struct span s;

	s.ptr = luaL_checklstring(L, i, &s.len);
	return s;
}

/* The place that argument i says, from 0, or len + 1: behind the end. */
static size_t
start_at(lua_State *L, int i, size_t len)
{
	lua_Integer at = luaL_optinteger(L, i, 1);

	if (at > 0)
		return (uint64_t)at > len + 1 ? len + 1 : (size_t)at - 1;
	if (at == 0 || at < -(lua_Integer)len)
		return 0;
	return len - (size_t)-at;
}

/* Without its ^, if it has one. */
static bool
is_anchored(struct match *m)
{
	if (m->pattern.len == 0 || m->pattern.ptr[0] != '^')
		return false;
	m->pattern = span_tail(m->pattern, 1);
	return true;
}

static void
begin(lua_State *L, struct match *m)
{
	*m = (struct match){
		.text = check_string(L, 1), .pattern = check_string(L, 2),
		.steps = script_steps(L),
	};
}

/* True: it matches at *at or later; *at is then where. */
static bool
search(lua_State *L, struct match *m, size_t *at, size_t *end, bool is_fixed)
{
	for (; *at <= m->text.len; (*at)++) {
		switch (match_at(m, *at, end)) {
		case MATCH_YES:
			return true;
		case MATCH_NO:
			break;
		case MATCH_WRONG:
			luaL_error(L, "a pattern that %s", m->wrong);
			break;
		case MATCH_SPENT:
			script_pay(L, 0);
			luaL_error(L, "a pattern that would cost too much");
		}
		if (is_fixed)
			break;
	}
	return false;
}

static void
push_part(lua_State *L, const struct match *m, const struct match_part *part)
{
	if (part->is == PART_OPEN)
		luaL_error(L, "a pattern that lacks a `)'");
	if (part->is == PART_PLACE)
		lua_pushinteger(L, (lua_Integer)part->at + 1);
	else
		lua_pushlstring(L, m->text.ptr + part->at, part->len);
}

/* What it has captured, or all of it; how many. */
static int
push_parts(lua_State *L, const struct match *m, size_t at, size_t end,
    bool or_all)
{
	luaL_checkstack(L, (int)m->cnt + 1, "too many captures");
	if (m->cnt == 0 && or_all) {
		lua_pushlstring(L, m->text.ptr + at, end - at);
		return 1;
	}
	for (unsigned i = 0; i < m->cnt; i++)
		push_part(L, m, &m->parts[i]);
	return (int)m->cnt;
}

/* Words, and no pattern. */
static int
find_plain(lua_State *L, struct span text, struct span words, size_t at)
{
	const char *found;

	script_pay(L, text.len / 16);
	found = words.len == 0 ? text.ptr + at : memmem(text.ptr + at,
	    text.len - at, words.ptr, words.len);
	if (found == NULL) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, found - text.ptr + 1);
	lua_pushinteger(L, (lua_Integer)(found - text.ptr) +
	    (lua_Integer)words.len);
	return 2;
}

static int
find_or_match(lua_State *L, bool is_find)
{
	struct match m;
	size_t at, end;
	bool is_fixed;

	begin(L, &m);
	at = start_at(L, 3, m.text.len);
	if (at > m.text.len) {
		lua_pushnil(L);
		return 1;
	}
	if (is_find && (lua_toboolean(L, 4) || match_is_plain(m.pattern)))
		return find_plain(L, m.text, m.pattern, at);
	is_fixed = is_anchored(&m);
	if (!search(L, &m, &at, &end, is_fixed)) {
		lua_pushnil(L);
		return 1;
	}
	if (!is_find)
		return push_parts(L, &m, at, end, true);
	lua_pushinteger(L, (lua_Integer)at + 1);
	lua_pushinteger(L, (lua_Integer)end);
	return 2 + push_parts(L, &m, at, end, false);
}

static int
str_find(lua_State *L)
{
	return find_or_match(L, true);
}

static int
str_match(lua_State *L)
{
	return find_or_match(L, false);
}

/* Upvalues: text, pattern, where to go on, where the last one ended. */
static int
next_match(lua_State *L)
{
	struct match m = { .steps = script_steps(L) };
	size_t at = (size_t)lua_tointeger(L, lua_upvalueindex(3)), end;
	lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));

	m.text.ptr = lua_tolstring(L, lua_upvalueindex(1), &m.text.len);
	m.pattern.ptr = lua_tolstring(L, lua_upvalueindex(2), &m.pattern.len);
	for (; search(L, &m, &at, &end, false); at++) {
		if ((lua_Integer)end == last)
			continue;
		lua_pushinteger(L, (lua_Integer)end);
		lua_copy(L, -1, lua_upvalueindex(3));
		lua_replace(L, lua_upvalueindex(4));
		return push_parts(L, &m, at, end, true);
	}
	return 0;
}

static int
str_gmatch(lua_State *L)
{
	size_t at = start_at(L, 3, check_string(L, 1).len);

	(void)check_string(L, 2);
	lua_settop(L, 2);
	lua_pushinteger(L, (lua_Integer)at);
	lua_pushinteger(L, -1);
	lua_pushcclosure(L, next_match, 4);
	return 1;
}

/* Words with %0, %1 and %%. */
static void
add_words(lua_State *L, luaL_Buffer *b, const struct match *m, size_t at,
    size_t end)
{
	struct span words = check_string(L, 3);

	for (size_t i = 0; i < words.len; i++) {
		char c = words.ptr[i];

		if (c != '%') {
			luaL_addchar(b, c);
			continue;
		}
		c = ++i < words.len ? words.ptr[i] : '\0';
		if (c == '%')
			luaL_addchar(b, '%');
		else if (c == '0' || (c == '1' && m->cnt == 0))
			luaL_addlstring(b, m->text.ptr + at, end - at);
		else if (c >= '1' && c <= '9' &&
		    (unsigned)(c - '1') < m->cnt) {
			push_part(L, m, &m->parts[c - '1']);
			luaL_addvalue(b);
		} else
			luaL_error(L, "gsub: `%%' is followed by neither a "
			    "capture nor `%%'");
	}
}

/* What stands in place of the match; of a function or table, where that is
 * false or nil, it stays. */
static void
add_value(lua_State *L, luaL_Buffer *b, struct match *m, size_t at,
    size_t end, int type)
{
	if (type == LUA_TFUNCTION) {
		lua_pushvalue(L, 3);
		lua_call(L, push_parts(L, m, at, end, true), 1);
	} else if (type == LUA_TTABLE) {
		if (m->cnt == 0)
			lua_pushlstring(L, m->text.ptr + at, end - at);
		else
			push_part(L, m, &m->parts[0]);
		lua_gettable(L, 3);
	} else {
		script_pay(L, lua_rawlen(L, 3) / 16);
		add_words(L, b, m, at, end);
		return;
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		luaL_addlstring(b, m->text.ptr + at, end - at);
		return;
	}
	if (lua_isstring(L, -1) == 0)
		luaL_error(L, "gsub: a %s in place of a match",
		    luaL_typename(L, -1));
	luaL_addvalue(b);
}

static int
str_gsub(lua_State *L)
{
	int type = lua_type(L, 3);
	lua_Integer most, cnt = 0;
	struct match m;
	size_t at = 0, last = SIZE_MAX, end;
	bool is_fixed;
	luaL_Buffer b;

	begin(L, &m);
	most = luaL_optinteger(L, 4, (lua_Integer)m.text.len + 1);
	is_fixed = is_anchored(&m);
	luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING ||
	    type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
	    "string/function/table");
	if (type == LUA_TNUMBER)
		(void)lua_tostring(L, 3);
	luaL_buffinit(L, &b);
	while (cnt < most) {
		size_t from = at;
		bool is_found = search(L, &m, &from, &end, true);

		if (is_found && end != last) {
			cnt++;
			add_value(L, &b, &m, at, end, type);
			at = last = end;
		} else if (at < m.text.len)
			luaL_addchar(&b, m.text.ptr[at++]);
		else
			break;
		if (is_fixed)
			break;
	}
	luaL_addlstring(&b, m.text.ptr + at, m.text.len - at);
	luaL_pushresult(&b);
	lua_pushinteger(L, cnt);
	return 2;
}

/* string.rep(), by whose result it is judged before it is made. */
static int
str_rep(lua_State *L)
{
	struct span s = check_string(L, 1), by = { "", 0 };
	lua_Integer n = luaL_checkinteger(L, 2);
	luaL_Buffer b;

	if (!lua_isnoneornil(L, 3))
		by = check_string(L, 3);
	if (n <= 0) {
		lua_pushliteral(L, "");
		return 1;
	}
	if (s.len + by.len > 0 && (uint64_t)n > SCRIPT_STRING_MAX /
	    (s.len + by.len) + 1)
		return luaL_error(L, "a string would be longer than 64 KiB");
	if (s.len + by.len == 0)
		n = 1;
	luaL_buffinit(L, &b);
	script_pay(L, (uint64_t)n / 4);
	while (n-- > 0) {
		luaL_addlstring(&b, s.ptr, s.len);
		if (n > 0)
			luaL_addlstring(&b, by.ptr, by.len);
	}
	luaL_pushresult(&b);
	return 1;
}

void
script_string(lua_State *L)
{
	static const char *const linear[] = {
		"byte", "char", "format", "len", "lower", "reverse", "sub",
		"upper",
	};
	static const luaL_Reg ours[] = {
		{ "find", str_find }, { "match", str_match },
		{ "gmatch", str_gmatch }, { "gsub", str_gsub },
		{ "rep", str_rep }, { NULL, NULL },
	};

	luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 0);
	lua_newtable(L);
	for (size_t i = 0; i < sizeof(linear) / sizeof(linear[0]); i++) {
		lua_getfield(L, -2, linear[i]);
		lua_setfield(L, -2, linear[i]);
	}
	luaL_setfuncs(L, ours, 0);
	lua_pushliteral(L, "");
	lua_newtable(L);
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
	lua_setglobal(L, "string");
	lua_pop(L, 1);
}
