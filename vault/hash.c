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

#define STACK_BYTES	(256u * 1024)	/* of a thread			*/
#define HASH_LEN	43		/* digits of 256 bits		*/

struct job {
	TAILQ_ENTRY(job) entry;
	struct span	 user, client, password, setting; /* in bytes	*/
	uint64_t	 asker, request;
	bool		 is_stand_in;
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
	return !j->is_stand_in && account_hash_bytes(j->setting) > 0 &&
	    crypt_checksalt(j->setting.ptr) != CRYPT_SALT_INVALID &&
	    strlen(strrchr(j->setting.ptr, '$') + 1) >= HASH_LEN;
}

/* Both spans have a NUL behind them. */
static enum hash_verdict
check(const struct hash_pool *p, const struct job *j, struct crypt_data *room)
{
	bool has_nul = span_find(j->password, '\0') < j->password.len;
	bool is_known = j->setting.len > 0;
	enum hash_verdict verdict = HASH_BAD;
	const char *found;

	memset(room, 0, sizeof(*room));
	found = crypt_rn(j->password.ptr,
	    is_known ? j->setting.ptr : p->nobody, room, sizeof(*room));
	/* crypt(3) takes a NUL for the end: such a password is nobody's. */
	if (is_known && !j->is_stand_in && !has_nul && found != NULL &&
	    found[0] != '*' && is_same(j->setting, found))
		verdict = HASH_GOOD;
	/* An account that is locked takes its time as well. */
	if (found == NULL || found[0] == '*') {
		if (lacks_memory(j))
			verdict = HASH_CANNOT;
		memset(room, 0, sizeof(*room));
		(void)crypt_rn(j->password.ptr, p->nobody, room,
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
		users += span_eq(other->user, j->user);
		clients += span_eq(other->client, j->client);
	}
	return users < HASH_USER_MAX && clients < HASH_CLIENT_MAX;
}

/* The next job, moved to those that run; NULL: we are closing. */
static struct job *
take_job(struct hash_pool *p)
{
	struct job *j;

	for (;;) {
		if (p->is_closing)
			return NULL;
		TAILQ_FOREACH(j, &p->waiting, entry)
			if (may_run(p, j))
				break;
		if (j != NULL)
			break;
		(void)bell_wait(&p->more, &p->lock);
	}
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
			p->fn(j->asker, j->request, j->verdict, p->arg);
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

/* Who floods us is told to come later, while others still find room. */
static bool
has_room(const struct hash_pool *p, const struct job *j)
{
	const struct job *other;
	unsigned users = 0, clients = 0, pairs = 0;
	bool is_user, is_client;

	TAILQ_FOREACH(other, &p->waiting, entry) {
		is_user = span_eq(other->user, j->user);
		is_client = span_eq(other->client, j->client);
		users += is_user;
		clients += is_client;
		pairs += is_user && is_client;
	}
	return p->cnt < HASH_WAITING_MAX && users < HASH_WAITING_SAME &&
	    clients < HASH_WAITING_SAME && pairs < HASH_WAITING_PAIR;
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
	j->user = copy(&at, q->user);
	j->client = copy(&at, q->client);
	j->password = copy(&at, q->password);
	j->setting = copy(&at, q->setting);
	j->is_stand_in = q->is_stand_in;
	j->asker = asker;
	j->request = request;
	pthread_mutex_lock(&p->lock);
	if (!has_room(p, j)) {
		e = ERR_FULL;
	} else {
		TAILQ_INSERT_TAIL(&p->waiting, j, entry);
		p->cnt++;
		pthread_cond_signal(&p->more);
	}
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
