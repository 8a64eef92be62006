/*
 * accounts.c - a hash table of places in the text, open, at most half full.  An
 * account is read again from its line when it is asked for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/account.h"
#include "vault/accounts.h"

#define SLOTS_MIN	16u
#define STAND_INS_MAX	1000u	/* slots looked at for one	*/

struct accounts {
	struct span	 text;
	size_t		 mask;		/* slots, a power of two, less one */
	uint32_t	*slots;		/* a line's place + 1; 0: free	*/
};

static size_t
slot_of(const struct accounts *r, struct span name)
{
	uint64_t h = 0xcbf29ce484222325u;
	char key[ACCOUNT_KEY_MAX];

	name = account_key(name, key);
	/* Names that are the same but for case need not be that here. */
	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)(name.ptr[i] | 0x20)) * 0x100000001b3u;
	return (size_t)(h ^ h >> 32) & r->mask;
}

/* The account at a slot that is taken. */
static struct account
account_at(const struct accounts *r, size_t slot)
{
	struct span rest = span_tail(r->text, r->slots[slot] - 1);
	struct account a = { 0 };

	(void)account_next(&rest, &a);
	return a;
}

/* The slot of that name, or the free one where it would be. */
static size_t
look_up(const struct accounts *r, struct span name)
{
	size_t slot = slot_of(r, name);

	while (r->slots[slot] != 0 &&
	    !account_is_same(account_at(r, slot).name, name))
		slot = (slot + 1) & r->mask;
	return slot;
}

static enum err
make_slots(struct accounts *r)
{
	struct span rest = r->text;
	size_t cnt = 0, slots = SLOTS_MIN;
	struct account a;

	while (account_next(&rest, &a))
		cnt++;
	while (slots < 2 * cnt)
		slots *= 2;
	r->mask = slots - 1;
	r->slots = calloc(slots, sizeof(r->slots[0]));
	return r->slots == NULL ? ERR_FULL : OK;
}

/* The first line of a name is the one that counts. */
static void
fill_slots(struct accounts *r)
{
	struct span rest = r->text;
	struct account a;
	size_t slot;

	while (account_next(&rest, &a)) {
		slot = look_up(r, a.name);
		if (r->slots[slot] == 0)
			r->slots[slot] =
			    (uint32_t)(a.name.ptr - r->text.ptr) + 1;
	}
}

enum err
accounts_new(struct accounts **out, struct span text)
{
	struct accounts *r = calloc(1, sizeof(*r));
	enum err e;

	if (r == NULL) {
		explicit_bzero((char *)(uintptr_t)text.ptr, text.len);
		free((char *)(uintptr_t)text.ptr);
		return ERR_FULL;
	}
	r->text = text;
	if ((e = make_slots(r)) != OK) {
		accounts_free(&r);
		return e;
	}
	fill_slots(r);
	*out = r;
	return OK;
}

void
accounts_free(struct accounts **rp)
{
	struct accounts *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	explicit_bzero((char *)(uintptr_t)r->text.ptr, r->text.len);
	free((char *)(uintptr_t)r->text.ptr);
	free(r->slots);
	free(r);
}

bool
accounts_find(const struct accounts *r, struct span name, struct span *hash)
{
	size_t slot = look_up(r, name);

	if (r->slots[slot] != 0) {
		*hash = account_at(r, slot).hash;
		if (hash->len > 0)
			return true;
	}
	*hash = SPAN("");
	for (unsigned i = 0; i < STAND_INS_MAX && hash->len == 0; i++) {
		slot = (slot + 1) & r->mask;
		if (r->slots[slot] != 0)
			*hash = account_at(r, slot).hash;
	}
	return false;
}
