/*
 * box.c - where it is, and then the calls of the form it has.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "relay/local/box.h"
#include "relay/maildir/maildir_open.h"

struct writer {
	char		*buf;
	size_t		 len;
	bool		 bad;
};

static void
put(struct writer *w, struct span s)
{
	if (s.len >= BOX_PATH_MAX - w->len) {
		w->bad = true;
		return;
	}
	memcpy(w->buf + w->len, s.ptr, s.len);
	w->len += s.len;
	w->buf[w->len] = '\0';
}

static void
fill(struct writer *w, struct span template, struct span user)
{
	while (template.len > 0) {
		size_t run = span_find(template, '{');

		put(w, span_head(template, run));
		template = span_tail(template, run);
		if (span_begins(template, SPAN("{user}"))) {
			put(w, user);
			template = span_tail(template, 6);
		} else if (template.len > 0) {
			put(w, span_head(template, 1));
			template = span_tail(template, 1);
		}
	}
}

/* The directory before the part with the first brace, or the last part. */
static size_t
head_len(struct span path)
{
	size_t end = span_find(path, '{');

	if (end == path.len)
		while (end > 0 && path.ptr[end - 1] == '/')
			end--;
	while (end > 0 && path.ptr[end - 1] != '/')
		end--;
	return end;
}

bool
box_name(struct box *b, struct span path, struct span hostname,
    const struct who *who)
{
	struct writer root = { b->root, 0, false };
	struct writer rest = { b->path, 0, false };
	size_t head;

	memset(b, 0, offsetof(struct box, root));
	b->root[0] = b->path[0] = '\0';
	b->hostname = hostname;
	b->root_fd = b->dir_fd = -1;
	b->is_maildir = path.len > 0 && path.ptr[path.len - 1] == '/';
	if ((b->is_home = span_begins(path, SPAN("~/")))) {
		put(&root, span_of(who->home));
		head = 2;
	} else {
		head = head_len(path);
		put(&root, span_head(path, head));
	}
	b->wants_group = !b->is_home && !b->is_maildir;
	path = span_tail(path, head);
	while (path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	fill(&rest, path, span_of(who->name));
	snprintf(b->name, sizeof(b->name), "%s%s%s", b->root,
	    b->is_home ? "/" : "", b->path);
	return !root.bad && !rest.bad && b->root[0] == '/' &&
	    (rest.len > 0 || b->is_maildir);
}

bool
box_reach(struct box *b)
{
	const char *slash = strrchr(b->path, '/');
	char dir[BOX_PATH_MAX] = ".";

	b->root_fd = open(b->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->root_fd == -1 || b->is_maildir)
		return b->root_fd != -1;
	b->file = slash == NULL ? b->path : slash + 1;
	if (slash != NULL)
		(void)span_cstr((struct span){ b->path,
		    (size_t)(slash - b->path) }, dir, sizeof(dir));
	b->dir_fd = maildir_open(b->root_fd, dir, O_RDONLY | O_DIRECTORY, 0);
	return b->dir_fd != -1;
}

enum err
box_open(struct box *b, int patience_ms, bool (*wait)(int ms))
{
	enum err e;

	if (b->is_maildir)
		return maildir_file_create(&b->maildir, b->root_fd, b->path,
		    b->hostname, NULL);
	b->place = (struct mbox_place){ b->dir_fd, b->file, geteuid(),
	    patience_ms, wait };
	e = mbox_open(&b->mbox, &b->place);
	b->is_locked = e == ERR_AGAIN;
	return e;
}

enum err
box_envelope(struct box *b, struct span sender, struct span rcpt)
{
	return b->is_maildir ?
	    maildir_file_envelope(&b->maildir, sender, rcpt) :
	    mbox_envelope(&b->mbox, sender, rcpt);
}

/* A Maildir's takes a piece at most. */
enum err
box_text(struct box *b, struct span s)
{
	enum err e = OK;
	size_t part;

	if (!b->is_maildir)
		return mbox_text(&b->mbox, s);
	for (; e == OK && s.len > 0; s = span_tail(s, part)) {
		part = s.len < PIECE_MAX ? s.len : PIECE_MAX;
		e = maildir_file_text(&b->maildir, span_head(s, part));
	}
	return e;
}

enum err
box_commit(struct box *b)
{
	return b->is_maildir ? maildir_file_commit(&b->maildir) :
	    mbox_commit(&b->mbox);
}

void
box_abort(struct box *b)
{
	if (b->is_maildir)
		maildir_file_abort(&b->maildir);
	else
		mbox_abort(&b->mbox);
}

const char *
box_where(const struct box *b)
{
	return b->is_maildir ? b->maildir.name + sizeof("tmp/") - 1 : "";
}
