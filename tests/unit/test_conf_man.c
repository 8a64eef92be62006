/*
 * The manual page and the list of options say the same, both ways, and every
 * example of the page is a good configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/options.h"
#include "conf_memory.h"

#define PAGE		"man/postern.conf.5"
#define PAGE_MAX	262144u

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

/* "edge" or "edge: listener": the heading of a block. */
static void
heading_of(enum option_block no, char *out, size_t cap)
{
	const struct block_row *row = options_block(no);
	const struct block_row *parent = options_block(row->parent);

	(void)snprintf(out, cap, ".Ss %s%s%s\n", parent->word,
	    parent->word[0] == '\0' ? "" : ": ", row->word);
}

/* The text from a mark to the next of the ends, without it. */
static struct span
section(const char *from, const char *mark, const char *end,
    const char *other_end)
{
	const char *p = strstr(from, mark), *q, *r;

	if (p == NULL)
		return (struct span){ NULL, 0 };
	p += strlen(mark);
	q = strstr(p, end);
	r = strstr(p, other_end);
	if (q == NULL || (r != NULL && r < q))
		q = r;
	return (struct span){ p, q == NULL ? strlen(p) : (size_t)(q - p) };
}

static char *
copy_of(struct span s)
{
	char *copy = calloc(1, s.len + 1);

	assert_non_null(copy);
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	return copy;
}

static char *
section_of_block(const char *page, enum option_block no)
{
	char heading[128];
	struct span s;

	heading_of(no, heading, sizeof(heading));
	s = section(page, heading, "\n.Ss ", "\n.Sh ");
	if (s.ptr == NULL)
		fail_msg("the page has no `%s'", heading);
	return copy_of(s);
}

static void
assert_says(const char *entry, const char *name, const char *words)
{
	if (strstr(entry, words) == NULL)
		fail_msg("the entry of %s does not say `%s':\n%s", name, words,
		    entry);
}

/* The entry of the name that is for the kinds of the row. */
static char *
entry_of(const struct option_row *row, const char *block)
{
	char text[256], kinds[256];
	const char *from = block;
	struct span s;
	char *entry;

	(void)snprintf(text, sizeof(text), "\n.It Ic %s ", row->name);
	(void)snprintf(kinds, sizeof(kinds), "\nFor type\n.Cm %s .\n",
	    row->kinds);
	while ((s = section(from, text, "\n.It Ic ", "\n.El")).ptr != NULL) {
		entry = copy_of(s);
		if (row->kinds[0] == '\0' || strstr(entry, kinds) != NULL)
			return entry;
		free(entry);
		from = s.ptr;
	}
	fail_msg("%s of %s%s%s is not in the page", row->name,
	    options_block(row->block)->word,
	    row->kinds[0] == '\0' ? "" : " for type ", row->kinds);
	return NULL;
}

static void
compare(const struct option_row *row, const char *block)
{
	char *entry = entry_of(row, block);
	char text[256];

	if (row->value != NULL)
		(void)snprintf(text, sizeof(text), "\nDefault:\n.Ql %s .\n",
		    row->value);
	else if (row->rule != NULL)
		(void)snprintf(text, sizeof(text), "\nDefault: %s.\n",
		    row->rule);
	else
		(void)snprintf(text, sizeof(text), "\nIt must be given.\n");
	assert_says(entry, row->name, text);
	assert_says(entry, row->name, row->when == WHEN_RELOAD ?
	    "\nTakes effect on reload." :
	    "\nTakes effect at the next start.");
	for (const char *w = row->words; w != NULL && *w != '\0';
	    w += strcspn(w, " "), w += *w == ' ') {
		(void)snprintf(text, sizeof(text), "%.*s",
		    (int)strcspn(w, " "), w);
		assert_says(entry, row->name, text);
	}
	free(entry);
}

static void
every_option_is_in_the_page_with_its_default(void **state)
{
	for (unsigned i = 0; i < OPTION__COUNT; i++) {
		const struct option_row *row = options_row((enum option_no)i);
		char *block = section_of_block(*state, row->block);

		compare(row, block);
		free(block);
	}
}

static void
every_entry_of_the_page_is_an_option(void **state)
{
	for (unsigned no = BLOCK_TOP + 1; no < BLOCK__COUNT; no++) {
		char *block = section_of_block(*state, (enum option_block)no);
		unsigned cnt = 0;

		for (const char *p = block;
		    (p = strstr(p, "\n.It Ic ")) != NULL; cnt++) {
			p += strlen("\n.It Ic ");
			if (options_find((enum option_block)no, (struct span){
			    p, strcspn(p, " \n") }, SPAN("")) ==
			    OPTION__COUNT)
				fail_msg("no such option: %.40s", p);
		}
		assert_true(cnt > 0);
		free(block);
	}
}

static void
every_example_is_a_good_configuration(void **state)
{
	static const char mark[] = ".Bd -literal -offset indent\n"
	    "# postern.conf";
	unsigned cnt = 0;

	for (const char *p = *state; (p = strstr(p, mark)) != NULL; cnt++) {
		struct span s = section(p, "indent\n", ".Ed\n", ".Ed\n");
		char *text = copy_of(s);
		const struct memory_file files[] = {
			{ "/etc/postern/postern.conf", text },
			MEMORY_HOST };
		struct memory m = { .files = files };
		struct conf *c = NULL;

		if (memory_load(&m, &c, false) != OK)
			fail_msg("%s\n%s", text, m.told);
		conf_free(&c);
		free(text);
		p += strlen(mark);
	}
	assert_int_equal(cnt, 18);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_is_in_the_page_with_its_default),
		cmocka_unit_test(every_entry_of_the_page_is_an_option),
		cmocka_unit_test(every_example_is_a_good_configuration),
	};

	return cmocka_run_group_tests(tests, read_page, free_page);
}
