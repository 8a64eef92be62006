/*
 * story_read.c - messages by a hash, the newest first; and what happened to
 * one, in its order.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/store/story.h"

#define BUCKETS_MAX	1024	/* looked at in one reading		*/
#define TEXT_BYTES	(64u << 10)	/* of records in one reading	*/
#define HASH_END	16	/* bytes of bucket and hash in a key	*/

static void
put_number(uint8_t *b, uint64_t n)
{
	for (size_t i = 0; i < 8; i++)
		b[i] = (uint8_t)(n >> (7 - i) * 8);
}

static uint64_t
number_at(const uint8_t *b, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = n << 8 | b[i];
	return n;
}

/* Behind all rows of this hash in this bucket. */
static void
end_of(struct story_key *k, uint64_t bucket_ms, uint64_t word)
{
	put_number(k->b, bucket_ms);
	put_number(k->b + 8, word);
	memset(k->b + HASH_END, 0xff, sizeof(k->b) - HASH_END);
	k->len = STORY_LOOKUP_KEY;
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

/* The bucket before that one; the last of all when there is none yet. */
static int
bucket_before(const struct story *s, bool is_first, uint64_t bucket_ms,
    uint64_t *out, bool *found)
{
	struct story_key k = { .len = 8 }, at;
	int rc;

	put_number(k.b, is_first ? UINT64_MAX : bucket_ms);
	rc = s->engine->near(s->arg, STORY_LOOKUP, &k, true, &at, found);
	if (rc == 0 && *found)
		*out = number_at(at.b, at.len < 8 ? at.len : 8);
	return rc;
}

int
story_find(const struct story *s, struct store_read_found *r)
{
	uint64_t bucket_ms = 0;
	bool found = true, has_room = true;
	struct story_key k;
	int rc = 0;

	r->cnt = 0;
	r->at_end = false;
	if (r->from.len == STORY_LOOKUP_KEY) {
		k.len = r->from.len;
		memcpy(k.b, r->from.b, k.len);
		bucket_ms = number_at(k.b, 8);
	} else {
		rc = bucket_before(s, true, 0, &bucket_ms, &found);
		end_of(&k, bucket_ms, r->word);
	}
	for (unsigned i = 0; rc == 0 && found && i < BUCKETS_MAX; i++) {
		if ((rc = find_in(s, r, &k, &has_room)) != 0 || !has_room)
			break;
		/* All that stands before it came before it was begun. */
		if ((int64_t)bucket_ms <= r->since_ms) {
			found = false;
			break;
		}
		rc = bucket_before(s, false, bucket_ms, &bucket_ms, &found);
		if (rc == 0 && found)
			end_of(&k, bucket_ms, r->word);
	}
	r->at_end = !found;
	r->from.len = k.len;
	memcpy(r->from.b, k.b, k.len);
	return rc;
}

/* Take the row of history that this one of story leads to, if it is there. */
static int
take(const struct story *s, struct store_read_story *r,
    const struct story_key *k, char **text)
{
	const size_t id_len = sizeof(struct id);
	struct store_event *e = &r->rows[r->cnt];
	struct story_key history;
	struct span value;
	union record rec;
	bool found;
	int rc;

	e->at_ms = (int64_t)number_at(k->b + id_len, 8);
	e->event = k->b[id_len + 8];
	e->no = (uint32_t)number_at(k->b + id_len + 9, 4);
	story_key_history(&history, e->at_ms, r->id, e->event, e->no);
	rc = s->engine->get(s->arg, STORY_HISTORY, &history, &value, &found);
	if (rc != 0 || !found || value.len > RECORD_MAX)
		return rc;
	memcpy(*text, value.ptr, value.len);
	if (record_get((struct span){ *text, value.len }, RECORD_history,
	    &rec) != OK)
		return 0;
	e->rec = rec.history;
	*text += value.len;
	r->cnt++;
	return 0;
}

int
story_read(const struct story *s, struct store_read_story *r, enum err *e)
{
	size_t bytes = STORE_EVENTS_MAX * sizeof(*r->rows);
	struct story_key k = { .len = sizeof(r->id.b) }, at;
	char *text, *end;
	bool found = true;
	int rc = 0;

	*e = OK;
	r->cnt = 0;
	if ((r->rows = malloc(bytes + TEXT_BYTES)) == NULL) {
		*e = ERR_SYS;
		return 0;
	}
	text = (char *)(r->rows + STORE_EVENTS_MAX);
	end = text + TEXT_BYTES;
	memcpy(k.b, r->id.b, k.len);
	if (r->from.len == STORY_KEY && memcmp(r->from.b, r->id.b,
	    k.len) == 0) {
		memcpy(k.b, r->from.b, STORY_KEY);
		k.b[STORY_KEY - 1] = 1;		/* behind it */
		k.len = STORY_KEY;
	}
	while (r->cnt < STORE_EVENTS_MAX && end - text >= RECORD_MAX) {
		rc = s->engine->near(s->arg, STORY_STORY, &k, false, &at,
		    &found);
		found = rc == 0 && found && at.len == STORY_KEY &&
		    memcmp(at.b, r->id.b, sizeof(r->id.b)) == 0;
		if (!found || (rc = take(s, r, &at, &text)) != 0)
			break;
		r->from.len = STORY_KEY;
		memcpy(r->from.b, at.b, STORY_KEY);
		k = at;
		k.b[STORY_KEY - 1] = 1;
	}
	r->at_end = !found;
	return rc;
}
