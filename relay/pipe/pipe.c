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
#include "relay/local/local.h"
#include "relay/relay_type.h"
#include "relay/pipe/launcher.h"
#include "relay/pipe/pipe_args.h"
#include "relay/pipe/pipe_run.h"

/* A local delivery agent: `type' says how it is started and judged. */
struct agent {
	const char	*type;
	const char	*name;		/* of the program; NULL: by `args' */
	bool		 is_once;	/* for all recipients together, unless
				 * a further argument is about one	*/
	struct pipe_judge judge;
	bool		 is_local;	/* no program at all		*/
};

static const struct agent agents[] = {
	{ .type = "pipe" },
	{ .type = "maildrop", .name = "maildrop", .is_once = true,
	    .judge = { .by_status = true, .name = "maildrop" } },
	{ .type = "dovecot", .name = "dovecot-lda",
	    .judge = { .by_status = true } },
	{ .type = "local", .is_local = true },
};

struct job {
	TAILQ_ENTRY(job) entry;
	struct pipe	*pipe;
	struct delivery	*delivery;	/* NULL: free			*/
	uint32_t	 rcpt;		/* whose turn it is		*/
	struct pipe_run	 run;
};

struct pipe {
	struct ev_loop	*loop;
	struct slice	 block;
	struct launcher	*launcher;
	const struct agent *agent;
	const char	*words;		/* the option that has arguments */
	bool		 is_once;	/* one run for all recipients	*/
	struct pipe_judge judge;
	char		 program[1024];
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

/* NAME -f SENDER, and -d RECIPIENT where its type is one for each. */
static enum err
add_agent_args(const struct job *j, struct pipe_args *out)
{
	const struct agent *a = j->pipe->agent;
	const struct delivery *d = j->delivery;
	enum err e;

	if ((e = pipe_args_add_value(out, span_of(a->name))) == OK &&
	    (e = pipe_args_add_value(out, SPAN("-f"))) == OK)
		e = pipe_args_add_value(out, d->sender);
	if (e == OK && !a->is_once &&
	    (e = pipe_args_add_value(out, SPAN("-d"))) == OK)
		e = pipe_args_add_value(out, d->rcpts[j->rcpt].address);
	return e;
}

/* The words of `args' or `extra_args' for one recipient. */
static enum err
add_args(const struct job *j, struct pipe_args *out)
{
	const char *option = j->pipe->words;
	const struct delivery *d = j->delivery;
	struct span piece = SPAN("");
	struct pipe_facts f = {
		.sender = d->sender, .recipient = d->rcpts[j->rcpt].address,
		.client_ip = d->client, .client_ehlo = d->helo,
		.client_protocol = d->proto, .client_host = SPAN(""),
		.client_auth = SPAN(""),
	};
	unsigned cnt = slice_count(&j->pipe->block, option);
	enum err e = OK;

	/* RFC 3848: the A says that the tenant is a login. */
	if (d->proto.len > 0 && d->proto.ptr[d->proto.len - 1] == 'A')
		f.client_auth = d->tenant;
	if (cnt > 0 && d->header_len > 0)
		(void)delivery_text(d, 0, &piece);
	f.message_id = pipe_args_message_id(piece);
	for (unsigned i = 0; i < cnt && e == OK; i++)
		e = pipe_args_add(out, slice_text(&j->pipe->block, option, i),
		    &f);
	return e;
}

static enum err
make_args(const struct job *j, struct pipe_args *out)
{
	enum err e = OK;

	memset(out, 0, offsetof(struct pipe_args, bytes));
	if (j->pipe->agent->is_local)
		return local_args(&j->pipe->block, j->delivery->sender,
		    j->delivery->rcpts[j->rcpt].address, out);
	if (j->pipe->agent->name != NULL)
		e = add_agent_args(j, out);
	return e == OK ? add_args(j, out) : e;
}

/* Of this recipient, or of all that are left; the next one's turn. */
static void
decide(struct job *j, const struct verdict *v)
{
	struct delivery *d = j->delivery;
	const struct outcome *o = delivery_outcome(d, v,
	    span_of(j->pipe->program));

	do
		delivery_decide(d, j->rcpt++, o);
	while (j->pipe->is_once && j->rcpt < d->rcpt_cnt);
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
		e = make_args(j, args);
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

	if (status == LAUNCHER_NOT_RUN && end == PIPE_ENDED)
		return verdict_own(OWN_not_started, STAGE_BODY);
	if (j->pipe->agent->is_local) {
		v = local_verdict(status, out, err, text);
		if (end == PIPE_ENDED || v.class == CLASS_DONE)
			return v;
	} else if (end == PIPE_ENDED) {
		return pipe_verdict(&j->pipe->judge, status, out, err, text);
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
	else if (p->agent->is_local)
		asking_ended(&p->asking, no, status);
}

/* Half of us is dead: master starts both anew. */
static void
launcher_gone(void *arg)
{
	boot_fatal("the launcher is gone", 0);
}

/* The calls of relay_type.h. */

static const struct agent *
find_agent(struct span type)
{
	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++)
		if (span_eq(type, span_of(agents[i].type)))
			return &agents[i];
	return NULL;
}

static void
read_words(struct pipe *p)
{
	p->words = p->agent->name == NULL ? "args" : "extra_args";
	p->is_once = p->agent->is_once;
	for (unsigned i = 0; i < slice_count(&p->block, p->words); i++)
		if (pipe_args_is_for_one(slice_text(&p->block, p->words, i)))
			p->is_once = false;
}

static bool
name_program(struct pipe *p, const struct slice *block)
{
	struct span name = p->agent->is_local ? SPAN("local") :
	    slice_text(block, p->agent->name == NULL ? "args" : "path", 0);

	return span_cstr(name, p->program, sizeof(p->program));
}

static enum err
prepare(void **out, const struct relay_type_env *env)
{
	struct sandbox box = { .role = ROLE_LAUNCHER, .root = "/" };
	unsigned cnt = (unsigned)slice_num(&env->block, "max_processes");
	struct pipe *p = calloc(1, sizeof(*p) + cnt * sizeof(p->jobs[0]));

	if (p == NULL || (p->agent = find_agent(slice_text(&env->block,
	    "type", 0))) == NULL || !name_program(p, &env->block))
		return ERR_SYS;
	p->judge = p->agent->judge;
	p->job_cnt = cnt;
	p->block = env->block;
	read_words(p);
	*out = p;
	if (p->agent->is_local)
		return local_start(&p->launcher, env);
	boot_ids(env->boot, &box.uid, &box.gid);
	box.wish = SANDBOX_REQUIRE;
	box.calls_out = slice_flag(&env->block, "network");
	return launcher_start(&p->launcher, p->program, &box);
}

static enum err
open_pipes(void **arg, const struct relay_type_env *env)
{
	static const struct launcher_calls calls = {
		.ended = program_ended, .gone = launcher_gone,
	};
	struct span pattern = slice_text(&env->block, "error_pattern", 0);
	struct pipe *p = *arg;

	p->loop = env->loop;
	if (pattern.len > 0 && regex_open(&p->judge.pattern, pattern) != OK)
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
	asking_init(&p->asking, p->loop, p->launcher, &p->block, &p->last_no);
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
