/*
 * memory_story.c - the tables of story.h in memory: with a bound of their own,
 * and no part of what the queue may hold.
 */
#include <string.h>

#include "queue/store/memory/memory.h"
#include "sys/clock.h"

#define OUT	1		/* the code for: no memory	*/
#define BYTES_MAX (64u << 20)	/* whatever history_bytes says	*/

static const enum memory_table tables[STORY__COUNT] = {
	[STORY_HISTORY] = MEMORY_HISTORY, [STORY_STORY] = MEMORY_STORY,
	[STORY_LOOKUP] = MEMORY_LOOKUP,
};

static void
as_key(struct memory_key *to, const struct story_key *k)
{
	to->len = k->len;
	memcpy(to->b, k->b, k->len);
}

static void
take_key(struct story_key *to, const struct memory_row *row)
{
	to->len = row->key_len;
	memcpy(to->b, row->b, to->len);
}

static int
near(void *arg, enum story_table t, const struct story_key *k, bool is_before,
    struct story_key *out, bool *found)
{
	struct memory *m = arg;
	struct memory_row *row;
	struct memory_key key;

	as_key(&key, k);
	row = memory_seek(m, tables[t], &key);
	if (is_before)
		row = memory_before(m, tables[t], row);
	*found = row != NULL;
	if (row != NULL)
		take_key(out, row);
	return 0;
}

static int
walk(void *arg, enum story_table t, const struct story_key *k, bool is_back,
    story_row_fn *fn, void *fn_arg)
{
	struct memory *m = arg;
	struct memory_row *row;
	struct memory_key key;
	struct story_key at;

	as_key(&key, k);
	row = memory_seek(m, tables[t], &key);
	if (is_back)
		row = memory_before(m, tables[t], row);
	while (row != NULL) {
		take_key(&at, row);
		if (!fn(fn_arg, &at, memory_row_bytes(row)))
			break;
		row = is_back ? memory_before(m, tables[t], row) :
		    memory_next(row);
	}
	return 0;
}

static int
get(void *arg, enum story_table t, const struct story_key *k,
    struct span *out, bool *found)
{
	struct memory_row *row;
	struct memory_key key;

	as_key(&key, k);
	row = memory_get(arg, tables[t], &key);
	*found = row != NULL;
	if (row != NULL)
		*out = memory_row_bytes(row);
	return 0;
}

static int
put(void *arg, enum story_table t, const struct story_key *k,
    struct span value)
{
	struct memory_key key;

	as_key(&key, k);
	return memory_put(arg, tables[t], &key, value) ? 0 : OUT;
}

static int
del(void *arg, enum story_table t, const struct story_key *k)
{
	struct memory_key key;

	as_key(&key, k);
	memory_del(arg, tables[t], &key);
	return 0;
}

static int
bytes(void *arg, uint64_t *out)
{
	*out = ((const struct memory *)arg)->story_bytes;
	return 0;
}

static int
gathered(void *arg, int64_t *out_ms)
{
	*out_ms = ((const struct memory *)arg)->gathered_ms;
	return 0;
}

static int
set_gathered(void *arg, int64_t ms)
{
	((struct memory *)arg)->gathered_ms = ms;
	return 0;
}

static const struct story_engine engine = {
	.near = near, .walk = walk, .get = get, .put = put, .del = del,
	.bytes = bytes, .gathered = gathered, .set_gathered = set_gathered,
	.too_long = OUT,
};

/* What has no room is not told of: mail is more than its story. */
static void
forgive(struct memory *m, int rc)
{
	if (rc != 0)
		m->is_out = false;
}

void
memory_story_put(struct memory *m, struct id id, enum event event,
    uint32_t no, const struct record_history *r)
{
	const struct story s = { &engine, m, &m->story };

	forgive(m, story_put(&s, clock_wall_ms(), id, event, no, r));
}

void
memory_story_accept(struct memory *m, const struct store_accept *a)
{
	const struct story s = { &engine, m, &m->story };

	forgive(m, story_accept(&s, clock_wall_ms(), a));
}

void
memory_story_change(struct memory *m, const struct store_settle *settle,
    const struct store_change *c, struct span relay)
{
	const struct story s = { &engine, m, &m->story };

	forgive(m, story_change(&s, clock_wall_ms(), settle, c, relay));
}

void
memory_story_sweep(struct memory *m)
{
	const struct story s = { &engine, m, &m->story };
	uint64_t most = m->history_bytes < BYTES_MAX ? m->history_bytes :
	    BYTES_MAX;

	forgive(m, story_gather(&s));
	(void)story_sweep(&s, clock_wall_ms() - m->history_ms, most);
}

void
memory_story_find(struct memory *m, struct store_read_found *r)
{
	(void)story_find(&(struct story){ &engine, m, NULL }, r);
}

enum err
memory_story_read(struct memory *m, struct store_read_story *r)
{
	enum err e;

	(void)story_read(&(struct story){ &engine, m, NULL }, r, &e);
	return e;
}
