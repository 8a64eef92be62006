/*
 * Each type of block has a section of the manual page, with the options and
 * blocks that the list gives it, no more and no less, and an example.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/options.h"

#define PAGE		"man/postern.conf.5"
#define PAGE_MAX	262144u
#define WORDS_MAX	4096u

static bool
is_one_of(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *w = words; *w != '\0'; w += strcspn(w, " "),
	    w += *w == ' ')
		if (strcspn(w, " ") == len && strncmp(w, word, len) == 0)
			return true;
	return false;
}

static void
add(char *words, const char *word)
{
	if (is_one_of(words, word))
		return;
	if (words[0] != '\0')
		strlcat(words, " ", WORDS_MAX);
	strlcat(words, word, WORDS_MAX);
}

/* The words of the lines of .Ic that follow the mark in the section. */
static void
words_after(const char *section, const char *mark, char *out)
{
	const char *p = strstr(section, mark);
	char line[256], *rest, *word;

	out[0] = '\0';
	if (p == NULL)
		return;
	for (p += strlen(mark); strncmp(p, ".Ic ", 4) == 0;
	    p += strcspn(p, "\n") + 1) {
		(void)snprintf(line, sizeof(line), "%.*s",
		    (int)strcspn(p, "\n") - 4, p + 4);
		for (rest = line; (word = strsep(&rest, " ")) != NULL;)
			if (word[0] != '\0' && strchr(",.", word[0]) == NULL)
				add(out, word);
	}
}

static void
is_the_same(const char *block, const char *kind, const char *what,
    const char *page, const char *list)
{
	if (strcmp(page, list) != 0)
		fail_msg("%s of %s of type %s are\n%s\nand in the page\n%s",
		    what, block, kind, list, page);
}

static void
compare_type(const char *page, enum option_block no, const char *kind)
{
	const char *word = options_block(no)->word, *end, *p;
	char heading[128], list[WORDS_MAX] = "", said[WORDS_MAX], *section;

	(void)snprintf(heading, sizeof(heading), ".Ss %s of type %s\n", word,
	    kind);
	p = strstr(page, heading);
	if (p == NULL)
		fail_msg("the page has no `%s'", heading);
	p += strlen(heading);
	end = strstr(p, "\n.S");
	assert_non_null(end);
	section = strndup(p, (size_t)(end - p));
	assert_non_null(section);
	for (unsigned i = 0; i < OPTION__COUNT; i++) {
		const struct option_row *row = options_row((enum option_no)i);

		if (row->block == no && strcmp(row->name, "type") != 0 &&
		    (row->kinds[0] == '\0' || is_one_of(row->kinds, kind)))
			add(list, row->name);
	}
	words_after(section, "\nOptions:\n", said);
	is_the_same(word, kind, "options", said, list);
	list[0] = '\0';
	for (unsigned i = BLOCK_TOP + 1; i < BLOCK__COUNT; i++) {
		const struct block_row *row =
		    options_block((enum option_block)i);

		if (row->parent == no && (row->kinds[0] == '\0' ||
		    is_one_of(row->kinds, kind)))
			add(list, row->word);
	}
	words_after(section, "\nBlocks:\n", said);
	is_the_same(word, kind, "blocks", said, list);
	(void)snprintf(heading, sizeof(heading), "type %s", kind);
	p = strstr(section, "\n.Bd -literal -offset indent\n# postern.conf");
	if (p == NULL || strstr(p, heading) == NULL)
		fail_msg("%s of type %s has no example", word, kind);
	free(section);
}

static void
each_type_of_block_has_a_section_with_what_it_may_have(void **state)
{
	FILE *f = fopen(PAGE, "r");
	char *page = calloc(1, PAGE_MAX);
	unsigned cnt = 0;

	assert_non_null(f);
	assert_non_null(page);
	assert_true(fread(page, 1, PAGE_MAX - 1, f) > 0);
	fclose(f);
	for (unsigned i = 0; i < OPTION__COUNT; i++) {
		const struct option_row *row = options_row((enum option_no)i);
		char *words, *rest, *kind;

		if (strcmp(row->name, "type") != 0)
			continue;
		rest = words = strdup(row->words);
		assert_non_null(words);
		while ((kind = strsep(&rest, " ")) != NULL) {
			compare_type(page, row->block, kind);
			cnt++;
		}
		free(words);
	}
	assert_true(cnt >= 16);
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    each_type_of_block_has_a_section_with_what_it_may_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
