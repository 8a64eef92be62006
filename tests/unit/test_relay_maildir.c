/*
 * Whose Maildir a recipient has, and how a message gets into it.
 *
 * room: relay
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf_memory.h"
#include "relay/relay_type.h"
#include "relay/maildir/maildir_file.h"
#include "relay/maildir/maildir_path.h"

static struct maildir_naming naming = {
	.template = { "{domain}/{user}/Maildir", 23 },
	.hostname = { "Mx.Example", 10 },
};

static void
want_path(const char *rcpt, const char *want)
{
	char buf[MAILDIR_PATH_MAX];
	enum err e = maildir_path_fill(&naming, span_of(rcpt), buf);

	if (want == NULL) {
		if (e != ERR_PEER)
			print_error("taken: %s as %s\n", rcpt, buf);
		assert_int_equal(e, ERR_PEER);
		return;
	}
	assert_int_equal(e, OK);
	assert_string_equal(buf, want);
}

static void
a_recipient_has_his_place(void **state)
{
	want_path("Bob@Example.ORG", "example.org/Bob/Maildir");
	want_path("\"a b\\\"c\"@x.example", "x.example/a b\"c/Maildir");
	want_path("a@b@x.example", "x.example/a@b/Maildir");
	want_path("postmaster", "mx.example/postmaster/Maildir");
	want_path("a..b@x.example", "x.example/a..b/Maildir");
}

static void
details_and_case_lead_to_the_same_place(void **state)
{
	naming.delimiter = '+';
	want_path("Ann+lists+x@x.example", "x.example/Ann/Maildir");
	want_path("+ann@x.example", "x.example/+ann/Maildir");
	want_path("+ann+y@x.example", "x.example/+ann/Maildir");
	want_path("\"a+b\"@x.example", "x.example/a+b/Maildir");
	want_path("..+a@x.example", NULL);
	want_path("a/+b@x.example", NULL);
	naming.fold_case = true;
	want_path("ANN+Lists@x.example", "x.example/ann/Maildir");
	want_path("\"A B\"@x.example", "x.example/a b/Maildir");
	want_path("PostMaster", "mx.example/postmaster/Maildir");
	naming.delimiter = '\0';
	want_path("ANN+Lists@x.example", "x.example/ann+lists/Maildir");
	naming.fold_case = false;
}

static void
no_recipient_leads_out_of_his_place(void **state)
{
	static const char *const bad[] = {
		"../x@a.example", "..@a.example", ".@a.example",
		".hidden@a.example", "a/b@a.example", "/@a.example",
		"\"../../etc\"@a.example", "\".\\./x\"@a.example",
		"\"\"@a.example", "@a.example", "a@", "a@..", "a@.x",
		"a@x/../y", "a\nb@a.example", "a\x7f@a.example", "",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		want_path(bad[i], NULL);
}

static void
a_nul_is_refused(void **state)
{
	char buf[MAILDIR_PATH_MAX];

	assert_int_equal(maildir_path_fill(&naming, SPAN("a\0b@x.example"),
	    buf), ERR_PEER);
}

static void
a_name_longer_than_the_file_system_takes_is_refused(void **state)
{
	struct maildir_naming n = { .template = SPAN("{user}") };
	char buf[MAILDIR_PATH_MAX], rcpt[400];

	memset(rcpt, 'a', sizeof(rcpt));
	memcpy(rcpt + 255, "@b", 2);
	assert_int_equal(maildir_path_fill(&n, (struct span){ rcpt, 257 },
	    buf), OK);
	n.template = SPAN("x{user}");
	assert_int_equal(maildir_path_fill(&n, (struct span){ rcpt, 257 },
	    buf), ERR_PEER);
	n.template = SPAN("{domain}/{user}{domain}");
	assert_int_equal(maildir_path_fill(&n, (struct span){ rcpt, 400 },
	    buf), ERR_PEER);
}

/* A directory of its own for each test. */
struct place {
	char	 dir[64];
	int	 root_fd;
};

static int
make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->dir, sizeof(p->dir), "/tmp/maildirXXXXXX");
	if (mkdtemp(p->dir) == NULL ||
	    maildir_file_root(p->dir, &p->root_fd) != OK)
		return -1;
	*state = p;
	return 0;
}

static void
remove_tree(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (dir == NULL) {
		(void)unlinkat(dir_fd, name, 0);
		return;
	}
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_tree(fd, e->d_name);
	closedir(dir);
	(void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}

static int
remove_place(void **state)
{
	struct place *p = *state;

	close(p->root_fd);
	remove_tree(AT_FDCWD, p->dir);
	free(p);
	return 0;
}

/* The only file in a directory; its text into buf. */
static int
files_in(struct place *p, const char *path, char *buf, size_t cap)
{
	int fd = openat(p->root_fd, path, O_RDONLY | O_DIRECTORY), cnt = 0;
	DIR *dir = fdopendir(fd);
	struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		int file;
		ssize_t n;

		if (e->d_name[0] == '.')
			continue;
		cnt++;
		file = openat(fd, e->d_name, O_RDONLY);
		n = read(file, buf, cap - 1);
		assert_true(n >= 0);
		buf[n] = '\0';
		close(file);
	}
	closedir(dir);
	return cnt;
}

static void
a_message_stands_in_new_with_lf_and_its_envelope(void **state)
{
	struct place *p = *state;
	struct maildir_file f;
	char text[256];
	struct stat st;

	assert_int_equal(maildir_file_create(&f, p->root_fd, "d/u/Maildir",
	    SPAN("mx/1"), NULL), OK);
	assert_int_equal(maildir_file_envelope(&f, SPAN("a@b"), SPAN("c@d")),
	    OK);
	assert_int_equal(maildir_file_text(&f, SPAN("A: b\r")), OK);
	assert_int_equal(maildir_file_text(&f, SPAN("\n\r\nx\ry\r\r\nz\r")),
	    OK);
	assert_int_equal(files_in(p, "d/u/Maildir/new", text, sizeof(text)), 0);
	assert_int_equal(files_in(p, "d/u/Maildir/tmp", text, sizeof(text)), 1);
	assert_int_equal(maildir_file_commit(&f), OK);
	assert_int_equal(files_in(p, "d/u/Maildir/tmp", text, sizeof(text)), 0);
	assert_int_equal(files_in(p, "d/u/Maildir/new", text, sizeof(text)), 1);
	assert_non_null(strstr(f.name, ",S=50"));
	assert_string_equal(text, "Return-Path: <a@b>\nDelivered-To: c@d\n"
	    "A: b\n\nx\ry\r\nz\r");
	assert_int_equal(fstatat(p->root_fd, "d/u/Maildir/cur", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(fstatat(p->root_fd, "d", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void
an_aborted_message_leaves_nothing(void **state)
{
	struct place *p = *state;
	struct maildir_file f;
	char text[64];

	assert_int_equal(maildir_file_create(&f, p->root_fd, "u",
	    SPAN("h"), NULL), OK);
	assert_int_equal(maildir_file_text(&f, SPAN("x\r\n")), OK);
	maildir_file_abort(&f);
	assert_int_equal(files_in(p, "u/tmp", text, sizeof(text)), 0);
	assert_int_equal(files_in(p, "u/new", text, sizeof(text)), 0);
}

static void
a_symbolic_link_is_never_followed(void **state)
{
	struct place *p = *state;
	struct maildir_file f;

	assert_int_equal(symlinkat("/tmp", p->root_fd, "u"), 0);
	assert_int_equal(maildir_file_create(&f, p->root_fd, "u/x",
	    SPAN("h"), NULL), ERR_SYS);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(mkdirat(p->root_fd, "v", 0700), 0);
	assert_int_equal(symlinkat("../u", p->root_fd, "v/tmp"), 0);
	assert_int_equal(maildir_file_create(&f, p->root_fd, "v",
	    SPAN("h"), NULL), ERR_SYS);
	assert_int_equal(maildir_file_create(&f, p->root_fd, "../x",
	    SPAN("h"), NULL), ERR_SYS);
	assert_int_equal(errno, EXDEV);
}

/* Deliver a message of so many bytes; what error there is, or 0. */
static int
store_one(const struct place *p, const struct maildir_wish *wish, size_t len)
{
	static const char text[PIECE_MAX];
	struct maildir_file f;

	assert_true(len <= sizeof(text));
	if (maildir_file_create(&f, p->root_fd, "u", SPAN("h"), wish) != OK)
		return errno;
	assert_int_equal(maildir_file_text(&f, (struct span){ text, len }),
	    OK);
	return maildir_file_commit(&f) == OK ? 0 : errno;
}

static void
put_size(const struct place *p, const char *text)
{
	int fd = openat(p->root_fd, "u/maildirsize", O_WRONLY | O_CREAT |
	    O_TRUNC, 0600);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
}

static void
want_size(const struct place *p, const char *want)
{
	char got[512] = "";
	int fd = openat(p->root_fd, "u/maildirsize", O_RDONLY);

	if (want == NULL) {
		assert_int_equal(fd, -1);
		return;
	}
	assert_true(fd != -1 && read(fd, got, sizeof(got) - 1) >= 0);
	close(fd);
	assert_string_equal(got, want);
}

static void
a_quota_is_kept_in_maildirsize(void **state)
{
	const struct maildir_quota q = { 1000, 3 };
	const struct maildir_wish wish = { .folder = "", .quota = &q };
	const struct place *p = *state;

	assert_int_equal(store_one(p, &wish, 400), 0);
	want_size(p, "1000S,3C\n0 0\n400 1\n");
	assert_int_equal(store_one(p, &wish, 500), 0);
	want_size(p, "1000S,3C\n0 0\n400 1\n500 1\n");
	/* No room: it is counted before that is believed. */
	assert_int_equal(store_one(p, &wish, 101), EDQUOT);
	want_size(p, "1000S,3C\n900 2\n");
	assert_int_equal(store_one(p, &wish, 100), 0);
	assert_int_equal(store_one(p, &wish, 0), EDQUOT);
	want_size(p, "1000S,3C\n1000 3\n");
}

static void
a_size_that_cannot_be_believed_is_counted_anew(void **state)
{
	static const char *const bad[] = {
		"", "1000S\n", "1000S\nx\n", "1000S\n5\n", "1000S\n-1 1\n",
		"1000S\n1 1 1\n", "999S\n0 0\n", "1000S,7C\n0 0\n",
		"1000S\n99999999999999999999 1\n",
		"1000S\n900 2\n9000 1\n",
	};
	static char large[6000];
	const struct maildir_quota q = { .bytes = 1000 };
	const struct maildir_wish wish = { .folder = "", .quota = &q };
	const struct place *p = *state;

	assert_int_equal(store_one(p, &wish, 10), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char want[64];

		put_size(p, bad[i]);
		assert_int_equal(store_one(p, &wish, 10), 0);
		snprintf(want, sizeof(want), "1000S\n%zu %zu\n10 1\n",
		    10 * (i + 1), i + 1);
		want_size(p, want);
	}
	/* Before and beyond: as those there are that write it have it. */
	put_size(p, "1000S\n 100 1\n-50  -1\n1");
	assert_int_equal(store_one(p, &wish, 10), 0);
	want_size(p, "1000S\n 100 1\n-50  -1\n110 1\n");
	memcpy(large, "1000S\n0 0\n", 10);
	while (strlen(large) < 5200)
		(void)strlcat(large, "1 0\n", sizeof(large));
	put_size(p, large);
	assert_int_equal(store_one(p, &wish, 10), 0);
	want_size(p, "1000S\n120 12\n10 1\n");
}

static void
without_a_quota_of_ours_the_files_own_counts(void **state)
{
	const struct maildir_quota none = { 0 };
	const struct maildir_wish wish = { .folder = "", .quota = &none };
	const struct place *p = *state;

	assert_int_equal(store_one(p, &wish, 10), 0);
	want_size(p, NULL);
	put_size(p, "20S\n10 1\n");
	assert_int_equal(store_one(p, &wish, 10), 0);
	assert_int_equal(store_one(p, &wish, 10), EDQUOT);
	want_size(p, "20S\n20 2\n");
	put_size(p, "0S\n20 2\n");
	assert_int_equal(store_one(p, &wish, 10), 0);
	assert_int_equal(unlinkat(p->root_fd, "u/maildirsize", 0), 0);
	assert_int_equal(symlinkat("../x", p->root_fd, "u/maildirsize"), 0);
	assert_int_equal(store_one(p, &wish, 10), 0);
}

static void
all_folders_count_and_a_folder_is_found_or_made(void **state)
{
	const struct maildir_quota q = { .bytes = 100 };
	struct maildir_wish wish = { .folder = ".Lists", .quota = &q };
	struct place *p = *state;
	char text[64];

	assert_int_equal(store_one(p, &wish, 10), 0);
	assert_int_equal(files_in(p, "u/new", text, sizeof(text)), 1);
	wish.makes_folder = true;
	assert_int_equal(store_one(p, &wish, 20), 0);
	assert_int_equal(files_in(p, "u/.Lists/new", text, sizeof(text)), 1);
	assert_int_equal(faccessat(p->root_fd, "u/.Lists/maildirfolder", F_OK,
	    0), 0);
	wish.makes_folder = false;
	assert_int_equal(store_one(p, &wish, 30), 0);
	assert_int_equal(files_in(p, "u/.Lists/new", text, sizeof(text)), 2);
	assert_int_equal(mkdirat(p->root_fd, "u/.Bare", 0700), 0);
	wish.folder = ".Bare";
	put_size(p, "");
	assert_int_equal(store_one(p, &wish, 40), 0);
	want_size(p, "100S\n60 3\n40 1\n");
	assert_int_equal(store_one(p, &wish, 1), EDQUOT);
	assert_int_equal(symlinkat("../v", p->root_fd, "u/.Link"), 0);
	assert_int_equal(mkdirat(p->root_fd, "v", 0700), 0);
	wish = (struct maildir_wish){ .folder = ".Link" };
	assert_int_equal(store_one(p, &wish, 1), 0);
	assert_int_equal(files_in(p, "u/new", text, sizeof(text)), 2);
}

static void
a_detail_is_a_folder_or_none(void **state)
{
	static const struct { const char *rcpt, *want; } rows[] = {
		{ "ann@x.example", "" }, { "ann+Lists@x.example", ".Lists" },
		{ "ann+a.b+c@x.example", ".a.b+c" }, { "ann+inbox@x", "" },
		{ "ann+.a@x", "" }, { "ann+a.@x", "" }, { "ann+a..b@x", "" },
		{ "ann+..@x", "" }, { "ann+a/b@x", "" }, { "ann+@x", "" },
		{ "ann+a&b@x", "" }, { "ann+\xc3\xa9@x", "" },
		{ "\"ann+x\"@x", "" }, { "+ann@x", "" },
	};
	char buf[MAILDIR_FOLDER_MAX];

	naming.delimiter = '+';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		maildir_path_folder(&naming, span_of(rows[i].rcpt), buf);
		assert_string_equal(buf, rows[i].want);
	}
	naming.delimiter = '\0';
	maildir_path_folder(&naming, SPAN("ann+Lists@x.example"), buf);
	assert_string_equal(buf, "");
}

static void
old_leftovers_are_swept_and_young_ones_stay(void **state)
{
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	struct place *p = *state;
	struct maildir_file f;
	char text[64];

	assert_int_equal(maildir_file_create(&f, p->root_fd, "u",
	    SPAN("h"), NULL), OK);
	maildir_file_abort(&f);
	close(openat(p->root_fd, "u/tmp/old", O_CREAT | O_WRONLY, 0600));
	close(openat(p->root_fd, "u/tmp/young", O_CREAT | O_WRONLY, 0600));
	assert_int_equal(utimensat(p->root_fd, "u/tmp/old", old, 0), 0);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(maildir_file_create(&f, p->root_fd, "u",
		    SPAN("h"), NULL), OK);
		maildir_file_abort(&f);
	}
	assert_int_equal(files_in(p, "u/tmp", text, sizeof(text)), 1);
	assert_int_equal(faccessat(p->root_fd, "u/tmp/young", F_OK, 0), 0);
}

/* The relay as a whole, and a queue that has only so many pieces. */

static struct ev_loop *loop;
static unsigned pieces_have;
static struct timer later;

static void
give_up(struct timer *t, void *arg)
{
	delivery_orphan(arg);
}

static void
give_piece(struct delivery *d, enum part part, uint32_t no)
{
	static char piece[PIECE_MAX];

	memset(piece, 'x', sizeof(piece));
	if (no < pieces_have) {
		assert_int_equal(delivery_add_piece(d, part, no, PIECE_NEXT,
		    (struct span){ piece, sizeof(piece) }), OK);
		return;
	}
	if (!timer_running(&later))
		timer_set(&later, 20);	/* once the rest is written */
}

static void
finished(struct delivery *d)
{
	ev_stop(loop);
}

static void
back(struct delivery *d, enum back why)
{
	fail_msg("a delivery came back: %d", (int)why);
}

static void *
open_relay(const char *dir)
{
	static char text[512];
	static const struct memory_file files[] = {
		{ "/etc/conf", text }, { NULL, NULL } };
	static struct memory memory;
	static struct conf *conf;
	struct relay_type_env env = { .loop = loop, .root = dir };
	struct conf_plan plan;
	void *relay;

	memory = (struct memory){ .files = files };
	snprintf(text, sizeof(text), "process { hostname us.example }\n"
	    "edge in { type smtp; queue main\n"
	    "listener { interface 127.0.0.1; port 2525 } }\n"
	    "queue main { type lmdb; path q; relay out }\n"
	    "relay out { type maildir; path \"%s/{user}\" }\n", dir);
	if (memory_load(&memory, &conf, false) != OK)
		fail_msg("%s", memory.told);
	assert_int_equal(conf_plan(conf, &plan), OK);
	for (uint32_t i = 0; i < plan.head.process_cnt; i++)
		if (plan.processes[i].role == ROLE_MAILDIR)
			assert_int_equal(slice_open(&env.block,
			    plan.slices[i]), OK);
	env.hostname = SPAN("us.example");
	assert_int_equal(relay_type_maildir.open(&relay, &env), OK);
	return relay;
}

/* Of a text of five pieces: what became of its one recipient. */
static const struct outcome *
deliver(void *relay, unsigned have, struct delivery **out)
{
	static const struct delivery_calls calls = {
		.pull = give_piece, .finished = finished, .back = back,
	};
	const struct msg_delivery_open m = {
		.rcpt_cnt = 1, .body_len = 5 * PIECE_MAX,
		.sender = SPAN("s@a.example"),
	};

	pieces_have = have;
	*out = delivery_new(&m, &calls, NULL);
	assert_non_null(*out);
	assert_int_equal(delivery_add_rcpt(*out, 0, SPAN("u@b.example")), OK);
	timer_init(&later, loop, give_up, *out);
	relay_type_maildir.take(relay, *out);
	assert_int_equal(ev_run(loop), OK);
	timer_stop(&later);
	return (*out)->rcpts[0].outcome;
}

static void
a_text_that_breaks_off_is_never_renamed(void **state)
{
	static char text[6 * PIECE_MAX];
	struct place *p = *state;
	const struct outcome *o;
	struct delivery *d;
	void *relay;

	assert_int_equal(ev_open(&loop), OK);
	relay = open_relay(p->dir);
	for (unsigned have = 0; have < 5; have++) {
		o = deliver(relay, have, &d);
		assert_non_null(o);
		assert_int_equal(o->verdict.class, CLASS_LATER);
		assert_int_equal(o->verdict.scope, SCOPE_OURS);
		delivery_free(&d);
		if (have == 0)
			continue;	/* no file was begun */
		assert_int_equal(files_in(p, "u/new", text, sizeof(text)), 0);
		assert_int_equal(files_in(p, "u/tmp", text, sizeof(text)), 0);
	}
	o = deliver(relay, 5, &d);
	assert_int_equal(o->verdict.class, CLASS_DONE);
	delivery_free(&d);
	assert_int_equal(files_in(p, "u/new", text, sizeof(text)), 1);
	assert_true(strlen(text) > 5 * PIECE_MAX);
}

/* What systemd does to a unit with RestrictSUIDSGID=yes. */
static int
hide_openat2(void **state)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int bad = ctx == NULL || seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
	    SCMP_SYS(openat2), 0) != 0 || seccomp_load(ctx) != 0;

	seccomp_release(ctx);
	return bad || syscall(SYS_openat2, AT_FDCWD, ".", NULL, 0) != -1 ||
	    errno != ENOSYS;
}

static void
a_way_of_many_slashes_is_the_same_way(void **state)
{
	struct place *p = *state;
	struct maildir_file f;
	char text[64];

	assert_int_equal(maildir_file_create(&f, p->root_fd, "a//b/./c/",
	    SPAN("h"), NULL), OK);
	assert_int_equal(maildir_file_commit(&f), OK);
	assert_int_equal(files_in(p, "a/b/c/new", text, sizeof(text)), 1);
	assert_int_equal(maildir_file_create(&f, p->root_fd, "a/../b",
	    SPAN("h"), NULL), ERR_SYS);
	assert_int_equal(maildir_file_create(&f, p->root_fd, "/tmp",
	    SPAN("h"), NULL), ERR_SYS);
	assert_int_equal(errno, EXDEV);
}

int
main(void)
{
	const struct CMUnitTest by_parts[] = {
		cmocka_unit_test_setup_teardown(
		    a_message_stands_in_new_with_lf_and_its_envelope,
		    make_place, remove_place),
		cmocka_unit_test_setup_teardown(
		    a_symbolic_link_is_never_followed, make_place,
		    remove_place),
		cmocka_unit_test_setup_teardown(
		    a_way_of_many_slashes_is_the_same_way, make_place,
		    remove_place),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recipient_has_his_place),
		cmocka_unit_test(details_and_case_lead_to_the_same_place),
		cmocka_unit_test(no_recipient_leads_out_of_his_place),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(a_detail_is_a_folder_or_none),
		cmocka_unit_test_setup_teardown(
		    a_quota_is_kept_in_maildirsize, make_place,
		    remove_place),
		cmocka_unit_test_setup_teardown(
		    a_size_that_cannot_be_believed_is_counted_anew, make_place,
		    remove_place),
		cmocka_unit_test_setup_teardown(
		    without_a_quota_of_ours_the_files_own_counts, make_place,
		    remove_place),
		cmocka_unit_test_setup_teardown(
		    all_folders_count_and_a_folder_is_found_or_made, make_place,
		    remove_place),
		cmocka_unit_test(
		    a_name_longer_than_the_file_system_takes_is_refused),
		cmocka_unit_test_setup_teardown(
		    a_message_stands_in_new_with_lf_and_its_envelope,
		    make_place, remove_place),
		cmocka_unit_test_setup_teardown(
		    an_aborted_message_leaves_nothing, make_place,
		    remove_place),
		cmocka_unit_test_setup_teardown(
		    a_symbolic_link_is_never_followed, make_place,
		    remove_place),
		cmocka_unit_test_setup_teardown(
		    a_way_of_many_slashes_is_the_same_way, make_place,
		    remove_place),
		cmocka_unit_test_setup_teardown(
		    old_leftovers_are_swept_and_young_ones_stay, make_place,
		    remove_place),
		cmocka_unit_test_setup_teardown(
		    a_text_that_breaks_off_is_never_renamed, make_place,
		    remove_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) |
	    cmocka_run_group_tests_name("without openat2", by_parts,
	    hide_openat2, NULL);
}
