/*
 * listen.c - several workers share an address by SO_REUSEPORT, a socket each;
 * the kernel then spreads connections.  That option would also let a stranger
 * under our user in, and hide that the port is taken: so the first socket of
 * an address is bound without it, and gets it only when a second one comes.
 *
 * A unix socket is one file and so one socket for all workers.
 *
 * A socket that the service manager has kept for us is bound and listens.
 *
 * Where a host has no IPv6, :: and ::1 are nobody's address: that listener has
 * no socket (fd -1) and is passed over, as long as its edge has another.
 */
#include <sys/stat.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "master/address.h"
#include "master/holder.h"
#include "master/kept.h"
#include "master/listen.h"

struct listener {
	TAILQ_ENTRY(listener) entry;
	struct plan_listener where;
	const char	*block, *place;	/* while it is made		*/
	uint16_t	 worker;
	uint32_t	 made, wanted;		/* generations */
	int		 fd;
	dev_t		 dev;			/* of a unix socket's file */
	ino_t		 ino;
};

static enum err
complain(const struct plan_listener *w, const char *block, const char *place,
    const char *why)
{
	char text[INET6_ADDRSTRLEN] = "?", words[HOLDER_TEXT];
	struct log_line l;
	int error = errno;

	log_begin(&l, LOG_trouble);
	log_text(&l, LOG_KEY_why, why);
	log_text(&l, LOG_KEY_block, block);
	if (place[0] != '\0')
		log_text(&l, LOG_KEY_place, place);
	if (w->family == 1)
		log_text(&l, LOG_KEY_file, w->path);
	else {
		(void)inet_ntop(w->family == 4 ? AF_INET : AF_INET6,
		    w->address, text, sizeof(text));
		log_text(&l, LOG_KEY_interface, text);
		log_num(&l, LOG_KEY_port, w->port);
	}
	log_text(&l, LOG_KEY_reply, holder_text(error, w->port, words));
	log_end(&l);
	errno = error;
	return ERR_SYS;
}

static enum err
complain_of(const struct listener *l, const char *why)
{
	return complain(&l->where, l->block, l->place, why);
}

static socklen_t
fill_address(union address *a, const struct plan_listener *w)
{
	return address_fill(a, w->family, w->address, w->port, w->path);
}

static bool
is_same_place(const struct plan_listener *a, const struct plan_listener *b)
{
	if (a->family == 1)
		return b->family == 1 && a->is_packets == b->is_packets &&
		    strcmp(a->path, b->path) == 0;
	return a->family == b->family && a->port == b->port &&
	    memcmp(a->address, b->address, a->family == 4 ? 4 : 16) == 0;
}

static struct listener *
find(struct listeners *all, const struct plan_listener *w, uint16_t worker)
{
	struct listener *l;

	TAILQ_FOREACH(l, all, entry)
		if ((w->family == 1 || l->worker == worker) &&
		    is_same_place(&l->where, w))
			return l;
	return NULL;
}

/* Let others of ours bind here too; false when nobody of ours is here. */
static bool
share_place(struct listeners *all, const struct plan_listener *w)
{
	const int on = 1;
	struct listener *l;
	bool is_ours = false;

	TAILQ_FOREACH(l, all, entry)
		if (is_same_place(&l->where, w) && l->fd != -1 &&
		    setsockopt(l->fd, SOL_SOCKET, SO_REUSEPORT, &on,
		    sizeof(on)) == 0)
			is_ours = true;
	return is_ours;
}

static bool
is_all_or_self(const uint8_t address[16])
{
	for (unsigned i = 0; i < 15; i++)
		if (address[i] != 0)
			return false;
	return address[15] <= 1;
}

/* Told, and no mistake: the same configuration is right on other hosts. */
static bool
is_without_ipv6(const struct plan_listener *w, int error)
{
	struct log_line l;

	if (w->family != 6 || !is_all_or_self(w->address) ||
	    (error != EAFNOSUPPORT && error != EADDRNOTAVAIL))
		return false;
	log_begin(&l, LOG_passed_over);
	log_text(&l, LOG_KEY_why, "this host has no IPv6");
	log_text(&l, LOG_KEY_interface, w->address[15] == 0 ? "::" : "::1");
	log_num(&l, LOG_KEY_port, w->port);
	log_end(&l);
	return true;
}

static enum err
bind_address(const struct listener *l, bool is_shared)
{
	const struct plan_listener *w = &l->where;
	const int on = 1;
	union address a;
	socklen_t len = fill_address(&a, w);

	if (setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
		return complain_of(l, "cannot set up a socket");
	if (is_shared && setsockopt(l->fd, SOL_SOCKET, SO_REUSEPORT, &on,
	    sizeof(on)) == -1)
		return complain_of(l, "cannot share a port");
	if (w->family == 6 && setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
	    sizeof(on)) == -1)
		return complain_of(l, "cannot set up a socket");
	if (bind(l->fd, &a.any, len) == -1)
		return is_without_ipv6(w, errno) ? ERR_NONE :
		    complain_of(l, "cannot take an address and port");
	return OK;
}

static int
type_of(const struct plan_listener *w)
{
	return (w->is_packets ? SOCK_SEQPACKET : SOCK_STREAM) |
	    SOCK_CLOEXEC | SOCK_NONBLOCK;
}

/*
 * The file of a socket whose process was killed is in the way of the next
 * one: a connection is refused then, and only then.
 */
static bool
is_left_behind(const struct plan_listener *w)
{
	union address a;
	socklen_t len = fill_address(&a, w);
	bool is_refused;
	struct stat st;
	int fd;

	if (lstat(w->path, &st) == -1 || !S_ISSOCK(st.st_mode) ||
	    (fd = socket(AF_UNIX, type_of(w), 0)) == -1)
		return false;
	is_refused = connect(fd, &a.any, len) == -1 && errno == ECONNREFUSED;
	close(fd);
	return is_refused;
}

/* Not a moment with other rights than those it is to have. */
static enum err
bind_path(struct listener *l)
{
	const struct plan_listener *w = &l->where;
	union address a;
	socklen_t len = fill_address(&a, w);
	mode_t was = umask(0);
	struct stat st;
	int rc = fchmod(l->fd, 0666);

	if (rc == 0)
		rc = bind(l->fd, &a.any, len);
	if (rc == -1 && errno == EADDRINUSE) {
		if (is_left_behind(w) && unlink(w->path) == 0)
			rc = bind(l->fd, &a.any, len);
		else
			errno = EADDRINUSE;
	}
	umask(was);
	if (rc == -1 || lstat(w->path, &st) == -1)
		return complain_of(l, "cannot make a unix socket");
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return OK;
}

/* Its file, unless another has taken its place. */
static void
drop_path(const struct listener *l)
{
	struct stat st;

	if (l->where.family == 1 && l->ino != 0 &&
	    lstat(l->where.path, &st) == 0 && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		(void)unlink(l->where.path);
}

static enum err
bind_and_listen(struct listener *l, struct listeners *all)
{
	const struct plan_listener *w = &l->where;
	enum err e = w->family == 1 ? bind_path(l) :
	    bind_address(l, share_place(all, w));

	if (e == OK && listen(l->fd, (int)w->backlog) == -1) {
		e = complain_of(l, "cannot listen");
		drop_path(l);
	}
	return e;
}

static enum err
open_socket(struct listener *l, struct listeners *all)
{
	static const int families[] = { [1] = AF_UNIX, [4] = AF_INET,
	    [6] = AF_INET6 };
	const struct plan_listener *w = &l->where;
	enum err e;

	l->fd = kept_find(w, l->worker);
	if (l->fd != -1 && listen(l->fd, (int)w->backlog) == 0)
		return OK;
	if (l->fd != -1)
		close(l->fd);
	l->fd = socket(families[w->family], type_of(w), 0);
	if (l->fd == -1)
		return is_without_ipv6(w, errno) ? ERR_NONE :
		    complain_of(l, "cannot make a socket");
	if ((e = bind_and_listen(l, all)) != OK) {
		close(l->fd);
		l->fd = -1;
		return e;
	}
	kept_add(w, l->worker, l->fd);
	return OK;
}

static enum err
make(struct listeners *all, const struct plan_listener *w,
    const struct plan_process *row, uint32_t generation)
{
	struct listener *l = calloc(1, sizeof(*l));
	enum err e;

	if (l == NULL)
		return ERR_SYS;
	l->where = *w;
	l->worker = row->worker;
	l->block = row->block;
	l->place = row->places[w - row->listeners];
	l->made = l->wanted = generation;
	if ((e = open_socket(l, all)) != OK && e != ERR_NONE) {
		free(l);
		return e;
	}
	l->block = l->place = NULL;
	TAILQ_INSERT_TAIL(all, l, entry);
	return OK;
}

/* One that nobody can reach is worse than none. */
static enum err
need_one(struct listeners *all, const struct plan_process *row)
{
	for (unsigned i = 0; i < row->listener_cnt; i++)
		if (listen_find(all, row, i) != -1)
			return OK;
	if (row->listener_cnt == 0)
		return OK;
	errno = EADDRNOTAVAIL;
	return complain(&row->listeners[0], row->block, row->places[0],
	    "cannot take an address and port");
}

enum err
listen_want(struct listeners *all, const struct plan_process *row,
    uint32_t generation)
{
	for (unsigned i = 0; i < row->listener_cnt; i++) {
		const struct plan_listener *w = &row->listeners[i];
		struct listener *l = find(all, w, row->worker);
		enum err e;

		if (l == NULL) {
			if ((e = make(all, w, row, generation)) != OK)
				return e;
			continue;
		}
		l->wanted = generation;
		if (l->fd != -1 && l->where.backlog != w->backlog &&
		    listen(l->fd, (int)w->backlog) == 0)
			l->where.backlog = w->backlog;
	}
	return need_one(all, row);
}

static void
drop(struct listeners *all, struct listener *l)
{
	TAILQ_REMOVE(all, l, entry);
	drop_path(l);
	if (l->fd != -1)
		close(l->fd);
	free(l);
}

void
listen_close(struct listeners *all)
{
	struct listener *l;

	while ((l = TAILQ_FIRST(all)) != NULL)
		drop(all, l);
}

/* Not at our own end: what is kept is kept for the next start. */
static void
drop_for_good(struct listeners *all, struct listener *l)
{
	kept_remove(&l->where, l->worker);
	drop(all, l);
}

void
listen_sweep(struct listeners *all, uint32_t generation)
{
	struct listener *l, *next;

	TAILQ_FOREACH_SAFE(l, all, entry, next)
		if (l->wanted != generation)
			drop_for_good(all, l);
}

void
listen_undo(struct listeners *all, uint32_t generation)
{
	struct listener *l, *next;

	TAILQ_FOREACH_SAFE(l, all, entry, next)
		if (l->made == generation)
			drop_for_good(all, l);
}

int
listen_find(struct listeners *all, const struct plan_process *row,
    unsigned index)
{
	const struct listener *l = find(all, &row->listeners[index],
	    row->worker);

	return l == NULL ? -1 : l->fd;
}

bool
listen_passed_over(struct listeners *all, const struct plan_process *row,
    unsigned index)
{
	const struct listener *l = find(all, &row->listeners[index],
	    row->worker);

	return l != NULL && l->fd == -1;
}
