/*
 * test_queue_shut - a disk that takes nothing any more, and then again.
 *
 * The kernel mounts no file system read-only under a writer but after an error
 * of its own, so the calls that would fail then are ours here, and fail when
 * they are told to.
 *
 * room: queue
 */
#include <sys/syscall.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>

#include "queue_kit.h"

#define TRIES	8	/* more than may fail for another reason */

static atomic_int refusal;	/* errno, 0 while the disk takes all */

ssize_t
pwrite(int fd, const void *buf, size_t len, off_t at)
{
	if ((errno = atomic_load(&refusal)) != 0)
		return -1;
	return syscall(SYS_pwrite64, fd, buf, len, at);
}

ssize_t
writev(int fd, const struct iovec *iov, int cnt)
{
	if ((errno = atomic_load(&refusal)) != 0)
		return -1;
	return syscall(SYS_writev, fd, iov, cnt);
}

int
fallocate(int fd, int mode, off_t from, off_t len)
{
	if ((errno = atomic_load(&refusal)) != 0)
		return -1;
	return (int)syscall(SYS_fallocate, fd, mode, from, len);
}

static int
set_up(void **state)
{
	static struct kit k;

	atomic_store(&refusal, 0);
	kit_open(&k);
	*state = &k;
	return 0;
}

static int
tear_down(void **state)
{
	atomic_store(&refusal, 0);
	kit_close(*state);
	return 0;
}

static enum err
accept_one(struct kit *k, struct kit_mail *m)
{
	kit_mail(k, m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	return kit_accept(k, m);
}

static void
refuses_and_recovers(struct kit *k, int error)
{
	struct kit_mail m;

	assert_int_equal(accept_one(k, &m), OK);
	atomic_store(&refusal, error);
	for (unsigned i = 0; i < TRIES; i++)
		assert_int_equal(accept_one(k, &m), ERR_SYS);
	kit_until(k, k->full == QUEUE_SHUT);
	atomic_store(&refusal, 0);
	kit_until(k, k->full == QUEUE_HAS_ROOM);
	assert_int_equal(accept_one(k, &m), OK);
	store_close(&k->store);
	assert_int_equal(kit_rows(k, TABLE_MESSAGE), 2);
	kit_reopen(k);
}

static void
a_read_only_disk_is_no_full_one_and_recovers(void **state)
{
	refuses_and_recovers(*state, EROFS);
}

static void
so_is_a_file_that_nobody_may_write(void **state)
{
	refuses_and_recovers(*state, EPERM);
}

static void
a_full_disk_still_is_one(void **state)
{
	struct kit *k = *state;
	struct kit_mail m;

	atomic_store(&refusal, ENOSPC);
	assert_int_equal(accept_one(k, &m), ERR_FULL);
	atomic_store(&refusal, 0);
	kit_until(k, k->full == QUEUE_HAS_ROOM);
}

/* Its first piece was lost to the disk: the rest cannot make it whole. */
static void
a_message_that_lost_a_piece_is_refused_for_that(void **state)
{
	static char text[PIECE_MAX];
	struct kit *k = *state;
	struct store_piece p;
	struct kit_mail m;

	kit_mail(k, &m, SPAN("A: b\r\n\r\n"), SPAN("rest"));
	p = (struct store_piece){ .mail = &m.mail, .part = PART_BODY,
	    .text = { text, PIECE_MAX } };
	atomic_store(&refusal, EROFS);
	store_put_piece(k->store, &p, kit_back, k);
	kit_until(k, k->back_cnt == 1);
	assert_int_equal(k->last, ERR_SYS);
	atomic_store(&refusal, 0);
	m.accept.body_piece_no = 1;
	assert_int_equal(kit_accept(k, &m), ERR_SYS);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_read_only_disk_is_no_full_one_and_recovers),
		TEST(so_is_a_file_that_nobody_may_write),
		TEST(a_full_disk_still_is_one),
		TEST(a_message_that_lost_a_piece_is_refused_for_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
