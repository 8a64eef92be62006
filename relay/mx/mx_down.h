/*
 * mx_down - hosts that could not be talked to a moment ago, so that each
 * message need not find out anew (RFC 5321 4.5.4.1).
 *
 * They are not left out but put last, for it is only a guess: of two hosts
 * that share a row the later one is remembered.
 *
 * Blocks  never
 */
#ifndef RELAY_MX_DOWN_H
#define RELAY_MX_DOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "relay/mx/mx_choose.h"

#define MX_DOWN_ROWS	1024
#define MX_DOWN_MS	60000	/* how long one failure is remembered */

/* A number of a name and a port. */
uint64_t mx_down_number(const char *host, uint16_t port);

struct mx_down {			/* zeros: nothing is down	*/
	struct {
		uint64_t	 host;
		int64_t		 until_ms;	/* monotonic		*/
	} rows[MX_DOWN_ROWS];
};

/* The host of this number is down until then. */
void	mx_down_note(struct mx_down *, uint64_t host, int64_t until_ms);
bool	mx_down_has(const struct mx_down *, uint64_t host, int64_t now_ms);
/* Those that are down behind the others, else in their order. */
void	mx_down_sort(const struct mx_down *, struct mx_hosts *, uint16_t port,
	    int64_t now_ms);

#endif
