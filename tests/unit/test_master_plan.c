/*
 * test_master_plan - master believes the check child no further than its
 * bounds: a good plan passes, and each single lie makes it worthless.
 *
 * room: master
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

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

#include "master/plan.h"
#include "sys/sandbox.h"

#define ROWS		9
#define LINKS		8
#define FILES		3
#define ENDPOINTS	2
#define ALL_SEALS	(F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW |	\
			 F_SEAL_SEAL)

/* What a check child would say. */
struct said {
	struct plan_head head;
	struct plan_process rows[ROWS];
	struct plan_link links[LINKS];
	struct plan_file files[FILES];
	struct plan_endpoint endpoints[ENDPOINTS];
	int		 seals;		/* of each slice		*/
	size_t		 slice_len;
	size_t		 short_by;	/* bytes missing from row 1	*/
	bool		 no_slice;	/* row 2 comes without		*/
	bool		 with_file;	/* file 1 comes with one	*/
	int		 file_seals;	/* of that			*/
	unsigned	 rows_sent;
};

static struct said
good(void)
{
	static const enum role roles[ROWS] = {
		ROLE_RESOLVER, ROLE_RELAY, ROLE_QUEUE, ROLE_EDGE, ROLE_KEYS,
		ROLE_USERS, ROLE_CONTROL, ROLE_MAILDIR, ROLE_PIPE,
	};
	static const struct said none;
	struct said s = none;

	s.head.magic = PLAN_MAGIC;
	s.head.process_cnt = ROWS;
	s.head.link_cnt = LINKS;
	s.head.file_cnt = FILES;
	s.head.endpoint_cnt = ENDPOINTS;
	s.head.sandbox = SANDBOX_REQUIRE;
	(void)strlcpy(s.head.run_dir, "/run/postern", PLAN_PATH_MAX);
	for (uint32_t i = 0; i < ROWS; i++) {
		s.rows[i].no = i;
		s.rows[i].role = (uint8_t)roles[i];
		s.rows[i].workers = 1;
		s.rows[i].uid = s.rows[i].gid = 1000 + i;
		(void)strlcpy(s.rows[i].block, "name", BLOCK_NAME_MAX);
	}
	(void)strlcpy(s.rows[2].own_dir, "/var/lib/postern/q", PLAN_PATH_MAX);
	s.rows[3].listener_cnt = 1;
	s.rows[3].listeners[0].family = 4;
	s.rows[3].listeners[0].port = 25;
	s.links[0] = (struct plan_link){ 3, 2 };
	s.links[1] = (struct plan_link){ 2, 1 };
	s.links[2] = (struct plan_link){ 1, 0 };
	s.links[3] = (struct plan_link){ 3, 4 };
	s.links[4] = (struct plan_link){ 3, 5 };
	s.links[5] = (struct plan_link){ 6, 2 };
	s.links[6] = (struct plan_link){ 2, 7 };
	s.links[7] = (struct plan_link){ 2, 8 };
	(void)strlcpy(s.rows[7].own_dir, "/home/ann", PLAN_PATH_MAX);
	s.rows[6].listener_cnt = 1;
	s.rows[6].listeners[0].family = 1;
	s.rows[6].listeners[0].is_packets = 1;
	(void)strlcpy(s.rows[6].listeners[0].path, "/run/postern/control",
	    PLAN_SOCKET_MAX);
	for (unsigned i = 0; i < FILES; i++)
		(void)strlcpy(s.files[i].path, "/etc/mail.pem", PLAN_PATH_MAX);
	s.files[2].is_secret = 1;
	s.rows[3].file_cnt = 2;			/* 0 and 1 */
	s.rows[4].first_file = 1;
	s.rows[4].file_cnt = 2;			/* 1 and 2 */
	for (unsigned i = 0; i < ENDPOINTS; i++) {
		s.endpoints[i].family = 1;
		(void)strlcpy(s.endpoints[i].path, "/run/lmtp",
		    PLAN_SOCKET_MAX);
	}
	s.rows[1].first_endpoint = 1;
	s.rows[1].endpoint_cnt = 1;
	s.seals = ALL_SEALS;
	s.slice_len = 100;
	s.rows_sent = ROWS;
	return s;
}

static void
put(int fd, const void *bytes, size_t len, int pass)
{
	union {
		struct cmsghdr	 align;
		char		 bytes[CMSG_SPACE(sizeof(int))];
	} room;
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (pass != -1) {
		memset(&room, 0, sizeof(room));
		h.msg_control = room.bytes;
		h.msg_controllen = sizeof(room.bytes);
		CMSG_FIRSTHDR(&h)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&h)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&h)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&h)), &pass, sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &h, 0), (ssize_t)len);
}

static int
make_slice(const struct said *s)
{
	int fd = memfd_create("slice", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	assert_true(fd != -1);
	assert_int_equal(ftruncate(fd, (off_t)s->slice_len), 0);
	if (s->seals != 0)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, s->seals), 0);
	return fd;
}

static unsigned
open_descriptors(void)
{
	unsigned cnt = 0;

	for (int fd = 0; fd < 256; fd++)
		cnt += fcntl(fd, F_GETFD) != -1;
	return cnt;
}

/* What master makes of it; no descriptor may be left over. */
static enum err
hear(const struct said *s)
{
	unsigned before = open_descriptors();
	struct plan *p = NULL;
	enum err e;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	put(pair[0], &s->head, sizeof(s->head), -1);
	for (unsigned i = 0; i < s->rows_sent; i++) {
		int slice = s->no_slice && i == 2 ? -1 : make_slice(s);

		put(pair[0], &s->rows[i], sizeof(s->rows[i]) -
		    (i == 1 ? s->short_by : 0), slice);
		if (slice != -1)
			close(slice);
	}
	for (unsigned i = 0; i < LINKS; i++)
		put(pair[0], &s->links[i], sizeof(s->links[i]), -1);
	for (unsigned i = 0; i < FILES; i++) {
		struct said made = { .slice_len = 3, .seals = s->file_seals };
		int fd = s->with_file && i == 1 ? make_slice(&made) : -1;

		put(pair[0], &s->files[i], sizeof(s->files[i]), fd);
		if (fd != -1)
			close(fd);
	}
	for (unsigned i = 0; i < ENDPOINTS; i++)
		put(pair[0], &s->endpoints[i], sizeof(s->endpoints[i]), -1);
	close(pair[0]);
	e = plan_receive(&p, pair[1]);
	close(pair[1]);
	assert_true((e == OK) == (p != NULL));
	plan_free(&p);
	assert_int_equal(open_descriptors(), before);
	return e;
}

static void
a_good_plan_is_taken(void **state)
{
	struct said s = good();

	assert_int_equal(hear(&s), OK);
}

static void
every_lie_about_the_head_is_seen(void **state)
{
	struct said s = good();

	s.head.magic++;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.head.process_cnt = PLAN_PROCESSES_MAX + 1;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.head.process_cnt = 0;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.head.link_cnt = PLAN_LINKS_MAX + 1;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.head.sandbox = 2;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	memset(s.head.run_dir, '/', sizeof(s.head.run_dir));
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	(void)strlcpy(s.head.run_dir, "run", PLAN_PATH_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	(void)strlcpy(s.head.run_dir, "/run/../etc", PLAN_PATH_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	(void)strlcpy(s.head.run_dir, "/run/..", PLAN_PATH_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
}

static void
every_lie_about_a_row_is_seen(void **state)
{
	struct said s = good();

	s.rows[1].no = 7;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[1].role = ROLE_MASTER;
	s.head.link_cnt = 0;	/* nor by its links */
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[1].role = ROLE_CHECK;
	s.head.link_cnt = 0;	/* nor by its links */
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[1].role = ROLE__COUNT;
	s.head.link_cnt = 0;	/* nor by its links */
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[1].worker = 1;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[1].workers = PLAN_WORKERS_MAX + 1;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	memset(s.rows[1].block, 'x', sizeof(s.rows[1].block));
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	(void)strlcpy(s.rows[1].block, "a\nb", BLOCK_NAME_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[1].block[0] = '\0';
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[2].own_dir[0] = '\0';	/* a queue must have one */
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	(void)strlcpy(s.rows[3].own_dir, "/etc", PLAN_PATH_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[3].listener_cnt = PLAN_LISTENERS_MAX + 1;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[1].listener_cnt = 1;	/* a relay has none */
	s.rows[1].listeners[0].family = 4;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[3].listeners[0].family = 5;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.short_by = 1;
	assert_int_equal(hear(&s), ERR_PEER);
}

static void
roles_that_master_does_not_start_are_refused(void **state)
{
	static const enum role roles[] = {
		ROLE_MASTER, ROLE_CHECK, ROLE_LAUNCHER, ROLE_TOOL,
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		struct said s = good();

		s.rows[0].role = (uint8_t)roles[i];
		s.head.link_cnt = 0;
		assert_int_equal(hear(&s), ERR_PEER);
	}
}

static void
listeners_are_of_the_kind_their_role_has(void **state)
{
	struct said s = good();

	s.rows[3].listeners[0].family = 1;	/* an edge's path */
	(void)strlcpy(s.rows[3].listeners[0].path, "/run/postern/sendmail",
	    PLAN_SOCKET_MAX);
	assert_int_equal(hear(&s), OK);
	s.rows[3].listeners[0].is_packets = 1;
	assert_int_equal(hear(&s), ERR_PEER);
	s.rows[3].listeners[0].is_packets = 0;
	(void)strlcpy(s.rows[3].listeners[0].path, "sendmail",
	    PLAN_SOCKET_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
	memset(s.rows[3].listeners[0].path, '/', PLAN_SOCKET_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[6].listeners[0].is_packets = 0;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[6].listeners[0].family = 4;
	assert_int_equal(hear(&s), ERR_PEER);
}

static void
a_file_that_is_made_comes_sealed(void **state)
{
	struct said s = good();

	s.with_file = true;			/* nobody has said so */
	s.file_seals = ALL_SEALS;
	assert_int_equal(hear(&s), ERR_PEER);
	s.files[1].is_made = 1;
	s.files[1].fd = 0;			/* is ours to say */
	assert_int_equal(hear(&s), OK);
	s.files[1].is_made = 2;
	assert_int_equal(hear(&s), ERR_PEER);
	s.files[1].is_made = 1;
	s.file_seals = ALL_SEALS & ~F_SEAL_WRITE;
	assert_int_equal(hear(&s), ERR_PEER);
	s.with_file = false;
	assert_int_equal(hear(&s), ERR_PEER);
}

static void
every_lie_about_files_is_seen(void **state)
{
	struct said s = good();

	s.head.file_cnt = PLAN_ALL_FILES_MAX + 1;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[4].first_file = 2;		/* one over the end */
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[4].first_file = UINT32_MAX;	/* their sum is small */
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[4].file_cnt = PLAN_FILES_MAX + 1;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[3].file_cnt = 3;			/* an edge has no secrets */
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[2].file_cnt = 1;			/* a queue has no files */
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	(void)strlcpy(s.files[1].path, "mail.pem", PLAN_PATH_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	(void)strlcpy(s.files[1].path, "/etc/../root/x", PLAN_PATH_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	memset(s.files[1].path, '/', PLAN_PATH_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
}

static void
every_lie_about_endpoints_is_seen(void **state)
{
	struct said s = good();

	s.head.endpoint_cnt = PLAN_ALL_ENDPOINTS_MAX + 1;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[1].endpoint_cnt = 2;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[1].endpoint_cnt = PLAN_ENDPOINTS_MAX + 1;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.rows[4].endpoint_cnt = 1;		/* keys connect to nothing */
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	(void)strlcpy(s.endpoints[0].path, "lmtp", PLAN_SOCKET_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	memset(s.endpoints[0].path, '/', PLAN_SOCKET_MAX);
	assert_int_equal(hear(&s), ERR_PEER);
	/* An address needs no path, but a port. */
	s = good();
	s.endpoints[0] = (struct plan_endpoint){ .family = 6, .port = 24 };
	assert_int_equal(hear(&s), OK);
	s.endpoints[0].port = 0;
	assert_int_equal(hear(&s), ERR_PEER);
	s.endpoints[0] = (struct plan_endpoint){ .family = 2, .port = 24 };
	assert_int_equal(hear(&s), ERR_PEER);
}

static void
as_root_nobody_is_root(void **state)
{
	struct said s = good();

	s.rows[1].uid = 0;
	assert_int_equal(hear(&s), geteuid() == 0 ? ERR_PEER : OK);
	s = good();
	s.rows[1].gid = 0;
	assert_int_equal(hear(&s), geteuid() == 0 ? ERR_PEER : OK);
}

static void
links_go_only_where_the_picture_has_them(void **state)
{
	for (uint32_t from = 0; from < ROWS + 1; from++)
		for (uint32_t to = 0; to < ROWS + 1; to++) {
			struct said s = good();
			bool is_fine = (from == 3 && to == 2) ||
			    (from == 2 && to == 1) || (from == 1 && to == 0) ||
			    (from == 3 && to == 4) || (from == 3 && to == 5) ||
			    (from == 6 && to == 2) || (from == 2 && to == 7) ||
			    (from == 2 && to == 8) || (from == 1 && to == 4) ||
			    (from == 3 && to == 0);

			s.links[1] = (struct plan_link){ from, to };
			assert_int_equal(hear(&s), is_fine ? OK : ERR_PEER);
		}
}

static void
a_slice_must_come_sealed_and_of_bounded_size(void **state)
{
	static const int seals[] = {
		0, ALL_SEALS & ~F_SEAL_WRITE, ALL_SEALS & ~F_SEAL_SHRINK,
		ALL_SEALS & ~F_SEAL_GROW, ALL_SEALS & ~F_SEAL_SEAL,
	};
	struct said s;

	for (size_t i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
		s = good();
		s.seals = seals[i];
		assert_int_equal(hear(&s), ERR_PEER);
	}
	s = good();
	s.slice_len = 0;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.slice_len = PLAN_SLICE_MAX + 1;
	assert_int_equal(hear(&s), ERR_PEER);
	s = good();
	s.no_slice = true;
	assert_int_equal(hear(&s), ERR_PEER);
}

static void
a_child_that_stops_in_the_middle_is_refused(void **state)
{
	struct said s = good();

	s.rows_sent = 2;
	assert_int_not_equal(hear(&s), OK);
}

static void
slices_are_compared_by_their_bytes(void **state)
{
	struct said s = good();
	int a = make_slice(&s), b = make_slice(&s), c, d;

	s.slice_len++;
	c = make_slice(&s);
	s.slice_len--;
	s.seals = 0;
	d = make_slice(&s);
	assert_int_equal(pwrite(d, "x", 1, 50), 1);
	assert_true(plan_same_slice(a, b));
	assert_false(plan_same_slice(a, c));
	assert_false(plan_same_slice(a, d));
	close(a);
	close(b);
	close(c);
	close(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_plan_is_taken),
		cmocka_unit_test(every_lie_about_the_head_is_seen),
		cmocka_unit_test(every_lie_about_a_row_is_seen),
		cmocka_unit_test(as_root_nobody_is_root),
		cmocka_unit_test(roles_that_master_does_not_start_are_refused),
		cmocka_unit_test(listeners_are_of_the_kind_their_role_has),
		cmocka_unit_test(a_file_that_is_made_comes_sealed),
		cmocka_unit_test(every_lie_about_files_is_seen),
		cmocka_unit_test(every_lie_about_endpoints_is_seen),
		cmocka_unit_test(links_go_only_where_the_picture_has_them),
		cmocka_unit_test(a_slice_must_come_sealed_and_of_bounded_size),
		cmocka_unit_test(a_child_that_stops_in_the_middle_is_refused),
		cmocka_unit_test(slices_are_compared_by_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
