/*
 * test_sandbox - enter the sandbox of every row of roles.def in a child, do
 * one thing there, and see whether it works, is refused, or is the end.
 *
 * Run as root it enters the whole sandbox under made-up user numbers, else as
 * much of it as an ordinary user can, which is why an ordinary user's run is
 * repeated as root.  Sanitizer builds have no system call filter: there what
 * only the filter refuses is left out.
 *
 * also: root
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <asm/sockios.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox_kit.h"
#include "sys/marks.h"

static int	 listener = -1;		/* passed in, as by master	*/
static int	 marks = -1;		/* passed in likewise		*/
static int	 elsewhere = -1;	/* listens, and is not passed in */
static pid_t	 sibling;

/* Things to do.  Each says whether it worked. */

static bool
open_host_file(void)
{
	return open("/etc/passwd", O_RDONLY) != -1;
}

static bool
open_device(void)
{
	return open("/dev/null", O_RDWR) != -1;
}

static bool
write_spool_of_another(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/stolen", outside);
	return open(path, O_WRONLY | O_CREAT, 0600) != -1;
}

static bool
climb_out(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/../outside/stolen", sandbox_path());
	return open(path, O_WRONLY | O_CREAT, 0600) != -1;
}

static bool
keep_a_file(void)
{
	char from[PATH_MAX + 8], to[PATH_MAX + 8], dir[PATH_MAX];
	int fd;

	snprintf(dir, sizeof(dir), "%s/dir%d", sandbox_path(), (int)getpid());
	snprintf(from, sizeof(from), "%s/new", dir);
	snprintf(to, sizeof(to), "%s/kept", dir);
	return mkdir(dir, 0700) == 0 &&
	    (fd = open(from, O_RDWR | O_CREAT | O_EXCL, 0600)) != -1 &&
	    write(fd, "mail", 4) == 4 && fsync(fd) == 0 &&
	    rename(from, to) == 0 && unlink(to) == 0;
}

static bool
lock_and_map(void)
{
	struct flock lk = { .l_type = F_WRLCK, .l_len = 1 };
	char path[PATH_MAX];
	void *at;
	int fd;

	snprintf(path, sizeof(path), "%s/map%d", sandbox_path(), (int)getpid());
	if ((fd = open(path, O_RDWR | O_CREAT, 0600)) == -1 ||
	    ftruncate(fd, 4096) == -1 || fcntl(fd, F_SETLK, &lk) == -1 ||
	    pwrite(fd, "x", 1, 0) != 1 || fallocate(fd, 0, 0, 8192) == -1)
		return false;
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	return at != MAP_FAILED && fdatasync(fd) == 0 &&
	    msync(at, 4096, MS_SYNC) == 0 && unlink(path) == 0;
}

static bool
have_a_mark(void)
{
	return mark_set(marks, 1) == OK && !marks_others(marks, 0, 9, NULL);
}

static bool
wait_for_a_mark(void)
{
	struct flock lk = { .l_type = F_WRLCK, .l_len = 1 };

	return fcntl(marks, F_SETLKW, &lk) == 0;
}

static bool
write_where_marks_are(void)
{
	(void)signal(SIGXFSZ, SIG_IGN);		/* the seal shall say it */
	return write(marks, "x", 1) == 1;
}

static bool
make_a_link_elsewhere(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/link", sandbox_path());
	return symlink("/etc/passwd", path) == 0;
}

static bool
make_a_device(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/dev", sandbox_path());
	return mknod(path, S_IFCHR | 0600, 0x103) == 0;
}

static bool
make(int family, int kind, int protocol)
{
	return socket(family, kind | SOCK_CLOEXEC, protocol) != -1;
}

static bool
make_tcp4(void)
{
	return make(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static bool
make_tcp6(void)
{
	return make(AF_INET6, SOCK_STREAM, IPPROTO_TCP) ||
	    errno == EAFNOSUPPORT;	/* a host without */
}

static bool
make_udp(void)
{
	return make(AF_INET, SOCK_DGRAM, 0);
}

static bool
make_raw(void)
{
	return make(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static bool
make_sctp(void)
{
	return make(AF_INET, SOCK_STREAM, 132);
}

static bool
make_unix(void)
{
	return make(AF_UNIX, SOCK_STREAM, 0);
}

static bool
make_netlink(void)
{
	return make(AF_NETLINK, SOCK_RAW, 0);
}

static bool
make_packet(void)
{
	return make(AF_PACKET, SOCK_RAW, 0);
}

static bool
make_vsock(void)
{
	return make(40, SOCK_STREAM, 0);
}

static bool
dial(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd != -1 &&
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* A resolver has no business at another port than that of its servers. */
static bool
dial_another_port(void)
{
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return getsockname(elsewhere, (struct sockaddr *)&to, &len) == 0 &&
	    fd != -1 && connect(fd, (struct sockaddr *)&to, len) == 0;
}

/* Connecting by sending, which Landlock may not look at. */
static bool
dial_by_sending(void)
{
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return getsockname(elsewhere, (struct sockaddr *)&to, &len) == 0 &&
	    fd != -1 && sendto(fd, "x", 1, MSG_FASTOPEN,
	    (struct sockaddr *)&to, len) == 1;
}

static bool
dial_from_any_port(void)
{
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd != -1 &&
	    bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0;
}

static bool
bind_a_port(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(29777),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd != -1 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

static bool
listen_anew(void)
{
	return listen(listener, 1) == 0;
}

static bool
accept_one(void)
{
	return accept4(listener, NULL, NULL, SOCK_NONBLOCK) != -1 ||
	    errno == EAGAIN;
}

static bool
run_a_program(void)
{
	char *const argv[] = { (char *)"true", NULL };

	execv("/bin/true", argv);
	return false;
}

static bool
split(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid != -1;
}

static void *
idle(void *arg)
{
	return arg;
}

static bool
start_a_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, idle, NULL) == 0 &&
	    pthread_join(t, NULL) == 0;
}

static bool
trace_a_sibling(void)
{
	return ptrace(PTRACE_ATTACH, sibling, NULL, NULL) == 0;
}

static bool
read_a_sibling(void)
{
	char buf[8];
	struct iovec to = { buf, sizeof(buf) }, from = { base, sizeof(buf) };

	return process_vm_readv(sibling, &to, 1, &from, 1, 0) > 0;
}

static bool
signal_master(void)
{
	return kill(getppid(), 0) == 0;
}

static bool
signal_a_sibling(void)
{
	return kill(sibling, SIGTERM) == 0;
}

static bool
signal_everybody(void)
{
	return kill(-1, SIGTERM) == 0;
}

static bool
signal_a_thread_of_a_sibling(void)
{
	return syscall(SYS_tgkill, sibling, sibling, 0) == 0;
}

static bool
signal_self(void)
{
	return kill(getpid(), 0) == 0 &&
	    syscall(SYS_tgkill, getpid(), gettid(), 0) == 0;
}

static bool
map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool
turn_memory_into_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at != MAP_FAILED &&
	    mprotect(at, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool
become_root(void)
{
	return setuid(0) == 0;
}

static bool
leave_for_another_root(void)
{
	return chroot("/") == 0;
}

static bool
make_a_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0;
}

static bool
mount_something(void)
{
	return mount("none", "/", "tmpfs", 0, NULL) == 0;
}

static bool
become_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool
use_io_uring(void)
{
	char params[128] = { 0 };

	return syscall(SYS_io_uring_setup, 4, params) != -1;
}

static bool
make_a_memory_file(void)
{
	return memfd_create("x", 0) != -1;
}

static bool
raise_a_limit(void)
{
	struct rlimit l = { 1, 1 };

	return setrlimit(RLIMIT_CORE, &l) == 0;
}

static bool
make_a_pipe(void)
{
	int fds[2];

	return pipe2(fds, O_CLOEXEC) == 0;
}

static bool
lock_memory(void)
{
	static char page[4096];

	return mlock(page, sizeof(page)) == 0 || errno == ENOMEM ||
	    errno == EPERM;		/* a limit of the host's */
}

static bool
work_as_usual(void)
{
	char *big = malloc(4u << 20);
	struct timespec now;
	struct tm tm;
	struct stat st;
	int fds[2] = { dup(STDIN_FILENO), -1 };

	return big != NULL && fds[0] != -1 && fstat(fds[0], &st) == 0 &&
	    close(fds[0]) == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	    gmtime_r(&now.tv_sec, &tm) != NULL && getpid() > 0 &&
	    write(STDERR_FILENO, "", 0) == 0;
}

static const struct act acts[] = {
	{ "work_as_usual",		work_as_usual,		"WWWWWWWWWWWW"},
	{ "signal_self",		signal_self,		"WWWWWWWWWWWW"},
	{ "open_host_file",		open_host_file,		"DFDFFDDDDDDF"},
	{ "open_device",		open_device,		"DFDFFDDDDDDD"},
	{ "write_spool_of_another",	write_spool_of_another,	"DFDFFDDDDDDD"},
	{ "climb_out",			climb_out,		"DFDFFDDDDDDD"},
	{ "keep_a_file",		keep_a_file,		"DWDWDDDDDDDD"},
	{ "lock_and_map",		lock_and_map,		"DWD.FDDDDDDD"},
	{ "have_a_mark",		have_a_mark,		"dWWWdddddddd"},
	{ "wait_for_a_mark",		wait_for_a_mark,	"dWdWdddddddd"},
	{ "write_where_marks_are",	write_where_marks_are,	"FFFFFFFFFFFF"},
	{ "make_a_link_elsewhere",	make_a_link_elsewhere,	"DDDDDDDDDDDD"},
	{ "make_a_device",		make_a_device,		"DDDDDDDDDDDD"},
	{ "make_tcp4",			make_tcp4,		"ddWdWddddddd"},
	{ "make_tcp6",			make_tcp6,		"ddWdWddddddd"},
	{ "make_udp",			make_udp,		"ddddWddddddd"},
	{ "make_raw",			make_raw,		"dddddddddddd"},
	{ "make_sctp",			make_sctp,		"dddddddddddd"},
	{ "make_unix",			make_unix,		"ddddfddddddd"},
	{ "make_netlink",		make_netlink,		"ddddfddddddd"},
	{ "make_packet",		make_packet,		"dddddddddddd"},
	{ "make_vsock",			make_vsock,		"dddddddddddd"},
	{ "dial",			dial,			"DDWDWDDDDDDD"},
	{ "dial_another_port",		dial_another_port,	"DDWDLDDDDD.D"},
	{ "dial_by_sending",		dial_by_sending,	"....d......."},
	{ "dial_from_any_port",		dial_from_any_port,	"ddWdWddddddd"},
	{ "bind_a_port",		bind_a_port,		"DDLDLDDDDD.D"},
	{ "listen_anew",		listen_anew,		"dddddddddddd"},
	{ "accept_one",			accept_one,		"WdddddddWddd"},
	{ "run_a_program",		run_a_program,		"DDDDDDDDDDDD"},
	{ "split",			split,			"dddddddddddd"},
	{ "start_a_thread",		start_a_thread,		"dWdWWddWdddd"},
	{ "trace_a_sibling",		trace_a_sibling,	"DDDDDDDDDDDD"},
	{ "read_a_sibling",		read_a_sibling,		"DDDDDDDDDDDD"},
	{ "signal_master",		signal_master,		"SSSSSSSSSS.S"},
	{ "signal_a_sibling",		signal_a_sibling,	"SSSSSSSSSS.S"},
	{ "signal_everybody",		signal_everybody,	"dddddddddddd"},
	{ "signal_a_thread_of_a_sibling", signal_a_thread_of_a_sibling,
								"SSSSSSSSSS.S"},
	{ "map_code",			map_code,		"dddddddddddd"},
	{ "turn_memory_into_code",	turn_memory_into_code,	"dddddddddddd"},
	{ "become_root",		become_root,		"DDDDDDDDDDDD"},
	{ "leave_for_another_root",	leave_for_another_root,	"DDDDDDDDDDDD"},
	{ "make_a_namespace",		make_a_namespace,	"dddddddddddd"},
	{ "mount_something",		mount_something,	"DDDDDDDDDDDD"},
	{ "become_dumpable",		become_dumpable,	"dddddddddddd"},
	{ "use_io_uring",		use_io_uring,		"dddddddddddd"},
	{ "make_a_memory_file",		make_a_memory_file,	"dddddddddddd"},
	{ "raise_a_limit",		raise_a_limit,		"DDDDDDDDDDDD"},
	{ "make_a_pipe",		make_a_pipe,		"ddddWWdddddd"},
	{ "lock_memory",		lock_memory,		"dWddddWddddd"},
};

static void
try_all(void)
{
	try_each(acts, sizeof(acts) / sizeof(acts[0]), NULL);
}

static void
every_row_can_do_its_work_and_nothing_else(void **state)
{
	try_all();
}

static void
what_needs_no_root_holds_without_it(void **state)
{
	give_up_root = true;
	try_all();
	give_up_root = false;
}

static void
debug_dies_of_the_same_signal(void **state)
{
	assert_int_equal(try(ROLE_EDGE, open_host_file, true), DIES);
	assert_int_equal(try(ROLE_EDGE, work_as_usual, true), WORKS);
}

/* The check child: may read what root may, and nothing else. */

static bool
write_host_file(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/checked", outside);
	return open(path, O_WRONLY | O_CREAT, 0600) != -1;
}

static bool
read_hidden_file(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/hidden", inside);
	return open(path, O_RDONLY) != -1;
}

/* How large is the disk of a queue? */
static bool
measure_a_disk(void)
{
	struct statvfs vfs;

	return statvfs(inside, &vfs) == 0 && vfs.f_blocks > 0;
}

static void
check_reads_and_does_nothing_else(void **state)
{
	assert_int_equal(try(ROLE_CHECK, measure_a_disk, false), WORKS);
	assert_int_equal(try(ROLE_CHECK, open_host_file, false), WORKS);
	assert_int_equal(try(ROLE_CHECK, read_hidden_file, false), WORKS);
	assert_int_equal(try(ROLE_CHECK, write_host_file, false), FAILS);
	if (!seccomp_is_on())
		return;
	assert_int_equal(try(ROLE_CHECK, make_tcp4, false), FAILS);
	assert_int_equal(try(ROLE_CHECK, run_a_program, false), FAILS);
	assert_int_equal(try(ROLE_CHECK, signal_a_sibling, false), FAILS);
	assert_int_equal(try(ROLE_CHECK, trace_a_sibling, false), FAILS);
	assert_int_equal(try(ROLE_CHECK, split, false), FAILS);
}

/* The launcher, and a program it executes: all but what is on the list. */

static bool
use_a_keyring(void)
{
	return syscall(SYS_keyctl, 0, -3, 0) != -1;
}

static bool
load_a_filter(void)
{
	char attr[128] = { 0 };

	return syscall(SYS_bpf, 0, attr, sizeof(attr)) != -1 ||
	    errno != EPERM;
}

static bool
watch_the_machine(void)
{
	char attr[128] = { 0 };

	return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0) != -1 ||
	    errno != EPERM;
}

static bool
load_a_module(void)
{
	return syscall(SYS_init_module, "", 0, "") != -1 || errno != EPERM;
}

static bool
change_the_kernel(void)
{
	return syscall(SYS_kexec_load, 0, 0, NULL, 0) != -1 || errno != EPERM;
}

static bool
split_into_a_namespace(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid != -1;
}

static bool
split_with_hidden_flags(void)
{
	return syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS;
}

static bool
make_a_pair(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0;
}

static bool
move_between_directories(void)
{
	char from[160], to[160], name[128];
	bool good;

	snprintf(name, sizeof(name), "%s/d%d", outside, (int)getpid());
	snprintf(from, sizeof(from), "%s/f%d", outside, (int)getpid());
	snprintf(to, sizeof(to), "%s/f", name);
	good = mkdir(name, 0700) == 0 &&
	    open(from, O_WRONLY | O_CREAT, 0600) != -1 &&
	    rename(from, to) == 0 && link(to, from) == 0;
	(void)unlink(from);
	(void)unlink(to);
	(void)rmdir(name);
	return good;
}

static bool
is_limited(void)
{
	struct rlimit core, files, processes;

	return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 &&
	    getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max <= 1024 &&
	    getrlimit(RLIMIT_NPROC, &processes) == 0 &&
	    processes.rlim_max <= 512;
}

static bool
is_without_new_privileges(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static bool
be_traced(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool
read_itself_from_afar(void)
{
	char buf[8];
	struct iovec to = { buf, sizeof(buf) }, from = { base, sizeof(buf) };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) > 0;
}

/* Fates of a launcher, and of one that calls out. */
static const struct act offline[] = {
	{ "work_as_usual",		work_as_usual,		"WW" },
	{ "open_host_file",		open_host_file,		"WW" },
	{ "open_device",		open_device,		"WW" },
	{ "write_spool_of_another",	write_spool_of_another,	"WW" },
	{ "move_between_directories",	move_between_directories, "WW" },
	{ "make_unix",			make_unix,		"WW" },
	{ "make_a_pair",		make_a_pair,		"WW" },
	{ "make_a_pipe",		make_a_pipe,		"WW" },
	{ "make_a_memory_file",		make_a_memory_file,	"WW" },
	{ "split",			split,			"WW" },
	{ "start_a_thread",		start_a_thread,		"WW" },
	{ "map_code",			map_code,		"WW" },
	{ "run_a_program",		run_a_program,		"WW" },
	{ "signal_self",		signal_self,		"WW" },
	{ "is_limited",			is_limited,		"WW" },
	{ "is_without_new_privileges",	is_without_new_privileges, "WW" },
	{ "become_root",		become_root,		"FF" },
	{ "mount_something",		mount_something,	"FF" },
	{ "leave_for_another_root",	leave_for_another_root,	"FF" },
	{ "make_tcp4",			make_tcp4,		"fW" },
	{ "make_udp",			make_udp,		"fW" },
	{ "make_raw",			make_raw,		"ff" },
	{ "make_sctp",			make_sctp,		"ff" },
	{ "make_netlink",		make_netlink,		"fW" },
	{ "make_packet",		make_packet,		"ff" },
	{ "make_vsock",			make_vsock,		"ff" },
	{ "dial",			dial,			"fW" },
	{ "trace_a_sibling",		trace_a_sibling,	"ff" },
	{ "read_a_sibling",		read_a_sibling,		"ff" },
	{ "be_traced",			be_traced,		"ff" },
	{ "read_itself_from_afar",	read_itself_from_afar,	"ff" },
	{ "make_a_namespace",		make_a_namespace,	"ff" },
	{ "split_into_a_namespace",	split_into_a_namespace,	"ff" },
	{ "split_with_hidden_flags",	split_with_hidden_flags, "ff" },
	{ "use_io_uring",		use_io_uring,		"ff" },
	{ "use_a_keyring",		use_a_keyring,		"ff" },
	{ "load_a_filter",		load_a_filter,		"ff" },
	{ "watch_the_machine",		watch_the_machine,	"ff" },
	{ "load_a_module",		load_a_module,		"ff" },
	{ "change_the_kernel",		change_the_kernel,	"ff" },
};
#define OFFLINE_CNT	(sizeof(offline) / sizeof(offline[0]))

static const char *executed;		/* the name of an act */
static int	 own_file = -1;		/* this program's */

/* Be a program that does this one thing: see do_as_told(). */
static bool
execute(void)
{
	char pid[16], to[16];
	char *const argv[] = {
		(char *)"test_sandbox", (char *)(uintptr_t)executed, pid,
		outside, to, NULL,
	};

	snprintf(pid, sizeof(pid), "%d", (int)sibling);
	snprintf(to, sizeof(to), "%u", (unsigned)port);
	fexecve(own_file, argv, environ);
	return false;
}

__attribute__((noreturn))
static void
do_as_told(char **argv)
{
	sibling = (pid_t)strtol(argv[2], NULL, 10);
	(void)strlcpy(outside, argv[3], sizeof(outside));
	port = (uint16_t)strtol(argv[4], NULL, 10);
	for (size_t i = 0; i < OFFLINE_CNT; i++)
		if (strcmp(offline[i].name, argv[1]) == 0)
			_exit(offline[i].act() ? 0 : 1);
	_exit(2);
}

static void
try_launcher(bool is_executed, bool may_call_out)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < OFFLINE_CNT; i++) {
		enum fate want = wanted(offline[i].fates[may_call_out]), got;

		if (want == BROKEN)
			continue;
		executed = offline[i].name;
		calls_out = may_call_out;
		got = try(ROLE_LAUNCHER, is_executed ? execute :
		    offline[i].act, false);
		calls_out = false;
		if (got == want)
			continue;
		wrong++;
		print_error("%s in a launcher%s is wrong: %d\n",
		    offline[i].name, is_executed ? "'s program" : "", got);
	}
	assert_int_equal(wrong, 0);
}

static void
a_launcher_is_its_user_offline(void **state)
{
	try_launcher(false, false);
}

static void
what_a_launcher_executes_inherits_it_all(void **state)
{
	try_launcher(true, false);
}

static void
a_launcher_that_calls_out_has_tcp_and_udp_besides(void **state)
{
	try_launcher(false, true);
	try_launcher(true, true);
}

static void
a_launcher_needs_no_root_for_its_list(void **state)
{
	give_up_root = true;
	try_launcher(false, false);
	try_launcher(true, false);
	try_launcher(true, true);
	give_up_root = false;
}

/* Signals to whom a launcher spares, who is in its sandbox as well. */

static pid_t	 spared;

static bool
kill_the_spared(void)
{
	return kill(spared, SIGKILL) == 0;
}

static bool
kill_by_a_long_number(void)
{
	return syscall(SYS_kill, (1ul << 32) | (unsigned long)spared,
	    SIGKILL) == 0;
}

static bool
kill_its_group(void)
{
	return kill(-spared, SIGKILL) == 0;
}

static bool
kill_everybody(void)
{
	return kill(-1, 0) == 0;
}

static bool
kill_its_thread(void)
{
	return syscall(SYS_tgkill, spared, spared, SIGKILL) == 0 ||
	    syscall(SYS_tkill, spared, SIGKILL) == 0;
}

static bool
queue_a_signal(void)
{
	siginfo_t si = { .si_signo = SIGKILL, .si_code = SI_QUEUE };

	return syscall(SYS_rt_sigqueueinfo, spared, SIGKILL, &si) == 0 ||
	    syscall(SYS_rt_tgsigqueueinfo, spared, spared, SIGKILL, &si) == 0;
}

static bool
kill_by_descriptor(void)
{
	long fd = syscall(SYS_pidfd_open, spared, 0);

	return syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
}

static bool
kill_from_its_group(void)
{
	return setpgid(0, spared) == 0 && kill(0, SIGKILL) == 0;
}

static bool
owe_it_a_signal(void)
{
	struct f_owner_ex owner = { F_OWNER_PID, spared };
	int number = spared;

	return fcntl(STDIN_FILENO, F_SETOWN, spared) == 0 ||
	    fcntl(STDIN_FILENO, F_SETOWN, -spared) == 0 ||
	    fcntl(STDIN_FILENO, F_SETOWN_EX, &owner) == 0 ||
	    ioctl(listener, FIOSETOWN, &number) == 0 ||
	    ioctl(listener, SIOCSPGRP, &number) == 0;
}

static bool
signal_a_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)setpgid(0, 0);
		for (;;)
			pause();
	}
	(void)setpgid(pid, pid);
	return pid != -1 && kill(-pid, SIGTERM) == 0 &&
	    waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGTERM;
}

static const struct act on_spared[] = {
	{ "kill_the_spared",		kill_the_spared,	"f" },
	{ "kill_by_a_long_number",	kill_by_a_long_number,	"f" },
	{ "kill_its_group",		kill_its_group,		"f" },
	{ "kill_everybody",		kill_everybody,		"f" },
	{ "kill_its_thread",		kill_its_thread,	"f" },
	{ "queue_a_signal",		queue_a_signal,		"f" },
	{ "kill_by_descriptor",		kill_by_descriptor,	"f" },
	{ "kill_from_its_group",	kill_from_its_group,	"f" },
	{ "owe_it_a_signal",		owe_it_a_signal,	"f" },
	{ "signal_self",		signal_self,		"W" },
	{ "signal_a_child",		signal_a_child,		"W" },
};

static const struct act *on_spared_now;

/* In a launcher; the spared one ends with us. */
static bool
spare_one_and_act(void)
{
	pid_t us = getpid();

	if ((spared = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == us)		/* else it came too late */
			pause();
		_exit(0);
	}
	if (spared == -1 || setpgid(spared, spared) == -1 ||
	    (seccomp_is_on() && seccomp_spare(&spared, 1) != OK))
		_exit(3);
	return on_spared_now->act();
}

static void
a_launchers_programs_cannot_end_whom_it_spares(void **state)
{
	unsigned wrong = 0;

	print_message("Landlock of this kernel: %d\n", landlock_abi());
	for (size_t i = 0; i < sizeof(on_spared) / sizeof(on_spared[0]); i++) {
		enum fate want = wanted(on_spared[i].fates[0]);

		on_spared_now = &on_spared[i];
		if (want == BROKEN ||
		    try(ROLE_LAUNCHER, spare_one_and_act, false) == want)
			continue;
		wrong++;
		print_error("%s is wrong\n", on_spared[i].name);
	}
	assert_int_equal(wrong, 0);
}

/* Seen from outside, as /proc tells it. */

static bool
wait_for_the_end(void)
{
	char c;

	return read(STDIN_FILENO, &c, 1) == 0;
}

static void
read_status(pid_t pid, char *buf, size_t cap)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY);
	assert_true(fd != -1);
	len = read(fd, buf, cap - 1);
	assert_true(len > 0);
	buf[len] = '\0';
	close(fd);
}

static void
read_link_of(pid_t pid, const char *name, char *buf, size_t cap)
{
	char path[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	len = readlink(path, buf, cap - 1);
	assert_true(len > 0);
	buf[len] = '\0';
}

/* A child that sits in its sandbox until *hold_fd is closed. */
static pid_t
settle(enum role role, int *hold_fd)
{
	int hold[2], told[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(hold), 0);
	assert_int_equal(pipe(told), 0);
	if ((pid = fork()) == 0) {
		close(hold[1]);
		if (dup2(hold[0], STDIN_FILENO) == -1 ||
		    enter(role, false) != OK || write(told[1], "x", 1) != 1)
			_exit(3);
		_exit(wait_for_the_end() ? 0 : 1);
	}
	close(hold[0]);
	close(told[1]);
	assert_int_equal(read(told[0], &c, 1), 1);
	close(told[0]);
	*hold_fd = hold[1];
	return pid;
}

static void
unsettle(pid_t pid, int hold_fd)
{
	int status;

	close(hold_fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(fate_of(status), WORKS);
}

static void
status_tells_of_no_new_privs_and_filter(void **state)
{
	char text[8192];
	int hold;
	pid_t pid = settle(ROLE_EDGE, &hold);

	read_status(pid, text, sizeof(text));
	assert_non_null(strstr(text, "NoNewPrivs:\t1\n"));
	if (seccomp_is_on())
		assert_non_null(strstr(text, "Seccomp:\t2\n"));
	unsettle(pid, hold);
}

static void
root_becomes_its_user_without_capabilities(void **state)
{
	char text[8192], where[PATH_MAX], net[64], own_net[64];
	int hold;
	pid_t pid;

	pid = settle(ROLE_QUEUE, &hold);
	read_status(pid, text, sizeof(text));
	assert_non_null(strstr(text, "Uid:\t61234\t61234\t61234\t61234\n"));
	assert_non_null(strstr(text, "Gid:\t61235\t61235\t61235\t61235\n"));
	assert_true(strstr(text, "Groups:\t\n") != NULL ||
	    strstr(text, "Groups:\t \n") != NULL);
	assert_non_null(strstr(text, "CapPrm:\t0000000000000000\n"));
	assert_non_null(strstr(text, "CapEff:\t0000000000000000\n"));
	assert_non_null(strstr(text, "CapBnd:\t0000000000000000\n"));
	read_link_of(pid, "root", where, sizeof(where));
	assert_string_equal(where, inside);
	read_link_of(pid, "ns/net", net, sizeof(net));
	read_link_of(getpid(), "ns/net", own_net, sizeof(own_net));
	assert_string_not_equal(net, own_net);
	unsettle(pid, hold);
}

static void
root_keeps_the_network_for_a_relay(void **state)
{
	char net[64], own_net[64];
	int hold;
	pid_t pid;

	pid = settle(ROLE_RELAY, &hold);
	read_link_of(pid, "ns/net", net, sizeof(net));
	read_link_of(getpid(), "ns/net", own_net, sizeof(own_net));
	assert_string_equal(net, own_net);
	unsettle(pid, hold);
}

static void
root_gives_a_launcher_its_user_and_no_network(void **state)
{
	char text[8192], net[64], own_net[64];
	int hold;
	pid_t pid;

	pid = settle(ROLE_LAUNCHER, &hold);
	read_status(pid, text, sizeof(text));
	assert_non_null(strstr(text, "Uid:\t61234\t61234\t61234\t61234\n"));
	assert_non_null(strstr(text, "Gid:\t61235\t61235\t61235\t61235\n"));
	assert_non_null(strstr(text, "CapEff:\t0000000000000000\n"));
	assert_non_null(strstr(text, "CapBnd:\t0000000000000000\n"));
	read_link_of(pid, "ns/net", net, sizeof(net));
	read_link_of(getpid(), "ns/net", own_net, sizeof(own_net));
	assert_string_not_equal(net, own_net);
	unsettle(pid, hold);
}

static void
root_stays_root_for_nobody(void **state)
{
	struct sandbox box = {
		.role = ROLE_EDGE, .root = inside, .wish = SANDBOX_PREFER,
	};
	int status;
	pid_t pid;

	if ((pid = fork()) == 0)
		_exit(sandbox_enter(&box) == OK ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(fate_of(status), FAILS);
}

static int
set_up(void **state)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(at);
	char path[128];
	int fd;

	if (!make_places())
		return -1;
	snprintf(path, sizeof(path), "%s/hidden", inside);
	if ((fd = open(path, O_WRONLY | O_CREAT, 0400)) == -1)
		return -1;
	close(fd);
	if (geteuid() == 0 && chown(path, UID, GID) == -1)
		return -1;
	if ((own_file = open("/proc/self/exe", O_PATH | O_CLOEXEC)) == -1)
		return -1;
	if (marks_make(&marks) != OK)
		return -1;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(listener, 128) == -1 ||
	    getsockname(listener, (struct sockaddr *)&at, &len) == -1)
		return -1;
	port = ntohs(at.sin_port);
	at.sin_port = 0;
	elsewhere = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(elsewhere, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(elsewhere, 128) == -1)
		return -1;
	if ((sibling = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);	/* if we fail */
		for (;;)
			pause();
	}
	return sibling == -1 ? -1 : 0;
}

static int
tear_down(void **state)
{
	int status;

	/* Still there: nobody has reached it. */
	if (kill(sibling, SIGKILL) == -1 ||
	    waitpid(sibling, &status, 0) != sibling ||
	    WTERMSIG(status) != SIGKILL)
		return -1;
	close(listener);
	close(elsewhere);
	close(own_file);
	return remove_places();
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_can_do_its_work_and_nothing_else),
		cmocka_unit_test(check_reads_and_does_nothing_else),
		cmocka_unit_test(a_launcher_is_its_user_offline),
		cmocka_unit_test(what_a_launcher_executes_inherits_it_all),
		cmocka_unit_test(
		    a_launcher_that_calls_out_has_tcp_and_udp_besides),
		cmocka_unit_test(status_tells_of_no_new_privs_and_filter),
		cmocka_unit_test(
		    a_launchers_programs_cannot_end_whom_it_spares),
	};
	const struct CMUnitTest filtered[] = {
		cmocka_unit_test(debug_dies_of_the_same_signal),
	};
	const struct CMUnitTest as_root[] = {
		cmocka_unit_test(what_needs_no_root_holds_without_it),
		cmocka_unit_test(root_becomes_its_user_without_capabilities),
		cmocka_unit_test(root_keeps_the_network_for_a_relay),
		cmocka_unit_test(root_gives_a_launcher_its_user_and_no_network),
		cmocka_unit_test(a_launcher_needs_no_root_for_its_list),
		cmocka_unit_test(root_stays_root_for_nobody),
	};
	int failed;

	if (argc == 5)		/* executed by a launcher */
		do_as_told(argv);
	failed = cmocka_run_group_tests(tests, set_up, tear_down);

	if (seccomp_is_on())
		failed += cmocka_run_group_tests(filtered, set_up, tear_down);
	if (geteuid() == 0)
		failed += cmocka_run_group_tests(as_root, set_up, tear_down);
	return failed;
}
