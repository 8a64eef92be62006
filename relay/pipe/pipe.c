/*
 * pipe.c - relay types pipe, maildrop and dovecot: each recipient's copy is
 * given to a program, or one for all of them to a program that asks nobody.
 * Type local is one of them, with relay/local in place of a program.
 *
 * A delivery has one program at a time, a recipient after the other; several
 * deliveries have theirs at the same time.  Before the next recipient the text
 * must have been read to its end (delivery.h), whether its program wanted it
 * or not.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "relay/local/asking.h"
#include "relay/relay_type.h"
#include "relay/pipe/agent.h"
#include "relay/pipe/launcher.h"
#include "relay/pipe/pipe_run.h"

struct job {
	TAILQ_ENTRY(job) entry;
	struct pipe	*pipe;
	struct delivery	*delivery;	/* NULL: free			*/
	uint32_t	 rcpt;		/* whose turn it is		*/
	struct pipe_run	 run;
};

struct pipe {
	struct ev_loop	*loop;
	struct launcher	*launcher;
	struct agent	 agent;
	int64_t		 timeout_ms;
	uint64_t	 last_no;
	bool		 is_draining;
	struct asking	 asking;	/* of type local		*/
	TAILQ_HEAD(, delivery) waiting;
	TAILQ_HEAD(, job) idle, busy;
	unsigned	 job_cnt;
	struct job	 jobs[];
};

static void	next_rcpt(struct job *);
static void	pump(struct pipe *);

/* Of this recipient, or of all that are left; the next one's turn. */
static void
decide(struct job *j, const struct verdict *v)
{
	struct delivery *d = j->delivery;
	const struct outcome *o = delivery_outcome(d, v,
	    span_of(j->pipe->agent.program));

	do
		delivery_decide(d, j->rcpt++, o);
	while (j->pipe->agent.is_once && j->rcpt < d->rcpt_cnt);
}

static void
finish(struct job *j)
{
	struct pipe *p = j->pipe;
	struct delivery *d = j->delivery;

	d->on_text = NULL;
	j->delivery = NULL;
	TAILQ_REMOVE(&p->busy, j, entry);
	TAILQ_INSERT_TAIL(&p->idle, j, entry);
	delivery_finish(d);
}

/* Read past what nobody wanted, to where the text can begin anew. */
static void
wind_on(struct delivery *d, void *arg)
{
	struct job *j = arg;
	struct span unwanted;
	enum err e;

	d->on_text = NULL;
	while ((e = delivery_text(d, 0, &unwanted)) == OK)
		delivery_drop(d, 1);
	if (e == ERR_AGAIN) {
		d->on_text = wind_on;
		d->on_text_arg = j;
		return;
	}
	if (e == ERR_NONE)
		delivery_rewind(d);
	next_rcpt(j);
}

/* False: there was nothing to start, and the recipient is decided. */
static bool
start_run(struct job *j)
{
	struct pipe *p = j->pipe;
	struct pipe_args *args = calloc(1, sizeof(*args));
	struct verdict v = verdict_own(OWN_not_started, STAGE_BODY);
	enum err e = ERR_SYS;

	if (args != NULL)
		e = agent_args(&p->agent, j->delivery, j->rcpt, args);
	if (e == ERR_PEER || e == ERR_FULL)
		v = verdict_own(OWN_recipient_no_argument, STAGE_RCPT);
	if (e == OK)
		e = pipe_run_begin(&j->run, ++p->last_no, j->delivery, args,
		    p->timeout_ms);
	free(args);
	if (e != OK)
		decide(j, &v);
	return e == OK;
}

static void
first_piece_came(struct delivery *d, void *arg)
{
	d->on_text = NULL;
	next_rcpt(arg);
}

static void
give_up(struct job *j)
{
	struct pipe *p = j->pipe;

	finish(j);
	pump(p);
}

/* Go on with whoever is undecided, as soon as there is text to begin with. */
static void
next_rcpt(struct job *j)
{
	struct delivery *d = j->delivery;
	struct span piece;
	enum err e;

	for (; j->rcpt < d->rcpt_cnt && !j->pipe->is_draining; ) {
		if (d->rcpts[j->rcpt].outcome != NULL) {
			j->rcpt++;
			continue;
		}
		e = delivery_text(d, 0, &piece);
		if (e == ERR_AGAIN) {
			d->on_text = first_piece_came;
			d->on_text_arg = j;
			return;
		}
		if (e == ERR_CLOSED)
			break;
		if (start_run(j))
			return;
	}
	give_up(j);
}

/* A delivery of ours that was just done when its time ran out is done. */
static struct verdict
judge(const struct job *j, enum pipe_end end, int status,
    struct verdict_text *text)
{
	const struct pipe_run *r = &j->run;
	struct span out = { r->out.bytes, r->out.len };
	struct span err = { r->err.bytes, r->err.len };
	struct verdict v;

	if (end == PIPE_ENDED || j->pipe->agent.is_local) {
		v = agent_verdict(&j->pipe->agent, status, out, err, text);
		if (end == PIPE_ENDED || v.class == CLASS_DONE)
			return v;
	}
	return verdict_own(OWN_program_late, STAGE_BODY);
}

static void
run_ended(struct pipe_run *r, enum pipe_end end, int status, void *arg)
{
	struct job *j = arg;
	struct verdict_text text;
	struct verdict v;

	v = judge(j, end, status, &text);
	if (end == PIPE_TEXT_LOST) {	/* the queue is away: no result */
		give_up(j);
		return;
	}
	decide(j, &v);
	if (j->rcpt < j->delivery->rcpt_cnt)
		wind_on(j->delivery, j);
	else
		next_rcpt(j);
}

static void
pump(struct pipe *p)
{
	struct delivery *d;
	struct job *j;

	while (!p->is_draining && (d = TAILQ_FIRST(&p->waiting)) != NULL &&
	    (j = TAILQ_FIRST(&p->idle)) != NULL) {
		TAILQ_REMOVE(&p->waiting, d, wait_entry);
		TAILQ_REMOVE(&p->idle, j, entry);
		TAILQ_INSERT_TAIL(&p->busy, j, entry);
		j->delivery = d;
		j->rcpt = 0;
		next_rcpt(j);
	}
}

/* Are its recipients users of this host, about whom queues ask? */
static bool
has_users(const struct pipe *p)
{
	return p->agent.is_local || p->agent.as_recipient;
}

/* The launcher's calls. */

static void
program_ended(uint64_t no, int status, void *arg)
{
	struct pipe *p = arg;
	struct job *j;

	TAILQ_FOREACH(j, &p->busy, entry)
		if (j->run.is_busy && !j->run.is_dead && j->run.no == no)
			break;
	if (j != NULL)
		pipe_run_died(&j->run, status);
	else if (has_users(p))
		asking_ended(&p->asking, no, status);
}

/* Half of us is dead: master starts both anew. */
static void
launcher_gone(void *arg)
{
	boot_fatal("the launcher is gone", 0);
}

/* The calls of relay_type.h. */

static enum err
prepare(void **out, const struct relay_type_env *env)
{
	unsigned cnt = (unsigned)slice_num(&env->block, "max_processes");
	struct pipe *p = calloc(1, sizeof(*p) + cnt * sizeof(p->jobs[0]));

	if (p == NULL || !agent_init(&p->agent, &env->block))
		return ERR_SYS;
	p->job_cnt = cnt;
	*out = p;
	return agent_start(&p->launcher, &p->agent, env);
}

static enum err
open_pipes(void **arg, const struct relay_type_env *env)
{
	static const struct launcher_calls calls = {
		.ended = program_ended, .gone = launcher_gone,
	};
	struct pipe *p = *arg;

	p->loop = env->loop;
	if (agent_open(&p->agent) != OK)
		return ERR_SYS;
	p->timeout_ms = (int64_t)slice_num(&env->block, "timeout");
	TAILQ_INIT(&p->waiting);
	TAILQ_INIT(&p->idle);
	TAILQ_INIT(&p->busy);
	for (unsigned i = 0; i < p->job_cnt; i++) {
		struct job *j = &p->jobs[i];

		j->pipe = p;
		pipe_run_init(&j->run, p->loop, p->launcher,
		    slice_flag(&env->block, "crlf"), run_ended, j);
		TAILQ_INSERT_TAIL(&p->idle, j, entry);
	}
	asking_init(&p->asking, p->loop, p->launcher, &p->agent.block,
	    p->agent.as_recipient, &p->last_no);
	return launcher_open(p->launcher, p->loop, &calls, p);
}

static uint32_t
slots(const void *arg)
{
	const struct pipe *p = arg;

	return SLOTS_EACH * p->job_cnt;
}

static void
take(void *arg, struct delivery *d)
{
	struct pipe *p = arg;

	delivery_prefetch(d);
	TAILQ_INSERT_TAIL(&p->waiting, d, wait_entry);
	pump(p);
}

static void
user(void *arg, struct attempts_queue *q, uint64_t no, struct span rcpt)
{
	struct pipe *p = arg;

	asking_begin(&p->asking, q, no, rcpt);
}

/* Programs that run may end; nothing else is begun. */
static void
drain(void *arg)
{
	struct pipe *p = arg;
	struct delivery *d;

	p->is_draining = true;
	while ((d = TAILQ_FIRST(&p->waiting)) != NULL) {
		TAILQ_REMOVE(&p->waiting, d, wait_entry);
		delivery_finish(d);
	}
}

static bool
is_busy(const void *arg)
{
	const struct pipe *p = arg;

	return !TAILQ_EMPTY(&p->busy) || asking_is_busy(&p->asking);
}

const struct relay_type relay_type_pipe = {
	.prepare = prepare,
	.open = open_pipes, .slots = slots, .take = take, .drain = drain,
	.is_busy = is_busy, .user = user,
};
