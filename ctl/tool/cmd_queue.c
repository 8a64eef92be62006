/* cmd_queue.c - queue list and queue show. */
#include <stdio.h>

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
