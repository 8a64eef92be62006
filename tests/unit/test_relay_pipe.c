/*
 * What a program is started with, what its end means, and how it is run: the
 * launcher, the text on its way in, and the words on their way out.
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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/pipe/pipe_args.h"
#include "relay/pipe/pipe_run.h"
#include "relay/pipe/pipe_verdict.h"

static const struct pipe_facts facts = {
	.sender = { "a@b.example", 11 }, .recipient = { "c@d.example", 11 },
	.message_id = { "<1@x>", 5 }, .client_ip = { "192.0.2.1", 9 },
	.client_host = { "", 0 }, .client_ehlo = { "client", 6 },
	.client_protocol = { "ESMTPSA", 7 }, .client_auth = { "ann", 3 },
};

static void
want_word(const char *word, const struct pipe_facts *f, const char *want)
{
	static struct pipe_args out;
	enum err e;

	memset(&out, 0, sizeof(out));
	e = pipe_args_add(&out, span_of(word), f);
	assert_int_equal(e, want == NULL ? ERR_PEER : OK);
	if (want != NULL) {
		assert_int_equal(out.cnt, 1);
		assert_string_equal(out.bytes, want);
		assert_int_equal(out.len, strlen(want) + 1);
	}
}

static void
macros_are_filled_in_wherever_they_stand(void **state)
{
	want_word("plain", &facts, "plain");
	want_word("", &facts, "");
	want_word("{sender}", &facts, "a@b.example");
	want_word("-f{sender}", &facts, "-fa@b.example");
	want_word("{recipient}:{recipient}", &facts,
	    "c@d.example:c@d.example");
	want_word("{message_id} {client_ip} {client_host} {client_ehlo} "
	    "{client_protocol} {client_auth}", &facts,
	    "<1@x> 192.0.2.1  client ESMTPSA ann");
	want_word("{nothing} {sender {}", &facts, "{nothing} {sender {}");
}

static void
a_value_is_never_read_again(void **state)
{
	struct pipe_facts f = facts;

	f.sender = SPAN("{recipient}@x; rm -rf $(HOME) `id` | \\");
	want_word("{sender}", &f, "{recipient}@x; rm -rf $(HOME) `id` | \\");
}

/* `program {recipient}' must not become `program -froot'. */
static void
no_value_becomes_an_option(void **state)
{
	struct pipe_facts f = facts;

	f.recipient = SPAN("-froot@x.example");
	want_word("{recipient}", &f, NULL);
	want_word("{client_host}{recipient}", &f, NULL);
	want_word("-d{recipient}", &f, "-d-froot@x.example");
	want_word("<{recipient}>", &f, "<-froot@x.example>");
}

static void
controls_and_nul_are_refused(void **state)
{
	static const char *const bad[] = { "a\nb", "a\x1b[2Jb", "\x7f", "\t" };
	struct pipe_facts f = facts;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f.sender = span_of(bad[i]);
		want_word("x{sender}", &f, NULL);
	}
	f.sender = SPAN("a\0b");
	want_word("x{sender}", &f, NULL);
}

static void
words_have_their_bounds(void **state)
{
	static struct pipe_args out;
	static char longest[PIPE_ARGS_BYTES];
	struct span word = { longest, sizeof(longest) - 1 };

	memset(longest, 'x', sizeof(longest));
	assert_int_equal(pipe_args_add(&out, word, &facts), OK);
	memset(&out, 0, sizeof(out));
	word.len++;
	assert_int_equal(pipe_args_add(&out, word, &facts), ERR_FULL);
	memset(&out, 0, sizeof(out));
	for (unsigned i = 0; i < PROGRAM_ARGS_MAX; i++)
		assert_int_equal(pipe_args_add(&out, SPAN("x"), &facts), OK);
	assert_int_equal(pipe_args_add(&out, SPAN("x"), &facts), ERR_FULL);
}

/* So that maildrop, which runs once for all, runs for each. */
static void
a_word_is_for_one_where_a_recipient_would_be_filled_in(void **state)
{
	static const struct { const char *word; bool is_for_one; } rows[] = {
		{ "{recipient}", true }, { "--to={recipient}!", true },
		{ "{{recipient}}", true }, { "{sender}{recipient}", true },
		{ "{recipient", false }, { "recipient", false },
		{ "{Recipient}", false }, { "{sender}", false }, { "", false },
	};
	struct pipe_facts f = facts;

	f.recipient = SPAN("@here@");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pipe_args *out = calloc(1, sizeof(*out));

		assert_non_null(out);
		assert_int_equal(pipe_args_is_for_one(span_of(rows[i].word)),
		    rows[i].is_for_one);
		assert_int_equal(pipe_args_add(out, span_of(rows[i].word), &f),
		    OK);
		assert_int_equal(strstr(out->bytes, "@here@") != NULL,
		    rows[i].is_for_one);
		free(out);
	}
}

static void
the_message_id_is_found_in_any_spelling(void **state)
{
	static const struct { const char *header, *want; } rows[] = {
		{ "Message-ID: <a@b>\r\n\r\n", "<a@b>" },
		{ "From: x\r\nMESSAGE-id:<a@b>  \r\nTo: y\r\n", "<a@b>" },
		{ "Message-Id:\r\n <folded@x>\r\n", "<folded@x>" },
		{ "X-Message-ID: <no@x>\r\nMessage-ID: <1@x>\n"
		  "Message-ID: <2@x>\n", "<1@x>" },
		{ "Subject: message-id: <no@x>\r\n", "" },
		{ "Message-ID:", "" }, { "Message-ID:\r\nTo: x\r\n", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span got = pipe_args_message_id(
		    span_of(rows[i].header));

		assert_true(span_eq(got, span_of(rows[i].want)));
	}
}

#define EXIT(n)	((n) << 8)

static struct pipe_judge judge;

static void
want_verdict(int status, const char *out, const char *err,
    enum outcome_class class, unsigned code, const char *text)
{
	struct verdict_text room;
	struct verdict v = pipe_verdict(&judge, status, span_of(out),
	    span_of(err), &room);

	assert_int_equal(v.class, class);
	assert_int_equal(v.code, code);
	if (!span_eq(v.text, span_of(text)))
		fail_msg("\"%.*s\" in place of \"%s\"", (int)v.text.len,
		    v.text.ptr, text);
}

static void
an_end_is_judged_by_status_and_words(void **state)
{
	want_verdict(EXIT(0), "5.1.1 no", "", CLASS_DONE, 250,
	    "2.0.0 Delivered");
	want_verdict(EXIT(1), "", "", CLASS_LATER, 450,
	    "Delivery failed: exit status 1");
	want_verdict(EXIT(75), "busy\n", "", CLASS_LATER, 450, "4.3.0 busy");
	want_verdict(EXIT(75), " 5.2.2 full \n", "x", CLASS_NEVER, 550,
	    "5.2.2 full");
	want_verdict(EXIT(1), "\r\n \n", "5.1.1 no such user\nat all\n",
	    CLASS_NEVER, 550, "5.1.1 no such user at all");
	want_verdict(EXIT(67), "4.2.0 later", "", CLASS_LATER, 450,
	    "4.2.0 later");
	want_verdict(EXIT(1), "5.1 no", "", CLASS_LATER, 450, "5.1 no");
	want_verdict(EXIT(1), "5.1.1no", "", CLASS_LATER, 450, "5.1.1no");
	want_verdict(EXIT(1), "5.1234.1 no", "", CLASS_LATER, 450,
	    "5.1234.1 no");
	want_verdict(SIGSEGV, "", "", CLASS_LATER, 450,
	    "Delivery failed: the program died of signal 11");
	want_verdict(EXIT(1), "a\x1b[1m\tb", "", CLASS_LATER, 450,
	    "a?[1m b");
}

/* sysexits(3), as Postfix has them; words with a code come before. */
static void
an_exit_status_means_what_sysexits_say(void **state)
{
	static const struct { int status; bool waits; const char *text; }
	rows[] = {
		{ 64, false, "5.3.0 " }, { 65, false, "5.6.0 " },
		{ 66, false, "5.3.0 " }, { 67, false, "5.1.1 User unknown" },
		{ 68, false, "5.1.2 " }, { 69, false, "5.3.0 " },
		{ 70, false, "5.3.0 " }, { 71, true, "4.3.0 " },
		{ 72, false, "5.3.0 " }, { 73, false, "5.2.0 " },
		{ 74, false, "5.3.0 " }, { 75, true, "4.3.0 " },
		{ 76, false, "5.5.0 " }, { 77, false, "5.7.0 " },
		{ 78, false, "5.3.5 " },
		{ 63, true, "Delivery failed" },
		{ 79, true, "Delivery failed" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verdict_text room;
		struct verdict v = pipe_verdict(&judge, EXIT(rows[i].status),
		    SPAN(""), SPAN(""), &room);

		assert_int_equal(v.class, rows[i].waits ? CLASS_LATER :
		    CLASS_NEVER);
		assert_true(span_begins(v.text, span_of(rows[i].text)));
	}
	want_verdict(EXIT(67), "bob is away for good\n", "", CLASS_NEVER, 550,
	    "5.1.1 bob is away for good");
	want_verdict(EXIT(71), "5.2.1 closed", "", CLASS_NEVER, 550,
	    "5.2.1 closed");
	want_verdict(EXIT(77), "", "4.7.1 not yet", CLASS_LATER, 450,
	    "4.7.1 not yet");
}

static void
judge_by(const char *pattern)
{
	regex_close(&judge.pattern);
	if (pattern != NULL)
		assert_int_equal(regex_open(&judge.pattern, span_of(pattern)),
		    OK);
}

/* Row 002-18. */
static void
a_pattern_finds_the_words_on_either_stream(void **state)
{
	judge_by("^error: (.*)$");
	want_verdict(EXIT(1), "trying\nerror: box is gone\nbye\n", "",
	    CLASS_LATER, 450, "box is gone");
	want_verdict(EXIT(1), "trying\n", "x\nerror: 5.1.1 nobody\n",
	    CLASS_NEVER, 550, "5.1.1 nobody");
	want_verdict(EXIT(1), "error: one\n", "error: two\n", CLASS_LATER,
	    450, "one");
	want_verdict(EXIT(67), "error: no ann\n", "", CLASS_NEVER, 550,
	    "5.1.1 no ann");
	/* Where it matches nothing, or nothing but blanks, all words count. */
	want_verdict(EXIT(1), "", "5.7.1 mishap\n", CLASS_NEVER, 550,
	    "5.7.1 mishap");
	want_verdict(EXIT(1), "error:  \n", "y", CLASS_LATER, 450, "error:");
	judge_by("[45]\\.\\d+\\.\\d+ .*");
	want_verdict(EXIT(1), "", "mda[7]: 5.2.1 closed\nmda[7]: end\n",
	    CLASS_NEVER, 550, "5.2.1 closed");
	judge_by("E(1)|fatal: (\\w+ ?)+");
	want_verdict(EXIT(1), "", "fatal: on fire", CLASS_LATER, 450, "fire");
	judge_by("\\w+: (?<words>[^(]*)\\(");
	want_verdict(EXIT(0), "error: is this one? (no)", "", CLASS_DONE, 250,
	    "2.0.0 Delivered");
	want_verdict(EXIT(9), "a: b\n c (d)", "", CLASS_LATER, 450, "b c");
	judge_by(NULL);
}

/* Rows 000-27, 002-19 and 002-20; the words of maildrop are not its name. */
static void
the_status_alone_decides_for_an_agent(void **state)
{
	judge = (struct pipe_judge){ .by_status = true, .name = "maildrop" };
	want_verdict(EXIT(0), "", "5.1.1 no", CLASS_DONE, 250,
	    "2.0.0 Delivered");
	want_verdict(EXIT(75), "", "maildrop: Unable to open mailbox.\n",
	    CLASS_LATER, 450, "4.3.0 Unable to open mailbox.");
	want_verdict(EXIT(77), "", "/usr/bin/maildrop: over quota\n",
	    CLASS_NEVER, 550, "5.7.0 over quota");
	want_verdict(EXIT(67), "x\ny\n", "z\nmaildrop: a\nmaildrop: b\n",
	    CLASS_NEVER, 550, "5.1.1 a b");
	want_verdict(EXIT(1), "no maildrop: here", "", CLASS_NEVER, 550,
	    "5.0.0 no maildrop: here");
	want_verdict(EXIT(1), "xmaildrop: here", "", CLASS_NEVER, 550,
	    "5.0.0 xmaildrop: here");
	want_verdict(EXIT(1), "maildrop:", "", CLASS_NEVER, 550,
	    "5.0.0 maildrop:");
	/* Words do not turn it, nor does a status that pipe waits after. */
	want_verdict(EXIT(75), "5.2.2 full", "", CLASS_LATER, 450,
	    "4.3.0 5.2.2 full");
	want_verdict(EXIT(2), "4.2.0 later", "", CLASS_NEVER, 550,
	    "5.0.0 4.2.0 later");
	want_verdict(EXIT(65), "maildrop: 5.2.1 closed", "", CLASS_NEVER, 550,
	    "5.2.1 closed");
	want_verdict(EXIT(71), "", "", CLASS_NEVER, 550,
	    "5.3.0 System resource problem");
	want_verdict(EXIT(3), "", "", CLASS_NEVER, 550,
	    "5.0.0 Delivery failed: exit status 3");
	/* What is not the program's own end is no verdict of it. */
	want_verdict(SIGKILL, "", "", CLASS_LATER, 450,
	    "4.0.0 Delivery failed: the program died of signal 9");
	want_verdict(LAUNCHER_NO_EXEC, "", "cannot be run: Exec format error\n",
	    CLASS_LATER, 450, "4.0.0 cannot be run: Exec format error");
	want_verdict(EXIT(126), "", "sh: x: Permission denied\n", CLASS_NEVER,
	    550, "5.0.0 sh: x: Permission denied");
	judge_by("quota .*");
	want_verdict(EXIT(77), "", "maildrop: x quota of 1K\n", CLASS_NEVER,
	    550, "5.7.0 quota of 1K");
	judge_by(NULL);
	judge = (struct pipe_judge){ .by_status = false };
}

/* Behind an option that takes it, a value is never one itself. */
static void
a_value_is_a_word_of_its_own(void **state)
{
	static struct pipe_args out;

	assert_int_equal(pipe_args_add_value(&out, SPAN("-f")), OK);
	assert_int_equal(pipe_args_add_value(&out, SPAN("")), OK);
	assert_int_equal(pipe_args_add_value(&out, SPAN("-d@x {sender}")), OK);
	assert_int_equal(pipe_args_add_value(&out, SPAN("a\nb")), ERR_PEER);
	assert_int_equal(pipe_args_add_value(&out, SPAN("a\0b")), ERR_PEER);
	assert_int_equal(out.cnt, 3);
	assert_memory_equal(out.bytes, "-f\0\0-d@x {sender}", 18);
	assert_int_equal(out.len, 18);
}

/* Another's words may be chosen to take long; the program's own count then. */
static void
a_pattern_costs_no_more_than_it_may(void **state)
{
	static const char *const patterns[] = {
		"(a+)+$[XY]", "(.*)*[XY]", "(?:(a|b)*)*[cd]", "(a(?R)?)+[XY]",
		"(?s).*.*.*.*[XY]", "(?s)(.*)(.*)(.*)\\1\\2\\3[XY]",
		"(?s)(?:(?!.*[XY]).)*[XY]", "(\\w+\\s*)+[:;]",
	};
	static char words[PIPE_OUTPUT_MAX + 1];
	static char cut[REPLY_TEXT_MAX + 1] = "4.3.0 ";
	struct span found;

	memset(cut + 6, 'a', REPLY_TEXT_MAX - 6);
	memset(words, 'a', PIPE_OUTPUT_MAX);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		judge_by(patterns[i]);
		assert_int_equal(regex_find(judge.pattern, span_of(words),
		    &found), ERR_FULL);
	}
	want_verdict(EXIT(75), words, "5.1.1 no", CLASS_LATER, 450, cut);
	judge_by(NULL);
}

/* Running. */

#define PATIENCE_MS	20000

struct world {
	struct ev_loop	*loop;
	struct launcher	*launcher;
	struct timer	 patience;
	struct pipe_run	 run;
	struct delivery	*delivery;
	uint64_t	 last_no;
	bool		 is_gone;
	unsigned	 pull_cnt;

	unsigned	 end_cnt;
	enum pipe_end	 end;
	int		 status;
};

static struct world world;
static const char *text;	/* of the message; PIECE_MAX a piece */
static size_t text_len;
static bool withholds;		/* all pieces but the first */

static void
give_piece(struct delivery *d, enum part part, uint32_t no)
{
	size_t at = (size_t)no * PIECE_MAX, len = text_len - at;

	world.pull_cnt++;
	assert_int_equal(part, PART_BODY);
	if (withholds && no > 0)
		return;
	assert_int_equal(delivery_add_piece(d, part, no, PIECE_NEXT,
	    (struct span){ text + at, len < PIECE_MAX ? len : PIECE_MAX }),
	    OK);
}

static void
finished(struct delivery *d)
{
}

static void
back(struct delivery *d, enum back why)
{
	fail_msg("a delivery came back: %d", (int)why);
}

static const struct delivery_calls delivery_calls = {
	.pull = give_piece, .finished = finished, .back = back,
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
program_ended(uint64_t no, int status, void *arg)
{
	if (world.run.is_busy && no == world.run.no)
		pipe_run_died(&world.run, status);
}

static void
launcher_gone(void *arg)
{
	world.is_gone = true;
	ev_stop(world.loop);
}

static const struct launcher_calls launcher_calls = {
	program_ended, launcher_gone,
};

static void
out_of_patience(struct timer *t, void *arg)
{
	fail_msg("nothing happened");
}

/* Somebody who is not root, where we are root. */
static void
start_launcher(const char *program, const struct launcher_calls *calls)
{
	const struct sandbox box = {
		.role = ROLE_LAUNCHER, .uid = 65534, .gid = 65534,
		.root = "/", .wish = SANDBOX_PREFER,
	};

	assert_int_equal(launcher_start(&world.launcher, program, &box), OK);
	assert_int_equal(launcher_open(world.launcher, world.loop, calls,
	    NULL), OK);
}

static void
start(const char *program)
{
	memset(&world, 0, sizeof(world));
	assert_int_equal(ev_open(&world.loop), OK);
	timer_init(&world.patience, world.loop, out_of_patience, NULL);
	timer_set(&world.patience, PATIENCE_MS);
	start_launcher(program, &launcher_calls);
	pipe_run_init(&world.run, world.loop, world.launcher, false, ended,
	    NULL);
}

static int
stop(void **state)
{
	if (world.loop == NULL)
		return 0;
	timer_stop(&world.patience);
	delivery_free(&world.delivery);
	launcher_close(&world.launcher);
	ev_close(&world.loop);
	world.loop = NULL;
	withholds = false;
	return 0;
}

static void
begin(const char *what, size_t len, int64_t timeout_ms,
    const char *const *words)
{
	const struct msg_delivery_open open = {
		.attempt = 1, .rcpt_cnt = 1, .body_len = len,
		.sender = SPAN("a@b.example"),
	};
	static struct pipe_args args;

	text = what;
	text_len = len;
	delivery_free(&world.delivery);
	world.delivery = delivery_new(&open, &delivery_calls, NULL);
	assert_non_null(world.delivery);
	delivery_prefetch(world.delivery);
	memset(&args, 0, sizeof(args));
	for (; *words != NULL; words++)
		assert_int_equal(pipe_args_add(&args, span_of(*words),
		    &facts), OK);
	world.end_cnt = 0;
	assert_int_equal(pipe_run_begin(&world.run, ++world.last_no,
	    world.delivery, &args, timeout_ms), OK);
}

static void
await_end(void)
{
	while (world.end_cnt == 0 && !world.is_gone)
		assert_int_equal(ev_run(world.loop), OK);
	assert_int_equal(world.end_cnt, 1);
}

static void
tick(struct timer *t, void *arg)
{
	ev_stop(world.loop);
}

/* Let the loop run for a moment. */
static void
turn(void)
{
	struct timer t;

	timer_init(&t, world.loop, tick, NULL);
	timer_set(&t, 10);
	assert_int_equal(ev_run(world.loop), OK);
	timer_stop(&t);
}

static void
sh(const char *script, const char *what)
{
	const char *const words[] = { "sh", "-c", script, NULL };

	begin(what, strlen(what), PATIENCE_MS, words);
	await_end();
}

static void
want_out(const char *want)
{
	struct span got = { world.run.out.bytes, world.run.out.len };

	if (!span_eq(got, span_of(want)))
		fail_msg("\"%.*s\" in place of \"%s\"; error \"%.*s\"",
		    (int)got.len, got.ptr, want, (int)world.run.err.len,
		    world.run.err.bytes);
}

static void
the_text_comes_in_with_lf_and_the_words_come_out(void **state)
{
	start("/bin/sh");
	sh("cat; echo oops >&2; exit 3", "A: b\r\n\r\nx\ry\r\r\nz\r\n\r");
	assert_int_equal(world.end, PIPE_ENDED);
	assert_int_equal(world.status, EXIT(3));
	want_out("A: b\n\nx\ry\r\nz\n\r");
	assert_int_equal(world.run.err.len, 5);
}

static void
crlf_is_kept_where_it_is_wanted(void **state)
{
	start("/bin/sh");
	world.run.keeps_crlf = true;
	sh("cat", "A: b\r\n\r\nx\ry\r");
	want_out("A: b\r\n\r\nx\ry\r");
}

/* A large text through a slow reader, CRs at the ends of pieces included. */
static void
send_large(size_t line_len)
{
	static char large[5 * PIECE_MAX + 7];
	static const char *const words[] = {
		"sh", "-c", "sleep 0.05; md5sum; ", NULL,
	};
	char want[64] = "";
	FILE *f;
	size_t lines = 0;
	char path[] = "/tmp/pipetextXXXXXX", command[64];
	int fd = mkstemp(path);

	assert_true(fd != -1);
	f = fdopen(fd, "w");
	for (size_t i = 0; i < sizeof(large); i++) {
		large[i] = (char)('a' + i % 23);
		if (i % line_len == line_len - 2)
			large[i] = '\r';
		if (i % line_len == line_len - 1)
			large[i] = '\n';
	}
	for (unsigned i = 1; i <= 5; i++)	/* at each border */
		memcpy(large + i * PIECE_MAX - 1, "\r\n", 2);
	for (size_t i = 0; i < sizeof(large); i++)
		if (large[i] != '\r' || i + 1 == sizeof(large) ||
		    large[i + 1] != '\n')
			fputc(large[i], f);
		else
			lines++;
	fclose(f);
	assert_true(lines > 60);
	snprintf(command, sizeof(command), "md5sum < %s", path);
	f = popen(command, "r");
	assert_non_null(fgets(want, sizeof(want), f));
	pclose(f);
	(void)unlink(path);

	start("/bin/sh");
	begin(large, sizeof(large), PATIENCE_MS, words);
	await_end();
	want_out(want);
	assert_int_equal(world.pull_cnt, 6);
	(void)stop(NULL);
}

static void
a_large_text_arrives_whole(void **state)
{
	send_large(51);
}

/* So long that a pipe takes part of what it is offered, and part of a line. */
static void
long_lines_arrive_whole(void **state)
{
	send_large(500);
	send_large(1000);
	send_large(5001);
}

static void
a_program_need_not_read(void **state)
{
	static char large[3 * PIECE_MAX];

	memset(large, 'x', sizeof(large) - 1);
	start("/bin/sh");
	sh("exit 0", large);
	assert_int_equal(world.end, PIPE_ENDED);
	assert_int_equal(world.status, 0);
	sh("exec <&-; exit 7", large);
	assert_int_equal(world.status, EXIT(7));
}

/* However far it gets with its pipes, none is left open. */
static void
without_descriptors_nothing_begins_and_none_is_lost(void **state)
{
	const struct msg_delivery_open open = {
		.attempt = 1, .rcpt_cnt = 1, .body_len = 0,
		.sender = SPAN("a@b.example"),
	};
	static struct pipe_args args;
	struct rlimit was, few;
	unsigned refused = 0;
	int first, now;

	start("/bin/sh");
	sh("exit 0", "x");
	memset(&args, 0, sizeof(args));
	assert_int_equal(pipe_args_add(&args, SPAN("sh"), &facts), OK);
	delivery_free(&world.delivery);
	world.delivery = delivery_new(&open, &delivery_calls, NULL);
	first = dup(0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	for (few = was, few.rlim_cur = (rlim_t)first; refused < 6;
	    few.rlim_cur++, refused++) {
		close(first);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		assert_int_equal(pipe_run_begin(&world.run, ++world.last_no,
		    world.delivery, &args, PATIENCE_MS), ERR_SYS);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
		now = dup(0);
		assert_int_equal(now, first);
	}
	close(first);
	sh("exit 3", "x");
	assert_int_equal(world.status, EXIT(3));
}

#define MANY	200		/* the most max_processes may be */

static struct pipe_run many[MANY];
static unsigned many_ended;

static void
one_of_many_ended(struct pipe_run *r, enum pipe_end end, int status, void *arg)
{
	assert_int_equal(end, PIPE_ENDED);
	assert_int_equal(status, 0);
	if (++many_ended == MANY)
		ev_stop(world.loop);
}

static void
one_of_many_died(uint64_t no, int status, void *arg)
{
	assert_true(many[no].is_busy);
	pipe_run_died(&many[no], status);
}

/*
 * Each with as much to say to it as there may be.  All wait for one lock, so
 * that none ends before the last has begun, however long that takes.
 */
static void
two_hundred_run_at_once(void **state)
{
	static const struct launcher_calls calls = {
		one_of_many_died, launcher_gone,
	};
	const struct msg_delivery_open open = {
		.attempt = 1, .rcpt_cnt = 1, .body_len = 1,
		.sender = SPAN("a@b.example"),
	};
	static struct delivery *deliveries[MANY];
	static char long_word[PIPE_ARGS_BYTES - 100];
	static struct pipe_args args;
	char path[] = "/tmp/postern-many-XXXXXX";
	int lock = mkostemp(path, O_CLOEXEC);
	enum err e;

	assert_int_not_equal(lock, -1);
	assert_int_equal(fchmod(lock, 0644), 0);
	assert_int_equal(flock(lock, LOCK_EX), 0);

	memset(long_word, 'x', sizeof(long_word) - 1);
	assert_int_equal(pipe_args_add(&args, SPAN("sh"), &facts), OK);
	assert_int_equal(pipe_args_add(&args, SPAN("-c"), &facts), OK);
	assert_int_equal(pipe_args_add(&args, SPAN("exec flock -s \"$1\" true"),
	    &facts), OK);
	assert_int_equal(pipe_args_add(&args, SPAN("sh"), &facts), OK);
	assert_int_equal(pipe_args_add(&args, span_of(path), &facts), OK);
	assert_int_equal(pipe_args_add(&args, span_of(long_word), &facts), OK);
	text = "x";
	text_len = 1;
	start("/bin/sh");
	timer_set(&world.patience, 5 * PATIENCE_MS);
	launcher_close(&world.launcher);
	start_launcher("/bin/sh", &calls);
	for (unsigned i = 0; i < MANY; i++) {
		deliveries[i] = delivery_new(&open, &delivery_calls, NULL);
		assert_non_null(deliveries[i]);
		delivery_prefetch(deliveries[i]);
		pipe_run_init(&many[i], world.loop, world.launcher, false,
		    one_of_many_ended, NULL);
		while ((e = pipe_run_begin(&many[i], i, deliveries[i], &args,
		    5 * PATIENCE_MS)) == ERR_FULL)
			turn();
		assert_int_equal(e, OK);
	}
	assert_int_equal(many_ended, 0);
	close(lock);
	assert_int_equal(ev_run(world.loop), OK);
	assert_int_equal(many_ended, MANY);
	for (unsigned i = 0; i < MANY; i++)
		delivery_free(&deliveries[i]);
	assert_int_equal(unlink(path), 0);
}

static void
words_are_bounded(void **state)
{
	start("/bin/sh");
	sh("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2", "");
	assert_int_equal(world.status, 0);
	assert_int_equal(world.run.out.len, PIPE_OUTPUT_MAX);
	assert_int_equal(world.run.err.len, PIPE_OUTPUT_MAX);
}

static bool
is_running(pid_t pid)
{
	return kill(pid, 0) == 0;
}

/* The number the program wrote first, of a child of its own. */
static pid_t
told_pid(void)
{
	char number[32] = "";

	assert_true(world.run.out.len < sizeof(number));
	memcpy(number, world.run.out.bytes, world.run.out.len);
	return (pid_t)strtol(number, NULL, 10);
}

static void
time_kills_the_whole_group(void **state)
{
	static const char *const words[] = {
		"sh", "-c", "sleep 600 & echo $!; wait", NULL,
	};

	start("/bin/sh");
	begin("x", 1, 300, words);
	await_end();
	assert_int_equal(world.end, PIPE_TIMED_OUT);
	assert_true(told_pid() > 1);
	while (is_running(told_pid()))	/* its death is on its way */
		usleep(1000);
}

/* Who is stopped in the middle must not take that for the end. */
static void
half_a_text_never_looks_whole(void **state)
{
	static const char *const words[] = {
		"sh", "-c", "cat >/dev/null; echo whole", NULL,
	};
	static char large[2 * PIECE_MAX];

	memset(large, 'x', sizeof(large));
	start("/bin/sh");
	withholds = true;
	for (unsigned i = 0; i < 20; i++) {
		begin(large, sizeof(large), i % 2 == 0 ? 60 : PATIENCE_MS,
		    words);
		for (unsigned k = 0; k < 3; k++)
			turn();		/* it reads what there is */
		if (i % 2 == 1)
			delivery_orphan(world.delivery);
		await_end();
		assert_int_equal(world.end, i % 2 == 0 ? PIPE_TIMED_OUT :
		    PIPE_TEXT_LOST);
		want_out("");
	}
}

/* The relay, until it is killed. */
__attribute__((noreturn))
static void
be_killed(const char *dir)
{
	static const char script[] = "cd \"$0\" && { sleep 600 & echo $! "
	    ">new; mv new child; cat >/dev/null; : >whole; }";
	const char *const words[] = { "sh", "-c", script, dir, NULL };
	static char large[2 * PIECE_MAX];

	memset(large, 'x', sizeof(large));
	withholds = true;
	start("/bin/sh");
	begin(large, sizeof(large), PATIENCE_MS, words);
	for (;;)
		turn();
}

static pid_t
await_number(const char *path)
{
	char number[32] = "";
	FILE *f;

	while ((f = fopen(path, "r")) == NULL)
		usleep(1000);
	assert_non_null(fgets(number, sizeof(number), f));
	fclose(f);
	return (pid_t)strtol(number, NULL, 10);
}

/* Nor does a relay's death, which its whole group shares. */
static void
a_killed_relay_ends_the_group_and_not_the_text(void **state)
{
	char dir[] = "/tmp/piperelayXXXXXX", child[64], whole[64];
	pid_t relay, grandchild;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0777), 0);
	snprintf(child, sizeof(child), "%s/child", dir);
	snprintf(whole, sizeof(whole), "%s/whole", dir);
	for (unsigned i = 0; i < 10; i++) {
		if ((relay = fork()) == 0)
			be_killed(dir);
		grandchild = await_number(child);
		usleep(20000);
		assert_int_equal(kill(relay, SIGKILL), 0);
		assert_int_equal(waitpid(relay, NULL, 0), relay);
		while (is_running(grandchild))
			usleep(1000);
		usleep(10000);
		assert_int_equal(access(whole, F_OK), -1);
		assert_int_equal(unlink(child), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

/* What a program leaves behind in its group ends with it. */
static void
an_ended_program_leaves_nobody_behind(void **state)
{
	start("/bin/sh");
	sh("sleep 600 >/dev/null 2>&1 </dev/null & echo $!", "x");
	assert_int_equal(world.status, 0);
	assert_true(told_pid() > 1);
	while (is_running(told_pid()))
		usleep(1000);
}

/* A child that keeps our pipes, out of reach of the group's end. */
static void
one_that_got_away_does_not_hold_us_up(void **state)
{
	start("/bin/sh");
	sh("setsid sleep 3 & exit 0", "x");
	assert_int_equal(world.end, PIPE_ENDED);
	assert_int_equal(world.status, 0);
}

static void
no_zombies_are_left(void **state)
{
	FILE *f;
	char line[256];

	start("/bin/sh");
	for (unsigned i = 0; i < 5; i++)
		sh("(true &) ; exit 0", "x");
	/* The launcher, a child of ours, has collected each before it told. */
	snprintf(line, sizeof(line), "p=$(pgrep -P %d -x postern-launch) && "
	    "ps --ppid $p -o stat= | grep -c Z", (int)getpid());
	f = popen(line, "r");
	assert_non_null(fgets(line, sizeof(line), f));
	pclose(f);
	assert_string_equal(line, "0\n");
}

static void
the_relays_end_is_the_end_of_all(void **state)
{
	static const char *const words[] = {
		"sh", "-c", "echo $$; exec >&- 2>&-; sleep 600", NULL,
	};
	pid_t pid;

	start("/bin/sh");
	begin("x", 1, PATIENCE_MS, words);
	while (world.run.out.fd != -1)
		turn();
	pid = told_pid();
	assert_true(is_running(pid));
	launcher_close(&world.launcher);
	while (is_running(pid))
		usleep(1000);
}

static void
a_script_is_run_by_its_interpreter(void **state)
{
	char path[] = "/tmp/pipescriptXXXXXX";
	static const char *const words[] = { "s", "{sender}", NULL };
	int fd = mkstemp(path);

	assert_true(fd != -1);
	assert_true(write(fd, "#!/bin/sh\necho \"$1\"; cat\n", 25) == 25);
	assert_int_equal(fchmod(fd, 0755), 0);
	close(fd);
	start(path);
	(void)unlink(path);		/* it was opened at the start */
	begin("hello\r\n", 7, PATIENCE_MS, words);
	await_end();
	want_out("a@b.example\nhello\n");
}

static void
what_is_no_program_is_refused_at_the_start(void **state)
{
	const struct sandbox box = {
		.role = ROLE_LAUNCHER, .uid = 65534, .gid = 65534,
		.root = "/",
	};
	struct launcher *l = NULL;

	assert_int_equal(launcher_start(&l, "/nowhere/at/all", &box), ERR_SYS);
	assert_int_equal(launcher_start(&l, "/etc/passwd", &box), ERR_SYS);
	assert_int_equal(launcher_start(&l, "/etc", &box), ERR_SYS);
	assert_null(l);
}

/* Where we are root, it runs as the user of the box, and offline for all. */
static void
a_program_is_somebody_else_and_offline(void **state)
{
	start("/bin/sh");
	sh("id -u; id -G", "x");
	if (geteuid() == 0)
		want_out("65534\n65534\n");
	sh("grep -E 'NoNewPrivs' /proc/self/status | tr -d '\\t '", "x");
	want_out("NoNewPrivs:1\n");
	sh("ls /proc/self/fd | tr '\\n' ' '", "x");
	want_out("0 1 2 3 ");
	sh("echo \"$HOME\" >/dev/null; env | cut -d= -f1 | sort "
	    "| grep -vxE 'HOME|PATH|SHELL|USER|LOGNAME|PWD|OLDPWD|_|SHLVL'",
	    "x");
	want_out("");
}

#define TEST(name)	cmocka_unit_test_teardown(name, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macros_are_filled_in_wherever_they_stand),
		cmocka_unit_test(a_value_is_never_read_again),
		cmocka_unit_test(no_value_becomes_an_option),
		cmocka_unit_test(controls_and_nul_are_refused),
		cmocka_unit_test(words_have_their_bounds),
		cmocka_unit_test(
		    a_word_is_for_one_where_a_recipient_would_be_filled_in),
		cmocka_unit_test(the_message_id_is_found_in_any_spelling),
		cmocka_unit_test(an_end_is_judged_by_status_and_words),
		cmocka_unit_test(an_exit_status_means_what_sysexits_say),
		cmocka_unit_test(a_pattern_finds_the_words_on_either_stream),
		cmocka_unit_test(a_pattern_costs_no_more_than_it_may),
		cmocka_unit_test(the_status_alone_decides_for_an_agent),
		cmocka_unit_test(a_value_is_a_word_of_its_own),
		TEST(the_text_comes_in_with_lf_and_the_words_come_out),
		TEST(crlf_is_kept_where_it_is_wanted),
		TEST(a_large_text_arrives_whole),
		TEST(long_lines_arrive_whole),
		TEST(a_program_need_not_read),
		TEST(without_descriptors_nothing_begins_and_none_is_lost),
		TEST(two_hundred_run_at_once),
		TEST(words_are_bounded),
		TEST(time_kills_the_whole_group),
		TEST(half_a_text_never_looks_whole),
		TEST(a_killed_relay_ends_the_group_and_not_the_text),
		TEST(an_ended_program_leaves_nobody_behind),
		TEST(one_that_got_away_does_not_hold_us_up),
		TEST(no_zombies_are_left),
		TEST(the_relays_end_is_the_end_of_all),
		TEST(a_script_is_run_by_its_interpreter),
		TEST(what_is_no_program_is_refused_at_the_start),
		TEST(a_program_is_somebody_else_and_offline),
	};

	(void)alarm(120);	/* what waits for a death may wait for good */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
