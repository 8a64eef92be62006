/*
 * test_resolver_program - postern-resolver itself, whole and sealed, with the
 * test as its master and its relay.
 *
 * Run from the build directory that has the program: it is looked for beside
 * the directory of the tests.
 */
#include <sys/mman.h>

#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ask/resolve.h"
#include "bus/link.h"
#include "conf/conf.h"
#include "resolver_nsd.h"

#define NOBODY	65534		/* user and group, where we are root	*/

static char program[4096];
static struct nsd nsd;

struct world {
	struct ev_loop	*loop;
	struct link	*child;		/* we are its master		*/
	struct link	*relay;		/* ... and its relay		*/
	pid_t		 pid;
	char		 root[64];	/* its empty directory		*/
	struct conf	*conf;
	uint32_t	 generation;	/* it said it was ready for	*/
	unsigned	 pongs;
	unsigned	 lost;		/* links it complained about	*/
	uint8_t		 why;
	bool		 child_gone, relay_gone;
	unsigned	 cnt;		/* answers			*/
	struct msg_resolve_answer answer;
};

/* A slice from the configuration language, as master's child makes it. */

static char conf_text[1024];

static enum err
read_conf(void *arg, const char *path, size_t max, char **bytes, size_t *len)
{
	*len = strlen(conf_text);
	*bytes = strdup(conf_text);
	return *bytes != NULL ? OK : ERR_SYS;
}

static enum err
glob_nothing(void *arg, const char *pattern, conf_found_fn *found, void *farg)
{
	return OK;
}

static enum conf_kind
kind_none(void *arg, const char *path)
{
	return KIND_NONE;
}

static void
print_line(void *arg, const char *text)
{
	fprintf(stderr, "%s\n", text);
}

/* A memfd with the resolver's slice, whose zones are given. */
static int
make_slice(struct world *w, const char *zone)
{
	static const struct conf_opener opener = {
		.read = read_conf, .glob = glob_nothing, .kind = kind_none };
	static const struct conf_host host = {
		.fqdn = "mx.example.org", .cwd = "/tmp" };
	struct conf_report report = { .line = print_line };
	struct conf_plan plan;
	int fd = memfd_create("slice", MFD_CLOEXEC);

	snprintf(conf_text, sizeof(conf_text),
	    "process { run_dir run; resolver { stub %s %s } }\n"
	    "edge in { type smtp; queue main }\n"
	    "queue main { type lmdb; path q; relay out }\n"
	    "relay out { type static; host 127.0.0.1 }\n", zone, nsd.address);
	conf_free(&w->conf);
	assert_int_equal(conf_load(&w->conf, "/tmp/postern.conf", &opener,
	    &host, &report), OK);
	assert_int_equal(conf_plan(w->conf, &plan), OK);
	assert_int_equal(plan.processes[0].role, ROLE_RESOLVER);
	assert_true(fd != -1 && plan.slices[0].len > 0);
	assert_int_equal(write(fd, plan.slices[0].ptr, plan.slices[0].len),
	    plan.slices[0].len);
	return fd;
}

/* What comes back. */

static enum err
child_says(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct world *w = arg;

	if (type == MSG_work_ready)
		w->generation = m->work_ready.generation;
	if (type == MSG_process_pong)
		w->pongs++;
	if (type == MSG_link_lost) {
		w->lost++;
		w->why = m->link_lost.why;
	}
	ev_stop(w->loop);
	return OK;
}

static void
child_ended(struct link *l, enum err why, void *arg)
{
	struct world *w = arg;

	w->child_gone = true;
	link_close(&w->child);
	ev_stop(w->loop);
}

static enum err
relay_hears(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct world *w = arg;

	w->answer = m->resolve_answer;
	w->cnt++;
	ev_stop(w->loop);
	return OK;
}

static void
relay_dropped(struct link *l, enum err why, void *arg)
{
	struct world *w = arg;

	w->relay_gone = true;
	link_close(&w->relay);
	ev_stop(w->loop);
}

static void
too_late(struct timer *t, void *arg)
{
	fail_msg("nothing came in time");
}

static void
wait_something(struct world *w)
{
	struct timer t;

	timer_init(&t, w->loop, too_late, NULL);
	timer_set(&t, 20000);
	assert_int_equal(ev_run(w->loop), OK);
	timer_stop(&t);
}

/* Starting it as master does. */

static void
make_pair(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, ends), 0);
}

static void
spawn(struct world *w)
{
	static const struct link_peer child = { .role = ROLE_RESOLVER,
	    .block = "resolver", .no = 1, .workers = 1 };
	int ends[2];

	make_pair(ends);
	assert_true((w->pid = fork()) != -1);
	if (w->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		/* A leak check needs /proc, which the sandbox hides. */
		(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 0);
		if (ends[1] == 3)
			(void)fcntl(3, F_SETFD, 0);
		else if (dup2(ends[1], 3) == -1)
			_exit(126);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	assert_int_equal(link_open(&w->child, w->loop, ends[0], ROLE_MASTER,
	    &child, child_says, child_ended, w), OK);
}

static void
give_relay(struct world *w)
{
	static const struct link_peer resolver = { .role = ROLE_RESOLVER };
	int ends[2];

	make_pair(ends);
	w->relay_gone = false;
	assert_int_equal(link_open(&w->relay, w->loop, ends[0], ROLE_RELAY,
	    &resolver, relay_hears, relay_dropped, w), OK);
	assert_int_equal(link_send_peer_link(w->child,
	    &(struct msg_peer_link){ .role = ROLE_RELAY, .block = SPAN("out"),
	    .no = 5, .start = 1, .workers = 1 }, ends[1]), OK);
	close(ends[1]);
}

/* All said but boot_go. */
static int
prepare(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	bool is_root = getuid() == 0;
	int fd;

	nsd_start(&nsd);
	assert_non_null(w);
	*state = w;
	strlcpy(w->root, "/tmp/postern-empty-XXXXXX", sizeof(w->root));
	assert_non_null(mkdtemp(w->root));
	assert_int_equal(chmod(w->root, 0755), 0);
	assert_int_equal(ev_open(&w->loop), OK);
	spawn(w);
	fd = make_slice(w, "plain.example");
	assert_int_equal(link_send_boot_slice(w->child,
	    &(struct msg_boot_slice){ .role = ROLE_RESOLVER,
	    .block = SPAN("resolver"), .no = 1, .start = 1, .workers = 1,
	    .generation = 1, .uid = is_root ? NOBODY : getuid(),
	    .gid = is_root ? NOBODY : getgid(), .root = span_of(w->root),
	    .debug = 1 }, fd), OK);
	close(fd);
	give_relay(w);
	return 0;
}

static int
start(void **state)
{
	struct world *w;

	assert_int_equal(prepare(state), 0);
	w = *state;
	assert_int_equal(link_send_boot_go(w->child,
	    &(struct msg_boot_go){ 0 }), OK);
	while (w->generation == 0 && !w->child_gone)
		wait_something(w);
	assert_false(w->child_gone);
	return 0;
}

static int
stop(void **state)
{
	struct world *w = *state;

	link_close(&w->relay);
	link_close(&w->child);
	conf_free(&w->conf);
	ev_close(&w->loop);
	(void)rmdir(w->root);
	free(w);
	nsd_stop(&nsd);
	return 0;
}

static void
want_answer(struct world *w, const char *name, enum resolve_status status)
{
	unsigned before = w->cnt;

	assert_int_equal(link_send_resolve_ask(w->relay,
	    &(struct msg_resolve_ask){ 7, RESOLVE_A, span_of(name) }), OK);
	while (w->cnt == before && !w->child_gone && !w->relay_gone)
		wait_something(w);
	assert_int_equal(w->cnt, before + 1);
	assert_int_equal(w->answer.request, 7);
	assert_int_equal(w->answer.status, status);
}

static void
it_resolves_inside_the_sandbox(void **state)
{
	want_answer(*state, "mx.plain.example", RESOLVED);
	want_answer(*state, "none.plain.example", RESOLVED_NXDOMAIN);
	want_answer(*state, "localhost", RESOLVED);
}

static void
it_takes_a_new_slice_inside_the_sandbox(void **state)
{
	struct world *w = *state;
	int fd = make_slice(w, "signed.example");

	assert_int_equal(link_send_slice_new(w->child,
	    &(struct msg_slice_new){ 2 }, fd), OK);
	close(fd);
	while (w->generation != 2 && !w->child_gone)
		wait_something(w);
	want_answer(w, "mx.signed.example", RESOLVED);
	/* A stub without an anchor is believed, not validated. */
	assert_int_equal(w->answer.trust, TRUST_INSECURE);
}

static void
a_slice_that_is_none_changes_nothing(void **state)
{
	struct world *w = *state;
	unsigned pongs = w->pongs;
	int fd = memfd_create("slice", MFD_CLOEXEC);

	assert_int_equal(write(fd, "nonsense", 8), 8);
	assert_int_equal(link_send_slice_new(w->child,
	    &(struct msg_slice_new){ 3 }, fd), OK);
	close(fd);
	assert_int_equal(link_send_process_ping(w->child,
	    &(struct msg_process_ping){ 1 }), OK);
	while (w->pongs == pongs && !w->child_gone)
		wait_something(w);
	assert_int_equal(w->generation, 0);	/* refused: as before */
	want_answer(w, "ns.signed.example", RESOLVED);
}

static void
a_relay_that_talks_nonsense_is_dropped_alone(void **state)
{
	struct world *w = *state;

	assert_int_equal(link_send_resolve_ask(w->relay,
	    &(struct msg_resolve_ask){ 8, RESOLVE_A, SPAN("a b") }), OK);
	while ((w->lost == 0 || !w->relay_gone) && !w->child_gone)
		wait_something(w);
	assert_int_equal(w->lost, 1);
	assert_int_equal(w->why, ERR_PEER);
	give_relay(w);
	want_answer(w, "mx.signed.example", RESOLVED);
}

static void
it_ends_when_told(void **state)
{
	struct world *w = *state;
	int status;

	assert_int_equal(link_send_work_drain(w->child,
	    &(struct msg_work_drain){ 5000 }), OK);
	while (!w->child_gone)
		wait_something(w);
	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Both in one turn of its loop, as when master is told to end meanwhile. */
static void
it_ends_when_told_before_it_runs(void **state)
{
	struct world *w = *state;

	assert_int_equal(link_send_boot_go(w->child,
	    &(struct msg_boot_go){ 0 }), OK);
	it_ends_when_told(state);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_resolves_inside_the_sandbox),
		cmocka_unit_test(it_takes_a_new_slice_inside_the_sandbox),
		cmocka_unit_test(a_slice_that_is_none_changes_nothing),
		cmocka_unit_test(a_relay_that_talks_nonsense_is_dropped_alone),
		cmocka_unit_test(it_ends_when_told),
	};
	const struct CMUnitTest early[] = {
		cmocka_unit_test_setup_teardown(
		    it_ends_when_told_before_it_runs, prepare, stop),
	};
	char *self = strdup(argv[0]);
	int failed;

	if (self == NULL)
		return 1;
	snprintf(program, sizeof(program), "%s/../postern-resolver",
	    dirname(self));
	free(self);
	if (access(program, X_OK) == -1) {
		perror(program);
		return 1;
	}
	failed = cmocka_run_group_tests_name("resolver program", tests, start,
	    stop);
	return failed + cmocka_run_group_tests(early, NULL, NULL);
}
