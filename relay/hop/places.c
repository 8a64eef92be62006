/*
 * places.c - the hosts, their places and their line.
 *
 * Where a mark stands: one bit tells a place from a number in the line, 32 bits
 * are of the host's number, 30 the place or the number in its line.  Hosts that
 * have those 32 in common share their places, which nobody can bring about who
 * does not know the number in the file of marks.
 *
 * A host is made when it is asked for and freed in serve(), at the end of a
 * turn, so that no call ever sees it vanish.
 */
#include <sys/tree.h>

#include <stdlib.h>

#include "base/log.h"
#include "relay/mx/mx_number.h"
#include "relay/hop/places.h"
#include "sys/marks.h"

#define KIND_LINE	((uint64_t)1 << 62)
#define HOST_BITS	30
#define LINE_END	((uint64_t)1 << HOST_BITS)
#define NO_NUMBER	UINT64_MAX

#define PROBES_MAX	64	/* places tried at one look		*/
#define STEPS_MAX	256	/* numbers of others passed in one look	*/
#define PAUSE_MIN_MS	8	/* between two looks of one who waits	*/
#define PAUSE_MAX_MS	96

TAILQ_HEAD(place_list, place);

struct place_host {
	RB_ENTRY(place_host) entry;
	struct places	*home;
	uint64_t	 host;		/* its number			*/
	uint64_t	 base;		/* of its marks			*/
	struct place_list held, waiting; /* both in the order of coming	*/
	unsigned	 held_cnt;
	unsigned	 next;		/* place to try first		*/
	uint64_t	 number;	/* in the line, or NO_NUMBER	*/
	int64_t		 pause_ms;
	int64_t		 pressed_ms;	/* when one was told to go	*/
	struct timer	 again;
	struct later	 serve;
	uint8_t		 ours[];	/* places, a bit each		*/
};

RB_HEAD(host_tree, place_host);

struct places {
	struct ev_loop	*loop;
	int		 fd;
	unsigned	 limit, first;
	uint64_t	 secret;
	struct host_tree hosts;
	struct timer	 look;
	bool		 has_failed;	/* and it was said		*/
};

static int
compare(struct place_host *a, struct place_host *b)
{
	return (a->host > b->host) - (a->host < b->host);
}

RB_GENERATE_INTERNAL(host_tree, place_host, entry, compare,
    __attribute__((unused)) static)

/* Marks. */

static bool
is_ours(const struct place_host *h, unsigned no)
{
	return h->ours[no / 8] & 1u << no % 8;
}

/* What cannot be marked is limited in this process alone: mail goes on. */
static bool
mark(struct places *b, uint64_t at)
{
	enum err e = b->fd == -1 ? OK : mark_set(b->fd, at);

	if (e == ERR_SYS && !b->has_failed) {
		b->has_failed = true;
		log_why(LOG_trouble, "connections of other workers are not "
		    "counted", 0);
	}
	return e != ERR_FULL;
}

static void
unmark(struct places *b, uint64_t at)
{
	if (b->fd != -1)
		mark_drop(b->fd, at);
}

/* Does another worker wait, one with a lower number than ours? */
static bool
is_behind(const struct place_host *h)
{
	uint64_t cnt = h->number == NO_NUMBER ? LINE_END : h->number;

	return h->home->fd != -1 && cnt > 0 &&
	    marks_others(h->home->fd, KIND_LINE | h->base, cnt, NULL);
}

static bool
do_others_wait(const struct place_host *h)
{
	return h->home->fd != -1 && marks_others(h->home->fd,
	    KIND_LINE | h->base, LINE_END, NULL);
}

/* Behind all that are there.  Without a number we look as often. */
static void
stand_in_line(struct place_host *h)
{
	uint64_t start = KIND_LINE | h->base, at = start, end;
	int fd = h->home->fd;

	if (fd == -1 || h->number != NO_NUMBER)
		return;
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		if (marks_others(fd, at, start + LINE_END - at, &end)) {
			if (end >= start + LINE_END)
				return;
			at = end;
		} else if (mark_set(fd, at) == OK) {
			h->number = at - start;
			return;
		}
	}
}

static void
leave_line(struct place_host *h)
{
	if (h->number != NO_NUMBER)
		unmark(h->home, (KIND_LINE | h->base) + h->number);
	h->number = NO_NUMBER;
	h->pause_ms = PAUSE_MIN_MS;
	timer_stop(&h->again);
}

/* Places. */

static bool
find_free(struct place_host *h, unsigned *out)
{
	unsigned limit = h->home->limit, probes = 0;

	for (unsigned i = 0; i < limit && probes < PROBES_MAX &&
	    h->held_cnt < limit; i++) {
		unsigned no = h->next++ % limit;

		if (is_ours(h, no))
			continue;
		probes++;
		if (mark(h->home, h->base | no)) {
			*out = no;
			return true;
		}
	}
	return false;
}

static bool
hold(struct place_host *h, struct place *p)
{
	struct places *b = h->home;

	if (is_behind(h) || !find_free(h, &p->no))
		return false;
	h->ours[p->no / 8] |= (uint8_t)(1u << p->no % 8);
	h->held_cnt++;
	TAILQ_INSERT_TAIL(&h->held, p, entry);
	p->is_held = true;
	p->since_ms = ev_now_ms(b->loop);
	if (!timer_running(&b->look))
		timer_set(&b->look, PLACES_LOOK_MS);
	return true;
}

/* Not all at the same moment. */
static void
look_again(struct place_host *h)
{
	uint32_t spread = arc4random_uniform((uint32_t)h->pause_ms);

	timer_set(&h->again, h->pause_ms / 2 + spread);
	h->pause_ms = h->pause_ms * 3 / 2;
	if (h->pause_ms > PAUSE_MAX_MS)
		h->pause_ms = PAUSE_MAX_MS;
}

static void
forget(struct place_host *h)
{
	leave_line(h);
	later_stop(&h->serve);
	RB_REMOVE(host_tree, &h->home->hosts, h);
	free(h);
}

static void
serve(struct later *l, void *arg)
{
	struct place_host *h = arg;
	struct place *p;

	while ((p = TAILQ_FIRST(&h->waiting)) != NULL) {
		TAILQ_REMOVE(&h->waiting, p, entry);
		if (!hold(h, p)) {
			TAILQ_INSERT_HEAD(&h->waiting, p, entry);
			stand_in_line(h);
			look_again(h);
			return;
		}
		leave_line(h);
		p->given(p, p->given_arg);
	}
	leave_line(h);
	if (h->held_cnt == 0)
		forget(h);
}

static void
serve_again(struct timer *t, void *arg)
{
	serve(NULL, arg);
}

/* Making room. */

static bool
is_wanted(const struct place_host *h, const struct place *p, bool by_others)
{
	const struct place *w;

	if (by_others)
		return true;
	TAILQ_FOREACH(w, &h->waiting, entry)
		if (w->who != p->who)
			return true;
	return false;
}

/* One without work, else the one that has had its place longest. */
static void
press(struct place_host *h, bool by_others)
{
	int64_t now_ms = ev_now_ms(h->home->loop);
	struct place *p;

	TAILQ_FOREACH(p, &h->held, entry)
		if (p->is_idle && !p->must_go && is_wanted(h, p, by_others)) {
			p->must_go = true;
			if (p->wanted != NULL)
				p->wanted(p, p->wanted_arg);
			return;
		}
	if (now_ms - h->pressed_ms < PLACES_TURN_MS)
		return;
	TAILQ_FOREACH(p, &h->held, entry)
		if (!p->must_go && now_ms - p->since_ms >= PLACES_TURN_MS &&
		    is_wanted(h, p, by_others)) {
			p->must_go = true;
			h->pressed_ms = now_ms;
			return;
		}
}

static void
look(struct timer *t, void *arg)
{
	struct places *b = arg;
	bool anybody = b->fd != -1 &&
	    marks_others(b->fd, KIND_LINE, KIND_LINE, NULL);
	struct place_host *h;
	bool has_any = false;

	RB_FOREACH(h, host_tree, &b->hosts) {
		has_any |= h->held_cnt > 0;
		if (h->held_cnt > 0 && (anybody || !TAILQ_EMPTY(&h->waiting)))
			press(h, anybody && do_others_wait(h));
	}
	if (has_any)
		timer_set(&b->look, PLACES_LOOK_MS);
}

/* The book. */

enum err
places_open(struct places **out, struct ev_loop *loop, int fd, unsigned limit,
    unsigned worker, unsigned workers)
{
	struct places *b = calloc(1, sizeof(*b));
	enum err e = b == NULL ? ERR_SYS : OK;

	if (e == OK && fd != -1)
		e = marks_number(fd, &b->secret);
	else if (e == OK)
		arc4random_buf(&b->secret, sizeof(b->secret));
	if (e != OK) {
		free(b);
		return e;
	}
	b->loop = loop;
	b->fd = fd;
	b->limit = limit;
	if (workers > 0)
		b->first = (unsigned)((uint64_t)limit * worker / workers);
	RB_INIT(&b->hosts);
	timer_init(&b->look, loop, look, b);
	*out = b;
	return OK;
}

void
places_close(struct places **bp)
{
	struct places *b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	while (!RB_EMPTY(&b->hosts))
		forget(RB_MIN(host_tree, &b->hosts));
	timer_stop(&b->look);
	free(b);
}

uint64_t
places_number(const struct places *b, const struct resolve_found *found,
    const char *host, uint16_t port)
{
	return b != NULL ? mx_number(found, host, port, b->secret) : 0;
}

static struct place_host *
find_host(struct places *b, uint64_t number)
{
	struct place_host like = { .host = number };
	struct place_host *h = RB_FIND(host_tree, &b->hosts, &like);

	if (h != NULL ||
	    (h = calloc(1, sizeof(*h) + b->limit / 8 + 1)) == NULL)
		return h;
	h->home = b;
	h->host = number;
	h->base = (number & UINT32_MAX) << HOST_BITS;
	h->next = b->first;
	h->number = NO_NUMBER;
	h->pause_ms = PAUSE_MIN_MS;
	TAILQ_INIT(&h->held);
	TAILQ_INIT(&h->waiting);
	timer_init(&h->again, b->loop, serve_again, h);
	later_init(&h->serve, b->loop, serve, h);
	RB_INSERT(host_tree, &b->hosts, h);
	return h;
}

/* A place. */

enum err
place_take(struct place *p, struct places *b, uint64_t number)
{
	struct place_host *h;

	if (b == NULL)
		return OK;
	if ((h = find_host(b, number)) == NULL)
		return ERR_SYS;
	if (p->host == h)
		return p->is_held ? OK : ERR_AGAIN;
	place_leave(p);
	p->host = h;
	if (TAILQ_EMPTY(&h->waiting) && hold(h, p))
		return OK;
	TAILQ_INSERT_TAIL(&h->waiting, p, entry);
	later_call(&h->serve);
	return ERR_AGAIN;
}

void
place_leave(struct place *p)
{
	struct place_host *h = p->host;

	if (h == NULL)
		return;
	if (p->is_held) {
		TAILQ_REMOVE(&h->held, p, entry);
		h->held_cnt--;
		h->ours[p->no / 8] &= (uint8_t)~(1u << p->no % 8);
		h->next = p->no;
		unmark(h->home, h->base | p->no);
	} else {
		TAILQ_REMOVE(&h->waiting, p, entry);
	}
	p->host = NULL;
	p->is_held = p->is_idle = p->must_go = false;
	later_call(&h->serve);
}

bool
place_waits(const struct place *p)
{
	return p->host != NULL && !p->is_held;
}

bool
place_must_go(const struct place *p)
{
	return p->must_go;
}

bool
place_rest(struct place *p, bool is_idle)
{
	p->is_idle = is_idle && p->host != NULL;
	if (p->is_idle && !p->must_go)
		p->must_go = is_wanted(p->host, p, do_others_wait(p->host));
	return p->must_go;
}
