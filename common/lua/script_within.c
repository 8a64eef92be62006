/*
 * script_within.c - what functions that are given to a script may call, and the
 * count hook.  Once the steps are used up each instruction is an error.
 */
#include <lauxlib.h>

#include "lua/script_inside.h"
#include "sys/clock.h"

struct script *
script_of(lua_State *L)
{
	void *arg;

	(void)lua_getallocf(L, &arg);
	return arg;
}

struct script_call *
script_under_way(lua_State *L)
{
	return script_of(L)->now;
}

uint64_t *
script_steps(lua_State *L)
{
	return &script_of(L)->left;
}

static void
end_it(lua_State *L, struct script *s, const char *why)
{
	if (!s->is_spent)
		lua_sethook(L, script_on_count, LUA_MASKCOUNT, 1);
	s->is_spent = true;
	luaL_error(L, "%s", why);
}

void
script_pay(lua_State *L, uint64_t steps)
{
	struct script *s = script_of(L);

	s->left -= s->left > steps ? steps : s->left;
	if (s->left == 0)
		end_it(L, s, "it takes too many steps");
	if (clock_mono_ms() >= s->until_ms)
		end_it(L, s, "it takes too long");
}

void
script_on_count(lua_State *L, lua_Debug *ar)
{
	script_pay(L, script_of(L)->is_spent ? 0 : SCRIPT_HOOK_EVERY);
}

int
script_wait(lua_State *L, script_cancel_fn *cancel, void *arg, lua_KFunction k,
    lua_KContext ctx)
{
	struct script_call *call = script_under_way(L);

	if (call == NULL || !call->may_wait)
		return luaL_error(L, "nothing may be waited for here");
	call->cancel = cancel;
	call->cancel_arg = arg;
	return lua_yieldk(L, 0, ctx, k);
}
