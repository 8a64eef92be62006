/*
 * rights.c - the bounding set goes first, so that not even a program started
 * as root gets back what is not on the list.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "master/rights.h"

#define LAST_CAPABILITY	63	/* asked until the kernel knows no more */

static const unsigned char kept[] = {
	CAP_CHOWN,		/* directories become their users'	*/
	CAP_FOWNER,		/* and get their modes			*/
	CAP_DAC_OVERRIDE,	/* wherever they are			*/
	CAP_DAC_READ_SEARCH,	/* the child reads the configuration	*/
	CAP_NET_BIND_SERVICE,	/* port 25				*/
	CAP_KILL,		/* children that hang			*/
	CAP_SETGID, CAP_SETUID,	/* each child becomes its user,		*/
	CAP_SYS_CHROOT,		/* in an empty root,			*/
	CAP_SYS_ADMIN,		/* in namespaces of its own,		*/
	CAP_SETPCAP,		/* and gives up all of this		*/
};

static bool
is_kept(unsigned capability)
{
	for (size_t i = 0; i < sizeof(kept); i++)
		if (kept[i] == capability)
			return true;
	return false;
}

enum err
rights_shrink(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[2];

	if (geteuid() != 0)
		return OK;
	for (unsigned c = 0; c <= LAST_CAPABILITY; c++)
		if (!is_kept(c) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) == -1 &&
		    errno != EINVAL && errno != EPERM)
			return ERR_SYS;
	if (syscall(SYS_capget, &head, sets) == -1)
		return ERR_SYS;
	for (unsigned c = 0; c <= LAST_CAPABILITY; c++)
		if (!is_kept(c)) {
			sets[c / 32].effective &= ~(1u << c % 32);
			sets[c / 32].permitted &= ~(1u << c % 32);
			sets[c / 32].inheritable &= ~(1u << c % 32);
		}
	return syscall(SYS_capset, &head, sets) == -1 ? ERR_SYS : OK;
}
