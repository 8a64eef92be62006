/*
 * test_master_pair - who is restarted for a broken link, and when a new link
 * is made.  The children are stand-ins that do nothing but live.
 *
 * room: master
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "master/pair.h"
#include "master/process.h"

static struct supervisor house;
static struct ev_loop *loop;

static enum err
hear_nothing(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	return OK;
}

static void
go_nowhere(struct link *l, enum err why, void *arg)
{
}

/* A process as if it ran: a child that waits, and a link nobody reads. */
static struct process *
stand_in(enum role role, const char *block, int *far_fd)
{
	struct plan_process row = { .role = (uint8_t)role, .workers = 1 };
	struct plan_endpoint none;
	int fds[2], slice = open("/dev/null", O_RDONLY);
	struct plan plan = {
		.rows = &row, .slices = &slice, .endpoints = &none,
	};
	struct folder *folder;
	struct process *p;

	(void)strlcpy(row.block, block, sizeof(row.block));
	assert_int_equal(folder_open(&folder, NULL, 0), OK);
	p = process_new(&house, &plan, 0, folder);
	assert_non_null(p);
	assert_int_equal(pair_socket(fds), OK);
	p->id.start = 1;
	assert_int_equal(link_open(&p->link, loop, fds[0], ROLE_MASTER, &p->id,
	    hear_nothing, go_nowhere, p), OK);
	*far_fd = fds[1];
	if ((p->pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);	/* if we fail */
		for (;;)
			pause();
	}
	return p;
}

static bool
lives(struct process *p)
{
	siginfo_t si = { 0 };

	usleep(20000);
	assert_int_equal(waitid(P_PID, (id_t)p->pid, &si,
	    WEXITED | WNOHANG | WNOWAIT), 0);
	return si.si_pid == 0;
}

/* How many frames with a descriptor have come, that is new links. */
static unsigned
links_got(struct process *p, int far_fd)
{
	char buf[4096];
	union {
		struct cmsghdr	 align;
		char		 bytes[CMSG_SPACE(sizeof(int))];
	} room;
	struct iovec iov = { buf, sizeof(buf) };
	unsigned cnt = 0;

	link_flush(p->link);
	for (;;) {
		struct msghdr h = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = room.bytes,
			.msg_controllen = sizeof(room.bytes),
		};
		int fd;

		if (recvmsg(far_fd, &h, MSG_DONTWAIT) <= 0)
			return cnt;
		if (CMSG_FIRSTHDR(&h) == NULL)
			continue;
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(fd));
		close(fd);
		cnt++;
	}
}

/* Is it told that a peer is gone? */
static bool
says_gone(struct process *p, int far_fd)
{
	uint8_t buf[4096];
	bool is_told = false;

	link_flush(p->link);
	while (recv(far_fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		is_told |= buf[0] == MSG_peer_gone;
	return is_told;
}

struct couple {
	struct process	*from, *to;
	int		 from_fd, to_fd;
};

static struct couple
marry(enum role from, enum role to)
{
	struct couple c;

	c.from = stand_in(from, "from", &c.from_fd);
	c.to = stand_in(to, "to", &c.to_fd);
	assert_int_equal(pair_add(&house, c.from, c.to), OK);
	assert_int_equal(links_got(c.from, c.from_fd), 1);
	assert_int_equal(links_got(c.to, c.to_fd), 1);
	return c;
}

static void
bury(struct couple *c)
{
	struct process *both[] = { c->from, c->to };
	int status;

	for (size_t i = 0; i < 2; i++) {
		(void)kill(both[i]->pid, SIGKILL);
		assert_int_equal(waitpid(both[i]->pid, &status, 0),
		    both[i]->pid);
		both[i]->is_leaving = true;
		process_ended(both[i], status);
	}
	close(c->from_fd);
	close(c->to_fd);
	assert_true(TAILQ_EMPTY(&house.processes));
	assert_true(TAILQ_EMPTY(&house.pairs));
}

static void
say_lost(struct process *p, const struct process *peer, enum err why)
{
	pair_lost(p, peer->id.no, peer->id.start, why);
}

static void
the_queue_is_never_restarted_on_anothers_word(void **state)
{
	struct couple c = marry(ROLE_EDGE, ROLE_QUEUE);

	say_lost(c.from, c.to, ERR_PEER);
	assert_false(lives(c.from));
	assert_true(lives(c.to));
	bury(&c);
	c = marry(ROLE_QUEUE, ROLE_RELAY);
	say_lost(c.to, c.from, ERR_PEER);
	assert_true(lives(c.from));
	assert_false(lives(c.to));
	bury(&c);
	c = marry(ROLE_QUEUE, ROLE_RELAY);
	say_lost(c.from, c.to, ERR_PEER);
	assert_true(lives(c.from));
	assert_false(lives(c.to));
	bury(&c);
}

/* Else a queue that was taken over keeps a relay down that others need too. */
static void
whom_the_queue_has_restarted_often_rests_from_it(void **state)
{
	struct couple c = marry(ROLE_QUEUE, ROLE_RELAY);
	struct pair *x = TAILQ_FIRST(&house.pairs);

	for (int i = 0; i < 2; i++) {
		say_lost(c.to, c.from, ERR_PEER);
		assert_false(x->is_resting);
	}
	say_lost(c.to, c.from, ERR_PEER);
	assert_true(lives(c.from));
	assert_true(x->is_resting);
	say_lost(c.from, c.to, ERR_CLOSED);
	pair_connect(c.to);
	assert_int_equal(links_got(c.from, c.from_fd), 0);
	assert_int_equal(links_got(c.to, c.to_fd), 0);
	assert_true(timer_running(&x->again));
	x->again.fn(&x->again, x->again.arg);
	assert_false(x->is_resting);
	assert_int_equal(links_got(c.from, c.from_fd), 1);
	say_lost(c.to, c.from, ERR_PEER);
	assert_true(x->is_resting);
	pair_connect(c.from);		/* in another life it may be sane */
	assert_false(x->is_resting);
	assert_int_equal(links_got(c.from, c.from_fd), 1);
	bury(&c);
}

/* A relay would keep its results for that queue until its time is over. */
static void
at_the_end_who_rests_is_not_waited_for(void **state)
{
	struct couple c = marry(ROLE_QUEUE, ROLE_RELAY);

	for (int i = 0; i < 3; i++)
		say_lost(c.to, c.from, ERR_PEER);
	assert_true(TAILQ_FIRST(&house.pairs)->is_resting);
	pair_forget_resting(&house);
	assert_true(TAILQ_EMPTY(&house.pairs));
	assert_true(says_gone(c.to, c.to_fd));
	assert_true(says_gone(c.from, c.from_fd));
	bury(&c);
	c = marry(ROLE_QUEUE, ROLE_RELAY);
	house.stage = 0;
	for (int i = 0; i < 3; i++)
		say_lost(c.to, c.from, ERR_PEER);
	assert_true(TAILQ_EMPTY(&house.pairs));
	assert_true(says_gone(c.to, c.to_fd));
	house.stage = -1;
	bury(&c);
}

static void
neither_is_the_vault_and_control_pays_for_itself(void **state)
{
	static const enum role couples[][2] = {
		{ ROLE_EDGE, ROLE_KEYS }, { ROLE_EDGE, ROLE_USERS },
		{ ROLE_CONTROL, ROLE_QUEUE },
	};

	for (size_t i = 0; i < sizeof(couples) / sizeof(couples[0]); i++)
		for (int accuser = 0; accuser < 2; accuser++) {
			struct couple c = marry(couples[i][0], couples[i][1]);

			if (accuser == 0)
				say_lost(c.from, c.to, ERR_PEER);
			else
				say_lost(c.to, c.from, ERR_PEER);
			assert_false(lives(c.from));
			assert_true(lives(c.to));
			bury(&c);
		}
}

static void
between_equals_the_accused_is_restarted(void **state)
{
	struct couple c = marry(ROLE_RELAY, ROLE_RESOLVER);

	say_lost(c.from, c.to, ERR_PEER);
	assert_true(lives(c.from));
	assert_false(lives(c.to));
	bury(&c);
}

static void
who_alone_accuses_the_resolver_is_restarted_itself(void **state)
{
	struct couple c = marry(ROLE_RELAY, ROLE_RESOLVER);

	for (int i = 0; i < 3; i++)
		say_lost(c.from, c.to, ERR_PEER);
	assert_true(lives(c.from));
	assert_false(lives(c.to));
	c.from->id.start++;		/* another life changes nothing */
	say_lost(c.from, c.to, ERR_PEER);
	assert_false(lives(c.from));
	bury(&c);
}

static void
wearing_out_links_is_an_accusation_too(void **state)
{
	struct couple c = marry(ROLE_RELAY, ROLE_RESOLVER);

	for (int i = 0; i < 3 * 11; i++)
		say_lost(c.from, c.to, ERR_FULL);
	assert_true(lives(c.from));
	assert_false(lives(c.to));
	for (int i = 0; i < 11; i++)
		say_lost(c.from, c.to, ERR_FULL);
	assert_false(lives(c.from));
	bury(&c);
}

static void
two_blocks_that_accuse_the_same_one_are_believed(void **state)
{
	struct couple c = marry(ROLE_RELAY, ROLE_RESOLVER);
	int far_fd;
	struct process *other = stand_in(ROLE_RELAY, "other", &far_fd);

	assert_int_equal(pair_add(&house, other, c.to), OK);
	for (int i = 0; i < 9; i++) {
		say_lost(c.from, c.to, ERR_PEER);
		say_lost(other, c.to, ERR_PEER);
	}
	assert_true(lives(c.from));
	assert_true(lives(other));
	assert_false(lives(c.to));
	(void)kill(other->pid, SIGKILL);
	assert_int_equal(waitpid(other->pid, NULL, 0), other->pid);
	other->is_leaving = true;
	process_ended(other, 0);
	close(far_fd);
	bury(&c);
}

/* Whichever of the two it is that speaks nonsense, the other is up again. */
static void
a_resolver_and_the_relay_it_accuses_take_turns(void **state)
{
	struct couple c = marry(ROLE_RELAY, ROLE_RESOLVER);

	for (int i = 0; i < 3; i++)
		say_lost(c.to, c.from, ERR_PEER);
	assert_false(lives(c.from));
	assert_true(lives(c.to));
	say_lost(c.to, c.from, ERR_PEER);
	assert_false(lives(c.to));
	assert_int_equal(c.to->alone_cnt, 2);
	bury(&c);
}

/* As when a reload makes a queue use a relay that runs already. */
static void
two_that_run_are_linked_when_they_become_a_pair(void **state)
{
	struct couple c = marry(ROLE_QUEUE, ROLE_RELAY);

	assert_int_equal(pair_add(&house, c.to, c.from), OK);
	assert_int_equal(links_got(c.from, c.from_fd), 0);
	assert_int_equal(links_got(c.to, c.to_fd), 0);
	bury(&c);
}

static void
one_loss_makes_one_new_link(void **state)
{
	struct couple c = marry(ROLE_EDGE, ROLE_QUEUE);

	say_lost(c.from, c.to, ERR_CLOSED);
	say_lost(c.to, c.from, ERR_CLOSED);
	assert_int_equal(links_got(c.from, c.from_fd), 1);
	assert_int_equal(links_got(c.to, c.to_fd), 1);
	say_lost(c.to, c.from, ERR_FULL);
	say_lost(c.from, c.to, ERR_CLOSED);
	assert_int_equal(links_got(c.from, c.from_fd), 1);
	assert_int_equal(links_got(c.to, c.to_fd), 1);
	assert_true(lives(c.from));
	assert_true(lives(c.to));
	bury(&c);
}

static void
no_link_is_made_to_one_that_has_died(void **state)
{
	struct couple c = marry(ROLE_EDGE, ROLE_QUEUE);

	assert_int_equal(kill(c.to->pid, SIGKILL), 0);
	while (lives(c.to))
		continue;
	say_lost(c.from, c.to, ERR_CLOSED);
	assert_int_equal(links_got(c.from, c.from_fd), 0);
	bury(&c);
}

static void
a_loss_of_an_older_life_is_nothing(void **state)
{
	struct couple c = marry(ROLE_EDGE, ROLE_QUEUE);

	c.to->id.start = 2;
	pair_lost(c.from, c.to->id.no, 1, ERR_CLOSED);
	pair_lost(c.from, c.to->id.no, 1, ERR_PEER);
	pair_lost(c.from, 9999, 1, ERR_PEER);
	assert_int_equal(links_got(c.from, c.from_fd), 0);
	assert_true(lives(c.from));
	bury(&c);
}

static void
strangers_cannot_be_accused(void **state)
{
	struct couple a = marry(ROLE_RELAY, ROLE_RESOLVER);
	int far_fd;
	struct process *stranger = stand_in(ROLE_EDGE, "x", &far_fd);

	say_lost(stranger, a.to, ERR_PEER);
	say_lost(stranger, a.from, ERR_CLOSED);
	assert_true(lives(a.to));
	assert_int_equal(links_got(stranger, far_fd), 0);
	(void)kill(stranger->pid, SIGKILL);
	assert_int_equal(waitpid(stranger->pid, NULL, 0), stranger->pid);
	stranger->is_leaving = true;
	process_ended(stranger, 0);
	close(far_fd);
	bury(&a);
}

static void
a_pair_that_wears_out_links_is_restarted(void **state)
{
	struct couple c = marry(ROLE_EDGE, ROLE_QUEUE);

	for (int i = 0; i < 10; i++)
		say_lost(c.from, c.to, ERR_CLOSED);
	assert_true(lives(c.from));
	say_lost(c.from, c.to, ERR_CLOSED);
	assert_false(lives(c.from));
	assert_true(lives(c.to));
	bury(&c);
}

static void
stop_loop(struct timer *t, void *arg)
{
	ev_stop(loop);
}

static void
a_link_that_could_not_be_made_is_tried_again(void **state)
{
	struct couple c = marry(ROLE_EDGE, ROLE_QUEUE);
	struct rlimit all, none;
	struct timer enough;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = (struct rlimit){ 3, all.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	pair_connect(c.from);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_int_equal(links_got(c.to, c.to_fd), 0);
	timer_init(&enough, loop, stop_loop, NULL);
	timer_set(&enough, 1500);
	assert_int_equal(ev_run(loop), OK);
	assert_int_equal(links_got(c.from, c.from_fd), 1);
	assert_int_equal(links_got(c.to, c.to_fd), 1);
	bury(&c);
}

static int
set_up(void **state)
{
	if (ev_open(&loop) != OK)
		return -1;
	supervisor_init(&house, loop, "none", false);
	return 0;
}

static int
tear_down(void **state)
{
	ev_close(&loop);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_queue_is_never_restarted_on_anothers_word),
		cmocka_unit_test(
		    whom_the_queue_has_restarted_often_rests_from_it),
		cmocka_unit_test(
		    neither_is_the_vault_and_control_pays_for_itself),
		cmocka_unit_test(at_the_end_who_rests_is_not_waited_for),
		cmocka_unit_test(between_equals_the_accused_is_restarted),
		cmocka_unit_test(
		    who_alone_accuses_the_resolver_is_restarted_itself),
		cmocka_unit_test(wearing_out_links_is_an_accusation_too),
		cmocka_unit_test(
		    two_blocks_that_accuse_the_same_one_are_believed),
		cmocka_unit_test(
		    a_resolver_and_the_relay_it_accuses_take_turns),
		cmocka_unit_test(
		    two_that_run_are_linked_when_they_become_a_pair),
		cmocka_unit_test(one_loss_makes_one_new_link),
		cmocka_unit_test(no_link_is_made_to_one_that_has_died),
		cmocka_unit_test(a_loss_of_an_older_life_is_nothing),
		cmocka_unit_test(strangers_cannot_be_accused),
		cmocka_unit_test(a_pair_that_wears_out_links_is_restarted),
		cmocka_unit_test(a_link_that_could_not_be_made_is_tried_again),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
