/*
 * points.c - functions lie in the registry, one a point.
 *
 * The names of set_validator and smtp_edge are those of slimta's documents,
 * whose examples are to run as they stand there.
 */
#include <lauxlib.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lua/points.h"

static const char functions[] = "postern.points";	/* its address */

static const char *const words[POINT__COUNT] = {
#define POINT_WORD(id, word)	[POINT_##id] = word,
	POINTS(POINT_WORD)
#undef POINT_WORD
};

const char *
points_word(enum point p)
{
	return words[p];
}

static struct points *
points_of(lua_State *L)
{
	return lua_touserdata(L, lua_upvalueindex(1));
}

/* The function on top begins there. */
static void
note_place(lua_State *L, struct points *points, int p)
{
	lua_Debug ar;

	(void)lua_getinfo(L, ">S", &ar);
	snprintf(points->where[p].file, sizeof(points->where[p].file), "%s",
	    ar.source[0] == '@' ? ar.source + 1 : ar.source);
	points->where[p].line = ar.linedefined > 0 ?
	    (unsigned)ar.linedefined : 0;
	points->has[p] = true;
}

/* set_validator(command, function), or smtp_edge:set_validator(...). */
static int
set_validator(lua_State *L)
{
	int first = lua_istable(L, 1) ? 2 : 1;
	const char *word = luaL_checkstring(L, first);

	luaL_checktype(L, first + 1, LUA_TFUNCTION);
	for (int p = 0; p < POINT__COUNT; p++)
		if (strcasecmp(word, words[p]) == 0) {
			lua_rawgetp(L, LUA_REGISTRYINDEX, functions);
			lua_pushvalue(L, first + 1);
			lua_rawseti(L, -2, p + 1);
			lua_pushvalue(L, first + 1);
			note_place(L, points_of(L), p);
			return 0;
		}
	return luaL_error(L, "no command is called `%s'", word);
}

/* smtp_edge:set_banner_message("220", text) */
static int
set_banner(lua_State *L)
{
	struct points *points = points_of(L);
	const char *code = luaL_checkstring(L, 2);
	const char *text = luaL_checkstring(L, 3);

	if (strlen(code) != 3 || strspn(code, "0123456789") != 3 ||
	    strchr("245", code[0]) == NULL)
		return luaL_error(L, "`%s' is no code of a greeting", code);
	if (strlen(text) >= sizeof(points->banner) ||
	    strcspn(text, "\r\n") != lua_rawlen(L, 3))
		return luaL_error(L, "a greeting is one line of at most %d "
		    "bytes", POINTS_BANNER_MAX - 1);
	snprintf(points->banner_code, sizeof(points->banner_code), "%s", code);
	snprintf(points->banner, sizeof(points->banner), "%s", text);
	return 0;
}

static void
set(lua_State *L, lua_CFunction f, struct points *points, const char *name)
{
	lua_pushlightuserdata(L, points);
	lua_pushcclosure(L, f, 1);
	lua_setfield(L, -2, name);
}

void
points_open(lua_State *L, void *arg)
{
	struct points *points = arg;

	lua_createtable(L, POINT__COUNT, 0);
	lua_rawsetp(L, LUA_REGISTRYINDEX, functions);
	lua_newtable(L);
	set(L, set_validator, points, "set_validator");
	set(L, set_banner, points, "set_banner_message");
	lua_setglobal(L, "smtp_edge");
	lua_pushglobaltable(L);
	set(L, set_validator, points, "set_validator");
	lua_pushstring(L, points->hostname != NULL ? points->hostname :
	    "localhost");
	lua_setfield(L, -2, "hostname");
	lua_pop(L, 1);
}

void
points_push(lua_State *L, enum point p)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, functions);
	if (lua_rawgeti(L, -1, p + 1) != LUA_TFUNCTION)
		luaL_error(L, "no function for %s is set any more", words[p]);
	lua_remove(L, -2);
}

/* What waits has nothing to ask while a file is read. */
static int
no_waiting(lua_State *L)
{
	return luaL_error(L, "nothing may be waited for here");
}

static void
open_for_check(lua_State *L, void *arg)
{
	points_open(L, arg);
	lua_newtable(L);
	lua_pushcfunction(L, no_waiting);
	lua_setfield(L, -2, "lookup");
	lua_setglobal(L, "dns");
}

enum err
points_check(struct span name, struct span bytes, struct script_why *why)
{
	struct points points = { .hostname = NULL };
	struct script *s;
	enum err e;

	if ((e = script_compile(name, bytes, why)) != OK)
		return e;
	if ((e = script_new(&s, &script_usual, open_for_check,
	    &points)) != OK)
		return e;
	if ((e = script_add(s, name, bytes)) != OK)
		*why = *script_why(s);
	script_free(&s);
	return e;
}
