/*
 * story.c - what is written and swept; story_gather.c makes what leads to it,
 * story_read.c has the way back.
 */
#include <string.h>

#include "queue/store/story.h"

#define SENDER_KEPT	1024	/* bytes, with the others one record	*/

/* Rows. */

/* Is it, or what comes with that time, gathered already? */
static int
is_late(const struct story *s, int64_t at_ms, bool *late)
{
	int rc = 0;

	if (!s->state->knows_tail)
		rc = story_learn(s);
	*late = rc == 0 && at_ms < s->state->gathered_ms;
	return rc;
}

static int
put_encoded(const struct story *s, int64_t now_ms, struct id id,
    enum event event, uint32_t no, struct span row, size_t word_cnt)
{
	struct story_key k, turned;
	bool late;
	int rc = is_late(s, now_ms, &late);

	if (rc != 0)
		return rc;
	story_key_history(&k, now_ms, id, (uint8_t)event, no);
	s->state->added_cnt += 2;
	if ((rc = s->engine->put(s->arg, STORY_HISTORY, &k, row)) != 0)
		return rc;
	if (!late) {
		s->state->tail_cnt += 1 + (unsigned)word_cnt;
		return 0;
	}
	story_key_turn(&turned, &k);
	return s->engine->put(s->arg, STORY_STORY, &turned, SPAN(""));
}

int
story_put(const struct story *s, int64_t now_ms, struct id id,
    enum event event, uint32_t no, const struct record_history *r)
{
	uint8_t buf[RECORD_MAX];
	size_t len = record_put(buf, RECORD_history, r);

	if (len == 0)
		return s->engine->too_long;
	return put_encoded(s, now_ms, id, event, no,
	    (struct span){ (char *)buf, len }, story_word_cnt(r));
}

/* What a message is found by. */

struct words {
	uint8_t		 b[RECORD_STR_MAX];	/* as a record has them	*/
	size_t		 len;
	bool		 is_over;	/* there are more, or no room	*/
	bool		 is_put;	/* each at once, as what follows says */
	const struct story *story;
	int64_t		 now_ms;
	struct id	 id;
	int		 rc;
};

/* One more row of the bucket, or the first of the next. */
static int
put_word(const struct words *w, uint64_t word)
{
	struct story_state *st = w->story->state;
	struct story_key k;

	if (st->bucket_cnt >= STORY_BUCKET || w->now_ms < st->bucket_ms ||
	    w->now_ms - st->bucket_ms >= STORY_BUCKET_MS) {
		st->bucket_ms = w->now_ms == st->bucket_ms ? w->now_ms + 1 :
		    w->now_ms;
		st->bucket_cnt = 0;
	}
	st->bucket_cnt++;
	story_key_lookup(&k, st->bucket_ms, word, w->id);
	return w->story->engine->put(w->story->arg, STORY_LOOKUP, &k,
	    SPAN("."));
}

static void
add_word(struct words *w, uint64_t word)
{
	if (w->is_put) {
		if (w->rc == 0)
			w->rc = put_word(w, word);
		return;
	}
	w->is_over |= w->len + STORY_WORD > sizeof(w->b);
	for (size_t i = STORY_WORD; !w->is_over && i > 0; i--)
		w->b[w->len++] = (uint8_t)(word >> (i - 1) * 8);
}

/* Those that stood for a recipient: "alias TAB address", a line each. */
static void
add_trace(struct words *w, struct span trace)
{
	while (trace.len > 0) {
		struct span line = span_head(trace, span_find(trace, '\n'));
		struct span who = span_tail(line, span_find(line, '\t') + 1);

		trace = span_tail(trace, line.len + 1);
		if (who.len > 0)
			add_word(w, story_hash_address(who));
	}
}

static void
add_words(struct words *w, const struct store_accept *a)
{
	if (a->message.sender.len > 0)
		add_word(w, story_hash_address(a->message.sender));
	if (a->message_id.len > 0)
		add_word(w, story_hash_message_id(a->message_id));
	for (uint32_t no = 0; no < a->message.rcpt_cnt; no++) {
		if (w->is_over)
			return;
		add_word(w, story_hash_address(a->rcpts[no]));
		if (a->rcpt_dsn != NULL)
			add_trace(w, a->rcpt_dsn[no].trace);
	}
}

/*
 * With its words, where they have room and are gathered later.
 */
static int
put_arrival(const struct story *s, int64_t now_ms,
    const struct store_accept *a, struct record_history *h)
{
	struct words w = {
		.story = s, .now_ms = now_ms, .id = a->mail->id,
	};
	uint8_t buf[RECORD_MAX];
	bool late;
	size_t len = 0;

	if ((w.rc = is_late(s, now_ms, &late)) != 0)
		return w.rc;
	if (!late)
		add_words(&w, a);
	w.is_over |= late;
	h->words = (struct span){ (char *)w.b, w.len };
	if (!w.is_over)
		len = record_put(buf, RECORD_history, h);
	s->state->added_cnt += (unsigned)story_word_cnt(h);
	if (len > 0)
		return put_encoded(s, now_ms, w.id, EVENT_ACCEPTED, 0,
		    (struct span){ (char *)buf, len }, story_word_cnt(h));
	h->words.len = 0;
	w.is_over = false;
	w.is_put = true;
	add_words(&w, a);
	return w.rc != 0 ? w.rc : story_put(s, now_ms, w.id, EVENT_ACCEPTED,
	    0, h);
}

/* How recipients came to be some. */
static int
put_expanded(const struct story *s, int64_t now_ms,
    const struct store_accept *a)
{
	int rc = 0;

	if (a->rcpt_dsn == NULL)
		return 0;
	for (uint32_t no = 0; rc == 0 && no < a->message.rcpt_cnt; no++) {
		struct record_history h = {
			.address = a->rcpts[no],
			.reply = a->rcpt_dsn[no].trace,
		};

		if (h.reply.len > 0)
			rc = story_put(s, now_ms, a->mail->id, EVENT_EXPANDED,
			    no, &h);
	}
	return rc;
}

int
story_accept(const struct story *s, int64_t now_ms,
    const struct store_accept *a)
{
	const struct record_message *m = &a->message;
	struct record_history h = {
		.address = span_head(m->sender, SENDER_KEPT),
		.tls = a->tls, .size = m->header_len + m->body_len,
		.rcpt_cnt = m->rcpt_cnt, .client = m->client, .helo = m->helo,
		.proto = m->proto, .edge = m->edge,
		.message_id = a->message_id, .checks = a->checks,
		.session = a->session,
	};
	int rc;

	if ((m->flags & MAIL_LOGIN) != 0)
		h.login = m->tenant;
	if ((rc = put_arrival(s, now_ms, a, &h)) != 0)
		return rc;
	return put_expanded(s, now_ms, a);
}

int
story_change(const struct story *s, int64_t now_ms,
    const struct store_settle *settle, const struct store_change *c,
    struct span relay)
{
	static const enum event events[CLASS__COUNT] = {
		[CLASS_DONE] = EVENT_DELIVERED, [CLASS_LATER] = EVENT_DEFERRED,
		[CLASS_NEVER] = EVENT_FAILED,
	};
	struct record_history h = {
		.code = c->code, .address = c->address, .reply = c->reply,
		.hop = c->hop, .tls = c->tls, .tries = settle->attempts,
		.relay = relay,
	};

	return story_put(s, now_ms, settle->id, settle->is_ruled &&
	    c->class == CLASS_DONE ? EVENT_REMOVED : events[c->class],
	    c->rcpt_no, &h);
}

/* The sweep. */

static int
first(const struct story *s, enum story_table t, struct story_key *out,
    bool *found)
{
	static const struct story_key none = { .len = 0 };

	return s->engine->near(s->arg, t, &none, false, out, found);
}

/* A row of history and that of table story which leads to it. */
static int
drop_event(const struct story *s, const struct story_key *k)
{
	struct story_key turned;
	int rc;

	story_key_turn(&turned, k);
	if (k->len == STORY_HISTORY_KEY && (rc = s->engine->del(s->arg,
	    STORY_STORY, &turned)) != 0)
		return rc;
	return s->engine->del(s->arg, STORY_HISTORY, k);
}

/*
 * A row of story whose row of history is gone: another postern, that knew no
 * table story, has swept it.  Looked for where the oldest are.
 */
static int
drop_orphans(const struct story *s, int64_t oldest_ms, unsigned left)
{
	struct story_key k, at;
	bool found;
	int rc = 0;

	for (; left > 0; left--) {
		if ((rc = first(s, STORY_STORY, &k, &found)) != 0 || !found)
			break;
		memcpy(at.b, k.b + sizeof(struct id), 8);
		at.len = 8;
		if (k.len == STORY_KEY && story_key_ms(&at) >= oldest_ms)
			break;
		if ((rc = s->engine->del(s->arg, STORY_STORY, &k)) != 0)
			break;
	}
	return rc;
}

/* Is the bucket over, and all that came while it was filled gone? */
static int
is_spent(const struct story *s, int64_t bucket_ms, int64_t oldest_ms,
    bool *spent)
{
	static const struct id none = { .b = { 0 } };
	struct story_key behind, next;
	bool found;
	int rc;

	*spent = false;
	if (bucket_ms >= oldest_ms)
		return 0;
	story_key_lookup(&behind, bucket_ms + 1, 0, none);
	rc = s->engine->near(s->arg, STORY_LOOKUP, &behind, false, &next,
	    &found);
	if (rc == 0 && found)
		*spent = story_key_ms(&next) <= oldest_ms;
	else if (rc == 0)
		*spent = s->state->gathered_ms <= oldest_ms &&
		    oldest_ms - bucket_ms > STORY_BUCKET_MS;
	return rc;
}

static int
drop_words(const struct story *s, int64_t oldest_ms, unsigned left)
{
	int64_t spent_ms = -1;
	struct story_key k;
	bool found, spent;
	int rc = 0;

	for (; left > 0; left--) {
		if ((rc = first(s, STORY_LOOKUP, &k, &found)) != 0 || !found)
			break;
		if (story_key_ms(&k) != spent_ms) {
			if ((rc = is_spent(s, story_key_ms(&k), oldest_ms,
			    &spent)) != 0 || !spent)
				break;
			spent_ms = story_key_ms(&k);
		}
		if ((rc = s->engine->del(s->arg, STORY_LOOKUP, &k)) != 0)
			break;
	}
	return rc;
}

int
story_sweep(const struct story *s, int64_t before_ms, uint64_t max_bytes)
{
	unsigned left = s->state->added_cnt * 2 + 16, budget = left;
	int64_t oldest_ms = INT64_MAX;
	struct story_key k;
	uint64_t bytes;
	bool found;
	int rc = s->engine->bytes(s->arg, &bytes);

	s->state->added_cnt = 0;
	for (; rc == 0; left--) {
		if ((rc = first(s, STORY_HISTORY, &k, &found)) != 0 || !found)
			break;
		oldest_ms = story_key_ms(&k);
		if (left == 0 || (bytes <= max_bytes &&
		    oldest_ms >= before_ms))
			break;
		oldest_ms = INT64_MAX;
		rc = drop_event(s, &k);
	}
	if (rc == 0)
		rc = drop_words(s, oldest_ms, budget);
	return rc != 0 ? rc : drop_orphans(s, oldest_ms, budget);
}
