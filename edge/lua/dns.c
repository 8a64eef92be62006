/*
 * dns.c - dns.lookup(): a question to the resolver, for which the function
 * waits and its session with it, and nobody else.
 *
 * What was asked belongs to the turn, so that it goes with it however that
 * ends; the answer's records are copied, for they are the resolver's.
 */
#include <arpa/inet.h>

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ask/dnsname.h"
#include "ask/resolve.h"
#include "edge/edge.h"
#include "edge/lua/validators.h"
#include "edge/smtp/session.h"

#define TEXT_MAX	(16u << 10)	/* bytes of a TXT record	*/

struct validators_asked {
	struct validators_turn *turn;
	struct resolve_query *query;
	uint16_t	 rrtype;
	enum resolve_status status;
	char		*bytes;
	size_t		 len;
};

static const struct {
	const char	*word;
	uint16_t	 rrtype;
} types[] = {
	{ "A", RESOLVE_A }, { "AAAA", RESOLVE_AAAA }, { "MX", RESOLVE_MX },
	{ "PTR", RESOLVE_PTR }, { "TXT", RESOLVE_TXT },
};

void
validators_forget(struct validators_turn *t)
{
	struct validators_asked *a = t->asked;

	t->asked = NULL;
	if (a == NULL)
		return;
	resolve_cancel(&a->query);
	free(a->bytes);
	free(a);
}

static void
on_answer(const struct resolve_answer *answer, void *arg)
{
	struct validators_asked *a = arg;

	a->query = NULL;
	a->status = answer->status;
	if (answer->status == RESOLVED && answer->records.len > 0) {
		a->len = answer->records.len;
		if ((a->bytes = malloc(a->len)) == NULL)
			a->status = RESOLVED_FAILED;
		else
			memcpy(a->bytes, answer->records.ptr, a->len);
	}
	a->turn->on_here(a->turn->session);
}

/* A name as people write it, without its last dot; false: it is none. */
static bool
push_name(lua_State *L, struct span wire)
{
	char text[DNSNAME_TEXT];
	size_t len;

	if (!dnsname_of_wire(wire, text))
		return false;
	len = strlen(text);
	lua_pushlstring(L, text, len > 0 ? len - 1 : 0);
	return true;
}

static bool
push_address(lua_State *L, struct span bytes)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(bytes.len == 4 ? AF_INET : AF_INET6, bytes.ptr, text,
	    sizeof(text)) == NULL)
		return false;
	lua_pushstring(L, text);
	return true;
}

/* Strings with a length in front, all of them as one. */
static bool
push_text(lua_State *L, struct span wire)
{
	luaL_Buffer b;

	if (wire.len > TEXT_MAX)
		return false;
	luaL_buffinit(L, &b);
	while (wire.len > 0) {
		struct span one = span_head(span_tail(wire, 1),
		    (unsigned char)wire.ptr[0]);

		luaL_addlstring(&b, one.ptr, one.len);
		wire = span_tail(wire, 1 + one.len);
	}
	luaL_pushresult(&b);
	return true;
}

/* "10 mx.example.org" */
static bool
push_mx(lua_State *L, struct span wire)
{
	const unsigned char *p = (const unsigned char *)wire.ptr;

	if (wire.len < 3 || !push_name(L, span_tail(wire, 2)))
		return false;
	lua_pushfstring(L, "%d %s", p[0] << 8 | p[1], lua_tostring(L, -1));
	lua_remove(L, -2);
	return true;
}

static bool
push_record(lua_State *L, uint16_t rrtype, struct span wire)
{
	switch (rrtype) {
	case RESOLVE_A:
		return wire.len == 4 && push_address(L, wire);
	case RESOLVE_AAAA:
		return wire.len == 16 && push_address(L, wire);
	case RESOLVE_MX:
		return push_mx(L, wire);
	case RESOLVE_PTR:
		return push_name(L, wire);
	default:
		return push_text(L, wire);
	}
}

/* An array of texts, empty where the name has none; nil where nobody knows. */
static int
push_answer(lua_State *L, const struct validators_asked *a)
{
	struct span records = { a->bytes, a->len }, one = { NULL, 0 };
	lua_Integer cnt = 0;

	if (a->status == RESOLVED_FAILED) {
		lua_pushnil(L);
		return 1;
	}
	lua_newtable(L);
	script_pay(L, 1 + a->len / 4);
	while (resolve_record(&records, &one))
		if (push_record(L, a->rrtype, one))
			lua_rawseti(L, -2, ++cnt);
	return 1;
}

static int
answered(lua_State *L, int status, lua_KContext ctx)
{
	struct validators_turn *t = (struct validators_turn *)ctx;

	return push_answer(L, t->asked);
}

/* The name to ask for: of an address, where PTR is wanted, the reverse one. */
static bool
name_of(lua_State *L, uint16_t rrtype, char out[DNSNAME_MAX + 1])
{
	struct resolve_address address;
	struct span name;

	name.ptr = luaL_checklstring(L, 1, &name.len);
	if (rrtype == RESOLVE_PTR && resolve_literal(name, &address))
		return dnsname_reversed(out, address.bytes,
		    address.family == 4 ? 4 : 16, address.family == 4 ?
		    SPAN("in-addr.arpa") : SPAN("ip6.arpa"));
	return dnsname_fold(name, out);
}

/* dns.lookup(name, type) */
static int
lookup(lua_State *L)
{
	const char *word = luaL_optstring(L, 2, "A");
	struct script_call *call = script_under_way(L);
	struct validators_turn *t = call->arg;
	char name[DNSNAME_MAX + 1];
	size_t i = 0;

	while (i < sizeof(types) / sizeof(*types) &&
	    strcasecmp(word, types[i].word) != 0)
		i++;
	if (i == sizeof(types) / sizeof(*types))
		return luaL_error(L, "no records are of type `%s'", word);
	if (t == NULL || !lua_isyieldable(L))
		return luaL_error(L, "nothing may be waited for here");
	script_pay(L, 1000);
	validators_forget(t);
	if ((t->asked = calloc(1, sizeof(*t->asked))) == NULL)
		return luaL_error(L, "no memory");
	t->asked->turn = t;
	t->asked->rrtype = types[i].rrtype;
	t->asked->status = RESOLVED_NODATA;
	if (!name_of(L, types[i].rrtype, name))
		return push_answer(L, t->asked);
	t->asked->status = RESOLVED_FAILED;
	if (t->session->edge->resolve != NULL)
		t->asked->query = resolve_ask(t->session->edge->resolve,
		    types[i].rrtype, span_of(name), on_answer, t->asked);
	if (t->asked->query == NULL)
		return push_answer(L, t->asked);
	return script_wait(L, NULL, NULL, answered, (lua_KContext)t);
}

void
validators_dns(lua_State *L)
{
	lua_newtable(L);
	lua_pushcfunction(L, lookup);
	lua_setfield(L, -2, "lookup");
	lua_setglobal(L, "dns");
}
