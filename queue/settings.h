/*
 * settings - what the queue's slice says, in the form the queue uses.
 *
 * Owns	   the routes
 * Errors  ERR_PEER the slice is none, or lacks what we need; ERR_SYS
 */
#ifndef QUEUE_SETTINGS_H
#define QUEUE_SETTINGS_H

#include "base/err.h"
#include "base/limits.h"
#include "queue/retry.h"
#include "queue/route.h"
#include "queue/store.h"

#define SETTINGS_PATH_MAX	1024

struct settings {
	char		 path[SETTINGS_PATH_MAX];
	char		 hostname[DOMAIN_MAX + 1];
	struct routes	*routes;
	bool		 splits_rcpts;	/* a delivery each		*/
	bool		 splits_domains; /* or for each of their domains */
	struct retry	 retry;
	struct store_limits limits;
};

MUST_CHECK enum err settings_read(struct settings *out, struct span bytes);

/* Free what *s owns; *s is then of no use. */
void	settings_fini(struct settings *s);

#endif
