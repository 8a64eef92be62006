/*
 * story_key.c - keys and words.  They are on disk, and stay as they are.
 */
#include <string.h>

#include "mail/address.h"
#include "mail/message_id.h"
#include "queue/store/story.h"

#define FNV_BASIS	0xcbf29ce484222325u
#define FNV_PRIME	0x100000001b3u

static void
add_number(struct story_key *k, uint64_t n, size_t len)
{
	for (size_t i = len; i > 0; i--)
		k->b[k->len++] = (uint8_t)(n >> (i - 1) * 8);
}

static uint64_t
number_at(const uint8_t *b, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = n << 8 | b[i];
	return n;
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

void
story_key_turn(struct story_key *k, const struct story_key *history)
{
	const size_t id = sizeof(struct id);

	memcpy(k->b, history->b + 8, id);
	memcpy(k->b + id, history->b, 8);
	memcpy(k->b + id + 8, history->b + 8 + id, 5);
	k->b[STORY_KEY - 1] = 0;
	k->len = STORY_KEY;
}

void
story_key_lookup(struct story_key *k, int64_t bucket_ms, uint64_t word,
    struct id id)
{
	k->len = 0;
	add_number(k, (uint64_t)bucket_ms, 8);
	add_number(k, word, 8);
	add_id(k, id);
}

int64_t
story_key_ms(const struct story_key *k)
{
	return (int64_t)number_at(k->b, k->len < 8 ? k->len : 8);
}

struct id
story_key_id(const struct story_key *history)
{
	struct id id;

	memcpy(id.b, history->b + 8, sizeof(id.b));
	return id;
}

/* FNV-1a, then mixed. */
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

size_t
story_word_cnt(const struct record_history *r)
{
	return r->words.len / STORY_WORD;
}

uint64_t
story_word(const struct record_history *r, size_t i)
{
	return number_at((const uint8_t *)r->words.ptr + i * STORY_WORD,
	    STORY_WORD);
}
