/*
 * hasten - what waits for longer than it can have been told to wait is due
 * now: its time was reckoned by a clock that has been set back since, or from a
 * longer delay than is configured now.  So is all that waits where a suspension
 * has ended.  What is held stays held.
 *
 * Looked for at the start, when the clock is seen to go back, and when the
 * longest delay becomes less.  Only due.c and flow.c use it.
 *
 * Owns	   the walks: one of these at a time, and one for each suspension
 * Blocks  never
 */
#ifndef QUEUE_HASTEN_H
#define QUEUE_HASTEN_H

struct due;

/* Walk all flows in the background, unless that is being done. */
void	hasten_start(struct due *);

/* The same for what waits by this relay or to this domain; "": any. */
void	hasten_resumed(struct due *, const char *relay, const char *domain);

/* At the end of the process, when the store calls nobody back any more. */
void	hasten_stop(struct due *);

#endif
