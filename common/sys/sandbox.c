/*
 * sandbox.c - the steps, in the one order in which they work: namespaces and
 * chroot need root's capabilities, leaving root must come after them, Landlock
 * and seccomp need no_new_privs, and seccomp forbids all of the above.
 *
 * RLIMIT_FSIZE of 0 also covers standard error; where that is a plain file
 * (tests, a shell's 2>log) it is left alone, or each log line would kill us.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "sys/landlock.h"
#include "sys/sandbox.h"
#include "sys/seccomp.h"

#define KEYS_MEMORY	(256u << 20)	/* bytes of RLIMIT_DATA		*/
#define CONTROL_MEMORY	(256u << 20)
#define PROGRAM_FILES	1024		/* descriptors			*/
#define PROGRAM_PROCESSES 512		/* of its user, all counted	*/
#define PERSON_PROCESSES 4096		/* of one who may be at work here */

#define LAST_CAPABILITY	63	/* asked until the kernel says no more */

struct steps {
	const struct sandbox *box;
	unsigned	 may;
	bool		 is_root;
	char		 done[256];	/* "netns chroot ..."	*/
	char		 left_out[256];
};

static char	 own_path[PATH_MAX];
static const char *last_missed = "the sandbox";

static void
note(char *list, size_t cap, const char *word)
{
	if (list[0] != '\0')
		(void)strlcat(list, " ", cap);
	(void)strlcat(list, word, cap);
}

static void
did(struct steps *st, const char *what)
{
	note(st->done, sizeof(st->done), what);
}

static void
skip(struct steps *st, const char *what)
{
	note(st->left_out, sizeof(st->left_out), what);
}

/* A step failed: an error, or under PREFER a line in the log. */
static enum err
missed(struct steps *st, const char *what)
{
	int error = errno;
	char why[128];

	last_missed = what;
	snprintf(why, sizeof(why), "sandbox: %s failed", what);
	log_why(LOG_trouble, why, error);
	errno = error;
	if (st->box->wish == SANDBOX_REQUIRE)
		return ERR_SYS;
	skip(st, what);
	return OK;
}

/* An empty network for those that only use what was passed to them. */
static enum err
leave_namespaces(struct steps *st)
{
	int kinds = CLONE_NEWIPC | CLONE_NEWUTS;

	if (!st->is_root) {
		skip(st, "namespaces");
		return OK;
	}
	if ((st->may & (MAY_DIAL | MAY_ASK)) == 0)
		kinds |= CLONE_NEWNET;
	if (unshare(kinds) == -1)
		return missed(st, "namespaces");
	did(st, kinds & CLONE_NEWNET ? "netns ipcns utsns" : "ipcns utsns");
	return OK;
}

static enum err
change_root(struct steps *st)
{
	const char *root = st->box->root;

	if (role_row(st->box->role)->root == ROOT_HOST)
		return OK;
	if (strlcpy(own_path, root, sizeof(own_path)) >= sizeof(own_path)) {
		errno = ENAMETOOLONG;
		return ERR_SYS;
	}
	if (!st->is_root) {
		skip(st, "chroot");
		return OK;
	}
	if (chdir(root) == -1 || chroot(".") == -1 || chdir("/") == -1)
		return missed(st, "chroot");
	(void)strlcpy(own_path, "/", sizeof(own_path));
	did(st, "chroot");
	return OK;
}

/* Not even a program that is root's own gets anything back. */
static enum err
empty_bounding_set(void)
{
	for (unsigned long c = 0; c <= LAST_CAPABILITY; c++)
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) == -1 && errno != EINVAL)
			return ERR_SYS;
	return OK;
}

/* All capabilities go but the one to read what others may not. */
static enum err
keep_reading(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[2] = { 0 };

	sets[0].effective = 1u << CAP_DAC_READ_SEARCH;
	sets[0].permitted = sets[0].effective;
	return syscall(SYS_capset, &head, sets) == -1 ? ERR_SYS : OK;
}

/* After the change of user, which has left what was permitted so. */
static enum err
keep_becoming(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[2] = { 0 };

	sets[0].effective = 1u << CAP_SETUID | 1u << CAP_SETGID;
	sets[0].permitted = sets[0].effective;
	return syscall(SYS_capset, &head, sets) == -1 ||
	    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == -1 ? ERR_SYS : OK;
}

static enum err
become_user(const struct steps *st)
{
	uid_t uid = st->box->uid;
	gid_t gid = st->box->gid;
	bool becomes = (st->may & MAY_BECOME) != 0;

	if ((becomes && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1) ||
	    setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		return ERR_SYS;
	return becomes ? keep_becoming() : OK;
}

static enum err
change_user(struct steps *st)
{

	if (!st->is_root) {
		skip(st, "user");
		return OK;
	}
	if (empty_bounding_set() != OK ||
	    (st->may & MAY_READ && keep_reading() != OK)) {
		if (missed(st, "capabilities") != OK)
			return ERR_SYS;
	} else {
		did(st, "capabilities");
	}
	if (st->may & MAY_READ)
		return OK;
	/* Root without the rest of the sandbox would be root: never. */
	if (st->box->uid == 0 || st->box->gid == 0) {
		errno = EPERM;
		(void)missed(st, "not being root");
		return ERR_SYS;
	}
	if (become_user(st) != OK) {
		(void)missed(st, "change of user");
		return ERR_SYS;
	}
	did(st, "user");
	return OK;
}

/* Never optional. */
static enum err
give_up_privileges(struct steps *st)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		(void)missed(st, "no_new_privs");
		return ERR_SYS;
	}
	did(st, "no_new_privs");
	if (!seccomp_is_on()) {		/* a leak report needs it */
		skip(st, "not-dumpable");
		return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == -1 ?
		    missed(st, "dumpable") : OK;
	}
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return missed(st, "not-dumpable");
	did(st, "not-dumpable");
	return OK;
}

/* No higher than it is, and as low as we say. */
static enum err
lower(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(what, &now) == -1)
		return ERR_SYS;
	if (now.rlim_max > most)
		now.rlim_max = most;
	if (now.rlim_cur > now.rlim_max)
		now.rlim_cur = now.rlim_max;
	return setrlimit(what, &now) == -1 ? ERR_SYS : OK;
}

static enum err
raise_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return ERR_SYS;
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files) == -1 ? ERR_SYS : OK;
}

/* What those need that hold no mail; a sanitizer needs far more. */
static enum err
limit_memory(enum role role)
{
	static const rlim_t most[ROLE__COUNT] = {
		[ROLE_KEYS] = KEYS_MEMORY, [ROLE_USERS] = USERS_MEMORY,
		[ROLE_CONTROL] = CONTROL_MEMORY,
	};

	return most[role] == 0 || !seccomp_is_on() ? OK :
	    lower(RLIMIT_DATA, most[role]);
}

/* What the programs of a launcher inherit. */
static enum err
limit_programs(bool becomes)
{
	if (lower(RLIMIT_NOFILE, PROGRAM_FILES) != OK)
		return ERR_SYS;
	return lower(RLIMIT_NPROC, becomes ? PERSON_PROCESSES :
	    PROGRAM_PROCESSES);
}

static enum err
set_limits(struct steps *st)
{
	const struct rlimit none = { 0, 0 };
	struct stat err;

	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    limit_memory(st->box->role) != OK)
		return missed(st, "limits");
	if (st->may & (MAY_ACCEPT | MAY_DIAL) && raise_descriptors() != OK)
		return missed(st, "limits");
	if (st->may & MAY_EXEC && limit_programs((st->may &
	    MAY_BECOME) != 0) != OK)
		return missed(st, "limits");
	if ((st->may & (MAY_FILES | MAY_STORE | MAY_READ | MAY_EXEC)) == 0 &&
	    fstat(STDERR_FILENO, &err) == 0 && !S_ISREG(err.st_mode) &&
	    setrlimit(RLIMIT_FSIZE, &none) == -1)
		return missed(st, "limits");
	did(st, "limits");
	return OK;
}

static enum err
enter_landlock(struct steps *st)
{
	struct landlock ll = {
		.can_connect = (st->may & MAY_DIAL) != 0,
		.ports = st->box->ports,
		.port_cnt = st->may & MAY_ASK ? st->box->port_cnt : 0,
		.can_write = (st->may & (MAY_FILES | MAY_STORE)) != 0,
		.can_remove = (st->may & MAY_PICK) != 0,
		.any_file = (st->may & (MAY_EXEC | MAY_BECOME)) != 0,
	};
	char word[32];
	enum err e;

	if (st->may & MAY_READ)
		ll.tree = "/";
	else if ((ll.can_write || ll.can_remove) && !ll.any_file)
		ll.tree = own_path;
	if (!seccomp_is_on() && !ll.any_file &&
	    access("/proc/self", F_OK) == 0)
		ll.also_read = "/proc";	/* a leak report needs it */
	if ((e = landlock_enter(&ll)) == ERR_NONE) {
		skip(st, "landlock");
		return OK;
	}
	if (e != OK)
		return missed(st, "landlock");
	snprintf(word, sizeof(word), "landlock=%d", landlock_abi());
	did(st, word);
	return OK;
}

static enum err
refuse_ids(const struct steps *st)
{
	return (st->may & MAY_BECOME) == 0 || !seccomp_is_on() ? OK :
	    seccomp_refuse_ids(st->box->never, st->box->never_cnt,
	    (st->may & MAY_EXEC) != 0);
}

static enum err
enter_seccomp(struct steps *st)
{
	if (!seccomp_is_on())
		skip(st, "seccomp");
	else
		did(st, "seccomp");
	if (refuse_ids(st) == OK &&
	    seccomp_enter(st->may, st->box->debug) == OK)
		return OK;
	(void)missed(st, "seccomp");
	return ERR_SYS;
}

static void
report(const struct steps *st)
{
	struct log_line l;
	char why[320];

	log_begin(&l, LOG_sandboxed);
	log_text(&l, LOG_KEY_sandbox, st->done);
	if (st->left_out[0] != '\0') {
		snprintf(why, sizeof(why), "%swithout: %s",
		    st->is_root ? "" : "not root, ", st->left_out);
		log_text(&l, LOG_KEY_why, why);
	}
	log_end(&l);
}

enum err
sandbox_enter(const struct sandbox *box)
{
	static enum err (*const order[])(struct steps *) = {
		leave_namespaces, change_root, change_user,
		give_up_privileges, set_limits, enter_landlock,
		enter_seccomp,
	};
	struct steps st = {
		.box = box, .may = role_row(box->role)->may,
		.is_root = geteuid() == 0,
	};
	enum err e;

	if (box->calls_out && st.may & MAY_EXEC)
		st.may |= MAY_DIAL;
	tzset();	/* gmtime_r() would open a file for it later */
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if ((e = order[i](&st)) != OK)
			return e;
	report(&st);
	return OK;
}

const char *
sandbox_missed(void)
{
	return last_missed;
}

const char *
sandbox_path(void)
{
	return own_path;
}
