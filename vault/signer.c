/*
 * signer.c - the links, and the way of a question from check to check.
 *
 * Refusals are logged at most once in LOG_EVERY_MS and link, with their count:
 * a taken-over peer shall be seen, and shall not fill the log.
 */
#include <sys/queue.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/counters.h"
#include "vault/signer.h"

#define LOG_EVERY_MS	10000
#define SECOND_MS	1000
#define UNSENT_MAX	(1u << 20)	/* bytes: one that does not read */

struct asker {
	LIST_ENTRY(asker) entry;
	struct signer	*signer;
	struct link	*link;
	struct keyring	*ring;		/* in force when it came	*/
	int64_t		 second_ms;	/* the second's beginning	*/
	unsigned	 signed_cnt;	/* in that second		*/
	unsigned	 refused_cnt;	/* and not yet logged		*/
	const char	*why;		/* of the last refusal		*/
	struct timer	 report;
};

struct signer {
	struct ev_loop	*loop;
	struct keyring	*ring;		/* in force			*/
	LIST_HEAD(, asker) askers;
	signer_lost_fn	*lost;
	void		*arg;
};

/* Refusals. */

static void
log_refusals(struct asker *a)
{
	char name[LINK_NAME_MAX];
	struct log_line l;

	link_name(link_peer(a->link), name);
	log_begin(&l, LOG_denied);
	log_text(&l, LOG_KEY_peer, name);
	log_text(&l, LOG_KEY_why, a->why);
	log_num(&l, LOG_KEY_count, a->refused_cnt);
	log_end(&l);
	a->refused_cnt = 0;
}

static void
report(struct timer *t, void *arg)
{
	struct asker *a = arg;

	if (a->refused_cnt == 0)
		return;
	log_refusals(a);
	timer_set(t, LOG_EVERY_MS);
}

static enum sign_status
refuse(struct asker *a, enum sign_status status, const char *why)
{
	counter_add(COUNTER_not_signed, 1);
	a->why = why;
	a->refused_cnt++;
	if (!timer_running(&a->report)) {
		log_refusals(a);
		timer_set(&a->report, LOG_EVERY_MS);
	}
	return status;
}

/* Signing. */

static bool
is_over_rate(struct asker *a)
{
	int64_t now_ms = ev_now_ms(a->signer->loop);

	if (now_ms - a->second_ms >= SECOND_MS) {
		a->second_ms = now_ms;
		a->signed_cnt = 0;
	}
	return a->signed_cnt++ >= SIGNER_RATE;
}

static const struct key *
find_key(const struct asker *a, struct span id)
{
	const struct link_peer *p = link_peer(a->link);
	const struct key *k = keyring_find(a->signer->ring, p->role, p->block,
	    id);

	return k != NULL ? k : keyring_find(a->ring, p->role, p->block, id);
}

static enum sign_status
judge(struct asker *a, const struct msg_sign_ask *m, struct span text,
    uint8_t *signature, size_t *len)
{
	bool is_relay = link_peer(a->link)->role == ROLE_RELAY;
	const struct scheme *s = scheme_find(m->scheme);
	const struct key *k;

	if (is_over_rate(a))
		return refuse(a, SIGN_BUSY, "too many signatures a second");
	if ((k = find_key(a, m->key)) == NULL)
		return refuse(a, SIGN_NO_KEY, is_relay ?
		    "no key of this relay" : "no key of this edge");
	if (purpose_of(text, is_relay ? PURPOSE_CLIENT : PURPOSE_SERVER,
	    key_kind(k), s) == PURPOSE_NONE)
		return refuse(a, SIGN_REFUSED, is_relay ?
		    "not what a TLS client signs" :
		    "not what a TLS server signs");
	if (key_sign(k, s, text, signature, len) != OK)
		return refuse(a, SIGN_BUSY, "the signature failed");
	counter_add(COUNTER_signatures, 1);
	return SIGN_DONE;
}

static enum err
on_msg(struct link *l, unsigned type, const union msg *any, struct span piece,
    int fd, void *arg)
{
	const struct msg_sign_ask *m = &any->sign_ask;
	uint8_t signature[KEY_SIGNATURE_MAX];
	struct msg_sign_answer answer = { .request = m->request };
	size_t len = 0;

	if (type != MSG_sign_ask || m->key.len != KEY_ID_LEN)
		return ERR_PEER;
	answer.status = (uint8_t)judge(arg, m, piece, signature,
	    &len);
	if (answer.status == SIGN_DONE)
		answer.signature = (struct span){ (const char *)signature,
		    len };
	/* A link that fails here says so to on_gone(). */
	(void)link_send_sign_answer(l, &answer);
	return OK;
}

/* Askers. */

static void
drop(struct asker *a)
{
	if (a->link != NULL && a->refused_cnt > 0)
		log_refusals(a);
	LIST_REMOVE(a, entry);
	timer_stop(&a->report);
	link_close(&a->link);
	keyring_release(&a->ring);
	free(a);
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct link_peer peer = *link_peer(l);
	struct asker *a = arg;
	struct signer *n = a->signer;

	drop(a);
	n->lost(&peer, why, n->arg);
}

enum err
signer_add(struct signer *n, int fd, const struct link_peer *peer)
{
	struct asker *a;
	enum err e;

	signer_drop(n, peer->no);
	if ((a = calloc(1, sizeof(*a))) == NULL) {
		close(fd);
		return ERR_SYS;
	}
	e = link_open(&a->link, n->loop, fd, ROLE_KEYS, peer, on_msg, on_gone,
	    a);
	if (e != OK) {
		free(a);
		return e;
	}
	link_set_queue_max(a->link, UNSENT_MAX);
	a->signer = n;
	a->ring = keyring_share(n->ring);
	timer_init(&a->report, n->loop, report, a);
	LIST_INSERT_HEAD(&n->askers, a, entry);
	return OK;
}

void
signer_drop(struct signer *n, uint32_t no)
{
	struct asker *a;

	LIST_FOREACH(a, &n->askers, entry)
		if (link_peer(a->link)->no == no) {
			drop(a);
			return;
		}
}

/* The rest of signer.h. */

enum err
signer_open(struct signer **out, struct ev_loop *loop, struct keyring *ring,
    signer_lost_fn *lost, void *arg)
{
	struct signer *n = calloc(1, sizeof(*n));

	if (n == NULL) {
		keyring_release(&ring);
		return ERR_SYS;
	}
	n->loop = loop;
	n->ring = ring;
	n->lost = lost;
	n->arg = arg;
	LIST_INIT(&n->askers);
	*out = n;
	return OK;
}

void
signer_close(struct signer **np)
{
	struct signer *n = *np;
	struct asker *a;

	*np = NULL;
	if (n == NULL)
		return;
	while ((a = LIST_FIRST(&n->askers)) != NULL) {
		link_flush(a->link);
		drop(a);
	}
	keyring_release(&n->ring);
	free(n);
}

void
signer_set_keyring(struct signer *n, struct keyring *ring)
{
	keyring_release(&n->ring);
	n->ring = ring;
}
