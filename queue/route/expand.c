/*
 * expand.c - addresses in the order they were named, each with the one that
 * named it: those behind `at' are still to be asked about.
 */
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "queue/route/expand.h"
#include "queue/route/route.h"

#define NOBODY	UINT32_MAX	/* by: it was said itself */

struct named {
	uint32_t	 by;		/* the one that named it	*/
	unsigned	 depth;
	bool		 is_rcpt;	/* it stands for itself		*/
	bool		 is_stop;	/* because it was said so	*/
	bool		 is_nobody;	/* as one who must know says	*/
	const char	*word;		/* whose word that was		*/
	struct span	 key;		/* address_key(), to find it again */
	struct span	 address;
	char		*bytes;		/* of both			*/
	char		*trace;		/* NULL: none, or not made yet	*/
	char		*owner;		/* of whom it stands for, or NULL */
};

struct expansion {
	const struct expanders *expanders;
	struct route_ask who;
	expand_fn	*fn;
	void		*arg;
	enum err	 failed;	/* by a name, OK: none		*/
	bool		 is_asking;	/* an answer is to come		*/
	bool		 has_circle;
	unsigned	 turn;		/* of the expander for `at'	*/
	uint32_t	 at, cnt, cap, rcpt_cnt;
	struct named	**all;
};

static bool
is_key_of(const struct named *n, struct span key)
{
	return span_eq(n->key, key);
}

/* Was it named already?  And by somebody whom it stands for itself? */
static bool
is_known(struct expansion *x, uint32_t by, struct span key)
{
	for (uint32_t i = by; i != NOBODY; i = x->all[i]->by)
		if (is_key_of(x->all[i], key))
			return x->has_circle = true;
	for (uint32_t i = 0; i < x->cnt; i++)
		if (!x->all[i]->is_stop && is_key_of(x->all[i], key))
			return true;
	return false;
}

/* Is he a recipient by now, or just because it was said that he stays one? */
static bool
has_rcpt(const struct expansion *x, struct span key, bool is_stop)
{
	for (uint32_t i = 0; i < x->cnt; i++)
		if ((is_stop ? x->all[i]->is_stop : x->all[i]->is_rcpt) &&
		    is_key_of(x->all[i], key))
			return true;
	return false;
}

static struct named *
named_new(struct span address, struct span key)
{
	struct named *n = calloc(1, sizeof(*n));

	if (n == NULL || (n->bytes = malloc(address.len + key.len + 1)) ==
	    NULL) {
		free(n);
		return NULL;
	}
	memcpy(n->bytes, address.ptr, address.len);
	memcpy(n->bytes + address.len, key.ptr, key.len);
	n->address = (struct span){ n->bytes, address.len };
	n->key = (struct span){ n->bytes + address.len, key.len };
	return n;
}

/* Itself when there is none: what is no address has no route later. */
static struct span
key_of(struct span address, char text[ADDRESS_KEY_MAX])
{
	size_t len = address_key(address, text);

	return len > 0 ? (struct span){ text, len } : address;
}

static bool
has_place(struct expansion *x)
{
	uint32_t cap = x->cnt == 0 ? 2 : x->cnt * 2;
	struct named **more;

	if (x->cnt < x->cap)
		return true;
	more = reallocarray(x->all, cap, sizeof(struct named *));
	if (more == NULL)
		return false;
	x->all = more;
	x->cap = cap;
	return true;
}

static enum err
add(struct expansion *x, uint32_t by, const char *word, struct span address,
    bool is_stop)
{
	char text[ADDRESS_KEY_MAX];
	struct span key = key_of(address, text);
	bool is_own = by != NOBODY && is_key_of(x->all[by], key);
	struct named *n;

	if (address.len == 0)
		return OK;
	if (is_stop ? has_rcpt(x, key, false) : !is_own &&
	    is_known(x, by, key))
		return OK;
	if (x->cnt == EXPAND_MAX ||
	    (by != NOBODY && x->all[by]->depth == EXPAND_DEPTH_MAX))
		return ERR_FULL;
	if (!has_place(x) || (n = named_new(address, key)) == NULL)
		return ERR_SYS;
	n->by = by;
	n->depth = by == NOBODY ? 0 : x->all[by]->depth + 1;
	n->word = word;
	n->is_rcpt = is_own || is_stop;
	n->is_stop = is_stop;
	x->all[x->cnt++] = n;
	return OK;
}

static void
name(struct expansion *x, struct span address, bool is_stop)
{
	enum err e = add(x, x->at, x->expanders->list[x->turn].word, address,
	    is_stop);

	if (x->failed == OK)
		x->failed = e;
}

void
expand_name(struct expansion *x, struct span address)
{
	name(x, address, false);
}

void
expand_stop(struct expansion *x, struct span address)
{
	name(x, address, true);
}

void
expand_own(struct expansion *x, struct span owner)
{
	struct named *n = x->all[x->at];

	free(n->owner);
	n->owner = strndup(owner.ptr, owner.len);
	if (n->owner == NULL)
		x->failed = ERR_SYS;
}

/* The next one to be asked about, at its first expander. */
static void
go_on(struct expansion *x)
{
	x->turn = 0;
	do
		x->at++;
	while (x->at < x->cnt && x->all[x->at]->is_rcpt);
}

/* What the expander in turn said of the one in hand. */
static enum err
take(struct expansion *x, enum err answer)
{
	if (answer == ERR_CLOSED) {
		x->all[x->at]->is_nobody = true;
		answer = ERR_NONE;
	}
	if (answer != OK && answer != ERR_NONE)
		return ERR_SYS;
	if (x->failed != OK)
		return x->failed;
	if (answer == ERR_NONE) {
		if (++x->turn < x->expanders->cnt)
			return OK;
		x->all[x->at]->is_rcpt = !has_rcpt(x, x->all[x->at]->key,
		    true);
	}
	go_on(x);
	return OK;
}

static enum err
ask(struct expansion *x)
{
	const struct expander *by;
	enum err e = OK;

	while (e == OK && x->at < x->cnt) {
		by = &x->expanders->list[x->turn];
		e = by->ask(x, x->all[x->at]->address, by->arg);
		x->is_asking = e == ERR_AGAIN;
		if (e != ERR_AGAIN)
			e = take(x, e);
	}
	return e;
}

/* Room for a step more, and for the mark that some are missing. */
static size_t
put_step(char *trace, size_t len, const char *word, struct span address)
{
	size_t word_len = strlen(word);

	if (len + word_len + address.len + 2 + 4 > EXPAND_TRACE_MAX) {
		memcpy(trace + len, "...", 3);
		return EXPAND_TRACE_MAX;
	}
	if (len > 0)
		trace[len++] = '\n';
	memcpy(trace + len, word, word_len);
	trace[len + word_len] = '\t';
	memcpy(trace + len + word_len + 1, address.ptr, address.len);
	return len + word_len + 1 + address.len;
}

static enum err
make_trace(struct expansion *x, struct named *n)
{
	const struct named *way[EXPAND_DEPTH_MAX];
	unsigned depth = n->depth;
	size_t len = 0;

	if (depth == 0)
		return OK;
	if ((n->trace = calloc(1, EXPAND_TRACE_MAX + 1)) == NULL)
		return ERR_SYS;
	for (const struct named *at = n; at->by != NOBODY;
	    at = x->all[at->by])
		way[--depth] = at;
	for (; depth < n->depth && len < EXPAND_TRACE_MAX; depth++)
		len = put_step(n->trace, len, way[depth]->word,
		    x->all[way[depth]->by]->address);
	return OK;
}

/* Only recipients are left, in their order. */
static enum err
finish(struct expansion *x)
{
	uint32_t nobody_cnt = 0;
	enum err e = OK;

	for (uint32_t i = 0; e == OK && i < x->cnt; i++)
		if (x->all[i]->is_rcpt) {
			e = make_trace(x, x->all[i]);
			nobody_cnt += x->all[i]->is_nobody;
			x->rcpt_cnt++;
		}
	if (e != OK)
		return e;
	if (x->rcpt_cnt == 0)
		return x->has_circle ? ERR_PEER : OK;
	return nobody_cnt == x->rcpt_cnt ? ERR_CLOSED : OK;
}

enum err
expand_begin(struct expansion **out, const struct expanders *expanders,
    const struct route_ask *who, expand_fn *fn, void *arg)
{
	struct expansion *x;
	enum err e;

	*out = NULL;
	if (expanders->cnt == 0)
		return OK;
	if ((x = calloc(1, sizeof(*x))) == NULL)
		return ERR_SYS;
	x->expanders = expanders;
	x->who = *who;
	x->fn = fn;
	x->arg = arg;
	if ((e = add(x, NOBODY, "", who->rcpt, false)) == OK &&
	    (e = ask(x)) == OK)
		e = finish(x);
	if (e != OK && e != ERR_AGAIN)
		expand_end(&x);
	*out = x;
	return e;
}

unsigned
expand_depth(const struct expansion *x)
{
	return x->all[x->at]->depth;
}

const struct route_ask *
expand_who(const struct expansion *x)
{
	return &x->who;
}

void
expand_answer(struct expansion *x, enum err answer)
{
	enum err e;

	x->is_asking = false;
	if ((e = take(x, answer)) == OK && (e = ask(x)) == OK)
		e = finish(x);
	if (e != ERR_AGAIN)
		x->fn(x, e, x->arg);
}

uint32_t
expand_cnt(const struct expansion *x)
{
	return x->rcpt_cnt;
}

/* That of the list next to him. */
static struct span
owner_of(const struct expansion *x, uint32_t at)
{
	for (at = x->all[at]->by; at != NOBODY; at = x->all[at]->by)
		if (x->all[at]->owner != NULL)
			return span_of(x->all[at]->owner);
	return SPAN("");
}

void
expand_rcpt(const struct expansion *x, uint32_t i, struct expand_rcpt *out)
{
	uint32_t at = 0;

	while (!x->all[at]->is_rcpt || i-- > 0)
		at++;
	out->address = x->all[at]->address;
	out->owner = owner_of(x, at);
	out->trace = x->all[at]->trace == NULL ? SPAN("") :
	    span_of(x->all[at]->trace);
}

void
expand_end(struct expansion **xp)
{
	struct expansion *x = *xp;
	const struct expander *by;

	*xp = NULL;
	if (x == NULL)
		return;
	by = &x->expanders->list[x->turn];
	if (x->is_asking && by->cancel != NULL)
		by->cancel(x, by->arg);
	for (uint32_t i = 0; i < x->cnt; i++) {
		free(x->all[i]->bytes);
		free(x->all[i]->trace);
		free(x->all[i]->owner);
		free(x->all[i]);
	}
	free(x->all);
	free(x);
}
