/*
 * cmd_import.c - another mail server's configuration as one of ours, beside
 * its place: nothing is replaced, for somebody must have read it first.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/tool/cmd.h"
#include "ctl/tool/import/postfix.h"

#define POSTFIX_DIR	"/etc/postfix"
#define FILE_MAX	(1u << 20)	/* bytes of main.cf	*/

static bool
read_file(const char *path, char **out, size_t *len)
{
	FILE *f = fopen(path, "re");
	bool good = f != NULL && (*out = malloc(FILE_MAX)) != NULL;

	if (good) {
		*len = fread(*out, 1, FILE_MAX, f);
		good = ferror(f) == 0;
	}
	if (good && *len == FILE_MAX)
		errno = EFBIG;
	if (!good || *len == FILE_MAX)
		run_complain("cannot read %s: %s", path, strerror(errno));
	if (f != NULL)
		(void)fclose(f);
	return good && *len < FILE_MAX;
}

/* What somebody has under that name is not ours to replace. */
static bool
write_beside(const char *dir, const char *name, const char *text,
    mode_t mode, bool is_new)
{
	char path[PATH_MAX];
	int fd;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
	    (is_new ? O_EXCL : O_TRUNC), mode);
	good = fd != -1 && fchmod(fd, mode) == 0 &&
	    write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
	    fsync(fd) == 0;
	if (good)
		printf("  %s\n", path);
	else
		run_complain("cannot write %s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return good;
}

/* "submission inet n ..." and its like, which has options of its own there. */
static void
look_at_services(struct job *p)
{
	char path[PATH_MAX], *text, *line, *rest;
	size_t len;

	snprintf(path, sizeof(path), "%s/master.cf", p->dir);
	if (access(path, R_OK) != 0 || !read_file(path, &text, &len))
		return;
	text[len] = '\0';
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL) {
		char name[64], type[16];

		if (line[0] == '#' || line[0] == ' ' || line[0] == '\t' ||
		    sscanf(line, "%63s %15s", name, type) != 2 ||
		    strcmp(type, "inet") != 0 || strcmp(name, "smtp") == 0)
			continue;
		job_note(p, "master.cf", name,
		    "an edge of that port; posternctl setup submission shows "
		    "two");
	}
	free(text);
}

struct texts {
	char	*conf, *virtual, *password, *notes;
	size_t	 len[4];
};

static enum err
write_texts(struct job *p, struct texts *t)
{
	enum err e = OK;

	p->conf = open_memstream(&t->conf, &t->len[0]);
	p->virtual = open_memstream(&t->virtual, &t->len[1]);
	p->password = open_memstream(&t->password, &t->len[2]);
	p->notes = open_memstream(&t->notes, &t->len[3]);
	if (p->conf == NULL || p->virtual == NULL || p->password == NULL ||
	    p->notes == NULL || postfix_write(p) != OK)
		e = ERR_SYS;
	else
		look_at_services(p);
	for (FILE **f = (FILE *[]){ p->conf, p->virtual, p->password,
	    p->notes, NULL }; *f != NULL; f++)
		if (fclose(*f) != 0)
			e = ERR_SYS;
	return e;
}

static bool
put_texts(const struct job *p, const struct texts *t, const char *config)
{
	char copy[PATH_MAX], name[NAME_MAX + 8];

	(void)strlcpy(copy, config, sizeof(copy));
	snprintf(name, sizeof(name), "%s.new", basename(copy));
	printf("Written:\n");
	return (!p->has_virtual ||
	    write_beside(p->to, "virtual", t->virtual, 0644,
	    true)) &&
	    (!p->has_password || write_beside(p->to, "smarthost.password",
	    t->password, 0600, true)) && write_beside(p->to, name,
	    t->conf, 0644, false);
}

static enum run_end
import(struct run *r, struct job *p)
{
	struct texts t = { .conf = NULL };
	char fresh[PATH_MAX];
	enum run_end end = END_NOTHING;

	if (write_texts(p, &t) != OK)
		run_complain("no memory");
	else if (put_texts(p, &t, r->config)) {
		if (t.notes[0] != '\0')
			printf("Not taken over, see postern.conf(5):\n%s",
			    t.notes);
		snprintf(fresh, sizeof(fresh), "%s.new", r->config);
		end = cmd_check_file(fresh);
		if (end == END_DONE)
			printf("It is good.  When you have read it:\n"
			    "  mv %s %s\n", fresh, r->config);
	}
	explicit_bzero(t.password, t.password != NULL ? t.len[2] : 0);
	free(t.conf);
	free(t.virtual);
	free(t.password);
	free(t.notes);
	return end;
}

enum run_end
cmd_import_postfix(struct run *r)
{
	struct job p = {
		.dir = r->arg_cnt > 0 ? r->args[0] : POSTFIX_DIR,
		.hostname = calloc(1, HOST_NAME_MAX + 1),
	};
	char path[PATH_MAX], to[PATH_MAX], *text = NULL;
	enum run_end end = END_NOTHING;
	size_t len;

	TAILQ_INIT(&p.given);
	if (p.hostname == NULL ||
	    gethostname(p.hostname, HOST_NAME_MAX + 1) == -1)
		(void)fputs("posternctl: this host has no name\n", stderr);
	(void)strlcpy(to, r->config, sizeof(to));
	p.to = dirname(to);
	snprintf(path, sizeof(path), "%s/main.cf", p.dir);
	if (p.hostname != NULL && read_file(path, &text, &len)) {
		if (main_cf_read(&p.given, (struct span){ text, len }) == OK)
			end = import(r, &p);
		else
			run_complain("no memory");
	}
	free(text);
	free(p.hostname);
	main_cf_free(&p.given);
	return end;
}
