/*
 * slack.c - malloc_trim() frees whole pages in the middle of the heap too, in
 * every arena, but malloc goes on to count them as free.  Pages that lie idle
 * again must have been touched since, and each first touch is a page fault.
 */
#include <sys/resource.h>

#include <malloc.h>

#include "sys/slack.h"

#define PAGE_LEN	4096

/* As they were when we gave back last. */
static size_t	 given;		/* bytes that malloc counts as free */
static long	 faults;	/* of pages			*/

size_t
slack_look(void)
{
	struct mallinfo2 m = mallinfo2();
	struct rusage use;
	size_t idle;

	if (getrusage(RUSAGE_SELF, &use) == -1)
		return 0;
	idle = (size_t)(use.ru_minflt - faults) * PAGE_LEN;
	if (m.fordblks > given)
		idle += m.fordblks - given;
	if (idle > m.fordblks)
		idle = m.fordblks;
	if (idle <= SLACK_MAX || idle <= m.uordblks / 2)
		return 0;
	(void)malloc_trim(0);
	given = mallinfo2().fordblks;
	if (getrusage(RUSAGE_SELF, &use) == 0)
		faults = use.ru_minflt;
	return idle;
}

static void
look(struct timer *t, void *arg)
{
	(void)slack_look();
	timer_set(t, SLACK_LOOK_MS);
}

void
slack_watch(struct timer *t, struct ev_loop *loop)
{
	timer_init(t, loop, look, NULL);
	timer_set(t, SLACK_LOOK_MS);
}
