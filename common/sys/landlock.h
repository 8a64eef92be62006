/*
 * landlock - take away files, TCP ports and reach to other processes, as far
 * as this kernel's Landlock goes.
 *
 * The numbers are our own, for ABI 1 to 6: the headers of a distribution are
 * older than the kernels it runs on.
 *
 * Blocks  no
 * Errors  ERR_NONE the kernel has no Landlock, or none that would do this;
 *	   ERR_SYS
 */
#ifndef SYS_LANDLOCK_H
#define SYS_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct landlock {
	const char	*tree;		/* what may be used below; NULL: no
					 * file anywhere		*/
	bool		 can_write;	/* read and change below tree, else
					 * only read			*/
	bool		 can_remove;	/* read, and remove files	*/
	bool		 can_connect;	/* TCP connections, to any port	*/
	const uint16_t	*ports;		/* without it, to these; borrowed */
	unsigned	 port_cnt;
	const char	*also_read;	/* one more tree to read, or NULL */
	bool		 any_file;	/* files are left alone: only TCP and
					 * reach to others are taken away */
};

#define LANDLOCK_TCP	4	/* the version from which on ports count */

/* 0 when there is none. */
int		 landlock_abi(void);

/* Enter for this process and its future threads.  Needs no_new_privs. */
MUST_CHECK enum err landlock_enter(const struct landlock *);

#endif
