/*
 * pair.c - who is believed about a broken link.  Nonsense restarts the one of
 * the two that is nearer the world, whoever reports it; between two of equal
 * standing the one accused.  Any other end of a link gets a new link, and a
 * pair that wears out links as fast as we make them is treated as nonsense.
 *
 * One that is deeper is never restarted for that.  But it may be the one that
 * speaks nonsense, and must not keep down another that works for others too:
 * after BLAME_MAX restarts they have no link with each other for REST_MS, or
 * until that one has another life.
 *
 * Between equals an accusation counts against the accuser too, through all its
 * lives: who accuses often what no other block complains of is restarted
 * itself.  A relay that does so stays the one to blame until that is forgiven,
 * for the resolver serves others.  A resolver and the one it accuses take
 * turns: it may be that one that speaks nonsense to it each time.
 *
 * Both ends report one loss.  The first report makes the new link, and the
 * second, which is about the old one, is expected and dropped.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "master/pair.h"
#include "master/process.h"
#include "master/shortage.h"

#define LOST_MAX	10	/* losses of a pair ...	*/
#define LOST_TIME_MS	10000	/* ... in this time	*/
#define AGAIN_MS	1000	/* until a link is tried again	*/
#define ALONE_MAX	3	/* accusations believed without a witness */
#define FORGIVE_MS	60000	/* until one of them is forgotten	*/
#define WITNESS_MS	60000	/* that another one's word holds for	*/
#define BLAME_MAX	2	/* restarts for nonsense of a deeper one ... */
#define BLAME_TIME_MS	60000	/* ... in this time	*/
#define REST_MS		30000

static void
widen(int fd)
{
	const int want = PAIR_BUFFER;

	/* As far as net.core.wmem_max lets us: its default is enough. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &want, sizeof(want));
}

enum err
pair_socket(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0, fds) == -1)
		return ERR_SYS;
	widen(fds[0]);
	widen(fds[1]);
	return OK;
}

static struct pair *
find(struct supervisor *h, const struct process *a, const struct process *b)
{
	struct pair *x;

	TAILQ_FOREACH(x, &h->pairs, entry)
		if ((x->from == a && x->to == b) ||
		    (x->from == b && x->to == a))
			return x;
	return NULL;
}

/* Tell p of its peer. */
static void
introduce(struct process *p, const struct process *peer, int fd)
{
	const struct msg_peer_link m = {
		.role = (uint8_t)peer->id.role,
		.block = span_of(peer->id.block), .no = peer->id.no,
		.start = peer->id.start,
		.worker = peer->id.worker, .workers = peer->id.workers,
	};

	(void)link_send_peer_link(p->link, &m, fd);	/* gone() tells */
}

static void
connect_pair(struct pair *x)
{
	struct log_line l;
	int fds[2];

	timer_stop(&x->again);
	x->is_resting = false;
	if (x->from->link == NULL || x->to->link == NULL)
		return;
	if (pair_socket(fds) != OK) {
		int error = errno;

		log_begin(&l, LOG_trouble);
		shortage_log(&l, "cannot make a link", error);
		log_end(&l);
		timer_set(&x->again, AGAIN_MS);
		return;
	}
	introduce(x->to, x->from, fds[1]);
	introduce(x->from, x->to, fds[0]);
	close(fds[0]);
	close(fds[1]);
}

static void
try_again(struct timer *t, void *arg)
{
	connect_pair(arg);
}

enum err
pair_add(struct supervisor *h, struct process *from, struct process *to)
{
	struct pair *x;

	if (find(h, from, to) != NULL)
		return OK;
	if ((x = calloc(1, sizeof(*x))) == NULL)
		return ERR_SYS;
	x->from = from;
	x->to = to;
	timer_init(&x->again, h->loop, try_again, x);
	TAILQ_INSERT_TAIL(&h->pairs, x, entry);
	connect_pair(x);		/* a reload pairs two that run	*/
	return OK;
}

/* How far from the world: what is deeper is not restarted for what is not. */
static int
depth(const struct process *p)
{
	return p->id.role == ROLE_QUEUE || p->id.role == ROLE_PROXY ||
	    p->id.role == ROLE_KEYS || p->id.role == ROLE_USERS ? 1 : 0;
}

void
pair_connect(struct process *p)
{
	struct pair *x;

	TAILQ_FOREACH(x, &p->supervisor->pairs, entry)
		if ((x->from == p || x->to == p) &&
		    (!x->is_resting || depth(p) > 0)) {
			x->from_late = x->to_late = false;
			connect_pair(x);
		}
}

/* Has another block complained of it too?  The accuser is noted. */
static bool
has_witness(struct process *accused, const struct process *accuser,
    int64_t now_ms)
{
	bool has = accused->accuser[0] != '\0' &&
	    strcmp(accused->accuser, accuser->id.block) != 0 &&
	    now_ms - accused->accused_ms <= WITNESS_MS;

	(void)strlcpy(accused->accuser, accuser->id.block,
	    sizeof(accused->accuser));
	accused->accused_ms = now_ms;
	return has;
}

/* Is this one more than is believed?  If not it is counted. */
static bool
is_often(struct process *accuser, int64_t now_ms)
{
	int64_t forgiven = (now_ms - accuser->alone_ms) / FORGIVE_MS;

	if (forgiven >= accuser->alone_cnt) {
		accuser->alone_cnt = 0;
		accuser->alone_ms = now_ms;
	} else if (forgiven > 0) {
		accuser->alone_cnt -= (unsigned)forgiven;
		accuser->alone_ms += forgiven * FORGIVE_MS;
	}
	if (accuser->alone_cnt >= ALONE_MAX)
		return true;
	accuser->alone_cnt++;
	return false;
}

static bool
is_believed(struct process *accuser, struct process *accused)
{
	int64_t now_ms = ev_now_ms(accuser->supervisor->loop);

	if (has_witness(accused, accuser, now_ms) ||
	    !is_often(accuser, now_ms))
		return true;
	if (accuser->id.role == ROLE_RESOLVER)
		accuser->alone_cnt = ALONE_MAX - 1;	/* they take turns */
	return false;
}

/* The one that is nearer the world has been restarted for it: did it help? */
static bool
is_blamed_often(struct pair *x, int64_t now_ms)
{
	if (x->blamed_cnt == 0 || now_ms - x->blamed_since_ms >
	    BLAME_TIME_MS) {
		x->blamed_cnt = 0;
		x->blamed_since_ms = now_ms;
	}
	return ++x->blamed_cnt > BLAME_MAX;
}

static void
tell_gone(const struct process *p, const struct process *gone)
{
	const struct msg_peer_gone m = { gone->id.no };

	if (p->link != NULL)
		(void)link_send_peer_gone(p->link, &m);
}

static void
forget(struct supervisor *h, struct pair *x)
{
	TAILQ_REMOVE(&h->pairs, x, entry);
	timer_stop(&x->again);
	free(x);
}

/* For good: what one has of the other is nothing to wait for. */
static void
part(struct supervisor *h, struct pair *x)
{
	tell_gone(x->from, x->to);
	tell_gone(x->to, x->from);
	forget(h, x);
}

static void
rest(struct pair *x, const struct process *reporter,
    const struct process *accused)
{
	char name[LINK_NAME_MAX];
	struct log_line l;

	link_name(&accused->id, name);
	log_begin(&l, LOG_trouble);
	log_text(&l, LOG_KEY_role, role_row(reporter->id.role)->name);
	log_text(&l, LOG_KEY_block, reporter->id.block);
	log_text(&l, LOG_KEY_peer, name);
	log_text(&l, LOG_KEY_why, "its peer speaks nonsense to it again and "
	    "again: they have no link for a while");
	log_end(&l);
	x->is_resting = true;
	if (reporter->supervisor->stage < 0)
		timer_set(&x->again, REST_MS);
	else
		part(reporter->supervisor, x);
}

static void
punish(struct pair *x, struct process *reporter, struct process *accused,
    const char *why)
{
	int nearer = depth(accused) - depth(reporter);

	if (nearer > 0 && is_blamed_often(x,
	    ev_now_ms(reporter->supervisor->loop)))
		rest(x, reporter, accused);
	else if (nearer == 0 && !is_believed(reporter, accused))
		process_kill(reporter, "it accuses a peer again and again, "
		    "and nobody else does");
	else
		process_kill(nearer > 0 ? reporter : accused, why);
}

static bool
is_worn_out(struct pair *x, int64_t now_ms)
{
	if (x->lost_cnt == 0 || now_ms - x->lost_since_ms > LOST_TIME_MS) {
		x->lost_cnt = 0;
		x->lost_since_ms = now_ms;
	}
	return ++x->lost_cnt > LOST_MAX;
}

static struct process *
by_life(struct supervisor *h, uint32_t no, uint32_t start)
{
	struct process *p;

	TAILQ_FOREACH(p, &h->processes, entry)
		if (p->id.no == no && p->id.start == start && p->link != NULL)
			return p;
	return NULL;
}

/*
 * The news of a broken link is often here before the news of the death that
 * broke it; that one will bring a new link, and to somebody alive.
 */
static bool
has_ended(const struct process *p)
{
	siginfo_t si = { 0 };

	return waitid(P_PID, (id_t)p->pid, &si,
	    WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid != 0;
}

void
pair_lost(struct process *p, uint32_t no, uint32_t start, enum err why)
{
	struct supervisor *h = p->supervisor;
	struct process *peer = by_life(h, no, start);
	struct pair *x = peer == NULL ? NULL : find(h, p, peer);
	bool *mine, *theirs;

	if (x == NULL || x->is_resting)	/* it was replaced, or shall wait */
		return;
	if (why == ERR_CLOSED && has_ended(peer))
		return;
	mine = x->from == p ? &x->from_late : &x->to_late;
	theirs = x->from == p ? &x->to_late : &x->from_late;
	if (why == ERR_PEER) {
		punish(x, p, peer, "it spoke nonsense to a peer");
		return;
	}
	if (*mine) {
		*mine = false;
		return;
	}
	if (p->is_leaving || peer->is_leaving)	/* it ends: nothing to mend */
		return;
	if (is_worn_out(x, ev_now_ms(h->loop))) {
		x->lost_cnt = 0;
		punish(x, p, peer, "its link breaks again and again");
		return;
	}
	*theirs = true;
	connect_pair(x);
}

void
pair_forget_resting(struct supervisor *h)
{
	struct pair *x, *next;

	TAILQ_FOREACH_SAFE(x, &h->pairs, entry, next)
		if (x->is_resting)
			part(h, x);
}

void
pair_forget(struct process *p)
{
	struct pair *x, *next;

	TAILQ_FOREACH_SAFE(x, &p->supervisor->pairs, entry, next) {
		struct process *peer = x->from == p ? x->to : x->from;

		if (x->from != p && x->to != p)
			continue;
		tell_gone(peer, p);
		forget(p->supervisor, x);
	}
}
