/*
 * roles - the rows of roles.def as numbers and as a table.
 */
#ifndef SYS_ROLES_H
#define SYS_ROLES_H

#define MAY_ACCEPT	0x01u
#define MAY_DIAL	0x02u
#define MAY_ASK		0x04u
#define MAY_FILES	0x08u
#define MAY_READ	0x10u
#define MAY_STORE	0x20u
#define MAY_THREADS	0x40u
#define MAY_TAKE	0x80u
#define MAY_EXEC	0x100u
#define MAY_PIPES	0x200u
#define MAY_LOCK	0x400u
#define MAY_MARK	0x800u
#define MAY_BECOME	0x1000u
#define MAY_PICK	0x2000u

enum role {
#define ROLE(name, word, program, user, root, may)	ROLE_##name,
#include "sys/roles.def"
#undef ROLE
	ROLE__COUNT
};

enum role_root { ROOT_HOST, ROOT_EMPTY, ROOT_OWN };

struct role_row {
	const char	*name;		/* "edge"; lower case		*/
	const char	*program;	/* file name of the program	*/
	const char	*user;		/* "" the block's		*/
	enum role_root	 root;
	unsigned	 may;		/* MAY_*			*/
};

/* The row; role must be below ROLE__COUNT. */
const struct role_row	*role_row(enum role);

#endif
