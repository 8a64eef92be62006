/*
 * seccomp_exec.c - the list of what a launcher and the programs it starts may
 * not do.  A program may need anything else, so all else is allowed, and what
 * is refused fails as it does where a kernel lacks it: the program then does
 * without.
 *
 * On the list: ways to more rights and to other processes, parts of the kernel
 * that no delivery needs and that have been the way in before, and the network.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/seccomp.h"
#include "sys/seccomp_list.h"

#define NEW_TIME	0x80u	/* CLONE_NEWTIME, of unshare() only */
#define SOCK_KIND	0xfu	/* of a type, without its flags */

#define CNT(a)		(sizeof(a) / sizeof((a)[0]))

static const int refused[] = {
	/* other processes, their memory and their descriptors */
	SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd), SCMP_SYS(process_madvise),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(ptrace),
	/* the kernel itself */
	SCMP_SYS(bpf), SCMP_SYS(delete_module), SCMP_SYS(finit_module),
	SCMP_SYS(init_module), SCMP_SYS(ioperm), SCMP_SYS(iopl),
	SCMP_SYS(kexec_file_load), SCMP_SYS(kexec_load),
	SCMP_SYS(perf_event_open), SCMP_SYS(reboot), SCMP_SYS(syslog),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(add_key), SCMP_SYS(keyctl), SCMP_SYS(request_key),
	/* the tree of files as a whole */
	SCMP_SYS(acct), SCMP_SYS(chroot), SCMP_SYS(fanotify_init),
	SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fsopen),
	SCMP_SYS(fspick), SCMP_SYS(mount), SCMP_SYS(mount_setattr),
	SCMP_SYS(move_mount), SCMP_SYS(open_by_handle_at),
	SCMP_SYS(open_tree), SCMP_SYS(pivot_root), SCMP_SYS(quotactl),
	SCMP_SYS(quotactl_fd), SCMP_SYS(swapoff), SCMP_SYS(swapon),
	SCMP_SYS(umount2),
	/* the machine's name and clock, other namespaces */
	SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime), SCMP_SYS(clock_settime),
	SCMP_SYS(setdomainname), SCMP_SYS(sethostname), SCMP_SYS(setns),
	SCMP_SYS(settimeofday), SCMP_SYS(vhangup),
};

/* All bits by which a child or the caller would get a namespace. */
static const uint64_t namespaces[] = {
	CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
	CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET,
};

static void
refuse(scmp_filter_ctx f, int *rc, int call, int error, unsigned cnt,
    const struct scmp_arg_cmp *cmp)
{
	if (*rc == 0)
		*rc = seccomp_rule_add_array(f,
		    SCMP_ACT_ERRNO((uint32_t)error), call, cnt, cmp);
}

static struct scmp_arg_cmp
has(unsigned no, uint64_t bits)
{
	return (struct scmp_arg_cmp){
		.arg = no, .op = SCMP_CMP_MASKED_EQ, .datum_a = bits,
		.datum_b = bits,
	};
}

/* clone3() hides its flags in memory: glibc does without it. */
static void
refuse_namespaces(scmp_filter_ctx f, int *rc)
{
	const struct scmp_arg_cmp time = has(0, NEW_TIME);

	for (size_t i = 0; i < CNT(namespaces); i++) {
		const struct scmp_arg_cmp cmp = has(0, namespaces[i]);

		refuse(f, rc, SCMP_SYS(unshare), EPERM, 1, &cmp);
		refuse(f, rc, SCMP_SYS(clone), EPERM, 1, &cmp);
	}
	refuse(f, rc, SCMP_SYS(unshare), EPERM, 1, &time);
	refuse(f, rc, SCMP_SYS(clone3), ENOSYS, 0, NULL);
}

/* Unix sockets, and no others. */
static void
refuse_network(scmp_filter_ctx f, int *rc)
{
	const struct scmp_arg_cmp other = {
		.arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_UNIX,
	};

	refuse(f, rc, SCMP_SYS(socket), EAFNOSUPPORT, 1, &other);
	refuse(f, rc, SCMP_SYS(socketpair), EAFNOSUPPORT, 1, &other);
}

/*
 * Who calls out has TCP and UDP, and netlink, by which getaddrinfo() learns of
 * the host's addresses: nothing else, and no packets made by hand.
 */
static void
refuse_odd_network(scmp_filter_ctx f, int *rc)
{
	const struct scmp_arg_cmp beyond = {
		.arg = 0, .op = SCMP_CMP_GT, .datum_a = AF_NETLINK,
	};
	const struct scmp_arg_cmp by_hand[] = {
		{ .arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_NETLINK },
		{ .arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = SOCK_KIND,
		  .datum_b = SOCK_RAW },
	};
	const struct scmp_arg_cmp odd_protocol[] = {
		{ .arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_NETLINK },
		{ .arg = 2, .op = SCMP_CMP_GT, .datum_a = IPPROTO_UDP },
	};

	refuse(f, rc, SCMP_SYS(socket), EPROTONOSUPPORT, CNT(odd_protocol),
	    odd_protocol);
	refuse(f, rc, SCMP_SYS(socket), EAFNOSUPPORT, 1, &beyond);
	refuse(f, rc, SCMP_SYS(socket), EPERM, CNT(by_hand), by_hand);
	for (uint64_t family = 0; family < AF_NETLINK; family++)
		if (family != AF_UNIX && family != AF_INET &&
		    family != AF_INET6) {
			const struct scmp_arg_cmp odd =
			    seccomp_list_is(0, family);

			refuse(f, rc, SCMP_SYS(socket), EAFNOSUPPORT, 1,
			    &odd);
		}
}

/* One's own limits are one's own; those of the user's other processes not. */
static void
refuse_limiting(scmp_filter_ctx f, int *rc)
{
	const struct scmp_arg_cmp other = {
		.arg = 0, .op = SCMP_CMP_NE, .datum_a = 0,
	};

	refuse(f, rc, SCMP_SYS(prlimit64), EPERM, 1, &other);
}

/* Typing on a terminal for its owner. */
static void
refuse_typing(scmp_filter_ctx f, int *rc)
{
	const struct scmp_arg_cmp type = seccomp_list_is(1, TIOCSTI);
	const struct scmp_arg_cmp paste = seccomp_list_is(1, TIOCLINUX);

	refuse(f, rc, SCMP_SYS(ioctl), EPERM, 1, &type);
	refuse(f, rc, SCMP_SYS(ioctl), EPERM, 1, &paste);
}

enum err
seccomp_enter_exec(bool calls_out)
{
	scmp_filter_ctx f;
	int rc;

	if (seccomp_list_begin(&f, SCMP_ACT_ALLOW, &rc) != OK)
		return ERR_SYS;
	for (size_t i = 0; i < CNT(refused); i++)
		refuse(f, &rc, refused[i], EPERM, 0, NULL);
	refuse_namespaces(f, &rc);
	if (calls_out)
		refuse_odd_network(f, &rc);
	else
		refuse_network(f, &rc);
	refuse_limiting(f, &rc);
	refuse_typing(f, &rc);
	return seccomp_list_load(&f, rc);
}
