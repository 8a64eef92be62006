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
 * The same for a row with MAY_EXEC, which seccomp_enter() leads to: a list of
 * what fails, and goes on to fail in every program executed.
 */
MUST_CHECK enum err seccomp_enter_exec(void);

#endif
