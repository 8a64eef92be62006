/*
 * seccomp - the list of system calls that a row of roles.def may still make.
 *
 * There are two of these files: seccomp.c is the real one, seccomp_off.c is
 * linked into sanitizer builds, whose run time makes calls of its own.  Which
 * one it is, seccomp_is_on() says.
 *
 * Blocks  no
 * Errors  ERR_SYS
 */
#ifndef SYS_SECCOMP_H
#define SYS_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

bool	seccomp_is_on(void);

/*
 * From here on, in all threads and for good: what `may` (MAY_*) does not call
 * for ends the process.  With debug it is named in an event=trouble line
 * first.  Needs no_new_privs.  kill() and tgkill() are tied to the pid of the
 * caller, so this must not be followed by fork(), which is forbidden anyway.
 */
MUST_CHECK enum err seccomp_enter(unsigned may, bool debug);

/*
 * Where standard error is a plain file: from here on descriptor 2 can be
 * written to, and not sought in, cut, mapped, copied or made to write elsewhere
 * than at the end, in all threads and for good.  What tries it meets
 * `otherwise', an action of libseccomp's.  seccomp_enter() does this first; the
 * description must be append-only and this process's own (logfile_open()).  It
 * cannot see what is passed over a unix socket: none has sendmsg() but a relay
 * of type pipe, for its launcher, which takes pipes alone.
 */
MUST_CHECK enum err seccomp_keep_log(uint32_t otherwise);

/*
 * The same for a row with MAY_EXEC, which seccomp_enter() leads to: a list of
 * what fails, and goes on to fail in every program executed.  calls_out: of the
 * network IP is not on it.
 */
MUST_CHECK enum err seccomp_enter_exec(bool calls_out);

/*
 * For a row with MAY_BECOME, before it enters: nobody becomes root, nor one of
 * these users, nor of root's group, by setresuid() and setresgid(), which are
 * the only ways it has.  What tries it ends.  With executes it may have any
 * call, as the programs do that inherit the list: there all ways are on it, a
 * list of groups too, and what tries one fails.
 */
MUST_CHECK enum err seccomp_refuse_ids(const uint32_t *users, size_t cnt,
	    bool executes);

/*
 * For a row with MAY_EXEC, after it has entered: no signal from it, nor from
 * any program executed, reaches these processes or the groups that they lead.
 * It goes by their numbers, so they must outlive it, and must have no threads.
 * Kernels with Landlock 6 refuse signals to those outside by themselves; but
 * the one that executes the programs is inside.
 */
MUST_CHECK enum err seccomp_spare(const int *pids, size_t cnt);

#endif
