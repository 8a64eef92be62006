/*
 * cmd_trace.c - the story of a message, out of the history of each queue: by
 * its id, or by an address or a Message-ID, which lead to ids.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/tool/cmd.h"
#include "ctl/tool/fetch.h"
#include "ctl/tool/pauses.h"
#include "ctl/tool/story.h"
#include "sys/clock.h"

#define MESSAGES	10	/* told of unless --limit says more	*/
#define MESSAGES_MAX	1000
#define FOLLOW_MS	500	/* from one look to the next		*/
#define PLACE_MAX	511	/* bytes of a queue's own key		*/

struct place {
	size_t		 len;
	char		 b[PLACE_MAX];
};

/* A message that is told of, and how far it was. */
struct traced {
	struct id	 id;
	unsigned	 queue;
	bool		 is_printed;	/* its head			*/
	struct place	 after;
};

struct trace {
	struct talk	*talk;
	const struct run *run;
	const struct fetch_queues *queues;
	struct traced	*list;
	size_t		 cnt, cap;
	size_t		 most;		/* of them that are wanted	*/
	uint64_t	 since_ms, request;

	/* Of the question under way. */
	unsigned	 queue;
	struct traced	*of;		/* story_ask			*/
	struct place	 last;
	enum tool_status	 status;
	bool		 failed, has_message;
	struct listed_message message;	/* show_ask			*/
	struct pauses	*pauses;	/* of queue pauses_of, or NULL	*/
	unsigned	 pauses_of;	/* ~0u: of none yet		*/
	bool		 learns;	/* rows are not told, but learnt from */
};

static void
keep_place(struct place *p, struct span s)
{
	p->len = s.len <= sizeof(p->b) ? s.len : 0;
	if (p->len > 0)
		memcpy(p->b, s.ptr, p->len);
}

static struct span
place(const struct place *p)
{
	return (struct span){ p->b, p->len };
}

static struct span
name_of(const struct trace *g, unsigned queue)
{
	return span_of(g->queues->names[queue]);
}

/* Which messages. */

static bool
add(struct trace *g, struct id id, unsigned queue)
{
	struct traced *list;

	for (size_t i = 0; i < g->cnt; i++)
		if (id_cmp(g->list[i].id, id) == 0 &&
		    g->list[i].queue == queue)
			return true;
	if (g->cnt == g->cap) {
		size_t cap = g->cap == 0 ? 64 : g->cap * 2;

		list = recallocarray(g->list, g->cap, cap, sizeof(*list));
		if (list == NULL)
			return false;
		g->list = list;
		g->cap = cap;
	}
	g->list[g->cnt++] = (struct traced){ .id = id, .queue = queue };
	return true;
}

static bool
take_found(unsigned type, const union msg *m, void *arg)
{
	struct trace *g = arg;

	switch (type) {
	case MSG_found_row:
		g->failed |= !add(g, m->found_row.id, g->queue);
		return false;
	case MSG_found_end:
		g->status = m->found_end.status;
		keep_place(&g->last, m->found_end.last);
		return true;
	default:
		return false;
	}
}

static enum run_end
judge(const struct trace *g, enum run_end end, struct span queue)
{
	if (end == END_DONE && (g->failed || g->status == STATUS_FAILED ||
	    g->status == STATUS_BUSY)) {
		run_complain("the history of queue %.*s cannot be read just "
		    "now", (int)queue.len, queue.ptr);
		return END_NOTHING;
	}
	return end;
}

/* Its newest ones: no more are asked for than are wanted. */
static enum run_end
find(struct trace *g, unsigned queue, enum found_by by)
{
	struct msg_found_ask ask = {
		.queue = name_of(g, queue), .by = (uint8_t)by,
		.word = span_of(g->run->args[0]), .since_ms = g->since_ms,
	};
	size_t before = g->cnt;
	enum run_end end;

	g->queue = queue;
	g->last.len = 0;
	do {
		ask.request = ++g->request;
		ask.after = place(&g->last);
		end = run_ask(g->talk, MSG_found_ask, &ask, take_found, g);
		if ((end = judge(g, end, ask.queue)) != END_DONE)
			return end;
	} while (g->status == STATUS_MORE && g->cnt - before <= g->most);
	return END_DONE;
}

static int
cmp_newest(const void *a, const void *b)
{
	return id_cmp(((const struct traced *)b)->id,
	    ((const struct traced *)a)->id);
}

static bool
add_queued(const struct listed_message *m, void *arg)
{
	struct trace *g = arg;

	for (unsigned i = 0; i < g->queues->cnt; i++)
		if (span_eq(m->queue, name_of(g, i)))
			return add(g, m->id, i);
	return true;
}

/* The beginning of an id leads to one message, or to a question. */
static enum run_end
find_begun(struct trace *g)
{
	enum run_end end = END_DONE;
	struct id first, last;

	if (g->cnt > 0 || strlen(g->run->args[0]) < SELECT_ID_MIN ||
	    !id_range(span_of(g->run->args[0]), &first, &last))
		return END_DONE;
	for (unsigned i = 0; end == END_DONE && i < g->queues->cnt; i++)
		end = find(g, i, FOUND_BY_ID);
	if (end == END_DONE && g->cnt > 1) {
		run_complain("%s: the ids of several messages begin with "
		    "this: say more of it", g->run->args[0]);
		return END_NOTHING;
	}
	return end;
}

/* One that is queued, and that no history knows any more. */
static enum run_end
find_queued(struct trace *g)
{
	static struct select s;
	uint64_t cnt;

	s = (struct select){ .given = g->run->select.given &
	    1u << SELECT_QUEUE };
	s.text[SELECT_QUEUE] = g->run->select.text[SELECT_QUEUE];
	if (g->cnt > 0 || select_id(&s, span_of(g->run->args[0])) != NULL)
		return END_DONE;
	return fetch_messages(g->talk, &s, true, add_queued, g, &cnt);
}

static enum run_end
find_all(struct trace *g)
{
	enum run_end end = END_DONE;
	struct id id;

	if (id_parse(span_of(g->run->args[0]), &id)) {
		for (unsigned i = 0; i < g->queues->cnt; i++)
			if (!add(g, id, i))
				return END_NOTHING;
		return END_DONE;
	}
	for (unsigned i = 0; end == END_DONE && i < g->queues->cnt; i++)
		if ((end = find(g, i, FOUND_BY_ADDRESS)) == END_DONE)
			end = find(g, i, FOUND_BY_MESSAGE_ID);
	if (end == END_DONE)
		end = find_begun(g);
	if (end == END_DONE)
		end = find_queued(g);
	if (g->cnt > 0)
		qsort(g->list, g->cnt, sizeof(*g->list), cmp_newest);
	return end;
}

/* What happened. */

static void
tell_row(struct trace *g, const struct msg_story_row *m)
{
	struct span queue = name_of(g, g->of->queue);

	if (g->run->json) {
		story_show_json(stdout, m, queue);
		g->of->is_printed = true;
		return;
	}
	if (!g->of->is_printed)
		story_show_head(stdout, g->of->id, queue);
	g->of->is_printed = true;
	story_show(stdout, m);
}

/* What was suspended or resumed by then. */
static void
tell_pauses(struct trace *g, uint64_t until_ms)
{
	const struct msg_story_row *m;

	while (g->pauses != NULL &&
	    (m = pauses_next(g->pauses, until_ms)) != NULL)
		tell_row(g, m);
}

static void
tell(struct trace *g, const struct msg_story_row *m)
{
	if (g->learns) {
		pauses_learn(g->pauses, m);
		return;
	}
	tell_pauses(g, m->at_ms);
	tell_row(g, m);
}

static bool
take_story(unsigned type, const union msg *m, void *arg)
{
	struct trace *g = arg;

	switch (type) {
	case MSG_story_row:
		tell(g, &m->story_row);
		return false;
	case MSG_story_end:
		g->status = m->story_end.status;
		keep_place(&g->of->after, m->story_end.last);
		return true;
	default:
		return false;
	}
}

static enum run_end
ask_story(struct trace *g, struct traced *of)
{
	struct msg_story_ask ask = {
		.queue = name_of(g, of->queue), .id = of->id,
	};
	enum run_end end;

	g->of = of;
	do {
		ask.request = ++g->request;
		ask.after = place(&of->after);
		end = run_ask(g->talk, MSG_story_ask, &ask, take_story, g);
		if ((end = judge(g, end, ask.queue)) != END_DONE)
			return end;
	} while (g->status == STATUS_MORE);
	return END_DONE;
}

/* What waits. */

static bool
take_message(unsigned type, const union msg *m, void *arg)
{
	struct trace *g = arg;
	enum err e = OK;

	if (type == MSG_list_message) {
		e = listed_begin(&g->message, name_of(g, g->of->queue),
		    &m->list_message);
		g->has_message = true;
	} else if (type == MSG_list_delivery) {
		e = listed_add_delivery(&g->message, &m->list_delivery);
	} else if (type == MSG_list_rcpt) {
		e = listed_add_rcpt(&g->message, &m->list_rcpt);
	} else if (type == MSG_list_end) {
		g->status = m->list_end.status;
		return true;
	}
	g->failed |= e != OK;
	return false;
}

/* Its rows are there. */
static bool
has_waits(const struct trace *g)
{
	return g->has_message && g->message.rcpt_len > 0;
}

static enum run_end
ask_waits(struct trace *g, struct traced *of)
{
	const struct msg_show_ask ask = {
		.queue = name_of(g, of->queue), .id = of->id,
		.request = ++g->request,
	};
	enum run_end end;

	g->of = of;
	g->has_message = false;
	end = run_ask(g->talk, MSG_show_ask, &ask, take_message, g);
	end = judge(g, end, ask.queue);
	g->has_message &= listed_end(&g->message) == OK;
	return end;
}

static void
tell_waits(struct trace *g, struct traced *of)
{
	if (!of->is_printed)
		story_show_head(stdout, of->id, name_of(g, of->queue));
	of->is_printed = true;
	story_show_waits(stdout, &g->message, clock_wall_ms());
}

/* Which of what was suspended did it meet?  Its rows are gone through once. */
static enum run_end
learn(struct trace *g, struct traced *of)
{
	enum run_end end = END_DONE;

	if (g->pauses_of != of->queue) {
		pauses_free(&g->pauses);
		end = pauses_fetch(&g->pauses, g->talk,
		    name_of(g, of->queue));
		g->pauses_of = of->queue;
	}
	if (end != END_DONE || g->pauses == NULL)
		return end;
	pauses_begin(g->pauses);
	g->learns = true;
	end = ask_story(g, of);
	g->learns = false;
	of->after.len = 0;
	if (has_waits(g))
		pauses_learn_waits(g->pauses, &g->message);
	return end;
}

static enum run_end
tell_whole(struct trace *g, struct traced *of)
{
	enum run_end end = ask_waits(g, of);

	if (end == END_DONE)
		end = learn(g, of);
	if (end == END_DONE)
		end = ask_story(g, of);
	if (end == END_DONE) {
		tell_pauses(g, UINT64_MAX);
		if (has_waits(g) && !g->run->json)
			tell_waits(g, of);
	}
	listed_fini(&g->message);
	return end;
}

/* The oldest of those that are wanted first: it reads like a log. */
static enum run_end
tell_all(struct trace *g)
{
	size_t cnt = g->cnt < g->most ? g->cnt : g->most;
	enum run_end end = END_DONE;

	for (size_t i = cnt; end == END_DONE && i-- > 0;)
		end = g->run->follow ? ask_story(g, &g->list[i]) :
		    tell_whole(g, &g->list[i]);
	return end;
}

static bool
is_any_printed(const struct trace *g)
{
	for (size_t i = 0; i < g->cnt; i++)
		if (g->list[i].is_printed)
			return true;
	return false;
}

/* Until somebody has seen enough: what is new of these, and new ones. */
static enum run_end
follow(struct trace *g)
{
	const struct timespec pause = { 0, FOLLOW_MS * 1000000L };
	enum run_end end = END_DONE;

	while (end == END_DONE) {
		if (fflush(stdout) == EOF)
			return END_NOTHING;
		g->since_ms = (uint64_t)clock_wall_ms();
		(void)nanosleep(&pause, NULL);
		end = find_all(g);
		g->most = g->cnt;
		if (end == END_DONE)
			end = tell_all(g);
	}
	return end;
}

static enum run_end
run_trace(struct trace *g)
{
	enum run_end end = find_all(g);

	if (end == END_DONE)
		end = tell_all(g);
	if (end != END_DONE)
		return end;
	if (g->run->follow)
		return follow(g);
	if (!is_any_printed(g)) {
		run_complain("%s: nothing is known of it", g->run->args[0]);
		return END_NOTHING;
	}
	if (g->cnt > g->most && !g->run->json)
		run_complain("there are older ones: --limit tells more");
	return END_DONE;
}

enum run_end
cmd_trace(struct run *r)
{
	static struct fetch_queues queues;
	struct trace g = { .run = r, .queues = &queues, .most = MESSAGES,
	    .pauses_of = ~0u };
	uint64_t now_ms = (uint64_t)clock_wall_ms();
	enum run_end end;

	if (r->arg_cnt != 1 || r->args[0][0] == '\0') {
		run_complain("trace: which address, id or Message-ID?");
		return END_USAGE;
	}
	if ((r->select.given & 1u << SELECT_LIMIT) != 0)
		g.most = r->select.limit < MESSAGES_MAX ?
		    (size_t)r->select.limit : MESSAGES_MAX;
	if ((r->select.given & 1u << SELECT_NEWER) != 0 &&
	    r->select.newer_ms < now_ms)
		g.since_ms = now_ms - r->select.newer_ms;
	if ((end = run_reach(r, &g.talk)) != END_DONE)
		return end;
	if ((end = fetch_names(g.talk, &r->select, &queues)) == END_DONE)
		end = run_trace(&g);
	pauses_free(&g.pauses);
	free(g.list);
	talk_close(&g.talk);
	return end;
}
