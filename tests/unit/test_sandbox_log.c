/*
 * test_sandbox_log - standard error that is a plain file, as every row of
 * roles.def has it: it can be added to, and nothing else.
 *
 * As test_sandbox, an ordinary user's run is repeated as root; without a filter
 * (sanitizers) what only it refuses is left out.
 *
 * also: root
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "sandbox_kit.h"
#include "sys/logfile.h"

static char	 log_path[128];
static int	 link_ends[2];		/* as master makes them		*/

#define OLD_LINE	"a line of yesterday's\n"

/* Standard error as a shell makes it by 2<>log, and lines as we write them. */
static void
open_log(void)
{
	int fd;

	(void)unlink(log_path);
	fd = open(log_path, O_RDWR | O_CREAT | O_EXCL, 0666);
	if (fd == -1 || fchmod(fd, 0666) == -1 ||
	    write(fd, OLD_LINE, strlen(OLD_LINE)) == -1 ||
	    dup2(fd, STDERR_FILENO) == -1)
		_exit(3);
	close(fd);
	logfile_open("test", false);
}

/* Things to do.  Each says whether it worked. */

static bool
add_a_line(void)
{
	log_why(LOG_trouble, "one more", 0);
	return write(STDERR_FILENO, "and another\n", 12) == 12;
}

static bool
truncate_log(void)
{
	return ftruncate(STDERR_FILENO, 0) == 0;
}

static bool
seek_in_log(void)
{
	return lseek(STDERR_FILENO, 0, SEEK_SET) == 0 &&
	    write(STDERR_FILENO, "altered", 7) == 7;
}

/* The kernel looks at half of the number only. */
static bool
seek_in_log_by_a_long_number(void)
{
	return syscall(SYS_lseek, (1ul << 32) + STDERR_FILENO, 0,
	    SEEK_SET) == 0;
}

static bool
write_into_log(void)
{
	return pwrite(STDERR_FILENO, "altered", 7, 0) == 7;
}

static bool
write_runs_into_log(void)
{
	struct iovec iov = { (void *)(uintptr_t)"altered", 7 };

	return pwritev(STDERR_FILENO, &iov, 1, 0) == 7;
}

static bool
punch_a_hole_into_log(void)
{
	return fallocate(STDERR_FILENO,
	    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 7) == 0;
}

static bool
map_log(void)
{
	return mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, STDERR_FILENO, 0) !=
	    MAP_FAILED;
}

static bool
append_no_more(void)
{
	return fcntl(STDERR_FILENO, F_SETFL, 0) == 0 &&
	    pwrite(STDERR_FILENO, "altered", 7, 0) == 7;
}

static bool
copy_log(void)
{
	return dup(STDERR_FILENO) != -1;
}

static bool
copy_log_to_a_number(void)
{
	return dup2(STDERR_FILENO, 77) == 77;
}

static bool
copy_log_upwards(void)
{
	return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 50) != -1;
}

static bool
hide_log(void)
{
	return fchmod(STDERR_FILENO, 0) == 0;
}

static bool
open_log_again(void)
{
	return open("/proc/self/fd/2", O_WRONLY) != -1 ||
	    open(log_path, O_WRONLY | O_TRUNC) != -1;
}

/* By such a call it would have another number. */
static bool
pass_log(int to)
{
	union {
		struct cmsghdr	 head;
		char		 bytes[CMSG_SPACE(sizeof(int))];
	} room = { .head = {
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	} };
	struct iovec iov = { base, 1 };
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room.bytes,
		.msg_controllen = sizeof(room.bytes),
	};
	int log = STDERR_FILENO;

	memcpy(CMSG_DATA(&room.head), &log, sizeof(log));
	return sendmsg(to, &h, MSG_NOSIGNAL) == 1;
}

/* Where one can have both ends of a socket. */
static bool
pass_log_to_itself(void)
{
	int ends[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 &&
	    pass_log(ends[0]);
}

/* He has the other end.  A pipe relay needs the call for its launcher. */
static bool
pass_log_to_an_accomplice(void)
{
	return pass_log(link_ends[0]);
}

static const struct act on_log[] = {
	{ "add_a_line",			add_a_line,		"WWWWWWWWWW.W"},
	{ "truncate_log",		truncate_log,		"dddddddddd.d"},
	{ "seek_in_log",		seek_in_log,		"dddddddddd.d"},
	{ "seek_in_log_by_a_long_number", seek_in_log_by_a_long_number,
								"dddddddddd.d"},
	{ "write_into_log",		write_into_log,		"dddddddddd.d"},
	{ "write_runs_into_log",	write_runs_into_log,	"dddddddddd.d"},
	{ "punch_a_hole_into_log",	punch_a_hole_into_log,	"dddddddddd.d"},
	{ "map_log",			map_log,		"dddddddddd.d"},
	{ "append_no_more",		append_no_more,		"dddddddddd.d"},
	{ "copy_log",			copy_log,		"dddddddddd.d"},
	{ "copy_log_to_a_number",	copy_log_to_a_number,	"dddddddddd.d"},
	{ "copy_log_upwards",		copy_log_upwards,	"dddddddddd.d"},
	{ "hide_log",			hide_log,		"dddddddddd.d"},
	{ "open_log_again",		open_log_again,		"DFDFFDDDDD.D"},
	{ "pass_log_to_itself",		pass_log_to_itself,	"ddddfddddd.d"},
	{ "pass_log_to_an_accomplice",	pass_log_to_an_accomplice,
								"ddddfWdddd.d"},
};

static size_t
read_log(char *text, size_t cap)
{
	int fd = open(log_path, O_RDONLY);
	ssize_t len;

	assert_true(fd != -1);
	len = read(fd, text, cap - 1);
	assert_true(len > 0);
	text[len] = '\0';
	close(fd);
	return (size_t)len;
}

static bool
log_is_whole(void)
{
	char text[4096];
	struct stat st;

	(void)read_log(text, sizeof(text));
	return strncmp(text, OLD_LINE, strlen(OLD_LINE)) == 0 &&
	    stat(log_path, &st) == 0 && (st.st_mode & 0777) == 0666;
}

static void
a_log_file_is_added_to_and_nothing_else(void **state)
{
	try_each(on_log, sizeof(on_log) / sizeof(on_log[0]), log_is_whole);
	give_up_root = geteuid() == 0;
	if (give_up_root)
		try_each(on_log, sizeof(on_log) / sizeof(on_log[0]),
		    log_is_whole);
	give_up_root = false;
}

static void
check_adds_to_a_log_file_and_nothing_else(void **state)
{
	assert_int_equal(try(ROLE_CHECK, add_a_line, false), WORKS);
	assert_int_equal(try(ROLE_CHECK, truncate_log, false), FAILS);
	assert_int_equal(try(ROLE_CHECK, append_no_more, false), FAILS);
	assert_int_equal(try(ROLE_CHECK, seek_in_log, false), FAILS);
	assert_int_equal(try(ROLE_CHECK, copy_log, false), FAILS);
	assert_int_equal(try(ROLE_CHECK, open_log_again, false), FAILS);
	assert_true(log_is_whole());
}

#define LINES		500	/* of each writer */

/* Each from an open of its own, as children of a master do. */
static pid_t
start_writer(enum role role)
{
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	if ((fd = open(log_path, O_WRONLY)) == -1 ||
	    dup2(fd, STDERR_FILENO) == -1)
		_exit(3);
	logfile_open("writer", false);
	if (enter(role, false) != OK)
		_exit(3);
	for (unsigned i = 0; i < LINES; i++)
		log_why(LOG_trouble, "one of many", 0);
	_exit(0);
}

static void
two_writers_to_a_log_file_lose_no_line(void **state)
{
	static char text[1u << 20];
	unsigned whole = 0;
	pid_t writers[2];
	int status;

	assert_int_equal(truncate(log_path, 0), 0);
	writers[0] = start_writer(ROLE_EDGE);
	writers[1] = start_writer(ROLE_QUEUE);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
		assert_int_equal(fate_of(status), WORKS);
	}
	(void)read_log(text, sizeof(text));
	for (char *at = text; (at = strstr(at, "writer: event=trouble "
	    "why=\"one of many\"\n")) != NULL; at++)
		whole++;
	assert_int_equal(whole, 2 * LINES);
}

static int
set_up(void **state)
{
	before_entering = open_log;
	if (!make_places())
		return -1;
	snprintf(log_path, sizeof(log_path), "%s/log", outside);
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, link_ends);
}

static int
tear_down(void **state)
{
	close(link_ends[0]);
	close(link_ends[1]);
	return remove_places();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_file_is_added_to_and_nothing_else),
		cmocka_unit_test(two_writers_to_a_log_file_lose_no_line),
	};
	const struct CMUnitTest filtered[] = {
		cmocka_unit_test(check_adds_to_a_log_file_and_nothing_else),
	};
	int failed = cmocka_run_group_tests(tests, set_up, tear_down);

	if (seccomp_is_on())
		failed += cmocka_run_group_tests(filtered, set_up, tear_down);
	return failed;
}
