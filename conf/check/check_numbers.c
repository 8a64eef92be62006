/*
 * check_numbers.c - how many processes and links there will be; the limits of
 * plan.c are hard.  Counted as plan.c links.
 */
#include "conf/check/check.h"

struct sums {
	uint64_t	 processes, links, queues, keys;
};

static uint64_t
workers_of(const struct block *relay)
{
	return block_num(relay, OPTION_RELAY_workers);
}

static void
count_block(struct sums *n, const struct block *b)
{
	bool has_key = block_keyed(b) != NULL;
	uint64_t workers;

	n->keys += has_key;
	if (b->no == BLOCK_QUEUE) {
		n->processes++;
		n->queues++;
		for (unsigned i = 0; i < b->relay_cnt; i++)
			n->links += workers_of(b->relays[i]);
	} else if (b->no == BLOCK_EDGE) {
		workers = block_num(b, OPTION_EDGE_workers);
		n->processes += workers;
		n->links += workers * (1u + has_key + (b->users != NULL));
	} else if (b->no == BLOCK_RELAY) {
		n->processes += workers_of(b);
		n->links += workers_of(b) * (1u + has_key);
	} else if (b->no == BLOCK_USERS)
		n->processes++;
}

void
check_numbers(struct conf *c)
{
	const struct place start = { 0, 0, 0 };
	struct sums n = { .processes = 2 };	/* resolver and control */
	const struct block *b;

	TAILQ_FOREACH(b, &c->top->blocks, entry)
		count_block(&n, b);
	n.processes += n.keys > 0;
	n.links += n.queues;			/* of control */
	if (n.processes > PLAN_PROCESSES_MAX)
		report_add(&c->mistakes, start, "this makes more than %u "
		    "processes", PLAN_PROCESSES_MAX);
	if (n.links > PLAN_LINKS_MAX)
		report_add(&c->mistakes, start, "this makes more than %u "
		    "links between processes", PLAN_LINKS_MAX);
	if (n.keys > PLAN_FILES_MAX / 2)
		report_add(&c->mistakes, start, "this makes more than %u "
		    "edges and relays with a key", PLAN_FILES_MAX / 2);
}
