/*
 * test_keys - questions for signatures, and a vault that answers as it likes.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "ask/keys.h"
#include "sys/clock.h"

#define ASKED_MAX	16

static const uint8_t id[KEYS_ID_LEN] = { 1, 2, 3 };

struct answer {
	unsigned	 cnt;		/* times it was called		*/
	enum sign_status status;
	char		 signature[16];
	size_t		 len;
};

struct world {
	struct ev_loop	*loop;
	struct keys	*keys;
	struct link	*vault;
	unsigned	 asked_cnt, lost_cnt;
	enum err	 lost_why;
	struct msg_sign_ask asked[ASKED_MAX];	/* spans are not kept */
	size_t		 text_lens[ASKED_MAX];
};

static enum err
vault_hears(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct world *w = arg;

	assert_int_equal(type, MSG_sign_ask);
	assert_true(w->asked_cnt < ASKED_MAX);
	assert_int_equal(m->sign_ask.key.len, KEYS_ID_LEN);
	assert_memory_equal(m->sign_ask.key.ptr, id, KEYS_ID_LEN);
	w->text_lens[w->asked_cnt] = piece.len;
	w->asked[w->asked_cnt++] = m->sign_ask;
	return OK;
}

static void
vault_gone(struct link *l, enum err why, void *arg)
{
	struct world *w = arg;

	link_close(&w->vault);
}

static void
lost(const struct link_peer *p, enum err why, void *arg)
{
	struct world *w = arg;

	assert_int_equal(p->no, 5);
	w->lost_cnt++;
	w->lost_why = why;
}

static void
heard(enum sign_status status, struct span signature, void *arg)
{
	struct answer *a = arg;

	a->cnt++;
	a->status = status;
	a->len = signature.len;
	assert_true(signature.len <= sizeof(a->signature));
	if (signature.len > 0)
		memcpy(a->signature, signature.ptr, signature.len);
}

static void
make_ends(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, ends), 0);
}

static const struct link_peer keys_peer = { .role = ROLE_KEYS, .no = 5 };
static const struct link_peer edge_peer = { .role = ROLE_EDGE, .no = 6 };

static void
set_link(struct world *w)
{
	int ends[2];

	make_ends(ends);
	link_close(&w->vault);
	assert_int_equal(keys_set_link(w->keys, ends[0], ROLE_EDGE,
	    &keys_peer), OK);
	assert_int_equal(link_open(&w->vault, w->loop, ends[1], ROLE_KEYS,
	    &edge_peer, vault_hears, vault_gone, w), OK);
}

static int
open_world(void **state)
{
	static struct world w;

	w = (struct world){ 0 };
	assert_int_equal(ev_open(&w.loop), OK);
	assert_int_equal(keys_open(&w.keys, w.loop, lost, &w), OK);
	*state = &w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;

	link_close(&w->vault);
	keys_close(&w->keys);
	ev_close(&w->loop);
	return 0;
}

static void
end_now(struct timer *t, void *arg)
{
	ev_stop(arg);
}

static void
turn(struct world *w, int64_t ms)
{
	struct timer t;

	timer_init(&t, w->loop, end_now, w->loop);
	timer_set(&t, ms);
	assert_int_equal(ev_run(w->loop), OK);
	timer_stop(&t);
}

static struct keys_query *
ask(struct world *w, struct answer *a)
{
	*a = (struct answer){ 0 };
	return keys_sign(w->keys, id, 0x0804, SPAN("to be signed"), heard, a);
}

static void
say(struct world *w, uint64_t request, unsigned status, const char *signature)
{
	assert_int_equal(link_send_sign_answer(w->vault,
	    &(struct msg_sign_answer){ .request = request,
	    .status = (uint8_t)status, .signature = span_of(signature) }),
	    OK);
	turn(w, 20);
}

static void
answers_find_their_questions_in_any_order(void **state)
{
	struct answer a[3];
	struct world *w = *state;

	set_link(w);
	for (int i = 0; i < 3; i++)
		assert_non_null(ask(w, &a[i]));
	turn(w, 20);
	assert_int_equal(w->asked_cnt, 3);
	assert_int_equal(w->asked[0].scheme, 0x0804);
	assert_int_equal(w->text_lens[0], 12);
	say(w, w->asked[2].request, SIGN_DONE, "third");
	say(w, w->asked[0].request, SIGN_REFUSED, NULL);
	assert_int_equal(a[1].cnt, 0);
	say(w, w->asked[1].request, SIGN_DONE, "second");
	for (int i = 0; i < 3; i++)
		assert_int_equal(a[i].cnt, 1);
	assert_int_equal(a[0].status, SIGN_REFUSED);
	assert_int_equal(a[0].len, 0);
	assert_int_equal(a[1].status, SIGN_DONE);
	assert_memory_equal(a[1].signature, "second", 6);
	assert_memory_equal(a[2].signature, "third", 5);
}

static void
without_a_link_the_answer_is_busy_and_not_too_early(void **state)
{
	struct world *w = *state;
	struct answer a;

	assert_non_null(ask(w, &a));
	assert_int_equal(a.cnt, 0);
	turn(w, 5);
	assert_int_equal(a.cnt, 1);
	assert_int_equal(a.status, SIGN_BUSY);
}

static void
a_text_that_is_too_long_is_not_sent(void **state)
{
	static char text[KEYS_TEXT_MAX + 1];
	struct answer a = { 0 };
	struct world *w = *state;

	set_link(w);
	assert_non_null(keys_sign(w->keys, id, 0x0804,
	    (struct span){ text, sizeof(text) }, heard, &a));
	turn(w, 20);
	assert_int_equal(a.status, SIGN_BUSY);
	assert_int_equal(w->asked_cnt, 0);
}

static void
the_end_of_the_link_answers_all_and_nothing_is_repeated(void **state)
{
	struct world *w = *state;
	struct answer a, b;

	set_link(w);
	assert_non_null(ask(w, &a));
	turn(w, 20);
	link_close(&w->vault);
	turn(w, 20);
	assert_int_equal(a.cnt, 1);
	assert_int_equal(a.status, SIGN_BUSY);
	assert_int_equal(w->lost_cnt, 1);
	assert_int_equal(w->lost_why, ERR_CLOSED);
	set_link(w);
	assert_non_null(ask(w, &b));
	turn(w, 20);
	assert_int_equal(w->asked_cnt, 2);
	/* And a new link in place of a living one. */
	set_link(w);
	turn(w, 20);
	assert_int_equal(b.status, SIGN_BUSY);
	assert_int_equal(b.cnt, 1);
	assert_int_equal(w->asked_cnt, 2);
}

static void
a_cancelled_question_is_not_answered(void **state)
{
	struct world *w = *state;
	struct keys_query *q;
	struct answer a;

	set_link(w);
	assert_non_null(q = ask(w, &a));
	turn(w, 20);
	keys_cancel(&q);
	assert_null(q);
	keys_cancel(&q);
	say(w, w->asked[0].request, SIGN_DONE, "late");
	assert_int_equal(a.cnt, 0);
	assert_int_equal(w->lost_cnt, 0);
}

static void
nonsense_from_the_vault_costs_the_link(void **state)
{
	static char large[KEYS_SIGNATURE_MAX + 1];
	static const struct {
		uint64_t	 ahead;
		unsigned	 status;
		size_t		 len;
	} cases[] = {
		{ 100, SIGN_DONE, 5 },		/* was never asked	*/
		{ 0, SIGN__COUNT, 0 },
		{ 0, SIGN_DONE, 0 },
		{ 0, SIGN_REFUSED, 5 },
		{ 0, SIGN_DONE, sizeof(large) },
	};
	struct world *w = *state;
	struct answer a;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_link(w);
		assert_non_null(ask(w, &a));
		turn(w, 20);
		assert_int_equal(link_send_sign_answer(w->vault,
		    &(struct msg_sign_answer){
		    .request = w->asked[i].request + cases[i].ahead,
		    .status = (uint8_t)cases[i].status,
		    .signature = { large, cases[i].len } }), OK);
		turn(w, 20);
		assert_int_equal(w->lost_cnt, i + 1);
		assert_int_equal(w->lost_why, ERR_PEER);
		assert_int_equal(a.cnt, 1);
		assert_int_equal(a.status, SIGN_BUSY);
	}
}

static void
the_first_of_two_answers_counts(void **state)
{
	struct world *w = *state;
	struct answer a;

	set_link(w);
	assert_non_null(ask(w, &a));
	turn(w, 20);
	(void)link_send_sign_answer(w->vault, &(struct msg_sign_answer){
	    .request = w->asked[0].request, .status = SIGN_DONE,
	    .signature = SPAN("first") });
	say(w, w->asked[0].request, SIGN_DONE, "again");
	assert_int_equal(a.cnt, 1);
	assert_memory_equal(a.signature, "first", 5);
	assert_int_equal(w->lost_cnt, 0);
}

static void
patience_ends(void **state)
{
	struct world *w = *state;
	struct answer a;

	set_link(w);
	assert_non_null(ask(w, &a));
	turn(w, KEYS_PATIENCE_MS - 300);
	assert_int_equal(a.cnt, 0);
	turn(w, 600);
	assert_int_equal(a.cnt, 1);
	assert_int_equal(a.status, SIGN_BUSY);
	say(w, w->asked[0].request, SIGN_DONE, "late");
	assert_int_equal(a.cnt, 1);
	assert_int_equal(w->lost_cnt, 0);
}

/* Waiting here and now, for a vault in another process. */

static enum err
child_hears(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct world *w = arg;

	w->asked[w->asked_cnt++] = m->sign_ask;
	if (m->sign_ask.scheme == 0)	/* remember, and say nothing */
		return OK;
	while (w->asked_cnt > 0)
		(void)link_send_sign_answer(l, &(struct msg_sign_answer){
		    .request = w->asked[--w->asked_cnt].request,
		    .status = SIGN_DONE, .signature = SPAN("now") });
	return OK;
}

static void
child_gone(struct link *l, enum err why, void *arg)
{
	_exit(0);
}

static pid_t
fork_vault(struct world *w)
{
	struct world child = { 0 };
	int ends[2];
	pid_t pid;

	make_ends(ends);
	if ((pid = fork()) == 0) {
		close(ends[0]);
		if (ev_open(&child.loop) != OK || link_open(&child.vault,
		    child.loop, ends[1], ROLE_KEYS, &edge_peer, child_hears,
		    child_gone, &child) != OK || ev_run(child.loop) != OK)
			_exit(1);
		_exit(0);
	}
	assert_true(pid > 0);
	close(ends[1]);
	assert_int_equal(keys_set_link(w->keys, ends[0], ROLE_EDGE,
	    &keys_peer), OK);
	return pid;
}

static void
end_vault(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
here_and_now_is_answered_and_the_rest_is_kept(void **state)
{
	uint8_t signature[KEYS_SIGNATURE_MAX];
	struct answer a = { 0 };
	struct world *w = *state;
	pid_t pid = fork_vault(w);
	size_t len;

	assert_non_null(keys_sign(w->keys, id, 0, SPAN("x"), heard, &a));
	assert_int_equal(keys_sign_now(w->keys, id, 1, SPAN("x"), signature,
	    &len), SIGN_DONE);
	assert_int_equal(len, 3);
	assert_memory_equal(signature, "now", 3);
	assert_int_equal(a.cnt, 0);	/* not from within that call */
	for (int i = 0; i < 500 && a.cnt == 0; i++)
		turn(w, 20);
	assert_int_equal(a.cnt, 1);
	assert_int_equal(a.status, SIGN_DONE);
	end_vault(pid);
}

static void
here_and_now_ends_with_the_link_or_with_patience(void **state)
{
	uint8_t signature[KEYS_SIGNATURE_MAX];
	struct world *w = *state;
	int64_t begun_ms;
	size_t len = 1;
	pid_t pid;

	assert_int_equal(keys_sign_now(w->keys, id, 1, SPAN("x"), signature,
	    &len), SIGN_BUSY);
	assert_int_equal(len, 0);
	pid = fork_vault(w);
	end_vault(pid);
	assert_int_equal(keys_sign_now(w->keys, id, 1, SPAN("x"), signature,
	    &len), SIGN_BUSY);
	turn(w, 5);
	assert_int_equal(w->lost_cnt, 1);
	pid = fork_vault(w);
	begun_ms = clock_mono_ms();
	assert_int_equal(keys_sign_now(w->keys, id, 0, SPAN("x"), signature,
	    &len), SIGN_BUSY);
	assert_in_range(clock_mono_ms() - begun_ms, KEYS_PATIENCE_MS - 200,
	    KEYS_PATIENCE_MS + 5000);
	assert_int_equal(keys_sign_now(w->keys, id, 1, SPAN("x"), signature,
	    &len), SIGN_DONE);
	end_vault(pid);
}

#define WORLDLY(test)	\
	cmocka_unit_test_setup_teardown(test, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLDLY(answers_find_their_questions_in_any_order),
		WORLDLY(without_a_link_the_answer_is_busy_and_not_too_early),
		WORLDLY(a_text_that_is_too_long_is_not_sent),
		WORLDLY(
		    the_end_of_the_link_answers_all_and_nothing_is_repeated),
		WORLDLY(a_cancelled_question_is_not_answered),
		WORLDLY(nonsense_from_the_vault_costs_the_link),
		WORLDLY(the_first_of_two_answers_counts),
		WORLDLY(patience_ends),
		WORLDLY(here_and_now_is_answered_and_the_rest_is_kept),
		WORLDLY(here_and_now_ends_with_the_link_or_with_patience),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
