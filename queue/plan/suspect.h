/*
 * suspect - deliveries that were under way at two deaths of their relay, or
 * more, and of which one may be what kills it.
 *
 * They begin one at a time in a process, beside whatever is not suspect: the
 * one that is alone when it dies again waits longer each time, behind the
 * others, and is held after some such deaths in a row.  Those may be chance: a
 * relay that is killed at random has one of them under way each time, so the
 * waits together are longer than such weather lasts.  Any result makes a
 * suspect one no longer.
 *
 * One that hangs at a mute host must not hold up the others for minutes: when
 * it has lived alone for some seconds the next may begin.  It is a suspect
 * still, and a death counts for it too, which makes the next time alone longer:
 * so what kills late is alone when it kills, sooner or later.  But only who is
 * alone is held.
 */
#ifndef QUEUE_SUSPECT_H
#define QUEUE_SUSPECT_H

#include "queue/plan/dispatch_inside.h"

#define SUSPECT_DEATHS_MIN	2	/* in a row: it is one		*/
#define SUSPECT_DEATHS_MAX	6	/* the last four alone: held	*/

/* A death of this many before: so many now. */
uint32_t suspect_deaths(uint32_t before, bool was_alone);

/* For how long it is alone then, at most. */
int64_t	suspect_alone_ms(unsigned deaths);

/* How long it waits after so many deaths in a row. */
int64_t	suspect_delay_ms(unsigned deaths);

/*
 * Loaded, and about to be sent.  True: it is a suspect, and waits until the one
 * that is under way is through.
 */
bool	suspect_waits(struct queue *, struct delivery *);

/* Adopted, under way already: it is alone, if none is. */
void	suspect_adopted(struct delivery *);

/* Start the next that waits, if none is alone. */
void	suspect_pump(struct worker *);

/* It is gone, or the lanes are others now: their rows are read again. */
void	suspect_scatter(struct worker *);

#endif
