/* asking.c - one child a question, and its words. */
#include <sys/wait.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/local/asking.h"
#include "relay/local/forward.h"
#include "relay/local/local.h"
#include "relay/local/task.h"
#include "relay/to_queue.h"
#include "sys/clock.h"

#define KILL_MS	200	/* from one wish that a child end to the next */

static void
answer(const struct asking_row *r, enum user_found found, struct span names)
{
	const struct link *l = r->queue->link;

	if (l != NULL && link_peer(l)->start == r->start)
		to_queue_user(r->queue->link, r->no, found, names);
}

/* Its standard input is empty, and what it has to say goes one way. */
static enum err
run_it(struct asking *a, struct asking_row *r, const struct pipe_args *args)
{
	enum err e = ERR_SYS;
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) == -1)
		return ERR_SYS;
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) == 0) {
		const int fds[LAUNCHER_FDS] = { in[0], out[1], out[1], in[1] };

		r->run = ++*a->last_run;
		e = launcher_run(a->launcher, r->run, args, fds);
		close(out[1]);
		if (e == OK)
			r->out = out[0];
		else
			close(out[0]);
	}
	close(in[0]);
	close(in[1]);
	if (e == OK)
		launcher_end_text(a->launcher, r->run);
	return e;
}

/* One whose name no program could be told is nobody, as he is for his mail. */
static bool
begin(struct asking *a, struct asking_row *r)
{
	const struct span rcpt = { r->rcpt, r->len };
	static struct pipe_args args;
	enum err e;

	memset(&args, 0, offsetof(struct pipe_args, bytes));
	e = a->by_names ? local_names(a->block, rcpt, &args) :
	    local_args(a->block, SPAN(TASK_ASK), rcpt, &args);
	if (e == OK && r->until_ms > clock_mono_ms())
		e = run_it(a, r, &args);
	else if (e == OK)
		e = ERR_AGAIN;
	if (e != OK)
		answer(r, e == ERR_PEER ? USER_NOBODY : USER_LATER, SPAN(""));
	return e == OK;
}

static void
row_free(struct asking *a, struct asking_row *r)
{
	a->cnt--;
	free(r);
}

static void
pump(struct asking *a)
{
	struct asking_row *r;

	while (a->run_cnt < ASKING_RUNS &&
	    (r = TAILQ_FIRST(&a->waiting)) != NULL) {
		TAILQ_REMOVE(&a->waiting, r, entry);
		if (!begin(a, r)) {
			row_free(a, r);
			continue;
		}
		TAILQ_INSERT_TAIL(&a->running, r, entry);
		if (a->run_cnt++ == 0)
			timer_set(&a->patience, ASKING_MS);
	}
}

/* They began in this order, so the first is the one that is late first. */
static void
late(struct timer *t, void *arg)
{
	struct asking *a = arg;
	struct asking_row *r = TAILQ_FIRST(&a->running);
	int64_t now_ms = clock_mono_ms();

	if (r == NULL)
		return;
	if (r->until_ms > now_ms) {
		timer_set(t, r->until_ms - now_ms);
		return;
	}
	for (; r != NULL && r->until_ms <= now_ms; r = TAILQ_NEXT(r, entry))
		launcher_kill(a->launcher, r->run);
	timer_set(t, KILL_MS);
}

void
asking_init(struct asking *a, struct ev_loop *loop, struct launcher *l,
    const struct slice *block, bool by_names, uint64_t *last_run)
{
	memset(a, 0, sizeof(*a));
	a->launcher = l;
	a->block = block;
	a->by_names = by_names;
	a->last_run = last_run;
	TAILQ_INIT(&a->waiting);
	TAILQ_INIT(&a->running);
	timer_init(&a->patience, loop, late, a);
}

void
asking_begin(struct asking *a, struct attempts_queue *q, uint64_t no,
    struct span rcpt)
{
	struct asking_row *r = NULL;

	if (a->cnt < ASKING_MAX && rcpt.len > 0 && rcpt.len <= sizeof(r->rcpt))
		r = calloc(1, sizeof(*r));
	if (r == NULL) {
		to_queue_user(q->link, no, USER_LATER, SPAN(""));
		return;
	}
	a->cnt++;
	r->queue = q;
	r->start = link_peer(q->link)->start;
	r->no = no;
	r->until_ms = clock_mono_ms() + ASKING_MS;
	memcpy(r->rcpt, rcpt.ptr, rcpt.len);
	r->len = rcpt.len;
	TAILQ_INSERT_TAIL(&a->waiting, r, entry);
	pump(a);
}

static void
log_trouble(struct span why)
{
	struct log_line l;

	log_begin(&l, LOG_trouble);
	log_str(&l, LOG_KEY_why, why);
	log_end(&l);
}

/* What is in front for the log. */
static struct span
take_remark(struct span words)
{
	if (!span_begins(words, SPAN("#")))
		return words;
	log_trouble(span_tail(span_cut(&words, '\n'), 1));
	return words;
}

static enum user_found
judge(int status)
{
	if (status == LAUNCHER_NO_USER)
		return USER_NOBODY;
	if (status == LAUNCHER_ROOT)
		return USER_IS;
	if (status < 0 || !WIFEXITED(status))
		return USER_LATER;
	switch (WEXITSTATUS(status)) {
	case TASK_NO_USER:
		return USER_NOBODY;
	case TASK_DONE:
	case TASK_ROOT:			/* his mail waits for an alias */
		return USER_IS;
	default:
		return USER_LATER;
	}
}

void
asking_ended(struct asking *a, uint64_t run, int status)
{
	char words[FORWARD_OUT_MAX + FORWARD_WHY_MAX];
	struct span report = { words, 0 };
	enum user_found found = judge(status);
	struct asking_row *r;
	ssize_t len;

	TAILQ_FOREACH(r, &a->running, entry)
		if (r->run == run)
			break;
	if (r == NULL)
		return;
	TAILQ_REMOVE(&a->running, r, entry);
	a->run_cnt--;
	if ((len = read(r->out, words, sizeof(words))) > 0)
		report.len = (size_t)len;
	close(r->out);
	answer(r, found, found == USER_IS ? take_remark(report) : SPAN(""));
	if (found == USER_LATER)
		log_trouble(report.len == 0 ?
		    SPAN("a user was not looked up in time") : report);
	row_free(a, r);
	pump(a);
}

bool
asking_is_busy(const struct asking *a)
{
	return a->cnt > 0;
}
