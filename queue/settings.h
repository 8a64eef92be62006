/*
 * settings - what the queue's slice says, in the form the queue uses.
 *
 * Owns	   the routes, and a list of the relays
 * Errors  ERR_PEER the slice is none, or lacks what we need; ERR_SYS
 */
#ifndef QUEUE_SETTINGS_H
#define QUEUE_SETTINGS_H

#include "base/err.h"
#include "base/limits.h"
#include "mail/alias_table.h"
#include "mail/notice.h"
#include "queue/plan/retry.h"
#include "queue/route/forward.h"
#include "queue/route/route.h"
#include "queue/store/store.h"

#define SETTINGS_PATH_MAX	1024

struct settings_relay {
	char		 name[BLOCK_NAME_MAX + 1];
	uint32_t	 slots;		/* of a process of it, at most	*/
	bool		 has_one_hop;	/* KIND_ONE_HOP			*/
	bool		 answers_each;	/* KIND_EACH			*/
};

struct settings {
	char		 path[SETTINGS_PATH_MAX];
	char		 hostname[DOMAIN_MAX + 1];
	char		 home[DOMAIN_MAX + 1];	/* first of our own domains */
	char		 name[BLOCK_NAME_MAX + 1];	/* of the queue	*/
	char		 postmaster[PATH_MAX_SMTP + 1];	/* empty: none	*/
	uint16_t	 node;		/* 0: none; see id_set_node()	*/
	struct routes	*routes;
	struct alias_table *aliases;	/* NULL: there are none		*/
	struct forward	*forward;	/* NULL: there are none		*/
	char		 delimiter;	/* of user+detail there; 0: none */
	bool		 splits_rcpts;	/* a delivery each		*/
	bool		 splits_domains; /* or for each of their domains */
	struct retry	 retry;
	struct notice	 notice;	/* of notice_text		*/
	char		*notice_text;	/* NULL: the house's own words	*/
	struct retry	 bounce_retry;	/* of bounces that we wrote	*/
	struct store_limits limits;
	const struct store_engine *engine;	/* NULL: it keeps nothing */
	/* Of its edges, the longest, and a little more; 0: there is none. */
	int64_t		 silence_ms;	/* timeout, data_timeout	*/
	int64_t		 session_ms;	/* session_timeout		*/
	struct settings_relay *relays;
	unsigned	 relay_cnt;
};

MUST_CHECK enum err settings_read(struct settings *out, struct span bytes);

/* When a delivery of this message is tried again. */
const struct retry *settings_retry(const struct settings *,
	    const struct record_message *);

/* Nothing that is not held waits longer than this for its next attempt. */
int64_t	settings_longest_ms(const struct settings *);

/* What a process of this relay can have at most, whatever it says. */
uint32_t settings_slots(const struct settings *, const char *relay);

/* Free what *s owns; *s is then of no use. */
void	settings_fini(struct settings *s);

#endif
