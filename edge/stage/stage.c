/*
 * stage.c - asking one check after the other.
 *
 * That a client waits costs the session four words and a timer: who is waited
 * for, which of the checks comes next, and who says the reply in the end.
 */
#include <stdlib.h>
#include <string.h>

#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/stage/stage.h"

struct span
stage_names(const struct stages *stages, uint32_t passed,
    char buf[CHECKS_MAX])
{
	const char *last = "";
	size_t len = 0, more;

	buf[0] = '\0';
	for (unsigned i = 0; i < STAGE_CHECKS_ALL; i++) {
		const char *name = stages->names[i];

		if (name == NULL)
			break;
		more = strlen(name);
		if ((passed & 1u << i) == 0 || strcmp(name, last) == 0 ||
		    len + more + 2 > CHECKS_MAX)
			continue;
		last = name;
		if (len > 0)
			buf[len++] = ' ';
		memcpy(buf + len, name, more + 1);
		len += more;
	}
	return (struct span){ buf, len };
}

static void
too_late(struct timer *timer, void *arg)
{
	session_away(arg);
}

static void
wait_for(struct session *s, const struct check *check)
{
	struct waiting *w = &s->waiting;

	w->check = check;
	if (check->patience_ms == 0)
		return;
	timer_init(&w->deadline, s->edge->loop, too_late, s);
	timer_set(&w->deadline, check->patience_ms);
}

static enum taken
ask(struct session *s)
{
	struct waiting *w = &s->waiting;
	const struct stages *all = &s->edge->stages;
	const struct check *check;
	struct reply no;

	while (w->next < all->of[w->stage].cnt) {
		check = all->of[w->stage].checks[w->next++];
		no = (struct reply){ 0 };
		switch (check->judge(s, &no)) {
		case ANSWER_YES:
			all->on_passed(s, check);
			break;
		case ANSWER_SKIP:
			break;
		case ANSWER_NO:
			return w->done(s, &no);
		case ANSWER_LATER:
			wait_for(s, check);
			return PENDING;
		}
	}
	return w->done(s, NULL);
}

enum taken
stage_run(struct session *s, enum stage_at stage, stage_done_fn *done)
{
	free(s->yes);
	s->yes = NULL;
	s->waiting = (struct waiting){ .stage = stage, .done = done };
	return ask(s);
}

/* Nobody is waited for now. */
static void
stop(struct session *s)
{
	s->waiting.check = NULL;
	timer_stop(&s->waiting.deadline);
}

enum taken
stage_go_on(struct session *s, const struct reply *no)
{
	const struct check *check = s->waiting.check;

	stop(s);
	if (no != NULL)
		return s->waiting.done(s, no);
	if (check != NULL)
		s->edge->stages.on_passed(s, check);
	return ask(s);
}

void
stage_cancel(struct session *s)
{
	const struct check *check = s->waiting.check;

	if (check == NULL)
		return;
	stop(s);
	if (check->cancel != NULL)
		check->cancel(s);
}
