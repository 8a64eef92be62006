/*
 * The manual page and the list of options say the same, both ways: type, range,
 * default, effect; every type of block has its section; and every example of
 * the page is a good configuration.
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

/* How the page says a number of the row's type. */
static void
say_number(const struct option_row *row, uint64_t n, char *out, size_t cap)
{
	static const struct { uint64_t each; const char *unit; } sizes[] = {
	    { 1u << 30, "G" }, { 1u << 20, "M" }, { 1u << 10, "K" },
	    { 1, "" } }, times[] = { { 86400000, "d" }, { 3600000, "h" },
	    { 60000, "m" }, { 1000, "s" }, { 1, "ms" } };
	unsigned i = 0;

	if (n == 0 || (row->type != TYPE_SIZE && row->type != TYPE_DURATION)) {
		(void)snprintf(out, cap, "%ju", (uintmax_t)n);
	} else if (row->type == TYPE_SIZE) {
		while (n % sizes[i].each != 0)
			i++;
		(void)snprintf(out, cap, "%ju%s",
		    (uintmax_t)(n / sizes[i].each), sizes[i].unit);
	} else {
		while (n % times[i].each != 0)
			i++;
		(void)snprintf(out, cap, "%ju%s",
		    (uintmax_t)(n / times[i].each), times[i].unit);
	}
}

static void
says_its_range(const struct option_row *row, const char *entry)
{
	char least[32], most[32], text[128];

	if (row->max == 0)
		return;
	say_number(row, row->min, least, sizeof(least));
	say_number(row, row->max, most, sizeof(most));
	(void)snprintf(text, sizeof(text), "\nRange: %s to %s", least, most);
	assert_says(entry, row->name, text);
}

/* What stands after the name of an option, by its type. */
static const char *
word_of(enum option_type type)
{
	switch (type) {
	case TYPE_SIZE:
		return "Ar size";
	case TYPE_DURATION:
		return "Ar time";
	case TYPE_COUNT:
	case TYPE_PORT:
	case TYPE_LIMIT:
		return "Ar number";
	case TYPE_FLAG:
		return "Cm yes | no";
	case TYPE_CHOICE:
	case TYPE_ROUTE:
		return "Cm ";
	case TYPE_FILE:
	case TYPE_SECRET:
	case TYPE_LUA:
	case TYPE_NOTICE:
	case TYPE_ROOTS:
	case TYPE_ALIASES:
		return "Ar file";
	case TYPE_DIRECTORY:
		return "Ar directory";
	case TYPE_SERVER:
		return "Ar server";
	case TYPE_NET:
		return "Ar network";
	case TYPE_DOMAIN:
		return "Ar domain";
	default:
		return "Ar ";
	}
}

/* The name and its values as a mark of the page, in plain text. */
static char *
plain(struct span s)
{
	char *out = copy_of(s), *to = out;

	for (const char *p = out; *p != '\0'; to++) {
		if (strncmp(p, "\\(dq", 4) == 0) {
			*to = '"';
			p += 4;
		} else if (strncmp(p, "\\e", 2) == 0) {
			*to = '\\';
			p += 2;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
	return out;
}

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

/* What a block must have besides the option of the example. */
static const struct { enum option_block block; const char *kind, *name,
    *value; } needs[] = {
	{ BLOCK_EDGE_TLS, "", "certfile", "/etc/ssl/certs/mx.pem" },
	{ BLOCK_EDGE_TLS, "", "keyfile", "/etc/ssl/private/mx.key" },
	{ BLOCK_RULES, "", "clients", "192.0.2.0/24" },
	{ BLOCK_RULES, "smtp", "lookup_credentials", "staff" },
	{ BLOCK_USERS, "", "type", "file" },
	{ BLOCK_USERS, "", "path", "/etc/postern/users" },
	{ BLOCK_QUEUE, "", "type", "lmdb" },
	{ BLOCK_QUEUE, "", "relay", "out" },
	{ BLOCK_RELAY, "static", "host", "smtp.example.net" },
	{ BLOCK_RELAY, "http", "url", "https://mail.example.com/" },
	{ BLOCK_RELAY, "maildir", "path", "\"/var/vmail/{user}\"" },
	{ BLOCK_RELAY, "pipe", "args", "/usr/local/bin/ticket" },
	{ BLOCK_RELAY_TLS, "", "security", "verified" },
	{ BLOCK_RELAY_TLS, "", "certfile", "/etc/ssl/certs/mx.pem" },
	{ BLOCK_RELAY_TLS, "", "keyfile", "/etc/ssl/private/mx.key" },
	{ BLOCK_CREDENTIALS, "", "username", "host@example.net" },
	{ BLOCK_CREDENTIALS, "", "password_file",
	    "/etc/postern/smarthost.password" },
};

/* The block with what it must have, and with the option if it is its own. */
static void
print_block(FILE *f, enum option_block no, const char *kind,
    const struct option_row *row, const char *line)
{
	const char *own = row->block == no ? row->name : "";

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].block == no && strcmp(own, needs[i].name) != 0 &&
		    (needs[i].kind[0] == '\0' ||
		    strcmp(needs[i].kind, kind) == 0))
			fprintf(f, "%s %s\n", needs[i].name, needs[i].value);
	if (row->block == no)
		fprintf(f, "%s\n", line);
}

/* A whole configuration of which this line is one. */
static void
print_house(FILE *f, const struct option_row *row, const char *line)
{
	const char *edge = "smtp", *relay = "static";
	char kind[32];

	(void)snprintf(kind, sizeof(kind), "%.*s",
	    (int)strcspn(row->kinds, " "), row->kinds);
	if (row->block == BLOCK_EDGE && kind[0] != '\0')
		edge = kind;
	if (row->block == BLOCK_RELAY && kind[0] != '\0')
		relay = kind;
	fprintf(f, "process {\n");
	print_block(f, BLOCK_PROCESS, "", row, line);
	fprintf(f, "resolver {\n");
	print_block(f, BLOCK_RESOLVER, "", row, line);
	fprintf(f, "}\n}\nedge in {\n");
	if (row->block != BLOCK_EDGE || strcmp(row->name, "type") != 0)
		fprintf(f, "type %s\n", edge);
	if (row->block != BLOCK_EDGE || (strcmp(row->name, "queue") != 0 &&
	    strcmp(row->name, "relay") != 0))
		fprintf(f, "queue main\n");
	print_block(f, BLOCK_EDGE, edge, row, line);
	if (strcmp(edge, "drop") != 0) {
		fprintf(f, "listener {\n");
		print_block(f, BLOCK_LISTENER, edge, row, line);
		fprintf(f, "}\ntls {\n");
		print_block(f, BLOCK_EDGE_TLS, edge, row, line);
		fprintf(f, "}\nrules {\n");
		print_block(f, BLOCK_RULES, edge, row, line);
		fprintf(f, "}\n");
	}
	fprintf(f, "}\nusers staff {\n");
	print_block(f, BLOCK_USERS, "", row, line);
	fprintf(f, "}\nqueue main {\n");
	print_block(f, BLOCK_QUEUE, "", row, line);
	fprintf(f, "policies {\n");
	print_block(f, BLOCK_POLICIES, "", row, line);
	fprintf(f, "}\nretry {\n");
	print_block(f, BLOCK_RETRY, "", row, line);
	fprintf(f, "}\n}\nqueue second { type lmdb; relay out }\n"
	    "relay out {\n");
	if (row->block != BLOCK_RELAY || strcmp(row->name, "type") != 0)
		fprintf(f, "type %s\n", relay);
	print_block(f, BLOCK_RELAY, relay, row, line);
	if (is_one_of("mx static lmtp http", relay)) {
		fprintf(f, "tls {\n");
		print_block(f, BLOCK_RELAY_TLS, relay, row, line);
		fprintf(f, "}\n");
	}
	if (is_one_of("static lmtp http", relay)) {
		fprintf(f, "credentials {\n");
		print_block(f, BLOCK_CREDENTIALS, relay, row, line);
		fprintf(f, "}\n");
	}
	fprintf(f, "}\n");
}

static void
is_good(const struct option_row *row, const char *line)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct conf *c = NULL;

	assert_non_null(f);
	print_house(f, row, line);
	assert_int_equal(fclose(f), 0);
	const struct memory_file files[] = {
		{ "/etc/postern/postern.conf", text },
		{ "/etc/postern/anchors", "" },
		{ "/etc/postern/filter", "" },
		{ "/etc/postern/policy.lua", "" },
		{ "/etc/postern/words.txt",
		    "[failed]\nSubject: No\n{recipients}\n" },
		MEMORY_HOST };
	struct memory m = { .files = files, .known_user = "vmail",
	    .directory = "/etc/postern/roots" };
	if (memory_load(&m, &c, false) != OK)
		fail_msg("`%s' is no good example: %s\n%s", line, m.told,
		    text);
	conf_free(&c);
	free(text);
}

static void
each_option_has_a_type_and_a_good_example(void **state)
{
	static const char mark[] = "\nExample:\n.Ql ";
	char text[128];

	for (unsigned i = 0; i < OPTION__COUNT; i++) {
		const struct option_row *row = options_row((enum option_no)i);
		char *block = section_of_block(*state, row->block);
		char *entry = entry_of(row, block), *line;
		const char *p = strstr(entry, mark);

		says_its_range(row, entry);
		(void)snprintf(text, sizeof(text), "\n.It Ic %s %s", row->name,
		    word_of(row->type));
		assert_says(block, row->name, text);
		assert_says(entry, row->name, mark);
		p += strlen(mark);
		line = plain((struct span){ p, strcspn(p, "\n") });
		if (strlen(line) < 2 ||
		    strcmp(line + strlen(line) - 2, " .") != 0)
			fail_msg("the example of %s does not end: %s",
			    row->name, line);
		line[strlen(line) - 2] = '\0';
		if (strcspn(line, " ") != strlen(row->name) ||
		    strncmp(line, row->name, strlen(row->name)) != 0)
			fail_msg("the example of %s is of another: %s",
			    row->name, line);
		is_good(row, line);
		free(line);
		free(entry);
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
	assert_int_equal(cnt, 39);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_is_in_the_page_with_its_default),
		cmocka_unit_test(every_entry_of_the_page_is_an_option),
		cmocka_unit_test(each_option_has_a_type_and_a_good_example),
		cmocka_unit_test(every_example_is_a_good_configuration),
	};

	return cmocka_run_group_tests(tests, read_page, free_page);
}
