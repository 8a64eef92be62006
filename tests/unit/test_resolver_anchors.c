/*
 * Trust anchors of a file: what is taken, how it comes out, what is refused.
 *
 * room: resolver
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/mman.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "resolver/anchors.h"
#include "resolver/settings.h"

#define DIGEST	"30A1491c8368f304815678b60f645eab"	\
		"ad993d3ac36d8be0787cf082ddec1502"
#define KEY	"W1536NZ/L8sEcB9FIGYE7a08UpJvnry2z"

static struct anchors a;
static struct settings s;
static char logged[LOG_LINE_MAX + 1];

static int
set_up(void **state)
{
	memset(&a, 0, sizeof(a));
	logged[0] = '\0';
	return 0;
}

static enum err
parse(const char *text)
{
	set_up(NULL);
	return anchors_parse(&a, span_of(text));
}

static void
records_of_both_types_are_taken(void **state)
{
	assert_int_equal(parse("signed.example. IN DS 63187 13 2 " DIGEST "\n"
	    ".\t3600 IN  DNSKEY 257 3 13 " KEY "\r\n"
	    "a.example DS 1 8 2 " DIGEST "\n"
	    "b.example IN 60 DNSKEY 257 3 13 " KEY), OK);
	assert_int_equal(a.cnt, 4);
	assert_string_equal(a.records[0], "signed.example. IN DS 63187 13 2 "
	    DIGEST);
	assert_string_equal(a.records[1], ". 3600 IN DNSKEY 257 3 13 " KEY);
	assert_string_equal(a.records[2], "a.example DS 1 8 2 " DIGEST);
	assert_string_equal(a.records[3], "b.example IN 60 DNSKEY 257 3 13 "
	    KEY);
	assert_null(a.records[4]);
}

/* As the tools of BIND, ldns and unbound write them. */
static void
comments_blank_lines_and_parentheses_are_understood(void **state)
{
	assert_int_equal(parse("; a (comment\n\n"
	    "  \t\n"
	    "x.example. IN DNSKEY 257 3 13 " KEY
	    " ;{id = 1 (ksk), size = 256b}\n"
	    "y.example. IN DNSKEY ( 257 3 13\n\tab+/\n cd== ) ; id\n"
	    "z.example. DS 1 8 2 (" DIGEST ")\n"), OK);
	assert_int_equal(a.cnt, 3);
	assert_string_equal(a.records[0], "x.example. IN DNSKEY 257 3 13 "
	    KEY);
	assert_string_equal(a.records[1],
	    "y.example. IN DNSKEY 257 3 13 ab+/ cd==");
	assert_string_equal(a.records[2], "z.example. DS 1 8 2 " DIGEST);
}

static void
what_is_no_anchor_is_refused_with_its_line(void **state)
{
	static const char *const bad[] = {
		"nonsense", "a.example.", "a.example. IN",
		"a.example. IN A 192.0.2.1", "a.example. IN DS",
		"a.example. IN DS 1 8 2", "a.example. IN DS 1 8 2 xyz",
		"a.example. IN DS 65536 8 2 " DIGEST,
		"a.example. IN DS 1 256 2 " DIGEST,
		"a.example. IN DS -1 8 2 " DIGEST,
		"a..example. IN DS 1 8 2 " DIGEST,
		" IN DS 1 8 2 " DIGEST,
		"a.example. IN DNSKEY 257 3 13 a_b",
		"a.example. IN DNSKEY 257 3 x " KEY,
		"$TTL 300", "$INCLUDE other",
		"a.example. IN DNSKEY ( 257 3 13 " KEY,
		"a.example. IN DNSKEY 257 3 13\n" KEY,
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[400];

		snprintf(text, sizeof(text), "; first\n"
		    "x.example. IN DS 1 8 2 (\n" DIGEST " )\n%s\n", bad[i]);
		if (parse(text) != ERR_PEER)
			fail_msg("%s", bad[i]);
		assert_int_equal(a.line, 4);
	}
}

static void
a_nul_is_no_part_of_a_record(void **state)
{
	set_up(NULL);
	assert_int_equal(anchors_parse(&a, (struct span){
	    "a.example. IN DS 1 8 2 ab\0cd\n", 30 }), ERR_PEER);
	set_up(NULL);
	assert_int_equal(anchors_parse(&a, (struct span){ "\0", 1 }),
	    ERR_PEER);
}

static void
too_many_are_refused(void **state)
{
	char *text = calloc(ANCHORS_MAX + 1, 40);

	assert_non_null(text);
	for (int i = 0; i < ANCHORS_MAX; i++)
		strcat(text, "a.example. IN DS 1 8 2 abcd\n");
	assert_int_equal(parse(text), OK);
	strcat(text, "a.example. IN DS 1 8 2 abcd\n");
	assert_int_equal(parse(text), ERR_FULL);
	free(text);
}

static int
file_of(const char *text)
{
	int fd = memfd_create("anchors", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void
take_line(enum log_level level, const char *line, size_t len)
{
	snprintf(logged, sizeof(logged), "%.*s", (int)len, line);
}

static void
a_file_is_read_from_its_beginning_and_adds_to_the_root(void **state)
{
	int fd = file_of("x.example. IN DS 1 8 2 " DIGEST "\n");

	memset(&s, 0, sizeof(s));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(settings_add_anchors(&s, fd), OK);
		assert_memory_equal(s.anchors[0], ". IN DS 20326 ", 14);
		assert_memory_equal(s.anchors[1], ". IN DS 38696 ", 14);
		assert_string_equal(s.anchors[2], "x.example. IN DS 1 8 2 "
		    DIGEST);
		assert_null(s.anchors[3]);
	}
	close(fd);
}

static void
a_bad_file_is_told_by_name_and_line(void **state)
{
	int fd = file_of("\nx.example. IN DS 1 8\n");

	log_setup("test", take_line, false);
	memset(&s, 0, sizeof(s));
	s.anchor_path = SPAN("/etc/postern/anchors");
	assert_int_equal(settings_add_anchors(&s, fd), ERR_PEER);
	assert_non_null(strstr(logged, "line 2 of the trust anchors"));
	assert_non_null(strstr(logged, "file=/etc/postern/anchors"));
	close(fd);
	assert_int_equal(settings_add_anchors(&s, -1), ERR_SYS);
	log_setup("test", NULL, false);
}

static void
a_file_over_the_limit_is_refused(void **state)
{
	char *text = malloc(ANCHORS_FILE_MAX + 2);
	int fd;

	assert_non_null(text);
	memset(text, '\n', ANCHORS_FILE_MAX + 1);
	text[ANCHORS_FILE_MAX] = '\0';
	fd = file_of(text);
	assert_int_equal(anchors_read(&a, fd), OK);
	close(fd);
	text[ANCHORS_FILE_MAX] = '\n';
	text[ANCHORS_FILE_MAX + 1] = '\0';
	fd = file_of(text);
	assert_int_equal(anchors_read(&a, fd), ERR_FULL);
	close(fd);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(records_of_both_types_are_taken,
		    set_up),
		cmocka_unit_test_setup(
		    comments_blank_lines_and_parentheses_are_understood,
		    set_up),
		cmocka_unit_test_setup(
		    what_is_no_anchor_is_refused_with_its_line, set_up),
		cmocka_unit_test_setup(a_nul_is_no_part_of_a_record, set_up),
		cmocka_unit_test_setup(too_many_are_refused, set_up),
		cmocka_unit_test_setup(
		    a_file_is_read_from_its_beginning_and_adds_to_the_root,
		    set_up),
		cmocka_unit_test_setup(a_bad_file_is_told_by_name_and_line,
		    set_up),
		cmocka_unit_test_setup(a_file_over_the_limit_is_refused,
		    set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
