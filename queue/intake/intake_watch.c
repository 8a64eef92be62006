/*
 * intake_watch.c - streams on which nothing comes any more, and those of which
 * the store says nothing.
 *
 * An honest edge says more, or that its client has time yet, within its
 * data_timeout, and ends a session by its session_timeout.  One that was taken
 * over may say so without end, but not for longer than a session can be.  Both
 * times are those of our own slice; a stream that began before a reload may
 * have the longer ones.
 *
 * The store of another machine may be away, and a disk may hang.  Who waits for
 * that hears 451 before his own patience ends, and from then on everybody at
 * once, until the store answers: it owes an answer yet.
 */
#include "base/log.h"
#include "queue/intake/intake_inside.h"

#define PATIENCE_MS	60000	/* with the store			*/

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

	if (ed->logged_late)
		return;
	ed->logged_late = true;
	link_name(link_peer(ed->link), name);
	log_begin(&l, LOG_denied);
	log_text(&l, LOG_KEY_peer, name);
	log_text(&l, LOG_KEY_why, "it leaves a message open for longer than "
	    "its own timeouts");
	log_end(&l);
}

/* Each waits for its own answer, for they come in the order of the calls. */
static bool
is_unanswered(const struct stream *s, int64_t now_ms)
{
	return (s->state == STREAM_COMMITTING || s->writing_cnt > 0) &&
	    now_ms - s->handed_ms > s->queue->intake->patience_ms;
}

static void
give_up(struct stream *s)
{
	struct queue *q = s->queue;

	stream_give_up(s);
	if (q->is_unanswered)
		return;
	q->is_unanswered = true;
	log_why(LOG_trouble, "the store does not answer: clients are told to "
	    "try again later", 0);
	intake_tell(q->intake);
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
			if (is_unanswered(s, now_ms)) {
				give_up(s);
				continue;
			}
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
intake_watch_init(struct intake *in)
{
	in->patience_ms = PATIENCE_MS;
	timer_init(&in->watch, in->queue->loop, look, in);
}
