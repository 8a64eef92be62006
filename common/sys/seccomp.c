/*
 * seccomp.c - allow-lists, one per MAY_ flag and one for everybody.
 *
 * A call that is on no list of the row kills the process.  Where arguments
 * decide, comparisons are on the full 64 bits, so that no high half can differ
 * between what we compare and what the kernel takes.  clone3() hides its flags
 * in memory and is therefore "not there": glibc then falls back on clone(),
 * whose flags can be seen.  A row with MAY_READ is master's check child, in
 * which name service modules try what they like: there the rest fails with
 * EPERM instead of killing.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/roles.h"
#include "sys/seccomp.h"
#include "sys/seccomp_list.h"

#define CNT(a)		(sizeof(a) / sizeof((a)[0]))
#define LIST(a)		(a), CNT(a)

#define SOCK_KIND	0xfu	/* the kernel's SOCK_TYPE_MASK */
#define CLONE_SEEN	(CLONE_VM | CLONE_THREAD | CLONE_SIGHAND |	\
			 CLONE_VFORK | CLONE_PTRACE | CLONE_UNTRACED |	\
			 CLONE_PARENT | CLONE_NEWNS | CLONE_NEWCGROUP |	\
			 CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |	\
			 CLONE_NEWPID | CLONE_NEWNET | CLONE_IO)
#define CLONE_WANTED	(CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)
#define OPEN_CHANGES	(O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND |	\
			 (O_TMPFILE & ~O_DIRECTORY))

/* Memory, time, the loop, passed sockets: no way to anything new. */
static const int everybody[] = {
	SCMP_SYS(brk), SCMP_SYS(clock_getres), SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(close), SCMP_SYS(dup),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_wait), SCMP_SYS(eventfd2),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(fstat),
	SCMP_SYS(futex), SCMP_SYS(getegid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getpeername), SCMP_SYS(getpid),
	SCMP_SYS(getppid), SCMP_SYS(getrandom), SCMP_SYS(getrusage),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt), SCMP_SYS(gettid), SCMP_SYS(gettimeofday),
	SCMP_SYS(getuid), SCMP_SYS(lseek), SCMP_SYS(madvise),
	SCMP_SYS(membarrier), SCMP_SYS(mremap), SCMP_SYS(munmap),
	SCMP_SYS(nanosleep), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(pread64),
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(recvfrom), SCMP_SYS(recvmmsg),
	SCMP_SYS(recvmsg), SCMP_SYS(restart_syscall), SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list), SCMP_SYS(shutdown),
	SCMP_SYS(sigaltstack), SCMP_SYS(signalfd4), SCMP_SYS(sysinfo),
	SCMP_SYS(time), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_gettime),
	SCMP_SYS(timerfd_settime), SCMP_SYS(uname), SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* All that a socket can be told with descriptors: see add_sockets(). */
static const int passes[] = {
	SCMP_SYS(sendmsg),
};

static const int accepts[] = {
	SCMP_SYS(accept), SCMP_SYS(accept4),
};

static const int dials[] = {
	SCMP_SYS(bind), SCMP_SYS(connect),
};

/* What files need, in a database or a Maildir. */
static const int files[] = {
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(fadvise64), SCMP_SYS(fallocate), SCMP_SYS(fchmod),
	SCMP_SYS(fdatasync), SCMP_SYS(flock), SCMP_SYS(fstatfs),
	SCMP_SYS(fsync), SCMP_SYS(ftruncate), SCMP_SYS(getdents64),
	SCMP_SYS(lstat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
	SCMP_SYS(newfstatat), SCMP_SYS(open), SCMP_SYS(openat),
	SCMP_SYS(preadv), SCMP_SYS(pwrite64), SCMP_SYS(pwritev),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
	SCMP_SYS(stat), SCMP_SYS(statfs), SCMP_SYS(statx), SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
};

static const int stores[] = {
	SCMP_SYS(mincore), SCMP_SYS(mlock), SCMP_SYS(msync),
	SCMP_SYS(sync_file_range),
};

static const int maildirs[] = {
	SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(openat2),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(rmdir),
	SCMP_SYS(umask), SCMP_SYS(utimensat),
};

static const int readers[] = {
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(fadvise64), SCMP_SYS(getcwd), SCMP_SYS(getdents64),
	SCMP_SYS(lstat), SCMP_SYS(memfd_create), SCMP_SYS(ftruncate),
	SCMP_SYS(newfstatat), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(stat), SCMP_SYS(statfs),
	SCMP_SYS(statx),
};

/* A directory read, its files too, and those that are done with removed. */
static const int picks[] = {
	SCMP_SYS(flock), SCMP_SYS(getdents64), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(unlinkat),
};

static const int threads[] = {
	SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler),
};

static const int asks[] = {
	SCMP_SYS(pipe2), SCMP_SYS(socketpair),
};

static const int locks[] = {
	SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(munlock),
};

static const int pipes[] = {
	SCMP_SYS(pipe2),
};

/* Children, and what they become; seccomp_ids.c says who not. */
static const int becomes[] = {
	SCMP_SYS(capset), SCMP_SYS(close_range), SCMP_SYS(dup2),
	SCMP_SYS(dup3), SCMP_SYS(kill), SCMP_SYS(pipe2), SCMP_SYS(setpgid),
	SCMP_SYS(setresgid), SCMP_SYS(setresuid), SCMP_SYS(wait4),
	SCMP_SYS(waitid),
};

static const int fcntls[] = {
	F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GET_SEALS,
};
static const int lock_fcntls[] = {
	F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
};
static const int mark_fcntls[] = {
	F_GETLK, F_SETLK,
};
static const int levels[] = {
	SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6,
};

/* Argument `no` is the value, or its bits under a mask are. */
static struct scmp_arg_cmp
is(unsigned no, uint64_t value)
{
	return (struct scmp_arg_cmp){
		.arg = no, .op = SCMP_CMP_EQ, .datum_a = value,
	};
}

static struct scmp_arg_cmp
bits(unsigned no, uint64_t mask, uint64_t value)
{
	return (struct scmp_arg_cmp){
		.arg = no, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask,
		.datum_b = value,
	};
}

/* The first libseccomp error sticks in *rc, so lists read as lists. */
static void
allow_all(scmp_filter_ctx f, int *rc, const int *calls, size_t cnt)
{
	for (size_t i = 0; i < cnt && *rc == 0; i++)
		*rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
}

static void
allow_if(scmp_filter_ctx f, int *rc, int call, unsigned cnt,
    const struct scmp_arg_cmp *cmp)
{
	if (*rc == 0)
		*rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, cnt,
		    cmp);
}

/* Not there: the library has another way, or lives without. */
static void
answer(scmp_filter_ctx f, int *rc, int call, int error)
{
	if (*rc == 0)
		*rc = seccomp_rule_add(f, SCMP_ACT_ERRNO((uint32_t)error),
		    call, 0);
}

/* Allow a call where argument `no` is one of the values. */
static void
allow_values(scmp_filter_ctx f, int *rc, int call, unsigned no,
    const int *values, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		struct scmp_arg_cmp cmp = is(no, (uint64_t)values[i]);

		allow_if(f, rc, call, 1, &cmp);
	}
}

/* mmap and mprotect without PROT_EXEC; signals to ourselves alone. */
static void
add_memory_and_signals(scmp_filter_ctx f, int *rc, unsigned may)
{
	const struct scmp_arg_cmp no_exec = bits(2, PROT_EXEC, 0);
	const struct scmp_arg_cmp self = is(0, (uint64_t)getpid());
	const struct scmp_arg_cmp only_reads[] = { is(0, 0), is(2, 0) };

	allow_if(f, rc, SCMP_SYS(mmap), 1, &no_exec);
	allow_if(f, rc, SCMP_SYS(mprotect), 1, &no_exec);
	allow_if(f, rc, SCMP_SYS(kill), 1, &self);
	allow_if(f, rc, SCMP_SYS(tgkill), 1, &self);
	allow_if(f, rc, SCMP_SYS(prlimit64), 2, only_reads);
	if (may & MAY_LOCK)
		allow_all(f, rc, LIST(locks));
}

static void
add_descriptors(scmp_filter_ctx f, int *rc, unsigned may)
{
	static const int ioctls[] = { FIONREAD, FIONBIO, TCGETS };
	static const int prctls[] = { PR_SET_NAME, PR_GET_NAME };
	const struct scmp_arg_cmp by_fd = bits(3, AT_EMPTY_PATH,
	    AT_EMPTY_PATH);

	allow_values(f, rc, SCMP_SYS(ioctl), 1, LIST(ioctls));
	allow_values(f, rc, SCMP_SYS(prctl), 0, LIST(prctls));
	allow_values(f, rc, SCMP_SYS(fcntl), 1, LIST(fcntls));
	if (may & (MAY_STORE | MAY_FILES))
		allow_values(f, rc, SCMP_SYS(fcntl), 1, LIST(lock_fcntls));
	else if (may & MAY_MARK)
		allow_values(f, rc, SCMP_SYS(fcntl), 1, LIST(mark_fcntls));
	allow_values(f, rc, SCMP_SYS(setsockopt), 1, LIST(levels));
	if ((may & (MAY_STORE | MAY_FILES | MAY_READ | MAY_PICK)) == 0)
		allow_if(f, rc, SCMP_SYS(newfstatat), 1, &by_fd);
}

static void
allow_socket(scmp_filter_ctx f, int *rc, int kind, int protocol)
{
	static const int families[] = { AF_INET, AF_INET6 };
	const int protocols[] = { 0, protocol };

	for (size_t i = 0; i < CNT(families); i++)
		for (size_t k = 0; k < CNT(protocols); k++) {
			const struct scmp_arg_cmp cmp[] = {
				is(0, (uint64_t)families[i]),
				bits(1, SOCK_KIND, (uint64_t)kind),
				is(2, (uint64_t)protocols[k]),
			};

			allow_if(f, rc, SCMP_SYS(socket), CNT(cmp), cmp);
		}
}

/* Sockets of our own: TCP for a relay, UDP too for the resolver. */
static void
add_sockets(scmp_filter_ctx f, int *rc, unsigned may)
{
	static const int probed[] = { AF_UNIX, AF_NETLINK };
	const struct scmp_arg_cmp not_fast = bits(3, MSG_FASTOPEN, 0);

	/*
	 * By sendmsg() a process that was taken over could pass its log to
	 * itself or to an accomplice, where it has another number than 2.  Only
	 * who hands on what it made has it; a connection that is made by
	 * sending is none that Landlock looks at.
	 */
	if (may & (MAY_PIPES | MAY_READ | MAY_BECOME))
		allow_all(f, rc, LIST(passes));
	allow_if(f, rc, SCMP_SYS(sendto), 1, &not_fast);
	if (may & MAY_ACCEPT)
		allow_all(f, rc, LIST(accepts));
	if (may & MAY_PIPES)
		allow_all(f, rc, LIST(pipes));
	if ((may & (MAY_DIAL | MAY_ASK)) == 0)
		return;
	allow_all(f, rc, LIST(dials));
	allow_socket(f, rc, SOCK_STREAM, IPPROTO_TCP);
	if ((may & MAY_ASK) == 0)
		return;
	allow_all(f, rc, LIST(asks));
	allow_socket(f, rc, SOCK_DGRAM, IPPROTO_UDP);

	/* libunbound then uses connect(). */
	answer(f, rc, SCMP_SYS(sendmsg), EOPNOTSUPP);
	answer(f, rc, SCMP_SYS(sendmmsg), EOPNOTSUPP);

	/* libunbound and getaddrinfo() look, and live without. */
	for (size_t i = 0; i < CNT(probed) && *rc == 0; i++)
		*rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES),
		    SCMP_SYS(socket), 1, is(0, (uint64_t)probed[i]));
	answer(f, rc, SCMP_SYS(open), EACCES);
	answer(f, rc, SCMP_SYS(openat), EACCES);
}

static void
add_files(scmp_filter_ctx f, int *rc, unsigned may)
{
	const struct scmp_arg_cmp open_reads = bits(1, OPEN_CHANGES, 0);
	const struct scmp_arg_cmp openat_reads = bits(2, OPEN_CHANGES, 0);
	static const int seals[] = { F_ADD_SEALS };

	if (may & (MAY_STORE | MAY_FILES))
		allow_all(f, rc, LIST(files));
	if (may & MAY_STORE)
		allow_all(f, rc, LIST(stores));
	if (may & MAY_FILES)
		allow_all(f, rc, LIST(maildirs));
	if (may & MAY_PICK) {
		allow_all(f, rc, LIST(picks));
		allow_if(f, rc, SCMP_SYS(openat), 1, &openat_reads);
	}
	if (may & MAY_READ) {
		allow_all(f, rc, LIST(readers));
		allow_if(f, rc, SCMP_SYS(open), 1, &open_reads);
		allow_if(f, rc, SCMP_SYS(openat), 1, &openat_reads);
		allow_values(f, rc, SCMP_SYS(fcntl), 1, LIST(seals));
	}
}

static void
add_threads(scmp_filter_ctx f, int *rc, unsigned may)
{
	const struct scmp_arg_cmp thread = bits(0, CLONE_SEEN, CLONE_WANTED);

	if ((may & MAY_THREADS) == 0)
		return;
	allow_all(f, rc, LIST(threads));
	answer(f, rc, SCMP_SYS(clone3), ENOSYS);
	allow_if(f, rc, SCMP_SYS(clone), 1, &thread);
}

/* Nobody's group but his own goes with whom a child becomes. */
static void
add_becoming(scmp_filter_ctx f, int *rc, unsigned may)
{
	const struct scmp_arg_cmp child = bits(0, CLONE_SEEN, 0);
	const struct scmp_arg_cmp no_groups = is(0, 0);

	if ((may & MAY_BECOME) == 0)
		return;
	allow_all(f, rc, LIST(becomes));
	answer(f, rc, SCMP_SYS(clone3), ENOSYS);
	allow_if(f, rc, SCMP_SYS(clone), 1, &child);
	allow_if(f, rc, SCMP_SYS(setgroups), 1, &no_groups);
}

/* Say which call it was, then die of it as without debug. */
static void
name_and_die(int signo, siginfo_t *si, void *arg)
{
	char *name = seccomp_syscall_resolve_num_arch(si->si_arch,
	    si->si_syscall);
	struct log_line l;

	log_begin(&l, LOG_trouble);
	log_text(&l, LOG_KEY_why, "forbidden system call");
	log_text(&l, LOG_KEY_command, name == NULL ? "?" : name);
	log_num(&l, LOG_KEY_count, si->si_syscall);
	log_end(&l);
	raise(signo);
}

static enum err
catch_forbidden(void)
{
	struct sigaction sa = { 0 };

	sa.sa_sigaction = name_and_die;
	sa.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER;
	return sigaction(SIGSYS, &sa, NULL) == -1 ? ERR_SYS : OK;
}

bool
seccomp_is_on(void)
{
	return true;
}

enum err
seccomp_enter(unsigned may, bool debug)
{
	uint32_t otherwise = SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx f;
	int rc;

	if (may & MAY_EXEC)
		return seccomp_enter_exec((may & MAY_DIAL) != 0);
	if (may & MAY_READ)
		otherwise = SCMP_ACT_ERRNO(EPERM);
	else if (debug)
		otherwise = SCMP_ACT_TRAP;
	if (otherwise == SCMP_ACT_TRAP && catch_forbidden() != OK)
		return ERR_SYS;
	if (seccomp_keep_log(otherwise) != OK)
		return ERR_SYS;
	if (seccomp_list_begin(&f, otherwise, &rc) != OK)
		return ERR_SYS;
	if (rc == 0)	/* a binary tree: a dozen steps for any call */
		rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	allow_all(f, &rc, LIST(everybody));
	add_memory_and_signals(f, &rc, may);
	add_descriptors(f, &rc, may);
	add_sockets(f, &rc, may);
	add_files(f, &rc, may);
	add_threads(f, &rc, may);
	add_becoming(f, &rc, may);
	return seccomp_list_load(&f, rc);
}
