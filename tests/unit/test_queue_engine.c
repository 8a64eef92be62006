/*
 * room: queue
 * test_queue_engine.c - what the queue asks of any engine: others may add rows
 * and take shards, what is settled twice is settled once.
 */
#include "late_kit.h"

static struct store_flow
flow_of(const struct kit_mail *m)
{
	struct store_flow f = { .len = 0 };

	assert_true(store_flow_name(&f, m->where.relay, m->where.destination,
	    m->where.tenant));
	return f;
}

static enum err
accept_here(struct play *p, struct kit_mail *m)
{
	unsigned before = p->kit.back_cnt;

	store_accept(p->q.store, &m->accept, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	return p->kit.last;
}

/* A message that this queue did not take in. */
static void
put_by_another(struct play *p, struct kit_mail *m)
{
	kit_mail(&p->kit, m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	assert_int_equal(accept_here(p, m), OK);
}

static void
say_row(struct play *p, const struct kit_mail *m)
{
	struct store_flow flow = flow_of(m);
	struct store_place place = { m->where.due_ms, m->mail.id, 0 };

	queue_rows(&flow, &place, &p->q);
}

static void
turns(struct play *p, int cnt)
{
	while (cnt-- > 0)
		kit_turn(&p->kit);
}

static void
what_another_put_there_is_sent_when_it_is_said(void **state)
{
	struct play *p = *state;
	struct kit_mail m;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, due_is_empty(p->q.due));	/* all was read */
	put_by_another(p, &m);
	turns(p, 5);
	assert_int_equal(p->open_cnt, 0);
	assert_int_equal(p->q.message_cnt, 1);
	say_row(p, &m);
	kit_until(&p->kit, p->open_cnt == 1);
	assert_int_equal(id_cmp(p->opened.id, m.mail.id), 0);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->q.message_cnt == 0);
}

static void
of_a_shard_that_is_anothers_nothing_is_begun(void **state)
{
	struct play *p = *state;

	queue_disowned(STORE_SHARD_ALL, &p->q);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "a@example.org", "b@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	turns(p, 5);
	assert_int_equal(p->open_cnt, 0);
	assert_true(due_is_empty(p->q.due));
	queue_owned(&p->q, STORE_SHARD_ALL);
	kit_until(&p->kit, p->open_cnt == 1);
}

static void
what_waits_is_forgotten_and_what_runs_ends(void **state)
{
	struct play *p = *state;

	play_link_relay(p, 1);
	play_list_slots(p, 1);		/* one runs, the rest wait */
	for (uint64_t i = 1; i <= 5; i++)
		play_send_mail(p, i, "a@example.org", "b@example.net");
	kit_until(&p->kit, p->taken_cnt == 5 && p->open_cnt == 1);
	queue_disowned(STORE_SHARD_ALL, &p->q);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->q.message_cnt == 4);
	turns(p, 5);
	assert_int_equal(p->open_cnt, 1);
	assert_true(due_is_empty(p->q.due));
	queue_owned(&p->q, STORE_SHARD_ALL);
	for (unsigned left = 4; left > 0; left--) {
		kit_until(&p->kit, p->open_cnt == 6 - left);
		play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
		kit_until(&p->kit, p->q.message_cnt == left - 1);
	}
}

/* Shards of our own: by the last digit of the destination. */
static unsigned
by_digit(const struct store *st, struct span flow)
{
	struct span to = store_flow_names(flow).destination;

	return (unsigned)(to.ptr[to.len - 1] - '0');
}

static enum err
settle(struct play *p, struct store_settle *s)
{
	unsigned before = p->kit.back_cnt;

	store_settle(p->q.store, s, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	return p->kit.last;
}

static void
a_shard_goes_alone(void **state)
{
	struct play *p = *state;
	struct store_engine *engine =
	    (struct store_engine *)((struct store_base *)p->q.store)->engine;
	struct store_engine sharded = *engine;
	struct kit_mail m[2];

	sharded.shard = by_digit;
	((struct store_base *)p->q.store)->engine = &sharded;
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	queue_disowned(1, &p->q);
	for (int i = 0; i < 2; i++) {
		kit_mail(&p->kit, &m[i], SPAN("A: b\r\n\r\n"), SPAN(""));
		m[i].where.destination = i == 0 ? SPAN("d1") : SPAN("d2");
		store_accept(p->q.store, &m[i].accept, kit_back, &p->kit);
	}
	kit_until(&p->kit, p->kit.back_cnt == 2);
	say_row(p, &m[0]);
	say_row(p, &m[1]);
	kit_until(&p->kit, p->open_cnt == 1);
	turns(p, 5);
	assert_int_equal(p->open_cnt, 1);
	assert_int_equal(id_cmp(p->opened.id, m[1].mail.id), 0);
	queue_owned(&p->q, 1);
	kit_until(&p->kit, p->open_cnt == 2);
	assert_int_equal(id_cmp(p->opened.id, m[0].mail.id), 0);
	((struct store_base *)p->q.store)->engine = engine;
}

/* What was released, in its order: the digits of shards; * is all. */
static char released[STORE_SHARDS];

static void
note_release(struct store *st, unsigned shard)
{
	size_t len = strlen(released);

	assert_in_range(len, 0, sizeof(released) - 2);
	released[len] = shard == STORE_SHARD_ALL ? '*' : (char)('0' + shard);
	released[len + 1] = '\0';
}

static struct store_engine handing;

/* Of tenant tN: no route changes that. */
static unsigned
by_tenant(const struct store *st, struct span flow)
{
	struct span tenant = store_flow_names(flow).tenant;

	return (unsigned)(tenant.ptr[tenant.len - 1] - '0') % STORE_SHARDS;
}

static const struct store_engine *
hand_over(struct play *p)
{
	struct store_base *base = (struct store_base *)p->q.store;
	const struct store_engine *engine = base->engine;

	handing = *engine;
	handing.shard = by_tenant;
	handing.release = note_release;
	base->engine = &handing;
	released[0] = '\0';
	return engine;
}

static void
send_of(struct play *p, struct kit_mail *m, const char *tenant)
{
	kit_mail(&p->kit, m, SPAN("A: b\r\n\r\n"), SPAN(""));
	m->where.tenant = span_of(tenant);
	assert_int_equal(accept_here(p, m), OK);
	say_row(p, m);
}

static void
a_shard_is_released_when_all_of_it_has_ended(void **state)
{
	struct play *p = *state;
	const struct store_engine *engine = hand_over(p);
	struct kit_mail m[2];

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	send_of(p, &m[0], "t1");
	kit_until(&p->kit, p->open_cnt == 1);
	for (unsigned i = 2; i < STORE_SHARDS; i++)
		queue_disowned(i, &p->q);
	queue_disowned(1, &p->q);
	queue_disowned(1, &p->q);	/* said twice */
	turns(p, 5);
	assert_int_equal(strlen(released), STORE_SHARDS - 2);
	assert_null(strchr(released, '1'));
	released[0] = '\0';
	send_of(p, &m[1], "t1");	/* is another's already */
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.1 Busy");
	kit_until(&p->kit, p->settled_cnt == 1);
	turns(p, 5);
	assert_string_equal(released, "1");
	assert_int_equal(p->open_cnt, 1);

	queue_owned(&p->q, 1);		/* and what comes back is not, */
	kit_until(&p->kit, p->open_cnt >= 2);
	queue_disowned(1, &p->q);
	queue_owned(&p->q, 1);		/* unless it goes again */
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 2);
	turns(p, 5);
	assert_string_equal(released, "1");
	((struct store_base *)p->q.store)->engine = engine;
}

/* Of what a relay ran before our start nobody knows yet in which it is. */
static void
what_is_adopted_may_be_of_any_shard(void **state)
{
	struct play *p = *state;
	const struct store_engine *engine = hand_over(p);
	struct delivery *dl = due_adopt(p->q.due, (struct id){ .b = { 1 } },
	    0);

	assert_non_null(dl);
	queue_disowned(3, &p->q);
	turns(p, 5);
	assert_string_equal(released, "");
	due_forget(p->q.due, &dl);
	turns(p, 5);
	assert_string_equal(released, "3");
	((struct store_base *)p->q.store)->engine = engine;
}

static void
at_the_end_all_are_released(void **state)
{
	struct play *p = *state;
	const struct store_engine *engine = hand_over(p);

	due_release_all(p->q.due);
	assert_string_equal(released, "*");
	released[0] = '\0';
	queue_owned(&p->q, 4);
	queue_owned(&p->q, 5);
	due_release_all(p->q.due);
	assert_string_equal(released, "45");
	((struct store_base *)p->q.store)->engine = engine;
}

static int64_t
in_an_hour(const struct store *st)
{
	return clock_mono_ms() + 3600000;
}

static void
a_relay_is_told_until_when_it_is_ours(void **state)
{
	struct play *p = *state;
	struct store_base *base = (struct store_base *)p->q.store;
	const struct store_engine *engine = base->engine;
	struct store_engine bounded = *engine;

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "a@example.org", "b@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	assert_true(p->opened.deadline_ms == BUS_NO_DEADLINE);
	bounded.deadline = in_an_hour;
	base->engine = &bounded;
	play_send_mail(p, 2, "a@example.org", "b@example.net");
	kit_until(&p->kit, p->open_cnt == 2);
	assert_in_range(p->opened.deadline_ms, clock_mono_ms() + 3500000,
	    clock_mono_ms() + 3600000);
	base->engine = engine;
}

static void
what_is_settled_twice_is_settled_once(void **state)
{
	struct play *p = *state;
	struct store_change c = { .class = CLASS_DONE, .code = 250,
	    .address = SPAN("rcpt@example.org") };
	struct record_delivery was = { .rcpt_cnt = 1, .relay = SPAN("out"),
	    .destination = SPAN("out"), .tenant = SPAN("tenant") };
	struct store_delivery where[2];
	uint32_t delivery[2] = { 0, 1 };
	struct kit_mail m;
	struct store_settle s;

	kit_mail(&p->kit, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	where[0] = where[1] = m.where;
	m.rcpts[1] = SPAN("other@example.org");
	m.accept.deliveries = where;
	m.accept.rcpt_delivery = delivery;
	m.accept.message.rcpt_cnt = m.accept.message.delivery_cnt = 2;
	store_accept(p->q.store, &m.accept, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt == 1);
	for (int i = 0; i < 3; i++) {	/* the other delivery stays */
		s = (struct store_settle){ .id = m.mail.id, .is_over = true,
		    .was = &was, .changes = &c, .change_cnt = 1 };
		assert_int_equal(settle(p, &s), i == 0 ? OK : ERR_NONE);
		assert_false(s.removed);
	}
	c.rcpt_no = 1;
	for (int i = 0; i < 2; i++) {
		s = (struct store_settle){ .id = m.mail.id, .no = 1,
		    .is_over = true, .was = &was, .changes = &c,
		    .change_cnt = 1 };
		assert_int_equal(settle(p, &s), i == 0 ? OK : ERR_NONE);
		assert_int_equal(s.removed, i == 0);
	}
}

static void
a_next_try_is_not_put_over_anothers(void **state)
{
	struct play *p = *state;
	struct store_change c = { .class = CLASS_LATER, .code = 451,
	    .address = SPAN("rcpt@example.org") };
	struct record_delivery was = { .rcpt_cnt = 1, .relay = SPAN("out"),
	    .destination = SPAN("out"), .tenant = SPAN("tenant") };
	struct kit_mail m;

	put_by_another(p, &m);
	for (int i = 0; i < 2; i++) {
		struct store_settle s = { .id = m.mail.id, .attempts = 1,
		    .due_ms = clock_wall_ms() + 1000, .was = &was,
		    .changes = &c, .change_cnt = 1 };

		assert_int_equal(settle(p, &s), i == 0 ? OK : ERR_STALE);
	}
}

/* Another's next try of it, with no word of ours in between. */
static struct store_settle
tried_once(const struct kit_mail *m, const struct record_delivery *was,
    const struct store_change *later)
{
	return (struct store_settle){ .id = m->mail.id, .attempts = 1,
	    .due_ms = m->where.due_ms + 1, .was = was, .changes = later,
	    .change_cnt = 1 };
}

static enum err
edit(struct play *p, struct store_edit *e)
{
	unsigned before = p->kit.back_cnt;

	store_edit(p->q.store, e, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	free(e->rows);
	return p->kit.last;
}

static void
an_edit_is_not_put_over_what_was_tried_since(void **state)
{
	static const enum edit actions[] = { EDIT_HOLD, EDIT_FLUSH,
	    EDIT_RELEASE, EDIT_GIVE_UP, EDIT_REMOVE };
	struct play *p = *state;
	struct store_change c = { .class = CLASS_LATER, .code = 451,
	    .address = SPAN("rcpt@example.org") };
	struct record_delivery was = { .rcpt_cnt = 1, .relay = SPAN("out"),
	    .destination = SPAN("out"), .tenant = SPAN("tenant") };
	struct store_tries seen[2] = { { .no = 0 }, { .no = 1 } };
	struct kit_mail m;
	struct store_settle s;

	put_by_another(p, &m);
	s = tried_once(&m, &was, &c);
	assert_int_equal(settle(p, &s), OK);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		struct store_edit e = { .id = m.mail.id, .action = actions[i],
		    .now_ms = clock_wall_ms(), .seen = seen, .seen_cnt = 1 };

		assert_int_equal(edit(p, &e), ERR_STALE);
		assert_int_equal(p->q.message_cnt, 1);
	}
	seen[0].attempts = 1;
	for (uint32_t cnt = 2; cnt > 0; cnt--) {	/* no 1 is over */
		struct store_edit e = { .id = m.mail.id, .action = EDIT_REMOVE,
		    .now_ms = clock_wall_ms(), .seen = seen, .seen_cnt = cnt };

		assert_int_equal(edit(p, &e), cnt == 2 ? ERR_STALE : OK);
		assert_int_equal(p->q.message_cnt, cnt - 1);
	}
}

static void
on_edited(enum tool_status status, void *arg)
{
	*(int *)arg = (int)status;
}

/* Between the look at it and the edit of it another writer tries it. */
static void
what_another_tries_meanwhile_is_not_edited(void **state)
{
	struct play *p = *state;
	struct store_change c = { .class = CLASS_LATER, .code = 451,
	    .address = SPAN("rcpt@example.org") };
	struct record_delivery was = { .rcpt_cnt = 1, .relay = SPAN("out"),
	    .destination = SPAN("out"), .tenant = SPAN("tenant") };
	enum edit actions[] = { EDIT_HOLD, EDIT_REMOVE };
	struct kit_mail m;
	enum tool_status why;

	put_by_another(p, &m);
	for (uint32_t i = 0; i < 2; i++) {
		struct store_settle s = tried_once(&m, &was, &c);
		unsigned before = p->kit.back_cnt;
		int status = -1;

		late_begin(p, LATE(EDIT));
		assert_true(edit_start(&p->q, m.mail.id, actions[i], SPAN(""),
		    &why,
		    on_edited, &status));
		kit_until(&p->kit, late.held_cnt == 1);
		s.attempts = i + 1;
		s.op = (struct store_op){ .kind = STORE_SETTLE,
		    .fn = kit_back, .arg = &p->kit };
		late.real->hand(p->q.store, &s.op);
		kit_until(&p->kit, p->kit.back_cnt > before);
		assert_int_equal(p->kit.last, OK);
		late_end();
		kit_until(&p->kit, status >= 0);
		assert_int_equal(status, STATUS_BUSY);
		assert_int_equal(p->q.message_cnt, 1);
		was.attempts++;
		assert_true(edit_start(&p->q, m.mail.id, EDIT_FLUSH, SPAN(""),
		    &why,
		    on_edited, &status));	/* that needs no rest */
		status = -1;
		kit_until(&p->kit, status == STATUS_DONE);
	}
	{
		int status = -1;

		assert_true(edit_start(&p->q, m.mail.id, EDIT_REMOVE, SPAN(""),
		    &why,
		    on_edited, &status));
		kit_until(&p->kit, status == STATUS_DONE);
		assert_int_equal(p->q.message_cnt, 0);
	}
}

static enum err
replan(struct play *p, const struct kit_mail *m, const struct store_tries *seen)
{
	static const struct store_delivery to = { .relay = SPAN("elsewhere"),
	    .destination = SPAN("elsewhere"), .tenant = SPAN("tenant") };
	struct store_moved row;
	struct store_replan r = { .id = m->mail.id, .seen = seen,
	    .now_ms = clock_wall_ms(), .deliveries = &to, .delivery_cnt = 1,
	    .rows = &row };
	unsigned before = p->kit.back_cnt;

	store_replan(p->q.store, &r, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	return p->kit.last;
}

static void
a_move_is_not_put_over_what_was_tried_since(void **state)
{
	struct play *p = *state;
	struct store_change c = { .class = CLASS_LATER, .code = 451,
	    .address = SPAN("rcpt@example.org") };
	struct record_delivery was = { .rcpt_cnt = 1, .relay = SPAN("out"),
	    .destination = SPAN("out"), .tenant = SPAN("tenant") };
	struct store_tries seen = { .no = 0 };
	struct kit_mail m;
	struct store_settle s;

	put_by_another(p, &m);
	s = tried_once(&m, &was, &c);
	assert_int_equal(settle(p, &s), OK);
	assert_int_equal(replan(p, &m, &seen), ERR_STALE);
	was.attempts = 1;
	s = tried_once(&m, &was, &c);	/* it stands where it did */
	assert_int_equal(settle(p, &s), OK);
	seen.attempts = 1;
	seen.deaths = 1;
	assert_int_equal(replan(p, &m, &seen), ERR_STALE);
	seen.deaths = 0;
	assert_int_equal(replan(p, &m, &seen), OK);
	assert_int_equal(replan(p, &m, NULL), OK);
}

/* Between its loading and its move another writer tries it. */
static void
what_another_tries_meanwhile_is_not_moved(void **state)
{
	struct play *p = *state;
	struct store_change c = { .class = CLASS_LATER, .code = 451,
	    .address = SPAN("rcpt@example.org") };
	struct record_delivery was = { .rcpt_cnt = 1, .relay = SPAN("out"),
	    .destination = SPAN("out"), .tenant = SPAN("tenant") };
	struct kit_mail m;
	struct store_settle s;
	unsigned before;
	int status = -1;
	enum tool_status why;

	put_by_another(p, &m);
	s = tried_once(&m, &was, &c);
	s.op = (struct store_op){ .kind = STORE_SETTLE, .fn = kit_back,
	    .arg = &p->kit };
	late_begin(p, LATE(REPLAN));
	assert_true(errand_start(&p->q, m.mail.id, EDIT_MOVE, SPAN("out"),
	    &why, on_edited, &status));
	kit_until(&p->kit, late.held_cnt == 2);	/* what ends it, too */
	before = p->kit.back_cnt;
	late.real->hand(p->q.store, &s.op);
	kit_until(&p->kit, p->kit.back_cnt > before);
	assert_int_equal(p->kit.last, OK);
	late_end();
	kit_until(&p->kit, status >= 0);
	assert_int_equal(status, STATUS_BUSY);
	assert_int_equal(reroute_busy_cnt(p->q.reroutes), 0);
	status = -1;
	assert_true(errand_start(&p->q, m.mail.id, EDIT_MOVE, SPAN("out"),
	    &why, on_edited, &status));
	kit_until(&p->kit, status >= 0);
	assert_int_equal(status, STATUS_DONE);
}

/* The longest of each there can be: a flow has a name all the same. */
static void
no_name_is_too_long_for_a_flow(void **state)
{
	static char relay[BLOCK_NAME_MAX], to[DOMAIN_MAX], line[512];
	char whose[2][STORE_TENANT_MAX], domain[STORE_TURN_DOMAIN_MAX];
	struct play *p = *state;
	struct store_flow names[2];

	memset(relay, 'r', sizeof(relay));
	memset(to, 'd', sizeof(to));
	memset(domain, 'o', sizeof(domain));
	for (int i = 0; i < 2; i++) {
		struct store_edit e = { .action = EDIT_REMOVE,
		    .now_ms = clock_wall_ms() };
		struct kit_mail m;

		memset(whose[i], 't', sizeof(whose[i]));
		whose[i][STORE_TENANT_MAX - 1] = i == 0 ? 'a' : 'b';
		kit_mail(&p->kit, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
		m.where.relay = (struct span){ relay, sizeof(relay) };
		m.where.destination = (struct span){ to, sizeof(to) };
		m.where.tenant = (struct span){ line, store_turn_put(line,
		    (struct span){ whose[i], sizeof(whose[i]) },
		    (struct span){ domain, sizeof(domain) }) };
		assert_int_equal(accept_here(p, &m), OK);
		names[i] = flow_of(&m);
		e.id = m.mail.id;
		assert_int_equal(edit(p, &e), OK);
		assert_int_equal(e.changed_cnt, 1);
		assert_true(span_eq(store_flow_names(store_flow_span(
		    &names[i])).destination, m.where.destination));
	}
	assert_false(span_eq(store_flow_span(&names[0]),
	    store_flow_span(&names[1])));
}

/* What a sender is to be told of the only recipient. */
static void
fail_recipient(struct play *p, const struct kit_mail *m)
{
	struct store_change c = { .class = CLASS_NEVER, .code = 550,
	    .address = m->rcpts[0], .report = REPORT_FAILED };
	struct store_settle s = { .id = m->mail.id, .is_over = true,
	    .changes = &c, .change_cnt = 1, .now_ms = clock_wall_ms() };

	assert_int_equal(settle(p, &s), OK);
}

static enum err
report(struct play *p, const struct kit_mail *of, struct report_rows *rows)
{
	struct store_report r = { .id = of->mail.id, .rows = rows };
	unsigned before = p->kit.back_cnt;
	struct kit_mail m;

	kit_mail(&p->kit, &m, SPAN("A: bounce\r\n\r\n"), SPAN("text\r\n"));
	m.where.due_ms = STORE_HELD_MS;
	r.bounce = &m.accept;
	store_report(p->q.store, &r, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	return p->kit.last;
}

/* Two readers of the same rows make one bounce. */
static void
what_two_want_to_tell_is_told_once(void **state)
{
	struct play *p = *state;
	struct store_read_report read;
	struct kit_mail m;
	unsigned before;

	kit_mail(&p->kit, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	{
		struct store_delivery where[2] = { m.where, m.where };
		uint32_t delivery[2] = { 0, 1 };

		where[0].due_ms = where[1].due_ms = STORE_HELD_MS;
		m.rcpts[1] = SPAN("other@example.org");
		m.accept.deliveries = where;
		m.accept.rcpt_delivery = delivery;
		m.accept.message.rcpt_cnt = m.accept.message.delivery_cnt = 2;
		store_accept(p->q.store, &m.accept, kit_back, &p->kit);
		kit_until(&p->kit, p->kit.back_cnt == 1);
		assert_int_equal(p->kit.last, OK);
	}
	fail_recipient(p, &m);
	read = (struct store_read_report){ .id = m.mail.id };
	before = p->kit.back_cnt;
	store_read_report(p->q.store, &read, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	assert_int_equal(read.rows->cnt, 1);
	assert_int_equal(report(p, &m, read.rows), OK);
	assert_int_equal(p->q.message_cnt, 2);
	assert_int_equal(report(p, &m, read.rows), ERR_STALE);
	assert_int_equal(p->q.message_cnt, 2);
	free(read.rows);
}

/* The same of what nobody could be told. */
static void
what_two_want_to_digest_is_one_digest(void **state)
{
	struct play *p = *state;
	struct store_discard d = { .rec = { .address = SPAN("x@example.org"),
	    .why = SPAN("test") } };
	struct store_change c = { .class = CLASS_NEVER, .code = 550,
	    .address = SPAN("rcpt@example.org") };
	struct store_read_discards read = { .row_max = STORE_DISCARDS_MAX };
	struct store_settle s = { .is_over = true, .changes = &c,
	    .change_cnt = 1, .discards = &d, .discard_cnt = 1,
	    .now_ms = clock_wall_ms() };
	struct kit_mail m;
	unsigned before;

	put_by_another(p, &m);
	s.id = m.mail.id;
	assert_int_equal(settle(p, &s), OK);
	before = p->kit.back_cnt;
	store_read_discards(p->q.store, &read, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	assert_int_equal(read.rows->cnt, 1);
	for (int i = 0; i < 2; i++) {
		struct store_digest digest = { .rows = read.rows };
		struct kit_mail told;

		kit_mail(&p->kit, &told, SPAN("A: b\r\n\r\n"), SPAN("t\r\n"));
		told.where.due_ms = STORE_HELD_MS;
		digest.message = &told.accept;
		before = p->kit.back_cnt;
		store_digest(p->q.store, &digest, kit_back, &p->kit);
		kit_until(&p->kit, p->kit.back_cnt > before);
		assert_int_equal(p->kit.last, i == 0 ? OK : ERR_STALE);
		assert_int_equal(p->q.message_cnt, 1);
	}
	free(read.rows);
}

/* So two queues of one engine never mint the same. */
static void
an_id_says_which_node_took_the_message(void **state)
{
	struct play *p = *state;

	p->q.settings.node = 513;
	play_send_mail(p, 1, "a@example.org", "b@example.net");
	kit_until(&p->kit, p->taken_cnt == 1);
	assert_int_equal(p->id.b[14] << 8 | p->id.b[15], 513);
}

/* The queue holds what others put there, too: no reload drops it. */
static void
what_another_took_away_is_held_no_longer(void **state)
{
	struct play *p = *state;
	struct kit_mail m[2];
	struct store_change c = { .class = CLASS_DONE, .code = 250,
	    .address = SPAN("rcpt@example.org") };

	for (unsigned i = 0; i < 2; i++) {
		put_by_another(p, &m[i]);
		assert_int_equal(p->q.message_cnt, i + 1);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct store_settle s = { .id = m[i].mail.id, .is_over = true,
		    .changes = &c, .change_cnt = 1 };

		assert_int_equal(settle(p, &s), OK);
		assert_int_equal(p->q.message_cnt, 1 - i);
	}
}

static enum err
settle_over(struct kit *k, const struct kit_mail *m)
{
	struct store_change c = { .class = CLASS_DONE, .code = 250,
	    .address = m->rcpts[0] };
	struct store_settle s = { .id = m->mail.id, .is_over = true,
	    .changes = &c, .change_cnt = 1 };
	unsigned before = k->back_cnt;

	store_settle(k->store, &s, kit_back, k);
	kit_until(k, k->back_cnt > before);
	assert_true(s.removed);
	return k->last;
}

/* What is in memory is counted, told when it is much, and gone at the end. */
static void
memory_is_full_at_its_bound_and_begins_empty(void **state)
{
	static char text[10000];
	static struct kit_mail m[20];
	struct kit *k = *state;
	unsigned cnt = 0;

	kit_engine = "memory";
	store_close(&k->store);
	k->limits.max_bytes = 64 << 10;
	kit_reopen(k);
	memset(text, 'x', sizeof(text));
	while (k->full == QUEUE_HAS_ROOM) {
		assert_true(cnt < 20);
		kit_mail(k, &m[cnt], SPAN("A: b\r\n\r\n"),
		    (struct span){ text, sizeof(text) });
		assert_int_equal(kit_accept(k, &m[cnt++]), OK);
	}
	assert_int_equal(k->full, QUEUE_FULL);
	assert_int_equal(cnt, 7);	/* six and a half go in */
	for (int i = 0; i < 2; i++)
		assert_int_equal(settle_over(k, &m[i]), OK);
	assert_int_equal(k->full, QUEUE_HAS_ROOM);
	store_close(&k->store);
	kit_reopen(k);
	assert_int_equal(k->ready.message_cnt, 0);
	kit_engine = "lmdb";
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PLAY_TEST(what_another_put_there_is_sent_when_it_is_said),
		PLAY_TEST(of_a_shard_that_is_anothers_nothing_is_begun),
		PLAY_TEST(what_waits_is_forgotten_and_what_runs_ends),
		PLAY_TEST(a_shard_goes_alone),
		PLAY_TEST(a_shard_is_released_when_all_of_it_has_ended),
		PLAY_TEST(what_is_adopted_may_be_of_any_shard),
		PLAY_TEST(at_the_end_all_are_released),
		PLAY_TEST(a_relay_is_told_until_when_it_is_ours),
		PLAY_TEST(what_is_settled_twice_is_settled_once),
		PLAY_TEST(a_next_try_is_not_put_over_anothers),
		PLAY_TEST(an_edit_is_not_put_over_what_was_tried_since),
		PLAY_TEST(what_another_tries_meanwhile_is_not_edited),
		PLAY_TEST(a_move_is_not_put_over_what_was_tried_since),
		PLAY_TEST(what_another_tries_meanwhile_is_not_moved),
		PLAY_TEST(no_name_is_too_long_for_a_flow),
		PLAY_TEST(what_two_want_to_tell_is_told_once),
		PLAY_TEST(what_two_want_to_digest_is_one_digest),
		PLAY_TEST(an_id_says_which_node_took_the_message),
		PLAY_TEST(what_another_took_away_is_held_no_longer),
		KIT_TEST(memory_is_full_at_its_bound_and_begins_empty),
	};

	return KIT_RUN_BOTH(tests,
	    "memory_is_full_at_its_bound_and_begins_empty");
}
