/*
 * test_ctl_control - control between a tool, a queue and master, all of them
 * played by the test at the other ends of its links.
 * room: ctl/control
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ctl/control/control.h"
#include "ctl/control/processes.h"
#include "ctl/control/listen.h"
#include "ctl/control/queue.h"
#include "ctl/control/to_queue.h"
#include "ctl/control/tool.h"

#define HEARD_MAX	64

/* The test's end of a link: what came, in order. */
struct end {
	struct link	*link;
	unsigned	 cnt;
	unsigned	 type[HEARD_MAX];
	union msg	 last;		/* its numbers; no strings	*/
	char		 text[HEARD_MAX][80];	/* a string of it	*/
	bool		 is_gone;
};

struct world {
	struct ev_loop	*loop;
	struct control	*control;
	struct end	 tool, other, queue, master;
	struct link	*to_master;	/* control's end		*/
	unsigned	 lost, drained;
	struct timer	 end;
};

static struct world w;

/* The string of a message that tests look at. */
static struct span
string_of(unsigned type, const union msg *m)
{
	switch (type) {
	case MSG_tool_done:	return m->tool_done.text;
	case MSG_list_message:	return m->list_message.sender;
	case MSG_list_ask:	return m->list_ask.queue;
	case MSG_users_ask:	return m->users_ask.block;
	case MSG_status_process: return m->status_process.block;
	case MSG_status_listener: return m->status_listener.where;
	case MSG_route_answer:	return m->route_answer.relay;
	case MSG_edit_ask:	return m->edit_ask.who;
	case MSG_suspend_ask:	return m->suspend_ask.who;
	default:		return SPAN("");
	}
}

static enum err
hear(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	struct end *e = arg;

	assert_true(e->cnt < HEARD_MAX);
	e->type[e->cnt] = type;
	(void)span_cstr(string_of(type, m), e->text[e->cnt],
	    sizeof(e->text[0]));
	e->cnt++;
	e->last = *m;
	return OK;
}

static void
end_gone(struct link *l, enum err why, void *arg)
{
	struct end *e = arg;

	e->is_gone = true;
	link_close(&e->link);
}

/* Control's end of the link to master. */
static enum err
master_says(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	return processes_receive(w.control, type, m, fd);
}

static void
master_gone(struct link *l, enum err why, void *arg)
{
	link_close(&w.to_master);
}

static struct link *
to_master(void *arg)
{
	return w.to_master;
}

static void
note_lost(const struct link_peer *p, enum err why, void *arg)
{
	w.lost++;
}

static void
note_drained(void *arg)
{
	w.drained++;
}

static void
end_now(struct timer *t, void *arg)
{
	ev_stop(w.loop);
}

/* So many turns at least, for what is passed on, however slow we are. */
static void
run(void)
{
	for (int i = 0; i < 8; i++) {
		timer_set(&w.end, 4);
		assert_int_equal(ev_run(w.loop), OK);
	}
}

static void
make_pair(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, ends), 0);
}

static void
open_end(struct end *e, int fd, enum role mine)
{
	const struct link_peer peer = {
		.role = ROLE_CONTROL, .block = "control", .workers = 1,
	};

	assert_int_equal(link_open(&e->link, w.loop, fd, mine, &peer, hear,
	    end_gone, e), OK);
}

static void
add_tool(struct end *e)
{
	int ends[2];

	make_pair(ends);
	tool_open(w.control, ends[0], RIGHT_ALL);
	open_end(e, ends[1], ROLE_TOOL);
}

static void
add_queue(void)
{
	const struct link_peer peer = {
		.role = ROLE_QUEUE, .block = "main", .no = 5, .workers = 1,
	};
	int ends[2];

	make_pair(ends);
	queue_link(w.control, ends[0], &peer);
	open_end(&w.queue, ends[1], ROLE_QUEUE);
}

static void
add_master(void)
{
	const struct link_peer peer = { .role = ROLE_MASTER };
	int ends[2];

	make_pair(ends);
	assert_int_equal(link_open(&w.to_master, w.loop, ends[0],
	    ROLE_CONTROL, &peer, master_says, master_gone, NULL), OK);
	open_end(&w.master, ends[1], ROLE_MASTER);
}

static int
set_up(void **state)
{
	static const struct control_calls calls = {
		.master = to_master, .lost = note_lost,
		.drained = note_drained,
	};

	memset(&w, 0, sizeof(w));
	assert_int_equal(ev_open(&w.loop), OK);
	timer_init(&w.end, w.loop, end_now, NULL);
	assert_int_equal(control_new(&w.control, w.loop, &calls, NULL), OK);
	add_master();
	add_queue();
	add_tool(&w.tool);
	return 0;
}

static int
tear_down(void **state)
{
	control_free(&w.control);
	link_close(&w.tool.link);
	link_close(&w.other.link);
	link_close(&w.queue.link);
	link_close(&w.master.link);
	link_close(&w.to_master);
	timer_stop(&w.end);
	ev_close(&w.loop);
	return 0;
}

static void
ask_list(struct end *e, uint64_t request, const char *queue)
{
	const struct msg_list_ask m = {
		.request = request, .queue = span_of(queue), .max = 100000,
	};

	(void)link_send_list_ask(e->link, &m);
}

static void
answers_go_to_the_tool_that_asked_under_its_number(void **state)
{
	struct msg_list_message row = { .sender = SPAN("ann@here.example") };
	struct msg_list_end end = { .status = STATUS_DONE };
	uint64_t first;

	add_tool(&w.other);
	ask_list(&w.tool, 7, "main");
	run();
	first = w.queue.last.list_ask.request;
	ask_list(&w.other, 7, "main");
	run();
	assert_int_equal(w.queue.cnt, 2);
	assert_string_equal(w.queue.text[0], "main");
	assert_int_equal(w.queue.last.list_ask.max, TO_QUEUE_LIST_MAX);
	assert_true(w.queue.last.list_ask.request != first);
	row.request = end.request = first;
	(void)link_send_list_message(w.queue.link, &row);
	(void)link_send_list_end(w.queue.link, &end);
	run();
	assert_int_equal(w.tool.cnt, 2);
	assert_int_equal(w.tool.type[0], MSG_list_message);
	assert_string_equal(w.tool.text[0], "ann@here.example");
	assert_int_equal(w.tool.type[1], MSG_list_end);
	assert_int_equal(w.tool.last.list_end.request, 7);
	assert_int_equal(w.other.cnt, 0);
}

static void
an_answer_to_a_tool_that_has_left_finds_nobody(void **state)
{
	struct msg_list_end end = { .status = STATUS_DONE };

	ask_list(&w.tool, 1, "main");
	run();
	end.request = w.queue.last.list_ask.request;
	link_close(&w.tool.link);
	run();
	add_tool(&w.other);
	ask_list(&w.other, 2, "main");
	run();
	assert_true(w.queue.last.list_ask.request != end.request);
	(void)link_send_list_end(w.queue.link, &end);
	run();
	assert_int_equal(w.other.cnt, 0);
	assert_false(w.queue.is_gone);
}

static enum err
hear_number(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct end *e = arg;

	e->cnt++;
	e->last = *m;
	return OK;
}

/* So many have come, and no more. */
static void
run_until(const unsigned *cnt, unsigned want)
{
	for (int i = 0; i < 50 && *cnt < want; i++)
		run();
	assert_int_equal(*cnt, want);
}

/* Of whom control knows better, a tool's own word does not count. */
static void
who_wants_it_is_as_control_knows_him(void **state)
{
	struct msg_edit_ask edit = { .queue = SPAN("main"),
	    .action = EDIT_HOLD, .who = SPAN("ann") };
	struct msg_suspend_ask suspend = { .queue = SPAN("main"),
	    .relay = SPAN("out"), .who = SPAN("ann") };
	struct tool *tool = LIST_FIRST(&w.control->tools);

	/* He who runs us is believed. */
	assert_string_equal(tool->who, "");
	for (int i = 0; i < 2; i++) {
		struct span who = i == 0 ? SPAN("ann") : SPAN("uid 7");

		w.queue.cnt = 0;
		(void)link_send_edit_ask(w.tool.link, &edit);
		run_until(&w.queue.cnt, 1);
		assert_string_equal(w.queue.text[0], who.ptr);
		(void)link_send_suspend_ask(w.tool.link, &suspend);
		run_until(&w.queue.cnt, 2);
		assert_string_equal(w.queue.text[1], who.ptr);
		(void)strlcpy(tool->who, "uid 7", sizeof(tool->who));
	}
}

/* Tools come, ask all they may, and leave: the queue is not asked for more. */
static void
who_asks_and_leaves_does_not_flood_a_queue(void **state)
{
	const struct link_peer peer = { .role = ROLE_CONTROL, .block = "c" };
	const struct link_peer named = {
		.role = ROLE_QUEUE, .block = "main", .no = 5, .workers = 1,
	};
	struct msg_list_end end = { .status = STATUS_DONE };
	unsigned asked = 0;
	int ends[2];

	make_pair(ends);
	queue_link(w.control, ends[0], &named);
	link_close(&w.queue.link);
	assert_int_equal(link_open(&w.queue.link, w.loop, ends[1], ROLE_QUEUE,
	    &peer, hear_number, end_gone, &w.queue), OK);
	run();
	for (unsigned i = 0; i < 3 * QUEUE_ASKS_MAX / TOOL_ASKS_MAX; i++) {
		add_tool(&w.other);
		for (unsigned n = 0; n < TOOL_ASKS_MAX; n++)
			ask_list(&w.other, n, "main");
		asked += TOOL_ASKS_MAX;
		run_until(&w.queue.cnt, asked < QUEUE_ASKS_MAX ? asked :
		    QUEUE_ASKS_MAX);
		link_close(&w.other.link);
		memset(&w.other, 0, sizeof(w.other));
		run();
	}
	ask_list(&w.tool, 1, "main");
	run_until(&w.tool.cnt, 1);
	assert_int_equal(w.tool.last.list_end.status, STATUS_BUSY);
	end.request = w.queue.last.list_ask.request;
	(void)link_send_list_end(w.queue.link, &end);
	run();
	assert_int_equal(w.tool.cnt, 1);	/* nobody was told */
	ask_list(&w.tool, 2, "main");
	run_until(&w.queue.cnt, QUEUE_ASKS_MAX + 1);
}

static void
an_answer_that_fits_no_question_costs_the_queue_its_link(void **state)
{
	struct msg_edit_done done = { .status = STATUS_DONE };

	ask_list(&w.tool, 1, "main");
	run();
	done.request = w.queue.last.list_ask.request;
	(void)link_send_edit_done(w.queue.link, &done);
	run();
	assert_true(w.queue.is_gone);
	assert_int_equal(w.lost, 1);
	assert_int_equal(w.tool.last.list_end.status, STATUS_FAILED);
}

static void
no_such_queue_is_said_so(void **state)
{
	struct msg_queue_ask ask = { .request = 3, .queue = SPAN("other") };

	ask_list(&w.tool, 9, "other");
	run();
	assert_int_equal(w.tool.type[0], MSG_list_end);
	assert_int_equal(w.tool.last.list_end.request, 9);
	assert_int_equal(w.tool.last.list_end.status, STATUS_NONE);
	(void)link_send_queue_ask(w.tool.link, &ask);
	run();
	assert_int_equal(w.tool.type[1], MSG_tool_done);
	assert_int_equal(w.tool.last.tool_done.status, STATUS_NONE);
	assert_int_equal(w.queue.cnt, 0);
}

static void
what_is_suspended_is_passed_on_and_answered(void **state)
{
	struct msg_suspend_ask ask = { .request = 3, .queue = SPAN("other"),
	    .relay = SPAN("out") };
	struct msg_suspended_ask list = { .request = 4,
	    .queue = SPAN("other") };
	struct msg_suspend_done done = { .status = STATUS_DONE };
	struct msg_suspended_row row = { .relay = SPAN("out") };
	struct msg_suspended_end end = { .status = STATUS_DONE };

	(void)link_send_suspend_ask(w.tool.link, &ask);
	(void)link_send_suspended_ask(w.tool.link, &list);
	run_until(&w.tool.cnt, 2);
	assert_int_equal(w.tool.type[0], MSG_suspend_done);
	assert_int_equal(w.tool.type[1], MSG_suspended_end);
	assert_int_equal(w.tool.last.suspended_end.status, STATUS_NONE);
	ask.queue = list.queue = SPAN("main");
	(void)link_send_suspend_ask(w.tool.link, &ask);
	run_until(&w.queue.cnt, 1);
	assert_int_equal(w.queue.type[0], MSG_suspend_ask);
	done.request = w.queue.last.suspend_ask.request;
	(void)link_send_suspend_done(w.queue.link, &done);
	run_until(&w.tool.cnt, 3);
	assert_int_equal(w.tool.last.suspend_done.request, 3);
	(void)link_send_suspended_ask(w.tool.link, &list);
	run_until(&w.queue.cnt, 2);
	row.request = end.request = w.queue.last.suspended_ask.request;
	(void)link_send_suspended_row(w.queue.link, &row);
	(void)link_send_suspended_end(w.queue.link, &end);
	run_until(&w.tool.cnt, 5);
	assert_int_equal(w.tool.type[3], MSG_suspended_row);
	assert_int_equal(w.tool.type[4], MSG_suspended_end);
	/* To a question for messages it is no answer. */
	ask_list(&w.tool, 5, "main");
	run_until(&w.queue.cnt, 3);
	row.request = w.queue.last.list_ask.request;
	(void)link_send_suspended_row(w.queue.link, &row);
	run_until(&w.tool.cnt, 6);
	assert_int_equal(w.tool.type[5], MSG_list_end);
	assert_int_equal(w.tool.last.list_end.status, STATUS_FAILED);
}

static void
a_queue_that_dies_answers_failed_and_comes_back(void **state)
{
	struct msg_edit_ask edit = {
		.request = 4, .queue = SPAN("main"), .action = EDIT_HOLD,
	};
	struct msg_edit_done done = { .status = STATUS_DONE };

	(void)link_send_edit_ask(w.tool.link, &edit);
	run();
	link_close(&w.queue.link);
	run();
	assert_int_equal(w.lost, 1);
	assert_int_equal(w.tool.type[0], MSG_edit_done);
	assert_int_equal(w.tool.last.edit_done.status, STATUS_FAILED);
	assert_int_equal(w.tool.last.edit_done.request, 4);
	(void)link_send_edit_ask(w.tool.link, &edit);	/* it is away */
	run();
	assert_int_equal(w.tool.cnt, 2);
	assert_int_equal(w.tool.last.edit_done.status, STATUS_FAILED);
	add_queue();
	(void)link_send_edit_ask(w.tool.link, &edit);
	run();
	done.request = w.queue.last.edit_ask.request;
	(void)link_send_edit_done(w.queue.link, &done);
	run();
	assert_int_equal(w.tool.last.edit_done.status, STATUS_DONE);
}

static void
a_queue_that_is_gone_for_good_is_forgotten(void **state)
{
	ask_list(&w.tool, 1, "main");
	run();
	queue_gone(w.control, 5);
	run();
	assert_int_equal(w.tool.last.list_end.status, STATUS_FAILED);
	ask_list(&w.tool, 2, "main");
	run();
	assert_int_equal(w.tool.last.list_end.status, STATUS_NONE);
}

/* A page with one number on it. */
static int
make_page(enum counter c, uint64_t n)
{
	uint64_t numbers[COUNTERS_PAGE / 8] = { 0 };
	int fd = memfd_create("page", MFD_CLOEXEC);

	numbers[c] = n;
	assert_true(fd != -1);
	assert_int_equal(write(fd, numbers, sizeof(numbers)),
	    sizeof(numbers));
	return fd;
}

static void
give_page(uint32_t no, uint64_t n)
{
	const struct msg_supervisor_counters m = { .no = no };
	int fd = make_page(COUNTER_taken, n);

	(void)link_send_supervisor_counters(w.master.link, &m, fd);
	close(fd);
}

/* Answer supervisor_ask: processes 1 and 2, a listener. */
static void
answer_processes(uint32_t request)
{
	struct msg_supervisor_process p = {
		.request = request, .role = ROLE_EDGE, .block = SPAN("in"),
		.no = 1, .pid = 100, .up_ms = 5, .state = PROCESS_READY,
	};
	struct msg_supervisor_listener l = {
		.request = request, .block = SPAN("in"), .where = SPAN("here"),
	};
	struct msg_supervisor_end end = {
		.request = request, .generation = 3, .up_ms = 77,
	};

	(void)link_send_supervisor_process(w.master.link, &p);
	p.no = 2;
	(void)link_send_supervisor_process(w.master.link, &p);
	(void)link_send_supervisor_listener(w.master.link, &l);
	(void)link_send_supervisor_end(w.master.link, &end);
}

static uint64_t
counter_in(struct span bytes, enum counter c)
{
	struct wire_in r = { (const uint8_t *)bytes.ptr,
	    (const uint8_t *)bytes.ptr + bytes.len, false };
	uint64_t n = 0;

	for (unsigned i = 0; i <= c; i++)
		n = wire_get_u64(&r);
	return n;
}

static uint64_t seen[4];
static size_t seen_len[4];

/* What hear() cannot keep: the counters of each process. */
static enum err
hear_status(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	if (type == MSG_status_process) {
		uint32_t no = m->status_process.no;
		struct span bytes = m->status_process.counters;

		assert_true(no < 4);
		seen_len[no] = bytes.len;
		seen[no] = bytes.len > 0 ?
		    counter_in(bytes, COUNTER_taken) : 0;
	}
	return hear(l, type, m, piece, fd, arg);
}

static void
status_is_masters_rows_with_the_counters_of_each(void **state)
{
	const struct msg_status_ask ask = { 0 };
	const struct link_peer peer = { .role = ROLE_CONTROL, .block = "c" };
	int ends[2];

	make_pair(ends);
	tool_open(w.control, ends[0], RIGHT_ALL);
	assert_int_equal(link_open(&w.other.link, w.loop, ends[1], ROLE_TOOL,
	    &peer, hear_status, end_gone, &w.other), OK);
	give_page(1, 41);
	give_page(1, 42);		/* in place of the other */
	give_page(3, 9);
	(void)link_send_status_ask(w.other.link, &ask);
	run();
	assert_int_equal(w.master.type[0], MSG_supervisor_ask);
	assert_int_equal(w.control->page_cnt, 2);
	answer_processes(w.master.last.supervisor_ask.request);
	run();
	assert_int_equal(w.other.cnt, 4);
	assert_int_equal(seen[1], 42);
	assert_int_equal(seen_len[2], 0);
	assert_string_equal(w.other.text[2], "here");
	assert_int_equal(w.other.last.status_end.generation, 3);
	assert_int_equal(w.tool.cnt, 0);
	(void)link_send_status_ask(w.other.link, &ask);
	run();
	answer_processes(w.master.last.supervisor_ask.request);
	run();
	assert_int_equal(w.control->page_cnt, 1);	/* 3 is not listed */
}

static void
reload_and_users_are_passed_to_master_and_back(void **state)
{
	const struct msg_reload_want again = { 0 };
	const struct msg_users_want users = { .block = SPAN("staff") };
	struct msg_supervisor_done done = {
		.status = STATUS_REFUSED, .text = SPAN("it does not check"),
	};

	(void)link_send_reload_want(w.tool.link, &again);
	run();
	assert_int_equal(w.master.type[0], MSG_reload_ask);
	done.request = w.master.last.reload_ask.request;
	(void)link_send_supervisor_done(w.master.link, &done);
	run();
	assert_int_equal(w.tool.last.tool_done.status, STATUS_REFUSED);
	assert_string_equal(w.tool.text[0], "it does not check");
	/* twice */
	(void)link_send_supervisor_done(w.master.link, &done);
	(void)link_send_users_want(w.tool.link, &users);
	run();
	assert_int_equal(w.tool.cnt, 1);
	assert_string_equal(w.master.text[1], "staff");
}

static void
a_tools_nonsense_costs_that_tool_its_link_and_no_other(void **state)
{
	int ends[2];

	add_tool(&w.other);
	make_pair(ends);
	tool_open(w.control, ends[0], RIGHT_ALL);
	assert_int_equal(send(ends[1], "nonsense", 8, 0), 8);
	run();
	assert_int_equal(w.control->tool_cnt, 2);
	for (unsigned i = 0; i <= TOOL_ASKS_MAX; i++)
		ask_list(&w.tool, i, "main");
	run();
	assert_true(w.tool.is_gone);
	assert_false(w.other.is_gone);
	assert_int_equal(w.control->tool_cnt, 1);
	assert_int_equal(w.lost, 0);
	close(ends[1]);
}

/* A tool in a loop of its own, which stands still but when the test says. */
static void
run_alone(struct ev_loop *loop, struct timer *end)
{
	timer_set(end, 10);
	assert_int_equal(ev_run(loop), OK);
}

static void
stop_alone(struct timer *t, void *arg)
{
	ev_stop(arg);
}

static void
a_tool_that_does_not_read_is_told_busy(void **state)
{
	const struct link_peer peer = { .role = ROLE_CONTROL, .block = "c" };
	char sender[1000];
	struct msg_list_message row = {
		.sender = { sender, sizeof(sender) },
	};
	struct ev_loop *loop;
	struct timer end;
	int ends[2];

	memset(sender, 'x', sizeof(sender));
	assert_int_equal(ev_open(&loop), OK);
	timer_init(&end, loop, stop_alone, loop);
	make_pair(ends);
	tool_open(w.control, ends[0], RIGHT_ALL);
	assert_int_equal(link_open(&w.other.link, loop, ends[1], ROLE_TOOL,
	    &peer, hear, end_gone, &w.other), OK);
	ask_list(&w.other, 1, "main");
	run_alone(loop, &end);
	run();
	row.request = w.queue.last.list_ask.request;
	for (unsigned i = 0; i < 2000; i++)
		(void)link_send_list_message(w.queue.link, &row);
	for (unsigned i = 0; i < 10; i++)
		run();			/* all of them have come	*/
	assert_int_equal(w.queue.cnt, 1);
	ask_list(&w.other, 2, "main");
	link_flush(w.other.link);
	run();
	assert_int_equal(w.queue.cnt, 1);	/* it was not passed on */
	for (unsigned i = 0; i < 20000; i++)	/* and no memory is lost */
		(void)link_send_list_message(w.queue.link, &row);
	for (unsigned i = 0; i < 100 && w.control->tool_cnt > 1; i++)
		run();
	assert_int_equal(w.control->tool_cnt, 1);
	assert_false(w.queue.is_gone);
	link_close(&w.other.link);
	timer_stop(&end);
	ev_close(&loop);
}

/* A listener in a directory of its own. */
static int
make_listener(char *path, size_t cap)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/control-XXXXXX";
	int fd;

	assert_non_null(mkdtemp(dir));
	snprintf(path, cap, "%s/s", dir);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static int
dial(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)),
	    0);
	return fd;
}

static void
the_seventeenth_tool_is_turned_away_and_told_so(void **state)
{
	char path[64];
	int fd = make_listener(path, sizeof(path)), dialed[TOOLS_MAX];
	struct listen *l;

	assert_int_equal(listen_open(&l, w.control, fd), OK);
	for (unsigned i = 0; i < TOOLS_MAX; i++)
		dialed[i] = dial(path);
	run();
	assert_int_equal(w.control->tool_cnt, TOOLS_MAX);
	assert_int_equal(w.control->unwanted_cnt, 1);
	/* The last of them; the set-up has taken one place. */
	open_end(&w.other, dialed[TOOLS_MAX - 1], ROLE_TOOL);
	ask_list(&w.other, 1, "main");
	run();
	assert_int_equal(w.other.cnt, 1);
	assert_int_equal(w.other.last.tool_done.status, STATUS_BUSY);
	assert_int_equal(w.queue.cnt, 0);
	link_close(&w.other.link);
	run();
	assert_int_equal(w.control->unwanted_cnt, 0);
	for (unsigned i = 0; i < TOOLS_MAX - 1; i++)
		close(dialed[i]);
	run();
	assert_int_equal(w.control->tool_cnt, 1);
	listen_close(&l);
	close(fd);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

static void
draining_ends_the_idle_and_waits_for_answers(void **state)
{
	struct msg_list_end end = { .status = STATUS_DONE };

	add_tool(&w.other);
	ask_list(&w.tool, 1, "main");
	run();
	control_drain(w.control);
	run();
	assert_true(w.other.is_gone);
	assert_false(w.tool.is_gone);
	assert_int_equal(w.drained, 0);
	end.request = w.queue.last.list_ask.request;
	(void)link_send_list_end(w.queue.link, &end);
	run();
	assert_int_equal(w.tool.cnt, 1);
	assert_true(w.tool.is_gone);
	assert_int_equal(w.drained, 1);
}

#define TEST(name)							\
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_go_to_the_tool_that_asked_under_its_number),
		TEST(an_answer_to_a_tool_that_has_left_finds_nobody),
		TEST(who_asks_and_leaves_does_not_flood_a_queue),
		TEST(an_answer_that_fits_no_question_costs_the_queue_its_link),
		TEST(no_such_queue_is_said_so),
		TEST(who_wants_it_is_as_control_knows_him),
		TEST(what_is_suspended_is_passed_on_and_answered),
		TEST(a_queue_that_dies_answers_failed_and_comes_back),
		TEST(a_queue_that_is_gone_for_good_is_forgotten),
		TEST(status_is_masters_rows_with_the_counters_of_each),
		TEST(reload_and_users_are_passed_to_master_and_back),
		TEST(a_tools_nonsense_costs_that_tool_its_link_and_no_other),
		TEST(a_tool_that_does_not_read_is_told_busy),
		TEST(the_seventeenth_tool_is_turned_away_and_told_so),
		TEST(draining_ends_the_idle_and_waits_for_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
