/*
 * What Landlock still holds on older kernels: this one is made to answer as
 * they would, by a system call function of our own in front of the library's,
 * which the server never has.  It refuses what they would not know, too.
 *
 * A kernel can only be made to look older than it is: newer versions are tried
 * where it has them.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/landlock.h"

#define CREATE_RULESET	444
#define ABI_MAX		6

static int pretended = ABI_MAX;		/* the version it has		*/
static char dir[40], below[60], secret[80], file[80];

typedef long kernel_fn(long, ...);

long	syscall(long no, ...);

/* A ruleset of a kernel of that version: bytes it has, rights it knows. */
static bool
is_known(const uint64_t *set, size_t len)
{
	static const uint64_t files[ABI_MAX + 1] = {
		0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff, 0xffff,
	};

	return len <= (pretended < 4 ? 8u : pretended < 6 ? 16u : 24u) &&
	    (set[0] & ~files[pretended]) == 0;
}

long
syscall(long no, ...)
{
	kernel_fn *kernel = (kernel_fn *)dlsym(RTLD_NEXT, "syscall");
	va_list ap;
	long a[4];

	va_start(ap, no);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (no == CREATE_RULESET && pretended == 0) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (no == CREATE_RULESET && a[0] == 0) {
		long abi = kernel(no, a[0], a[1], a[2], a[3]);

		return abi > pretended ? pretended : abi;
	}
	if (no == CREATE_RULESET &&
	    !is_known((const uint64_t *)(uintptr_t)a[0], (size_t)a[1])) {
		errno = EINVAL;
		return -1;
	}
	return kernel(no, a[0], a[1], a[2], a[3]);
}

/* What is tried. */

static bool
can_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

static bool
read_below(void)
{
	return can_open(file, O_RDONLY);
}

static bool
read_elsewhere(void)
{
	return can_open(secret, O_RDONLY);
}

static bool
write_below(void)
{
	return can_open(file, O_WRONLY);
}

static bool
make_below(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/new", below);
	return can_open(path, O_WRONLY | O_CREAT);
}

static bool
cut_elsewhere(void)
{
	return truncate(secret, 0) == 0;
}

/* To a port where nobody listens: refused by the peer is not held. */
static bool
connect_to_a_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(1) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 ||
	    errno != EACCES;
}

static bool
signal_another(void)
{
	return kill(getppid(), 0) == 0;
}

/* Each with the version from which on it is held; 0: it may always. */
static const struct {
	const char	*name;
	bool		 (*act)(void);
	int		 since;
} acts[] = {
	{ "read below",		read_below,		0 },
	{ "read elsewhere",	read_elsewhere,		1 },
	{ "write below",	write_below,		1 },
	{ "make a file",	make_below,		1 },
	{ "truncate",		cut_elsewhere,		3 },
	{ "connect",		connect_to_a_port,	4 },
	{ "signal",		signal_another,		6 },
};

/* 0 it can; 1 it is held; 2 the sandbox was not entered, with this error. */
static int
in_a_child(bool (*act)(void), enum err want)
{
	const struct landlock ll = { .tree = below };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		    landlock_enter(&ll) != want)
			_exit(2);
		_exit(act() ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
each_version_holds_what_it_knows_of(void **state)
{
	int newest = landlock_abi();

	print_message("Landlock of this kernel: %d\n", newest);
	for (pretended = 0; pretended <= newest; pretended++)
		for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
			bool is_held = acts[i].since > 0 &&
			    pretended >= acts[i].since;
			int got = in_a_child(acts[i].act, pretended == 0 ?
			    ERR_NONE : OK);

			if (got != is_held)
				print_error("version %d, %s: %d\n", pretended,
				    acts[i].name, got);
			assert_int_equal(got, is_held);
		}
	pretended = ABI_MAX;
}

/* A program with all files has nothing left to hold below version 4. */
static void
files_left_alone_need_version_4(void **state)
{
	const struct landlock ll = { .any_file = true };
	int newest = landlock_abi(), status;

	for (pretended = 0; pretended <= newest; pretended++) {
		pid_t pid = fork();

		if (pid == 0) {
			enum err e = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ==
			    -1 ? ERR_SYS : landlock_enter(&ll);

			_exit(pretended < 4 ? e != ERR_NONE : e != OK ||
			    connect_to_a_port() || !read_elsewhere());
		}
		assert_true(pid > 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	pretended = ABI_MAX;
}

static int
set_up(void **state)
{
	strlcpy(dir, "/tmp/test_landlock.XXXXXX", sizeof(dir));
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(below, sizeof(below), "%s/below", dir);
	snprintf(secret, sizeof(secret), "%s/secret", dir);
	snprintf(file, sizeof(file), "%s/file", below);
	return mkdir(below, 0700) == 0 &&
	    can_open(secret, O_WRONLY | O_CREAT) &&
	    can_open(file, O_WRONLY | O_CREAT) ? 0 : -1;
}

static int
tear_down(void **state)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/new", below);
	(void)unlink(path);
	return unlink(file) | unlink(secret) | rmdir(below) | rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_holds_what_it_knows_of),
		cmocka_unit_test(files_left_alone_need_version_4),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
