/*
 * story.c - what is written and swept; story_read.c has the way back.
 */
#include <string.h>

#include "mail/address.h"
#include "mail/message_id.h"
#include "queue/store/story.h"

#define SENDER_KEPT	1024	/* bytes, with the others one record	*/
#define FNV_BASIS	0xcbf29ce484222325u
#define FNV_PRIME	0x100000001b3u

/* Keys. */

static void
add_number(struct story_key *k, uint64_t n, size_t len)
{
	for (size_t i = len; i > 0; i--)
		k->b[k->len++] = (uint8_t)(n >> (i - 1) * 8);
}

static void
add_id(struct story_key *k, struct id id)
{
	memcpy(k->b + k->len, id.b, sizeof(id.b));
	k->len += sizeof(id.b);
}

void
story_key_history(struct story_key *k, int64_t at_ms, struct id id,
    uint8_t event, uint32_t no)
{
	k->len = 0;
	add_number(k, (uint64_t)at_ms, 8);
	add_id(k, id);
	add_number(k, event, 1);
	add_number(k, no, 4);
}

/* The key in table story of that row of history. */
static void
turn_key(struct story_key *k, const struct story_key *history)
{
	const size_t id = sizeof(struct id);

	memcpy(k->b, history->b + 8, id);
	memcpy(k->b + id, history->b, 8);
	memcpy(k->b + id + 8, history->b + 8 + id, 5);
	k->b[STORY_KEY - 1] = 0;
	k->len = STORY_KEY;
}

static int64_t
time_of(const struct story_key *k)
{
	uint64_t n = 0;

	for (size_t i = 0; i < 8 && i < k->len; i++)
		n = n << 8 | k->b[i];
	return (int64_t)n;
}

/* Hashes: they are on disk, and stay as they are.  FNV-1a, then mixed. */

static uint64_t
hash(char kind, struct span s)
{
	uint64_t h = (FNV_BASIS ^ (uint8_t)kind) * FNV_PRIME;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (uint8_t)s.ptr[i]) * FNV_PRIME;
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
	return h ^ h >> 33;
}

/* Who looks for somebody does not know how he writes himself. */
uint64_t
story_hash_address(struct span address)
{
	char key[ADDRESS_KEY_MAX];
	size_t len = address_key(address, key);
	struct span s = len > 0 ? (struct span){ key, len } :
	    span_head(address, sizeof(key));

	if (len == 0 && s.len > 0)
		memcpy(key, s.ptr, s.len);
	for (size_t i = 0; i < s.len; i++)
		if (key[i] >= 'A' && key[i] <= 'Z')
			key[i] |= 'a' - 'A';
	return hash('a', (struct span){ key, s.len });
}

uint64_t
story_hash_message_id(struct span text)
{
	return hash('m', message_id_clean(text));
}

/* Rows. */

int
story_put(const struct story *s, int64_t now_ms, struct id id,
    enum event event, uint32_t no, const struct record_history *r)
{
	uint8_t buf[RECORD_MAX];
	size_t len = record_put(buf, RECORD_history, r);
	struct story_key k, turned;
	int rc;

	if (len == 0)
		return s->engine->too_long;
	story_key_history(&k, now_ms, id, (uint8_t)event, no);
	turn_key(&turned, &k);
	s->state->added_cnt += 2;
	if ((rc = s->engine->put(s->arg, STORY_HISTORY, &k,
	    (struct span){ (char *)buf, len })) != 0)
		return rc;
	return s->engine->put(s->arg, STORY_STORY, &turned, SPAN(""));
}

/* One more row of the bucket, or the first of the next. */
static int
put_word(const struct story *s, int64_t now_ms, struct id id, uint64_t word)
{
	struct story_state *st = s->state;
	struct story_key k = { .len = 0 };

	if (st->bucket_cnt >= STORY_BUCKET || now_ms < st->bucket_ms ||
	    now_ms - st->bucket_ms >= STORY_BUCKET_MS) {
		st->bucket_ms = now_ms > st->bucket_ms ? now_ms :
		    now_ms == st->bucket_ms ? now_ms + 1 : now_ms;
		st->bucket_cnt = 0;
	}
	st->bucket_cnt++;
	st->added_cnt++;
	add_number(&k, (uint64_t)st->bucket_ms, 8);
	add_number(&k, word, 8);
	add_id(&k, id);
	return s->engine->put(s->arg, STORY_LOOKUP, &k, SPAN("."));
}

/* Those that stood for a recipient: "alias TAB address", a line each. */
static int
put_trace(const struct story *s, int64_t now_ms, struct id id,
    struct span trace)
{
	int rc = 0;

	while (rc == 0 && trace.len > 0) {
		struct span line = span_head(trace, span_find(trace, '\n'));
		struct span who = span_tail(line, span_find(line, '\t') + 1);

		trace = span_tail(trace, line.len + 1);
		if (who.len > 0)
			rc = put_word(s, now_ms, id, story_hash_address(who));
	}
	return rc;
}

static int
put_rcpts(const struct story *s, int64_t now_ms, const struct store_accept *a)
{
	int rc = 0;

	for (uint32_t no = 0; rc == 0 && no < a->message.rcpt_cnt; no++) {
		struct record_history h = { .address = a->rcpts[no] };

		rc = put_word(s, now_ms, a->mail->id,
		    story_hash_address(a->rcpts[no]));
		if (rc != 0 || a->rcpt_dsn == NULL ||
		    a->rcpt_dsn[no].trace.len == 0)
			continue;
		h.reply = a->rcpt_dsn[no].trace;
		if ((rc = story_put(s, now_ms, a->mail->id, EVENT_EXPANDED,
		    no, &h)) == 0)
			rc = put_trace(s, now_ms, a->mail->id, h.reply);
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
	if ((rc = story_put(s, now_ms, a->mail->id, EVENT_ACCEPTED, 0,
	    &h)) != 0)
		return rc;
	if (m->sender.len > 0 && (rc = put_word(s, now_ms, a->mail->id,
	    story_hash_address(m->sender))) != 0)
		return rc;
	if (a->message_id.len > 0 && (rc = put_word(s, now_ms, a->mail->id,
	    story_hash_message_id(a->message_id))) != 0)
		return rc;
	return put_rcpts(s, now_ms, a);
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

	turn_key(&turned, k);
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
	struct story_key k, at = { .len = 0 };
	bool found;
	int rc = 0;

	for (; left > 0; left--) {
		if ((rc = first(s, STORY_STORY, &k, &found)) != 0 || !found)
			break;
		at.len = 0;
		memcpy(at.b, k.b + sizeof(struct id), 8);
		at.len = 8;
		if (k.len == STORY_KEY && time_of(&at) >= oldest_ms)
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
	struct story_key behind = { .len = 0 }, next;
	bool found;
	int rc;

	*spent = false;
	if (bucket_ms >= oldest_ms)
		return 0;
	add_number(&behind, (uint64_t)bucket_ms + 1, 8);
	rc = s->engine->near(s->arg, STORY_LOOKUP, &behind, false, &next,
	    &found);
	if (rc == 0)
		*spent = found ? time_of(&next) <= oldest_ms :
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
		if (time_of(&k) != spent_ms) {
			if ((rc = is_spent(s, time_of(&k), oldest_ms,
			    &spent)) != 0 || !spent)
				break;
			spent_ms = time_of(&k);
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
		oldest_ms = time_of(&k);
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
