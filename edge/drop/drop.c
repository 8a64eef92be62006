/*
 * drop.c - in rounds: the directory is read bit by bit, then what was found is
 * carried, some files at a time.  The next round begins when all of one is done
 * with, so that nothing is found twice.
 */
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "edge/client/client_address.h"
#include "edge/drop/carry.h"
#include "edge/drop/drop.h"
#include "edge/drop/found.h"
#include "edge/drop/front.h"
#include "edge/drop/leftovers.h"
#include "edge/edge.h"
#include "sys/clock.h"
#include "sys/counters.h"
#include "sys/dropdir.h"

#define CARRIED_MAX	16		/* files at a time		*/
#define ENTRIES_A_TURN	256		/* of the directory		*/
#define ROUND_MS	1000		/* between two rounds		*/
#define AGAIN_MS	60000		/* between looks at what waits	*/
#define WAIT_MAX_MS	900000		/* of a file, between two tries	*/
#define LINES_MAX	100		/* lines about files, a round	*/
#define STALE_MS	(36 * 3600000ll) /* under way and left for good	*/

struct slot {
	struct drop	*drop;
	struct carry	*carry;		/* NULL: free			*/
	struct stat	 st;
	unsigned	 link_no;	/* of the queue when it began	*/
	char		 name[FOUND_NAME_MAX + 1];
};

struct drop {
	struct edge	*edge;
	int		 watch_fd, dir_fd;
	struct ev	 watch;
	struct timer	 step;		/* the round goes on		*/
	struct timer	 again;
	struct stat	 dir;
	DIR		*reading;	/* NULL: not now		*/
	struct found	 found;
	struct leftovers leftovers;
	struct slot	 slots[CARRIED_MAX];
	unsigned	 carried_cnt;	/* at the moment		*/
	unsigned	 waiting_cnt, odd_cnt;	/* this round		*/
	unsigned	 line_cnt, postponed_cnt;
	unsigned	 done_cnt;	/* the same, for good		*/
	unsigned	 link_no;	/* one more with each link	*/
	bool		 has_more;	/* than could be kept in mind	*/
	bool		 is_wanted;	/* another round		*/
	bool		 has_ended;
	int64_t		 round_ms;	/* when this one began		*/
};

static void	step_on(struct drop *);

static void
tell(enum log_event event, const char *name, const struct stat *st,
    const char *why, int64_t next_ms)
{
	struct client_address owner =
	    client_address_user((uint32_t)st->st_uid);
	char text[CLIENT_ADDRESS_TEXT];
	struct log_line l;

	client_address_text(&owner, text);
	log_begin(&l, event);
	log_text(&l, LOG_KEY_file, name);
	log_text(&l, LOG_KEY_client, text);
	log_num(&l, LOG_KEY_size, st->st_size);
	if (next_ms >= 0)
		log_num(&l, LOG_KEY_next, next_ms / 1000);
	if (why != NULL)
		log_text(&l, LOG_KEY_why, why);
	log_end(&l);
}

/* It stays where it is. */
static void
leave(struct drop *d, const char *name, const struct stat *st,
    const char *why)
{
	struct leftover *f = leftovers_add(&d->leftovers, st);

	d->odd_cnt++;
	counter_set(COUNTER_odd, d->odd_cnt);
	if (f == NULL)
		return;
	f->due_ms = LEFTOVERS_ODD;
	d->done_cnt++;
	if (d->line_cnt++ < LINES_MAX)
		tell(LOG_left, name, st, why, -1);
	else if (d->line_cnt == LINES_MAX + 1)
		log_why(LOG_left, "and more; status counts them as odd", 0);
}

/* Whoever has taken its place meanwhile is not touched. */
static void
remove_file(struct drop *d, const char *name, const struct stat *st)
{
	struct leftover *f;
	struct stat now;

	if (fstatat(d->dir_fd, name, &now, AT_SYMLINK_NOFOLLOW) == -1 ||
	    now.st_ino != st->st_ino || now.st_dev != st->st_dev)
		return;
	if (unlinkat(d->dir_fd, name, 0) == 0)
		return;
	log_why(LOG_trouble, "cannot remove a file of the drop directory, "
	    "which is in the queue", errno);
	if ((f = leftovers_add(&d->leftovers, &now)) != NULL)
		f->due_ms = LEFTOVERS_ODD;
}

/* Not now: the more often it was so, the longer it waits. */
static void
postpone(struct drop *d, const struct slot *s, const char *why)
{
	struct leftover *f = leftovers_add(&d->leftovers, &s->st);
	int64_t wait = AGAIN_MS;

	if (f != NULL) {
		for (unsigned i = 0; i < f->tries && wait < WAIT_MAX_MS; i++)
			wait *= 2;
		if (wait > WAIT_MAX_MS)
			wait = WAIT_MAX_MS;
		f->tries++;
		/* What it was told may be of a queue that is no more. */
		f->due_ms = s->link_no != d->link_no ? 0 :
		    ev_now_ms(d->edge->loop) + wait;
		d->done_cnt++;
	}
	if (d->postponed_cnt++ < LINES_MAX)
		tell(LOG_postponed, s->name, &s->st, why, wait);
	else if (d->postponed_cnt == LINES_MAX + 1)
		log_why(LOG_postponed, "and more, likewise", 0);
}

static void
carried(enum carry_end end, const char *why, void *arg)
{
	struct slot *s = arg;
	struct drop *d = s->drop;

	if (end == CARRY_KEPT) {
		remove_file(d, s->name, &s->st);
		d->done_cnt++;
		d->waiting_cnt--;
		counter_add(COUNTER_picked, 1);
		counter_set(COUNTER_waiting, d->waiting_cnt);
		tell(LOG_picked, s->name, &s->st, NULL, -1);
	} else if (end == CARRY_NEVER) {
		d->waiting_cnt--;
		leave(d, s->name, &s->st, why);
	} else {
		postpone(d, s, why);
	}
	carry_close(&s->carry);		/* why is its */
	d->carried_cnt--;
	step_on(d);
}

static struct slot *
free_slot(struct drop *d)
{
	for (unsigned i = 0; i < CARRIED_MAX; i++)
		if (d->slots[i].carry == NULL)
			return &d->slots[i];
	return NULL;
}

static void
carry(struct drop *d, const char *name, struct carry_file *file)
{
	const struct leftover *f = leftovers_find(&d->leftovers, &file->st);
	struct slot *s = free_slot(d);

	s->drop = d;
	s->link_no = d->link_no;
	s->st = file->st;
	(void)strlcpy(s->name, name, sizeof(s->name));
	file->once = front_once(name, &file->st);
	file->tries = f != NULL ? f->tries : 0;
	if (carry_open(&s->carry, d->edge, file, carried, s) == OK)
		d->carried_cnt++;
}

/* Somebody else of us may have it, or have had it until now. */
static bool
is_ours(const struct drop *d, const char *name, const struct carry_file *file)
{
	struct stat now;

	return flock(file->fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstatat(d->dir_fd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	    now.st_ino == file->st.st_ino && now.st_dev == file->st.st_dev;
}

static void
take(struct drop *d, const char *name)
{
	struct carry_file file = { .front = NULL };
	const char *why = NULL;
	enum err e;

	e = dropdir_open(&file.fd, &file.st, d->dir_fd, &d->dir, name, &why);
	if (e == ERR_PEER) {
		d->waiting_cnt--;
		leave(d, name, &file.st, why);
	}
	if (e != OK)
		return;
	e = is_ours(d, name, &file) ? front_read(&file, &why) : ERR_NONE;
	if (e == OK) {
		carry(d, name, &file);
		return;
	}
	if (e == ERR_PEER || e == ERR_FULL) {
		d->waiting_cnt--;
		leave(d, name, &file.st, why);
	}
	free(file.front);
	close(file.fd);
}

static bool
begins(const char *name, const char *head)
{
	return strncmp(name, head, strlen(head)) == 0;
}

/* What is due before the next look but one is due now. */
static bool
is_due(const struct drop *d, const struct leftover *f)
{
	return f->due_ms != LEFTOVERS_ODD &&
	    f->due_ms <= ev_now_ms(d->edge->loop) + AGAIN_MS / 2;
}

static void
look_at(struct drop *d, const char *name)
{
	struct leftover *f;
	struct stat st;

	if (fstatat(d->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	if (begins(name, DROPPED_UNDER_WAY) && S_ISREG(st.st_mode)) {
		/* Nobody was told that it is kept. */
		if (clock_wall_ms() - (int64_t)st.st_mtim.tv_sec * 1000 >
		    STALE_MS)
			(void)unlinkat(d->dir_fd, name, 0);
		return;
	}
	f = leftovers_find(&d->leftovers, &st);
	if (f != NULL && !is_due(d, f)) {
		if (f->due_ms == LEFTOVERS_ODD)
			d->odd_cnt++;
		else
			d->waiting_cnt++;
		return;
	}
	if (!begins(name, DROPPED_DONE)) {
		leave(d, name, &st, "its name is not one of sendmail(1)");
		return;
	}
	d->waiting_cnt++;
	if (found_add(&d->found, (uint32_t)st.st_uid, name) != OK)
		d->has_more = true;
}

/* Some of the directory; false at its end. */
static bool
read_some(struct drop *d)
{
	const struct dirent *entry;

	for (int i = 0; i < ENTRIES_A_TURN; i++) {
		if ((entry = readdir(d->reading)) == NULL)
			return false;
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			look_at(d, entry->d_name);
	}
	return true;
}

static void
begin_round(struct drop *d)
{
	int fd = openat(d->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	d->is_wanted = d->has_more = false;
	d->round_ms = ev_now_ms(d->edge->loop);
	d->waiting_cnt = d->odd_cnt = d->line_cnt = 0;
	d->postponed_cnt = d->done_cnt = 0;
	if (fd != -1 && (d->reading = fdopendir(fd)) != NULL)
		return;
	log_why(LOG_trouble, "cannot read the drop directory", errno);
	if (fd != -1)
		close(fd);
}

static void
end_reading(struct drop *d)
{
	closedir(d->reading);
	d->reading = NULL;
	counter_set(COUNTER_waiting, d->waiting_cnt);
	counter_set(COUNTER_odd, d->odd_cnt);
	leftovers_end_round(&d->leftovers);
}

/* As much as may be on its way. */
static void
carry_some(struct drop *d)
{
	char name[FOUND_NAME_MAX + 1];

	while (d->carried_cnt < CARRIED_MAX && !d->has_ended &&
	    d->edge->queue != NULL && found_take(&d->found, name) == OK)
		take(d, name);
	if (d->has_ended || d->edge->queue == NULL)
		found_clear(&d->found);
}

/* The next round, if it is wanted and this one is over. */
static void
next_round(struct drop *d)
{
	int64_t wait = d->round_ms + ROUND_MS - ev_now_ms(d->edge->loop);

	if (d->has_more && d->done_cnt > 0)
		d->is_wanted = true;
	if (!d->is_wanted || d->has_ended || d->edge->queue == NULL ||
	    d->dir_fd == -1)
		return;
	if (d->round_ms != 0 && wait > 0) {
		timer_set(&d->step, wait);
		return;
	}
	begin_round(d);
	if (d->reading != NULL)
		timer_set(&d->step, 0);
}

static void
step_on(struct drop *d)
{
	if (d->reading != NULL) {
		timer_set(&d->step, 0);
		return;
	}
	carry_some(d);
	if (d->carried_cnt == 0 && d->found.cnt == 0)
		next_round(d);
}

static void
step(struct timer *timer, void *arg)
{
	struct drop *d = arg;

	if (d->reading != NULL && !read_some(d))
		end_reading(d);
	step_on(d);
}

static void
look(struct drop *d)
{
	d->is_wanted = true;
	if (d->reading == NULL && d->carried_cnt == 0 && d->found.cnt == 0)
		step_on(d);
}

static void
look_again(struct timer *timer, void *arg)
{
	timer_set(timer, AGAIN_MS);
	look(arg);
}

/* Something is new; what, is seen by looking. */
static void
on_news(struct ev *ev, unsigned what, void *arg)
{
	char events[4096];

	while (read(ev->fd, events, sizeof(events)) > 0)
		;
	look(arg);
}

void
drop_look(struct drop *d)
{
	d->link_no++;
	leftovers_hurry(&d->leftovers);
	look(d);
}

void
drop_end(struct drop *d)
{
	d->has_ended = true;
	found_clear(&d->found);
}

enum err
drop_new(struct drop **out, struct edge *edge, const char *path)
{
	struct drop *d = calloc(1, sizeof(*d));
	enum err e = OK;

	if (d == NULL)
		return ERR_FULL;
	d->edge = edge;
	d->dir_fd = -1;
	found_init(&d->found);
	timer_init(&d->step, edge->loop, step, d);
	timer_init(&d->again, edge->loop, look_again, d);
	timer_set(&d->again, AGAIN_MS);
	d->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (d->watch_fd == -1 || inotify_add_watch(d->watch_fd, path,
	    IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR) == -1)
		e = ERR_SYS;
	if (e == OK)
		e = ev_init(&d->watch, edge->loop, d->watch_fd, EV_READ,
		    on_news, d);
	if (e == OK)
		*out = d;
	else
		drop_free(&d);
	return e;
}

enum err
drop_open(struct drop *d, const char *path)
{
	const char *fault;

	d->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir_fd == -1 || fstat(d->dir_fd, &d->dir) == -1)
		return ERR_SYS;
	if ((fault = dropdir_fault(&d->dir)) != NULL)
		log_why(LOG_trouble, fault, 0);
	look(d);
	return OK;
}

void
drop_free(struct drop **dp)
{
	struct drop *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	for (unsigned i = 0; i < CARRIED_MAX; i++)
		carry_close(&d->slots[i].carry);
	if (d->reading != NULL)
		closedir(d->reading);
	found_clear(&d->found);
	leftovers_free(&d->leftovers);
	ev_fini(&d->watch);
	timer_stop(&d->step);
	timer_stop(&d->again);
	if (d->watch_fd != -1)
		close(d->watch_fd);
	if (d->dir_fd != -1)
		close(d->dir_fd);
	free(d);
}
