/*
 * test_sandbox_pick - what pickup can do with the drop directory: as far as an
 * ordinary user can be locked in, and as root in the whole sandbox.
 *
 * also: root
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox_kit.h"

/* What a caller of sendmail(1) has left. */
static void
leave_a_file(void)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/left", inside);
	fd = open(path, O_WRONLY | O_CREAT, 0640);
	if (fd == -1 || write(fd, "text", 4) != 4 ||
	    (geteuid() == 0 && fchown(fd, UID + 1, GID) == -1))
		_exit(3);
	close(fd);
}

static bool
pick_it_up(void)
{
	int fd, dir = open(sandbox_path(), O_RDONLY | O_DIRECTORY);
	char text[8];

	if (dir == -1 || (fd = openat(dir, "left", O_RDONLY)) == -1 ||
	    flock(fd, LOCK_EX | LOCK_NB) == -1 || read(fd, text, 8) != 4)
		return false;
	return unlinkat(dir, "left", 0) == 0 &&
	    openat(dir, "left", O_RDONLY) == -1;
}

static bool
write_into_it(void)
{
	int dir = open(sandbox_path(), O_RDONLY | O_DIRECTORY);

	return openat(dir, "left", O_RDWR) != -1;
}

static bool
make_another(void)
{
	int dir = open(sandbox_path(), O_RDONLY | O_DIRECTORY);

	return openat(dir, "made", O_RDONLY | O_CREAT, 0600) != -1;
}

static bool
rename_it(void)
{
	int dir = open(sandbox_path(), O_RDONLY | O_DIRECTORY);

	return renameat(dir, "left", dir, "made") == 0;
}

static bool
open_it_to_all(void)
{
	int dir = open(sandbox_path(), O_RDONLY | O_DIRECTORY);

	return fchmodat(dir, "left", 0666, 0) == 0;
}

static void
pickup_reads_and_removes_and_does_nothing_else(void **state)
{
	enum fate no = seccomp_is_on() ? DIES : FAILS;

	before_entering = leave_a_file;
	assert_int_equal(try(ROLE_PICKUP, pick_it_up, false), WORKS);
	assert_int_equal(try(ROLE_PICKUP, write_into_it, false), no);
	assert_int_equal(try(ROLE_PICKUP, make_another, false), no);
	assert_int_equal(try(ROLE_PICKUP, rename_it, false), no);
	if (seccomp_is_on())
		assert_int_equal(try(ROLE_PICKUP, open_it_to_all, false), no);
	before_entering = NULL;
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
		    pickup_reads_and_removes_and_does_nothing_else),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
