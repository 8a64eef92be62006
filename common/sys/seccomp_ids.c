/*
 * seccomp_ids.c - a list of its own, before the list of what is allowed: whom a
 * process that may become others may not become.
 */
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/seccomp.h"
#include "sys/seccomp_list.h"

#define IDS	3		/* real, effective, saved */

static void
refuse(scmp_filter_ctx f, int *rc, int call, uint32_t id)
{
	for (unsigned no = 0; no < IDS && *rc == 0; no++) {
		const struct scmp_arg_cmp cmp = seccomp_list_is(no, id);

		*rc = seccomp_rule_add_array(f, SCMP_ACT_KILL_PROCESS, call, 1,
		    &cmp);
	}
}

enum err
seccomp_refuse_ids(const uint32_t *users, size_t cnt)
{
	scmp_filter_ctx f;
	int rc;

	if (seccomp_list_begin(&f, SCMP_ACT_ALLOW, &rc) != OK)
		return ERR_SYS;
	refuse(f, &rc, SCMP_SYS(setresuid), 0);
	refuse(f, &rc, SCMP_SYS(setresgid), 0);
	for (size_t i = 0; i < cnt; i++)
		refuse(f, &rc, SCMP_SYS(setresuid), users[i]);
	return seccomp_list_load(&f, rc);
}
