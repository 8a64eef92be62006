/*
 * boot_received.c - what master says, before boot_go and after.
 *
 * Files come before the slice they belong to: those before boot_go are the
 * first slice's, later ones wait for slice_new and are closed again when the
 * program does not take it.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "bus/boot_inside.h"
#include "sys/counters.h"
#include "sys/logfile.h"

#define ORPHAN_MS	5000	/* to finish in when master has died	*/
#define SLICE_MAX	(16u << 20)	/* bytes we are ready to map	*/

static enum err
map_slice(struct span *out, int fd)
{
	struct stat st;
	void *at;

	if (fstat(fd, &st) == -1 || st.st_size <= 0 || st.st_size > SLICE_MAX)
		return ERR_PEER;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return ERR_SYS;
	*out = (struct span){ at, (size_t)st.st_size };
	return OK;
}

static void
unmap_slice(struct span s)
{
	if (s.len > 0)
		munmap((void *)(uintptr_t)s.ptr, s.len);
}

static void
close_files(struct boot_files *f)
{
	while (f->cnt > 0)
		close(f->fds[--f->cnt]);
}

/* "edge in/0[123]" in logs, "postern: edge in/0" in ps. */
static void
name_process(const struct boot *b)
{
	char name[LINK_NAME_MAX], prefix[LINK_NAME_MAX + 16];

	link_name(&b->self, name);
	snprintf(prefix, sizeof(prefix), "%s[%d]", name, (int)getpid());
	logfile_open(prefix, b->debug);
	setproctitle("-postern: %s", name);
}

/* One program may have several rows; it is master that says which we are. */
static bool
is_our_program(const struct boot *b, unsigned role)
{
	return role < ROLE__COUNT && strcmp(role_row(role)->program,
	    role_row(b->self.role)->program) == 0;
}

static enum err
take_slice(struct boot *b, const struct msg_boot_slice *m, int fd)
{
	enum err e = OK;

	if (b->has_slice || !is_our_program(b, m->role) ||
	    !span_cstr(m->block, b->self.block, sizeof(b->self.block)) ||
	    !span_cstr(m->root, b->root, sizeof(b->root)))
		e = ERR_PEER;
	if (e == OK)
		e = map_slice(&b->slice, fd);
	close(fd);
	if (e != OK)
		return e;
	b->has_slice = true;
	b->self.role = m->role;
	b->self.no = m->no;
	b->self.start = m->start;
	b->self.worker = m->worker;
	b->self.workers = m->workers;
	b->generation = m->generation;
	b->uid = m->uid;
	b->gid = m->gid;
	b->debug = m->debug != 0;
	b->wish = m->sandbox == SANDBOX_PREFER ?
	    SANDBOX_PREFER : SANDBOX_REQUIRE;
	link_set_role(b->master, b->self.role);
	name_process(b);
	return OK;
}

static enum err
take_listener(struct boot *b, const struct msg_boot_listener *m, int fd)
{
	if (b->going || m->index != b->listener_cnt ||
	    b->listener_cnt == BOOT_LISTENERS_MAX) {
		close(fd);
		return ERR_PEER;
	}
	b->listeners[b->listener_cnt++] = fd;
	return OK;
}

static enum err
take_counters(struct boot *b, const struct msg_boot_counters *m, int fd)
{
	enum err e = ERR_PEER;

	if (!b->going && !b->has_counters && m->no == b->self.no)
		e = counters_open(fd);
	b->has_counters = e == OK;
	close(fd);
	return e;
}

/* A second one would be the same file, and lose us the marks when closed. */
static enum err
take_marks(struct boot *b, int fd)
{
	if (b->going || b->marks != -1) {
		close(fd);
		return ERR_PEER;
	}
	b->marks = fd;
	return OK;
}

static enum err
take_file(struct boot *b, const struct msg_slice_file *m, int fd)
{
	struct boot_files *f = b->going ? &b->next : &b->files;

	if (m->index != f->cnt || f->cnt == BOOT_FILES_MAX) {
		close(fd);
		return ERR_PEER;
	}
	f->fds[f->cnt++] = fd;
	return OK;
}

static enum err
take_peer(struct boot *b, const struct msg_peer_link *m, int fd)
{
	struct link_peer peer = {
		.role = m->role, .no = m->no, .start = m->start,
		.worker = m->worker, .workers = m->workers,
	};
	struct boot_waiting *w;

	if (m->role >= ROLE__COUNT ||
	    !span_cstr(m->block, peer.block, sizeof(peer.block))) {
		close(fd);
		return ERR_PEER;
	}
	if (b->running) {
		b->calls->peer(b, fd, &peer, b->arg);
		return OK;
	}
	if ((w = calloc(1, sizeof(*w))) == NULL) {
		close(fd);
		return ERR_SYS;
	}
	w->peer = peer;
	w->fd = fd;
	TAILQ_INSERT_TAIL(&b->waiting, w, entry);
	return OK;
}

/* The program sees the new files from within reload(), as boot.h has it. */
static enum err
offer_slice(struct boot *b, struct span slice)
{
	struct boot_files old = b->files;
	enum err e = ERR_NONE;

	b->files = b->next;
	b->next.cnt = 0;
	if (b->calls->reload != NULL)
		e = b->calls->reload(b, slice, b->arg);
	if (e == OK) {
		close_files(&old);
		return OK;
	}
	close_files(&b->files);
	b->files = old;
	return e;
}

/* A slice that cannot be used leaves the old one in force, and says so. */
static enum err
take_new_slice(struct boot *b, const struct msg_slice_new *m, int fd)
{
	struct msg_work_ready ready = { m->generation };
	struct span new;
	enum err e = map_slice(&new, fd);

	close(fd);
	if (e != OK)
		return e;
	if (offer_slice(b, new) != OK) {
		log_why(LOG_trouble, "the new configuration cannot be used", 0);
		unmap_slice(new);
		ready.generation = 0;
	} else {
		unmap_slice(b->slice);
		b->slice = new;
		b->generation = m->generation;
	}
	if (b->master == NULL)
		return OK;
	return link_send_work_ready(b->master, &ready);
}

/* One that is kept open gets connections that nobody will take in. */
static void
close_listeners(struct boot *b)
{
	while (b->listener_cnt > 0)
		close(b->listeners[--b->listener_cnt]);
}

static void
drain(struct boot *b, uint32_t patience_ms)
{
	if (b->draining && b->patience.due_ms <=
	    ev_now_ms(b->loop) + (int64_t)patience_ms)
		return;
	timer_set(&b->patience, patience_ms);
	b->draining = true;
	b->calls->drain(b, patience_ms, b->arg);
	close_listeners(b);
}

static enum err
tell_holding(struct boot *b)
{
	struct msg_holding m = { 0 };

	if (b->calls->holding != NULL)
		m.messages = b->calls->holding(b, b->arg);
	return link_send_holding(b->master, &m);
}

/*
 * Master may say more in the turn of boot_go, when the program has nothing
 * made yet that could do it.  Peers wait; told to end, it just ends; and for
 * the rest it is started anew, from what is current then.
 */
static enum err
hear_early(struct boot *b, unsigned type, const union msg *m, int fd)
{
	if (type == MSG_peer_link)
		return take_peer(b, &m->peer_link, fd);
	if (type == MSG_peer_gone)
		return OK;
	exit(type == MSG_work_drain ? 0 : 1);
}

/* What only some programs are told. */
static enum err
hear_more(struct boot *b, unsigned type, const union msg *m, int fd)
{
	switch (type) {
	case MSG_holding_ask:
		return tell_holding(b);
	case MSG_endpoint_open:
		boot_endpoint_answered(b, m->endpoint_open.request, fd, 0);
		return OK;
	case MSG_endpoint_failed:
		boot_endpoint_answered(b, m->endpoint_failed.request, -1,
		    (int)(m->endpoint_failed.error & INT32_MAX));
		return OK;
	default:
		if (b->calls->on_message != NULL)
			return b->calls->on_message(b, type, m, fd, b->arg);
		if (fd != -1)
			close(fd);
		return ERR_PEER;
	}
}

static enum err
hear(struct boot *b, unsigned type, const union msg *m, int fd)
{
	switch (type) {
	case MSG_boot_listener:
		return take_listener(b, &m->boot_listener, fd);
	case MSG_boot_counters:
		return take_counters(b, &m->boot_counters, fd);
	case MSG_boot_marks:
		return take_marks(b, fd);
	case MSG_slice_file:
		return take_file(b, &m->slice_file, fd);
	case MSG_boot_go:
		b->going = true;
		ev_stop(b->loop);
		return OK;
	case MSG_peer_link:
		return take_peer(b, &m->peer_link, fd);
	case MSG_peer_gone:
		if (b->running && b->calls->peer_gone != NULL)
			b->calls->peer_gone(b, m->peer_gone.no, b->arg);
		return OK;
	case MSG_slice_new:
		return take_new_slice(b, &m->slice_new, fd);
	case MSG_work_drain:
		drain(b, m->work_drain.patience_ms);
		return OK;
	default:
		return hear_more(b, type, m, fd);
	}
}

enum err
boot_received(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct boot *b = arg;

	if (type == MSG_boot_slice)
		return take_slice(b, &m->boot_slice, fd);
	if (type == MSG_process_ping)
		return link_send_process_pong(l, &(struct msg_process_pong){
		    m->process_ping.turn });
	if (!b->has_slice) {
		if (fd != -1)
			close(fd);
		return ERR_PEER;
	}
	if (b->going && !b->running)
		return hear_early(b, type, m, fd);
	return hear(b, type, m, fd);
}

static void
end_without_master(struct later *l, void *arg)
{
	drain(arg, ORPHAN_MS);
}

/*
 * Without master nobody mends our links: finish what can be, and end.  What it
 * was asked comes first, for who waits for that is not done.
 */
void
boot_orphaned(struct link *l, enum err why, void *arg)
{
	struct boot *b = arg;

	link_close(&b->master);
	if (!b->running)
		exit(1);
	log_why(LOG_unlinked, "master is gone", 0);
	close_files(&b->next);
	boot_endpoint_lost(b);
	later_init(&b->orphaned, b->loop, end_without_master, b);
	later_call(&b->orphaned);
}
