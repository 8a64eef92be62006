/*
 * question.c - a tree by number.  A question stays in it until on_end() is
 * called, so that the table's owner finds those he has to close; but no answer
 * finds one that has ended.
 */
#include <stddef.h>

#include "bus/question.h"

#define UNUSED	__attribute__((unused))	/* not all of a tree's calls */

static int
compare(struct question *a, struct question *b)
{
	return a->no < b->no ? -1 : a->no > b->no;
}

RB_GENERATE_INTERNAL(question_tree, question, node, compare, UNUSED static)

void
questions_init(struct questions *qs, struct ev_loop *loop, unsigned max,
    question_fn *on_end)
{
	*qs = (struct questions){
		.loop = loop, .max = max, .on_end = on_end,
		.highest = UINT64_MAX,
	};
	RB_INIT(&qs->tree);
}

struct question *
questions_first(struct questions *qs)
{
	return RB_MIN(question_tree, &qs->tree);
}

struct question *
questions_next(struct question *q)
{
	return RB_NEXT(question_tree, &q->table->tree, q);
}

void
questions_lose(struct questions *qs)
{
	struct question *q;

	RB_FOREACH(q, question_tree, &qs->tree)
		question_fail(q, ERR_CLOSED);
}

/* 0 is nobody's number, and one under way is not given twice. */
static void
give_number(struct questions *qs, struct question *q)
{
	do {
		if (qs->last == qs->highest) {
			qs->has_wrapped = true;
			qs->last = 0;
		}
		q->no = ++qs->last;
	} while (RB_INSERT(question_tree, &qs->tree, q) != NULL);
}

static void
tell(struct question *q)
{
	question_fn *on_end = q->table->on_end;

	question_close(q);
	on_end(q, q->why);
}

static void
tell_later(struct later *l, void *arg)
{
	tell(arg);
}

static void
end(struct question *q, enum err why)
{
	if (q->has_ended)
		return;
	q->has_ended = true;
	q->why = why;
	q->table->cnt--;
	timer_stop(&q->deadline);
	later_call(&q->later);
}

static void
out_of_time(struct timer *t, void *arg)
{
	struct question *q = arg;

	q->why = ERR_AGAIN;
	tell(q);
}

bool
question_ask(struct questions *qs, struct question *q, int64_t patience_ms)
{
	bool has_room = qs->cnt < qs->max;

	*q = (struct question){ .table = qs };
	timer_init(&q->deadline, qs->loop, out_of_time, q);
	later_init(&q->later, qs->loop, tell_later, q);
	give_number(qs, q);
	qs->cnt++;
	if (!has_room)
		end(q, ERR_FULL);
	else if (patience_ms != QUESTION_NO_END)
		timer_set(&q->deadline, patience_ms);
	return has_room;
}

struct question *
question_by_no(struct questions *qs, uint64_t no)
{
	struct question key = { .no = no };

	return RB_FIND(question_tree, &qs->tree, &key);
}

enum err
question_find(struct questions *qs, uint64_t no, struct question **out)
{
	struct question *q = question_by_no(qs, no);

	if (no == 0 || (no > qs->last && !qs->has_wrapped))
		return ERR_PEER;
	*out = q == NULL || q->has_ended ? NULL : q;
	return OK;
}

void
question_answer(struct question *q)
{
	end(q, OK);
}

void
question_fail(struct question *q, enum err why)
{
	end(q, why);
}

void
question_close(struct question *q)
{
	struct questions *qs = q->table;

	if (qs == NULL)
		return;
	RB_REMOVE(question_tree, &qs->tree, q);
	if (!q->has_ended)
		qs->cnt--;
	timer_stop(&q->deadline);
	later_stop(&q->later);
	q->table = NULL;
}
