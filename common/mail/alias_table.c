/*
 * alias_table.c - a key in the hash is "user LF domain", folded: no user has a
 * line feed.  All texts lie one behind the other.
 */
#include <stdlib.h>
#include <string.h>

#include "base/crc.h"
#include "mail/alias_table.h"
#include "mail/domain.h"

#define SLOTS_FIRST	64
#define KEY_MAX		(LOCAL_PART_MAX + DOMAIN_KEY_MAX + 1)	/* bytes */

struct slot {
	size_t		 at;		/* of its text			*/
	struct alias_row row;
	uint16_t	 len;		/* 0: nothing is here		*/
};

struct word {
	size_t		 at;
	uint16_t	 len;
	uint8_t		 what;
};

struct alias_table {
	struct slot	*slots;
	size_t		 slot_cnt, used;
	struct word	*words;
	uint32_t	 word_cnt, word_cap;
	char		*text;
	size_t		 text_len, text_cap;
	size_t		 open;		/* slot that is being filled	*/
	bool		 is_open;
};

enum err
alias_table_new(struct alias_table **out)
{
	struct alias_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return ERR_SYS;
	t->slot_cnt = SLOTS_FIRST;
	if ((t->slots = calloc(t->slot_cnt, sizeof(*t->slots))) == NULL) {
		free(t);
		return ERR_SYS;
	}
	*out = t;
	return OK;
}

void
alias_table_free(struct alias_table **table)
{
	struct alias_table *t = *table;

	if (t == NULL)
		return;
	free(t->slots);
	free(t->words);
	free(t->text);
	free(t);
	*table = NULL;
}

/* No domain holds an @: the last one is where it begins. */
struct alias_key
alias_table_key(struct span written)
{
	struct alias_key key = { written, { NULL, 0 } };
	size_t at = written.len;

	if (address_is_local(written))
		return key;
	while (at > 0 && written.ptr[at - 1] != '@')
		at--;
	if (at == 0)
		return key;
	key.local = span_head(written, at - 1);
	key.domain = span_tail(written, at);
	return key;
}

/* As it lies in the table; 0: there is no such key. */
static size_t
fold_key(char *buf, struct alias_key key)
{
	char domain[DOMAIN_KEY_MAX];
	size_t len, domain_len = 0;

	if (key.local.len > LOCAL_PART_MAX ||
	    (key.local.len == 0 && key.domain.len == 0) ||
	    (key.domain.len > 0 &&
	    (domain_len = domain_key(key.domain, domain)) == 0))
		return 0;
	len = key.local.len > 0 ? address_fold(key.local, buf) : 0;
	buf[len++] = '\n';
	if (domain_len > 0)
		memcpy(buf + len, domain, domain_len);
	return len + domain_len;
}

static struct slot *
seek(const struct alias_table *t, struct span text)
{
	size_t at = crc_of(0, text.ptr, text.len);
	struct slot *s;

	for (;; at++) {
		s = &t->slots[at & (t->slot_cnt - 1)];
		if (s->len == 0 || (s->len == text.len &&
		    memcmp(t->text + s->at, text.ptr, text.len) == 0))
			return s;
	}
}

static enum err
grow_slots(struct alias_table *t)
{
	struct alias_table more = *t;

	if ((t->used + 1) * 3 <= t->slot_cnt * 2)
		return OK;
	more.slot_cnt = t->slot_cnt * 2;
	more.slots = calloc(more.slot_cnt, sizeof(*more.slots));
	if (more.slots == NULL)
		return ERR_SYS;
	for (size_t i = 0; i < t->slot_cnt; i++)
		if (t->slots[i].len > 0)
			*seek(&more, (struct span){ t->text + t->slots[i].at,
			    t->slots[i].len }) = t->slots[i];
	free(t->slots);
	*t = more;
	return OK;
}

/* Keep a copy at *at. */
static enum err
keep(struct alias_table *t, struct span s, size_t *at)
{
	size_t cap = t->text_cap == 0 ? 4096 : t->text_cap;
	char *more;

	while (cap - t->text_len < s.len)
		cap *= 2;
	if (cap > t->text_cap) {
		if ((more = realloc(t->text, cap)) == NULL)
			return ERR_SYS;
		t->text = more;
		t->text_cap = cap;
	}
	if (s.len > 0)
		memcpy(t->text + t->text_len, s.ptr, s.len);
	*at = t->text_len;
	t->text_len += s.len;
	return OK;
}

enum err
alias_table_begin(struct alias_table *t, struct span written)
{
	char buf[KEY_MAX];
	struct span key = { buf, fold_key(buf, alias_table_key(written)) };
	struct slot *s;
	size_t at;
	enum err e;

	t->is_open = false;
	if (key.len == 0)
		return ERR_NONE;
	if ((e = grow_slots(t)) != OK)
		return e;
	s = seek(t, key);
	if (s->len > 0)
		return ERR_NONE;
	if ((e = keep(t, key, &at)) != OK)
		return e;
	*s = (struct slot){ at, { t->word_cnt, 0 }, (uint16_t)key.len };
	t->used++;
	t->open = (size_t)(s - t->slots);
	t->is_open = true;
	return OK;
}

static enum err
grow_words(struct alias_table *t)
{
	uint32_t cap = t->word_cap == 0 ? 64 : t->word_cap * 2;
	struct word *more;

	if (t->word_cnt < t->word_cap)
		return OK;
	if ((more = reallocarray(t->words, cap, sizeof(*more))) == NULL)
		return ERR_SYS;
	t->words = more;
	t->word_cap = cap;
	return OK;
}

enum err
alias_table_add(struct alias_table *t, enum aliases_word what, struct span s)
{
	size_t at;
	enum err e;

	if (!t->is_open || s.len == 0 || s.len > UINT16_MAX)
		return ERR_NONE;
	if ((e = grow_words(t)) != OK || (e = keep(t, s, &at)) != OK)
		return e;
	t->words[t->word_cnt++] = (struct word){ at, (uint16_t)s.len,
	    (uint8_t)what };
	t->slots[t->open].row.cnt++;
	return OK;
}

bool
alias_table_find(const struct alias_table *t, struct alias_key key,
    struct alias_row *out)
{
	char buf[KEY_MAX];
	struct span text = { buf, fold_key(buf, key) };
	const struct slot *s;

	if (t->used == 0 || text.len == 0)
		return false;
	s = seek(t, text);
	if (s->len == 0)
		return false;
	*out = s->row;
	return true;
}

struct span
alias_table_word(const struct alias_table *t, uint32_t no,
    enum aliases_word *what)
{
	const struct word *w = &t->words[no];

	*what = (enum aliases_word)w->what;
	return (struct span){ t->text + w->at, w->len };
}

uint32_t
alias_table_cnt(const struct alias_table *t)
{
	return (uint32_t)t->used;
}
