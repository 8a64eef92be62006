/* seccomp_list.c - see the header. */
#include <sys/syscall.h>

#include <linux/seccomp.h>

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "sys/seccomp_list.h"

enum err
seccomp_list_begin(scmp_filter_ctx *out, uint32_t rest, int *rc)
{
	if ((*out = seccomp_init(rest)) == NULL) {
		errno = ENOMEM;
		return ERR_SYS;
	}
	*rc = seccomp_attr_set(*out, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	if (*rc == 0)
		*rc = seccomp_attr_set(*out, SCMP_FLTATR_CTL_TSYNC, 1);
	return OK;
}

/*
 * libseccomp says EINVAL or ECANCELED of whatever the kernel refuses: that is
 * asked a question which changes nothing.
 */
static int
error_of(int rc)
{
	uint32_t action = SECCOMP_RET_ALLOW;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) ==
	    -1 ? errno : -rc;
}

enum err
seccomp_list_load(scmp_filter_ctx *f, int rc)
{
	if (rc == 0)
		rc = seccomp_load(*f);
	seccomp_release(*f);
	*f = NULL;
	if (rc == 0)
		return OK;
	errno = error_of(rc);
	return ERR_SYS;
}

struct scmp_arg_cmp
seccomp_list_is(unsigned no, uint32_t value)
{
	return (struct scmp_arg_cmp){
		.arg = no, .op = SCMP_CMP_MASKED_EQ,
		.datum_a = UINT32_MAX, .datum_b = value,
	};
}
