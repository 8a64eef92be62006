/* cmd.c - the table, and finding the row that was meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/tool/cmd.h"

static const struct cmd rows[] = {
#define COMMAND(verb, second, function, most, takes, synopsis, help)	\
	{ verb, second, function, most, takes, synopsis, help },
#include "ctl/tool/commands.def"
#undef COMMAND
};

#define ROW_CNT	(sizeof(rows) / sizeof(rows[0]))

const struct cmd *
cmd_row(unsigned i)
{
	return i < ROW_CNT ? &rows[i] : NULL;
}

/* Is row i the first with this word (verb, or second of the verb)? */
static bool
is_first(size_t i, const char *verb)
{
	return verb != NULL || i == 0 ||
	    strcmp(rows[i].verb, rows[i - 1].verb) != 0;
}

/* The word of row i that is looked for; NULL where the row is out. */
static const char *
word_of(size_t i, const char *verb)
{
	if (verb == NULL)
		return is_first(i, verb) ? rows[i].verb : NULL;
	return strcmp(rows[i].verb, verb) == 0 ? rows[i].second : NULL;
}

/* What could have been meant instead, in *why. */
static const struct cmd *
refuse(const char *text, const char *verb, char **why, bool ambiguous)
{
	const char *between = " ";
	size_t len;
	FILE *out = open_memstream(why, &len);

	if (out == NULL)
		return NULL;
	if (text == NULL)
		fprintf(out, "%s needs one of:", verb == NULL ? "it" : verb);
	else
		fprintf(out, "\"%s\" %s:", text, ambiguous ?
		    "could be any of" : "is none of");
	for (size_t i = 0; i < ROW_CNT; i++) {
		const char *word = word_of(i, verb);

		if (word == NULL || (ambiguous &&
		    strncmp(word, text, strlen(text)) != 0))
			continue;
		fprintf(out, "%s%s", between, word);
		between = ", ";
	}
	fclose(out);
	return NULL;
}

/* The one row whose word is text or begins with it. */
static const struct cmd *
find_word(const char *text, const char *verb, char **why)
{
	const struct cmd *found = NULL;
	unsigned fits = 0;

	for (size_t i = 0; text != NULL && i < ROW_CNT; i++) {
		const char *word = word_of(i, verb);

		if (word == NULL || strncmp(word, text, strlen(text)) != 0)
			continue;
		found = &rows[i];
		if (strcmp(word, text) == 0)
			return found;
		fits++;
	}
	if (fits == 1)
		return found;
	return refuse(text, verb, why, fits > 1);
}

const struct cmd *
cmd_find(char **words, int cnt, int *used, char **why)
{
	const struct cmd *c = find_word(cnt > 0 ? words[0] : NULL, NULL, why);

	*used = 1;
	if (c == NULL || c->second[0] == '\0')
		return c;
	*used = 2;
	return find_word(cnt > 1 ? words[1] : NULL, c->verb, why);
}
