/*
 * folder.c - a file is what stat(2) said of it when it was opened.  What was
 * made of a directory is sealed, and is its bytes.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "master/folder.h"
#include "master/plan.h"
#include "master/shortage.h"

struct file {
	struct plan_file row;
	struct stat	 st;
	int		 fd;
};

struct folder {
	unsigned	 cnt;
	struct file	 all[];
};

static enum err
complain(const char *path, const char *why, int error)
{
	char words[SHORTAGE_MAX];
	struct log_line l;

	log_begin(&l, LOG_trouble);
	log_text(&l, LOG_KEY_why, why);
	log_text(&l, LOG_KEY_file, path);
	if (error != 0)
		log_text(&l, LOG_KEY_reply, shortage_text(error, words));
	log_end(&l);
	return ERR_SYS;
}

static enum err
take_made(struct file *f, int made_fd)
{
	if ((f->fd = fcntl(made_fd, F_DUPFD_CLOEXEC, 3)) == -1 ||
	    fstat(f->fd, &f->st) == -1)
		return complain(f->row.path, "cannot keep what is there",
		    errno);
	return OK;
}

/* made_fd: of a row that is made. */
static enum err
open_one(struct file *f, const struct plan_file *row, int made_fd)
{
	f->row = *row;
	if (row->is_made)
		return take_made(f, made_fd);
	/* A FIFO must not stop us, nor a terminal become ours. */
	f->fd = open(row->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (f->fd == -1 || fstat(f->fd, &f->st) == -1)
		return complain(row->path, "cannot open a file", errno);
	if (!S_ISREG(f->st.st_mode))
		return complain(row->path, "not a regular file", 0);
	if (row->is_secret && (f->st.st_mode & (S_IRWXO)) != 0)
		return complain(row->path, "others have access to a "
		    "secret file", 0);
	return OK;
}

static struct folder *
make(unsigned cnt)
{
	struct folder *f = calloc(1, sizeof(*f) + cnt * sizeof(f->all[0]));

	if (f == NULL)
		return NULL;
	f->cnt = cnt;
	for (unsigned i = 0; i < cnt; i++)
		f->all[i].fd = -1;
	return f;
}

enum err
folder_open(struct folder **out, const struct plan_file *rows, unsigned cnt)
{
	struct folder *f = make(cnt);
	enum err e = f == NULL ? ERR_SYS : OK;

	for (unsigned i = 0; i < cnt && e == OK; i++)
		e = open_one(&f->all[i], &rows[i], rows[i].fd);
	if (e == OK)
		*out = f;
	else
		folder_close(&f);
	return e;
}

enum err
folder_open_again(struct folder **out, const struct folder *old)
{
	struct folder *f = make(old->cnt);
	enum err e = f == NULL ? ERR_SYS : OK;

	for (unsigned i = 0; i < old->cnt && e == OK; i++)
		e = open_one(&f->all[i], &old->all[i].row,
		    old->all[i].fd);
	if (e == OK)
		*out = f;
	else
		folder_close(&f);
	return e;
}

void
folder_close(struct folder **fp)
{
	struct folder *f = *fp;

	*fp = NULL;
	if (f == NULL)
		return;
	for (unsigned i = 0; i < f->cnt; i++)
		if (f->all[i].fd != -1)
			close(f->all[i].fd);
	free(f);
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
is_same_file(const struct file *a, const struct file *b)
{
	if (strcmp(a->row.path, b->row.path) != 0 ||
	    a->row.is_secret != b->row.is_secret ||
	    a->row.is_made != b->row.is_made)
		return false;
	if (a->row.is_made)
		return plan_same_slice(a->fd, b->fd);
	return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino &&
	    a->st.st_size == b->st.st_size &&
	    is_same_time(&a->st.st_mtim, &b->st.st_mtim) &&
	    is_same_time(&a->st.st_ctim, &b->st.st_ctim);
}

bool
folder_same(const struct folder *a, const struct folder *b)
{
	if (a->cnt != b->cnt)
		return false;
	for (unsigned i = 0; i < a->cnt; i++)
		if (!is_same_file(&a->all[i], &b->all[i]))
			return false;
	return true;
}

void
folder_send(const struct folder *f, struct link *l)
{
	for (unsigned i = 0; i < f->cnt; i++) {
		/* A former life may have read it to its end. */
		(void)lseek(f->all[i].fd, 0, SEEK_SET);
		(void)link_send_slice_file(l,	/* gone() tells */
		    &(struct msg_slice_file){ (uint16_t)i }, f->all[i].fd);
	}
}
