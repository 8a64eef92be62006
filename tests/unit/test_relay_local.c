/*
 * What type local writes into mailboxes, under which locks, and as whom: the
 * file by itself, where it is, who a name is, and the courier that does it all.
 *
 * room: relay
 * also: root
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dice.h"
#include "relay/local/box.h"
#include "relay/local/forward.h"
#include "relay/local/task.h"
#include "relay/local/who.h"
#include "relay/pipe/pipe_run.h"

#define COURIER_UID	61234	/* nobody's				*/
#define PATIENCE_MS	20000

static char	 dir[64];	/* where mailboxes are, of everybody	*/
static int	 dir_fd = -1;
static int64_t	 waited_ms;
static bool	 is_over;	/* what wait_a_bit() says		*/
static struct mbox mbox;
static struct mbox_place place;

static bool
wait_a_bit(int ms)
{
	waited_ms += ms;
	usleep(1000);
	return !is_over;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	return remove(path);
}

static int
make_dir(void **state)
{
	(void)strlcpy(dir, "/dev/shm/test_local.XXXXXX", sizeof(dir));
	if (mkdtemp(dir) == NULL || chmod(dir, 01777) == -1)
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place = (struct mbox_place){ dir_fd, "ann", geteuid(), 50,
	    wait_a_bit };
	waited_ms = 0;
	is_over = false;
	return dir_fd == -1 ? -1 : 0;
}

static int
remove_dir(void **state)
{
	close(dir_fd);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static char *
path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static char *
content(const char *name)
{
	static char buf[1 << 16];
	int fd = open(path_of(name), O_RDONLY);
	ssize_t len;

	assert_true(fd != -1);
	len = read(fd, buf, sizeof(buf) - 1);
	assert_true(len >= 0);
	close(fd);
	buf[len] = '\0';
	return buf;
}

static void
put_file(const char *name, const char *text)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* The text of a mailbox behind what the envelope put before it. */
static char *
behind(char *all, const char *mark)
{
	char *at = strstr(all, mark);

	assert_non_null(at);
	return at + strlen(mark);
}

static void
deliver(const char *text)
{
	assert_int_equal(mbox_open(&mbox, &place), OK);
	assert_int_equal(mbox_envelope(&mbox, SPAN("a@b.example"),
	    SPAN("ann@c.example")), OK);
	assert_int_equal(mbox_text(&mbox, span_of(text)), OK);
	assert_int_equal(mbox_commit(&mbox), OK);
}

/* The file. */

static void
a_message_has_its_envelope_and_ends_with_an_empty_line(void **state)
{
	struct stat st;
	struct tm tm;
	char *at, *end;

	deliver("Subject: x\n\nhello\n");
	assert_true(strncmp(content("ann"), "From a@b.example ", 17) == 0);
	at = content("ann") + 17;
	end = strptime(at, "%a %b %d %H:%M:%S %Y", &tm);
	assert_non_null(end);
	assert_string_equal(end, "\nReturn-Path: <a@b.example>\n"
	    "Delivered-To: ann@c.example\nSubject: x\n\nhello\n\n");
	assert_int_equal(stat(path_of("ann"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(access(path_of("ann.lock"), F_OK), -1);
}

static void
nobodys_mail_is_from_the_daemon(void **state)
{
	assert_int_equal(mbox_open(&mbox, &place), OK);
	assert_int_equal(mbox_envelope(&mbox, SPAN(""), SPAN("ann")), OK);
	assert_int_equal(mbox_commit(&mbox), OK);
	assert_true(strncmp(content("ann"), "From MAILER-DAEMON ", 19) == 0);
	assert_non_null(strstr(content("ann"), "\nReturn-Path: <>\n"));
}

/* A quoted local part may hold what would end the word, or the line. */
static void
a_sender_stays_one_word_of_one_line(void **state)
{
	assert_int_equal(mbox_open(&mbox, &place), OK);
	assert_int_equal(mbox_envelope(&mbox, SPAN("\"a b\nFrom c\"@d"),
	    SPAN("ann")), OK);
	assert_int_equal(mbox_commit(&mbox), OK);
	assert_true(strncmp(content("ann"), "From \"a_b?From_c\"@d ", 20) ==
	    0);
	assert_non_null(strstr(content("ann"),
	    "\nReturn-Path: <\"a b?From c\"@d>\n"));
}

static void
only_lines_that_look_like_a_first_one_are_changed(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "From here\n", ">From here\n\n" },
		{ "x\nFrom here\n", "x\n>From here\n\n" },
		{ ">From here\n", ">From here\n\n" },
		{ "from here\nFrom: x\nxFrom y\n From z\n",
		    "from here\nFrom: x\nxFrom y\n From z\n\n" },
		{ "Fro\nFrom\nFrom \n", "Fro\nFrom\n>From \n\n" },
		{ "no end", "no end\n\n" },
		{ "From", "From\n\n" },
		{ "F", "F\n\n" },
		{ "x\nFrom ", "x\n>From \n\n" },
		{ "", "\n" },
		{ "\n", "\n\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)unlink(path_of("ann"));
		deliver(cases[i].text);
		assert_string_equal(behind(content("ann"),
		    "ann@c.example\n"), cases[i].want);
	}
}

/* However the text is cut into pieces. */
static void
pieces_make_no_difference(void **state)
{
	static const char letters[] = "From \n>x";
	char text[400], whole[1 << 10];
	size_t len = sizeof(text) - 1;

	dice_begin();
	for (unsigned round = 0; round < 25; round++) {
		for (size_t i = 0; i < len; i++)
			text[i] = random() % 3 != 0 ?
			    letters[i % 6] : letters[random() % 8];
		text[len] = '\0';
		(void)unlink(path_of("ann"));
		deliver(text);
		(void)strlcpy(whole, behind(content("ann"),
		    "ann@c.example\n"), sizeof(whole));
		(void)unlink(path_of("ann"));
		assert_int_equal(mbox_open(&mbox, &place), OK);
		assert_int_equal(mbox_envelope(&mbox, SPAN("a@b"),
		    SPAN("ann@c.example")), OK);
		for (size_t at = 0, part; at < len; at += part) {
			part = (size_t)random() % 7 + 1;
			if (part > len - at)
				part = len - at;
			assert_int_equal(mbox_text(&mbox, (struct span){
			    text + at, part }), OK);
		}
		assert_int_equal(mbox_commit(&mbox), OK);
		assert_string_equal(behind(content("ann"),
		    "ann@c.example\n"), whole);
	}
}

static void
what_was_left_unfinished_is_ended_first(void **state)
{
	static const struct {
		const char *before, *want;
	} cases[] = {
		{ "x\n\n", "x\n\nFrom " }, { "x\n", "x\n\nFrom " },
		{ "x", "x\n\nFrom " }, { "", "From " }, { "\n", "\nFrom " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_file("ann", cases[i].before);
		deliver("y\n");
		assert_true(strncmp(content("ann"), cases[i].want,
		    strlen(cases[i].want)) == 0);
	}
}

static void
what_does_not_become_whole_is_gone(void **state)
{
	static char big[200000];

	memset(big, 'x', sizeof(big));
	put_file("ann", "before\n\n");
	assert_int_equal(mbox_open(&mbox, &place), OK);
	assert_int_equal(mbox_envelope(&mbox, SPAN("a@b"), SPAN("c@d")), OK);
	assert_int_equal(mbox_text(&mbox, (struct span){ big, sizeof(big) }),
	    OK);
	assert_true(strlen(content("ann")) > 8);	/* some was written */
	errno = EDQUOT;
	mbox_abort(&mbox);
	assert_int_equal(errno, EDQUOT);
	assert_string_equal(content("ann"), "before\n\n");
	assert_int_equal(access(path_of("ann.lock"), F_OK), -1);
}

/* A disk that is full shows itself at a write. */
static void
a_write_that_fails_leaves_what_was_there(void **state)
{
	static char big[200000];
	struct rlimit was, now;
	enum err e;

	memset(big, 'x', sizeof(big));
	put_file("ann", "before\n\n");
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	now = was;
	now.rlim_cur = 100000;
	assert_int_equal(mbox_open(&mbox, &place), OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	e = mbox_text(&mbox, (struct span){ big, sizeof(big) });
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(e, ERR_SYS);
	assert_int_equal(errno, EFBIG);
	mbox_abort(&mbox);
	assert_string_equal(content("ann"), "before\n\n");
}

static void
a_file_that_is_not_his_own_is_left_alone(void **state)
{
	char other[256];

	put_file("other", "other\n\n");
	(void)strlcpy(other, path_of("other"), sizeof(other));
	assert_int_equal(symlink(other, path_of("ann")), 0);
	assert_int_equal(mbox_open(&mbox, &place), ERR_SYS);
	assert_int_equal(errno, ELOOP);
	(void)unlink(path_of("ann"));
	assert_int_equal(link(other, path_of("ann")), 0);
	assert_int_equal(mbox_open(&mbox, &place), ERR_SYS);
	assert_int_equal(errno, EPERM);
	(void)unlink(path_of("ann"));
	assert_int_equal(mkfifo(path_of("ann"), 0600), 0);
	assert_int_equal(mbox_open(&mbox, &place), ERR_SYS);
	(void)unlink(path_of("ann"));
	put_file("ann", "");
	place.owner = geteuid() + 1;
	assert_int_equal(mbox_open(&mbox, &place), ERR_SYS);
	assert_int_equal(errno, EPERM);
	assert_string_equal(content("other"), "other\n\n");
	assert_int_equal(access(path_of("ann.lock"), F_OK), -1);
}

/* The locks. */

/* Somebody else has the file locked until *hold is closed. */
static pid_t
lock_from_afar(int *hold)
{
	struct flock lk = { .l_type = F_WRLCK };
	int fd = open(path_of("ann"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int told[2], held[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(told) | pipe(held), 0);
	if ((pid = fork()) == 0) {
		close(held[1]);
		_exit(fcntl(fd, F_SETLK, &lk) == 0 &&
		    write(told[1], "x", 1) == 1 &&
		    read(held[0], &c, 1) == 0 ? 0 : 1);
	}
	close(fd);
	close(held[0]);
	close(told[1]);
	assert_int_equal(read(told[0], &c, 1), 1);
	close(told[0]);
	*hold = held[1];
	return pid;
}

static void
who_has_it_locked_is_waited_for(void **state)
{
	int hold, status;
	pid_t pid = lock_from_afar(&hold);

	assert_int_equal(mbox_open(&mbox, &place), ERR_AGAIN);
	assert_true(waited_ms > 0);
	assert_int_equal(access(path_of("ann.lock"), F_OK), -1);
	is_over = true;
	assert_int_equal(mbox_open(&mbox, &place), ERR_CLOSED);
	close(hold);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	deliver("x\n");
}

static void
a_dot_lock_is_waited_for_and_left_to_its_owner(void **state)
{
	put_file("ann.lock", "1\n");
	assert_int_equal(mbox_open(&mbox, &place), ERR_AGAIN);
	assert_string_equal(content("ann.lock"), "1\n");
	assert_string_equal(content("ann"), "");
	(void)unlink(path_of("ann.lock"));
	deliver("x\n");
}

static void
a_dot_lock_that_nobody_touches_is_nobodys(void **state)
{
	struct timespec old[2] = {
		{ .tv_sec = time(NULL) - MBOX_LOCK_STALE_MS / 1000 - 2 },
	};

	old[1] = old[0];
	put_file("ann.lock", "1\n");
	assert_int_equal(utimensat(dir_fd, "ann.lock", old, 0), 0);
	place.patience_ms = PATIENCE_MS;
	deliver("x\n");
	assert_int_equal(access(path_of("ann.lock"), F_OK), -1);
}

/* Both are there while it is written. */
static void
others_find_it_locked_in_both_ways(void **state)
{
	struct flock lk = { .l_type = F_WRLCK };
	int status;
	pid_t pid;

	assert_int_equal(mbox_open(&mbox, &place), OK);
	assert_int_equal(atoi(content("ann.lock")), getpid());
	if ((pid = fork()) == 0) {
		int fd = open(path_of("ann"), O_RDWR);

		_exit(fcntl(fd, F_SETLK, &lk) == -1 && (errno == EAGAIN ||
		    errno == EACCES) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	mbox_abort(&mbox);
}

/* Where it is. */

static void
a_path_leads_to_the_users_own(void **state)
{
	static const struct who ann = { .name = "ann", .home = "/home/ann" };
	static struct box b;
	static const struct {
		const char *path, *root, *rest;
		bool is_maildir, wants_group;
	} cases[] = {
		{ "/var/mail/{user}", "/var/mail/", "ann", false, true },
		{ "/srv/{user}/box", "/srv/", "ann/box", false, true },
		{ "/srv/{user}/", "/srv/", "ann", true, false },
		{ "/srv/x{user}y/z/", "/srv/", "xanny/z", true, false },
		{ "~/Maildir/", "/home/ann", "Maildir", true, false },
		{ "~/mail/{user}", "/home/ann", "mail/ann", false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(box_name(&b, span_of(cases[i].path), SPAN("h"),
		    &ann));
		assert_string_equal(b.root, cases[i].root);
		assert_string_equal(b.path, cases[i].rest);
		assert_int_equal(b.is_maildir, cases[i].is_maildir);
		assert_int_equal(b.wants_group, cases[i].wants_group);
	}
}

/* A home that is not there, or none at all, is no place. */
static void
without_a_home_there_is_no_place(void **state)
{
	static const struct who homeless = { .name = "ann", .home = "" };
	static const struct who lost = { .name = "ann", .home = "/no/where" };
	static struct box b;

	assert_false(box_name(&b, SPAN("~/Maildir/"), SPAN("h"), &homeless));
	assert_true(box_name(&b, SPAN("~/Maildir/"), SPAN("h"), &lost));
	assert_false(box_reach(&b));
	assert_int_equal(errno, ENOENT);
}

static void
what_cannot_be_a_users_name_is_not_asked_about(void **state)
{
	static const char *const good[] = {
		"ann", "a.b", "ann+x", "_apt", "a@b", "Ann", "\303\244",
	};
	static const char *const bad[] = {
		"", ".", "..", ".ann", "-ann", "a/b", "/", "a b", "a:b",
		"a\nb", "a\177",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(who_is_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(who_is_name(bad[i]));
}

/* Killed while he writes, with some of it in the file. */

static void
kill_while_writing(size_t more)
{
	static char big[200000];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		memset(big, 'x', sizeof(big));
		if (mbox_open(&mbox, &place) != OK ||
		    mbox_envelope(&mbox, SPAN("a@b"), SPAN("c@d")) != OK ||
		    mbox_text(&mbox, (struct span){ big, more }) != OK)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* The next one cuts it off, without waiting for the lock to grow old. */
static void
what_was_killed_half_way_is_gone_with_the_next(void **state)
{
	static const size_t lens[] = { 10, 70000, 200000 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		static char before[1 << 16];
		const char *after;

		deliver("whole\n");
		(void)strlcpy(before, content("ann"), sizeof(before));
		kill_while_writing(lens[i]);
		assert_int_equal(access(path_of("ann.lock"), F_OK), 0);
		deliver("next\n");
		after = content("ann");
		assert_memory_equal(after, before, strlen(before));
		assert_string_equal(behind(strstr(after + strlen(before),
		    "From "), "Delivered-To: ann@c.example\n"), "next\n\n");
		assert_int_equal(access(path_of("ann.lock"), F_OK), -1);
	}
}

static void
append(const char *text)
{
	int fd = open(path_of("ann"), O_WRONLY | O_APPEND);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Somebody who sees no dot locks was there meanwhile: nothing of his is cut. */
static void
what_others_wrote_behind_a_half_stays(void **state)
{
	struct stat st;
	char *all;

	kill_while_writing(70000);
	append("\nFrom eve@x Thu Jan  1 00:00:00 1970\n\nhers\n\n");
	deliver("next\n");
	assert_int_equal(stat(path_of("ann"), &st), 0);
	assert_true(st.st_size > 65536);
	assert_int_equal(access(path_of("ann.lock"), F_OK), -1);

	assert_int_equal(truncate(path_of("ann"), 0), 0);
	kill_while_writing(70000);
	assert_int_equal(truncate(path_of("ann"), 0), 0);
	append("From eve@x Thu Jan  1 00:00:00 1970\n\nhers\n\n");
	deliver("next\n");
	all = content("ann");
	assert_true(strncmp(all, "From eve@x ", 11) == 0);
	assert_non_null(strstr(all, "\nhers\n\nFrom a@b.example "));
}

/* Of whom nothing is known he may be alive. */
static void
a_dot_lock_that_says_less_is_for_later(void **state)
{
	static const char *const bad[] = {
		"1\n", "", "1\nh 2 3\n", "1\nh 2 3 4\nFrom",
		"1\nh 2 -3 0\n", "1\nh 99999999999999999999999 0 0\n",
	};

	deliver("whole\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_file("ann.lock", bad[i]);
		assert_int_equal(mbox_open(&mbox, &place), ERR_AGAIN);
		assert_string_equal(content("ann.lock"), bad[i]);
	}
}

/* What stands in .forward. */

static void
words_of_a_forward_file_are_names(void **state)
{
	static const struct {
		const char *text, *want;
		bool odd;
	} cases[] = {
		{ "a@b.example\n", "a@b.example\n", false },
		{ "a@b, c@d\ne@f", "a@b\nc@d\ne@f\n", false },
		{ "\\ann, a@b\n", "\\ann\na@b\n", false },
		{ "# to work\n\n  a@b  \n#\n", "a@b\n", false },
		{ "\"a,b\"@c\n", "\"a,b\"@c\n", false },
		{ ",, ,\n", "", false },
		{ "", "", false },
		{ "|/usr/bin/vacation\n", "\\ann\n", true },
		{ "\"|vacation ann, bob\"\na@b", "a@b\n\\ann\n", true },
		{ "/home/ann/mail", "\\ann\n", true },
		{ "~/mail", "\\ann\n", true },
		{ ":include:/etc/passwd", "\\ann\n", true },
		{ "a@b, a b@c, c@d", "a@b\nc@d\n\\ann\n", true },
		{ "a@b@c", "\\ann\n", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[FORWARD_OUT_MAX + 1];
		bool odd;
		size_t len = forward_words(span_of(cases[i].text), "ann", out,
		    &odd);

		out[len] = '\0';
		assert_string_equal(out, cases[i].want);
		assert_int_equal(odd, cases[i].odd);
	}
}

/* The longest file there may be, of the most and the shortest words. */
static void
a_full_forward_file_fits(void **state)
{
	char text[FORWARD_FILE_MAX], out[FORWARD_OUT_MAX];
	bool odd;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? '|' : ',';
	assert_true(forward_words((struct span){ text, sizeof(text) }, "ann",
	    out, &odd) <= sizeof(out));
	for (size_t i = 0; i < sizeof(text); i += 2)
		text[i] = 'a';
	assert_int_equal(forward_words((struct span){ text, sizeof(text) },
	    "ann", out, &odd), FORWARD_FILE_MAX);
}

/* What counts of it: its length, or 0 and why not. */
static size_t
forwards(const struct who *who, bool is_odd)
{
	char out[FORWARD_OUT_MAX];
	const char *why;
	size_t len;

	assert_int_equal(forward_read(who, out, &len, &why), OK);
	assert_int_equal(why != NULL, is_odd);
	return len;
}

/* His own, a plain file, and nobody else may write to it, nor to his home. */
static void
a_forward_file_is_the_users_own(void **state)
{
	struct who who = { .uid = geteuid(), .name = "ann" };
	static char big[FORWARD_FILE_MAX + 2];
	char name[256];

	(void)strlcpy(who.home, dir, sizeof(who.home));
	(void)strlcpy(name, path_of(".forward"), sizeof(name));
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(forwards(&who, false), 0);
	put_file(".forward", "a@b.example\n");
	assert_int_equal(forwards(&who, false), 12);
	assert_int_equal(chmod(name, 0622), 0);
	assert_int_equal(forwards(&who, true), 0);
	assert_int_equal(chmod(name, 0644), 0);
	assert_int_equal(chmod(dir, 0775), 0);
	assert_int_equal(forwards(&who, true), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(forwards(&who, true), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(forwards(&who, false), 12);
	if (geteuid() == 0) {
		assert_int_equal(chown(name, 1, 1), 0);
		assert_int_equal(forwards(&who, true), 0);
		who.uid = 1;		/* and in root's home */
		assert_int_equal(forwards(&who, false), 12);
		assert_int_equal(chown(dir, 2, 2), 0);
		assert_int_equal(forwards(&who, true), 0);
		assert_int_equal(chown(dir, 0, 0), 0);
		who.uid = 0;
	}
	memset(big, 'a', sizeof(big) - 1);
	assert_int_equal(unlink(name), 0);
	put_file(".forward", big);
	assert_int_equal(forwards(&who, true), 0);
	(void)strlcpy(who.home, "/no/where", sizeof(who.home));
	assert_int_equal(forwards(&who, false), 0);
}

/* Nothing of this is waited for, nor gone to. */
static void
what_is_no_file_is_no_forward_file(void **state)
{
	struct who who = { .uid = geteuid(), .name = "ann" };
	char name[256];

	(void)strlcpy(name, path_of(".forward"), sizeof(name));
	(void)strlcpy(who.home, dir, sizeof(who.home));
	assert_int_equal(mkfifo(name, 0600), 0);
	assert_int_equal(forwards(&who, true), 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(mkdir(name, 0700), 0);
	assert_int_equal(forwards(&who, true), 0);
	assert_int_equal(rmdir(name), 0);
	put_file("real", "a@b.example\n");
	assert_int_equal(symlink("real", name), 0);
	assert_int_equal(forwards(&who, true), 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(symlink(".forward", name), 0);
	assert_int_equal(forwards(&who, true), 0);
	assert_int_equal(unlink(name), 0);
}

/* The courier. */

struct world {
	struct ev_loop	*loop;
	struct launcher	*launcher;
	struct timer	 patience;
	struct pipe_run	 run;
	struct delivery	*delivery;
	uint64_t	 last_no;
	unsigned	 gone_cnt, end_cnt;
	enum pipe_end	 end;
	int		 status;
};

static struct world world;
static const char *text;	/* of the message; PIECE_MAX a piece */
static size_t	 text_len;
static uint32_t	 withheld = UINT32_MAX;	/* pieces from this one on */
static char	 path[128];
static struct task_rules rules;
static uint32_t	 minimum_uid = 1;

static void
give_piece(struct delivery *d, enum part part, uint32_t no)
{
	size_t at = (size_t)no * PIECE_MAX, len = text_len - at;

	if (no < withheld)
		assert_int_equal(delivery_add_piece(d, part, no, PIECE_NEXT,
		    (struct span){ text + at,
		    len < PIECE_MAX ? len : PIECE_MAX }), OK);
}

static void
finished(struct delivery *d)
{
}

static const struct delivery_calls delivery_calls = {
	.pull = give_piece, .finished = finished,
};

static void
ended(struct pipe_run *r, enum pipe_end end, int status, void *arg)
{
	world.end_cnt++;
	world.end = end;
	world.status = status;
	ev_stop(world.loop);
}

static void
task_ended(uint64_t no, int status, void *arg)
{
	if (world.run.is_busy && no == world.run.no)
		pipe_run_died(&world.run, status);
}

static void
launcher_gone(void *arg)
{
	world.gone_cnt++;
	ev_stop(world.loop);
}

static void
out_of_patience(struct timer *t, void *arg)
{
	fail_msg("nothing happened");
}

static void
start(const char *template, int64_t timeout_ms)
{
	static const struct launcher_calls calls = {
		task_ended, launcher_gone,
	};
	const struct sandbox box = {
		.role = ROLE_COURIER, .uid = COURIER_UID, .gid = COURIER_UID,
		.root = "/", .wish = SANDBOX_PREFER,
	};

	memset(&world, 0, sizeof(world));
	(void)strlcpy(path, template, sizeof(path));
	rules = (struct task_rules){ span_of(path), SPAN("h.example"),
	    minimum_uid, timeout_ms, false };
	task_init(&rules);
	assert_int_equal(ev_open(&world.loop), OK);
	timer_init(&world.patience, world.loop, out_of_patience, NULL);
	timer_set(&world.patience, PATIENCE_MS * 3);
	assert_int_equal(launcher_start_task(&world.launcher, &task_deliver,
	    &box), OK);
	assert_int_equal(launcher_open(world.launcher, world.loop, &calls,
	    NULL), OK);
	pipe_run_init(&world.run, world.loop, world.launcher, false, ended,
	    NULL);
}

static int
stop(void **state)
{
	if (world.loop != NULL) {
		timer_stop(&world.patience);
		delivery_free(&world.delivery);
		launcher_close(&world.launcher);
		ev_close(&world.loop);
		world.loop = NULL;
	}
	withheld = UINT32_MAX;
	minimum_uid = 1;
	return remove_dir(state);
}

static void
begin(const char *what, size_t len, const char *user)
{
	const struct msg_delivery_open open = {
		.attempt = 1, .rcpt_cnt = 1, .body_len = len,
		.sender = SPAN("a@b.example"),
	};
	const char *const words[] = { "a@b.example", "x@c.example", user };
	static struct pipe_args args;

	text = what;
	text_len = len;
	delivery_free(&world.delivery);
	world.delivery = delivery_new(&open, &delivery_calls, NULL);
	assert_non_null(world.delivery);
	delivery_prefetch(world.delivery);
	memset(&args, 0, sizeof(args));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_int_equal(pipe_args_add_value(&args,
		    span_of(words[i])), OK);
	world.end_cnt = 0;
	assert_int_equal(pipe_run_begin(&world.run, ++world.last_no,
	    world.delivery, &args, PATIENCE_MS), OK);
}

static enum task_end
await_end(void)
{
	while (world.end_cnt == 0 && world.gone_cnt == 0)
		assert_int_equal(ev_run(world.loop), OK);
	assert_int_equal(world.end_cnt, 1);
	assert_true(WIFEXITED(world.status));
	return (enum task_end)WEXITSTATUS(world.status);
}

static enum task_end
run(const char *what, const char *user)
{
	begin(what, strlen(what), user);
	return await_end();
}

/* Somebody whom the courier can become here: as root not root. */
static const struct passwd *
somebody(void)
{
	const struct passwd *pw = getpwuid(geteuid() == 0 ? 1 : geteuid());

	assert_non_null(pw);
	return pw;
}

static void
in_dir(char *out, size_t cap, const char *end)
{
	snprintf(out, cap, "%s/%s", dir, end);
}

static void
the_courier_writes_as_the_user(void **state)
{
	char template[128], name[64];
	struct stat st;

	(void)strlcpy(name, somebody()->pw_name, sizeof(name));
	in_dir(template, sizeof(template), "{user}");
	start(template, PATIENCE_MS);
	assert_int_equal(run("Subject: x\r\n\r\nFrom me\r\n", name),
	    TASK_DONE);
	assert_string_equal(behind(content(name), "To: x@c.example\n"),
	    "Subject: x\n\n>From me\n\n");
	assert_int_equal(stat(path_of(name), &st), 0);
	assert_int_equal(st.st_uid, somebody()->pw_uid);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
a_maildir_is_the_users_too(void **state)
{
	char template[128], name[64], new[128];
	struct stat st;

	(void)strlcpy(name, somebody()->pw_name, sizeof(name));
	in_dir(template, sizeof(template), "{user}/");
	start(template, PATIENCE_MS);
	assert_int_equal(run("x\r\n", name), TASK_DONE);
	assert_true(world.run.out.len > 0);
	snprintf(new, sizeof(new), "%s/new/%.*s", name,
	    (int)world.run.out.len, world.run.out.bytes);
	assert_string_equal(content(new), "Return-Path: <a@b.example>\n"
	    "Delivered-To: x@c.example\nx\n");
	assert_int_equal(stat(path_of(new), &st), 0);
	assert_int_equal(st.st_uid, somebody()->pw_uid);
}

static void
nobody_is_no_user_and_root_has_no_mailbox(void **state)
{
	char template[128];

	in_dir(template, sizeof(template), "{user}");
	start(template, PATIENCE_MS);
	assert_int_equal(run("x\r\n", "nobody-of-that-name"), TASK_NO_USER);
	assert_int_equal(run("x\r\n", "../root"), TASK_NO_USER);
	if (geteuid() == 0)
		assert_int_equal(run("x\r\n", "root"), TASK_ROOT);
	assert_int_equal(access(path_of("root"), F_OK), -1);
}

/* Whoever decodes frames has no say in it: the courier has its own copy. */
static void
users_below_the_minimum_are_none(void **state)
{
	char template[128], name[64];

	(void)strlcpy(name, somebody()->pw_name, sizeof(name));
	in_dir(template, sizeof(template), "{user}");
	minimum_uid = somebody()->pw_uid + 1;
	start(template, PATIENCE_MS);
	assert_int_equal(run("x\r\n", name), TASK_NO_USER);
	rules.minimum_uid = 1;
	task_init(&rules);
	assert_int_equal(run("x\r\n", name), TASK_NO_USER);
	assert_int_equal(access(path_of(name), F_OK), -1);
}

static void
a_locked_mailbox_is_for_later(void **state)
{
	char template[128], name[64], lock[80];

	(void)strlcpy(name, somebody()->pw_name, sizeof(name));
	snprintf(lock, sizeof(lock), "%s.lock", name);
	put_file(lock, "1\n");
	in_dir(template, sizeof(template), "{user}");
	start(template, 4000);
	assert_int_equal(run("x\r\n", name), TASK_LOCKED);
	assert_string_equal(content(lock), "1\n");
}

/* The youngest: those before it are of other tests, and over. */
static pid_t
courier_pid(void)
{
	char name[64];
	long pid = 0, next;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/self/task/%d/children",
	    (int)getpid());
	assert_non_null(f = fopen(name, "r"));
	while (fscanf(f, "%ld", &next) == 1)
		pid = next;
	fclose(f);
	assert_true(pid > 1);
	return (pid_t)pid;
}

/* Is this its size, and nobody's lock on it?  Or will it be soon. */
static void
await_size(const char *name, off_t want, bool is_more)
{
	struct stat st;

	for (unsigned i = 0; i < PATIENCE_MS; i++) {
		if (stat(path_of(name), &st) == 0 && (is_more ?
		    st.st_size > want : st.st_size == want))
			return;
		usleep(1000);
	}
	fail_msg("%s is not of the size that was waited for", name);
}

static void
tick(struct timer *t, void *arg)
{
	ev_stop(world.loop);
}

static void
turn(void)
{
	struct timer t;

	timer_init(&t, world.loop, tick, NULL);
	timer_set(&t, 10);
	assert_int_equal(ev_run(world.loop), OK);
	timer_stop(&t);
}

/* Half of it is in the mailbox when all who write are gone. */
static void
half_a_text_never_looks_whole(void **state)
{
	static char big[3 << 20];
	char template[128], name[64], lock[80];
	struct stat st = { 0 };
	pid_t courier;

	memset(big, 'x', sizeof(big));
	(void)strlcpy(name, somebody()->pw_name, sizeof(name));
	snprintf(lock, sizeof(lock), "%s.lock", name);
	in_dir(template, sizeof(template), "{user}");
	start(template, PATIENCE_MS);
	assert_int_equal(run("x\r\n", name), TASK_DONE);
	assert_int_equal(stat(path_of(name), &st), 0);
	courier = courier_pid();
	withheld = 40;
	begin(big, sizeof(big), name);
	for (unsigned i = 0; i < 2000; i++) {
		struct stat now;

		turn();
		if (stat(path_of(name), &now) == 0 &&
		    now.st_size > st.st_size)
			break;
	}
	await_size(name, st.st_size, true);
	assert_int_equal(kill(courier, SIGKILL), 0);
	while (world.gone_cnt == 0)
		assert_int_equal(ev_run(world.loop), OK);
	/* It lets go of the text. */
	pipe_run_died(&world.run, LAUNCHER_NOT_RUN);
	await_size(name, st.st_size, false);
	for (unsigned i = 0; i < PATIENCE_MS &&
	    access(path_of(lock), F_OK) == 0; i++)
		usleep(1000);
	assert_int_equal(access(path_of(lock), F_OK), -1);
}

/* The relay tells it to end while it waits for text under the locks. */
static void
what_is_told_to_end_undoes_it(void **state)
{
	static char big[3 << 20];
	char template[128], name[64];

	memset(big, 'x', sizeof(big));
	(void)strlcpy(name, somebody()->pw_name, sizeof(name));
	in_dir(template, sizeof(template), "{user}");
	start(template, PATIENCE_MS);
	withheld = 40;
	begin(big, sizeof(big), name);
	for (unsigned i = 0; i < 2000; i++) {
		struct stat st;

		turn();
		if (stat(path_of(name), &st) == 0 && st.st_size > 0)
			break;
	}
	await_size(name, 0, true);
	launcher_kill(world.launcher, world.last_no);
	assert_int_equal(await_end(), TASK_NO_TEXT);
	await_size(name, 0, false);
}

#define FILE_TEST(name)							\
	cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
#define TEST(name)							\
	cmocka_unit_test_setup_teardown(name, make_dir, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(
		    a_message_has_its_envelope_and_ends_with_an_empty_line),
		FILE_TEST(nobodys_mail_is_from_the_daemon),
		FILE_TEST(a_sender_stays_one_word_of_one_line),
		FILE_TEST(only_lines_that_look_like_a_first_one_are_changed),
		FILE_TEST(pieces_make_no_difference),
		FILE_TEST(what_was_left_unfinished_is_ended_first),
		FILE_TEST(what_does_not_become_whole_is_gone),
		FILE_TEST(a_write_that_fails_leaves_what_was_there),
		FILE_TEST(a_file_that_is_not_his_own_is_left_alone),
		FILE_TEST(who_has_it_locked_is_waited_for),
		FILE_TEST(a_dot_lock_is_waited_for_and_left_to_its_owner),
		FILE_TEST(a_dot_lock_that_nobody_touches_is_nobodys),
		FILE_TEST(others_find_it_locked_in_both_ways),
		cmocka_unit_test(a_path_leads_to_the_users_own),
		cmocka_unit_test(without_a_home_there_is_no_place),
		cmocka_unit_test(
		    what_cannot_be_a_users_name_is_not_asked_about),
		FILE_TEST(what_was_killed_half_way_is_gone_with_the_next),
		FILE_TEST(what_others_wrote_behind_a_half_stays),
		FILE_TEST(a_dot_lock_that_says_less_is_for_later),
		cmocka_unit_test(words_of_a_forward_file_are_names),
		cmocka_unit_test(a_full_forward_file_fits),
		FILE_TEST(a_forward_file_is_the_users_own),
		FILE_TEST(what_is_no_file_is_no_forward_file),
		TEST(the_courier_writes_as_the_user),
		TEST(a_maildir_is_the_users_too),
		TEST(nobody_is_no_user_and_root_has_no_mailbox),
		TEST(users_below_the_minimum_are_none),
		TEST(a_locked_mailbox_is_for_later),
		TEST(half_a_text_never_looks_whole),
		TEST(what_is_told_to_end_undoes_it),
	};

	(void)signal(SIGPIPE, SIG_IGN);	/* as boot.c does for the relay	*/
	(void)alarm(110);	/* what waits for a death may wait for good */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
