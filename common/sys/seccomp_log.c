/*
 * seccomp_log.c - a list of its own, before the list of what is allowed: what
 * nobody may do to descriptor 2, whatever else he may do with descriptors.
 *
 * The kernel takes the low half of a descriptor's number, so we look at no
 * more.  With the number tied to the description (no copy, no other flags) an
 * append-only description stays one.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <unistd.h>

#include "sys/seccomp.h"
#include "sys/seccomp_list.h"

#define CNT(a)		(sizeof(a) / sizeof((a)[0]))

/* Call, and which of its arguments is the descriptor. */
static const struct {
	int		 call;
	unsigned	 no;
} refused[] = {
	{ SCMP_SYS(dup), 0 }, { SCMP_SYS(dup2), 0 }, { SCMP_SYS(dup3), 0 },
	{ SCMP_SYS(lseek), 0 }, { SCMP_SYS(ftruncate), 0 },
	{ SCMP_SYS(fallocate), 0 }, { SCMP_SYS(pwrite64), 0 },
	{ SCMP_SYS(pwritev), 0 }, { SCMP_SYS(pwritev2), 0 },
	{ SCMP_SYS(fchmod), 0 }, { SCMP_SYS(mmap), 4 },
};

static const int fcntls[] = {
	F_DUPFD, F_DUPFD_CLOEXEC, F_SETFL,
};

static int
add_rules(scmp_filter_ctx f, uint32_t otherwise)
{
	int rc = 0;

	for (size_t i = 0; i < CNT(refused) && rc == 0; i++) {
		const struct scmp_arg_cmp log = seccomp_list_is(refused[i].no,
		    STDERR_FILENO);

		rc = seccomp_rule_add_array(f, otherwise, refused[i].call, 1,
		    &log);
	}
	for (size_t i = 0; i < CNT(fcntls) && rc == 0; i++) {
		const struct scmp_arg_cmp args[] = {
			seccomp_list_is(0, STDERR_FILENO),
			seccomp_list_is(1, (unsigned)fcntls[i]),
		};

		rc = seccomp_rule_add_array(f, otherwise, SCMP_SYS(fcntl),
		    CNT(args), args);
	}
	return rc;
}

enum err
seccomp_keep_log(uint32_t otherwise)
{
	scmp_filter_ctx f;
	struct stat st;
	int rc;

	if (fstat(STDERR_FILENO, &st) == -1 || !S_ISREG(st.st_mode))
		return OK;
	if (seccomp_list_begin(&f, SCMP_ACT_ALLOW, &rc) != OK)
		return ERR_SYS;
	if (rc == 0)
		rc = add_rules(f, otherwise);
	return seccomp_list_load(&f, rc);
}
