/*
 * intake_watch.c - streams on which nothing comes any more.
 *
 * An honest edge says more, or that its client has time yet, within its
 * data_timeout, and ends a session by its session_timeout.  One that was taken
 * over may say so without end, but not for longer than a session can be.  Both
 * times are those of our own slice; a stream that began before a reload may
 * have the longer ones.
 */
#include "base/log.h"
#include "queue/intake/intake_inside.h"

#define LOOK_MS		10000	/* between two looks, at most		*/
#define LOOKS		4	/* within the shorter of the two times	*/

static bool
is_over(int64_t since_ms, int64_t now_ms, int64_t then, int64_t today)
{
	int64_t most = then > today ? then : today;

	return most > 0 && now_ms - since_ms > most;
}

/* While the disk has a piece of it we are the slow ones. */
static bool
is_late(const struct stream *s, int64_t now_ms)
{
	const struct settings *set = &s->queue->settings;

	if (s->state >= STREAM_COMMITTING || s->writing_cnt > 0)
		return false;
	return is_over(s->heard_ms, now_ms, s->silence_ms, set->silence_ms) ||
	    is_over(s->begun_ms, now_ms, s->session_ms, set->session_ms);
}

/* Once a link. */
static void
tell(struct edge *ed)
{
	char name[LINK_NAME_MAX];
	struct log_line l;

	if (ed->told_late)
		return;
	ed->told_late = true;
	link_name(link_peer(ed->link), name);
	log_begin(&l, LOG_denied);
	log_text(&l, LOG_KEY_peer, name);
	log_text(&l, LOG_KEY_why, "it leaves a message open for longer than "
	    "its own timeouts");
	log_end(&l);
}

static void
look(struct timer *t, void *arg)
{
	struct intake *in = arg;
	int64_t now_ms = ev_now_ms(in->queue->loop);
	struct stream *s, *next;
	bool has_some = false;
	struct edge *ed;

	LIST_FOREACH(ed, &in->edges, entry)
		RB_FOREACH_SAFE(s, stream_tree, &ed->streams, next) {
			has_some = true;
			if (!is_late(s, now_ms))
				continue;
			tell(ed);
			stream_refuse(s, 451, "4.4.2",
			    "Nothing came for too long");
		}
	if (has_some)
		intake_watch(in);
}

void
intake_watch(struct intake *in)
{
	const struct settings *set = &in->queue->settings;
	int64_t ms = set->silence_ms;

	if (ms == 0 || (set->session_ms > 0 && set->session_ms < ms))
		ms = set->session_ms;
	ms /= LOOKS;
	if (!timer_running(&in->watch))
		timer_set(&in->watch, ms > 0 && ms < LOOK_MS ? ms : LOOK_MS);
}

void
intake_watch_init(struct intake *in)
{
	timer_init(&in->watch, in->queue->loop, look, in);
}

void
stream_begin_watch(struct stream *s)
{
	const struct settings *set = &s->queue->settings;

	s->begun_ms = s->heard_ms = ev_now_ms(s->queue->loop);
	s->silence_ms = set->silence_ms;
	s->session_ms = set->session_ms;
	intake_watch(s->queue->intake);
}

void
stream_heard(struct stream *s)
{
	s->heard_ms = ev_now_ms(s->queue->loop);
}
