/* kinds.c - the table, and how to look something up in it. */
#include "base/limits.h"
#include "conf/kinds.h"

const char kinds_words[] =
#define KIND(word, role, reach, facts, slots, check, by)	" " #word
#include "conf/kinds.def"
;

const char kinds_edge_words[] =
#define EDGE_KIND(word, role, port, facts, by)	" " #word
#include "conf/kinds.def"
;

const char kinds_queue_words[] =
#define QUEUE_KIND(word, role, facts, by)	" " #word
#include "conf/kinds.def"
;

static const struct edge_kind_row edge_rows[] = {
#define EDGE_KIND(word, role, port, facts, by)				\
	{ #word, ROLE_##role, port, facts },
#include "conf/kinds.def"
};

static const struct kind_row rows[] = {
#define KIND(word, role, reach, facts, slots, check, by)		\
	{ #word, ROLE_##role, KIND_TO_##reach, facts, slots },
#include "conf/kinds.def"
};

static const struct queue_kind queue_rows[] = {
#define QUEUE_KIND(word, role, facts, by)	{ #word, ROLE_##role, facts },
#include "conf/kinds.def"
};

const struct kind_row *
kinds_find(struct span word)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_eq(word, span_of(rows[i].word)))
			return &rows[i];
	return NULL;
}

/* Whoever runs programs as users is nobody in particular. */
enum role
kinds_role(const struct kind_row *row, struct span user)
{
	return (row->facts & KIND_AS_RECIPIENT) != 0 &&
	    span_eq(user, SPAN(KIND_RECIPIENT)) ? ROLE_LOCAL : row->role;
}

bool
kinds_has(struct span word, unsigned fact)
{
	const struct kind_row *row = kinds_find(word);

	return row != NULL && (row->facts & fact) != 0;
}

const struct edge_kind_row *
kinds_find_edge(struct span word)
{
	for (size_t i = 0; i < sizeof(edge_rows) / sizeof(edge_rows[0]); i++)
		if (span_eq(word, span_of(edge_rows[i].word)))
			return &edge_rows[i];
	return NULL;
}

bool
kinds_edge_has(struct span word, unsigned fact)
{
	const struct edge_kind_row *row = kinds_find_edge(word);

	return row != NULL && (row->facts & fact) != 0;
}

const struct queue_kind *
kinds_find_queue(struct span word)
{
	for (size_t i = 0; i < sizeof(queue_rows) / sizeof(queue_rows[0]); i++)
		if (span_eq(word, span_of(queue_rows[i].word)))
			return &queue_rows[i];
	return NULL;
}

bool
kinds_queue_has(struct span word, unsigned fact)
{
	const struct queue_kind *row = kinds_find_queue(word);

	return row != NULL && (row->facts & fact) != 0;
}
