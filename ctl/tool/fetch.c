/*
 * fetch.c - rows come in order, so a message is whole when the next begins.
 *
 * A part of a list is heard to its end before any of it is handed on: who
 * prints it may be waiting for a person with a pager, and control waits for
 * nobody.  Should it hang up, before a part or within it, that part is asked
 * for anew: nobody has seen any of it.
 */
#include <string.h>

#include "ctl/tool/fetch.h"
#include "sys/clock.h"

#define PART	256		/* messages asked for at a time */
#define ASK_MAX	3		/* times a part is asked for	*/

/* One walk through the queues. */
struct fetch {
	struct select	*select;
	fetch_fn	*fn;
	void		*arg;
	uint64_t	 cnt;
	int64_t		 now_ms;
	struct span	 queue;
	struct listed_message m;	/* the one that is coming in	*/
	struct listed_message page[PART];	/* and those before it	*/
	size_t		 page_cnt;
	bool		 has_message, failed;
	enum tool_status status;	/* list_end's			*/
	struct id	 last;
	enum run_end	 end;		/* of a question refused	*/
};

/* The names of queues. */

static void
add_name(struct fetch_queues *q, struct span name)
{
	for (unsigned i = 0; i < q->cnt; i++)
		if (span_eq(span_of(q->names[i]), name))
			return;
	if (q->cnt < FETCH_QUEUES_MAX && span_cstr(name, q->names[q->cnt],
	    sizeof(q->names[0])))
		q->cnt++;
}

struct naming {
	struct fetch_queues *out;
	enum run_end	 end;
};

static bool
take_name(unsigned type, const union msg *m, void *arg)
{
	struct naming *n = arg;

	if (type == MSG_status_process &&
	    (m->status_process.role == ROLE_QUEUE ||
	    m->status_process.role == ROLE_PROXY))
		add_name(n->out, m->status_process.block);
	if (type == MSG_tool_done)
		n->end = run_status(&m->tool_done);
	return type == MSG_status_end || type == MSG_tool_done;
}

enum run_end
fetch_names(struct talk *t, const struct select *s, struct fetch_queues *out)
{
	const struct msg_status_ask ask = { 0 };
	struct naming n = { out, END_DONE };
	struct span one = s->text[SELECT_QUEUE];
	enum err e;

	out->cnt = 0;
	talk_send(t, MSG_status_ask, &ask);
	if ((e = talk_wait(t, take_name, &n)) != OK)
		return run_lost(e);
	if (n.end != END_DONE || (s->given & 1u << SELECT_QUEUE) == 0)
		return n.end;
	for (unsigned i = 0; i < out->cnt; i++)
		if (span_eq(span_of(out->names[i]), one)) {
			memmove(out->names[0], out->names[i],
			    sizeof(out->names[0]));
			out->cnt = 1;
			return END_DONE;
		}
	run_complain("there is no queue \"%.*s\"", (int)one.len, one.ptr);
	return END_NOTHING;
}

/* Messages. */

static bool
is_full(const struct fetch *f)
{
	return f->select->limit > 0 && f->cnt >= f->select->limit;
}

static void
finish_message(struct fetch *f)
{
	bool is_meant;

	if (f->has_message && listed_end(&f->m) != OK)
		f->failed = true;
	is_meant = f->has_message && !f->failed &&
	    select_match(f->select, &f->m, f->now_ms);
	f->has_message = false;
	if (!is_meant)
		return;
	if (f->page_cnt == PART) {
		f->failed = true;
		return;
	}
	f->page[f->page_cnt++] = f->m;
	memset(&f->m, 0, sizeof(f->m));
}

/* Those that were heard, to whoever wants them. */
static void
hand_on(struct fetch *f)
{
	for (size_t i = 0; i < f->page_cnt; i++) {
		if (!f->failed && !is_full(f)) {
			f->cnt++;
			f->failed = !f->fn(&f->page[i], f->arg);
		}
		listed_fini(&f->page[i]);
	}
	f->page_cnt = 0;
}

static bool
take_row(unsigned type, const union msg *m, void *arg)
{
	struct fetch *f = arg;
	enum err e = OK;

	if (type == MSG_list_message) {
		finish_message(f);
		e = listed_begin(&f->m, f->queue, &m->list_message);
		f->has_message = true;
	} else if (type == MSG_list_delivery)
		e = listed_add_delivery(&f->m, &m->list_delivery);
	else if (type == MSG_list_rcpt)
		e = listed_add_rcpt(&f->m, &m->list_rcpt);
	else if (type == MSG_list_end) {
		finish_message(f);
		f->status = m->list_end.status;
		f->last = m->list_end.last;
		return true;
	} else if (type == MSG_tool_done) {
		f->end = run_status(&m->tool_done);
		return true;
	}
	if (e != OK)
		f->failed = true;
	return false;
}

/* A part that broke off. */
static void
forget(struct fetch *f)
{
	for (size_t i = 0; i < f->page_cnt; i++)
		listed_fini(&f->page[i]);
	listed_fini(&f->m);
	f->page_cnt = 0;
	f->has_message = f->failed = false;
}

/* Say a question, hear all of its answer. */
static enum run_end
ask(struct talk *t, struct fetch *f, unsigned type, const void *m)
{
	uint32_t hits[SELECT_IDS_MAX];
	unsigned asked = 0;
	enum err e;

	memcpy(hits, f->select->id_hits, sizeof(hits));
	do {
		forget(f);
		memcpy(f->select->id_hits, hits, sizeof(hits));
		f->status = STATUS_FAILED;
		talk_send(t, type, m);
		e = talk_wait(t, take_row, f);
	} while (e == ERR_CLOSED && ++asked < ASK_MAX && talk_again(t) == OK);
	if (e != OK)
		forget(f);
	hand_on(f);
	if (e != OK)
		return run_lost(e);
	if (f->end != END_DONE)
		return f->end;
	if (f->failed || f->status == STATUS_FAILED ||
	    f->status == STATUS_BUSY) {
		run_complain("queue %.*s cannot be listed just now",
		    (int)f->queue.len, f->queue.ptr);
		return END_NOTHING;
	}
	return END_DONE;
}

static enum run_end
list_queue(struct talk *t, struct fetch *f)
{
	struct msg_list_ask m = { .queue = f->queue, .max = PART };
	enum run_end end;

	do {
		m.request++;
		if ((end = ask(t, f, MSG_list_ask, &m)) != END_DONE)
			return end;
		if (id_cmp(f->last, m.after) <= 0)
			break;		/* it stands still */
		m.after = f->last;
	} while (f->status == STATUS_MORE && !is_full(f));
	return END_DONE;
}

/* Ask for each id by its name; only where all are whole. */
static enum run_end
show_ids(struct talk *t, struct fetch *f)
{
	struct msg_show_ask m = { .queue = f->queue };
	enum run_end end = END_DONE;

	for (unsigned i = 0; i < f->select->id_cnt && end == END_DONE; i++) {
		m.request++;
		(void)id_parse(f->select->ids[i], &m.id);
		end = ask(t, f, MSG_show_ask, &m);
	}
	return end;
}

static bool
are_whole(const struct select *s)
{
	struct id id;

	for (unsigned i = 0; i < s->id_cnt; i++)
		if (!id_parse(s->ids[i], &id))
			return false;
	return s->id_cnt > 0;
}

static enum run_end
want_some(const struct select *s)
{
	enum run_end end = END_DONE;

	for (unsigned i = 0; i < s->id_cnt; i++)
		if (s->id_hits[i] == 0) {
			run_complain("%.*s: no such message",
			    (int)s->ids[i].len, s->ids[i].ptr);
			end = END_NOTHING;
		}
	return end;
}

static enum run_end
walk(struct talk *t, const struct fetch_queues *queues, struct fetch *f)
{
	struct select *s = f->select;
	enum run_end end = END_DONE;

	memset(s->id_hits, 0, sizeof(s->id_hits));
	f->now_ms = clock_wall_ms();
	for (unsigned i = 0; i < queues->cnt && end == END_DONE; i++) {
		f->queue = span_of(queues->names[i]);
		end = are_whole(s) ? show_ids(t, f) : list_queue(t, f);
	}
	listed_fini(&f->m);
	return end;
}

static bool
just_count(const struct listed_message *m, void *arg)
{
	return true;
}

/*
 * A walk ahead, without the limit: who reads one message and takes it for
 * another is no better off than who removes it.
 */
static enum run_end
want_one_each(struct talk *t, struct select *s,
    const struct fetch_queues *queues)
{
	static struct fetch f;
	uint64_t limit = s->limit;
	enum run_end end;

	f = (struct fetch){ .select = s, .fn = just_count };
	s->limit = 0;
	end = walk(t, queues, &f);
	s->limit = limit;
	for (unsigned i = 0; i < s->id_cnt && end <= END_NOTHING; i++)
		if (s->id_hits[i] > 1) {
			run_complain("%.*s: the ids of %u messages begin with "
			    "this: say more of it", (int)s->ids[i].len,
			    s->ids[i].ptr, s->id_hits[i]);
			end = END_NOTHING;
		}
	return end;
}

enum run_end
fetch_messages(struct talk *t, struct select *s, bool only_one, fetch_fn *fn,
    void *arg, uint64_t *cnt)
{
	static struct fetch_queues queues;
	static struct fetch f;
	enum run_end end = fetch_names(t, s, &queues);

	*cnt = 0;
	if (end == END_DONE && only_one && s->id_cnt > 0 && !are_whole(s))
		end = want_one_each(t, s, &queues);
	if (end != END_DONE)
		return end;
	f = (struct fetch){ .select = s, .fn = fn, .arg = arg };
	end = walk(t, &queues, &f);
	*cnt = f.cnt;
	return end == END_DONE && !is_full(&f) ? want_some(s) : end;
}
