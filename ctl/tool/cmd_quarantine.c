/*
 * cmd_quarantine.c - queue quarantine: list, show, retry, remove.
 *
 * Notes are fetched whole, for a queue gives them by table and people want them
 * by message; there are few, but after a step back to an older postern.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "ctl/tool/cmd.h"
#include "ctl/tool/fetch.h"
#include "ctl/tool/show.h"
#include "sys/clock.h"

#define TABLE_NAME_MAX	16

struct note {
	struct id	 id;
	const char	*queue;		/* in struct notes		*/
	char		 table[TABLE_NAME_MAX];
	bool		 has_row;
	uint32_t	 row;
	enum aside	 why;
	uint64_t	 since_ms;
};

struct notes {
	struct fetch_queues queues;
	struct note	*rows;
	size_t		 cnt, cap;
	const char	*queue;		/* the one that is asked	*/
	uint8_t		 after[BUS_STR_MAX];
	size_t		 after_len;
	enum tool_status	 status;
	enum run_end	 end;
	bool		 failed;
};

static const char *const words[ASIDE__COUNT] = {
	[ASIDE_DAMAGED] = "damaged",
	[ASIDE_NEWER] = "written by a newer postern",
	[ASIDE_MISSING] = "missing",
	[ASIDE_LONE] = "of no message",
};

static void
add_note(struct notes *n, const struct msg_aside_row *m)
{
	struct note *note;

	if (n->cnt == n->cap) {
		size_t cap = n->cap * 2 + 64;
		struct note *more = reallocarray(n->rows, cap, sizeof(*more));

		if (more == NULL) {
			n->failed = true;
			return;
		}
		n->rows = more;
		n->cap = cap;
	}
	note = &n->rows[n->cnt++];
	*note = (struct note){
		.id = m->id, .queue = n->queue, .has_row = m->has_row,
		.row = m->row, .since_ms = m->since_ms,
		.why = m->why < ASIDE__COUNT ? m->why : ASIDE_DAMAGED,
	};
	(void)span_cstr(m->table, note->table, sizeof(note->table));
}

static bool
take_row(unsigned type, const union msg *m, void *arg)
{
	struct notes *n = arg;

	if (type == MSG_aside_row)
		add_note(n, &m->aside_row);
	if (type == MSG_tool_done)
		n->end = run_status(&m->tool_done);
	if (type != MSG_aside_end)
		return type == MSG_tool_done;
	n->status = m->aside_end.status;
	n->failed |= m->aside_end.last.len > sizeof(n->after);
	n->after_len = n->failed ? 0 : m->aside_end.last.len;
	if (n->after_len > 0)
		memcpy(n->after, m->aside_end.last.ptr, n->after_len);
	return true;
}

static enum run_end
ask_queue(struct talk *t, struct notes *n)
{
	struct msg_aside_ask m = { .queue = span_of(n->queue) };
	enum err e;

	n->after_len = 0;
	do {
		m.request++;
		m.after = (struct span){ (char *)n->after, n->after_len };
		talk_send(t, MSG_aside_ask, &m);
		if ((e = talk_wait(t, take_row, n)) != OK)
			return run_lost(e);
		if (n->end != END_DONE)
			return n->end;
	} while (n->status == STATUS_MORE && !n->failed);
	if (n->status == STATUS_DONE && !n->failed)
		return END_DONE;
	run_complain("queue %s cannot be asked just now", n->queue);
	return END_NOTHING;
}

static int
cmp_note(const void *va, const void *vb)
{
	const struct note *a = va, *b = vb;
	int c = id_cmp(a->id, b->id);

	if (c == 0)
		c = strcmp(a->queue, b->queue);
	if (c == 0)
		c = strcmp(a->table, b->table);
	return c != 0 ? c : (a->row > b->row) - (a->row < b->row);
}

static enum run_end
fetch_notes(const struct run *r, struct notes *n)
{
	struct talk *t;
	enum run_end end = run_reach(r, &t);

	if (end != END_DONE)
		return end;
	end = fetch_names(t, &r->select, &n->queues);
	for (unsigned i = 0; i < n->queues.cnt && end == END_DONE; i++) {
		n->queue = n->queues.names[i];
		end = ask_queue(t, n);
	}
	talk_close(&t);
	if (n->cnt > 0)
		qsort(n->rows, n->cnt, sizeof(n->rows[0]), cmp_note);
	return end;
}

/* Does the note begin another message than the one before it? */
static bool
is_first(const struct notes *n, size_t i)
{
	return i == 0 || id_cmp(n->rows[i].id, n->rows[i - 1].id) != 0 ||
	    n->rows[i].queue != n->rows[i - 1].queue;
}

static void
print_json(const struct note *note)
{
	struct json j = { .out = stdout };
	char id[ID_TEXT_LEN + 1];

	id_text(note->id, id);
	json_open(&j, NULL, '{');
	json_text(&j, "id", span_of(id));
	json_text(&j, "queue", span_of(note->queue));
	json_text(&j, "table", span_of(note->table));
	if (note->has_row)
		json_number(&j, "row", note->row);
	json_text(&j, "why", span_of(words[note->why]));
	json_time(&j, "since", note->since_ms);
	json_close(&j, '}');
}

static void
print_note(const struct notes *n, size_t i)
{
	const struct note *note = &n->rows[i];
	uint64_t now = (uint64_t)clock_wall_ms();
	char id[ID_TEXT_LEN + 1], age[SHOW_MAX];

	if (is_first(n, i)) {
		id_text(note->id, id);
		printf("%s  queue %s\n", id, note->queue);
	}
	printf("    %s", note->table);
	if (note->has_row)
		printf(" %" PRIu32, note->row);
	printf("  %s, found %s ago\n", words[note->why], show_age(now >
	    note->since_ms ? now - note->since_ms : 0, age));
}

static enum run_end
list(const struct run *r, const struct notes *n)
{
	for (size_t i = 0; i < n->cnt; i++) {
		if (r->json)
			print_json(&n->rows[i]);
		else
			print_note(n, i);
	}
	if (n->cnt == 0 && !r->json)
		puts("Nothing is in quarantine.");
	return END_DONE;
}

static bool
print_message(const struct listed_message *m, void *arg)
{
	const struct run *r = arg;

	if (r->json)
		show_message_json(stdout, m);
	else
		show_message_whole(stdout, m, clock_wall_ms());
	return true;
}

/* What can be read of it, as queue show prints it. */
static enum run_end
show_rest(struct run *r, const struct note *first)
{
	char id[ID_TEXT_LEN + 1];
	struct talk *t;
	uint64_t cnt;
	enum run_end end;

	if (first->why == ASIDE_LONE ||
	    (strcmp(first->table, "message") == 0 &&
	    first->why == ASIDE_MISSING))
		return END_DONE;
	id_text(first->id, id);
	r->select.id_cnt = 0;
	if (select_id(&r->select, span_of(id)) != NULL ||
	    (end = run_reach(r, &t)) != END_DONE)
		return END_NOTHING;
	end = fetch_messages(t, &r->select, false, print_message, r, &cnt);
	talk_close(&t);
	return end;
}

static enum run_end
show(struct run *r, const struct notes *n, const struct cmd_target *these,
    size_t cnt)
{
	enum run_end end = END_DONE;

	for (size_t i = 0; i < n->cnt && end == END_DONE; i++) {
		size_t k = 0;

		while (k < cnt && (id_cmp(these[k].id, n->rows[i].id) != 0 ||
		    these[k].queue != n->rows[i].queue))
			k++;
		if (k == cnt)
			continue;
		if (r->json)
			print_json(&n->rows[i]);
		else
			print_note(n, i);
		if (i + 1 == n->cnt || is_first(n, i + 1))
			end = show_rest(r, &n->rows[i]);
	}
	return end;
}

/* The message that this begins the id of; one alone, or it is said why not. */
static enum run_end
add_target(const struct notes *n, const char *text, struct cmd_target *out)
{
	size_t len = strlen(text), hits = 0;
	char id[ID_TEXT_LEN + 1];

	for (size_t i = 0; i < n->cnt; i++) {
		if (!is_first(n, i))
			continue;
		id_text(n->rows[i].id, id);
		if (len < SELECT_ID_MIN || strncasecmp(id, text, len) != 0)
			continue;
		hits++;
		*out = (struct cmd_target){ .id = n->rows[i].id,
		    .queue = n->rows[i].queue };
	}
	if (hits == 1)
		return END_DONE;
	run_complain(hits == 0 ? "%s: no such message in quarantine" :
	    "%s: the ids of several messages begin with this: say more of it",
	    text);
	return END_NOTHING;
}

/* Is the one behind the cnt there are one of them? */
static bool
is_among(const struct cmd_target *these, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (id_cmp(these[i].id, these[cnt].id) == 0 &&
		    these[i].queue == these[cnt].queue)
			return true;
	return false;
}

static void
add_all(const struct notes *n, struct cmd_target *out, size_t *cnt)
{
	for (size_t i = 0; i < n->cnt; i++)
		if (is_first(n, i))
			out[(*cnt)++] = (struct cmd_target){
				.id = n->rows[i].id,
				.queue = n->rows[i].queue,
			};
}

static void
set_ages(struct cmd_target *these, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)	/* RFC 9562 5.7 */
		for (size_t b = 0; b < 6; b++)
			these[i].arrived_ms = these[i].arrived_ms << 8 |
			    these[i].id.b[b];
}

static enum run_end
remove_these(struct run *r, const struct cmd_target *these, size_t cnt)
{
	enum run_end end = cmd_edit_these(r, r->quiet ? EDIT_REMOVE :
	    EDIT_GIVE_UP, "remove", "removed", these, cnt);

	if (end == END_DONE && r->quiet && !r->json && !r->dry_run)
		puts("Neither sender nor recipients are told.");
	return end;
}

static enum run_end
act(struct run *r, const struct notes *n, const char *verb, bool all)
{
	size_t most = n->cnt + (size_t)r->arg_cnt + 1, cnt = 0;
	struct cmd_target *these = calloc(most, sizeof(*these));
	enum run_end end = END_DONE;

	if (these == NULL) {
		run_complain("no memory");
		return END_NOTHING;
	}
	if (all)
		add_all(n, these, &cnt);
	for (int i = 1; i < r->arg_cnt && end == END_DONE; i++) {
		end = add_target(n, r->args[i], &these[cnt]);
		cnt += end == END_DONE && !is_among(these, cnt);
	}
	set_ages(these, cnt);
	if (end == END_DONE && strcmp(verb, "show") == 0)
		end = show(r, n, these, cnt);
	else if (end == END_DONE && strcmp(verb, "retry") == 0)
		end = cmd_edit_these(r, EDIT_RETRY, "retry", "retried",
		    these, cnt);
	else if (end == END_DONE)
		end = remove_these(r, these, cnt);
	free(these);
	return end;
}

enum run_end
cmd_queue_quarantine(struct run *r)
{
	static struct notes n;
	const char *verb = r->arg_cnt > 0 ? r->args[0] : "list";
	bool lists = strcmp(verb, "list") == 0;
	bool retries = strcmp(verb, "retry") == 0;
	bool all = (r->select.given & 1u << SELECT_ALL) != 0;
	enum run_end end;

	if (!lists && !retries && strcmp(verb, "show") != 0 &&
	    strcmp(verb, "remove") != 0) {
		run_complain("queue quarantine: \"%s\" is none of list, show, "
		    "retry, remove", verb);
		return END_USAGE;
	}
	if (lists ? r->arg_cnt > 1 || all : all ? !retries || r->arg_cnt > 1 :
	    r->arg_cnt < 2) {
		run_complain("queue quarantine %s: %s", verb, lists ?
		    "it takes no more" : retries ?
		    "which messages?  Say ids, or --all" :
		    "which messages?  Say ids");
		return END_USAGE;
	}
	if (strcmp(verb, "remove") != 0 && (r->quiet || r->text != NULL)) {
		run_complain("queue quarantine %s does not take --%s", verb,
		    r->quiet ? "quiet" : "text");
		return END_USAGE;
	}
	if (r->quiet && r->text != NULL) {
		run_complain("queue quarantine remove: --text is for the "
		    "sender, whom --quiet does not tell");
		return END_USAGE;
	}
	end = fetch_notes(r, &n);
	if (end == END_DONE)
		end = lists ? list(r, &n) : act(r, &n, verb, all);
	free(n.rows);
	return end;
}
