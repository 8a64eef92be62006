/*
 * test_boot - what a child makes of what master says: files that belong to a
 * slice, counters, connections made for it.  The child is a fork of this
 * program that tells a pipe what it sees; master is played here.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bus/boot.h"
#include "sys/counters.h"

#define NO	7	/* the child's number */
#define PATIENCE	600	/* times 50 ms: what takes longer has failed */

/* The child. */

static int	 out;		/* what it saw		*/
static uint64_t	 given_up, given_up_late;	/* requests	*/
static struct boot *the_boot;	/* of the relay		*/

static void
say(const char *text)
{
	if (write(out, text, strlen(text)) == -1)
		_exit(9);
}

/* "files 2: ab", each by its first byte. */
static void
say_files(const struct boot *b)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "files %u: ",
	    boot_file_cnt(b));
	char c;

	for (unsigned i = 0; i < boot_file_cnt(b); i++)
		if (pread(boot_file(b, i), &c, 1, 0) == 1)
			text[len++] = c;
	text[len] = '\0';
	say(text);
	if (boot_file(b, boot_file_cnt(b)) != -1)
		say("one too many");
}

static void
meet(struct boot *b, int fd, const struct link_peer *peer, void *arg)
{
	close(fd);
}

static enum err
reload(struct boot *b, struct span slice, void *arg)
{
	say_files(b);
	return slice.ptr[0] == 'g' ? OK : ERR_NONE;
}

static unsigned
open_descriptors(void)
{
	unsigned cnt = 0;

	for (int fd = 0; fd < 600; fd++)
		cnt += fcntl(fd, F_GETFD) != -1;
	return cnt;
}

/* Told to end, it tells how it stands, and does. */
static void
drain(struct boot *b, uint32_t patience_ms, void *arg)
{
	char text[32];

	say_files(b);
	snprintf(text, sizeof(text), "open %u", open_descriptors());
	say(text);
	boot_done(b);
}

static enum err
on_message(struct boot *b, unsigned type, const union msg *m, int fd, void *arg)
{
	say(msg_name(type));
	if (fd != -1)
		close(fd);
	return OK;
}

static void
endpoint(int fd, int error, void *arg)
{
	unsigned cnt;
	char text[64];

	snprintf(text, sizeof(text), "%s: %s", (const char *)arg,
	    fd != -1 ? "open" : error == ECONNREFUSED ? "refused" :
	    error == ECONNRESET ? "lost" : "?");
	say(text);
	if (fd != -1)
		close(fd);
	if (*(const char *)arg != 'a')
		return;
	/* Its connection may have come in the same turn. */
	cnt = open_descriptors();
	boot_endpoint_cancel(the_boot, given_up_late);
	snprintf(text, sizeof(text), "closed %u", cnt - open_descriptors());
	say(text);
}

static const struct boot_calls calls = {
	.peer = meet, .reload = reload, .drain = drain,
	.on_message = on_message,
};
static const struct boot_calls deaf = { .peer = meet, .drain = drain };

__attribute__((noreturn))
static void
be_child(const char *program, int fd, const struct boot_calls *c)
{
	static char name[64];
	char *argv[] = { name, NULL };
	struct boot *b;
	uint32_t uid, gid;
	char text[32];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)strlcpy(name, program, sizeof(name));
	if (out == 3 && (out = dup(out)) == -1)
		_exit(9);
	if (fd != 3 && (dup2(fd, 3) == -1 || close(fd) == -1))
		_exit(9);
	b = boot_start(1, argv, c, NULL);
	boot_ids(b, &uid, &gid);
	snprintf(text, sizeof(text), "%s %u/%u",
	    role_row(boot_self(b)->role)->name, uid, gid);
	say(text);
	say_files(b);
	counter_add(COUNTER_taken, 3);
	if (strcmp(program, "postern-relay") == 0) {
		(void)boot_endpoint(b, 0, endpoint, (void *)(uintptr_t)"a");
		given_up = boot_endpoint(b, 1, endpoint,
		    (void *)(uintptr_t)"b");
		(void)boot_endpoint(b, 2, endpoint, (void *)(uintptr_t)"c");
		boot_endpoint_cancel(b, given_up);
		the_boot = b;
		given_up_late = boot_endpoint(b, 3, endpoint,
		    (void *)(uintptr_t)"d");
		say("asked");
	}
	_exit(boot_run(b));
}

/* Master. */

struct world {
	struct ev_loop	*loop;
	struct link	*child;
	bool		 is_gone;
	pid_t		 pid;
	int		 saw;		/* what the child says comes here */
	uint64_t	 requests[4];
	unsigned	 request_cnt;
	unsigned	 ready_cnt, refused_cnt;
};

static enum err
child_says(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct world *w = arg;

	if (type == MSG_endpoint_ask && w->request_cnt < 4)
		w->requests[w->request_cnt++] = m->endpoint_ask.request;
	if (type == MSG_work_ready && m->work_ready.generation == 0)
		w->refused_cnt++;
	else if (type == MSG_work_ready)
		w->ready_cnt++;
	ev_stop(w->loop);
	return OK;
}

static void
child_gone(struct link *l, enum err why, void *arg)
{
	struct world *w = arg;

	link_close(&w->child);
	w->is_gone = true;
	ev_stop(w->loop);
}

static void
turn(struct timer *t, void *arg)
{
	ev_stop(arg);
}

static void
run_for(struct world *w, int64_t ms)
{
	struct timer t;

	timer_init(&t, w->loop, turn, w->loop);
	timer_set(&t, ms);
	assert_int_equal(ev_run(w->loop), OK);
	timer_stop(&t);
}

/* The next thing the child says, as one line that it wrote at once. */
static void
want(struct world *w, const char *text)
{
	struct pollfd p = { .fd = w->saw, .events = POLLIN };
	char got[256] = "";
	ssize_t len;

	for (int i = 0; i < PATIENCE && poll(&p, 1, 0) == 0; i++)
		run_for(w, 50);
	len = recv(w->saw, got, sizeof(got) - 1, MSG_DONTWAIT);
	got[len > 0 ? len : 0] = '\0';
	assert_string_equal(got, text);
}

static int
memory(const char *text)
{
	int fd = memfd_create("x", MFD_CLOEXEC);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

/* A child that has had enough may be gone already: then it hears nothing. */
static void
give_file(struct world *w, uint16_t index, const char *text)
{
	int fd = memory(text);

	if (!w->is_gone)
		(void)link_send_slice_file(w->child,
		    &(struct msg_slice_file){ index }, fd);
	close(fd);
}

static void
give_slice(struct world *w, const char *text)
{
	int fd = memory(text);

	(void)link_send_slice_new(w->child, &(struct msg_slice_new){ 2 }, fd);
	close(fd);
}

/* Everything up to, but not, boot_go. */
static void
start(struct world *w, enum role role, const struct boot_calls *c)
{
	struct link_peer child = { .role = role, .block = "x", .no = NO,
	    .start = 1, .workers = 1 };
	int ends[2], said[2], fd;

	memset(w, 0, sizeof(*w));
	assert_int_equal(ev_open(&w->loop), OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, said), 0);
	if ((w->pid = fork()) == 0) {
		close(ends[0]);
		close(said[0]);
		out = said[1];
		be_child(role_row(role)->program, ends[1], c);
	}
	close(ends[1]);
	close(said[1]);
	w->saw = said[0];
	assert_int_equal(link_open(&w->child, w->loop, ends[0], ROLE_MASTER,
	    &child, child_says, child_gone, w), OK);
	fd = memory("good");
	assert_int_equal(link_send_boot_slice(w->child,
	    &(struct msg_boot_slice){ .role = (uint8_t)role,
	    .block = SPAN("x"), .no = NO, .start = 1, .workers = 1,
	    .generation = 1, .uid = 11, .gid = 12,
	    .root = SPAN("/var/empty") }, fd), OK);
	close(fd);
}

static void
go(struct world *w)
{
	if (!w->is_gone)
		(void)link_send_boot_go(w->child, &(struct msg_boot_go){ 0 });
}

static void
stop(struct world *w, int status)
{
	int got;

	for (int i = 0; i < PATIENCE && !w->is_gone; i++)
		run_for(w, 50);
	assert_true(w->is_gone);
	assert_int_equal(waitpid(w->pid, &got, 0), w->pid);
	assert_true(WIFEXITED(got));
	assert_int_equal(WEXITSTATUS(got), status);
	close(w->saw);
	ev_close(&w->loop);
}

static void
files_come_with_their_slice_and_go_with_it(void **state)
{
	char text[32] = "";
	struct world w;

	start(&w, ROLE_USERS, &calls);
	give_file(&w, 0, "a");
	give_file(&w, 1, "b");
	go(&w);
	want(&w, "users 11/12");
	want(&w, "files 2: ab");
	/* Refused: those it had stay. */
	give_file(&w, 0, "x");
	give_file(&w, 1, "y");
	give_file(&w, 2, "z");
	give_slice(&w, "bad");
	want(&w, "files 3: xyz");
	run_for(&w, 50);
	/* Taken: and all over again, which leaves no descriptor behind. */
	for (unsigned i = 0; i < 40; i++) {
		give_file(&w, 0, "c");
		give_slice(&w, i % 2 == 0 ? "good" : "bad");
		want(&w, "files 1: c");
	}
	(void)link_send_work_drain(w.child, &(struct msg_work_drain){ 1000 });
	want(&w, "files 1: c");
	/* 0-2, master, epoll, what it says to, one file, and a timer's. */
	assert_true(recv(w.saw, text, sizeof(text), 0) > 5);
	assert_true(strtol(text + 5, NULL, 10) < 30);
	stop(&w, 0);
	assert_true(w.ready_cnt >= 20);
	assert_int_equal(w.refused_cnt, 21);	/* each is owned up to */
}

static void
files_out_of_order_are_nonsense(void **state)
{
	struct world w;

	start(&w, ROLE_USERS, &calls);
	give_file(&w, 1, "a");
	go(&w);
	stop(&w, 1);
	start(&w, ROLE_USERS, &calls);
	for (uint16_t i = 0; i <= BOOT_FILES_MAX; i++) {
		give_file(&w, i, "a");
		run_for(&w, 0);
	}
	go(&w);
	stop(&w, 1);
}

static void
counting_goes_to_the_page_that_master_gave(void **state)
{
	uint64_t got[COUNTER__COUNT];
	struct world w;
	const void *page;
	int fd, reader;

	assert_int_equal(counters_make(&fd), OK);
	assert_int_equal(counters_reader(&reader, fd), OK);
	start(&w, ROLE_USERS, &calls);
	(void)link_send_boot_counters(w.child,
	    &(struct msg_boot_counters){ NO }, fd);
	go(&w);
	want(&w, "users 11/12");
	want(&w, "files 0: ");
	(void)link_send_work_drain(w.child, &(struct msg_work_drain){ 1000 });
	stop(&w, 0);
	assert_non_null(page = counters_map(reader));
	counters_read(page, got);
	assert_int_equal(got[COUNTER_taken], 3);
	counters_unmap(page);
	close(fd);
	close(reader);
}

static void
another_ones_page_or_a_second_one_is_nonsense(void **state)
{
	struct world w;
	int fd;

	assert_int_equal(counters_make(&fd), OK);
	start(&w, ROLE_USERS, &calls);
	(void)link_send_boot_counters(w.child,
	    &(struct msg_boot_counters){ NO + 1 }, fd);
	go(&w);
	stop(&w, 1);
	start(&w, ROLE_USERS, &calls);
	for (int i = 0; i < 2; i++)
		(void)link_send_boot_counters(w.child,
		    &(struct msg_boot_counters){ NO }, fd);
	go(&w);
	stop(&w, 1);
	close(fd);
}

static void
a_second_file_of_marks_is_nonsense(void **state)
{
	struct world w;
	int fd = memory("marks");

	for (int cnt = 1; cnt <= 2; cnt++) {
		start(&w, ROLE_RELAY, &calls);
		for (int i = 0; i < cnt; i++)
			(void)link_send_boot_marks(w.child,
			    &(struct msg_boot_marks){ 0 }, fd);
		go(&w);
		if (cnt == 2) {
			stop(&w, 1);
			break;
		}
		want(&w, "relay 11/12");
		(void)link_send_work_drain(w.child,
		    &(struct msg_work_drain){ 1000 });
		stop(&w, 0);
	}
	close(fd);
}

static void
each_request_is_answered_once_or_given_up(void **state)
{
	struct world w;
	int fd = memory("conn");

	start(&w, ROLE_RELAY, &calls);
	go(&w);
	want(&w, "relay 11/12");
	want(&w, "files 0: ");
	want(&w, "asked");
	for (int i = 0; i < PATIENCE && w.request_cnt < 4; i++)
		run_for(&w, 50);
	assert_int_equal(w.request_cnt, 4);
	/* The second was given up, the third is not answered. */
	(void)link_send_endpoint_open(w.child,
	    &(struct msg_endpoint_open){ w.requests[1] }, fd);
	(void)link_send_endpoint_failed(w.child,
	    &(struct msg_endpoint_failed){ w.requests[0], ECONNREFUSED });
	(void)link_send_endpoint_open(w.child,
	    &(struct msg_endpoint_open){ w.requests[0] }, fd);
	(void)link_send_endpoint_open(w.child,
	    &(struct msg_endpoint_open){ w.requests[3] }, fd);
	want(&w, "a: refused");
	want(&w, "closed 1");
	link_close(&w.child);
	w.is_gone = true;
	want(&w, "c: lost");
	want(&w, "files 0: ");
	close(fd);
	stop(&w, 0);
}

static void
a_connection_is_handed_on(void **state)
{
	struct world w;
	int fd = memory("conn");

	start(&w, ROLE_RELAY, &calls);
	go(&w);
	want(&w, "relay 11/12");
	want(&w, "files 0: ");
	want(&w, "asked");
	for (int i = 0; i < PATIENCE && w.request_cnt < 3; i++)
		run_for(&w, 50);
	(void)link_send_endpoint_open(w.child,
	    &(struct msg_endpoint_open){ w.requests[2] }, fd);
	want(&w, "c: open");
	close(fd);
	(void)link_send_work_drain(w.child, &(struct msg_work_drain){ 1000 });
	stop(&w, 0);
}

static void
what_boot_does_not_know_goes_to_the_program(void **state)
{
	struct msg_supervisor_end end = { 1, 2, 3 };
	struct world w;

	start(&w, ROLE_CONTROL, &calls);
	go(&w);
	want(&w, "control 11/12");
	want(&w, "files 0: ");
	(void)link_send_supervisor_end(w.child, &end);
	want(&w, "supervisor_end");
	(void)link_send_work_drain(w.child, &(struct msg_work_drain){ 1000 });
	stop(&w, 0);
	/* And is nonsense to one that has no ear for it. */
	start(&w, ROLE_CONTROL, &deaf);
	go(&w);
	want(&w, "control 11/12");
	want(&w, "files 0: ");
	(void)link_send_supervisor_end(w.child, &end);
	stop(&w, 0);
}

static void
a_page_keeps_its_size_and_its_readers_only_read(void **state)
{
	int fd, reader, small;

	assert_int_equal(counters_make(&fd), OK);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 2 * COUNTERS_PAGE), -1);
	assert_int_equal(counters_reader(&reader, fd), OK);
	assert_int_equal(write(reader, "x", 1), -1);
	assert_ptr_equal(mmap(NULL, COUNTERS_PAGE, PROT_WRITE, MAP_SHARED,
	    reader, 0), MAP_FAILED);
	small = memory("x");
	assert_int_equal(counters_open(small), ERR_SYS);
	assert_null(counters_map(small));
	close(small);
	close(fd);
	close(reader);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_come_with_their_slice_and_go_with_it),
		cmocka_unit_test(files_out_of_order_are_nonsense),
		cmocka_unit_test(counting_goes_to_the_page_that_master_gave),
		cmocka_unit_test(another_ones_page_or_a_second_one_is_nonsense),
		cmocka_unit_test(a_second_file_of_marks_is_nonsense),
		cmocka_unit_test(each_request_is_answered_once_or_given_up),
		cmocka_unit_test(a_connection_is_handed_on),
		cmocka_unit_test(what_boot_does_not_know_goes_to_the_program),
		cmocka_unit_test(
		    a_page_keeps_its_size_and_its_readers_only_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
