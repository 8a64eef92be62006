/* prometheus.c - the text exposition format, version 0.0.4. */
#include <inttypes.h>
#include <string.h>

#include "ctl/tool/health.h"

static void
label(FILE *out, char before, const char *name, const char *value)
{
	fprintf(out, "%c%s=\"", before, name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value == '\n' ? ' ' : *value, out);
	}
	fputc('"', out);
}

static void
head(FILE *out, const char *name, const char *end, const char *type,
    const char *help)
{
	fprintf(out, "# HELP postern_%s%s %s\n# TYPE postern_%s%s %s\n", name,
	    end, help, name, end, type);
}

static void
labels_of(FILE *out, const struct status_process *p)
{
	char worker[8];

	(void)snprintf(worker, sizeof(worker), "%u", p->worker);
	label(out, '{', "role", role_row(p->role)->name);
	label(out, ',', "block", p->block);
	label(out, ',', "worker", worker);
	fputc('}', out);
}

static void
print_counter(FILE *out, const struct status *h, enum counter c)
{
	const struct counter_row *row = counter_row(c);
	const char *end = row->is_gauge ? "" : "_total";
	bool is_begun = false;

	for (size_t i = 0; i < h->process_cnt; i++) {
		const struct status_process *p = &h->processes[i];

		if (!p->has_counters || p->state == PROCESS_LEAVING ||
		    !status_counts(p->role, c))
			continue;
		if (!is_begun)
			head(out, row->name, end, row->is_gauge ? "gauge" :
			    "counter", row->meaning);
		is_begun = true;
		fprintf(out, "postern_%s%s", row->name, end);
		labels_of(out, p);
		fprintf(out, " %" PRIu64 "\n", p->counters[c]);
	}
}

static void
print_processes(FILE *out, const struct status *h)
{
	head(out, "process_up", "", "gauge", "is the process at work?");
	for (size_t i = 0; i < h->process_cnt; i++) {
		if (h->processes[i].state == PROCESS_LEAVING)
			continue;
		fputs("postern_process_up", out);
		labels_of(out, &h->processes[i]);
		fprintf(out, " %d\n", h->processes[i].state == PROCESS_READY);
	}
	head(out, "process_starts", "_total", "counter",
	    "how often it was started");
	for (size_t i = 0; i < h->process_cnt; i++) {
		if (h->processes[i].state == PROCESS_LEAVING)
			continue;
		fputs("postern_process_starts_total", out);
		labels_of(out, &h->processes[i]);
		fprintf(out, " %" PRIu32 "\n", h->processes[i].start);
	}
}

/* What of a queue is a number. */
struct measure {
	const char	*name, *help;
	uint64_t	(*of)(const struct status_queue *);
};

#define OF(name)							\
static uint64_t								\
of_##name(const struct status_queue *q)					\
{									\
	return (uint64_t)q->name;					\
}
OF(messages) OF(deliveries) OF(active) OF(held) OF(quarantined) OF(suspended)
OF(down) OF(disk_free) OF(disk_size) OF(lost)
#undef OF

static uint64_t
of_full(const struct status_queue *q)
{
	return q->full != QUEUE_HAS_ROOM;
}

static uint64_t
of_oldest(const struct status_queue *q)
{
	return q->oldest_ms / 1000;
}

static uint64_t
of_up(const struct status_queue *q)
{
	return !q->is_away;
}

static const struct measure measures[] = {
	{ "queue_answers", "does the queue answer?", of_up },
	{ "queue_messages", "messages held", of_messages },
	{ "queue_deliveries", "deliveries of them", of_deliveries },
	{ "queue_active", "deliveries under way", of_active },
	{ "queue_held", "deliveries held back", of_held },
	{ "queue_oldest_timestamp_seconds",
	    "when the oldest message came, 0: none", of_oldest },
	{ "queue_full", "is it full, or cannot write?", of_full },
	{ "queue_quarantined", "rows that cannot be used", of_quarantined },
	{ "queue_suspended", "relays and destinations suspended",
	    of_suspended },
	{ "queue_destinations_down", "destinations that are down", of_down },
	{ "queue_lost", "does mail wait of which none is due?", of_lost },
	{ "queue_disk_free_bytes", "free on its disk", of_disk_free },
	{ "queue_disk_size_bytes", "size of its disk", of_disk_size },
};

void
health_print_prometheus(FILE *out, const struct status *h)
{
	head(out, "up_seconds", "", "gauge", "since postern was started");
	fprintf(out, "postern_up_seconds %" PRIu64 "\n", h->up_ms / 1000);
	head(out, "configuration_generation", "", "gauge",
	    "which configuration is in force");
	fprintf(out, "postern_configuration_generation %" PRIu32 "\n",
	    h->generation);
	print_processes(out, h);
	for (unsigned c = 0; c < COUNTER__COUNT; c++)
		print_counter(out, h, c);
	for (size_t m = 0; m < sizeof(measures) / sizeof(measures[0]); m++) {
		head(out, measures[m].name, "", "gauge", measures[m].help);
		for (size_t i = 0; i < h->queue_cnt; i++) {
			if (h->queues[i].is_away && m > 0)
				continue;
			fprintf(out, "postern_%s", measures[m].name);
			label(out, '{', "queue", h->queues[i].name);
			fprintf(out, "} %" PRIu64 "\n",
			    measures[m].of(&h->queues[i]));
		}
	}
}
