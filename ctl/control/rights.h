/*
 * rights - what the process at the other end of a connection may ask, by its
 * user and its groups as the kernel knows them since connect(2): who passes an
 * open connection on passes its rights on.
 *
 * Errors  where there is no such group nobody is a member of it
 */
#ifndef CTL_CONTROL_RIGHTS_H
#define CTL_CONTROL_RIGHTS_H

#include <sys/types.h>

#include <stdbool.h>

#define RIGHTS_GROUP_ALL	"postern-admin"
#define RIGHTS_GROUP_READ	"postern-read"

#define RIGHTS_REFUSAL	"not allowed: that is for root and the group "	\
			RIGHTS_GROUP_ALL

enum right { RIGHT_NONE, RIGHT_READ, RIGHT_ALL };

/* Which groups these are: before the process locks itself in. */
void		rights_learn(void);
/* Which they are, for tests. */
void		rights_set(gid_t all, gid_t read);

enum right	rights_of(int fd);
enum right	rights_by(uid_t, gid_t, const gid_t *gids, size_t cnt);
/*
 * Whose name stands for it: "uid N", or nothing where it is believed in what it
 * says, as root is, who says for whom he acts, and who runs us.
 */
#define RIGHTS_WHO_MAX	24
void		rights_who(int fd, char buf[RIGHTS_WHO_MAX]);
/* May it ask this, a message of type MSG_*? */
bool		rights_allow(enum right, unsigned type);

#endif
