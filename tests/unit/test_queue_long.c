/*
 * What a damaged number can make long is looked at in bounded time and memory:
 * a file with holes behind its end, which a write to a wrong page leaves.  And
 * so is what may be long: a message with very many deliveries.
 * room: queue
 * room: queue/salvage
 */
#include "salvage_kit.h"

#include <sys/resource.h>

#include <fcntl.h>
#include <ftw.h>

#include "queue/salvage/rescue.h"
#include "queue/store/store_intake.h"

#define DELIVERIES	40000u
#define CPU_MAX_S	8	/* a hundred times what it needs */

static struct salvage_kit *kit;

static int
setup(void **state)
{
	kit = calloc(1, sizeof(*kit));
	salvage_open(kit);
	return 0;
}

static int
teardown(void **state)
{
	salvage_close(kit);
	free(kit);
	return 0;
}

static long
cpu_seconds(void)
{
	struct rusage u;

	assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
	return (long)u.ru_utime.tv_sec + (long)u.ru_stime.tv_sec;
}

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *at)
{
	return remove(path);
}

static void
salvage_all(void)
{
	char dir[96];

	snprintf(dir, sizeof(dir), "%s-new", kit->kit.dir);
	assert_int_equal(rescue_run(kit->kit.dir, dir, false), CHECK_WHOLE);
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* One page is written there; what lies before it was never written. */
static void
look_with_page_at(off_t at, enum check_end want)
{
	long before = cpu_seconds();
	struct stat was, is;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", kit->kit.dir);
	assert_int_not_equal(fd = open(path, O_RDWR | O_CLOEXEC), -1);
	assert_int_equal(pwrite(fd, kit->bytes + 4 * 4096, 4096, at), 4096);
	assert_int_equal(fstat(fd, &was), 0);
	assert_int_equal(check_run(kit->kit.dir, false), want);
	salvage_all();
	/* To read a hole of a tmpfs would fill it. */
	assert_int_equal(fstat(fd, &is), 0);
	assert_int_equal(is.st_blocks, was.st_blocks);
	assert_int_equal(ftruncate(fd, (off_t)kit->len), 0);
	close(fd);
	assert_true(cpu_seconds() - before < CPU_MAX_S);
}

static void
a_page_far_behind_the_end_costs_nothing(void **state)
{
	look_with_page_at((off_t)1 << 39, CHECK_WHOLE);
}

/* Longer than addresses reach. */
static void
a_file_longer_than_any_store_is_read(void **state)
{
	look_with_page_at((off_t)1 << 56, CHECK_DAMAGED);
}

static void
accept_many(void)
{
	struct store_delivery *where = calloc(DELIVERIES, sizeof(*where));
	struct span *rcpts = calloc(DELIVERIES, sizeof(*rcpts));
	uint32_t *of = calloc(DELIVERIES, sizeof(*of));
	struct kit_mail m;

	kit_mail(&kit->kit, &m, SPAN("Subject: many\r\n"), SPAN("text\r\n"));
	for (uint32_t i = 0; i < DELIVERIES; i++) {
		where[i] = m.where;
		rcpts[i] = m.rcpts[0];
		of[i] = i;
	}
	m.accept.deliveries = where;
	m.accept.rcpts = rcpts;
	m.accept.rcpt_delivery = of;
	m.accept.message.rcpt_cnt = DELIVERIES;
	m.accept.message.delivery_cnt = DELIVERIES;
	assert_int_equal(kit_accept(&kit->kit, &m), OK);
	free(where);
	free(rcpts);
	free(of);
}

static void
very_many_deliveries_are_judged_soon(void **state)
{
	long before;

	kit_reopen(&kit->kit);
	accept_many();
	store_close(&kit->kit.store);
	before = cpu_seconds();
	assert_int_equal(check_run(kit->kit.dir, false), CHECK_WHOLE);
	assert_true(cpu_seconds() - before < CPU_MAX_S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_far_behind_the_end_costs_nothing),
		cmocka_unit_test(a_file_longer_than_any_store_is_read),
		cmocka_unit_test(very_many_deliveries_are_judged_soon),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
