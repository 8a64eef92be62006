/*
 * cmd_cat.c - queue cat: the text of a message that is queued, piece by piece.
 *
 * Lines end as those of this host do.  On a terminal nothing of the text moves
 * the cursor: it is a stranger's.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/tool/cmd.h"
#include "ctl/tool/fetch.h"
#include "ctl/tool/show.h"

#define TRIES		50	/* while the queue is busy with others'	*/
#define PAUSE_MS	100

struct cat {
	struct talk	*talk;
	struct id	 id;
	char		 queue[BLOCK_NAME_MAX + 1];
	uint64_t	 request;
	enum tool_status	 status;
	bool		 is_safe;	/* no terminal is written to	*/
	bool		 has_cr;	/* the last byte was one	*/
};

static bool
keep_id(const struct listed_message *m, void *arg)
{
	struct cat *c = arg;

	c->id = m->id;
	return span_cstr(m->queue, c->queue, sizeof(c->queue));
}

static void
print_line(const struct cat *c, struct span s)
{
	if (c->is_safe)
		fwrite(s.ptr, 1, s.len, stdout);
	else
		show_text(stdout, s);
}

/* A CR is printed when what follows is known to be no LF. */
static void
print_text(struct cat *c, struct span s)
{
	while (s.len > 0) {
		size_t len = span_find(s, '\n');
		struct span line = span_head(s, len);
		bool ends = len < s.len;

		if (c->has_cr && !(ends && line.len == 0))
			print_line(c, SPAN("\r"));
		c->has_cr = line.len > 0 && line.ptr[line.len - 1] == '\r';
		print_line(c, span_head(line, line.len - c->has_cr));
		if (ends) {
			fputc('\n', stdout);
			c->has_cr = false;
		}
		s = span_tail(s, len + 1);
	}
}

static bool
take_text(unsigned type, const union msg *m, void *arg)
{
	struct cat *c = arg;

	if (type == MSG_text_row && m->text_row.request == c->request)
		print_text(c, m->text_row.bytes);
	if (type != MSG_text_end || m->text_end.request != c->request)
		return false;
	c->status = m->text_end.status;
	return true;
}

static enum run_end
complain(const struct cat *c)
{
	run_complain(c->status == STATUS_NONE ? "it has just left the queue" :
	    c->status == STATUS_BUSY ? "the queue is busy: try again" :
	    "its text cannot be read: posternctl queue quarantine");
	return END_NOTHING;
}

static enum run_end
print_part(struct cat *c, enum part part)
{
	struct msg_text_ask ask = { .queue = span_of(c->queue), .id = c->id,
	    .part = (uint8_t)part };
	enum run_end end = END_DONE;
	int tries = TRIES;

	do {
		ask.request = ++c->request;
		end = run_ask(c->talk, MSG_text_ask, &ask, take_text, c);
		if (end != END_DONE)
			return end;
		if (c->status == STATUS_MORE) {
			ask.piece_no++;
			tries = TRIES;
		} else if (c->status == STATUS_BUSY)
			(void)poll(NULL, 0, PAUSE_MS);
	} while (c->status == STATUS_MORE ||
	    (c->status == STATUS_BUSY && --tries > 0));
	if (c->has_cr)
		print_line(c, SPAN("\r"));
	c->has_cr = false;
	return c->status == STATUS_DONE ? END_DONE : complain(c);
}

static enum run_end
print_message(struct cat *c, bool whole)
{
	enum run_end end = print_part(c, PART_HEADER);

	if (end != END_DONE || !whole)
		return end;
	return print_part(c, PART_BODY);	/* behind the empty line */
}

enum run_end
cmd_queue_cat(struct run *r)
{
	struct cat c = { .is_safe = !isatty(STDOUT_FILENO) };
	bool whole = r->whole || (geteuid() == 0 && !r->header);
	const char *wrong;
	uint64_t cnt = 0;
	enum run_end end;

	if (r->arg_cnt != 1)
		wrong = "which message?  Say its id";
	else if (r->whole && r->header)
		wrong = "either --header or --whole";
	else
		wrong = select_id(&r->select, span_of(r->args[0]));
	if (wrong != NULL) {
		run_complain("queue cat: %s", wrong);
		return END_USAGE;
	}
	if ((end = run_reach(r, &c.talk)) != END_DONE)
		return end;
	end = fetch_messages(c.talk, &r->select, true, keep_id, &c, &cnt);
	if (end == END_DONE && cnt == 1)
		end = print_message(&c, whole);
	else if (end == END_DONE)
		end = END_NOTHING;
	talk_close(&c.talk);
	return end;
}
