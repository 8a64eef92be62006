/*
 * stage.c - asking one check after the other.
 *
 * That a client waits costs the session four words and a timer: who is waited
 * for, which of the checks comes next, and who says the reply in the end.
 */
#include <string.h>

#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/stage/stage.h"
#include "edge/text/transaction.h"

static const struct {
	enum stage_at	 stage;
	const struct check *check;
} rows[] = {
#define STAGE(name, when)
#define CHECK(stage, name)	{ AT_##stage, &check_##name },
#include "edge/stage/stage.def"
#undef CHECK
#undef STAGE
};

static const char *const names[AT__COUNT] = {
#define STAGE(name, when)	[AT_##name] = #name,
#define CHECK(stage, name)
#include "edge/stage/stage.def"
#undef CHECK
#undef STAGE
};

enum err
stage_add(struct stages *stages, enum stage_at stage, unsigned at,
    const struct check *check)
{
	const struct check **checks = stages->of[stage].checks;
	unsigned *cnt = &stages->of[stage].cnt;

	if (*cnt == STAGE_CHECKS_MAX)
		return ERR_FULL;
	if (at > *cnt)
		at = *cnt;
	memmove(checks + at + 1, checks + at,
	    (*cnt - at) * sizeof(checks[0]));
	checks[at] = check;
	(*cnt)++;
	return OK;
}

void
stage_init(struct stages *stages)
{
	*stages = (struct stages){ 0 };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		(void)!stage_add(stages, rows[i].stage, STAGE_CHECKS_MAX,
		    rows[i].check);
}

_Static_assert(sizeof(rows) / sizeof(rows[0]) <= 32, "a bit each");

/* Of the message, once there is one; before that of its session. */
static void
note_passed(struct session *s, const struct check *check)
{
	uint32_t *passed = s->transaction != NULL ? &s->transaction->passed :
	    &s->passed;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].check == check)
			*passed |= 1u << i;
}

struct span
stage_names(uint32_t passed, char buf[CHECKS_MAX])
{
	const char *last = "";
	size_t len = 0, more;

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *name = rows[i].check->name;

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
print_check(FILE *out, const struct check *c)
{
	fprintf(out, "%s", c->name);
	if (c->asks[0] == '\0')
		return;
	fprintf(out, " (%s", c->asks);
	if (c->away.code != 0)
		fprintf(out, ", %u %s if away", c->away.code, c->away.dsn);
	fputc(')', out);
}

void
stage_print(FILE *out)
{
	unsigned cnt;

	for (unsigned stage = 0; stage < AT__COUNT; stage++) {
		fprintf(out, "%-8s", names[stage]);
		cnt = 0;
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			if (rows[i].stage != stage)
				continue;
			fputs(cnt++ == 0 ? " " : ", ", out);
			print_check(out, rows[i].check);
		}
		fputc('\n', out);
	}
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
			note_passed(s, check);
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
		note_passed(s, check);
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
