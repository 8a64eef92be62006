/*
 * pace - does a client keep a message coming?  Silence is one thing, bounded by
 * data_timeout; trickling is another, bounded by min_rate: each minute of
 * sending must bring so much.  A silence counts ten seconds of sending at
 * most, so that a client which pauses is not taken for one that trickles, and
 * one that says a byte now and then is.
 *
 * Times are monotonic milliseconds.  Pure.
 */
#ifndef EDGE_PACE_H
#define EDGE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_MINUTE_MS	60000
#define PACE_PAUSE_MS	10000	/* a silence counts so much, at most */

struct pace {
	int64_t		 last_ms;	/* something came, or could not	*/
	int64_t		 sent_ms;	/* of sending in this minute	*/
	uint64_t	 bytes;		/* that came in it		*/
};

void	pace_begin(struct pace *, int64_t now_ms);

/*
 * len bytes have come.  False when a minute of sending is over and brought less
 * than min_rate (bytes a second; 0 is no such limit) in each of its seconds.
 */
bool	pace_took(struct pace *, size_t len, uint64_t min_rate,
	    int64_t now_ms);

/* Until now it was us who did not read: that is no silence of the client. */
void	pace_skip(struct pace *, int64_t now_ms);

#endif
