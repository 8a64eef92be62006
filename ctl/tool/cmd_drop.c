/*
 * cmd_drop.c - drop list, retry, remove: the directory that sendmail(1) keeps
 * mail in while postern does not take it, as it lies there.  Nobody is asked:
 * who may look into it may also do something about it.
 *
 * To try a file again is to touch it: whatever was done to a file makes it a
 * new one for who picks it up (edge/drop/known.h).
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "ctl/tool/cmd.h"
#include "ctl/tool/show.h"
#include "ctl/tool/where.h"
#include "mail/dropped.h"
#include "sys/clock.h"
#include "sys/dropdir.h"

struct dropping {
	struct run	*run;
	char		 path[PATH_MAX];
	int		 dir_fd;
	struct stat	 dir;
	unsigned	 cnt;		/* files that were dealt with	*/
};

/* One of them, as far as can be seen from here. */
struct file {
	const char	*name;
	struct stat	 st;
	const char	*state;		/* "waiting", "writing", "odd"	*/
	const char	*why;		/* of an odd one, else NULL	*/
	struct dropped	 d;		/* of one that waits		*/
};

typedef enum run_end each_fn(struct dropping *, const char *name);

static enum run_end
open_dir(struct dropping *d)
{
	where_drop(d->run->config, d->path, sizeof(d->path));
	d->dir_fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir_fd != -1 && fstat(d->dir_fd, &d->dir) == 0)
		return END_DONE;
	run_complain("%s: %s", d->path, strerror(errno));
	if (d->dir_fd != -1)
		close(d->dir_fd);
	return errno == EACCES ? END_DENIED : END_NOTHING;
}

/* Its envelope; front is yours. */
static void
read_envelope(struct file *f, int fd, char **front)
{
	ssize_t n = -1;

	if ((*front = malloc(DROPPED_HEAD_MAX)) != NULL)
		n = pread(fd, *front, DROPPED_HEAD_MAX, 0);
	if (n > 0 && dropped_read((struct span){ *front, (size_t)n },
	    &f->d) == OK)
		return;
	f->state = "odd";
	f->why = n == -1 ? "it cannot be read" :
	    "it is not of the form that sendmail(1) writes";
}

static void
look_at(const struct dropping *d, struct file *f, char **front)
{
	enum err e;
	int fd;

	f->state = "waiting";
	if (strncmp(f->name, DROPPED_UNDER_WAY, 4) == 0) {
		f->state = "writing";
		return;
	}
	e = dropdir_open(&fd, &f->st, d->dir_fd, &d->dir, f->name, &f->why);
	if (e == OK) {
		read_envelope(f, fd, front);
		close(fd);
	} else {
		f->state = "odd";
	}
	if (e != OK && e != ERR_PEER)
		f->why = strerror(errno);
	if (strncmp(f->name, DROPPED_DONE, 4) != 0) {
		f->state = "odd";
		f->why = "its name is not one of sendmail(1)";
	}
}

static void
print_json(const struct file *f)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "file", span_of(f->name));
	json_text(&j, "state", span_of(f->state));
	json_number(&j, "uid", f->st.st_uid);
	json_number(&j, "size", (uint64_t)f->st.st_size);
	json_time(&j, "changed", (uint64_t)f->st.st_ctim.tv_sec * 1000);
	if (f->why != NULL)
		json_text(&j, "why", span_of(f->why));
	if (strcmp(f->state, "waiting") == 0) {
		json_text(&j, "from", f->d.sender);
		json_number(&j, "rcpts", f->d.rcpt_cnt);
	}
	json_close(&j, '}');
}

static void
print(const struct file *f)
{
	char size[SHOW_MAX], age[SHOW_MAX];
	int64_t ms = clock_wall_ms() - (int64_t)f->st.st_ctim.tv_sec * 1000;

	show_text(stdout, span_of(f->name));
	printf("  %s  %s  uid=%u  ", show_size((uint64_t)f->st.st_size, size),
	    show_age(ms > 0 ? (uint64_t)ms : 0, age), (unsigned)f->st.st_uid);
	if (f->why != NULL) {
		printf("left: %s\n", f->why);
		return;
	}
	if (strcmp(f->state, "waiting") != 0) {
		puts("is being written");
		return;
	}
	show_sender(stdout, f->d.sender);
	printf("  %u recipient%s\n", f->d.rcpt_cnt,
	    f->d.rcpt_cnt == 1 ? "" : "s");
}

static enum run_end
list_one(struct dropping *d, const char *name)
{
	struct file f = { .name = name };
	char *front = NULL;

	if (fstatat(d->dir_fd, name, &f.st, AT_SYMLINK_NOFOLLOW) == -1)
		return END_DONE;	/* taken meanwhile */
	look_at(d, &f, &front);
	if (d->run->json)
		print_json(&f);
	else
		print(&f);
	free(front);
	d->cnt++;
	return END_DONE;
}

static enum run_end
done_with(struct dropping *d, const char *name, bool ok, const char *past)
{
	if (!ok) {
		run_complain("%s/%s: %s", d->path, name, strerror(errno));
		return END_NOTHING;
	}
	d->cnt++;
	if (d->run->json) {
		struct json j = { .out = stdout };

		json_open(&j, NULL, '{');
		json_text(&j, "file", span_of(name));
		json_text(&j, "action", span_of(past));
		json_close(&j, '}');
		return END_DONE;
	}
	show_text(stdout, span_of(name));
	printf("  %s\n", past);
	return END_DONE;
}

static enum run_end
retry_one(struct dropping *d, const char *name)
{
	return done_with(d, name, utimensat(d->dir_fd, name, NULL,
	    AT_SYMLINK_NOFOLLOW) == 0, "is tried again");
}

static enum run_end
remove_one(struct dropping *d, const char *name)
{
	return done_with(d, name, unlinkat(d->dir_fd, name, 0) == 0,
	    "removed");
}

static enum run_end
each_there(struct dropping *d, each_fn *fn)
{
	int fd = openat(d->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	enum run_end end = END_DONE;
	const struct dirent *entry;

	if (dir == NULL) {
		run_complain("%s: %s", d->path, strerror(errno));
		if (fd != -1)
			close(fd);
		return END_NOTHING;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    fn(d, entry->d_name) != END_DONE)
			end = END_NOTHING;
	closedir(dir);
	return end;
}

static enum run_end
each_named(struct dropping *d, each_fn *fn)
{
	enum run_end end = END_DONE;

	for (int i = 0; i < d->run->arg_cnt; i++) {
		const char *name = d->run->args[i];

		if (strchr(name, '/') != NULL || name[0] == '\0' ||
		    strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
			run_complain("\"%s\" is no name of a file in %s",
			    name, d->path);
			end = END_USAGE;
		} else if (fn(d, name) != END_DONE) {
			end = END_NOTHING;
		}
	}
	return end;
}

static enum run_end
for_each(struct run *r, each_fn *fn, bool all)
{
	struct dropping d = { .run = r };
	enum run_end end = open_dir(&d);

	if (end != END_DONE)
		return end;
	end = all ? each_there(&d, fn) : each_named(&d, fn);
	close(d.dir_fd);
	if (all && end == END_DONE && d.cnt == 0 && !r->json)
		printf("%s holds nothing.\n", d.path);
	return end;
}

enum run_end
cmd_drop_list(struct run *r)
{
	return for_each(r, list_one, r->arg_cnt == 0);
}

enum run_end
cmd_drop_retry(struct run *r)
{
	if (r->arg_cnt == 0 && (r->select.given & 1u << SELECT_ALL) == 0) {
		run_complain("drop retry: which files?  Names, or --all");
		return END_USAGE;
	}
	return for_each(r, retry_one,
	    (r->select.given & 1u << SELECT_ALL) != 0);
}

enum run_end
cmd_drop_remove(struct run *r)
{
	if (r->arg_cnt == 0) {
		run_complain("drop remove: which files?");
		return END_USAGE;
	}
	return for_each(r, remove_one, false);
}
