/*
 * seccomp_spare.c - a list for a launcher and what it executes: the ways to
 * send a signal, each with the numbers that would reach those to be spared.
 *
 * A signal goes by number (a process, a thread, or below zero a group), by
 * being in a group oneself, by a descriptor that stands for a process, or by
 * being owed one when a file becomes ready.  Where the number lies in memory or
 * behind a descriptor, which nobody can look at here, the call as a whole is
 * refused; programs live without.
 */
#include <sys/ioctl.h>

#include <asm/sockios.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>

#include "sys/seccomp.h"
#include "sys/seccomp_list.h"

#define CNT(a)		(sizeof(a) / sizeof((a)[0]))

/* Calls whose first argument says to whom. */
static const int by_number[] = {
	SCMP_SYS(kill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(tgkill), SCMP_SYS(tkill),
};

static void
refuse(scmp_filter_ctx f, int *rc, int call, unsigned cnt,
    const struct scmp_arg_cmp *cmp)
{
	if (*rc == 0)
		*rc = seccomp_rule_add_array(f, SCMP_ACT_ERRNO(EPERM), call,
		    cnt, cmp);
}

/* who: a process, or its group where it is below zero. */
static void
refuse_number(scmp_filter_ctx f, int *rc, long who)
{
	const struct scmp_arg_cmp first = seccomp_list_is(0, who);
	const struct scmp_arg_cmp own[] = {
		seccomp_list_is(1, F_SETOWN), seccomp_list_is(2, who),
	};

	for (size_t i = 0; i < CNT(by_number); i++)
		refuse(f, rc, by_number[i], 1, &first);
	refuse(f, rc, SCMP_SYS(fcntl), CNT(own), own);
}

/* kill(0) is for one's own group: so nobody joins theirs. */
static void
refuse_joining(scmp_filter_ctx f, int *rc, long who)
{
	const struct scmp_arg_cmp group = seccomp_list_is(1, who);

	refuse(f, rc, SCMP_SYS(setpgid), 1, &group);
}

static void
refuse_the_unseen(scmp_filter_ctx f, int *rc)
{
	static const long ioctls[] = { FIOSETOWN, SIOCSPGRP };
	const struct scmp_arg_cmp own = seccomp_list_is(1, F_SETOWN_EX);

	refuse(f, rc, SCMP_SYS(pidfd_send_signal), 0, NULL);
	refuse(f, rc, SCMP_SYS(fcntl), 1, &own);
	for (size_t i = 0; i < CNT(ioctls); i++) {
		const struct scmp_arg_cmp cmp = seccomp_list_is(1, ioctls[i]);

		refuse(f, rc, SCMP_SYS(ioctl), 1, &cmp);
	}
}

enum err
seccomp_spare(const int *pids, size_t cnt)
{
	const struct scmp_arg_cmp everybody = seccomp_list_is(0, -1);
	scmp_filter_ctx f;
	int rc;

	if (seccomp_list_begin(&f, SCMP_ACT_ALLOW, &rc) != OK)
		return ERR_SYS;
	refuse(f, &rc, SCMP_SYS(kill), 1, &everybody);
	refuse_the_unseen(f, &rc);
	for (size_t i = 0; i < cnt; i++) {
		refuse_number(f, &rc, pids[i]);
		refuse_number(f, &rc, -pids[i]);
		refuse_joining(f, &rc, pids[i]);
	}
	return seccomp_list_load(&f, rc);
}
