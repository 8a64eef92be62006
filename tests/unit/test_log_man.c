/*
 * postern-log(7) and log.def say the same, both ways and word by word: the
 * page is what others build on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define PAGE		"man/postern-log.7"
#define PAGE_MAX	262144u

static const char *const levels[] = {
#define LOG_EVENT(name, level, meaning)	#level,
#include "base/log.def"
};

static int
read_page(void **state)
{
	FILE *f = fopen(PAGE, "r");
	char *page = calloc(1, PAGE_MAX);

	if (f == NULL || page == NULL || fread(page, 1, PAGE_MAX - 1, f) == 0)
		return -1;
	*state = page;
	return fclose(f);
}

static int
free_page(void **state)
{
	free(*state);
	return 0;
}

static size_t
count(const char *page, const char *begin)
{
	size_t cnt = 0;

	while ((page = strstr(page, begin)) != NULL) {
		cnt++;
		page++;
	}
	return cnt;
}

/* From one heading to the next. */
static char *
section(const char *page, const char *heading)
{
	const char *from = strstr(page, heading), *to;

	assert_non_null(from);
	from += strlen(heading);
	to = strstr(from, "\n.Sh ");
	assert_non_null(to);
	return strndup(from, (size_t)(to - from));
}

static void
every_event_is_in_the_page_as_it_is_in_the_table(void **state)
{
	char *part = section(*state, ".Sh EVENTS\n"), line[1024], level[16];

	for (unsigned e = 0; e < LOG_EVENT__COUNT; e++) {
		for (size_t i = 0; i <= strlen(levels[e]); i++)
			level[i] = (char)(levels[e][i] | ('a' - 'A'));
		level[strlen(levels[e])] = '\0';
		(void)snprintf(line, sizeof(line),
		    "\n.It Ql event=%s Pq %s\n%s\n", log_event_name(e), level,
		    log_event_meaning(e));
		if (strstr(part, line) == NULL)
			fail_msg(PAGE " has not:%s", line);
	}
	assert_int_equal(count(part, "\n.It "), LOG_EVENT__COUNT);
	free(part);
}

static void
every_key_is_in_the_page_as_it_is_in_the_table(void **state)
{
	char *part = section(*state, ".Sh KEYS\n"), line[1024];

	for (unsigned k = 0; k < LOG_KEY__COUNT; k++) {
		(void)snprintf(line, sizeof(line), "\n.It Cm %s\n%s\n",
		    log_key_name(k), log_key_meaning(k));
		if (strstr(part, line) == NULL)
			fail_msg(PAGE " has not:%s", line);
	}
	assert_int_equal(count(part, "\n.It "), LOG_KEY__COUNT);
	free(part);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_event_is_in_the_page_as_it_is_in_the_table),
		cmocka_unit_test(
		    every_key_is_in_the_page_as_it_is_in_the_table),
	};

	return cmocka_run_group_tests(tests, read_page, free_page);
}
