/*
 * test_ctl_users - changing a file of users, asking for a password's hash, and
 * the commands as the man page has them.
 * room: ctl/tool
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ctl/tool/cmd.h"
#include "ctl/tool/password.h"
#include "ctl/tool/users.h"
#include "mail/account.h"

static char dir[64], file[96], other[96];

static int
make_dir(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/users-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/users", dir);
	snprintf(other, sizeof(other), "%s/link", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)unlink(file);
	(void)unlink(other);
	return rmdir(dir);		/* nothing else is left in it */
}

/* Puts what arg says behind what is there. */
static enum err
append(struct span old, struct span *out, void *arg)
{
	const char *more = arg;
	char *text = malloc(old.len + strlen(more) + 1);

	assert_non_null(text);
	if (old.len > 0)
		memcpy(text, old.ptr, old.len);
	memcpy(text + old.len, more, strlen(more) + 1);
	*out = (struct span){ text, old.len + strlen(more) };
	return OK;
}

static enum err
refuse(struct span old, struct span *out, void *arg)
{
	return ERR_NONE;
}

static void
want_file(const char *want)
{
	struct span text;

	assert_int_equal(users_read(file, &text), OK);
	assert_int_equal(text.len, strlen(want));
	assert_memory_equal(text.ptr, want, text.len);
	free((void *)(uintptr_t)text.ptr);
}

static char one[] = "one\n", two[] = "two\n";

static void
a_change_makes_the_file_and_keeps_it_private(void **state)
{
	struct stat st;
	struct span text;

	assert_int_equal(users_read(file, &text), ERR_NONE);
	assert_int_equal(users_change(file, append, one), OK);
	want_file("one\n");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(users_change(file, append, two), OK);
	want_file("one\ntwo\n");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);	/* a group's stays so */
}

static void
a_directory_that_others_may_write_is_refused(void **state)
{
	assert_int_equal(users_change(file, append, one), OK);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(users_change(file, append, two), ERR_PEER);
	assert_int_equal(chmod(dir, 01777), 0);
	assert_int_equal(users_change(file, append, two), ERR_PEER);
	assert_int_equal(chmod(dir, 0755), 0);
	want_file("one\n");
	assert_int_equal(users_change(file, append, two), OK);
	want_file("one\ntwo\n");
}

/* Neither a link nor a second name of something else is written to. */
static void
the_temporary_file_is_nobody_elses(void **state)
{
	char temporary[96];

	snprintf(temporary, sizeof(temporary), "%s/.users.new", dir);
	assert_int_equal(users_change(other, append, one), OK);
	assert_int_equal(link(other, temporary), 0);
	assert_int_equal(users_change(file, append, two), ERR_SYS);
	assert_int_equal(unlink(temporary), 0);
	assert_int_equal(symlink(other, temporary), 0);
	assert_int_equal(users_change(file, append, two), ERR_SYS);
	assert_int_equal(unlink(temporary), 0);
	assert_int_equal(mkfifo(temporary, 0600), 0);
	assert_int_equal(users_change(file, append, two), ERR_SYS);
	assert_int_equal(unlink(temporary), 0);
	assert_int_equal(users_change(file, append, two), OK);
	want_file("two\n");
}

static void
the_old_file_is_never_written_to(void **state)
{
	char buf[16];
	int fd;

	assert_int_equal(users_change(file, append, one), OK);
	fd = open(file, O_RDONLY);
	assert_int_equal(users_change(file, append, two), OK);
	assert_int_equal(read(fd, buf, sizeof(buf)), 4);
	close(fd);
}

static void
a_change_that_is_refused_leaves_all_as_it_was(void **state)
{
	struct stat before, after;

	assert_int_equal(users_change(file, append, one), OK);
	assert_int_equal(stat(file, &before), 0);
	assert_int_equal(users_change(file, refuse, NULL), ERR_NONE);
	assert_int_equal(stat(file, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	want_file("one\n");
}

/* Anybody may open the directory. */
static void
a_stranger_s_lock_on_the_directory_holds_up_nobody(void **state)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	assert_int_equal(flock(fd, LOCK_EX), 0);
	alarm(5);
	assert_int_equal(users_change(file, append, one), OK);
	alarm(0);
	close(fd);
	want_file("one\n");
}

static void
what_a_killed_one_left_is_taken_over(void **state)
{
	struct stat st;
	char new[96];
	int fd;

	snprintf(new, sizeof(new), "%s/.users.new", dir);
	assert_int_equal(users_change(file, append, one), OK);
	fd = open(new, O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, "half of someth", 14), 14);
	close(fd);
	assert_int_equal(users_change(file, append, two), OK);
	want_file("one\ntwo\n");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(lstat(new, &st), -1);
}

static void
a_link_that_leads_nowhere_is_not_replaced(void **state)
{
	struct stat st;

	assert_int_equal(symlink("none/users", other), 0);
	assert_int_equal(users_change(other, append, one), ERR_SYS);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(lstat(other, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void
a_link_is_followed_and_stays(void **state)
{
	struct stat st;

	assert_int_equal(users_change(file, append, one), OK);
	assert_int_equal(symlink("users", other), 0);
	assert_int_equal(users_change(other, append, two), OK);
	want_file("one\ntwo\n");
	assert_int_equal(lstat(other, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

/* Within a change: another one would have to wait. */
static enum err
try_lock(struct span old, struct span *out, void *arg)
{
	char new[96];
	int fd;

	snprintf(new, sizeof(new), "%s/.users.new", dir);
	fd = open(new, O_RDONLY);
	assert_true(fd != -1);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	close(fd);
	return append(old, out, arg);
}

static void
only_one_changes_it_at_a_time(void **state)
{
	assert_int_equal(users_change(file, try_lock, one), OK);
	want_file("one\n");
}

static void
a_directory_that_is_not_there_is_an_error(void **state)
{
	assert_int_equal(users_change("/nonexistent/users", append, one),
	    ERR_SYS);
	assert_int_equal(errno, ENOENT);
}

static void
a_hash_fits_its_password_and_no_other(void **state)
{
	char *hash, *again;

	assert_int_equal(password_hash("open sesame", &hash), OK);
	assert_int_equal(password_hash("open sesame", &again), OK);
	assert_memory_equal(hash, "$y$", 3);
	assert_true(account_is_hash(span_of(hash)));
	assert_string_not_equal(hash, again);
	assert_true(password_fits("open sesame", span_of(hash)));
	assert_false(password_fits("open sesamE", span_of(hash)));
	assert_false(password_fits("", span_of(hash)));
	assert_false(password_fits("", SPAN("")));
	assert_false(password_fits("*0", SPAN("*0")));
	free(hash);
	free(again);
}

/* commands.def, each row, in order. */
static void
every_command_is_in_the_man_page(void **state)
{
	FILE *f = fopen("man/posternctl.8", "r");
	const struct cmd *c = cmd_row(0);
	char line[256], want[64];
	unsigned i = 0;

	assert_non_null(f);
	while (c != NULL && fgets(line, sizeof(line), f) != NULL) {
		snprintf(want, sizeof(want), ".It Ic %s%s%s", c->verb,
		    c->second[0] != '\0' ? " " : "", c->second);
		if (strncmp(line, want, strlen(want)) == 0 &&
		    strchr(" \n", line[strlen(want)]) != NULL)
			c = cmd_row(++i);
	}
	fclose(f);
	if (c != NULL)
		fail_msg("%s %s", c->verb, c->second);
}

#define TEST(name)							\
	cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_makes_the_file_and_keeps_it_private),
		TEST(a_directory_that_others_may_write_is_refused),
		TEST(the_temporary_file_is_nobody_elses),
		TEST(the_old_file_is_never_written_to),
		TEST(a_change_that_is_refused_leaves_all_as_it_was),
		TEST(a_link_is_followed_and_stays),
		TEST(a_link_that_leads_nowhere_is_not_replaced),
		TEST(what_a_killed_one_left_is_taken_over),
		TEST(a_stranger_s_lock_on_the_directory_holds_up_nobody),
		TEST(only_one_changes_it_at_a_time),
		TEST(a_directory_that_is_not_there_is_an_error),
		cmocka_unit_test(a_hash_fits_its_password_and_no_other),
		cmocka_unit_test(every_command_is_in_the_man_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
