/*
 * check_numbers.c - how many processes and links there will be; the limits of
 * plan.c are hard.  Counted as plan.c links.
 */
#include "conf/check.h"

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
	uint64_t workers;

	if (b->no == BLOCK_QUEUE) {
		n->processes++;
		n->queues++;
		for (unsigned i = 0; i < b->relay_cnt; i++)
			n->links += workers_of(b->relays[i]);
	} else if (b->no == BLOCK_EDGE) {
		bool has_tls = block_nth(b, BLOCK_EDGE_TLS, 0) != NULL;

		workers = block_num(b, OPTION_EDGE_workers);
		n->processes += workers;
		n->keys += has_tls;
		n->links += workers * (1u + has_tls + (b->users != NULL));
	} else if (b->no == BLOCK_RELAY) {
		n->processes += workers_of(b);
		n->links += workers_of(b);
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
		    "edges with a key", PLAN_FILES_MAX / 2);
}
