/*
 * test_master_control - what control is told of the house, what it may have
 * done, and the connections that master makes for others.
 *
 * room: master
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "master/control.h"
#include "master/endpoint.h"
#include "master/pair.h"
#include "master/process.h"
#include "sys/counters.h"

static char	 base[64];
static struct supervisor house;
static struct ev_loop *loop;

/* The far end of a link to master. */
struct far {
	struct link	*link;
	unsigned	 process_cnt, listener_cnt, end_cnt, page_cnt;
	unsigned	 open_cnt, failed_cnt, file_cnt, slice_cnt;
	uint32_t	 error, page_no, gone_no;
	uint8_t		 state, status;
	unsigned	 done_cnt;
	char		 where[256], text[256], first[16];
	bool		 can_write_page;
};

static enum err
hear(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	struct far *f = arg;

	switch (type) {
	case MSG_supervisor_process:
		f->process_cnt++;
		f->state = m->supervisor_process.state;
		break;
	case MSG_supervisor_listener:
		f->listener_cnt++;
		(void)strlcat(f->where, " ", sizeof(f->where));
		(void)strncat(f->where, m->supervisor_listener.where.ptr,
		    m->supervisor_listener.where.len);
		break;
	case MSG_supervisor_end:
		f->end_cnt++;
		break;
	case MSG_supervisor_counters:
		f->page_cnt++;
		f->page_no = m->supervisor_counters.no;
		f->can_write_page |= counters_open(fd) == OK;
		break;
	case MSG_peer_gone:
		f->gone_no = m->peer_gone.no;
		break;
	case MSG_supervisor_done:
		f->done_cnt++;
		f->status = m->supervisor_done.status;
		break;
	case MSG_endpoint_open:
		f->open_cnt++;
		assert_int_equal(write(fd, "hi", 2), 2);
		break;
	case MSG_endpoint_failed:
		f->failed_cnt++;
		f->error = m->endpoint_failed.error;
		break;
	case MSG_slice_file:
		f->file_cnt++;
		assert_true(read(fd, f->first, 1) == 1);
		break;
	case MSG_slice_new:
		f->slice_cnt++;
		break;
	default:
		break;
	}
	if (fd != -1)
		close(fd);
	return OK;
}

static void
gone(struct link *l, enum err why, void *arg)
{
}

static void
turn(struct timer *t, void *arg)
{
	ev_stop(arg);
}

static void
run(void)
{
	struct timer t;

	timer_init(&t, loop, turn, loop);
	timer_set(&t, 30);
	assert_int_equal(ev_run(loop), OK);
	timer_stop(&t);
}

static struct plan_process
row_of(enum role role, const char *block)
{
	static const struct plan_process none;
	struct plan_process row = none;

	row.role = (uint8_t)role;
	row.workers = 1;
	(void)strlcpy(row.block, block, sizeof(row.block));
	return row;
}

/* As if it ran, with a link but without a process. */
static struct process *
stand_in(struct plan_process row, const struct plan_file *files,
    const struct plan_endpoint *endpoints, struct far *far)
{
	static const struct link_peer master = { .role = ROLE_MASTER };
	struct plan_endpoint none = { .family = 1 };
	int fds[2], slice = open("/dev/null", O_RDONLY);
	struct plan plan = { .rows = &row, .slices = &slice };
	struct folder *folder;
	struct process *p;

	plan.endpoints = endpoints != NULL ?
	    (struct plan_endpoint *)(uintptr_t)endpoints : &none;
	assert_int_equal(folder_open(&folder, files, row.file_cnt), OK);
	p = process_new(&house, &plan, 0, folder);
	assert_non_null(p);
	p->id.start = 1;
	assert_int_equal(pair_socket(fds), OK);
	assert_int_equal(link_open(&p->link, loop, fds[0], ROLE_MASTER, &p->id,
	    hear, gone, NULL), OK);
	memset(far, 0, sizeof(*far));
	assert_int_equal(link_open(&far->link, loop, fds[1], row.role, &master,
	    hear, gone, far), OK);
	return p;
}

static void
remove_stand_in(struct process *p, struct far *far)
{
	link_close(&far->link);
	process_drain(p, 0);
}

static enum err
ask(struct process *p, unsigned type, uint32_t request, const char *block)
{
	union msg m;

	memset(&m, 0, sizeof(m));
	if (type == MSG_users_ask)
		m.users_ask = (struct msg_users_ask){ request,
		    span_of(block) };
	else
		m.supervisor_ask.request = request;
	return control_on_ask(p, type, &m);
}

static void
control_is_told_of_all_processes_and_listeners(void **state)
{
	struct plan_process edge = row_of(ROLE_EDGE, "in");
	struct far cf, ef;
	struct process *control, *p;

	edge.listener_cnt = 3;
	edge.listeners[0].family = 4;
	edge.listeners[0].port = 25;
	memcpy(edge.listeners[0].address, "\177\0\0\1", 4);
	edge.listeners[1].family = 6;
	edge.listeners[1].port = 465;
	edge.listeners[2].family = 1;
	(void)strlcpy(edge.listeners[2].path, "/run/s", PLAN_SOCKET_MAX);
	control = stand_in(row_of(ROLE_CONTROL, "control"), NULL, NULL, &cf);
	p = stand_in(edge, NULL, NULL, &ef);
	assert_int_equal(ask(control, MSG_supervisor_ask, 9, NULL), OK);
	run();
	assert_int_equal(cf.process_cnt, 2);
	assert_int_equal(cf.state, PROCESS_DOWN);	/* it has no pid */
	assert_int_equal(cf.end_cnt, 1);
	assert_string_equal(cf.where, " 127.0.0.1:25 [::]:465 /run/s");
	/* Nobody else is answered, and what is not asked is nonsense. */
	assert_int_equal(ask(control, MSG_endpoint_ask, 1, NULL), ERR_PEER);
	remove_stand_in(p, &ef);
	remove_stand_in(control, &cf);
}

static void
who_asks_and_does_not_read_is_given_up(void **state)
{
	struct far cf;
	struct process *control = stand_in(row_of(ROLE_CONTROL, "control"),
	    NULL, NULL, &cf);
	unsigned asked = 0;

	while (asked < 100000 &&
	    ask(control, MSG_supervisor_ask, asked, NULL) == OK)
		asked++;
	assert_true(asked > 100 && asked < 100000);
	assert_true(link_unsent(control->link) < 4u << 20);
	remove_stand_in(control, &cf);
}

static void
pages_come_when_control_is_ready_and_as_processes_do(void **state)
{
	struct far cf, af, bf;
	struct process *control, *a, *b;

	control = stand_in(row_of(ROLE_CONTROL, "control"), NULL, NULL, &cf);
	a = stand_in(row_of(ROLE_EDGE, "a"), NULL, NULL, &af);
	run();
	assert_int_equal(cf.page_cnt, 0);
	control->is_ready = true;
	control_ready(control, true);
	run();
	assert_int_equal(cf.page_cnt, 2);
	b = stand_in(row_of(ROLE_EDGE, "b"), NULL, NULL, &bf);
	run();
	assert_int_equal(cf.page_cnt, 3);
	assert_int_equal(cf.page_no, b->id.no);
	control_forgot(b);
	run();
	assert_int_equal(cf.gone_no, b->id.no);
	assert_false(cf.can_write_page);
	remove_stand_in(a, &af);
	remove_stand_in(b, &bf);
	remove_stand_in(control, &cf);
}

static struct plan_file
write_file(const char *text)
{
	struct plan_file row = { .is_secret = 1 };
	int fd;

	snprintf(row.path, sizeof(row.path), "%s/users", base);
	(void)unlink(row.path);
	fd = open(row.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return row;
}

static void
users_get_their_file_opened_anew(void **state)
{
	struct plan_process row = row_of(ROLE_USERS, "staff");
	struct plan_file file = write_file("old");
	struct far cf, uf;
	struct process *control, *users;

	row.file_cnt = 1;
	control = stand_in(row_of(ROLE_CONTROL, "control"), NULL, NULL, &cf);
	users = stand_in(row, &file, NULL, &uf);
	(void)write_file("new");
	assert_int_equal(ask(control, MSG_users_ask, 1, "nobody"), OK);
	run();
	assert_int_equal(cf.status, STATUS_NONE);
	assert_int_equal(uf.file_cnt, 0);
	assert_int_equal(ask(control, MSG_users_ask, 2, "staff"), OK);
	assert_int_equal(ask(control, MSG_users_ask, 3, "staff"), OK);
	run();
	assert_int_equal(uf.file_cnt, 1);
	assert_int_equal(uf.slice_cnt, 1);
	assert_string_equal(uf.first, "n");
	assert_int_equal(cf.done_cnt, 2);
	assert_int_equal(cf.status, STATUS_BUSY);
	control_ready(users, true);		/* it has taken it */
	run();
	assert_int_equal(cf.done_cnt, 3);
	assert_int_equal(cf.status, STATUS_DONE);
	assert_int_equal(ask(control, MSG_users_ask, 5, "staff"), OK);
	control_ready(users, false);		/* it has not */
	run();
	assert_int_equal(cf.done_cnt, 4);
	assert_int_equal(cf.status, STATUS_FAILED);
	/* One that may not be used leaves the old one in place. */
	assert_int_equal(chmod(file.path, 0644), 0);
	assert_int_equal(ask(control, MSG_users_ask, 4, "staff"), OK);
	run();
	assert_int_equal(cf.status, STATUS_FAILED);
	assert_int_equal(uf.file_cnt, 2);
	remove_stand_in(users, &uf);
	remove_stand_in(control, &cf);
}

static void
one_reload_at_a_time(void **state)
{
	struct far cf;
	struct process *control = stand_in(row_of(ROLE_CONTROL, "control"),
	    NULL, NULL, &cf);

	house.awaited = AWAIT_RELOAD;
	assert_int_equal(ask(control, MSG_reload_ask, 1, NULL), OK);
	run();
	assert_int_equal(cf.status, STATUS_BUSY);
	house.awaited = AWAIT_NOTHING;
	control_reloaded(&house, STATUS_DONE, "");	/* just now */
	assert_int_equal(ask(control, MSG_reload_ask, 2, NULL), OK);
	run();
	assert_int_equal(cf.done_cnt, 2);
	assert_int_equal(cf.status, STATUS_BUSY);
	remove_stand_in(control, &cf);
}

/* Endpoints. */

static int
serve(struct plan_endpoint *e, const char *name, int backlog)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(e->path, sizeof(e->path), "%s/%s", base, name);
	(void)strlcpy(at.sun_path, e->path, sizeof(at.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void
only_endpoints_of_its_own_row_are_connected_to(void **state)
{
	struct plan_process row = row_of(ROLE_RELAY, "out");
	struct plan_endpoint rows[2] = { { .family = 1 },
	    { .family = 1 } };
	struct msg_endpoint_ask want = { 1, 0 };
	struct process *p;
	struct far f;
	char got[4] = "";
	int server = serve(&rows[0], "lmtp", 1), fd;

	snprintf(rows[1].path, sizeof(rows[1].path), "%s/none", base);
	row.endpoint_cnt = 2;
	p = stand_in(row, NULL, rows, &f);
	assert_int_equal(endpoint_on_ask(p, &want), OK);
	run();
	assert_int_equal(f.open_cnt, 1);
	assert_true((fd = accept(server, NULL, NULL)) != -1);
	assert_int_equal(read(fd, got, 2), 2);
	assert_string_equal(got, "hi");
	close(fd);
	want.index = 1;
	assert_int_equal(endpoint_on_ask(p, &want), OK);
	run();
	assert_int_equal(f.failed_cnt, 1);
	assert_int_equal(f.error, ENOENT);
	want.index = 2;
	assert_int_equal(endpoint_on_ask(p, &want), ERR_PEER);
	remove_stand_in(p, &f);
	close(server);
}

static void
a_server_that_does_not_accept_holds_up_nobody(void **state)
{
	struct plan_process row = row_of(ROLE_RELAY, "out");
	struct plan_endpoint e = { .family = 1 };
	const struct msg_endpoint_ask want = { 1, 0 };
	struct process *p;
	struct far f;
	int server = serve(&e, "full", 0);

	row.endpoint_cnt = 1;
	p = stand_in(row, NULL, &e, &f);
	for (int i = 0; i < 5; i++)
		assert_int_equal(endpoint_on_ask(p, &want), OK);
	run();
	assert_true(f.failed_cnt > 0);
	assert_int_equal(f.open_cnt + f.failed_cnt, 5);
	assert_int_equal(f.error, EAGAIN);
	remove_stand_in(p, &f);
	close(server);
}

/* Each answer that waits holds a descriptor of master's. */
static void
who_wants_connections_and_does_not_read_is_given_up(void **state)
{
	struct plan_process row = row_of(ROLE_RELAY, "out");
	struct plan_endpoint e = { .family = 1 };
	const struct msg_endpoint_ask want = { 1, 0 };
	struct process *p;
	struct far f;
	unsigned asked = 0;
	int server = serve(&e, "busy", 4096), fd;

	row.endpoint_cnt = 1;
	p = stand_in(row, NULL, &e, &f);
	while (asked < 3000 && endpoint_on_ask(p, &want) == OK) {
		if ((fd = accept(server, NULL, NULL)) != -1)
			close(fd);
		asked++;
	}
	assert_true(asked >= 64 && asked < 3000);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_in_range(fd, 3, 1000);
	close(fd);
	remove_stand_in(p, &f);
	close(server);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	return remove(path);
}

static int
set_up(void **state)
{
	(void)strlcpy(base, "/tmp/test_control.XXXXXX", sizeof(base));
	if (mkdtemp(base) == NULL || ev_open(&loop) != OK)
		return -1;
	supervisor_init(&house, loop, "/nowhere", false);
	return 0;
}

static int
tear_down(void **state)
{
	ev_close(&loop);
	return nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    control_is_told_of_all_processes_and_listeners),
		cmocka_unit_test(who_asks_and_does_not_read_is_given_up),
		cmocka_unit_test(
		    pages_come_when_control_is_ready_and_as_processes_do),
		cmocka_unit_test(users_get_their_file_opened_anew),
		cmocka_unit_test(one_reload_at_a_time),
		cmocka_unit_test(
		    only_endpoints_of_its_own_row_are_connected_to),
		cmocka_unit_test(a_server_that_does_not_accept_holds_up_nobody),
		cmocka_unit_test(
		    who_wants_connections_and_does_not_read_is_given_up),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
