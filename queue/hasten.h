/*
 * hasten - what waits for longer than it can have been told to wait is due
 * now: its time was reckoned by a clock that has been set back since, or from a
 * longer delay than is configured now.  What is held stays held.
 *
 * Looked for at the start, when the clock is seen to go back, and when the
 * longest delay becomes less.  Only due.c and flow.c use it.
 *
 * Owns	   the walk, one at a time
 * Blocks  never
 */
#ifndef QUEUE_HASTEN_H
#define QUEUE_HASTEN_H

struct due;

/* Walk all flows in the background, unless that is being done. */
void	hasten_start(struct due *);

/* At the end of the process, when the store calls nobody back any more. */
void	hasten_stop(struct due *);

#endif
