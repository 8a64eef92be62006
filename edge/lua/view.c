/*
 * view.c - the session as a function sees it: read, and never written.
 *
 * The object holds the number of its turn and nothing else, so that one which
 * a script has kept is no way to a session that is gone.
 */
#include <lauxlib.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "edge/edge.h"
#include "edge/lua/validators.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

#define SESSION_TYPE	"session"
#define MESSAGE_TYPE	"message"

static const struct validators_turn *
turn_of(lua_State *L, const char *type)
{
	const uint64_t *no = luaL_checkudata(L, 1, type);
	const struct validators_turn *t = script_under_way(L)->arg;

	if (t == NULL || t->no != *no)
		luaL_error(L, "this %s is over", type);
	return t;
}

static void
push_span(lua_State *L, struct span s)
{
	lua_pushlstring(L, s.len > 0 ? s.ptr : "", s.len);
}

static void
push_message(lua_State *L, const struct transaction *t)
{
	struct envelope_rcpt r;
	size_t at = 0;

	if (t == NULL) {
		lua_pushnil(L);
		return;
	}
	lua_createtable(L, 0, 2);
	push_span(L, envelope_sender(&t->envelope));
	lua_setfield(L, -2, "sender");
	lua_createtable(L, (int)t->envelope.rcpt_cnt, 0);
	for (unsigned i = 0; i < t->envelope.rcpt_cnt; i++) {
		envelope_rcpt(&t->envelope, &at, &r);
		push_span(L, r.address);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "recipients");
}

/* Strings; NULL is nil. */
static const char *
text_of(const struct session *s, const char *key)
{
	const struct origin *o = &s->origin;

	if (strcmp(key, "from_ip") == 0)
		return o->client;
	if (strcmp(key, "from_host") == 0)
		return o->name;
	if (strcmp(key, "security") == 0)
		return o->is_secure ? "TLS" : "none";
	if (strcmp(key, "ehlo_as") == 0)
		return s->helo != NULL ? s->helo : o->helo;
	if (strcmp(key, "tls_version") == 0)
		return o->tls_version;
	if (strcmp(key, "tls_cipher") == 0)
		return o->tls_cipher;
	if (strcmp(key, "hostname") == 0)
		return s->edge->set.hostname;
	return NULL;
}

static int
session_index(lua_State *L)
{
	const struct session *s = turn_of(L, SESSION_TYPE)->session;
	const char *key = luaL_checkstring(L, 2);
	char id[17];

	if (strcmp(key, "authed") == 0) {
		if (s->origin.login != NULL)
			lua_pushstring(L, s->origin.login);
		else
			lua_pushboolean(L, 0);
	} else if (strcmp(key, "message") == 0)
		push_message(L, s->transaction);
	else if (strcmp(key, "is_local") == 0)
		lua_pushboolean(L, origin_is_local(&s->origin));
	else if (strcmp(key, "protocol") == 0)
		push_span(L, origin_with(&s->origin, false));
	else if (strcmp(key, "id") == 0) {
		snprintf(id, sizeof(id), "%016" PRIx64, s->origin.session);
		lua_pushstring(L, id);
	} else
		lua_pushstring(L, text_of(s, key));
	return 1;
}

static int
session_newindex(lua_State *L)
{
	return luaL_error(L, "a %s is not to be changed",
	    lua_tostring(L, lua_upvalueindex(1)));
}

/* The line that begins at *at, with those that continue it; *at moves on. */
static struct span
next_field(struct span header, size_t *at)
{
	size_t begin = *at, end = begin;

	do {
		struct span line = span_tail(header, end);

		end += span_find(line, '\n') + 1;
	} while (end < header.len && (header.ptr[end] == ' ' ||
	    header.ptr[end] == '\t'));
	*at = end;
	return span_head(span_tail(header, begin), end - begin);
}

/* What stands behind the colon, unfolded, if it is a field of this name. */
static bool
push_value(lua_State *L, struct span field, struct span name)
{
	size_t colon = span_find(field, ':');
	struct span value = span_tail(field, colon + 1);
	luaL_Buffer b;

	if (colon == field.len ||
	    !span_eq_nocase(span_trim(span_head(field, colon)), name))
		return false;
	while (value.len > 0 && strchr(" \t\r\n", value.ptr[0]) != NULL)
		value = span_tail(value, 1);
	while (value.len > 0 &&
	    strchr(" \t\r\n", value.ptr[value.len - 1]) != NULL)
		value.len--;
	luaL_buffinit(L, &b);
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] != '\r' && value.ptr[i] != '\n')
			luaL_addchar(&b, value.ptr[i]);
	luaL_pushresult(&b);
	return true;
}

/* message:header(name), message:headers(name). */
static int
find_fields(lua_State *L, bool all)
{
	const struct validators_turn *t = turn_of(L, MESSAGE_TYPE);
	struct span header = text_header(&t->session->transaction->text);
	struct span name;
	lua_Integer cnt = 0;
	size_t at = 0;

	name.ptr = luaL_checklstring(L, 2, &name.len);
	script_pay(L, 1 + header.len / 16);
	if (all)
		lua_newtable(L);
	while (at < header.len) {
		if (!push_value(L, next_field(header, &at), name))
			continue;
		if (!all)
			return 1;
		lua_rawseti(L, -2, ++cnt);
	}
	if (!all)
		lua_pushnil(L);
	return 1;
}

static int
message_header(lua_State *L)
{
	return find_fields(L, false);
}

static int
message_headers(lua_State *L)
{
	return find_fields(L, true);
}

static int
message_index(lua_State *L)
{
	const struct text *text =
	    &turn_of(L, MESSAGE_TYPE)->session->transaction->text;
	const char *key = luaL_checkstring(L, 2);

	if (strcmp(key, "size") == 0)
		lua_pushinteger(L, (lua_Integer)text->size);
	else if (strcmp(key, "header_size") == 0)
		lua_pushinteger(L, (lua_Integer)text_header(text).len);
	else if (strcmp(key, "header") == 0)
		lua_pushcfunction(L, message_header);
	else if (strcmp(key, "headers") == 0)
		lua_pushcfunction(L, message_headers);
	else
		lua_pushnil(L);
	return 1;
}

static void
make_type(lua_State *L, const char *type, lua_CFunction index)
{
	luaL_newmetatable(L, type);
	lua_pushcfunction(L, index);
	lua_setfield(L, -2, "__index");
	lua_pushstring(L, type);
	lua_pushcclosure(L, session_newindex, 1);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

void
validators_view(lua_State *L)
{
	make_type(L, SESSION_TYPE, session_index);
	make_type(L, MESSAGE_TYPE, message_index);
}

static void
push_object(lua_State *L, const struct validators_turn *t, const char *type)
{
	*(uint64_t *)lua_newuserdatauv(L, sizeof(t->no), 0) = t->no;
	luaL_setmetatable(L, type);
}

void
validators_push_session(lua_State *L, const struct validators_turn *t)
{
	push_object(L, t, SESSION_TYPE);
}

/* What MAIL said besides. */
static void
push_params(lua_State *L, const struct transaction *t)
{
	static const char *const bodies[] = {
		[BODY_7BIT] = "7BIT", [BODY_8BITMIME] = "8BITMIME",
		[BODY_BINARYMIME] = "BINARYMIME",
	};

	lua_createtable(L, 0, 3);
	if (t->size_hint > 0) {
		lua_pushinteger(L, (lua_Integer)t->size_hint);
		lua_setfield(L, -2, "SIZE");
	}
	lua_pushstring(L, bodies[t->body]);
	lua_setfield(L, -2, "BODY");
	lua_pushboolean(L, t->has_smtputf8);
	lua_setfield(L, -2, "SMTPUTF8");
}

int
validators_push_more(lua_State *L, const struct validators_turn *t)
{
	const struct session *s = t->session;
	char id[ID_TEXT_LEN + 1];

	switch (t->point) {
	case POINT_BANNER:
		lua_pushstring(L, s->origin.client);
		return 1;
	case POINT_EHLO:
	case POINT_HELO:
		lua_pushstring(L, s->helo);
		return 1;
	case POINT_AUTH:
		lua_pushstring(L, s->claims);
		return 1;
	case POINT_MAIL:
		push_span(L, envelope_sender(&s->transaction->envelope));
		push_params(L, s->transaction);
		return 2;
	case POINT_RCPT:
		push_span(L, envelope_last(&s->transaction->envelope));
		return 1;
	case POINT_HAVE_DATA:
		push_object(L, t, MESSAGE_TYPE);
		return 1;
	case POINT_QUEUED:
		id_text(s->transaction->stream.id, id);
		lua_pushstring(L, id);
		return 1;
	default:
		return 0;
	}
}
