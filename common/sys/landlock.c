/*
 * landlock.c - all rights of an ABI are handled, that is denied, and the few
 * that are granted are granted below one directory.  Binding to a TCP port is
 * never granted but for port 0, which a source address needs and with which
 * nobody can listen (seccomp has no listen()).
 */
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "sys/landlock.h"

#define CREATE_RULESET	444	/* system call numbers, all machines alike */
#define ADD_RULE	445
#define RESTRICT_SELF	446
#define ASK_VERSION	0x1u
#define RULE_BENEATH	1
#define RULE_PORT	2

#define EXECUTE		(1u << 0)
#define WRITE_FILE	(1u << 1)
#define READ_FILE	(1u << 2)
#define READ_DIR	(1u << 3)
#define REMOVE_DIR	(1u << 4)
#define REMOVE_FILE	(1u << 5)
#define MAKE_DIR	(1u << 7)
#define MAKE_REG	(1u << 8)
#define REFER		(1u << 13)	/* ABI 2 */
#define TRUNCATE	(1u << 14)	/* ABI 3 */
#define IOCTL_DEV	(1u << 15)	/* ABI 5 */
#define FILES_ABI_1	((1u << 13) - 1)

#define BIND_TCP	(1u << 0)	/* ABI 4 */
#define CONNECT_TCP	(1u << 1)
#define SCOPE_ALL	0x3u		/* ABI 6: abstract sockets, signals */

#define MAY_LOOK	(READ_FILE | READ_DIR)
#define MAY_CHANGE	(MAY_LOOK | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | \
			 MAKE_DIR | MAKE_REG | REFER | TRUNCATE)

struct ruleset {
	uint64_t	 files;
	uint64_t	 net;
	uint64_t	 scoped;
};

struct beneath {
	uint64_t	 allowed;
	int32_t		 dir_fd;
} __attribute__((packed));

struct port {
	uint64_t	 allowed;
	uint64_t	 number;
};

/* What this ABI knows of, less what is never taken away. */
static struct ruleset
everything(int abi, const struct landlock *ll)
{
	struct ruleset r = { .files = FILES_ABI_1 };

	if (abi >= 2)
		r.files |= REFER;
	if (abi >= 3)
		r.files |= TRUNCATE;
	if (abi >= 4)
		r.net = ll->can_connect ? BIND_TCP : BIND_TCP | CONNECT_TCP;
	if (abi >= 5)
		r.files |= IOCTL_DEV;
	if (abi >= 6)
		r.scoped = SCOPE_ALL;
	/* Renaming across directories is denied unless it is granted. */
	if (ll->any_file)
		r.files = REFER;
	return r;
}

static enum err
grant(int set, const char *tree, uint64_t rights)
{
	struct beneath b = { .allowed = rights };
	enum err e = OK;

	if ((b.dir_fd = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return ERR_SYS;
	if (syscall(ADD_RULE, set, RULE_BENEATH, &b, 0) == -1)
		e = ERR_SYS;
	close(b.dir_fd);
	return e;
}

static enum err
grant_all(int set, const struct ruleset *r, const struct landlock *ll)
{
	struct port any = { .allowed = BIND_TCP };
	bool dials = ll->can_connect || ll->port_cnt > 0;
	enum err e = OK;

	if (ll->any_file)
		e = grant(set, "/", REFER);
	else if (ll->tree != NULL)
		e = grant(set, ll->tree, r->files &
		    (ll->can_write ? MAY_CHANGE :
		    ll->can_remove ? MAY_LOOK | REMOVE_FILE : MAY_LOOK));
	if (e == OK && ll->also_read != NULL)
		e = grant(set, ll->also_read, MAY_LOOK);
	if (e == OK && dials && r->net != 0 &&
	    syscall(ADD_RULE, set, RULE_PORT, &any, 0) == -1)
		e = ERR_SYS;
	for (unsigned i = 0; e == OK && r->net != 0 && i < ll->port_cnt; i++) {
		struct port one = { CONNECT_TCP, ll->ports[i] };

		if (syscall(ADD_RULE, set, RULE_PORT, &one, 0) == -1)
			e = ERR_SYS;
	}
	return e;
}

int
landlock_abi(void)
{
	long abi = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

enum err
landlock_enter(const struct landlock *ll)
{
	int abi = landlock_abi();
	struct ruleset r = everything(abi, ll);
	size_t len = sizeof(r);
	enum err e;
	long set;

	if (abi == 0 || (ll->any_file && abi < 4))
		return ERR_NONE;
	if (abi < 4)
		len = sizeof(r.files);
	else if (abi < 6)
		len = sizeof(r.files) + sizeof(r.net);
	if ((set = syscall(CREATE_RULESET, &r, len, 0)) == -1)
		return ERR_SYS;
	e = grant_all((int)set, &r, ll);
	if (e == OK && syscall(RESTRICT_SELF, (int)set, 0) == -1)
		e = ERR_SYS;
	close((int)set);
	return e;
}
