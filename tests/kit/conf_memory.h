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
#include "sys/regex.h"

struct memory_file {
	const char	*path, *text;
};

/* What the examples take for granted on a host; ends a list of files. */
#define MEMORY_HOST							\
	{ "/etc/ssl/certs/mx.pem", "cert 1" },				\
	{ "/etc/ssl/private/mx.key", "key 1" },				\
	{ "/etc/ssl/certs/ca-certificates.crt", "roots" },		\
	{ "/etc/postern/users", "" },					\
	{ "/etc/aliases", "root: ann@example.org\n" },			\
	{ "/etc/postern/recipients", "# who is known\n"			\
	    "info@example.org\nann@example.org\n" },			\
	{ "/etc/postern/smarthost.password", "secret\n" },		\
	{ "/usr/local/bin/ticket", "#!\n" },				\
	{ "/usr/bin/maildrop", "" },					\
	{ "/usr/bin/procmail", "" },					\
	{ "/usr/lib/dovecot/dovecot-lda", "" },				\
	{ NULL, NULL }

struct memory {
	const struct memory_file *files;	/* ends with a NULL path */
	const char	*directory;		/* one that there is	*/
	const char	*known_user;
	const char	*open_to_all;	/* a file with mode 0644	*/
	const char	*no_program;	/* one that is not executable	*/
	const char	*unreadable;	/* one that we may not read	*/
	const char	*fqdn;		/* of the host; NULL a good one	*/
	uint64_t	 disk;		/* bytes below /mnt; 0: not there */
	enum conf_homes	 homes;
	bool		 is_tool;	/* nobody looks at files	*/
	bool		 wants_facts;	/* notes are told too		*/
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

static uint64_t
memory_disk(void *arg, const char *path)
{
	const struct memory *m = arg;

	return strcmp(path, "/mnt") == 0 ? m->disk : 0;
}

static void
memory_look(void *arg, const char *path, struct conf_look *out)
{
	const struct memory *m = arg;

	*out = (struct conf_look){ .kind = memory_kind(arg, path),
	    .mode = 0750 };
	if (out->kind == KIND_NONE)
		out->error = ENOENT;
	if (m->open_to_all != NULL && strcmp(path, m->open_to_all) == 0)
		out->mode = 0754;
	if (m->no_program != NULL && strcmp(path, m->no_program) == 0)
		out->mode = 0640;
	if (m->unreadable != NULL && strcmp(path, m->unreadable) == 0)
		out->error = EACCES;
}

/* A certificate is "cert X", its key "key X". */
static enum conf_pair
memory_pair(void *arg, const char *certfile, const char *keyfile)
{
	const char *cert = memory_find(arg, certfile)->text;
	const char *key = memory_find(arg, keyfile)->text;

	if (strncmp(cert, "cert ", 5) != 0)
		return PAIR_NO_CERT;
	if (strcmp(key, "locked") == 0)
		return PAIR_LOCKED;
	if (strcmp(key, "ed25519") == 0)
		return PAIR_STRANGE;
	if (strncmp(key, "key ", 4) != 0)
		return PAIR_NO_KEY;
	return strcmp(cert + 5, key + 4) == 0 ? PAIR_FITS : PAIR_DIFFERS;
}

/* "cert X server" is for servers only, "cert X client" for clients. */
static bool
memory_suits(void *arg, const char *certfile, bool is_client)
{
	return strstr(memory_find(arg, certfile)->text,
	    is_client ? "server" : "client") == NULL;
}

/* "cert X days 3": so many are left; without it, many. */
static int64_t
memory_left(void *arg, const char *certfile)
{
	const char *days = strstr(memory_find(arg, certfile)->text, " days ");

	return days == NULL ? INT64_MAX : atoll(days + 6) * 86400 + 5;
}

/* "cert X not h.": it is not for hosts whose names begin so. */
static bool
memory_names(void *arg, const char *certfile, const char *host)
{
	const char *not = strstr(memory_find(arg, certfile)->text, " not ");

	return not == NULL || strncmp(not + 5, host, strlen(not + 5)) != 0;
}

/* Roots begin so; in a directory there are any if it is called so. */
static enum err
memory_roots(void *arg, const char *path, bool is_directory,
    struct conf_roots *out)
{
	const struct memory *m = arg;
	const char *text = is_directory ? strrchr(path, '/') + 1 :
	    memory_find(m, path)->text;

	if (is_directory && strcmp(text, "closed") == 0) {
		snprintf(out->culprit, sizeof(out->culprit), "%s/a.pem", path);
		errno = EACCES;
		return ERR_SYS;
	}
	if (strcmp(text, "vast") == 0)
		return ERR_FULL;
	if (strncmp(text, "roots", 5) != 0)
		return ERR_NONE;
	out->bytes = strdup(text);
	out->len = strlen(text);
	return out->bytes == NULL ? ERR_FULL : OK;
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
	const struct conf_opener whole = { .arg = m, .read = memory_read,
	    .glob = memory_glob, .kind = memory_kind, .look = memory_look,
	    .disk = memory_disk, .pair = memory_pair, .suits = memory_suits,
	    .left = memory_left, .names = memory_names,
	    .roots = memory_roots, .regex = regex_check };
	const struct conf_opener bare = { .arg = m, .read = memory_read,
	    .glob = memory_glob };
	const struct conf_opener *opener = m->is_tool ? &bare : &whole;
	const struct conf_host host = {
	    .fqdn = m->is_tool ? NULL :
	    m->fqdn != NULL ? m->fqdn : "host.example.org",
	    .cwd = "/home/dir", .is_root = is_root, .arg = m,
	    .user_ids = memory_user, .homes = m->homes };
	struct conf_report report = { .arg = m, .line = memory_line,
	    .wants_facts = m->wants_facts };
	enum err e;

	m->told_len = 0;
	m->told[0] = '\0';
	e = conf_load(out, m->files[0].path, opener, &host, &report);
	if ((e == OK) != (report.errors == 0))
		memory_line(m, "the result and the count of mistakes differ");
	return e;
}

#endif
