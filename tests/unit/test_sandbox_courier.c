/*
 * test_sandbox_courier - what the rows of a relay for users can do once they
 * have entered: the courier, which may become users, the runner, which may
 * become them and then a program, and that the two others are rows whose every
 * refusal test_sandbox proves.
 *
 * also: root
 */
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox_kit.h"

#define ANN		61301	/* whom it becomes	*/
#define LONG		(UINT64_C(1) << 32)
#define CNT(a)		(sizeof(a) / sizeof((a)[0]))

static struct __user_cap_header_struct head = {
	.version = _LINUX_CAPABILITY_VERSION_3,
};

/* Is this a line of our status? */
static bool
has_line(const char *want)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	bool has = false;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		has |= strcmp(line, want) == 0;
	return has;
}

static bool
has_no_groups(void)
{
	return has_line("Groups:\t \n") || has_line("Groups:\t\n");
}

/*
 * To set groups and users: 6 and 7.  CapBnd too: not even a program that is
 * root's own would have more.
 */
static bool
has_these_two_alone(void)
{
	return has_line("CapPrm:\t00000000000000c0\n") &&
	    has_line("CapEff:\t00000000000000c0\n") &&
	    has_line("CapInh:\t0000000000000000\n") &&
	    has_line("CapBnd:\t0000000000000000\n") &&
	    has_line("NoNewPrivs:\t1\n") && has_no_groups() &&
	    geteuid() == UID && getegid() == GID;
}

static bool
become(long uid, long gid)
{
	return setgroups(0, NULL) == 0 &&
	    syscall(SYS_setresgid, gid, gid, gid) == 0 &&
	    syscall(SYS_setresuid, uid, uid, uid) == 0;
}

static bool
become_a_user(void)
{
	return become(ANN, ANN) && geteuid() == ANN && getuid() == ANN &&
	    getegid() == ANN && has_no_groups();
}

static bool
become_root(void)
{
	return syscall(SYS_setresuid, 0, 0, 0) == 0;
}

static bool
become_root_in_part(void)
{
	return syscall(SYS_setresuid, -1, -1, 0) == 0;
}

static bool
become_root_by_a_long_number(void)
{
	return syscall(SYS_setresuid, LONG, LONG, LONG) == 0;
}

static bool
become_roots_group(void)
{
	return syscall(SYS_setresgid, -1, 0, -1) == 0;
}

static bool
become_one_of_ours(void)
{
	return syscall(SYS_setresuid, NEVER, NEVER, NEVER) == 0;
}

static bool
become_another_way(void)
{
	return setuid(ANN) == 0;
}

static bool
become_by_the_files(void)
{
	return setfsuid(0) == 0;
}

static bool
join_groups(void)
{
	const gid_t groups[] = { 0 };

	return setgroups(1, groups) == 0;
}

/* Who has let go of both has them no more, though he was somebody else. */
static bool
become_somebody_after_letting_go(void)
{
	struct __user_cap_data_struct none[2] = { 0 };

	return become_a_user() && syscall(SYS_capset, &head, none) == 0 &&
	    !become(ANN + 1, ANN + 1);
}

static bool
take_more_capabilities(void)
{
	struct __user_cap_data_struct all[2] = { 0 };

	all[0].effective = all[0].permitted = 1u << CAP_SETUID |
	    1u << CAP_DAC_OVERRIDE;
	return syscall(SYS_capset, &head, all) == 0;
}

static bool
read_what_is_roots(void)
{
	return open("/etc/shadow", O_RDONLY) != -1;
}

static bool
open_host_file(void)
{
	return open("/etc/passwd", O_RDONLY) != -1;
}

static bool
keep_a_file(void)
{
	char from[128], to[128];
	int fd;

	snprintf(from, sizeof(from), "%s/new%d", outside, (int)getpid());
	snprintf(to, sizeof(to), "%s/kept%d", outside, (int)getpid());
	return (fd = open(from, O_RDWR | O_CREAT | O_EXCL, 0600)) != -1 &&
	    write(fd, "mail", 4) == 4 && ftruncate(fd, 2) == 0 &&
	    fsync(fd) == 0 && rename(from, to) == 0 && unlink(to) == 0;
}

static bool
have_a_child(void)
{
	int fds[2], status;
	pid_t pid;
	char c;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return false;
	if ((pid = fork()) == 0) {
		(void)setpgid(0, 0);
		(void)!write(fds[1], "x", 1);
		for (;;)
			(void)poll(NULL, 0, -1);
	}
	(void)setpgid(pid, pid);
	return pid != -1 && read(fds[0], &c, 1) == 1 &&
	    kill(-pid, SIGTERM) == 0 && waitpid(pid, &status, 0) == pid &&
	    WTERMSIG(status) == SIGTERM;
}

static bool
run_a_program(void)
{
	char *const argv[] = { (char *)"true", NULL };

	execve("/bin/true", argv, NULL);
	return false;
}

static bool
make_a_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) != -1;
}

static bool
make_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) != -1;
}

static bool
make_a_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0;
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
change_the_root(void)
{
	return chroot("/") == 0;
}

static bool
give_a_file_away(void)
{
	return chown(inside, 0, 0) == 0;
}

static bool
make_it_set_id(void)
{
	return mknod(outside, S_IFCHR | 0600, 0x103) == 0;
}

static bool
make_a_link_elsewhere(void)
{
	return symlink("/etc/passwd", "/tmp/test_sandbox_link") == 0;
}

static bool
trace_somebody(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static bool
become_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static const struct act acts[] = {
	{ "open_host_file",		open_host_file,		"W" },
	{ "keep_a_file",		keep_a_file,		"W" },
	{ "have_a_child",		have_a_child,		"W" },
	{ "become_root",		become_root,		"d" },
	{ "become_root_in_part",	become_root_in_part,	"d" },
	{ "become_root_by_a_long_number", become_root_by_a_long_number, "d" },
	{ "become_roots_group",		become_roots_group,	"d" },
	{ "become_one_of_ours",		become_one_of_ours,	"d" },
	{ "become_another_way",		become_another_way,	"d" },
	{ "become_by_the_files",	become_by_the_files,	"d" },
	{ "join_groups",		join_groups,		"d" },
	{ "take_more_capabilities",	take_more_capabilities,	"F" },
	{ "read_what_is_roots",		read_what_is_roots,	"F" },
	{ "run_a_program",		run_a_program,		"d" },
	{ "make_a_socket",		make_a_socket,		"d" },
	{ "make_tcp",			make_tcp,		"d" },
	{ "make_a_namespace",		make_a_namespace,	"d" },
	{ "split_into_a_namespace",	split_into_a_namespace,	"d" },
	{ "change_the_root",		change_the_root,	"D" },
	{ "give_a_file_away",		give_a_file_away,	"D" },
	{ "make_it_set_id",		make_it_set_id,		"D" },
	{ "make_a_link_elsewhere",	make_a_link_elsewhere,	"d" },
	{ "trace_somebody",		trace_somebody,		"d" },
	{ "become_dumpable",		become_dumpable,	"d" },
};

/* Only who was root has what it takes. */
static const struct act as_root[] = {
	{ "become_a_user",		become_a_user,		"W" },
	{ "has_these_two_alone",	has_these_two_alone,	"W" },
	{ "become_somebody_after_letting_go",
	    become_somebody_after_letting_go, "W" },
};

/* Programs need sockets of their own host, and do what they like with files. */
static bool
refused(long got)
{
	return got == -1 && errno == EPERM;
}

/* By all calls there are: as itself, and again as a user without rights. */
static bool
nobody_special_is_become(void)
{
	const gid_t group = GID;

	return refused(syscall(SYS_setresuid, 0, 0, 0)) &&
	    refused(syscall(SYS_setresuid, -1, 0, -1)) &&
	    refused(syscall(SYS_setresuid, LONG, LONG, LONG)) &&
	    refused(syscall(SYS_setreuid, -1, 0)) &&
	    refused(syscall(SYS_setuid, 0)) &&
	    refused(syscall(SYS_setfsuid, 0)) &&
	    refused(syscall(SYS_setresgid, -1, 0, -1)) &&
	    refused(syscall(SYS_setregid, 0, -1)) &&
	    refused(syscall(SYS_setgid, 0)) &&
	    refused(syscall(SYS_setfsgid, 0)) &&
	    refused(syscall(SYS_setresuid, NEVER, NEVER, NEVER)) &&
	    refused(syscall(SYS_setreuid, NEVER, -1)) &&
	    refused(syscall(SYS_setuid, NEVER)) &&
	    refused(syscall(SYS_setgroups, 1, &group));
}

/* A child on its way to a program: the user, and nobody else any more. */
static bool
become_a_user_for_good(void)
{
	struct __user_cap_data_struct none[2] = { 0 };

	return become_a_user() && syscall(SYS_capset, &head, none) == 0 &&
	    has_line("CapPrm:\t0000000000000000\n") &&
	    has_line("CapBnd:\t0000000000000000\n") &&
	    has_line("NoNewPrivs:\t1\n") && setuid(ANN) == 0 &&
	    refused(syscall(SYS_setresuid, UID, UID, UID)) &&
	    refused(syscall(SYS_setuid, ANN + 1)) &&
	    refused(syscall(SYS_setresgid, GID, GID, GID)) &&
	    (!seccomp_is_on() || nobody_special_is_become());
}

static bool
run_a_program_as_him(void)
{
	char *const argv[] = { (char *)"sh", (char *)"-c",
	    (char *)"test $(id -u) = 61301 -a \"$(id -G)\" = 61301", NULL };

	if (!become_a_user_for_good())
		return false;
	execve("/bin/sh", argv, NULL);
	return false;
}

static bool
have_a_unix_socket(void)
{
	return make_a_socket();
}

static const struct act runner_acts[] = {
	{ "open_host_file",		open_host_file,		"W" },
	{ "keep_a_file",		keep_a_file,		"W" },
	{ "have_a_child",		have_a_child,		"W" },
	{ "have_a_unix_socket",		have_a_unix_socket,	"W" },
	{ "nobody_special_is_become",	nobody_special_is_become, "r" },
	{ "take_more_capabilities",	take_more_capabilities,	"F" },
	{ "read_what_is_roots",		read_what_is_roots,	"F" },
	{ "make_tcp",			make_tcp,		"f" },
	{ "make_a_namespace",		make_a_namespace,	"f" },
	{ "split_into_a_namespace",	split_into_a_namespace,	"f" },
	{ "change_the_root",		change_the_root,	"F" },
	{ "give_a_file_away",		give_a_file_away,	"F" },
	{ "make_it_set_id",		make_it_set_id,		"F" },
	{ "trace_somebody",		trace_somebody,		"F" },
};

static const struct act runner_as_root[] = {
	{ "has_these_two_alone",	has_these_two_alone,	"W" },
	{ "become_a_user_for_good",	become_a_user_for_good,	"W" },
	{ "run_a_program_as_him",	run_a_program_as_him,	"W" },
};

static void
try_row(enum role role, const struct act *list, size_t cnt)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < cnt; i++) {
		/* r: it was refused, by the filter alone. */
		enum fate want = list[i].fates[0] != 'r' ?
		    wanted(list[i].fates[0]) : seccomp_is_on() ? WORKS :
		    BROKEN, got;

		if (want == BROKEN)
			continue;
		got = try(role, list[i].act, false);
		if (got == want)
			continue;
		wrong++;
		print_error("%s in %s is wrong: %d\n", list[i].name,
		    role_row(role)->name, got);
	}
	assert_int_equal(wrong, 0);
}

static void
a_courier_writes_files_and_becomes_nobody_special(void **state)
{
	try_row(ROLE_COURIER, acts, CNT(acts));
	if (geteuid() == 0)
		try_row(ROLE_COURIER, as_root, CNT(as_root));
}

static void
a_runner_becomes_a_user_and_then_his_program(void **state)
{
	try_row(ROLE_RUNNER, runner_acts, CNT(runner_acts));
	if (geteuid() == 0)
		try_row(ROLE_RUNNER, runner_as_root, CNT(runner_as_root));
}

static void
what_needs_no_root_holds_without_it(void **state)
{
	if (geteuid() != 0)
		return;
	give_up_root = true;
	try_row(ROLE_COURIER, acts, CNT(acts));
	try_row(ROLE_RUNNER, runner_acts, CNT(runner_acts));
	give_up_root = false;
}

/* All that test_sandbox proves of these rows is so of ours. */
static void
the_relay_and_the_finder_are_rows_that_are_proven(void **state)
{
	static const struct {
		enum role ours, proven;
	} pairs[] = {
		{ ROLE_LOCAL, ROLE_PIPE }, { ROLE_FINDER, ROLE_LAUNCHER },
	};

	for (size_t i = 0; i < 2; i++) {
		const struct role_row *a = role_row(pairs[i].ours);
		const struct role_row *b = role_row(pairs[i].proven);

		assert_int_equal(a->may, b->may);
		assert_int_equal(a->root, b->root);
		assert_string_equal(a->user, "_postern-local");
	}
}

static int
set_up(void **state)
{
	return make_places() ? 0 : -1;
}

static int
tear_down(void **state)
{
	return remove_places();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_courier_writes_files_and_becomes_nobody_special),
		cmocka_unit_test(
		    a_runner_becomes_a_user_and_then_his_program),
		cmocka_unit_test(what_needs_no_root_holds_without_it),
		cmocka_unit_test(
		    the_relay_and_the_finder_are_rows_that_are_proven),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
