/*
 * validators.c - from a stage to a function and back.
 */
#include <lauxlib.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "edge/edge.h"
#include "edge/lua/validators.h"
#include "edge/smtp/session.h"

struct validators {
	struct points	 points;
	struct script	*script;	/* NULL: none of ours works	*/
	uint64_t	 last;		/* number of a turn		*/
};

/* A file of the slice: its path, and its bytes in pieces. */
struct reading {
	struct validators *validators;
	struct span	 name;
	char		*bytes;
	size_t		 len;
	enum err	 e;
};

static void
log_failure(const struct validators *v, const struct validators_turn *t)
{
	const struct script_why *why = script_why(v->script);
	const struct session *s = t != NULL ? t->session : NULL;
	char place[sizeof(why->file) + 16];
	struct log_line l;

	log_begin(&l, LOG_trouble);
	if (s != NULL) {
		log_hex(&l, LOG_KEY_session, s->origin.session);
		log_text(&l, LOG_KEY_client, s->origin.client);
		log_text(&l, LOG_KEY_command, s->verb);
	}
	if (why->line == 0 && t != NULL)	/* its reply is none */
		snprintf(place, sizeof(place), "%s:%u",
		    v->points.where[t->point].file,
		    v->points.where[t->point].line);
	else
		snprintf(place, sizeof(place), "%s:%u", why->file, why->line);
	log_text(&l, LOG_KEY_place, place);
	log_text(&l, LOG_KEY_why, why->text);
	log_end(&l);
}

static void
library(lua_State *L, void *arg)
{
	struct validators *v = arg;

	points_open(L, &v->points);
	validators_view(L);
	validators_dns(L);
}

enum err
validators_new(struct validators **out, const char *hostname)
{
	struct validators *v = calloc(1, sizeof(*v));
	enum err e;

	if (v == NULL)
		return ERR_FULL;
	v->points.hostname = hostname;
	e = script_new(&v->script, &script_usual, library, v);
	if (e != OK)
		validators_close(&v);
	*out = v;
	return e;
}

/* One that is wrong is tried again with each call, and refuses meanwhile. */
enum err
validators_add(struct validators *v, struct span name, struct span bytes)
{
	enum err e = script_add(v->script, name, bytes);

	if (e != ERR_PEER)
		return e;
	log_failure(v, NULL);
	for (int p = 0; p < POINT__COUNT; p++)
		v->points.has[p] = true;
	return OK;
}

static void
end_file(struct reading *r)
{
	if (r->name.len > 0 && r->e == OK)
		r->e = validators_add(r->validators, r->name,
		    (struct span){ r->bytes, r->len });
	r->len = 0;
}

static void
on_value(struct span text, uint64_t is_more, void *arg)
{
	struct reading *r = arg;

	if (is_more == 0) {
		end_file(r);
		r->name = text;
	} else if (r->len + text.len <= SCRIPT_FILE_MAX) {
		memcpy(r->bytes + r->len, text.ptr, text.len);
		r->len += text.len;
	} else
		r->e = ERR_PEER;
}

enum err
validators_open(struct validators **out, const struct slice *edge,
    const char *hostname)
{
	struct reading r = { .e = OK };

	*out = NULL;
	if (slice_count(edge, "validators") == 0)
		return OK;
	if ((r.bytes = malloc(SCRIPT_FILE_MAX)) == NULL)
		return ERR_FULL;
	if ((r.e = validators_new(&r.validators, hostname)) == OK) {
		slice_each(edge, "validators", on_value, &r);
		end_file(&r);
	}
	free(r.bytes);
	if (r.e != OK)
		validators_close(&r.validators);
	*out = r.validators;
	return r.e;
}

void
validators_close(struct validators **vp)
{
	struct validators *v = *vp;

	*vp = NULL;
	if (v == NULL)
		return;
	script_free(&v->script);
	free(v);
}

bool
validators_has(const struct validators *v, enum point p)
{
	return v != NULL && v->points.has[p];
}

bool
validators_banner(const struct validators *v, struct reply *r)
{
	if (v->points.banner_code[0] == '\0')
		return false;
	*r = (struct reply){ .code =
	    (uint16_t)strtoul(v->points.banner_code, NULL, 10) };
	snprintf(r->text, sizeof(r->text), "%s", v->points.banner);
	r->close = r->code == 421;
	if (r->code >= 400)
		snprintf(r->dsn, sizeof(r->dsn), "%u.0.0", r->code / 100);
	return true;
}

/* The function has returned; the reply's table is on top again. */
static int
after(lua_State *L, int status, lua_KContext ctx)
{
	struct validators_turn *t = (struct validators_turn *)ctx;

	validators_read_reply(L, lua_gettop(L), t);
	return 0;
}

static int
enter(lua_State *L)
{
	struct validators_turn *t = lua_touserdata(L, 1);
	int more;

	validators_push_reply(L, &t->usual);
	points_push(L, t->point);
	validators_push_session(L, t);
	lua_pushvalue(L, -3);
	more = validators_push_more(L, t);
	lua_callk(L, 2 + more, 0, (lua_KContext)t, after);
	return after(L, LUA_OK, (lua_KContext)t);
}

/* What is said when it has failed. */
static void
fail(struct validators_turn *t)
{
	static const struct reply away = { 451, "4.3.0",
	    "This cannot be judged now, try again later", false };

	log_failure(t->validators, t);
	t->reply = away;
	t->is_changed = true;
	if (t->point == POINT_BANNER) {
		t->reply.code = 421;
		t->reply.close = true;
	}
}

static enum script_end
ended(struct validators_turn *t, enum script_end end)
{
	if (end == SCRIPT_FAILED)
		fail(t);
	return end;
}

enum script_end
validators_run(struct validators *v, struct validators_turn *t)
{
	t->validators = v;
	t->no = ++v->last;
	t->is_changed = false;
	t->call = (struct script_call){ .may_wait = true, .arg = t };
	return ended(t, script_call(v->script, &t->call, enter, t));
}

enum script_end
validators_go_on(struct validators_turn *t)
{
	return ended(t, script_go_on(&t->call));
}

void
validators_end(struct validators_turn *t)
{
	script_drop(&t->call);
	validators_forget(t);
}
