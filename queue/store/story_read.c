/*
 * story_read.c - messages by a hash, the newest first; and what happened to
 * one, in its order.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/store/store_story.h"
#include "queue/store/story.h"

#define BUCKETS_MAX	1024	/* looked at in one reading		*/
#define TAIL_MAX	(2 * STORY_GATHER)	/* and rows of the tail	*/
#define TEXT_BYTES	(64u << 10)	/* of records in one reading	*/
#define HASH_END	16	/* bytes of bucket and hash in a key	*/

static uint64_t
number_at(const uint8_t *b, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = n << 8 | b[i];
	return n;
}

/* Behind all rows of this hash in this bucket; of all for the last. */
static void
end_of(struct story_key *k, int64_t bucket_ms, uint64_t word)
{
	static const struct id none = { .b = { 0 } };

	story_key_lookup(k, bucket_ms, word, none);
	memset(k->b + HASH_END, 0xff, sizeof(k->b) - HASH_END);
}

/* Where the tail begins; false: there is none. */
static int
tail_of(const struct story *s, int64_t *from_ms, bool *has)
{
	int rc = s->engine->gathered(s->arg, from_ms);

	*has = rc == 0 && *from_ms != STORY_NONE_YET;
	return rc;
}

/* A walk back over the tail. */
struct search {
	struct store_read_found *r;
	struct story_key *at;		/* the last that was looked at	*/
	int64_t		 from_ms;
	unsigned	 left;		/* rows that may be looked at	*/
	bool		 has_room;
};

static bool
has_word(struct span value, uint64_t word)
{
	union record rec;

	if (value.len > RECORD_MAX ||
	    record_get(value, RECORD_history, &rec) != OK)
		return false;
	for (size_t i = 0; i < story_word_cnt(&rec.history); i++)
		if (story_word(&rec.history, i) == word)
			return true;
	return false;
}

/*
 * Is the id one of those wanted, and not yet among the found?  That of zeros is
 * no message's.
 */
static bool
is_wanted(const struct store_read_found *r, struct id id)
{
	static const struct id none = { .b = { 0 } };

	if (id_cmp(id, none) == 0)
		return false;
	if (id_cmp(id, r->first_id) < 0 || id_cmp(id, r->last_id) > 0)
		return false;
	for (unsigned i = 0; i < r->cnt; i++)
		if (id_cmp(r->ids[i], id) == 0)
			return false;
	return true;
}

static bool
fits(const struct store_read_found *r, const struct story_key *k,
    struct span value)
{
	return k->len == STORY_HISTORY_KEY && (r->by_id ?
	    is_wanted(r, story_key_id(k)) : has_word(value, r->word));
}

static bool
look(void *arg, const struct story_key *k, struct span value)
{
	struct search *w = arg;

	if (story_key_ms(k) < w->from_ms)
		return false;
	if (w->left == 0 || w->r->cnt == STORE_FOUND_MAX) {
		w->has_room = false;
		return false;
	}
	w->left--;
	*w->at = *k;
	if (fits(w->r, k, value))
		w->r->ids[w->r->cnt++] = story_key_id(k);
	return true;
}

/* Those of the tail, before *k; *has_room false: it goes on there. */
static int
find_in_tail(const struct story *s, struct store_read_found *r,
    struct story_key *k, bool *has_room)
{
	struct search w = {
		.r = r, .at = k, .left = TAIL_MAX, .has_room = true,
	};
	struct story_key from = *k;
	bool has;
	int rc = tail_of(s, &w.from_ms, &has);

	if (rc == 0 && has)
		rc = s->engine->walk(s->arg, STORY_HISTORY, &from, true, look,
		    &w);
	*has_room = w.has_room;
	return rc;
}

/* Those of one bucket, before *k; false: there is no more room. */
static int
find_in(const struct story *s, struct store_read_found *r,
    struct story_key *k, bool *has_room)
{
	struct story_key at;
	bool found;
	int rc = 0;

	*has_room = true;
	while (rc == 0) {
		rc = s->engine->near(s->arg, STORY_LOOKUP, k, true, &at,
		    &found);
		if (rc != 0 || !found || at.len != STORY_LOOKUP_KEY ||
		    memcmp(at.b, k->b, HASH_END) != 0)
			break;
		if (r->cnt == STORE_FOUND_MAX) {
			*has_room = false;
			break;
		}
		memcpy(r->ids[r->cnt++].b, at.b + HASH_END,
		    sizeof(struct id));
		*k = at;
	}
	return rc;
}

/* The last bucket that begins before that time. */
static int
bucket_before(const struct story *s, int64_t ms, int64_t *out, bool *found)
{
	static const struct id none = { .b = { 0 } };
	struct story_key k, at;
	int rc;

	story_key_lookup(&k, ms, 0, none);
	rc = s->engine->near(s->arg, STORY_LOOKUP, &k, true, &at, found);
	if (rc == 0 && *found)
		*out = story_key_ms(&at);
	return rc;
}

/* Bucket by bucket from *k on, or from the last. */
static int
find_in_buckets(const struct story *s, struct store_read_found *r,
    struct story_key *k)
{
	int64_t bucket_ms = story_key_ms(k);
	bool found = true, has_room;
	int rc = 0;

	if (k->len != STORY_LOOKUP_KEY) {
		rc = bucket_before(s, INT64_MAX, &bucket_ms, &found);
		end_of(k, bucket_ms, r->word);
	}
	for (unsigned i = 0; rc == 0 && found && i < BUCKETS_MAX; i++) {
		if ((rc = find_in(s, r, k, &has_room)) != 0 || !has_room)
			break;
		/* All that stands before it came before it was begun, but
		 * for what came late, to a bucket of that time. */
		if (bucket_ms + STORY_BUCKET_MS <= r->since_ms) {
			found = false;
			break;
		}
		rc = bucket_before(s, bucket_ms, &bucket_ms, &found);
		if (rc == 0 && found)
			end_of(k, bucket_ms, r->word);
	}
	r->at_end = !found;
	return rc;
}

/* By id, from *k or the last one on: rows of story are in their order. */
static int
find_in_story(const struct story *s, struct store_read_found *r,
    struct story_key *k)
{
	struct story_key at;
	struct id id;
	bool found = true;
	int rc = 0;

	if (k->len != STORY_KEY) {
		k->len = STORY_KEY;
		memset(k->b, 0xff, k->len);
		memcpy(k->b, r->last_id.b, sizeof(r->last_id.b));
	}
	while (r->cnt < STORE_FOUND_MAX) {
		rc = s->engine->near(s->arg, STORY_STORY, k, true, &at,
		    &found);
		if (rc != 0 || !found || at.len != STORY_KEY)
			break;
		memcpy(id.b, at.b, sizeof(id.b));
		found = id_cmp(id, r->first_id) >= 0;
		if (!found)
			break;
		if (is_wanted(r, id))
			r->ids[r->cnt++] = id;
		/* Before all rows of this one. */
		memset(k->b, 0, k->len);
		memcpy(k->b, id.b, sizeof(id.b));
	}
	r->at_end = rc == 0 && !found;
	return rc;
}

/*
 * First the tail, then the buckets or, by id, rows of story: the key says where
 * it goes on.
 */
int
story_find(const struct story *s, struct store_read_found *r)
{
	struct story_key k = { .len = STORY_HISTORY_KEY };
	bool has_room = true;
	int rc = 0;

	r->cnt = 0;
	r->at_end = false;
	memset(k.b, 0xff, k.len);
	if (r->from.len == (r->by_id ? STORY_KEY : STORY_LOOKUP_KEY) ||
	    r->from.len == STORY_HISTORY_KEY) {
		k.len = r->from.len;
		memcpy(k.b, r->from.b, k.len);
	}
	if (k.len == STORY_HISTORY_KEY)
		rc = find_in_tail(s, r, &k, &has_room);
	if (rc == 0 && has_room)
		rc = r->by_id ? find_in_story(s, r, &k) :
		    find_in_buckets(s, r, &k);
	r->from.len = k.len;
	memcpy(r->from.b, k.b, k.len);
	return rc;
}

/* What happened to one message. */

struct telling {
	struct store_read_story *r;
	char		*text, *end;	/* room for its records		*/
	bool		 has_room;
};

static bool
has_room(const struct telling *t)
{
	return t->r->cnt < STORE_EVENTS_MAX && t->end - t->text >= RECORD_MAX;
}

/* This row of history, if it can be read; it goes on behind it. */
static void
take(struct telling *t, const struct story_key *k, struct span value)
{
	struct store_event *e = &t->r->rows[t->r->cnt];
	const size_t id_end = 8 + sizeof(struct id);
	struct story_key turned;
	union record rec;

	story_key_turn(&turned, k);
	t->r->from.len = turned.len;
	memcpy(t->r->from.b, turned.b, turned.len);
	if (value.len > RECORD_MAX)
		return;
	memcpy(t->text, value.ptr, value.len);
	if (record_get((struct span){ t->text, value.len }, RECORD_history,
	    &rec) != OK)
		return;
	*e = (struct store_event){
		.at_ms = story_key_ms(k), .event = k->b[id_end],
		.no = (uint32_t)number_at(k->b + id_end + 1, 4),
		.rec = rec.history,
	};
	t->text += value.len;
	t->r->cnt++;
}

/* That row of story leads to one of history, which may be gone. */
static int
follow(const struct story *s, struct telling *t, const struct story_key *k)
{
	const size_t id_len = sizeof(struct id);
	struct story_key history;
	struct span value;
	bool found;
	int rc;

	story_key_history(&history, (int64_t)number_at(k->b + id_len, 8),
	    t->r->id, k->b[id_len + 8],
	    (uint32_t)number_at(k->b + id_len + 9, 4));
	rc = s->engine->get(s->arg, STORY_HISTORY, &history, &value, &found);
	if (rc == 0)
		take(t, &history, found ? value : SPAN(""));
	return rc;
}

/* As far as it is gathered: rows of story behind *from. */
static int
tell_gathered(const struct story *s, struct telling *t)
{
	struct store_read_story *r = t->r;
	struct story_key k, at;
	bool found;
	int rc = 0;

	memcpy(k.b, r->id.b, sizeof(r->id.b));
	k.len = sizeof(r->id.b);
	while (rc == 0) {
		if (r->from.len == STORY_KEY) {
			memcpy(k.b, r->from.b, STORY_KEY);
			k.b[STORY_KEY - 1] = 1;		/* behind it */
			k.len = STORY_KEY;
		}
		rc = s->engine->near(s->arg, STORY_STORY, &k, false, &at,
		    &found);
		if (rc != 0 || !found || at.len != STORY_KEY ||
		    memcmp(at.b, r->id.b, sizeof(r->id.b)) != 0)
			return rc;
		if (!has_room(t)) {
			t->has_room = false;
			return 0;
		}
		rc = follow(s, t, &at);
	}
	return rc;
}

static bool
tell(void *arg, const struct story_key *k, struct span value)
{
	struct telling *t = arg;
	const struct store_index_key *from = &t->r->from;
	struct story_key turned;

	if (k->len != STORY_HISTORY_KEY ||
	    id_cmp(story_key_id(k), t->r->id) != 0)
		return true;
	story_key_turn(&turned, k);
	if (from->len == turned.len &&
	    memcmp(turned.b, from->b, turned.len) <= 0)
		return true;
	t->has_room = has_room(t);
	if (t->has_room)
		take(t, k, value);
	return t->has_room;
}

/* And what is in no other table than history. */
static int
tell_tail(const struct story *s, struct telling *t)
{
	static const struct id none = { .b = { 0 } };
	struct story_key k;
	int64_t from_ms;
	bool has;
	int rc = tail_of(s, &from_ms, &has);

	if (rc != 0 || !has)
		return rc;
	story_key_history(&k, from_ms, none, 0, 0);
	return s->engine->walk(s->arg, STORY_HISTORY, &k, false, tell, t);
}

int
story_read(const struct story *s, struct store_read_story *r, enum err *e)
{
	size_t bytes = STORE_EVENTS_MAX * sizeof(*r->rows);
	struct telling t = { .r = r, .has_room = true };
	int rc;

	*e = OK;
	r->cnt = 0;
	if ((r->rows = malloc(bytes + TEXT_BYTES)) == NULL) {
		*e = ERR_SYS;
		return 0;
	}
	if (r->from.len != STORY_KEY ||
	    memcmp(r->from.b, r->id.b, sizeof(r->id.b)) != 0)
		r->from.len = 0;
	t.text = (char *)(r->rows + STORE_EVENTS_MAX);
	t.end = t.text + TEXT_BYTES;
	rc = tell_gathered(s, &t);
	if (rc == 0 && t.has_room)
		rc = tell_tail(s, &t);
	r->at_end = t.has_room;
	return rc;
}
