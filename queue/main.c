/*
 * postern-queue - keeps mail until it is delivered.  In the mail's order:
 *
 *	from_edge	what an edge says
 *	intake		what an edge may say (_stream: one message coming in)
 *	expand		whom a recipient stands for (alias: by a table;
 *			forward: by an expression)
 *	route		which relay a recipient is for (pattern: of many)
 *			(_find: the rule and the words; _sender: can it have
 *			bounces; _utf8: who can have SMTPUTF8)
 *	split		a message's deliveries
 *	able		what the relays can carry
 *	to_edge		grants, credit, and "taken" once it is on disk
 *	store		the front of an engine (store_engine.h).  lmdb: LMDB,
 *			with a thread that writes (apply, edit, hasten,
 *			answer, sweep) and one that reads (list)
 *			(envelope, text); row, aside, discard and format are
 *			of both; find, walk and rows see through keys that a
 *			flipped bit has put out of order, stray puts them back
 *	aside		a delivery that cannot be read is held
 *	quarantine	what was set aside and can be read again is due
 *	lone		rows that belong to no message
 *	due		which deliveries wait, for which destinations (_take:
 *			the next of them; _known: by their names; _note: rows
 *			that came to be)
 *	index		whether the index of due rows is right
 *	flow		those of one tenant and domain, read bit by bit
 *	turn		whose turn it is: tenants, and of one his flows
 *	hasten		rows that a clock set back would keep waiting, or that
 *			wait where a suspension has ended
 *	destination	how much one of them is trusted with
 *	standing, host	is it there; whom a relay found behind it
 *	lane		the slots of a relay, and who takes turns for them
 *	dispatch	whose turn it is (_slot: what is under way; _load: its
 *			envelope; _stray: what no relay will have; _worker: who
 *			is there; _claim: what they say they run; _result: what
 *			came of it; _back: what comes back untried; _ring: who
 *			takes turns)
 *	reroute		what the routes want elsewhere by now
 *	to_relay	a delivery, its recipients, the text it pulls
 *	from_relay	results
 *	outcome		what they come to (_settle: the commit that keeps it)
 *	retry		when again
 *	expire		what was here for its lifetime
 *	suspect		what was under way when relays died
 *	suspend		what an administrator has wait (suspension: the set)
 *	follow		and follows the routes meanwhile
 *	telling		which senders are told, and when (_write: one of them)
 *	duty		which report is due
 *	aging		and to whose sender, though nothing was tried
 *	vitals		how it all is, in numbers
 *	addressee	who gets what we write: whom its address stands for
 *	bounce		the report to the sender (_words for people, _fields for
 *			programs, _original returned; _status: what a reply is)
 *	digest		what nobody could be told, for the postmaster, in an
 *			hour (_text: the message)
 *	from_control	what an administrator asks
 *	control		how much, where to (browse: what), edits
 *	edit		hold, release, flush, remove (_pending: of what)
 *	errand		bounce, move, reroute
 *	to_control	answers
 *
 * As a proxy it keeps nothing, and is another process: proxy/proxy.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/walk/aging.h"
#include "queue/control/control.h"
#include "queue/bounce/digest.h"
#include "queue/plan/dispatch.h"
#include "queue/control/edit.h"
#include "queue/control/errand.h"
#include "queue/walk/follow.h"
#include "queue/from_control.h"
#include "queue/from_edge.h"
#include "queue/from_relay.h"
#include "queue/walk/index.h"
#include "queue/intake/intake.h"
#include "queue/plan/outcome.h"
#include "queue/proxy/proxy.h"
#include "queue/walk/lone.h"
#include "queue/walk/quarantine.h"
#include "queue/walk/vitals.h"
#include "queue/queue.h"
#include "queue/route/reroute.h"
#include "queue/route/route_utf8.h"
#include "queue/plan/suspend.h"
#include "queue/bounce/telling.h"
#include "sys/counters.h"

static void
peer(struct boot *b, int fd, const struct link_peer *p, void *arg)
{
	struct queue *q = arg;

	switch (p->role) {
	case ROLE_EDGE:
	case ROLE_PICKUP:
		from_edge_peer(q, fd, p);
		break;
	case ROLE_RELAY:
	case ROLE_MAILDIR:
	case ROLE_PIPE:
	case ROLE_BLACKHOLE:
	case ROLE_LOCAL:
		from_relay_peer(q, fd, p);
		break;
	case ROLE_CONTROL:
		from_control_peer(q, fd, p);
		break;
	default:
		close(fd);
		break;
	}
}

static void
peer_gone(struct boot *b, uint32_t no, void *arg)
{
	dispatch_gone(arg, no);
}

/* What is queued follows the new routes: see reroute.h. */
static enum err
reload(struct boot *b, struct span bytes, void *arg)
{
	struct queue *q = arg;
	struct settings s;
	enum queue_utf8 utf8;
	bool asked, expanded;
	int lacks;
	enum err e = settings_read(&s, bytes);

	if (e != OK)
		return e;
	if (strcmp(s.path, q->settings.path) != 0 ||
	    s.engine != q->settings.engine) {
		settings_fini(&s);
		return ERR_PEER;
	}
	asked = route_asks(q->settings.routes);
	expanded = q->expanders.cnt > 0;
	utf8 = route_utf8(q->settings.routes, &lacks);
	settings_fini(&q->settings);
	q->settings = s;
	queue_use_aliases(q);
	q->routes_turn++;
	route_set_suspended(s.routes, q->suspensions);
	store_set_limits(q->store, &s.limits);
	due_set_longest(q->due, settings_longest_ms(&s));
	able_tell(&q->able, s.routes);
	if (route_asks(s.routes) != asked ||
	    (q->expanders.cnt > 0) != expanded ||
	    route_utf8(s.routes, &lacks) != utf8)
		intake_tell(q->intake);
	dispatch_reload(q->dispatch);
	suspend_look(q);
	follow_start(q->follow);
	digest_look(q->digest);
	return OK;
}

static void
drain(struct boot *b, uint32_t patience_ms, void *arg)
{
	queue_drain(arg, patience_ms);
}

static uint64_t
holding(struct boot *b, void *arg)
{
	const struct queue *q = arg;

	return q->message_cnt;
}

static void
space(enum queue_full full, const char *why, void *arg)
{
	struct queue *q = arg;

	q->full = full;
	if (full == QUEUE_SHUT)
		log_why(LOG_trouble, why, 0);
	else if (full == QUEUE_FULL)
		log_why(LOG_full, why, 0);
	else
		log_why(LOG_resumed, "there is room again", 0);
	intake_tell(q->intake);
}

/*
 * What a disk refuses it may take again; what is damaged stays so.  A page
 * further out than any file reaches (EFBIG) comes of a damaged number.
 */
__attribute__((noreturn))
static void
give_up(const char *why, int error)
{
	if (error == EUCLEAN || error == EFBIG)
		boot_damaged(why, error);
	boot_fatal(why, error);
}

static void
broken(const char *why, int error, void *arg)
{
	give_up(why, error);
}

/* What suspends comes first: nothing that it keeps may go out before. */
static void
ready(const struct store_ready *r, void *arg)
{
	struct queue *q = arg;

	if (!store_engine_keeps(q->settings.engine))
		log_why(LOG_emptied, "its type is memory: what it held before "
		    "is lost, if it held anything", 0);
	queue_ready(q, r);
	suspend_look(q);
	telling_start(q->reports);
	digest_look(q->digest);
	intake_tell(q->intake);
}

static void
owned(unsigned shard, void *arg)
{
	struct queue *q = arg;

	queue_owned(q, shard);
	follow_start(q->follow);
}

static enum err
open_store(struct queue *q)
{
	static const struct store_calls calls = {
		.space = space, .broken = broken, .ready = ready,
		.held = queue_held, .rows = queue_rows, .owned = owned,
		.disowned = queue_disowned,
	};

	q->full = QUEUE_SHUT;		/* until it is ready */
	return store_open(&q->store, &(struct store_start){
	    .engine = q->settings.engine, .loop = q->loop,
	    .dir = boot_root(q->boot), .limits = &q->settings.limits,
	    .calls = &calls, .arg = q });
}

static enum err
open_parts(struct queue *q)
{
	static const struct due_calls due_calls = {
		dispatch_ready, dispatch_vanish, dispatch_is_strange
	};
	enum err e;

	if ((e = open_store(q)) != OK ||
	    (e = intake_open(&q->intake, q)) != OK ||
	    (e = outcome_open(&q->outcomes, q)) != OK ||
	    (e = telling_open(&q->reports, q)) != OK ||
	    (e = digest_open(&q->digest, q)) != OK ||
	    (e = edit_open(&q->edits, q)) != OK ||
	    (e = reroute_open(&q->reroutes, q)) != OK ||
	    (e = dispatch_open(&q->dispatch, q)) != OK ||
	    (e = aging_open(&q->aging, q)) != OK ||
	    (e = vitals_open(&q->vitals, q)) != OK ||
	    (e = follow_open(&q->follow, q)) != OK ||
	    (e = due_open(&q->due, q->loop, q->store, &due_calls,
	    q->dispatch)) != OK)
		return e;
	user_init(&q->users, q->loop, dispatch_link_of, q->dispatch);
	due_set_longest(q->due, settings_longest_ms(&q->settings));
	if ((e = quarantine_open(&q->quarantine, q)) != OK ||
	    (e = lone_open(&q->lone, q)) != OK)
		return e;
	return index_open(&q->index, q);
}

/* The writer finishes what was handed to it; nobody hears of it any more. */
static void
close_parts(struct queue *q)
{
	intake_close(&q->intake);
	control_close(q);
	store_close(&q->store);
	index_close(&q->index);
	quarantine_close(&q->quarantine);
	lone_close(&q->lone);
	due_close(&q->due);
	aging_close(&q->aging);
	vitals_close(&q->vitals);
	follow_close(&q->follow);
	dispatch_close(&q->dispatch);
	outcome_close(&q->outcomes);
	telling_close(&q->reports);
	digest_close(&q->digest);
	edit_close(&q->edits);
	reroute_close(&q->reroutes);
	errand_close(q);
	suspend_close(q);
	settings_fini(&q->settings);
	able_fini(&q->able);
}

static const struct boot_calls queue_calls = {
	.peer = peer, .peer_gone = peer_gone, .reload = reload,
	.drain = drain, .holding = holding,
};

/* Which of the two we are is known when master has said so. */
struct program {
	const struct boot_calls *calls;
	void		*arg;
};

static void
on_peer(struct boot *b, int fd, const struct link_peer *p, void *arg)
{
	const struct program *me = arg;

	me->calls->peer(b, fd, p, me->arg);
}

static void
on_peer_gone(struct boot *b, uint32_t no, void *arg)
{
	const struct program *me = arg;

	me->calls->peer_gone(b, no, me->arg);
}

static enum err
on_reload(struct boot *b, struct span bytes, void *arg)
{
	const struct program *me = arg;

	return me->calls->reload(b, bytes, me->arg);
}

static void
on_drain(struct boot *b, uint32_t patience_ms, void *arg)
{
	const struct program *me = arg;

	me->calls->drain(b, patience_ms, me->arg);
}

static uint64_t
on_holding(struct boot *b, void *arg)
{
	const struct program *me = arg;

	return me->calls->holding(b, me->arg);
}

static int
run_proxy(struct boot *b, struct program *me)
{
	struct proxy *px;
	int status;

	if (proxy_open(&px, b) != OK)
		boot_fatal("the slice cannot be read", 0);
	*me = (struct program){ &proxy_calls, px };
	boot_seal(b);
	status = boot_run(b);
	proxy_close(&px);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct boot_calls calls = {
		.peer = on_peer, .peer_gone = on_peer_gone,
		.reload = on_reload, .drain = on_drain,
		.holding = on_holding,
	};
	static struct queue q;
	static struct program me = { &queue_calls, &q };
	enum err e;
	int status;

	q.boot = boot_start(argc, argv, &calls, &me);
	if (boot_self(q.boot)->role == ROLE_PROXY)
		return run_proxy(q.boot, &me);
	q.loop = boot_loop(q.boot);
	if (settings_read(&q.settings, boot_slice(q.boot)) != OK)
		boot_fatal("the slice cannot be read", 0);
	queue_use_aliases(&q);
	boot_seal(q.boot);
	if ((e = open_parts(&q)) == ERR_PEER)
		boot_fatal("the store was written by a newer postern, in a "
		    "format that this one does not know", 0);
	if (e != OK)
		give_up("the store cannot be opened", errno);
	status = boot_run(q.boot);
	close_parts(&q);
	return status;
}
