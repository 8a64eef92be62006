/*
 * script.c - the state, its bounds, and calls.
 *
 * Everything that touches the state runs protected, in a thread: without that
 * an error of Lua's (out of memory, most of all) would end the process.  Two
 * ways out of the bounds are closed here.  A script may catch an error with
 * pcall() and go on: once its steps are used up each further instruction is an
 * error again, so nothing within it can go on.  And a refusal of memory costs
 * steps, for each makes Lua collect garbage in all of its memory first.
 */
#include <lauxlib.h>
#include <lualib.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/script_inside.h"
#include "sys/clock.h"

#define REFUSAL_COST	100000u		/* steps			*/
#define STRING_ROOM	64u		/* bytes of its own in each	*/

const struct script_limits script_usual = {
	.memory = 8u << 20, .made = 64u << 20, .steps = 1000000, .ms = 2000,
};

/* Why may it not have so much?  NULL: it may. */
static const char *
refusal(const struct script *s, const void *ptr, size_t kind, size_t more)
{
	if (ptr == NULL && kind == LUA_TSTRING &&
	    more > SCRIPT_STRING_MAX + STRING_ROOM)
		return "a string would be longer than 64 KiB";
	if (more > s->limits.memory - s->used)
		return "it would hold more memory than it may";
	if (more > s->limits.made - s->made)
		return "it has asked for more memory than a call may";
	return NULL;
}

/* lua_Alloc: old_len is the kind of a new thing where ptr is NULL. */
static void *
allocate(void *arg, void *ptr, size_t old_len, size_t len)
{
	struct script *s = arg;
	size_t old = ptr != NULL ? old_len : 0;
	size_t more = len > old ? len - old : 0;
	const char *no;
	void *p;

	if (len == 0) {
		free(ptr);
		s->used -= old;
		return NULL;
	}
	if (more > 0 && (no = refusal(s, ptr, old_len, more)) != NULL) {
		s->left -= s->left > REFUSAL_COST ? REFUSAL_COST : s->left;
		s->refused = no;
		return NULL;
	}
	if ((p = realloc(ptr, len)) == NULL)
		return more > 0 ? NULL : ptr;
	s->used += len - old;
	s->made += more;
	return p;
}

/* Where the thread stands: the innermost function of a file. */
static void
find_place(lua_State *L, struct script_why *why)
{
	lua_Debug ar;

	for (int level = 0; lua_getstack(L, level, &ar); level++) {
		if (lua_getinfo(L, "Sl", &ar) == 0 || ar.currentline <= 0)
			continue;
		snprintf(why->file, sizeof(why->file), "%s",
		    ar.source[0] == '@' ? ar.source + 1 : ar.source);
		why->line = (unsigned)ar.currentline;
		return;
	}
}

/* What Lua puts in front, "FILE:LINE: ", is said in fields of their own. */
static const char *
without_place(const char *text)
{
	const char *at = text;

	while ((at = strchr(at, ':')) != NULL) {
		size_t digits = strspn(at + 1, "0123456789");

		if (digits > 0 && at[1 + digits] == ':')
			return at[2 + digits] == ' ' ? at + 3 + digits :
			    at + 2 + digits;
		at++;
	}
	return text;
}

/* The line that it names itself, else where the thread stands. */
static void
explain(struct script *s, lua_State *L, int status)
{
	struct script_why *why = &s->why;
	const char *text = "it raised an error that is no text";

	*why = (struct script_why){ .line = 0 };
	if (status == LUA_ERRMEM)
		text = s->refused != NULL ? s->refused : "no memory";
	else if (lua_type(L, -1) == LUA_TSTRING)
		text = without_place(lua_tostring(L, -1));
	snprintf(why->text, sizeof(why->text), "%s", text);
	find_place(L, why);
}

/* Of "FILE:LINE: what is wrong near 'WORD'": syntax knows no thread. */
static void
explain_syntax(struct script *s, struct span name, const char *text)
{
	struct script_why *why = &s->why;
	const char *rest = without_place(text), *at;

	*why = (struct script_why){ .line = 0 };
	snprintf(why->text, sizeof(why->text), "%s", rest);
	(void)!span_cstr(name, why->file, sizeof(why->file));
	for (at = rest; at > text && at[-1] != ':'; at--)
		continue;
	if (at > text)
		for (at--; at > text && at[-1] != ':'; at--)
			continue;
	why->line = (unsigned)strtoul(at, NULL, 10);
}

/* Give the call its bounds. */
static void
set_bounds(struct script *s, struct script_call *call, uint64_t steps)
{
	s->now = call;
	s->left = steps;
	s->made = 0;
	s->refused = NULL;
	s->is_spent = false;
	s->until_ms = clock_mono_ms() + s->limits.ms;
}

/* In the main thread, protected. */
static int
make_thread(lua_State *L)
{
	struct script_call *call = lua_touserdata(L, 1);

	call->thread = lua_newthread(L);
	call->ref = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

static enum err
take_thread(struct script *s, struct script_call *call)
{
	int status;

	if (s->spare != NULL) {
		call->thread = s->spare;
		call->ref = s->spare_ref;
		s->spare = NULL;
		return OK;
	}
	lua_pushcfunction(s->state, make_thread);
	lua_pushlightuserdata(s->state, call);
	if ((status = lua_pcall(s->state, 1, 0, 0)) == LUA_OK)
		return OK;
	explain(s, s->state, status);
	lua_settop(s->state, 0);
	return ERR_PEER;
}

/* A thread that ended well serves the next call. */
static void
give_thread(struct script *s, struct script_call *call, bool is_whole)
{
	if (is_whole && s->spare == NULL && !s->is_spent) {
		lua_settop(call->thread, 0);
		s->spare = call->thread;
		s->spare_ref = call->ref;
	} else
		luaL_unref(s->state, LUA_REGISTRYINDEX, call->ref);
	call->script = NULL;
}

static enum script_end
resume(struct script_call *call, int arg_cnt)
{
	struct script *s = call->script;
	int result_cnt, status;

	status = lua_resume(call->thread, NULL, arg_cnt, &result_cnt);
	s->now = NULL;
	call->steps = s->left;
	if (s->refused != NULL)
		s->is_stale = true;
	if (status == LUA_YIELD) {
		s->call_cnt++;
		return SCRIPT_WAITS;
	}
	if (status != LUA_OK)
		explain(s, call->thread, status);
	give_thread(s, call, status == LUA_OK);
	return status == LUA_OK ? SCRIPT_DONE : SCRIPT_FAILED;
}

static enum err	begin(struct script *);

enum script_end
script_call(struct script *s, struct script_call *call, lua_CFunction enter,
    void *arg)
{
	if (s->is_stale && s->call_cnt == 0 && begin(s) != OK)
		return SCRIPT_FAILED;
	call->script = s;
	call->cancel = NULL;
	call->pcall_cnt = 0;
	set_bounds(s, call, s->limits.steps);
	if (take_thread(s, call) != OK) {
		s->now = NULL;
		s->is_stale = true;
		call->script = NULL;
		return SCRIPT_FAILED;
	}
	lua_pushcfunction(call->thread, enter);
	lua_pushlightuserdata(call->thread, arg);
	return resume(call, 1);
}

enum script_end
script_go_on(struct script_call *call)
{
	struct script *s = call->script;

	s->call_cnt--;
	call->cancel = NULL;
	set_bounds(s, call, call->steps);
	return resume(call, 0);
}

void
script_drop(struct script_call *call)
{
	struct script *s = call->script;

	if (s == NULL)
		return;
	s->call_cnt--;
	if (call->cancel != NULL)
		call->cancel(call->cancel_arg);
	call->cancel = NULL;
	give_thread(s, call, false);
}

/* What each new state has, protected. */
static int
open_all(lua_State *L)
{
	struct script *s = script_of(L);

	script_base(L);
	script_string(L);
	if (s->library != NULL)
		s->library(L, s->arg);
	return 0;
}

static int
run_chunk(lua_State *L)
{
	const struct script_file *f = lua_touserdata(L, 1);

	/* Compiled already, to say where the mistake is. */
	if (luaL_loadbufferx(L, f->bytes.ptr, f->bytes.len, f->name, "t") !=
	    LUA_OK)
		return lua_error(L);
	lua_call(L, 0, 0);
	return 0;
}

/* In a thread as any call, for its place if it fails. */
static enum err
run_file(struct script *s, struct script_file *f)
{
	struct script_call call = { .may_wait = false };

	switch (script_call(s, &call, run_chunk, f)) {
	case SCRIPT_DONE:
		return OK;
	default:
		script_drop(&call);
		return ERR_PEER;
	}
}

static void
end(struct script *s)
{
	if (s->state != NULL)
		lua_close(s->state);
	s->state = s->spare = NULL;
	s->used = 0;
}

/* A new state, with all files. */
static enum err
begin(struct script *s)
{
	struct script_file *f;
	enum err e = OK;
	int status;

	end(s);
	set_bounds(s, NULL, s->limits.steps);
	s->is_stale = true;
	if ((s->state = lua_newstate(allocate, s)) == NULL)
		return ERR_FULL;
	lua_pushcfunction(s->state, open_all);
	if ((status = lua_pcall(s->state, 0, 0, 0)) != LUA_OK) {
		explain(s, s->state, status);
		return ERR_PEER;
	}
	lua_sethook(s->state, script_on_count, LUA_MASKCOUNT,
	    SCRIPT_HOOK_EVERY);
	s->is_stale = false;
	STAILQ_FOREACH(f, &s->files, entry)
		if ((e = run_file(s, f)) != OK)
			break;
	if (e != OK)
		s->is_stale = true;
	return e;
}

enum err
script_new(struct script **out, const struct script_limits *limits,
    script_library_fn *library, void *arg)
{
	struct script *s = calloc(1, sizeof(*s));
	enum err e;

	if (s == NULL)
		return ERR_FULL;
	s->limits = *limits;
	s->library = library;
	s->arg = arg;
	STAILQ_INIT(&s->files);
	if ((e = begin(s)) != OK) {
		script_free(&s);
		return e;
	}
	*out = s;
	return OK;
}

void
script_free(struct script **sp)
{
	struct script *s = *sp;
	struct script_file *f;

	*sp = NULL;
	if (s == NULL)
		return;
	end(s);
	while ((f = STAILQ_FIRST(&s->files)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->files, entry);
		free(f->name);
		free(f);
	}
	free(s);
}

/* One block: the name and its NUL, then the bytes. */
static struct script_file *
new_file(struct span name, struct span bytes)
{
	struct script_file *f = malloc(sizeof(*f));
	size_t head = name.len + 2;

	if (f == NULL)
		return NULL;
	if ((f->name = malloc(head + bytes.len + 1)) == NULL) {
		free(f);
		return NULL;
	}
	f->name[0] = '@';
	memcpy(f->name + 1, name.ptr, name.len);
	f->name[head - 1] = '\0';
	if (bytes.len > 0)
		memcpy(f->name + head, bytes.ptr, bytes.len);
	f->bytes = (struct span){ f->name + head, bytes.len };
	return f;
}

enum err
script_add(struct script *s, struct span name, struct span bytes)
{
	struct script_file *f;
	enum err e;

	if ((e = script_compile(name, bytes, &s->why)) != OK)
		return e;
	if ((f = new_file(name, bytes)) == NULL)
		return ERR_FULL;
	STAILQ_INSERT_TAIL(&s->files, f, entry);
	if ((e = run_file(s, f)) != OK)
		s->is_stale = true;
	return e;
}

const struct script_why *
script_why(const struct script *s)
{
	return &s->why;
}

static int
compile(lua_State *L)
{
	const struct script_file *f = lua_touserdata(L, 1);

	if (luaL_loadbufferx(L, f->bytes.ptr, f->bytes.len, f->name, "t") !=
	    LUA_OK)
		return lua_error(L);
	return 0;
}

enum err
script_compile(struct span name, struct span bytes, struct script_why *why)
{
	struct script s = { .limits = script_usual };
	struct script_file *f;
	enum err e = OK;
	int status;

	if (bytes.len > SCRIPT_FILE_MAX) {
		*why = (struct script_why){ .line = 0,
		    .text = "it is larger than 256 KiB" };
		return ERR_PEER;
	}
	set_bounds(&s, NULL, s.limits.steps);
	f = new_file(name, bytes);
	s.state = f != NULL ? lua_newstate(allocate, &s) : NULL;
	if (s.state != NULL) {
		lua_pushcfunction(s.state, compile);
		lua_pushlightuserdata(s.state, f);
		if ((status = lua_pcall(s.state, 1, 0, 0)) == LUA_ERRMEM)
			explain(&s, s.state, status);
		else if (status != LUA_OK)
			explain_syntax(&s, name, lua_tostring(s.state, -1));
		if (status != LUA_OK) {
			*why = s.why;
			e = ERR_PEER;
		}
		lua_close(s.state);
	} else
		e = ERR_FULL;
	if (f != NULL)
		free(f->name);
	free(f);
	return e;
}
