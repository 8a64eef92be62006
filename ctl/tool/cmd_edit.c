/*
 * cmd_edit.c - queue flush, hold, release, remove, bounce, move, reroute; and
 * those of a quarantine.
 *
 * First the whole selection is fetched, then, on a connection of its own since
 * a person may have thought about it in between, the edits go out, several at
 * a time.  What is under way is tried again for some seconds.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/tool/caller.h"
#include "ctl/tool/cmd.h"
#include "ctl/tool/fetch.h"
#include "base/json.h"
#include "ctl/tool/show.h"
#include "sys/clock.h"

#define AT_ONCE		16	/* edits under way			*/
#define ROUNDS		7	/* tries while it is busy; pauses double */
#define PAUSE_MS	100	/* the first, 6.3 s in all		*/
#define COMES_BACK_TRIES 50	/* for control, a pause before each	*/

struct job {
	struct id	 id;
	char		 queue[BLOCK_NAME_MAX + 1];
	enum tool_status status;	/* STATUS_BUSY until it is done	*/
	bool		 is_suspended;	/* some of it, when it was listed */
};

struct edit_run {
	enum edit	 action;
	const char	*name;		/* "remove"			*/
	const char	*past;		/* "removed"			*/
	struct span	 text;		/* a reason, a relay; or empty	*/
	struct job	*jobs;
	size_t		 cnt, cap;
	uint64_t	 oldest_ms;
	size_t		 waiting;	/* answers that are to come	*/
	enum run_end	 end;		/* of a question refused	*/
};

static bool
add_job(const struct listed_message *m, void *arg)
{
	struct edit_run *e = arg;
	struct job *j;

	if (e->cnt == e->cap) {
		size_t cap = e->cap * 2 + 16;
		struct job *more = reallocarray(e->jobs, cap, sizeof(*more));

		if (more == NULL)
			return false;
		e->jobs = more;
		e->cap = cap;
	}
	j = &e->jobs[e->cnt++];
	*j = (struct job){ .id = m->id, .status = STATUS_BUSY };
	for (size_t i = 0; i < m->delivery_len; i++)
		j->is_suspended |= m->deliveries[i].suspended_ms > 0;
	if (e->oldest_ms == 0 || m->arrived_ms < e->oldest_ms)
		e->oldest_ms = m->arrived_ms;
	return span_cstr(m->queue, j->queue, sizeof(j->queue));
}

static const char *
plural(size_t cnt)
{
	return cnt == 1 ? "" : "s";
}

/* Removing several is asked about. */
static enum run_end
confirm(const struct run *r, const struct edit_run *e)
{
	uint64_t now = (uint64_t)clock_wall_ms();
	char age[SHOW_MAX], answer[16];

	if ((e->action != EDIT_REMOVE && e->action != EDIT_BOUNCE &&
	    e->action != EDIT_EXPIRE && e->action != EDIT_GIVE_UP) ||
	    e->cnt < 2 || r->yes || r->dry_run)
		return END_DONE;
	fprintf(stderr, "%zu messages, the oldest of %s ago.  They will be "
	    "%s.\n", e->cnt,
	    show_age(now > e->oldest_ms ? now - e->oldest_ms : 0, age),
	    e->action == EDIT_REMOVE ? "lost, and no bounce is sent" :
	    "given up, and their senders told");
	if (!isatty(STDIN_FILENO)) {
		run_complain("nobody is there to be asked: say --yes");
		return END_USAGE;
	}
	fprintf(stderr, "%s %zu messages? [y/N] ", e->action == EDIT_BOUNCE ?
	    "Bounce" : e->action == EDIT_EXPIRE ? "Expire" : "Remove", e->cnt);
	if (fgets(answer, sizeof(answer), stdin) == NULL ||
	    (answer[0] != 'y' && answer[0] != 'Y')) {
		fprintf(stderr, "Nothing was %s.\n", e->past);
		return END_NOTHING;
	}
	return END_DONE;
}

static bool
take_done(unsigned type, const union msg *m, void *arg)
{
	struct edit_run *e = arg;

	if (type == MSG_tool_done) {
		e->end = run_status(&m->tool_done);
		return true;
	}
	if (type != MSG_edit_done || m->edit_done.request >= e->cnt ||
	    m->edit_done.status >= STATUS__COUNT)
		return false;
	e->jobs[m->edit_done.request].status = m->edit_done.status;
	return --e->waiting == 0;
}

/* Those from *next on that are to be done, at most AT_ONCE. */
static void
send_some(struct talk *t, struct edit_run *e, size_t *next)
{
	while (*next < e->cnt && e->waiting < AT_ONCE) {
		const struct job *j = &e->jobs[*next];
		struct msg_edit_ask m = {
			.request = *next, .queue = span_of(j->queue),
			.id = j->id, .action = e->action, .text = e->text,
			.who = caller_name(),
		};

		(*next)++;
		if (j->status != STATUS_BUSY)
			continue;
		talk_send(t, MSG_edit_ask, &m);
		e->waiting++;
	}
}

/*
 * Hear the answers.  What control had no time to say before it went away is
 * not known: it stays busy, and is tried again.
 */
static enum err
hear_some(struct talk *t, struct edit_run *e)
{
	enum err err = talk_wait(t, take_done, e);

	if (err != ERR_CLOSED)
		return err;
	for (int i = 0; i < COMES_BACK_TRIES; i++) {
		(void)poll(NULL, 0, PAUSE_MS);
		if ((err = talk_again(t)) != ERR_NONE)
			break;
	}
	return err == ERR_NONE ? ERR_CLOSED : err;
}

/* Every job that is still to be done, once. */
static enum run_end
run_round(struct talk *t, struct edit_run *e)
{
	size_t next = 0;

	while (next < e->cnt) {
		enum err err;

		e->waiting = 0;
		send_some(t, e, &next);
		if (e->waiting == 0)
			break;
		if ((err = hear_some(t, e)) != OK)
			return run_lost(err);
		if (e->end != END_DONE)
			return e->end;
	}
	return END_DONE;
}

static size_t
count(const struct edit_run *e, enum tool_status status)
{
	size_t n = 0;

	for (size_t i = 0; i < e->cnt; i++)
		n += e->jobs[i].status == status;
	return n;
}

static enum run_end
run_jobs(const struct run *r, struct edit_run *e)
{
	struct talk *t = NULL;
	enum run_end end = run_reach(r, &t);

	for (int i = 0; end == END_DONE && i < ROUNDS; i++) {
		if (i > 0)
			(void)poll(NULL, 0, PAUSE_MS << (i - 1));
		end = run_round(t, e);
		if (count(e, STATUS_BUSY) == 0)
			break;
	}
	talk_close(&t);
	return end;
}

static const char *
word_for(const struct edit_run *e, enum tool_status status)
{
	static const char *const words[STATUS__COUNT] = {
		[STATUS_DONE] = "done", [STATUS_MORE] = "failed",
		[STATUS_NONE] = "gone", [STATUS_BUSY] = "busy",
		[STATUS_REFUSED] = "refused", [STATUS_FAILED] = "failed",
		[STATUS_SILENT] = "done",
	};

	if (e->action == EDIT_RETRY && status == STATUS_REFUSED)
		return "damaged";
	return words[status];
}

/* Does a suspension keep it from what was just done to it? */
static bool
still_waits(const struct edit_run *e, const struct job *job)
{
	return job->is_suspended && job->status == STATUS_DONE &&
	    (e->action == EDIT_FLUSH || e->action == EDIT_RELEASE);
}

static void
report_waiting(const struct edit_run *e)
{
	size_t cnt = 0;

	for (size_t i = 0; i < e->cnt; i++)
		cnt += still_waits(e, &e->jobs[i]);
	if (cnt > 0)
		run_complain("%zu of them wait%s all the same for a relay or "
		    "destination that is suspended: posternctl suspend", cnt,
		    cnt == 1 ? "s" : "");
}

static bool
is_done(const struct job *job)
{
	return job->status == STATUS_DONE || job->status == STATUS_SILENT;
}

/* Whether senders are told of what was given up. */
static void
report_senders(const struct edit_run *e)
{
	size_t told = count(e, STATUS_DONE), silent = count(e, STATUS_SILENT);

	if (e->action != EDIT_GIVE_UP)
		return;
	if (told > 0)
		printf("%zu of the senders %s told.\n", told, told == 1 ?
		    "is" : "are");
	if (silent > 0)
		printf("Of %zu nobody can be told: the sender cannot be read, "
		    "or is none, or wants no report.\n", silent);
}

static void
report_job(const struct run *r, const struct edit_run *e,
    const struct job *job)
{
	struct json j = { .out = stdout };
	const char *status = r->dry_run ? "meant" : word_for(e, job->status);
	char id[ID_TEXT_LEN + 1];

	id_text(job->id, id);
	if (!r->json) {
		if (r->dry_run)
			puts(id);
		else if (!is_done(job))
			fprintf(stderr, "%s: %s\n", id, status);
		return;
	}
	json_open(&j, NULL, '{');
	json_text(&j, "id", span_of(id));
	json_text(&j, "queue", span_of(job->queue));
	json_text(&j, "action", span_of(e->name));
	json_text(&j, "status", span_of(status));
	if (still_waits(e, job))
		json_flag(&j, "suspended", true);
	if (e->action == EDIT_GIVE_UP && !r->dry_run && is_done(job))
		json_flag(&j, "told", job->status == STATUS_DONE);
	json_close(&j, '}');
}

static enum run_end
report(const struct run *r, const struct edit_run *e)
{
	size_t done = count(e, STATUS_DONE) + count(e, STATUS_SILENT);

	for (size_t i = 0; i < e->cnt; i++)
		report_job(r, e, &e->jobs[i]);
	if (r->dry_run) {
		if (!r->json)
			printf("%zu message%s would be %s.\n", e->cnt,
			    plural(e->cnt), e->past);
		return END_DONE;
	}
	if (!r->json && !(r->quiet && e->action == EDIT_FLUSH)) {
		printf("%zu message%s %s.\n", done, plural(done), e->past);
		report_senders(e);
		report_waiting(e);
	}
	return done == e->cnt ? END_DONE : END_NOTHING;
}

static enum run_end
fetch_jobs(struct run *r, struct edit_run *e)
{
	struct talk *t;
	uint64_t cnt;
	enum run_end end = run_reach(r, &t);

	if (end != END_DONE)
		return end;
	end = fetch_messages(t, &r->select, true, add_job, e, &cnt);
	talk_close(&t);
	if (end == END_DONE && e->cnt == 0 && !r->quiet) {
		if (!r->json)
			puts("No message matches.");
		return END_NOTHING;
	}
	return end;
}

static enum run_end
edit_with(struct run *r, enum edit action, const char *name, const char *past,
    const char *text)
{
	struct edit_run e = { .action = action, .name = name, .past = past };
	enum run_end end;

	if (!select_is_said(&r->select)) {
		run_complain("queue %s: which messages?  "
		    "Say ids, a condition, or --all", name);
		return END_USAGE;
	}
	if (text != NULL)
		e.text = span_of(text);
	end = fetch_jobs(r, &e);
	if (end == END_DONE)
		end = confirm(r, &e);
	if (end == END_DONE && !r->dry_run && (end = run_jobs(r,
	    &e)) != END_DONE && count(&e, STATUS_BUSY) < e.cnt)
		(void)report(r, &e);	/* so far it went */
	if (end == END_DONE)
		end = report(r, &e);
	free(e.jobs);
	return end;
}

static enum run_end
edit(struct run *r, enum edit action, const char *name, const char *past)
{
	return edit_with(r, action, name, past, NULL);
}

enum run_end
cmd_edit_these(struct run *r, enum edit action, const char *name,
    const char *past, const struct cmd_target *these, size_t cnt)
{
	struct edit_run e = { .action = action, .name = name, .past = past };
	enum run_end end = END_DONE;
	bool fits = true;

	if (action == EDIT_GIVE_UP && r->text != NULL)
		e.text = span_of(r->text);
	for (size_t i = 0; fits && i < cnt; i++) {
		struct listed_message m = {
			.id = these[i].id, .queue = span_of(these[i].queue),
			.arrived_ms = these[i].arrived_ms,
		};

		fits = add_job(&m, &e);
	}
	if (!fits) {
		run_complain("no memory");
		end = END_NOTHING;
	}
	if (end == END_DONE)
		end = confirm(r, &e);
	if (end == END_DONE && !r->dry_run)
		end = run_jobs(r, &e);
	if (end == END_DONE)
		end = report(r, &e);
	free(e.jobs);
	return end;
}

enum run_end
cmd_queue_flush(struct run *r)
{
	return edit(r, EDIT_FLUSH, "flush", "flushed");
}

enum run_end
cmd_queue_hold(struct run *r)
{
	return edit(r, EDIT_HOLD, "hold", "held");
}

enum run_end
cmd_queue_release(struct run *r)
{
	return edit(r, EDIT_RELEASE, "release", "released");
}

enum run_end
cmd_queue_remove(struct run *r)
{
	return edit(r, EDIT_REMOVE, "remove", "removed");
}

enum run_end
cmd_queue_bounce(struct run *r)
{
	return edit_with(r, EDIT_BOUNCE, "bounce", "bounced", r->text);
}

enum run_end
cmd_queue_expire(struct run *r)
{
	return edit(r, EDIT_EXPIRE, "expire", "expired");
}

enum run_end
cmd_queue_move(struct run *r)
{
	if (r->via == NULL) {
		run_complain("queue move: to which relay?  Say --via RELAY");
		return END_USAGE;
	}
	return edit_with(r, EDIT_MOVE, "move", "moved", r->via);
}

enum run_end
cmd_queue_reroute(struct run *r)
{
	return edit(r, EDIT_REROUTE, "reroute", "rerouted");
}
