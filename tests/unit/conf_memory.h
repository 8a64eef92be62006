/*
 * conf_memory - a configuration in memory: files by name, a report as text.
 * For tests only; included by each of them once.
 */
#ifndef TESTS_CONF_MEMORY_H
#define TESTS_CONF_MEMORY_H

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

struct memory_file {
	const char	*path, *text;
};

struct memory {
	const struct memory_file *files;	/* ends with a NULL path */
	const char	*directory;		/* one that there is	*/
	const char	*known_user;
	char		 told[32768];
	size_t		 told_len;
};

static const struct memory_file *
memory_find(const struct memory *m, const char *path)
{
	for (const struct memory_file *f = m->files; f->path != NULL; f++)
		if (strcmp(f->path, path) == 0)
			return f;
	return NULL;
}

static enum err
memory_read(void *arg, const char *path, size_t max, char **bytes, size_t *len)
{
	const struct memory_file *f = memory_find(arg, path);

	if (f == NULL)
		return ERR_NONE;
	*len = strlen(f->text);
	if (*len > max)
		return ERR_FULL;
	*bytes = strdup(f->text);
	return *bytes == NULL ? ERR_SYS : OK;
}

static enum err
memory_glob(void *arg, const char *pattern, conf_found_fn *found,
    void *found_arg)
{
	const struct memory *m = arg;

	for (const struct memory_file *f = m->files; f->path != NULL; f++)
		if (fnmatch(pattern, f->path, FNM_PATHNAME) == 0)
			found(found_arg, f->path);
	return OK;
}

static enum conf_kind
memory_kind(void *arg, const char *path)
{
	const struct memory *m = arg;

	if (m->directory != NULL && strcmp(path, m->directory) == 0)
		return KIND_DIRECTORY;
	return memory_find(m, path) == NULL ? KIND_NONE : KIND_FILE;
}

static bool
memory_user(void *arg, const char *name, uint32_t *uid, uint32_t *gid)
{
	const struct memory *m = arg;

	*uid = 1000;
	*gid = 1001;
	return m->known_user != NULL && strstr(m->known_user, name) != NULL;
}

static void
memory_line(void *arg, const char *text)
{
	struct memory *m = arg;
	int n = snprintf(m->told + m->told_len, sizeof(m->told) - m->told_len,
	    "%s\n", text);

	if (n > 0 && (size_t)n < sizeof(m->told) - m->told_len)
		m->told_len += (size_t)n;
}

/* Load the first file.  The report is in m->told. */
static enum err
memory_load(struct memory *m, struct conf **out, bool is_root)
{
	const struct conf_opener opener = { m, memory_read, memory_glob,
	    memory_kind };
	const struct conf_host host = { .fqdn = "host.example.org",
	    .cwd = "/home/dir", .is_root = is_root, .arg = m,
	    .user_ids = memory_user };
	struct conf_report report = { .arg = m, .line = memory_line };
	enum err e;

	m->told_len = 0;
	m->told[0] = '\0';
	e = conf_load(out, m->files[0].path, &opener, &host, &report);
	if ((e == OK) != (report.errors == 0))
		memory_line(m, "the result and the count of mistakes differ");
	return e;
}

#endif
