/*
 * where - what posternctl needs of the configuration: where control listens,
 * and which files hold users.
 *
 * A configuration that cannot be read or does not parse is no error here: the
 * default of run_dir stands, and there are no users blocks.
 */
#ifndef CTL_TOOL_WHERE_H
#define CTL_TOOL_WHERE_H

#include <stdbool.h>
#include <stddef.h>

#define WHERE_MAX	1024		/* bytes of a path with its NUL */
#define WHERE_RUN_DIR	"/run/postern"	/* where none is known		*/
#define WHERE_DROP_DIR	"/var/lib/postern/drop"

/* The path of control's socket. */
void	where_control(const char *config, char *buf, size_t cap);

struct where_users {
	char	 block[64];
	char	 path[WHERE_MAX];
};

/* The n-th block of users, from 0.  False when there is none. */
bool	where_users(const char *config, unsigned n, struct where_users *out);

/* The certificate file of the n-th edge that has one.  False: there is none. */
bool	where_certificate(const char *config, unsigned n, char *buf,
	    size_t cap);

/* The directory of the first edge of type drop; by custom where the
 * configuration does not say. */
void	where_drop(const char *config, char *buf, size_t cap);

#endif
