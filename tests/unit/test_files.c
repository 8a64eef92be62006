/* Whole files, and what is none. */
#include <sys/stat.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/files.h"

#define LEN	100000u			/* bytes: more than one read	*/

static char	 dir[] = "/tmp/postern-files-XXXXXX";

static const char *
in_dir(const char *name)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int
make_all(void **state)
{
	FILE *f;

	if (mkdtemp(dir) == NULL || mkfifo(in_dir("fifo"), 0600) != 0 ||
	    (f = fopen(in_dir("b.x"), "w")) == NULL)
		return -1;
	for (unsigned i = 0; i < LEN; i++)
		putc((int)(i % 251), f);
	if (fclose(f) != 0 || (f = fopen(in_dir("a.x"), "w")) == NULL)
		return -1;
	return fclose(f);
}

static int
remove_all(void **state)
{
	(void)unlink(in_dir("fifo"));
	(void)unlink(in_dir("a.x"));
	(void)unlink(in_dir("b.x"));
	return rmdir(dir);
}

static void
a_file_comes_whole(void **state)
{
	char *bytes = NULL;
	size_t len = 1;

	assert_int_equal(files_read(NULL, in_dir("b.x"), LEN, &bytes, &len),
	    OK);
	assert_int_equal(len, LEN);
	for (unsigned i = 0; i < LEN; i++)
		assert_int_equal((uint8_t)bytes[i], i % 251);
	free(bytes);
	assert_int_equal(files_read(NULL, in_dir("a.x"), LEN, &bytes, &len),
	    OK);
	assert_int_equal(len, 0);
	free(bytes);
}

/* As a path of dir, from which it is read. */
static enum err
read_below(const char *name)
{
	char *bytes = NULL;
	size_t len;
	enum err e;

	errno = 0;
	e = files_read_below(NULL, in_dir(name), strlen(dir) + 1, LEN, &bytes,
	    &len);
	if (e == OK) {
		assert_int_equal(len, LEN);
		free(bytes);
	}
	return e;
}

static void
no_link_leads_to_a_file_that_lies_below(void **state)
{
	char from[64], to[64];

	assert_int_equal(read_below("b.x"), OK);
	assert_int_equal(read_below("gone"), ERR_NONE);
	assert_int_equal(symlink("b.x", in_dir("l")), 0);
	assert_int_equal(read_below("l"), ERR_SYS);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(unlink(in_dir("l")), 0);

	assert_int_equal(mkdir(in_dir("d"), 0700), 0);
	(void)strlcpy(from, in_dir("b.x"), sizeof(from));
	(void)strlcpy(to, in_dir("d/b.x"), sizeof(to));
	assert_int_equal(link(from, to), 0);
	assert_int_equal(read_below("d//b.x"), OK);
	assert_int_equal(symlink("d", in_dir("l")), 0);
	assert_int_equal(read_below("l/b.x"), ERR_SYS);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(read_below("b.x/b.x"), ERR_SYS);
	assert_int_equal(read_below("d"), ERR_SYS);
	assert_int_equal(unlink(in_dir("l")), 0);
	assert_int_equal(unlink(to), 0);
	assert_int_equal(rmdir(in_dir("d")), 0);
}

static void
one_byte_too_many_is_refused(void **state)
{
	char *bytes = NULL;
	size_t len;

	assert_int_equal(files_read(NULL, in_dir("b.x"), LEN - 1, &bytes,
	    &len), ERR_FULL);
	assert_null(bytes);
}

static void
what_is_no_file_stops_nobody(void **state)
{
	char *bytes = NULL;
	size_t len = 1;

	assert_int_equal(files_read(NULL, in_dir("gone"), LEN, &bytes, &len),
	    ERR_NONE);
	assert_int_equal(files_read(NULL, dir, LEN, &bytes, &len), ERR_SYS);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(files_read(NULL, in_dir("fifo"), LEN, &bytes, &len),
	    OK);
	assert_int_equal(len, 0);
	free(bytes);
}

static void
note_last_byte(void *arg, const char *path)
{
	char *found = arg;
	size_t len = strlen(found);

	found[len] = path[strlen(path) - 3];
	found[len + 1] = '\0';
}

static void
what_matches_comes_in_order(void **state)
{
	char found[8] = "";

	assert_int_equal(files_glob(NULL, in_dir("*.x"), note_last_byte,
	    found), OK);
	assert_string_equal(found, "ab");
	assert_int_equal(files_glob(NULL, in_dir("*.y"), note_last_byte,
	    found), OK);
	assert_string_equal(found, "ab");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_comes_whole),
		cmocka_unit_test(no_link_leads_to_a_file_that_lies_below),
		cmocka_unit_test(one_byte_too_many_is_refused),
		cmocka_unit_test(what_is_no_file_stops_nobody),
		cmocka_unit_test(what_matches_comes_in_order),
	};

	return cmocka_run_group_tests(tests, make_all, remove_all);
}
