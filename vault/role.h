/*
 * role - the vault's two processes, which share this program and nothing else:
 * main.c finds the part for the role that master says we are, and runs it.
 */
#ifndef VAULT_ROLE_H
#define VAULT_ROLE_H

#include "bus/boot.h"

struct vault_role {
	enum role	 role;
	/* Not yet locked in: read the slice and its files.  Fatal if not. */
	void		(*open)(struct boot *);
	/* In the sandbox; may start threads.  NULL: nothing to do. */
	void		(*begin)(struct boot *);
	/* After the loop; NULL: nothing to do. */
	void		(*end)(void);
	/* The calls of boot.h, whose arg is NULL. */
	struct boot_calls calls;
};

extern const struct vault_role role_keys;	/* keys.c	*/
extern const struct vault_role role_users;	/* users.c	*/

#endif
