/*
 * answer.c - a reply as a table: code, message, enhanced_status_code.  Strings
 * are compared with those it was given, so that nothing is made of a reply that
 * was not touched.
 *
 * The class of the enhanced code is always that of the code, as in slimta; a
 * message may have it in front.
 */
#include <lauxlib.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/lua/validators.h"

void
validators_push_reply(lua_State *L, const struct reply *usual)
{
	lua_createtable(L, 0, 3);
	lua_pushfstring(L, "%d", (int)usual->code);
	lua_setfield(L, -2, "code");
	lua_pushstring(L, usual->text);
	lua_setfield(L, -2, "message");
	if (usual->dsn[0] == '\0')
		return;
	lua_pushstring(L, usual->dsn);
	lua_setfield(L, -2, "enhanced_status_code");
}

/* Is it "X.Y.Z" up to the end, or up to a blank?  Its length, or 0. */
static size_t
enhanced_len(const char *s)
{
	size_t at = 0, len;

	for (int part = 0; part < 3; part++) {
		if ((len = strspn(s + at, "0123456789")) == 0 || len > 3)
			return 0;
		at += len;
		if (part < 2 && s[at++] != '.')
			return 0;
	}
	return s[at] == '\0' || s[at] == ' ' ? at : 0;
}

static void
read_code(lua_State *L, int at, struct reply *r)
{
	const char *text;

	lua_getfield(L, at, "code");
	text = lua_tostring(L, -1);
	if (text == NULL || strlen(text) != 3 ||
	    strspn(text, "0123456789") != 3 || text[0] < '2' ||
	    text[0] > '5')
		luaL_error(L, "reply.code is no code of three digits");
	r->code = (uint16_t)strtoul(text, NULL, 10);
	lua_pop(L, 1);
}

/* With the enhanced code that it may have in front. */
static void
read_message(lua_State *L, int at, const struct reply *usual, struct reply *r)
{
	const char *text;
	size_t len;

	lua_getfield(L, at, "message");
	if ((text = lua_tostring(L, -1)) == NULL)
		luaL_error(L, "reply.message is no text");
	for (const char *p = text; p < text + lua_rawlen(L, -1); p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			luaL_error(L, "reply.message has a control byte");
	if (strcmp(text, usual->text) == 0)
		snprintf(r->dsn, sizeof(r->dsn), "%s", usual->dsn);
	else if ((len = enhanced_len(text)) > 0) {
		snprintf(r->dsn, sizeof(r->dsn), "%.*s", (int)len, text);
		text += len + (text[len] == ' ');
	} else
		snprintf(r->dsn, sizeof(r->dsn), "%s",
		    usual->dsn[0] != '\0' ? "2.0.0" : "");
	snprintf(r->text, sizeof(r->text), "%s", text);
	lua_pop(L, 1);
}

/* false: none is said. */
static void
read_enhanced(lua_State *L, int at, const struct reply *usual,
    struct reply *r)
{
	const char *text;

	if (lua_getfield(L, at, "enhanced_status_code") == LUA_TBOOLEAN &&
	    !lua_toboolean(L, -1)) {
		r->dsn[0] = '\0';
		return;
	}
	if (!lua_isnil(L, -1)) {
		text = lua_tostring(L, -1);
		if (text == NULL || enhanced_len(text) != strlen(text) ||
		    text[0] == '\0')
			luaL_error(L, "reply.enhanced_status_code is none");
		if (strcmp(text, usual->dsn) != 0)
			snprintf(r->dsn, sizeof(r->dsn), "%s", text);
	}
	lua_pop(L, 1);
	if (r->code < 400 && usual->dsn[0] == '\0' && r->dsn[0] == '\0')
		return;
	if (r->dsn[0] == '\0' || strchr(r->dsn, '.') != r->dsn + 1)
		snprintf(r->dsn, sizeof(r->dsn), "2.0.0");
	r->dsn[0] = (char)('0' + r->code / 100);
}

/* Is it one that the command can succeed with? */
static bool
is_success(const struct validators_turn *t, unsigned code)
{
	return code == t->usual.code ||
	    (t->point == POINT_RCPT && (code == 251 || code == 252));
}

void
validators_read_reply(lua_State *L, int at, struct validators_turn *t)
{
	struct reply *r = &t->reply;

	*r = (struct reply){ 0 };
	read_code(L, at, r);
	read_message(L, at, &t->usual, r);
	read_enhanced(L, at, &t->usual, r);
	r->close = r->code == 221 || r->code == 421;
	if (r->code < 400 && r->code != 221 && !is_success(t, r->code))
		luaL_error(L, "reply.code %d is none for %s", (int)r->code,
		    points_word(t->point));
	t->is_changed = r->code != t->usual.code ||
	    strcmp(r->dsn, t->usual.dsn) != 0 ||
	    strcmp(r->text, t->usual.text) != 0;
}
