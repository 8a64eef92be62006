/*
 * seccomp_ids.c - a list of its own, before the list of what is allowed: whom a
 * process that may become others may not become.
 *
 * The kernel takes the low half of a number, so we look at no more.
 */
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/seccomp.h"

#define IDS	3		/* real, effective, saved */

static void
refuse(scmp_filter_ctx f, int *rc, int call, uint32_t id)
{
	for (unsigned no = 0; no < IDS && *rc == 0; no++) {
		const struct scmp_arg_cmp cmp = {
			.arg = no, .op = SCMP_CMP_MASKED_EQ,
			.datum_a = UINT32_MAX, .datum_b = id,
		};

		*rc = seccomp_rule_add_array(f, SCMP_ACT_KILL_PROCESS, call, 1,
		    &cmp);
	}
}

enum err
seccomp_refuse_ids(const uint32_t *users, size_t cnt)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int rc;

	if (f == NULL) {
		errno = ENOMEM;
		return ERR_SYS;
	}
	rc = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	refuse(f, &rc, SCMP_SYS(setresuid), 0);
	refuse(f, &rc, SCMP_SYS(setresgid), 0);
	for (size_t i = 0; i < cnt; i++)
		refuse(f, &rc, SCMP_SYS(setresuid), users[i]);
	if (rc == 0)
		rc = seccomp_load(f);
	seccomp_release(f);
	if (rc == 0)
		return OK;
	errno = -rc;
	return ERR_SYS;
}
