/*
 * test_master_roots - what certificates a directory has: each once, and nothing
 * else of it.
 *
 * room: master
 */
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

#include "keys_kit.h"
#include "master/check_roots.h"
#include "master/folder.h"

static char		 base[64];
static struct pair	 pairs[2];

static void
put_file(const char *name, const X509 *const *certs, unsigned cnt,
    const EVP_PKEY *key)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", base, name);
	assert_non_null(f = fopen(path, "w"));
	for (unsigned i = 0; i < cnt; i++)
		assert_int_equal(PEM_write_X509(f, certs[i]), 1);
	if (key != NULL)
		assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0,
		    NULL, NULL), 1);
	fprintf(f, "and words\n");
	assert_int_equal(fclose(f), 0);
}

static void
put_link(const char *name, const char *to)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	assert_int_equal(symlink(to, path), 0);
}

static void
clear(void)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf %s; mkdir -m 0700 %s",
	    base, base);
	assert_int_equal(system(command), 0);
}

static unsigned
count(const struct conf_roots *roots, const char *words)
{
	size_t len = strlen(words);
	unsigned cnt = 0;

	for (size_t i = 0; i + len <= roots->len; i++)
		cnt += memcmp(roots->bytes + i, words, len) == 0;
	return cnt;
}

static unsigned
gather(void)
{
	struct conf_roots roots;
	unsigned cnt;
	enum err e = check_roots(NULL, base, true, &roots);

	if (e == ERR_NONE)
		return 0;
	assert_int_equal(e, OK);
	assert_int_equal(count(&roots, "PRIVATE KEY"), 0);
	assert_int_equal(count(&roots, "words"), 0);
	cnt = count(&roots, "-----BEGIN ");
	free(roots.bytes);
	return cnt;
}

static void
each_certificate_is_there_once(void **state)
{
	const X509 *const both[] = { pairs[0].cert, pairs[1].cert };

	clear();
	put_file("all.crt", both, 2, NULL);
	put_file("one.pem", both, 1, pairs[0].key);
	put_link("0123abcd.0", "one.pem");
	assert_int_equal(gather(), 2);
	clear();
	put_file("one.txt", both, 2, NULL);	/* not called as one */
	put_file("README", both, 2, NULL);
	put_file("0123abc.0", both, 2, NULL);
	put_file("0123abcd.r0", both, 2, NULL);	/* a list of revoked ones */
	put_file(".pem", both, 2, NULL);
	assert_int_equal(gather(), 0);
	put_file("89abCDef.11", both + 1, 1, NULL);
	assert_int_equal(gather(), 1);
}

static void
what_is_no_file_is_passed_over(void **state)
{
	const X509 *const one[] = { pairs[0].cert };
	struct conf_roots roots;
	char path[128];

	clear();
	put_file("one.pem", one, 1, NULL);
	put_link("gone.pem", "nowhere");
	put_file("key.pem", NULL, 0, pairs[1].key);
	snprintf(path, sizeof(path), "%s/fifo.pem", base);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/dir.pem", base);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(gather(), 1);
	put_link("loop.pem", "loop.pem");
	assert_int_equal(check_roots(NULL, base, true, &roots), ERR_SYS);
	assert_int_equal(errno, ELOOP);
	assert_non_null(strstr(roots.culprit, "/loop.pem"));
	assert_null(roots.bytes);
}

static void
a_file_is_looked_through_too(void **state)
{
	const X509 *const one[] = { pairs[0].cert };
	struct conf_roots roots;
	char path[128];

	clear();
	put_file("one.pem", one, 1, NULL);
	put_file("key.pem", NULL, 0, pairs[0].key);
	snprintf(path, sizeof(path), "%s/one.pem", base);
	assert_int_equal(check_roots(NULL, path, false, &roots), OK);
	assert_int_equal(count(&roots, "-----BEGIN "), 1);
	free(roots.bytes);
	snprintf(path, sizeof(path), "%s/key.pem", base);
	assert_int_equal(check_roots(NULL, path, false, &roots), ERR_NONE);
}

/* As master keeps it: the same bytes are the same, whoever made them. */
static int
sealed(const char *text)
{
	int fd = memfd_create("roots", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK |
	    F_SEAL_GROW | F_SEAL_SEAL), 0);
	return fd;
}

static void
a_reload_sees_what_a_directory_has_now(void **state)
{
	static const char *const texts[] = { "one", "one", "two" };
	struct plan_file rows[3];
	struct folder *folders[4] = { NULL };

	for (unsigned i = 0; i < 3; i++) {
		rows[i] = (struct plan_file){ .path = "/ca", .is_made = 1,
		    .fd = sealed(texts[i]) };
		assert_int_equal(folder_open(&folders[i], &rows[i], 1), OK);
		close(rows[i].fd);		/* it has its own */
	}
	assert_int_equal(folder_open_again(&folders[3], folders[2]), OK);
	assert_true(folder_same(folders[0], folders[1]));
	assert_false(folder_same(folders[0], folders[2]));
	assert_true(folder_same(folders[2], folders[3]));
	for (unsigned i = 0; i < 4; i++)
		folder_close(&folders[i]);
}

static int
set_up(void **state)
{
	(void)strlcpy(base, "/tmp/postern-roots.XXXXXX", sizeof(base));
	if (mkdtemp(base) == NULL)
		return -1;
	pairs[0] = pair_make("P-256");
	pairs[1] = pair_make("P-384");
	return 0;
}

static int
tear_down(void **state)
{
	clear();
	for (unsigned i = 0; i < 2; i++)
		pair_free(&pairs[i]);
	return rmdir(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_certificate_is_there_once),
		cmocka_unit_test(what_is_no_file_is_passed_over),
		cmocka_unit_test(a_file_is_looked_through_too),
		cmocka_unit_test(a_reload_sees_what_a_directory_has_now),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
