/*
 * test_master_made - what master makes for its children: listeners that are
 * kept over generations, and directories that are nobody else's.
 *
 * room: master
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "master/dirs.h"
#include "master/folder.h"
#include "master/listen.h"

static char	 base[64];

/* A port of 127.0.0.1 that is free now. */
static uint16_t
free_port(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static struct plan_process
edge_row(uint16_t port, uint16_t worker, uint16_t workers)
{
	static const struct plan_process none;
	struct plan_process row = none;

	row.role = ROLE_EDGE;
	row.worker = worker;
	row.workers = workers;
	row.listener_cnt = 1;
	row.listeners[0].family = 4;
	row.listeners[0].port = port;
	row.listeners[0].backlog = 16;
	memcpy(row.listeners[0].address, "\177\0\0\1", 4);
	return row;
}

static bool
can_connect(uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool good = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;

	close(fd);
	return good;
}

static void
a_wanted_listener_outlives_its_generation(void **state)
{
	struct listeners all = TAILQ_HEAD_INITIALIZER(all);
	uint16_t kept = free_port(), left = free_port();
	struct plan_process a = edge_row(kept, 0, 1);
	struct plan_process b = edge_row(left, 0, 1);
	int fd;

	assert_int_equal(listen_want(&all, &a, 1), OK);
	assert_int_equal(listen_want(&all, &b, 1), OK);
	fd = listen_find(&all, &a, 0);
	assert_true(fd != -1 && can_connect(kept) && can_connect(left));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(listen_want(&all, &a, 2), OK);
	listen_sweep(&all, 2);
	assert_int_equal(listen_find(&all, &a, 0), fd);
	assert_int_equal(listen_find(&all, &b, 0), -1);
	assert_true(can_connect(kept));
	assert_false(can_connect(left));
	listen_sweep(&all, 3);
	assert_true(TAILQ_EMPTY(&all));
}

static void
workers_share_a_port_and_more_may_come_later(void **state)
{
	struct listeners all = TAILQ_HEAD_INITIALIZER(all);
	uint16_t port = free_port();
	struct plan_process rows[3] = {
		edge_row(port, 0, 1), edge_row(port, 1, 3),
		edge_row(port, 2, 3),
	};

	assert_int_equal(listen_want(&all, &rows[0], 1), OK);
	assert_int_equal(listen_want(&all, &rows[1], 2), OK);
	assert_int_equal(listen_want(&all, &rows[2], 2), OK);
	assert_true(listen_find(&all, &rows[0], 0) !=
	    listen_find(&all, &rows[1], 0));
	assert_true(listen_find(&all, &rows[2], 0) != -1);
	listen_sweep(&all, 9);
}

static void
a_port_somebody_has_is_an_error(void **state)
{
	struct listeners mine = TAILQ_HEAD_INITIALIZER(mine);
	struct listeners theirs = TAILQ_HEAD_INITIALIZER(theirs);
	struct plan_process row = edge_row(free_port(), 0, 2);

	assert_int_equal(listen_want(&theirs, &row, 1), OK);
	assert_int_equal(listen_want(&mine, &row, 1), ERR_SYS);
	assert_int_equal(errno, EADDRINUSE);
	assert_true(TAILQ_EMPTY(&mine));
	listen_sweep(&theirs, 2);
}

static void
an_undone_generation_leaves_the_old_sockets(void **state)
{
	struct listeners all = TAILQ_HEAD_INITIALIZER(all);
	struct plan_process old = edge_row(free_port(), 0, 1);
	struct plan_process new = edge_row(free_port(), 0, 1);

	assert_int_equal(listen_want(&all, &old, 1), OK);
	assert_int_equal(listen_want(&all, &new, 2), OK);
	listen_undo(&all, 2);
	assert_true(listen_find(&all, &old, 0) != -1);
	assert_int_equal(listen_find(&all, &new, 0), -1);
	listen_sweep(&all, 9);
}

/* Unix sockets. */

static struct plan_process
path_row(const char *name, bool is_packets, uint16_t worker)
{
	struct plan_process row = edge_row(0, worker, 2);

	row.listeners[0].family = 1;
	row.listeners[0].is_packets = is_packets;
	snprintf(row.listeners[0].path, PLAN_SOCKET_MAX, "%s/%s", base, name);
	return row;
}

static bool
can_reach(const char *path, int kind)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, kind, 0);
	bool good;

	(void)strlcpy(to.sun_path, path, sizeof(to.sun_path));
	good = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
	close(fd);
	return good;
}

static void
a_unix_socket_is_everybodys_and_one_for_all_workers(void **state)
{
	struct listeners all = TAILQ_HEAD_INITIALIZER(all);
	struct plan_process a = path_row("s", false, 0);
	struct plan_process b = path_row("s", false, 1);
	struct plan_process c = path_row("p", true, 0);
	mode_t was = umask(077);
	struct stat st;

	assert_int_equal(listen_want(&all, &a, 1), OK);
	assert_int_equal(listen_want(&all, &b, 1), OK);
	assert_int_equal(listen_want(&all, &c, 1), OK);
	assert_int_equal(umask(was), 077);
	assert_int_equal(listen_find(&all, &a, 0), listen_find(&all, &b, 0));
	assert_int_equal(stat(a.listeners[0].path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0666);
	assert_true(can_reach(a.listeners[0].path, SOCK_STREAM));
	assert_true(can_reach(c.listeners[0].path, SOCK_SEQPACKET));
	/* The same place again keeps it; what nobody wants goes, file too. */
	assert_int_equal(listen_want(&all, &a, 2), OK);
	listen_sweep(&all, 2);
	assert_true(can_reach(a.listeners[0].path, SOCK_STREAM));
	assert_int_equal(stat(c.listeners[0].path, &st), -1);
	listen_close(&all);
	assert_int_equal(stat(a.listeners[0].path, &st), -1);
}

static void
a_socket_left_behind_is_replaced_and_a_live_one_is_not(void **state)
{
	struct listeners all = TAILQ_HEAD_INITIALIZER(all);
	struct listeners theirs = TAILQ_HEAD_INITIALIZER(theirs);
	struct plan_process row = path_row("left", false, 0);
	struct plan_process packets = path_row("left", true, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)strlcpy(at.sun_path, row.listeners[0].path,
	    sizeof(at.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	assert_int_equal(listen_want(&theirs, &row, 1), OK);
	assert_int_equal(listen_want(&all, &row, 1), ERR_SYS);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(listen_want(&all, &packets, 1), ERR_SYS);
	assert_true(can_reach(row.listeners[0].path, SOCK_STREAM));
	listen_close(&theirs);
}

static void
a_file_in_a_sockets_place_stays(void **state)
{
	struct listeners all = TAILQ_HEAD_INITIALIZER(all);
	struct plan_process row = path_row("mine", false, 0);
	struct stat st;
	int fd;

	fd = open(row.listeners[0].path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd != -1);
	close(fd);
	assert_int_equal(listen_want(&all, &row, 1), ERR_SYS);
	assert_int_equal(stat(row.listeners[0].path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

/* Files. */

static struct plan_file
file_row(const char *name, const char *text, mode_t mode, bool is_secret)
{
	struct plan_file row = { .is_secret = is_secret };
	int fd;

	snprintf(row.path, sizeof(row.path), "%s/%s", base, name);
	fd = open(row.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return row;
}

static void
a_renewed_file_is_another_under_the_same_path(void **state)
{
	struct plan_file row = file_row("cert", "old", 0644, false), next;
	struct folder *a = NULL, *b = NULL;

	assert_int_equal(folder_open(&a, &row, 1), OK);
	assert_int_equal(folder_open_again(&b, a), OK);
	assert_true(folder_same(a, b));
	folder_close(&b);
	next = file_row("cert.new", "new", 0644, false);
	assert_int_equal(rename(next.path, row.path), 0);
	assert_int_equal(folder_open(&b, &row, 1), OK);
	assert_false(folder_same(a, b));
	folder_close(&b);
	assert_int_equal(folder_open(&b, &row, 0), OK);
	assert_false(folder_same(a, b));
	folder_close(&a);
	folder_close(&b);
	assert_null(a);
}

static void
what_cannot_be_trusted_is_not_opened(void **state)
{
	static const mode_t bad[] = { 0604, 0602, 0601 };
	struct folder *f = NULL;
	struct plan_file rows[2];

	rows[0] = file_row("key", "secret", 0640, true);
	assert_int_equal(folder_open(&f, rows, 1), OK);
	folder_close(&f);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(rows[0].path, bad[i]), 0);
		assert_int_equal(folder_open(&f, rows, 1), ERR_SYS);
	}
	rows[0] = file_row("key", "secret", 0600, true);
	snprintf(rows[1].path, sizeof(rows[1].path), "%s/none", base);
	rows[1].is_secret = 0;
	assert_int_equal(folder_open(&f, rows, 2), ERR_SYS);
	(void)strlcpy(rows[1].path, base, sizeof(rows[1].path));
	assert_int_equal(folder_open(&f, rows, 2), ERR_SYS);
	snprintf(rows[1].path, sizeof(rows[1].path), "%s/fifo", base);
	assert_int_equal(mkfifo(rows[1].path, 0600), 0);
	assert_int_equal(folder_open(&f, rows, 2), ERR_SYS);
	assert_null(f);
}

static void
own_directories_are_made_closed(void **state)
{
	struct plan_process row = { .uid = 61234, .gid = 61235 };
	struct stat st;

	snprintf(row.own_dir, sizeof(row.own_dir), "%s/a/b/own", base);
	assert_int_equal(dirs_own(&row), OK);
	assert_int_equal(stat(row.own_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 61234);
		assert_int_equal(st.st_gid, 61235);
	}
	/* One that is there keeps what its owner gave it. */
	assert_int_equal(chmod(row.own_dir, 0750), 0);
	row.uid = 61236;
	assert_int_equal(dirs_own(&row), OK);
	assert_int_equal(stat(row.own_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	if (geteuid() == 0)
		assert_int_equal(st.st_uid, 61234);
}

static void
a_file_in_the_way_is_an_error(void **state)
{
	struct plan_process row = { .uid = 61234 };
	int fd;

	snprintf(row.own_dir, sizeof(row.own_dir), "%s/file", base);
	assert_true((fd = open(row.own_dir, O_WRONLY | O_CREAT, 0600)) != -1);
	close(fd);
	assert_int_equal(dirs_own(&row), ERR_SYS);
}

static void
a_house_is_taken_once(void **state)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/run", base);
	assert_int_equal(dirs_take(path), OK);
	assert_int_equal(dirs_take(path), ERR_SYS);
	snprintf(path, sizeof(path), "%s/run" DIRS_EMPTY, base);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	return remove(path);
}

static int
set_up(void **state)
{
	(void)strlcpy(base, "/tmp/test_master.XXXXXX", sizeof(base));
	return mkdtemp(base) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	return nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wanted_listener_outlives_its_generation),
		cmocka_unit_test(workers_share_a_port_and_more_may_come_later),
		cmocka_unit_test(a_port_somebody_has_is_an_error),
		cmocka_unit_test(an_undone_generation_leaves_the_old_sockets),
		cmocka_unit_test(
		    a_unix_socket_is_everybodys_and_one_for_all_workers),
		cmocka_unit_test(
		    a_socket_left_behind_is_replaced_and_a_live_one_is_not),
		cmocka_unit_test(a_file_in_a_sockets_place_stays),
		cmocka_unit_test(a_renewed_file_is_another_under_the_same_path),
		cmocka_unit_test(what_cannot_be_trusted_is_not_opened),
		cmocka_unit_test(own_directories_are_made_closed),
		cmocka_unit_test(a_file_in_the_way_is_an_error),
		cmocka_unit_test(a_house_is_taken_once),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
