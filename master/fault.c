/*
 * fault.c - a death is counted three times, each with a memory of its own.
 * SIGKILL is no evidence of damage (somebody's hand, or want of memory), and
 * neither is SIGSYS, which is ours.
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bus/boot.h"
#include "master/fault.h"

#define WAIT_FIRST_MS	100	/* the second death waits so long	*/
#define WAIT_MAX_MS	5000	/* doubled up to this			*/
#define SUSPECTS	2	/* deaths that a damaged store explains	*/

void
fault_clear(struct fault *f)
{
	memset(f, 0, sizeof(*f));
}

void
fault_works(struct fault *f)
{
	f->starts = 0;
	f->why[0] = '\0';
}

/* LMDB aborts where it finds a page that cannot be; a lost one is a SIGBUS. */
static bool
is_of_damage(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == BOOT_DAMAGED;
	switch (WTERMSIG(status)) {
	case SIGABRT:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGSEGV:
		return true;
	default:
		return false;
	}
}

static void
count(struct fault *f, int status, int64_t life_ms, bool worked, bool has_store)
{
	if (life_ms >= FAULT_FORGET_MS)
		f->fails = 0;
	if (worked)
		f->starts = 0;
	else
		f->starts++;
	if (life_ms >= FAULT_SOUND_MS)
		f->suspects = 0;
	if (has_store && status != FAULT_NOT_STARTED &&
	    is_of_damage(status))
		f->suspects++;
	f->fails++;
}

bool
fault_died(struct fault *f, int status, int64_t life_ms, bool worked,
    const char *store)
{
	count(f, status, life_ms, worked, store[0] != '\0');
	if (f->suspects >= SUSPECTS) {
		f->is_over = true;
		snprintf(f->why, sizeof(f->why), "the store may be damaged: "
		    "run posternctl queue check %s", store);
		return true;
	}
	if (f->starts < FAULT_STARTS || fault_is_named(f))
		return false;
	snprintf(f->why, sizeof(f->why), "every start fails; tried again "
	    "every %d s, and at a reload", FAULT_SLOW_MS / 1000);
	return true;
}

int64_t
fault_wait_ms(const struct fault *f)
{
	int64_t wait_ms = WAIT_MAX_MS;

	if (fault_is_named(f))
		return FAULT_SLOW_MS;
	if (f->fails < 2)
		return 0;
	if (f->fails < 8)
		wait_ms = (int64_t)WAIT_FIRST_MS << (f->fails - 2);
	return wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS : wait_ms;
}

bool
fault_is_named(const struct fault *f)
{
	return f->why[0] != '\0';
}
