/*
 * story_gather.c - rows of history that nothing leads to become rows of story
 * and a bucket of lookup.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/store/story.h"

/* What a walk over the tail has found. */
struct tail {
	struct story_key *story, *lookup;	/* NULL: only counted	*/
	size_t		 story_cnt, lookup_cnt, cap[2];
	size_t		 weight;	/* rows and words		*/
	int64_t		 bucket_ms, last_ms;
	bool		 is_out;	/* of memory			*/
};

static bool
take_key(struct tail *t, bool is_story, const struct story_key *k)
{
	struct story_key **list = is_story ? &t->story : &t->lookup, *more;
	size_t *cnt = is_story ? &t->story_cnt : &t->lookup_cnt;
	size_t *cap = &t->cap[is_story];

	if (*cnt == *cap) {
		more = reallocarray(*list, *cap + STORY_GATHER,
		    sizeof(**list));
		if (more == NULL) {
			t->is_out = true;
			return false;
		}
		*list = more;
		*cap += STORY_GATHER;
	}
	(*list)[(*cnt)++] = *k;
	return true;
}

/* How many words; one that cannot be read has none. */
static size_t
words_of(struct span value, union record *rec)
{
	return value.len <= RECORD_MAX && record_get(value, RECORD_history,
	    rec) == OK ? story_word_cnt(&rec->history) : 0;
}

static bool
take(void *arg, const struct story_key *k, struct span value)
{
	struct tail *t = arg;
	union record rec;
	struct story_key to;
	size_t words;

	if (k->len != STORY_HISTORY_KEY)
		return true;
	/* All that came in one millisecond, or nothing of it. */
	if (t->weight >= STORY_GATHER && story_key_ms(k) != t->last_ms)
		return false;
	t->last_ms = story_key_ms(k);
	if (t->weight == 0)
		t->bucket_ms = t->last_ms;
	words = words_of(value, &rec);
	t->weight += 1 + words;
	story_key_turn(&to, k);
	if (!take_key(t, true, &to))
		return false;
	for (size_t i = 0; i < words; i++) {
		story_key_lookup(&to, t->bucket_ms, story_word(&rec.history,
		    i), story_key_id(k));
		if (!take_key(t, false, &to))
			return false;
	}
	return true;
}

static bool
count(void *arg, const struct story_key *k, struct span value)
{
	struct tail *t = arg;
	union record rec;

	if (k->len == STORY_HISTORY_KEY)
		t->weight += 1 + words_of(value, &rec);
	return t->weight < STORY_GATHER;
}

static int
walk_tail(const struct story *s, struct tail *t, story_row_fn *fn)
{
	static const struct id none = { .b = { 0 } };
	struct story_key k;

	story_key_history(&k, s->state->gathered_ms, none, 0, 0);
	return s->engine->walk(s->arg, STORY_HISTORY, &k, false, fn, t);
}

static int
count_tail(const struct story *s)
{
	struct tail t = { .weight = 0 };
	int rc = walk_tail(s, &t, count);

	s->state->tail_cnt = (unsigned)t.weight;
	return rc;
}

/*
 * Of a store whose history was written by one that did not gather, what there
 * is is left as it is: it has led to it.
 */
static int
begin(const struct story *s)
{
	struct story_key last, end = { .len = STORY_HISTORY_KEY };
	bool found;
	int rc;

	memset(end.b, 0xff, end.len);
	rc = s->engine->near(s->arg, STORY_HISTORY, &end, true, &last,
	    &found);
	s->state->gathered_ms = rc == 0 && found ? story_key_ms(&last) + 1 : 0;
	return rc != 0 ? rc : s->engine->set_gathered(s->arg,
	    s->state->gathered_ms);
}

int
story_learn(const struct story *s)
{
	int rc = s->engine->gathered(s->arg, &s->state->gathered_ms);

	if (rc == 0 && s->state->gathered_ms == STORY_NONE_YET)
		rc = begin(s);
	if (rc != 0 || (rc = count_tail(s)) != 0)
		return rc;
	s->state->knows_tail = true;
	return 0;
}

static int
cmp_key(const void *x, const void *y)
{
	const struct story_key *a = x, *b = y;

	return memcmp(a->b, b->b, a->len);	/* as long as each other */
}

static int
put_all(const struct story *s, enum story_table t, struct story_key *keys,
    size_t cnt, struct span value)
{
	int rc = 0;

	if (cnt > 0)
		qsort(keys, cnt, sizeof(*keys), cmp_key);
	for (size_t i = 0; rc == 0 && i < cnt; i++)
		rc = s->engine->put(s->arg, t, &keys[i], value);
	return rc;
}

static int
put_tail(const struct story *s, struct tail *t)
{
	int rc;

	if (t->is_out)
		return 0;		/* the tail gets longer */
	if (t->weight < STORY_GATHER) {		/* some was swept */
		s->state->tail_cnt = (unsigned)t->weight;
		return 0;
	}
	if ((rc = put_all(s, STORY_STORY, t->story, t->story_cnt,
	    SPAN(""))) != 0 || (rc = put_all(s, STORY_LOOKUP, t->lookup,
	    t->lookup_cnt, SPAN("."))) != 0)
		return rc;
	s->state->gathered_ms = t->last_ms + 1;
	if ((rc = s->engine->set_gathered(s->arg, t->last_ms + 1)) != 0)
		return rc;
	return count_tail(s);
}

int
story_gather(const struct story *s)
{
	struct tail t = { .weight = 0 };
	int rc;

	if (!s->state->knows_tail)
		return story_learn(s);
	if (s->state->tail_cnt < STORY_GATHER)
		return 0;
	if ((rc = walk_tail(s, &t, take)) == 0)
		rc = put_tail(s, &t);
	free(t.story);
	free(t.lookup);
	return rc;
}
