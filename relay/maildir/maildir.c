/*
 * maildir.c - relay type maildir: each recipient's copy into his own Maildir.
 *
 * The loop never touches the disk.  A delivery becomes a job that goes to the
 * threads and back: with the pieces that are here, and with those that follow,
 * until the text is out.  A small message is one round.  While a job is with a
 * thread, the loop leaves it alone; what happens meanwhile is seen when it
 * comes back.
 */
#include <sys/queue.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/read/path.h"
#include "relay/relay_type.h"
#include "relay/maildir/maildir_file.h"
#include "relay/maildir/maildir_path.h"
#include "sys/bell.h"

#define THREADS		8	/* each waits for the disk most of its time */
#define JOB_FILES	8	/* recipients in one round through the text:
				 * 3 descriptors each			*/

struct copy {				/* of one recipient		*/
	uint32_t	 rcpt;		/* index in the delivery	*/
	int		 error;		/* errno, 0 while all is well	*/
	struct maildir_file file;
	char		 path[MAILDIR_PATH_MAX];
	char		 folder[MAILDIR_FOLDER_MAX];
};

enum folders { FOLDERS_NONE, FOLDERS_THERE, FOLDERS_MADE };

struct job {
	STAILQ_ENTRY(job) entry;
	struct maildir	*maildir;
	struct delivery	*delivery;
	struct copy	 copies[JOB_FILES];
	unsigned	 copy_cnt;
	struct span	 pieces[STREAM_CREDIT];
	unsigned	 piece_cnt;
	bool		 is_away;	/* with a thread		*/
	bool		 is_first;	/* the files are not made yet	*/
	bool		 is_last;	/* nothing follows the pieces	*/
	bool		 is_lost;	/* the text will not come: undo	*/
};

STAILQ_HEAD(job_list, job);

struct maildir {
	struct ev_loop	*loop;
	struct maildir_naming naming;	/* below the root		*/
	enum folders	 folders;	/* that details lead to		*/
	struct maildir_quota quota;
	bool		 refuses;	/* what is over quota		*/
	int		 root_fd;
	unsigned	 job_cnt;

	struct bell	 bell;		/* rung when a job is done	*/
	pthread_mutex_t	 lock;		/* of the two lists		*/
	pthread_cond_t	 more;
	struct job_list	 to_do, done;
};

/* In a thread. */

static void
fail_copy(struct copy *c)
{
	c->error = errno != 0 ? errno : EIO;
	maildir_file_abort(&c->file);
}

static void
begin_copy(const struct job *j, struct copy *c)
{
	const struct delivery *d = j->delivery;
	const struct maildir *m = j->maildir;
	const struct maildir_wish wish = {
		.folder = c->folder, .quota = &m->quota,
		.makes_folder = m->folders == FOLDERS_MADE,
		/* At least: each CR may go. */
		.len = d->is_measured ? (d->header_len + d->body_len) / 2 : 0,
	};

	if (maildir_file_create(&c->file, m->root_fd, c->path,
	    m->naming.hostname, &wish) != OK)
		c->error = errno != 0 ? errno : EIO;
	else if (maildir_file_envelope(&c->file, d->sender,
	    d->rcpts[c->rcpt].address) != OK)
		fail_copy(c);
}

static void
do_copy(const struct job *j, struct copy *c)
{
	if (j->is_first && !j->is_lost)
		begin_copy(j, c);
	for (unsigned i = 0; c->error == 0 && i < j->piece_cnt; i++)
		if (maildir_file_text(&c->file, j->pieces[i]) != OK)
			fail_copy(c);
	if (c->error != 0)
		return;
	if (j->is_lost && !j->is_first)
		maildir_file_abort(&c->file);
	else if (j->is_last && maildir_file_commit(&c->file) != OK)
		c->error = errno != 0 ? errno : EIO;
}

static void
do_job(struct job *j)
{
	for (unsigned i = 0; i < j->copy_cnt; i++)
		if (j->copies[i].error == 0)
			do_copy(j, &j->copies[i]);
}

static void *
worker_off(void *arg)
{
	struct maildir *m = arg;
	struct job *j;

	(void)pthread_mutex_lock(&m->lock);
	for (;;) {
		while ((j = STAILQ_FIRST(&m->to_do)) == NULL)
			(void)bell_wait(&m->more, &m->lock);
		STAILQ_REMOVE_HEAD(&m->to_do, entry);
		(void)pthread_mutex_unlock(&m->lock);
		do_job(j);
		(void)pthread_mutex_lock(&m->lock);
		STAILQ_INSERT_TAIL(&m->done, j, entry);
		bell_ring(&m->bell);
	}
	return NULL;
}

/* In the loop. */

static void
hand_over(struct job *j)
{
	struct maildir *m = j->maildir;

	j->is_away = true;
	(void)pthread_mutex_lock(&m->lock);
	STAILQ_INSERT_TAIL(&m->to_do, j, entry);
	(void)pthread_cond_signal(&m->more);
	(void)pthread_mutex_unlock(&m->lock);
}

/* Send the job on its next round, if there is text for one. */
static void
go_on(struct job *j)
{
	struct delivery *d = j->delivery;
	enum err e = OK;

	if (j->is_away)
		return;
	j->piece_cnt = 0;
	while (j->piece_cnt < STREAM_CREDIT && (e = delivery_text(d,
	    j->piece_cnt, &j->pieces[j->piece_cnt])) == OK)
		j->piece_cnt++;
	if (j->piece_cnt == STREAM_CREDIT) {
		struct span unused;

		e = delivery_text(d, j->piece_cnt, &unused);
	}
	if (e == ERR_AGAIN && (j->piece_cnt == 0 ||
	    d->piece_cnt <= STREAM_CREDIT))
		return;
	j->is_last = e == ERR_NONE;
	j->is_lost = e == ERR_CLOSED && j->piece_cnt == 0;
	hand_over(j);
}

static void
on_piece(struct delivery *d, void *arg)
{
	go_on(arg);
}

/* A path that is too long stays so, and so does a message. */
static enum own
judge(const struct maildir *m, int error)
{
	switch (error) {
	case EDQUOT:
		return m->refuses ? OWN_quota_refused : OWN_over_quota;
	case ENOSPC:
		return OWN_disk_full;
	case EFBIG:
		return OWN_file_too_large;
	case ENAMETOOLONG:
		return OWN_recipient_no_mailbox;
	default:
		return OWN_not_written;
	}
}

static void
log_trouble(const struct copy *c)
{
	struct log_line l;

	log_begin(&l, LOG_trouble);
	log_text(&l, LOG_KEY_file, c->path);
	log_text(&l, LOG_KEY_why, strerror(c->error));
	log_end(&l);
}

static void
decide(struct job *j, const struct copy *c)
{
	struct delivery *d = j->delivery;
	struct verdict v;
	char text[64 + MAILDIR_FILE_NAME_MAX];

	if (c->error == 0) {
		v = verdict_own_of(OWN_stored, STAGE_STORE,
		    c->file.name + sizeof("tmp/") - 1, text, sizeof(text));
	} else {
		if (c->error != EDQUOT)
			log_trouble(c);
		v = verdict_own(judge(j->maildir, c->error), STAGE_STORE);
	}
	delivery_decide(d, c->rcpt, delivery_outcome(d, &v, SPAN("maildir")));
}

/* The next recipients; those without a place are decided at once. */
static void
fill_copies(struct job *j)
{
	struct verdict v = verdict_own(OWN_recipient_no_mailbox, STAGE_RCPT);
	const struct maildir *m = j->maildir;
	struct delivery *d = j->delivery;

	j->copy_cnt = 0;
	j->is_first = true;
	for (uint32_t i = 0; i < d->rcpt_cnt && j->copy_cnt < JOB_FILES; i++) {
		struct copy *c = &j->copies[j->copy_cnt];

		if (d->rcpts[i].outcome != NULL)
			continue;
		if (maildir_path_fill(&m->naming, d->rcpts[i].address,
		    c->path) != OK) {
			delivery_decide(d, i, delivery_outcome(d, &v,
			    SPAN("maildir")));
			continue;
		}
		c->folder[0] = '\0';
		if (m->folders != FOLDERS_NONE)
			maildir_path_folder(&m->naming, d->rcpts[i].address,
			    c->folder);
		c->rcpt = i;
		c->error = 0;
		j->copy_cnt++;
	}
}

static void
end_job(struct job *j)
{
	struct verdict v = verdict_own(OWN_no_text, STAGE_STORE);
	struct delivery *d = j->delivery;

	j->maildir->job_cnt--;
	free(j);
	delivery_end(d, &v, SPAN("maildir"));
}

/* All copies of this round through the text are made, or never will be. */
static void
end_round(struct job *j)
{
	struct delivery *d = j->delivery;
	uint32_t before = d->undecided;

	for (unsigned i = 0; !j->is_lost && i < j->copy_cnt; i++)
		decide(j, &j->copies[i]);
	if (j->is_lost || d->undecided == 0 || d->undecided == before ||
	    !delivery_can_go_on(d)) {
		end_job(j);
		return;
	}
	delivery_rewind(d);
	fill_copies(j);
	if (j->copy_cnt == 0)
		end_job(j);
	else
		go_on(j);
}

static void
come_back(struct job *j)
{
	j->is_away = false;
	j->is_first = false;
	delivery_drop(j->delivery, j->piece_cnt);
	if (j->is_last || j->is_lost)
		end_round(j);
	else
		go_on(j);
}

static void
answer_bell(struct bell *b, void *arg)
{
	struct job_list done = STAILQ_HEAD_INITIALIZER(done);
	struct maildir *m = arg;
	struct job *j;

	(void)pthread_mutex_lock(&m->lock);
	STAILQ_CONCAT(&done, &m->done);
	(void)pthread_mutex_unlock(&m->lock);
	while ((j = STAILQ_FIRST(&done)) != NULL) {
		STAILQ_REMOVE_HEAD(&done, entry);
		come_back(j);
	}
}

/* What a relay kind does. */

static enum err
start_threads(struct maildir *m)
{
	pthread_t thread;
	int error;

	for (unsigned i = 0; i < THREADS; i++) {
		error = pthread_create(&thread, NULL, worker_off, m);
		if (error == 0)
			error = pthread_detach(thread);
		if (error != 0) {
			errno = error;
			return ERR_SYS;
		}
	}
	return OK;
}

static enum folders
read_folders(struct span word)
{
	return span_eq(word, SPAN("create")) ? FOLDERS_MADE :
	    span_eq(word, SPAN("existing")) ? FOLDERS_THERE : FOLDERS_NONE;
}

static enum err
open_parts(struct maildir *m, const struct relay_type_env *env)
{
	struct span delimiter = slice_text(&env->block,
	    "recipient_delimiter", 0);
	struct span path = slice_text(&env->block, "path", 0);

	path = span_tail(path, path_fixed_head(path).len);
	while (path.len > 0 && path.ptr[0] == '/')
		path = span_tail(path, 1);
	m->naming.template = path;
	m->naming.fold_case = slice_flag(&env->block, "fold_case");
	m->folders = read_folders(slice_text(&env->block, "detail_folder",
	    0));
	m->quota.bytes = slice_num(&env->block, "quota");
	m->quota.messages = slice_num(&env->block, "quota_messages");
	m->refuses = span_eq(slice_text(&env->block, "over_quota", 0),
	    SPAN("refuse"));
	m->naming.delimiter = delimiter.len > 0 ? delimiter.ptr[0] : '\0';
	if (maildir_file_root(env->root, &m->root_fd) != OK) {
		log_why(LOG_trouble, "the directory cannot be opened", errno);
		return ERR_SYS;
	}
	if (bell_wait_init(&m->more) != OK || bell_init(&m->bell, env->loop,
	    answer_bell, m) != OK || start_threads(m) != OK) {
		log_why(LOG_trouble, "threads cannot be started", errno);
		return ERR_SYS;
	}
	return OK;
}

/* A failure ends the process, so nothing is undone. */
static enum err
open_maildir(void **out, const struct relay_type_env *env)
{
	struct maildir *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return ERR_SYS;
	m->loop = env->loop;
	m->naming.hostname = env->hostname;
	(void)pthread_mutex_init(&m->lock, NULL);
	STAILQ_INIT(&m->to_do);
	STAILQ_INIT(&m->done);
	if (open_parts(m, env) != OK)
		return ERR_SYS;
	*out = m;
	return OK;
}

static uint32_t
slots(const void *arg)
{
	return SLOTS_MAILDIR;
}

static void
take(void *arg, struct delivery *d)
{
	struct verdict v = verdict_own(OWN_no_memory, STAGE_STORE);
	struct maildir *m = arg;
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL) {
		delivery_end(d, &v, SPAN("maildir"));
		return;
	}
	j->maildir = m;
	j->delivery = d;
	m->job_cnt++;
	fill_copies(j);
	if (j->copy_cnt == 0) {
		end_job(j);
		return;
	}
	d->on_text = on_piece;
	d->on_text_arg = j;
	delivery_prefetch(d);
	go_on(j);
}

/* What has begun takes no longer than the disk. */
static void
drain(void *arg)
{
}

static bool
is_busy(const void *arg)
{
	const struct maildir *m = arg;

	return m->job_cnt > 0;
}

const struct relay_type relay_type_maildir = {
	.open = open_maildir,
	.slots = slots, .take = take, .drain = drain, .is_busy = is_busy,
};
