/*
 * standing.c - sets of four entries.  A key belongs into one set, which only
 * the secret tells; so nobody can push out a certain entry by many others.
 */
#include <sys/random.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "vault/sip.h"
#include "vault/standing.h"

#define SETS		2048u	/* a power of two; 640 KiB in all	*/
#define WAYS		4
#define RECENT		3	/* wrong passwords of a user known again */
#define FAILURE_MS	250	/* what one costs the next		*/
#define NETWORK_FREE	4	/* of a network, which may be a whole house */

enum kind { KIND_CLIENT, KIND_NETWORK, KIND_USER };

struct entry {
	uint64_t	 key;		/* 0: free			*/
	uint32_t	 failures;	/* as of at_ms			*/
	int64_t		 at_ms;
	int64_t		 good_ms;	/* until then it is good	*/
	uint64_t	 recent[RECENT];
};

struct standing {
	struct sip_key	 keys[3];	/* by kind			*/
	struct entry	 sets[SETS][WAYS];
};

enum err
standing_new(struct standing **out)
{
	struct standing *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_FULL;
	if (getrandom(s->keys, sizeof(s->keys), 0) != sizeof(s->keys)) {
		free(s);
		return ERR_SYS;
	}
	*out = s;
	return OK;
}

void
standing_free(struct standing **sp)
{
	if (*sp != NULL)
		explicit_bzero(*sp, sizeof(**sp));
	free(*sp);
	*sp = NULL;
}

uint64_t
standing_key(const struct standing *s, struct span client)
{
	return sip_hash(&s->keys[KIND_CLIENT], client) | 1;
}

uint64_t
standing_network(const struct standing *s, struct span client)
{
	const struct sip_key *k = &s->keys[KIND_NETWORK];
	char text[INET6_ADDRSTRLEN];
	unsigned char bits[16] = { 0 };
	struct span net = client;

	if (span_cstr(span_head(client, span_find(client, '/')), text,
	    sizeof(text))) {
		if (inet_pton(AF_INET, text, bits) == 1)
			net = (struct span){ (char *)bits, 3 };
		else if (inet_pton(AF_INET6, text, bits) == 1)
			net = (struct span){ (char *)bits, 6 };
	}
	return sip_hash(k, net) | 1;
}

static void
fade(struct entry *e, int64_t now_ms)
{
	int64_t halves = (now_ms - e->at_ms) / STANDING_FADE_MS;

	if (halves <= 0)
		return;
	e->failures = halves < 32 ? e->failures >> halves : 0;
	e->at_ms += halves * STANDING_FADE_MS;
}

/* How much would be lost with it. */
static uint64_t
worth(struct entry *e, int64_t now_ms)
{
	if (e->key == 0)
		return 0;
	fade(e, now_ms);
	return 1 + e->failures + (e->good_ms > now_ms ? 1u << 20 : 0);
}

/* Its entry, a new one in the place of the least worth if there is none. */
static struct entry *
entry_of(struct standing *s, uint64_t key, int64_t now_ms)
{
	struct entry *set = s->sets[(key >> 1) & (SETS - 1)], *least = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].key == key) {
			fade(&set[i], now_ms);
			return &set[i];
		}
		if (worth(&set[i], now_ms) < worth(least, now_ms))
			least = &set[i];
	}
	*least = (struct entry){ .key = key, .at_ms = now_ms };
	return least;
}

/* Has this user been tried with it just now?  From now on he has. */
static bool
is_again(struct entry *user, uint64_t password)
{
	for (unsigned i = 0; i < RECENT; i++)
		if (user->recent[i] == password)
			return true;
	memmove(user->recent + 1, user->recent, sizeof(user->recent) -
	    sizeof(user->recent[0]));
	user->recent[0] = password;
	return false;
}

void
standing_good(struct standing *s, struct span client, int64_t now_ms)
{
	struct entry *e = entry_of(s, standing_key(s, client), now_ms);

	e->good_ms = now_ms + STANDING_GOOD_MS;
	e->failures = 0;
}

int64_t
standing_bad(struct standing *s, struct span client, struct span user,
    struct span password, int64_t now_ms)
{
	const struct sip_key *k = &s->keys[KIND_USER];
	struct sip_key of_user = { sip_hash(k, user), k->a };
	struct entry *e = entry_of(s, of_user.a | 1, now_ms);
	bool counts = !is_again(e, sip_hash(&of_user, password));
	int64_t ms;

	e->failures += counts;
	ms = (int64_t)e->failures - 1;
	e = entry_of(s, standing_key(s, client), now_ms);
	e->failures += counts;
	e = entry_of(s, standing_network(s, client), now_ms);
	e->failures += counts;
	if (e->failures > NETWORK_FREE)
		ms += (int64_t)e->failures - NETWORK_FREE;
	ms = ms < 0 ? 0 : FAILURE_MS * ms;
	return ms < STANDING_DELAY_MAX_MS ? ms : STANDING_DELAY_MAX_MS;
}

bool
standing_is_good(struct standing *s, struct span client, int64_t now_ms)
{
	const struct entry *e;

	e = entry_of(s, standing_key(s, client), now_ms);
	return e->good_ms > now_ms && e->failures < STANDING_STRIKES;
}
