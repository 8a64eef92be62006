/* cmd_queue.c - queue list and queue show; and mailq, as Postfix has it. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "ctl/tool/cmd.h"
#include "ctl/tool/fetch.h"
#include "ctl/tool/show.h"
#include "sys/clock.h"

struct printing {
	bool	 json, whole;
	int64_t	 now_ms;
};

static bool
print_message(const struct listed_message *m, void *arg)
{
	const struct printing *p = arg;

	if (p->json)
		show_message_json(stdout, m);
	else if (p->whole)
		show_message_whole(stdout, m, p->now_ms);
	else
		show_message(stdout, m, p->now_ms);
	return true;
}

static enum run_end
print_all(struct run *r, bool whole)
{
	struct printing p = { r->json, whole, clock_wall_ms() };
	struct talk *t;
	uint64_t cnt = 0;
	enum run_end end = run_reach(r, &t);

	if (end != END_DONE)
		return end;
	end = fetch_messages(t, &r->select, true, print_message, &p, &cnt);
	talk_close(&t);
	if (end != END_DONE || cnt > 0)
		return end;
	if (!r->json)
		puts(select_is_said(&r->select) ? "No message matches." :
		    "There are no messages.");
	return select_is_said(&r->select) ? END_NOTHING : END_DONE;
}

enum run_end
cmd_queue_list(struct run *r)
{
	return print_all(r, false);
}

enum run_end
cmd_queue_show(struct run *r)
{
	if (!select_is_said(&r->select)) {
		run_complain("queue show: which messages?  "
		    "Say ids, a condition, or --all");
		return END_USAGE;
	}
	return print_all(r, true);
}

/* mailq. */

struct mailq {
	bool	 has_one;
	uint64_t size;			/* bytes of all			*/
};

/* Is a delivery of it in that state? */
static bool
has_state(const struct listed_message *m, uint8_t state)
{
	for (size_t i = 0; i < m->delivery_len; i++)
		if (m->deliveries[i].state == state)
			return true;
	return false;
}

static bool
print_mailq(const struct listed_message *m, void *arg)
{
	char id[ID_TEXT_LEN + 1], when[40] = "";
	time_t arrived = (time_t)(m->arrived_ms / 1000);
	struct mailq *q = arg;
	struct tm tm;

	if (!q->has_one)
		printf("%-*s --Size-- ----Arrival Time---- "
		    "-Sender/Recipient-------\n", ID_TEXT_LEN,
		    "-Queue ID-");
	else
		putchar('\n');
	q->has_one = true;
	q->size += m->size;
	id_text(m->id, id);
	if (localtime_r(&arrived, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%a %b %e %H:%M:%S", &tm);
	printf("%s%c %7" PRIu64 " %-20s  ", id,
	    has_state(m, LISTED_ACTIVE) ? '*' :
	    has_state(m, LISTED_HELD) ? '!' : ' ', m->size, when);
	show_text(stdout, m->sender.len > 0 ? m->sender :
	    SPAN("MAILER-DAEMON"));
	putchar('\n');
	for (size_t i = 0; i < m->rcpt_len; i++) {
		const struct listed_rcpt *r = &m->rcpts[i];

		if (listed_delivery_of(m, r) == NULL)
			continue;
		if (r->reply.len > 0) {
			printf("%*s(", 8, "");
			show_text(stdout, r->reply);
			fputs(")\n", stdout);
		}
		printf("%*s", ID_TEXT_LEN + 32, "");
		show_text(stdout, r->address);
		putchar('\n');
	}
	return true;
}

enum run_end
cmd_mailq(struct run *r)
{
	struct mailq q = { false, 0 };
	struct talk *t;
	uint64_t cnt = 0;
	enum run_end end = run_reach(r, &t);

	if (end != END_DONE)
		return end;
	end = fetch_messages(t, &r->select, true, print_mailq, &q, &cnt);
	talk_close(&t);
	if (end != END_DONE)
		return end;
	if (cnt == 0)
		puts("Mail queue is empty");
	else
		printf("\n-- %" PRIu64 " Kbytes in %" PRIu64 " Request%s.\n",
		    (q.size + 1023) / 1024, cnt, cnt == 1 ? "" : "s");
	return END_DONE;
}
