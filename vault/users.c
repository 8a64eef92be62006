/*
 * users.c - the part that knows password hashes: one file of accounts, held in
 * memory as it was when its descriptor came, and edges that ask.
 *
 * A user that does not exist costs as much as one that does, so that nobody
 * learns by the clock who has an account.
 */
#include <sys/queue.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/slice/slice.h"
#include "mail/account.h"
#include "sys/counters.h"
#include "vault/hash.h"
#include "vault/role.h"
#include "vault/accounts.h"
#include "vault/standing.h"

#define IDLE_CHECK_MS	50
#define TELL_EACH_MS	10000
#define HELD_MAX	4096u		/* answers held back		*/
#define UNSENT_MAX	(1u << 20)	/* bytes: an edge that does not read */

struct asker {
	LIST_ENTRY(asker) entry;
	uint64_t	 no;		/* ours, never used twice	*/
	struct link	*link;
};

/* A "bad" that is held back. */
struct held {
	TAILQ_ENTRY(held) entry;
	uint64_t	 asker, request;
	int64_t		 due_ms;
};

static struct {
	struct boot	*boot;
	struct accounts	*accounts;
	struct hash_pool *pool;
	LIST_HEAD(, asker) askers;
	struct standing	*standing;
	TAILQ_HEAD(helds, held) held;	/* by due_ms			*/
	unsigned	 held_cnt;
	struct timer	 hold;
	uint64_t	 last_no;
	int64_t		 tell_ms;	/* when we may complain again	*/
	struct timer	 idle;
} users;

static enum err
read_whole(int fd, struct span *out)
{
	struct stat st;
	char *bytes;
	size_t len = 0;
	ssize_t got = 1;

	if (fd == -1 || fstat(fd, &st) == -1)
		return ERR_SYS;
	if (st.st_size > (off_t)ACCOUNT_FILE_MAX) {
		log_why(LOG_trouble, "the users file is larger than 64 MiB",
		    0);
		return ERR_FULL;
	}
	if ((bytes = malloc((size_t)st.st_size + 1)) == NULL)
		return ERR_SYS;
	while (len < (size_t)st.st_size && got > 0) {
		got = pread(fd, bytes + len, (size_t)st.st_size - len,
		    (off_t)len);
		if (got > 0)
			len += (size_t)got;
		else if (got == -1 && errno == EINTR)
			got = 1;
	}
	if (got == -1) {
		explicit_bzero(bytes, len);
		free(bytes);
		return ERR_SYS;
	}
	*out = (struct span){ bytes, len };
	return OK;
}

/* Nobody can log in by a line that is no account. */
static void
tell_broken(struct span text)
{
	char why[96];
	unsigned no = 0, first = 0, cnt = 0;
	struct account a;
	struct span line;

	while (text.len > 0) {
		no++;
		if (account_line(&text, &line, &a) != ACCOUNT_BROKEN)
			continue;
		if (cnt++ == 0)
			first = no;
	}
	if (cnt == 0)
		return;
	snprintf(why, sizeof(why), "%u lines of the users file are no "
	    "accounts, the first is line %u", cnt, first);
	log_why(LOG_trouble, why, 0);
}

static enum err
load(struct boot *b, struct span bytes)
{
	struct accounts *accounts;
	struct slice block;
	struct span file;
	enum err e = slice_open(&block, bytes);

	if (e == OK)
		e = read_whole(boot_file(b,
		    (unsigned)slice_num(&block, "path")), &file);
	if (e == OK)
		tell_broken(file);
	if (e == OK)
		e = accounts_new(&accounts, file);
	if (e != OK)
		return e;
	accounts_free(&users.accounts);
	users.accounts = accounts;
	return OK;
}

/* Answers. */

static struct asker *
find_asker(uint64_t no)
{
	struct asker *a;

	LIST_FOREACH(a, &users.askers, entry)
		if (a->no == no)
			return a;
	return NULL;
}

static void
answer(struct asker *a, uint64_t request, enum login_status status)
{
	(void)link_send_login_answer(a->link, &(struct msg_login_answer){
	    .request = request, .status = (uint8_t)status });
}

/* Anybody may bring this about as often as he likes. */
static void
tell_cannot(void)
{
	int64_t now = ev_now_ms(boot_loop(users.boot));

	if (now < users.tell_ms)
		return;
	users.tell_ms = now + TELL_EACH_MS;
	log_why(LOG_trouble, "a password could not be checked: its hash takes "
	    "more memory than there is, see posternctl user list", 0);
}

static void
answer_held(const struct held *h)
{
	struct asker *a = find_asker(h->asker);

	if (a != NULL)
		answer(a, h->request, LOGIN_BAD);
}

/* Those whose time has come; all when we end. */
static void
let_go(bool all)
{
	int64_t now = ev_now_ms(boot_loop(users.boot));
	struct held *h;

	while ((h = TAILQ_FIRST(&users.held)) != NULL &&
	    (all || h->due_ms <= now)) {
		TAILQ_REMOVE(&users.held, h, entry);
		users.held_cnt--;
		answer_held(h);
		free(h);
	}
	if (h != NULL)
		timer_set(&users.hold, h->due_ms - now);
}

static void
hold_is_over(struct timer *t, void *arg)
{
	let_go(false);
}

/* Say "bad" after a while.  Too many at once are not worth the memory. */
static void
hold_back(uint64_t asker, uint64_t request, int64_t ms)
{
	struct held *h, *after;

	if (ms <= 0 || users.held_cnt >= HELD_MAX ||
	    (h = malloc(sizeof(*h))) == NULL) {
		answer_held(&(struct held){ .asker = asker,
		    .request = request });
		return;
	}
	*h = (struct held){ .asker = asker, .request = request,
	    .due_ms = ev_now_ms(boot_loop(users.boot)) + ms };
	TAILQ_FOREACH_REVERSE(after, &users.held, helds, entry)
		if (after->due_ms <= h->due_ms)
			break;
	if (after != NULL)
		TAILQ_INSERT_AFTER(&users.held, after, h, entry);
	else
		TAILQ_INSERT_HEAD(&users.held, h, entry);
	users.held_cnt++;
	let_go(false);
}

static void
checked(uint64_t asker, uint64_t request, enum hash_verdict verdict,
    const struct hash_question *q, void *arg)
{
	int64_t now = ev_now_ms(boot_loop(users.boot));
	struct asker *a = find_asker(asker);

	if (verdict != HASH_GAVE_WAY)
		counter_add(COUNTER_passwords, 1);
	if (verdict == HASH_BAD) {
		hold_back(asker, request, standing_bad(users.standing,
		    q->client, q->user, q->password, now));
		return;
	}
	if (verdict == HASH_CANNOT)
		tell_cannot();
	if (verdict == HASH_GOOD)
		standing_good(users.standing, q->client, now);
	if (a != NULL)
		answer(a, request, verdict == HASH_GOOD ? LOGIN_GOOD :
		    LOGIN_BUSY);
}

static enum err
take_question(struct asker *a, const struct msg_login_ask *m)
{
	char key[ACCOUNT_KEY_MAX];
	struct hash_question q = {
		.user = account_key(m->user, key),
		.client = m->client, .password = m->password,
		.network = standing_network(users.standing, m->client),
		.is_good = standing_is_good(users.standing, m->client,
		    ev_now_ms(boot_loop(users.boot))),
	};

	q.is_stand_in = !accounts_find(users.accounts, m->user, &q.setting);
	if (hash_check(users.pool, &q, a->no, m->request) != OK)
		answer(a, m->request, LOGIN_BUSY);
	return OK;
}

static enum err
on_message(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	return type == MSG_login_ask ? take_question(arg, &m->login_ask) :
	    ERR_PEER;
}

static void
drop(struct asker *a)
{
	hash_forget(users.pool, a->no);
	LIST_REMOVE(a, entry);
	link_close(&a->link);
	free(a);
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	boot_link_lost(users.boot, link_peer(l), why);
	drop(arg);
}

/* The calls of boot.h. */

static void
peer(struct boot *b, int fd, const struct link_peer *p, void *arg)
{
	struct asker *a = calloc(1, sizeof(*a));
	enum err e = ERR_SYS;

	if (a == NULL)
		close(fd);
	else
		e = link_open(&a->link, boot_loop(b), fd, ROLE_USERS, p,
		    on_message, on_gone, a);
	if (e != OK) {
		boot_link_lost(b, p, e);
		free(a);
		return;
	}
	link_set_queue_max(a->link, UNSENT_MAX);
	a->no = ++users.last_no;
	LIST_INSERT_HEAD(&users.askers, a, entry);
}

static enum err
reload(struct boot *b, struct span slice, void *arg)
{
	enum err e = load(b, slice);

	if (e == OK)
		log_why(LOG_reloaded, "the accounts were read anew", 0);
	return e;
}

static void
end_when_idle(struct timer *t, void *arg)
{
	let_go(true);
	if (hash_cnt(users.pool) == 0)
		boot_done(users.boot);
	else
		timer_set(t, IDLE_CHECK_MS);
}

static void
drain(struct boot *b, uint32_t patience_ms, void *arg)
{
	let_go(true);
	if (timer_running(&users.idle))
		return;
	timer_init(&users.idle, boot_loop(b), end_when_idle, NULL);
	timer_set(&users.idle, 0);
}

static void
open_users(struct boot *b)
{
	enum err e;

	users.boot = b;
	LIST_INIT(&users.askers);
	if ((e = load(b, boot_slice(b))) != OK)
		boot_fatal("the users file cannot be read",
		    e == ERR_SYS ? errno : 0);
}

static void
begin(struct boot *b)
{
	TAILQ_INIT(&users.held);
	timer_init(&users.hold, boot_loop(b), hold_is_over, NULL);
	if (standing_new(&users.standing) != OK)
		boot_fatal("cannot remember failed logins", errno);
	if (hash_open(&users.pool, boot_loop(b), checked, NULL) != OK)
		boot_fatal("cannot start the threads that hash", errno);
}

static void
end(void)
{
	struct asker *a;

	while ((a = LIST_FIRST(&users.askers)) != NULL)
		drop(a);
	let_go(true);
	timer_stop(&users.hold);
	hash_close(&users.pool);
	standing_free(&users.standing);
	accounts_free(&users.accounts);
}

const struct vault_role role_users = {
	.role = ROLE_USERS, .open = open_users, .begin = begin, .end = end,
	.calls = { .peer = peer, .reload = reload, .drain = drain },
};
