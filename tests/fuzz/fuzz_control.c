/*
 * fuzz_control.c - what a hostile posternctl can say to postern-control, and
 * what can stand in a file of users.
 *
 * First byte even: frames for control, each a byte that chooses the type, two
 * bytes of length, and the fields.  Between them a queue answers what reaches
 * it.  Control must hear the tool out or drop it, and lose no queue.
 * First byte odd: a users file, in which an account is found as it is walked,
 * put and removed.
 * room: ctl/control
 */
#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/build.h"
#include "ctl/control/control.h"
#include "ctl/control/queue.h"
#include "ctl/control/tool.h"
#include "mail/account.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define FRAMES_MAX	32
#define HEAD_LEN	8

static struct ev_loop	*loop;
static struct control	*control;
static struct link	*queue;		/* the queue's end	*/
static struct timer	 end;

static void
end_now(struct timer *t, void *arg)
{
	ev_stop(loop);
}

static void
run(void)
{
	timer_set(&end, 0);
	if (ev_run(loop) != OK)
		abort();
}

static struct link *
no_master(void *arg)
{
	return NULL;
}

/* Nothing a tool says may cost a queue its link. */
static void
lost(const struct link_peer *p, enum err why, void *arg)
{
	abort();
}

static void
drained(void *arg)
{
	abort();
}

/* Every second question is answered. */
static enum err
answer(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	uint64_t request = m->queue_ask.request;
	struct msg_list_end list = { .request = request };
	struct msg_aside_end aside = { .request = request };
	struct msg_edit_done edit = { .request = request };
	struct msg_suspend_done suspend = { .request = request };
	struct msg_suspended_end suspended = { .request = request };
	struct msg_queue_status status = { .request = request };
	static unsigned turn;

	if (turn++ % 2 == 0)
		return OK;
	if (type == MSG_list_ask || type == MSG_show_ask)
		(void)link_send_list_end(l, &list);
	else if (type == MSG_aside_ask)
		(void)link_send_aside_end(l, &aside);
	else if (type == MSG_edit_ask)
		(void)link_send_edit_done(l, &edit);
	else if (type == MSG_suspend_ask)
		(void)link_send_suspend_done(l, &suspend);
	else if (type == MSG_suspended_ask)
		(void)link_send_suspended_end(l, &suspended);
	else if (type == MSG_queue_ask)
		(void)link_send_queue_status(l, &status);
	return OK;
}

static void
gone(struct link *l, enum err why, void *arg)
{
	abort();
}

static void
pair(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, ends) == -1)
		abort();
}

static void
make_world(void)
{
	static const struct control_calls calls = {
		.master = no_master, .lost = lost, .drained = drained,
	};
	static const struct link_peer main_queue = {
		.role = ROLE_QUEUE, .block = "main", .no = 1, .workers = 1,
	}, ours = { .role = ROLE_CONTROL, .block = "control", .workers = 1 };
	int ends[2];

	if (ev_open(&loop) != OK ||
	    control_new(&control, loop, &calls, NULL) != OK)
		abort();
	timer_init(&end, loop, end_now, NULL);
	pair(ends);
	queue_link(control, ends[0], &main_queue);
	if (link_open(&queue, loop, ends[1], ROLE_QUEUE, &ours, answer, gone,
	    NULL) != OK)
		abort();
	run();
}

static void
send_frame(int fd, unsigned type, struct span fields)
{
	uint8_t frame[HEAD_LEN + FRAME_FIELDS_MAX];
	struct wire_out w = { frame, 0, sizeof(frame), false };

	wire_u16(&w, (uint16_t)type);
	wire_u16(&w, 0);
	wire_u32(&w, (uint32_t)fields.len);
	wire_bytes(&w, fields.ptr, fields.len);
	if (!w.bad)
		(void)!send(fd, frame, w.len, MSG_NOSIGNAL);
}

static void
send_hello(int fd)
{
	const struct msg_hello m = { BUS_VERSION, span_of(build_id()) };
	uint8_t fields[256];
	struct wire_out w = { fields, 0, sizeof(fields), false };

	msg_put(&w, MSG_hello, &m);
	send_frame(fd, MSG_hello, (struct span){ (const char *)fields,
	    w.len });
}

/* The types a tool may say, more often than the others. */
static unsigned
choose(uint8_t byte)
{
	static const unsigned asks[] = {
		MSG_status_ask, MSG_reload_want, MSG_users_want,
		MSG_queue_ask, MSG_list_ask, MSG_show_ask, MSG_edit_ask,
		MSG_route_ask, MSG_aside_ask, MSG_suspend_ask,
		MSG_suspended_ask, MSG_alias_ask,
	};

	return byte < 192 ? asks[byte % 12] : byte;
}

static void
talk(struct span in)
{
	unsigned before = control->tool_cnt;
	int ends[2];

	pair(ends);
	tool_open(control, ends[0], RIGHT_ALL);
	send_hello(ends[1]);
	for (int i = 0; i < FRAMES_MAX && in.len >= 3; i++) {
		unsigned type = choose((uint8_t)in.ptr[0]);
		size_t len = (uint8_t)in.ptr[1] |
		    (size_t)(uint8_t)in.ptr[2] << 8;
		struct span fields = span_head(span_tail(in, 3), len);

		send_frame(ends[1], type, fields);
		in = span_tail(in, 3 + fields.len);
	}
	run();
	run();
	close(ends[1]);
	run();
	run();
	if (control->tool_cnt != before)
		abort();
}

static void
check_found(struct span text, const struct account *a)
{
	struct account found;

	if (!account_is_name(a->name) ||
	    (a->hash.len > 0 && !account_is_hash(a->hash)) ||
	    !account_find(text, a->name, &found))
		abort();
}

static void
check_put(struct span text, struct span name)
{
	const struct span hash = SPAN("$y$j9T$new");
	struct account a;
	struct span changed, emptied;

	if (account_put(text, name, hash, &changed) != OK)
		abort();
	if (!account_find(changed, name, &a) || !span_eq(a.hash, hash))
		abort();
	if (account_remove(changed, name, &emptied) != OK ||
	    account_find(emptied, name, &a))
		abort();
	free((void *)(uintptr_t)changed.ptr);
	free((void *)(uintptr_t)emptied.ptr);
}

static void
walk(struct span text)
{
	struct span left = text;
	struct account a;

	for (int i = 0; i < 8 && account_next(&left, &a); i++) {
		check_found(text, &a);
		check_put(text, a.name);
	}
	check_put(text, SPAN("new@here.example"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span in = { (const char *)bytes + 1, len - 1 };

	if (len < 1)
		return 0;
	if (bytes[0] % 2 == 1) {
		walk(in);
		return 0;
	}
	if (control == NULL)
		make_world();
	talk(in);
	return 0;
}
