/*
 * sandbox - lock this process into what its row of roles.def allows.
 *
 * Order: network namespace, chroot, ids, no_new_privs and not dumpable,
 * rlimits, Landlock, then (after the threads' stacks may be made: it covers
 * them all) seccomp.  As root everything is done; otherwise what needs root
 * (namespace, chroot, ids) is skipped and the log line says so.  seccomp and
 * no_new_privs are never skipped, but for seccomp in sanitizer builds.
 *
 * A row with MAY_BECOME keeps two capabilities, to become another user; root
 * and those it is told to it cannot become all the same (seccomp_ids.c).
 *
 * A row with MAY_EXEC keeps its files and is refused a list of things instead
 * (seccomp_exec.c); what it executes inherits all of it.  One that calls out
 * stays in the network it is in, as if its row had MAY_DIAL.
 *
 * Blocks  no
 * Errors  ERR_SYS, after a log line event=trouble that says which step
 */
#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/roles.h"

enum sandbox_wish { SANDBOX_REQUIRE, SANDBOX_PREFER };

struct sandbox {
	enum role	 role;
	uint32_t	 uid, gid;	/* to become, where we are root	*/
	const char	*root;		/* directory: chroot into it as root,
					 * confine to it by Landlock	*/
	const uint16_t	*ports;		/* with ASK: TCP to these only,
					 * where Landlock is of version 4 */
	unsigned	 port_cnt;
	const uint32_t	*never;		/* with BECOME: users who cannot be
					 * become, besides root; borrowed */
	unsigned	 never_cnt;
	bool		 calls_out;	/* with EXEC: into the host's network */
	enum sandbox_wish wish;		/* REQUIRE: a step that fails is an
					 * error; PREFER: it is logged	*/
	bool		 debug;		/* name a forbidden system call
					 * before it kills		*/
};

/*
 * Enter.  Call once, single-threaded, with all descriptors opened.  Afterwards
 * a file below root is reached by sandbox_path().  Logs event=sandboxed.
 */
MUST_CHECK enum err sandbox_enter(const struct sandbox *);

/* The measure that failed last, in a word or two. */
const char	*sandbox_missed(void);

/* How the directory `root` is called from inside: "/" or its own path. */
const char	*sandbox_path(void);

#endif
