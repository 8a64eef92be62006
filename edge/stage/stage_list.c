/*
 * stage_list.c - stage.def as a table, for a process and for the picture.
 */
#include <string.h>

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

_Static_assert(sizeof(rows) / sizeof(rows[0]) <= STAGE_CHECKS_ALL,
    "a bit each");

/* Of the message, once there is one; before that of its session. */
static void
on_passed(struct session *s, const struct check *check)
{
	uint32_t *passed = s->transaction != NULL ? &s->transaction->passed :
	    &s->passed;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].check == check && !check->is_fact)
			*passed |= 1u << i;
}

void
stage_init(struct stages *stages)
{
	*stages = (struct stages){ .on_passed = on_passed };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		stages->names[i] = rows[i].check->name;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		(void)!stage_add(stages, rows[i].stage, STAGE_CHECKS_MAX,
		    rows[i].check);
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
