/*
 * table.c - continuation lines and comments are as in main.cf; a colon behind
 * the key, as in aliases, is part of it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/tool/import/table.h"
#include "ctl/tool/run.h"

const char *
table_path(const char *word)
{
	static const char *const types[] = {
		"hash:", "lmdb:", "btree:", "cdb:", "dbm:", "texthash:",
	};

	if (word[0] == '/')
		return word;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strncmp(word, types[i], strlen(types[i])) == 0)
			return word + strlen(types[i]);
	return NULL;
}

static void
take_line(struct job *p, char *line, table_fn *fn, void *arg)
{
	size_t key = strcspn(line, " \t"), len = strlen(line);
	char *value = line + key + strspn(line + key, " \t");

	while (len > 0 && isspace((unsigned char)line[len - 1]))
		line[--len] = '\0';
	if (key == 0 || *value == '\0')
		return;
	line[key] = '\0';
	fn(p, line, value, arg);
}

static void
each_line(struct job *p, FILE *f, table_fn *fn, void *arg)
{
	char *line = NULL, *whole = NULL;
	size_t cap = 0, len = 0;
	ssize_t got;

	while ((got = getline(&line, &cap, f)) > 0) {
		char *start = line + strspn(line, " \t\r\n"), *more;

		if (*start == '\0' || *start == '#')
			continue;
		if (start == line && len > 0) {
			take_line(p, whole, fn, arg);
			len = 0;
		}
		line[strcspn(line, "\r\n")] = '\0';
		if ((more = realloc(whole, len + (size_t)got + 1)) == NULL)
			break;
		whole = more;
		memcpy(whole + len, line, strlen(line) + 1);
		len += strlen(line);
	}
	if (len > 0)
		take_line(p, whole, fn, arg);
	free(whole);
	free(line);
}

void
table_each(struct job *p, const char *name, const char *list, table_fn *fn,
    void *arg)
{
	struct span rest = span_of(list), word;

	while (main_cf_word(&rest, &word)) {
		char *copy = strndup(word.ptr, word.len);
		const char *path = copy == NULL ? NULL : table_path(copy);
		FILE *f = path == NULL ? NULL : fopen(path, "re");

		if (f != NULL) {
			each_line(p, f, fn, arg);
			(void)fclose(f);
		} else if (path != NULL)
			job_note(p, name, copy, strerror(errno));
		else if (copy != NULL)
			job_note(p, name, copy,
			    "not a file of lines that can be read");
		free(copy);
	}
}
