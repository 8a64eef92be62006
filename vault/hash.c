/*
 * hash.c - a list of jobs under one lock.  A thread takes the first job whose
 * user and client have few enough running; a bell tells the loop of done ones.
 */
#include <sys/queue.h>

#include <crypt.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "mail/account.h"
#include "sys/bell.h"
#include "vault/hash.h"

#define TURNS		1024u		/* a power of two		*/
#define STACK_BYTES	(256u * 1024)	/* of a thread			*/
#define HASH_LEN	43		/* digits of 256 bits		*/

struct job {
	TAILQ_ENTRY(job) entry;
	struct hash_question q;		/* its spans lie in bytes	*/
	uint64_t	 asker, request;
	bool		 is_forgotten;
	enum hash_verdict verdict;
	size_t		 len;
	char		 bytes[];
};

TAILQ_HEAD(jobs, job);

struct hash_pool {
	struct ev_loop	*loop;
	hash_fn		*fn;
	void		*arg;
	char		 nobody[CRYPT_GENSALT_OUTPUT_SIZE]; /* a setting */
	pthread_t	 threads[HASH_THREADS];
	unsigned	 thread_cnt;
	struct bell	 bell;		/* there is something in done	*/

	pthread_mutex_t	 lock;		/* of all that follows		*/
	pthread_cond_t	 more;
	struct jobs	 waiting, running, done;
	unsigned	 cnt;		/* in all three			*/
	uint64_t	 turn;		/* counts those that were taken	*/
	uint64_t	 turns[3][TURNS]; /* when each network, each client and
					 * each asker was last; some share
					 * one			*/
	bool		 is_closing;
};

static void
free_job(struct job *j)
{
	explicit_bzero(j->bytes, j->len);
	free(j);
}

/* The threads. */

/* Equal, found out in a time that does not tell where they differ. */
static bool
is_same(struct span a, const char *b)
{
	unsigned char differs = 0;

	if (strlen(b) != a.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		differs |= (unsigned char)(a.ptr[i] ^ b[i]);
	return differs == 0;
}

/*
 * crypt(3) says the same of a hash that is none and of one it had no memory
 * for.  The latter is long enough, and of a method that wants much.
 */
static bool
lacks_memory(const struct job *j)
{
	return !j->q.is_stand_in && account_hash_bytes(j->q.setting) > 0 &&
	    crypt_checksalt(j->q.setting.ptr) != CRYPT_SALT_INVALID &&
	    strlen(strrchr(j->q.setting.ptr, '$') + 1) >= HASH_LEN;
}

/* Both spans have a NUL behind them. */
static enum hash_verdict
check(const struct hash_pool *p, const struct job *j, struct crypt_data *room)
{
	bool has_nul = span_find(j->q.password, '\0') < j->q.password.len;
	bool is_known = j->q.setting.len > 0;
	enum hash_verdict verdict = HASH_BAD;
	const char *found;

	memset(room, 0, sizeof(*room));
	found = crypt_rn(j->q.password.ptr,
	    is_known ? j->q.setting.ptr : p->nobody, room, sizeof(*room));
	/* crypt(3) takes a NUL for the end: such a password is nobody's. */
	if (is_known && !j->q.is_stand_in && !has_nul && found != NULL &&
	    found[0] != '*' && is_same(j->q.setting, found))
		verdict = HASH_GOOD;
	/* An account that is locked takes its time as well. */
	if (found == NULL || found[0] == '*') {
		if (lacks_memory(j))
			verdict = HASH_CANNOT;
		memset(room, 0, sizeof(*room));
		(void)crypt_rn(j->q.password.ptr, p->nobody, room,
		    sizeof(*room));
	}
	explicit_bzero(room, sizeof(*room));
	return verdict;
}

static bool
may_run(const struct hash_pool *p, const struct job *j)
{
	const struct job *other;
	unsigned users = 0, clients = 0;

	TAILQ_FOREACH(other, &p->running, entry) {
		users += span_eq(other->q.user, j->q.user);
		clients += span_eq(other->q.client, j->q.client);
	}
	return users < HASH_USER_MAX && clients < HASH_CLIENT_MAX;
}

static uint64_t *
turn_of_network(struct hash_pool *p, const struct job *j)
{
	return &p->turns[0][j->q.network & (TURNS - 1)];
}

static uint64_t *
turn_of_client(struct hash_pool *p, const struct job *j)
{
	uint64_t h = j->q.network;

	for (size_t i = 0; i < j->q.client.len; i++)
		h = (h ^ (unsigned char)j->q.client.ptr[i]) * 0x100000001b3u;
	return &p->turns[1][(h ^ h >> 32) & (TURNS - 1)];
}

static uint64_t *
turn_of_asker(struct hash_pool *p, const struct job *j)
{
	return &p->turns[2][j->asker & (TURNS - 1)];
}

/* Does a go before b, which came earlier? */
static bool
goes_first(struct hash_pool *p, const struct job *a, const struct job *b)
{
	uint64_t of_a = *turn_of_asker(p, a), of_b = *turn_of_asker(p, b);

	if (of_a != of_b)
		return of_a < of_b;
	if (a->q.is_good != b->q.is_good)
		return a->q.is_good;
	of_a = *turn_of_network(p, a);
	of_b = *turn_of_network(p, b);
	if (of_a != of_b)
		return of_a < of_b;
	return *turn_of_client(p, a) < *turn_of_client(p, b);
}

static struct job *
next_job(struct hash_pool *p)
{
	struct job *j, *next = NULL;

	TAILQ_FOREACH(j, &p->waiting, entry)
		if (may_run(p, j) &&
		    (next == NULL || goes_first(p, j, next)))
			next = j;
	return next;
}

/* The next job, moved to those that run; NULL: we are closing. */
static struct job *
take_job(struct hash_pool *p)
{
	struct job *j;

	for (;;) {
		if (p->is_closing)
			return NULL;
		if ((j = next_job(p)) != NULL)
			break;
		(void)bell_wait(&p->more, &p->lock);
	}
	*turn_of_asker(p, j) = *turn_of_network(p, j) =
	    *turn_of_client(p, j) = ++p->turn;
	TAILQ_REMOVE(&p->waiting, j, entry);
	TAILQ_INSERT_TAIL(&p->running, j, entry);
	return j;
}

static void *
run(void *arg)
{
	struct hash_pool *p = arg;
	struct crypt_data *room = malloc(sizeof(*room));
	struct job *j;

	pthread_mutex_lock(&p->lock);
	while (room != NULL && (j = take_job(p)) != NULL) {
		pthread_mutex_unlock(&p->lock);
		j->verdict = check(p, j, room);
		pthread_mutex_lock(&p->lock);
		TAILQ_REMOVE(&p->running, j, entry);
		TAILQ_INSERT_TAIL(&p->done, j, entry);
		/* Whoever was held back by this one may run now. */
		pthread_cond_broadcast(&p->more);
		bell_ring(&p->bell);
	}
	pthread_mutex_unlock(&p->lock);
	free(room);
	return NULL;
}

/* The loop. */

static void
take_done(struct bell *b, void *arg)
{
	struct hash_pool *p = arg;
	struct jobs done = TAILQ_HEAD_INITIALIZER(done);
	struct job *j;

	pthread_mutex_lock(&p->lock);
	TAILQ_CONCAT(&done, &p->done, entry);
	TAILQ_FOREACH(j, &done, entry)
		p->cnt--;
	pthread_mutex_unlock(&p->lock);
	while ((j = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, j, entry);
		if (!j->is_forgotten)
			p->fn(j->asker, j->request, j->verdict, &j->q,
			    p->arg);
		free_job(j);
	}
}

static enum err
start_threads(struct hash_pool *p)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int rc = 0;

	if (pthread_attr_init(&attr) != 0)
		return ERR_SYS;
	sigfillset(&all);
	if (pthread_attr_setstacksize(&attr, STACK_BYTES) != 0 ||
	    pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
		pthread_attr_destroy(&attr);
		return ERR_SYS;
	}
	for (; p->thread_cnt < HASH_THREADS && rc == 0;
	    p->thread_cnt += rc == 0)
		rc = pthread_create(&p->threads[p->thread_cnt], &attr, run, p);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc == 0 ? OK : ERR_SYS;
}

enum err
hash_open(struct hash_pool **out, struct ev_loop *loop, hash_fn *fn, void *arg)
{
	struct hash_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_SYS;
	p->loop = loop;
	p->fn = fn;
	p->arg = arg;
	TAILQ_INIT(&p->waiting);
	TAILQ_INIT(&p->running);
	TAILQ_INIT(&p->done);
	pthread_mutex_init(&p->lock, NULL);
	if (bell_wait_init(&p->more) != OK ||
	    bell_init(&p->bell, loop, take_done, p) != OK ||
	    crypt_gensalt_rn("$y$", 0, NULL, 0, p->nobody,
	    sizeof(p->nobody)) == NULL || start_threads(p) != OK) {
		hash_close(&p);
		return ERR_SYS;
	}
	*out = p;
	return OK;
}

static void
free_all(struct jobs *jobs)
{
	struct job *j;

	while ((j = TAILQ_FIRST(jobs)) != NULL) {
		TAILQ_REMOVE(jobs, j, entry);
		free_job(j);
	}
}

void
hash_close(struct hash_pool **pp)
{
	struct hash_pool *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->is_closing = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->thread_cnt; i++)
		pthread_join(p->threads[i], NULL);
	free_all(&p->waiting);
	free_all(&p->done);
	bell_fini(&p->bell);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Copy s, and a NUL, to *at, which moves on. */
static struct span
copy(char **at, struct span s)
{
	struct span here = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	(*at)[s.len] = '\0';
	*at += s.len + 1;
	return here;
}

/* Of how many that wait one is. */
struct share {
	unsigned	 askers, networks, clients;
};

/* In all, or of its user alone. */
static struct share
share_of(const struct hash_pool *p, const struct job *j, bool of_user)
{
	struct share s = { 0, 0, 0 };
	const struct job *other;

	TAILQ_FOREACH(other, &p->waiting, entry) {
		if (of_user && !span_eq(other->q.user, j->q.user))
			continue;
		s.askers += other->asker == j->asker;
		if (other->q.network != j->q.network)
			continue;
		s.networks++;
		s.clients += span_eq(other->q.client, j->q.client);
	}
	return s;
}

static bool
is_less(struct share a, struct share b)
{
	if (a.askers != b.askers)
		return a.askers < b.askers;
	if (a.networks != b.networks)
		return a.networks < b.networks;
	return a.clients < b.clients;
}

/*
 * Of those that wait (for the user of j alone, or all) the one that gives way:
 * the last of the client that holds most, in the network that holds most, of
 * the asker that holds most.
 */
static struct job *
find_victim(struct hash_pool *p, struct job *j, bool of_user)
{
	struct share most = { 0, 0, 0 }, s;
	struct job *other, *victim = j;

	TAILQ_FOREACH(other, &p->waiting, entry) {
		if (other->q.is_good ||
		    (of_user && !span_eq(other->q.user, j->q.user)))
			continue;
		s = share_of(p, other, of_user);
		if (is_less(s, most))
			continue;
		most = s;
		victim = other;
	}
	return victim;
}

/* Who floods us by himself is told to come later. */
static bool
is_flood(const struct hash_pool *p, const struct job *j, unsigned *users)
{
	const struct job *other;
	unsigned clients = 0, pairs = 0;
	bool is_user, is_client;

	*users = 0;
	TAILQ_FOREACH(other, &p->waiting, entry) {
		is_user = span_eq(other->q.user, j->q.user);
		is_client = span_eq(other->q.client, j->q.client);
		*users += is_user;
		clients += is_client;
		pairs += is_user && is_client;
	}
	return clients >= HASH_WAITING_SAME || pairs >= HASH_WAITING_PAIR;
}

/* Let it wait, in the place of another if need be.  False: it is not let. */
static bool
let_in(struct hash_pool *p, struct job *j)
{
	struct job *victim = NULL;
	unsigned users;

	if (is_flood(p, j, &users))
		return false;
	TAILQ_INSERT_TAIL(&p->waiting, j, entry);
	if (users >= HASH_WAITING_SAME || p->cnt >= HASH_WAITING_MAX)
		victim = find_victim(p, j, users >= HASH_WAITING_SAME);
	if (victim != NULL)
		TAILQ_REMOVE(&p->waiting, victim, entry);
	if (victim == j)
		return false;
	if (victim != NULL) {
		victim->verdict = HASH_GAVE_WAY;
		TAILQ_INSERT_TAIL(&p->done, victim, entry);
		bell_ring(&p->bell);
	}
	p->cnt++;
	return true;
}

enum err
hash_check(struct hash_pool *p, const struct hash_question *q, uint64_t asker,
    uint64_t request)
{
	size_t len = q->user.len + q->client.len + q->password.len +
	    q->setting.len + 4;
	struct job *j = calloc(1, sizeof(*j) + len);
	enum err e = OK;
	char *at;

	if (j == NULL)
		return ERR_FULL;
	at = j->bytes;
	j->len = len;
	j->q = *q;
	j->q.user = copy(&at, q->user);
	j->q.client = copy(&at, q->client);
	j->q.password = copy(&at, q->password);
	j->q.setting = copy(&at, q->setting);
	j->asker = asker;
	j->request = request;
	pthread_mutex_lock(&p->lock);
	if (let_in(p, j))
		pthread_cond_signal(&p->more);
	else
		e = ERR_FULL;
	pthread_mutex_unlock(&p->lock);
	if (e != OK)
		free_job(j);
	return e;
}

/* What waits need not run; what runs ends unheard. */
void
hash_forget(struct hash_pool *p, uint64_t asker)
{
	struct job *j, *next;

	pthread_mutex_lock(&p->lock);
	TAILQ_FOREACH_SAFE(j, &p->waiting, entry, next)
		if (j->asker == asker) {
			TAILQ_REMOVE(&p->waiting, j, entry);
			p->cnt--;
			free_job(j);
		}
	TAILQ_FOREACH(j, &p->running, entry)
		if (j->asker == asker)
			j->is_forgotten = true;
	TAILQ_FOREACH(j, &p->done, entry)
		if (j->asker == asker)
			j->is_forgotten = true;
	pthread_mutex_unlock(&p->lock);
}

unsigned
hash_cnt(const struct hash_pool *p)
{
	struct hash_pool *mine = (struct hash_pool *)(uintptr_t)p;
	unsigned cnt;

	pthread_mutex_lock(&mine->lock);
	cnt = p->cnt;
	pthread_mutex_unlock(&mine->lock);
	return cnt;
}
