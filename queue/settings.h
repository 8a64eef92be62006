/*
 * settings - what the queue's slice says, in the form the queue uses.
 *
 * Errors  ERR_PEER the slice is none, or lacks what we need
 */
#ifndef QUEUE_SETTINGS_H
#define QUEUE_SETTINGS_H

#include "base/err.h"
#include "base/limits.h"
#include "queue/retry.h"
#include "queue/store.h"

#define SETTINGS_PATH_MAX	1024

struct settings {
	char		 path[SETTINGS_PATH_MAX];
	char		 relay[BLOCK_NAME_MAX + 1];
	char		 hostname[DOMAIN_MAX + 1];
	struct retry	 retry;
	struct store_limits limits;
};

MUST_CHECK enum err settings_read(struct settings *out, struct span bytes);

#endif
