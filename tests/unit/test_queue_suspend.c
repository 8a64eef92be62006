/*
 * test_queue_suspend - what is suspended waits, untried and unread, whatever
 * comes in and however often the queue is started; and has its lifetime when
 * it goes on.
 * room: queue
 */
#include "queue_play.h"

#include "queue/plan/dispatch_inside.h"
#include "queue/walk/expire.h"
#include "queue/store/lmdb/store_inside.h"

#define DAY_MS	INT64_C(86400000)

static unsigned back_cnt;
static enum tool_status last_told;

static void
back(enum tool_status status, void *arg)
{
	last_told = status;
	back_cnt++;
}

static enum tool_status
call(struct play *p, bool ends, const char *relay, const char *domain)
{
	struct suspend_what w = { span_of(relay), span_of(domain),
	    SPAN("a reason"), SPAN("ann") };
	unsigned before = back_cnt;
	enum tool_status why = STATUS_FAILED;

	if (!(ends ? suspend_end : suspend_begin)(&p->q, &w, &why, back, NULL))
		return why;
	kit_until(&p->kit, back_cnt > before);
	return last_told;
}

static void
relay_is_there(struct play *p, uint32_t start)
{
	play_link_relay(p, start);
	play_list_slots(p, 100);
}

static void
send_some(struct play *p, uint64_t first, unsigned cnt, const char *rcpt)
{
	unsigned taken = p->taken_cnt;

	for (unsigned i = 0; i < cnt; i++)
		play_send_mail(p, first + i, "from@example.org", rcpt);
	kit_until(&p->kit, p->taken_cnt == taken + cnt);
}

static void
turns(struct play *p, int cnt)
{
	for (int i = 0; i < cnt; i++)
		kit_turn(&p->kit);
}

static void
restart(struct play *p)
{
	play_stop_queue(p);
	play_start_queue(p);
	play_link_edge(p);
}

/* Pure. */

static void
names_are_compared_as_the_scheduler_does(void **state)
{
	static const struct { const char *said, *name; } names[] = {
		{ "Example.ORG", "example.org" },
		{ "example.org.", "example.org" },
		{ "b\303\274cher.example", "xn--bcher-kva.example" },
		{ "[192.0.2.1]", "[192.0.2.1]" },
		{ "xn--bcher-kva.Example.", "xn--bcher-kva.example" },
		{ "", NULL }, { ".", NULL }, { "example..org", NULL },
		{ "example.org..", NULL }, { "a b", NULL },
		{ "x@example.org", NULL }, { "[192.0.2.1", NULL },
	};
	char out[DOMAIN_MAX + 1];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool good = suspension_domain(span_of(names[i].said), out);

		assert_int_equal(good, names[i].name != NULL);
		if (good)
			assert_string_equal(out, names[i].name);
	}
}

static struct suspension *
begin(struct suspension_set *set, const char *relay, const char *domain,
    int64_t lived_ms)
{
	struct suspension *s, next;

	assert_int_equal(suspension_want(set, relay, domain, &s), OK);
	next = *s;
	suspension_begin(&next, SPAN("why"), SPAN("who"), 1, lived_ms);
	suspension_assume(set, s, &next);
	return s;
}

static void
end(struct suspension_set *set, struct suspension *s, int64_t lived_ms)
{
	struct suspension next = *s;

	suspension_end(&next, lived_ms);
	suspension_assume(set, s, &next);
}

/* Old queues have destinations, and suspensions, as their users wrote them. */
static void
what_an_old_queue_has_in_u_labels_is_found(void **state)
{
	static const char old[] = "gr\303\274n.example";
	static const char key[] = "xn--grn-ioa.example";
	const struct record_suspension row = { .active = 1,
	    .relay = SPAN(""), .domain = span_of(old),
	    .reason = SPAN("why"), .who = SPAN("who") };
	struct suspension_set *set;

	assert_int_equal(suspension_new(&set), OK);
	assert_int_equal(suspension_from_record(set, &row), OK);
	assert_non_null(suspension_find(set, "", key));
	assert_null(suspension_find(set, "", old));
	assert_non_null(suspension_of(set, "mx", old));
	assert_non_null(suspension_of(set, "mx", key));
	assert_non_null(suspension_of_domain(set, "mx", key));
	assert_null(suspension_of(set, "mx", "gr\303\274m.example"));
	suspension_free(&set);
}

static void
each_covers_what_it_names_and_no_more(void **state)
{
	struct suspension_set *set;
	struct suspension *s;

	assert_null(suspension_of(NULL, "out", "out"));
	assert_int_equal(suspension_new(&set), OK);
	assert_int_equal(suspension_want(set, "", "", &s), ERR_PEER);
	begin(set, "box", "", 0);
	begin(set, "", "a.example", 0);
	s = begin(set, "mx", "b.example", 0);
	assert_int_equal(suspension_cnt(set), 3);
	assert_non_null(suspension_of(set, "box", "box"));
	assert_non_null(suspension_of(set, "box", "c.example"));
	assert_non_null(suspension_of(set, "mx", "a.example"));
	assert_non_null(suspension_of(set, "out", "a.example"));
	assert_ptr_equal(suspension_of(set, "mx", "b.example"), s);
	assert_null(suspension_of(set, "out", "b.example"));
	assert_null(suspension_of(set, "mx", "mx"));
	assert_null(suspension_of(set, "a.example", "a.example"));
	assert_null(suspension_of_domain(set, "box", "c.example"));
	assert_non_null(suspension_of_domain(set, "box", "a.example"));
	end(set, s, 5);
	assert_null(suspension_of(set, "mx", "b.example"));
	assert_true(suspension_has_domains(set));
	s = suspension_find(set, "", "a.example");
	suspension_drop(set, &s);
	assert_false(suspension_has_domains(set));
	assert_int_equal(suspension_cnt(set), 1);
	suspension_free(&set);
}

/* Against a straight count of each moment that was suspended. */
static void
time_that_waited_is_never_counted(void **state)
{
	enum { SPANS = 5, END = 100 };
	static const int at[SPANS][2] = { { 5, 12 }, { 20, 21 }, { 30, 55 },
	    { 56, 57 }, { 80, 95 } };
	struct suspension_set *set;
	struct suspension *s = NULL;
	int span = 0;

	assert_int_equal(suspension_new(&set), OK);
	for (int now = 0; now < END; now++) {
		if (span < SPANS && now == at[span][0])
			s = begin(set, "out", "", now);
		if (span < SPANS && now == at[span][1])
			end(set, s, now), span++;
		for (int from = 0; from <= now; from++) {
			int64_t got = suspension_waived_ms(set, "out", "out",
			    from, now);
			int want = 0;

			for (int i = 0; i < SPANS; i++)
				for (int t = at[i][0]; t < at[i][1]; t++)
					want += t >= from && t < now;
			assert_true(got >= want);
			assert_true(got <= now - from);
			if (from <= at[0][0])
				assert_int_equal(got, want);
		}
	}
	assert_int_equal(suspension_waived_ms(set, "x", "x", 0, END), 0);
	suspension_free(&set);
}

static void
expect_way(struct routes *r, const char *rcpt, const char *destination)
{
	struct route_ask ask = { .rcpt = span_of(rcpt) };
	struct route found;

	assert_int_equal(route_find(r, &ask, &found), ROUTE_FOUND);
	assert_string_equal(found.destination, destination);
}

static void
a_domain_on_a_relay_for_all_has_a_place_of_its_own(void **state)
{
	struct suspension_set *set;
	struct suspension *s;
	struct routes *r;

	assert_int_equal(suspension_new(&set), OK);
	assert_int_equal(route_new(&r), OK);
	assert_int_equal(route_add_relay(r, SPAN("out"), ROUTE_OUT), OK);
	assert_int_equal(route_set_last(r, SPAN("out")), OK);
	route_set_suspended(r, set);
	assert_non_null(route_only(r));
	begin(set, "out", "", 0);
	assert_non_null(route_only(r));		/* a relay is one place */
	s = begin(set, "", "a.example", 0);
	assert_null(route_only(r));
	expect_way(r, "x@A.example", "a.example");
	expect_way(r, "x@b.example", "out");
	end(set, s, 1);
	expect_way(r, "x@a.example", "out");
	begin(set, "box", "a.example", 0);
	expect_way(r, "x@a.example", "out");	/* by another relay */
	begin(set, "out", "a.example", 0);
	expect_way(r, "x@a.example", "a.example");
	route_free(&r);
	suspension_free(&set);
}

/* The queue. */

static void
what_is_suspended_waits_untried_and_unread(void **state)
{
	struct play *p = *state;
	struct destination *d;

	relay_is_there(p, 1);
	assert_int_equal(call(p, false, "out", ""), STATUS_DONE);
	send_some(p, 1, 200, "to@example.net");
	turns(p, 30);
	assert_int_equal(p->open_cnt, 0);
	d = due_find_destination(p->q.due, SPAN("out"), SPAN("out"));
	assert_non_null(d);
	assert_true(d->is_suspended);
	assert_null(d->ring);
	assert_null(d->lane);
	assert_int_equal(d->running, 0);
	assert_int_equal(call(p, false, "out", ""), STATUS_DONE); /* again */
	assert_int_equal(suspension_cnt(p->q.suspensions), 1);
	assert_int_equal(call(p, true, "out", ""), STATUS_DONE);
	kit_until(&p->kit, p->open_cnt > 0);
	turns(p, 30);
	assert_true(p->open_cnt <= 100);	/* as its window says */
	assert_int_equal(call(p, true, "out", ""), STATUS_NONE);
}

static void
what_is_under_way_ends_as_it_would(void **state)
{
	struct play *p = *state;

	relay_is_there(p, 1);
	send_some(p, 1, 1, "to@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	assert_int_equal(call(p, false, "out", ""), STATUS_DONE);
	send_some(p, 2, 1, "to@example.net");
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
	turns(p, 20);
	assert_int_equal(p->open_cnt, 1);
	assert_int_equal(p->q.message_cnt, 1);
}

/* Its envelope was being read: it had no relay yet, and gets none. */
static void
what_was_just_chosen_goes_back(void **state)
{
	struct play *p = *state;
	struct destination *d;
	struct delivery *dl;

	play_link_relay(p, 1);
	play_list_slots(p, 0);
	send_some(p, 1, 1, "to@example.net");
	turns(p, 5);
	d = due_find_destination(p->q.due, SPAN("out"), SPAN("out"));
	assert_non_null(d);
	assert_non_null(d->lane->worker);
	dl = due_take(p->q.due, d);
	assert_non_null(dl);
	dispatch_start(d->lane->worker, dl, RANK_NEW, 1000);
	assert_int_equal(call(p, false, "out", ""), STATUS_DONE);
	turns(p, 20);
	play_list_slots(p, 100);
	turns(p, 20);
	assert_int_equal(p->open_cnt, 0);
	assert_int_equal(call(p, true, "out", ""), STATUS_DONE);
	kit_until(&p->kit, p->open_cnt == 1);
}

static void
a_restart_knows_it_before_anything_goes_out(void **state)
{
	struct play *p = *state;

	assert_int_equal(call(p, false, "out", ""), STATUS_DONE);
	assert_int_equal(call(p, false, "", "Far.Example."), STATUS_DONE);
	send_some(p, 1, 3, "to@example.net");
	for (uint32_t i = 2; i < 4; i++) {
		restart(p);
		relay_is_there(p, i);
		turns(p, 30);
		assert_int_equal(p->open_cnt, 0);
		assert_int_equal(suspension_cnt(p->q.suspensions), 2);
		assert_string_equal(suspension_find(p->q.suspensions, "",
		    "far.example")->who, "ann");
	}
	assert_int_equal(call(p, true, "out", ""), STATUS_DONE);
	restart(p);
	relay_is_there(p, 4);
	kit_until(&p->kit, p->open_cnt > 0);
	assert_int_equal(suspension_cnt(p->q.suspensions), 1);
}

static void
a_domain_waits_and_its_neighbours_go(void **state)
{
	struct play *p = *state;

	relay_is_there(p, 1);
	assert_int_equal(call(p, false, "", "far.example"), STATUS_DONE);
	send_some(p, 1, 1, "to@far.example");
	send_some(p, 2, 1, "to@near.example");
	kit_until(&p->kit, p->rcpt_cnt == 1);
	turns(p, 20);
	assert_int_equal(p->open_cnt, 1);
	assert_string_equal(p->rcpt, "to@near.example");
	/* Nor has their relay fewer slots for them. */
	assert_int_equal(due_find_destination(p->q.due, SPAN("out"),
	    SPAN("out"))->lane->destination_cnt, 1);
	assert_int_equal(call(p, true, "", "FAR.example"), STATUS_DONE);
	kit_until(&p->kit, p->rcpt_cnt == 2);
	assert_string_equal(p->rcpt, "to@far.example");
}

/* It was in the line of its relay when its domain was suspended. */
static void
what_was_queued_before_leaves_its_line(void **state)
{
	struct play *p = *state;

	send_some(p, 1, 1, "to@far.example");
	send_some(p, 2, 1, "to@near.example");
	assert_int_equal(call(p, false, "out", "far.example"), STATUS_DONE);
	relay_is_there(p, 1);
	kit_until(&p->kit, p->rcpt_cnt == 1);
	kit_until(&p->kit, due_find_destination(p->q.due, SPAN("out"),
	    SPAN("far.example")) != NULL);
	turns(p, 20);
	assert_int_equal(p->open_cnt, 1);
	assert_string_equal(p->rcpt, "to@near.example");
}

static void
only_what_can_be_suspended_is(void **state)
{
	struct play *p = *state;

	assert_int_equal(call(p, false, "nowhere", ""), STATUS_NONE);
	assert_int_equal(call(p, false, "", "a..b"), STATUS_REFUSED);
	assert_int_equal(call(p, false, "", ""), STATUS_REFUSED);
	assert_int_equal(call(p, true, "nowhere", ""), STATUS_NONE);
	assert_int_equal(suspension_cnt(p->q.suspensions), 0);
}

/* A day that was suspended is none of its age. */
static void
the_lifetime_stands_still(void **state)
{
	struct play *p = *state;
	struct record_delivery d = { .relay = SPAN("out"),
	    .destination = SPAN("out") };
	struct record_message m = { .lived_ms = 0 };
	struct suspension *s;
	int64_t lived_ms = store_lived_ms(p->q.store);

	assert_true(queue_age_ms(&p->q, &m, &d) >= lived_ms);
	assert_int_equal(call(p, false, "out", ""), STATUS_DONE);
	s = suspension_find(p->q.suspensions, "out", "");
	s->since_lived_ms = 0;
	assert_int_equal(queue_age_ms(&p->q, &m, &d), 0);
	d.destination = d.relay = SPAN("other");
	assert_true(queue_age_ms(&p->q, &m, &d) >= lived_ms);
	d.waived_ms = DAY_MS;		/* it was elsewhere before	*/
	assert_true(queue_age_ms(&p->q, &m, &d) < 0);
}

static void
look_for_old(struct play *p)
{
	struct expire *ex = &p->q.dispatch->expire;

	timer_set(&ex->look, 0);
	turns(p, 30);
	kit_until(&p->kit, !ex->is_walking &&
	    !outcome_is_busy(p->q.outcomes));
}

/* A day passes, as far as the store knows. */
static void
pass_a_day(struct play *p)
{
	p->q.store->lived_before_ms += DAY_MS;
}

static bool
is_there(struct play *p, struct id id)
{
	struct store_read_envelope e = { .id = id };
	unsigned before = p->kit.back_cnt;

	store_read_envelope(p->q.store, &e, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	free(e.envelope);
	return p->kit.last == OK;
}

static void
nothing_is_given_up_that_was_suspended_for_a_day(void **state)
{
	struct play *p = *state;
	struct id ids[2];

	p->q.settings.retry.lifetime_ms = DAY_MS / 24;
	assert_int_equal(call(p, false, "out", ""), STATUS_DONE);
	send_some(p, 1, 1, "to@example.net");
	ids[0] = p->id;
	send_some(p, 2, 99, "to@example.net");
	ids[1] = p->id;
	pass_a_day(p);
	look_for_old(p);
	assert_true(is_there(p, ids[0]) && is_there(p, ids[1]));
	assert_int_equal(call(p, true, "out", ""), STATUS_DONE);
	look_for_old(p);
	assert_true(is_there(p, ids[0]) && is_there(p, ids[1]));
	restart(p);
	p->q.settings.retry.lifetime_ms = DAY_MS / 24;
	look_for_old(p);
	assert_true(is_there(p, ids[0]) && is_there(p, ids[1]));
	pass_a_day(p);			/* and one that counts */
	look_for_old(p);
	assert_false(is_there(p, ids[0]) || is_there(p, ids[1]));
}

/* By routes of today: it leaves its relay when that is forgotten. */
static void
what_goes_elsewhere_has_its_time_left(void **state)
{
	struct play *p = *state;
	struct store_read_envelope e;
	unsigned before;

	p->q.settings.retry.lifetime_ms = DAY_MS / 24;
	assert_int_equal(call(p, false, "", "far.example"), STATUS_DONE);
	send_some(p, 1, 1, "to@far.example");
	pass_a_day(p);
	assert_int_equal(call(p, true, "", "far.example"), STATUS_DONE);
	relay_is_there(p, 1);
	kit_until(&p->kit, p->open_cnt == 1);
	look_for_old(p);
	e = (struct store_read_envelope){ .id = p->opened.id };
	before = p->kit.back_cnt;
	store_read_envelope(p->q.store, &e, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	assert_non_null(e.envelope);
	assert_true(span_eq(e.envelope->delivery.destination, SPAN("out")));
	assert_true(queue_age_ms(&p->q, &e.envelope->message,
	    &e.envelope->delivery) < DAY_MS / 24);
	free(e.envelope);
}

static void
its_sender_hears_that_it_is_suspended(void **state)
{
	struct play *p = *state;
	struct store_read_piece r;
	struct store_flow f;
	struct store_place place;
	struct delivery *dl;
	unsigned before;

	assert_int_equal(call(p, false, "out", ""), STATUS_DONE);
	send_some(p, 1, 1, "to@example.net");
	dl = due_find_next(p->q.due, p->id, 0);
	assert_non_null(dl);
	place = dl->place;
	assert_true(store_flow_name(&f, SPAN("out"), SPAN("out"),
	    SPAN("127.0.0.0/24")));
	dispatch_remind(&p->q, &f, &place);
	kit_until(&p->kit, p->q.message_cnt == 2);
	r = (struct store_read_piece){ .id = p->q.last_id,
	    .part = PART_BODY };
	before = p->kit.back_cnt;
	store_read_piece(p->q.store, &r, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	assert_int_equal(p->kit.last, OK);
	assert_non_null(memmem(r.text, r.len, "suspended here", 14));
	free(r.text);
	relay_is_there(p, 1);
	turns(p, 10);
	assert_int_equal(p->open_cnt, 0);
	assert_int_equal(call(p, true, "out", ""), STATUS_DONE);
	kit_until(&p->kit, p->open_cnt == 2);
}

/* What leaves a suspension takes the time along. */
static void
a_move_keeps_what_was_waived(void **state)
{
	struct play *p = *state;
	struct kit *k = &p->kit;
	struct store_moved row;
	struct store_delivery to = { .relay = SPAN("r"),
	    .destination = SPAN("r") };
	uint32_t rcpt = 0, first = 0;
	struct store_replan r = { .now_ms = 1, .deliveries = &to,
	    .delivery_cnt = 1, .rcpts = &rcpt, .rcpt_delivery = &first,
	    .rcpt_cnt = 1, .rows = &row, .waived_ms = 77,
	    .waived_until_ms = 99 };
	struct store_read_envelope e;
	unsigned before = k->back_cnt;

	send_some(p, 1, 1, "to@example.net");
	r.id = p->id;
	store_replan(p->q.store, &r, kit_back, k);
	kit_until(k, k->back_cnt == before + 1);
	e = (struct store_read_envelope){ .id = p->id };
	store_read_envelope(p->q.store, &e, kit_back, k);
	kit_until(k, k->back_cnt == before + 2);
	assert_int_equal(e.envelope->delivery.waived_ms, 77);
	assert_int_equal(e.envelope->delivery.waived_until_ms, 99);
	free(e.envelope);
}

/* The store. */

enum harm { HARM_KEY, HARM_RECORD, HARM_VERSION };

/* Harm the one row there is, of the closed store. */
static void
harm(struct kit *k, enum harm how)
{
	struct store_env e;
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val key, val;
	uint8_t kb[64], vb[RECORD_MAX];

	assert_int_equal(store_table_open(&e, k->dir), 0);
	assert_int_equal(mdb_txn_begin(e.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, e.dbi[TABLE_SUSPENSION], &c), 0);
	assert_int_equal(mdb_cursor_get(c, &key, &val, MDB_FIRST), 0);
	memcpy(kb, key.mv_data, key.mv_size);
	memcpy(vb, val.mv_data, val.mv_size);
	assert_int_equal(mdb_cursor_del(c, 0), 0);
	mdb_cursor_close(c);
	key.mv_data = kb;
	val.mv_data = vb;
	if (how == HARM_KEY)
		kb[0] ^= 1;
	else
		vb[how == HARM_RECORD ? 9 : 0] ^= 0x10;
	assert_int_equal(mdb_put(txn, e.dbi[TABLE_SUSPENSION], &key, &val, 0),
	    0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	store_table_close(&e);
}

static void
a_row_that_is_damaged_still_suspends_and_ends_for_good(void **state)
{
	struct play *p = *state;

	for (enum harm how = HARM_KEY; how <= HARM_VERSION; how++) {
		assert_int_equal(call(p, false, "out", ""), STATUS_DONE);
		play_stop_queue(p);
		harm(&p->kit, how);
		play_start_queue(p);
		play_link_edge(p);
		assert_int_equal(suspension_cnt(p->q.suspensions), 1);
		assert_non_null(suspension_of(p->q.suspensions, "out",
		    "out"));
		assert_int_equal(call(p, true, "out", ""), STATUS_DONE);
		restart(p);
		assert_int_equal(suspension_cnt(p->q.suspensions), 0);
	}
}

/* What nobody can have waited for is forgotten, on disk too. */
static void
one_that_is_long_over_is_forgotten(void **state)
{
	struct play *p = *state;
	struct suspension *s;

	assert_int_equal(call(p, false, "out", ""), STATUS_DONE);
	assert_int_equal(call(p, true, "out", ""), STATUS_DONE);
	suspend_look(&p->q);
	turns(p, 10);
	s = suspension_find(p->q.suspensions, "out", "");
	assert_non_null(s);
	s->past_until_ms = store_lived_ms(p->q.store) - 2 * DAY_MS;
	s->past_from_ms = s->past_until_ms - 1;
	suspend_look(&p->q);
	kit_until(&p->kit, suspension_find(p->q.suspensions, "out",
	    "") == NULL);
	play_stop_queue(p);
	assert_int_equal(kit_rows(&p->kit, TABLE_SUSPENSION), 0);
	play_start_queue(p);
}

#define QUEUE(test)							\
	cmocka_unit_test_setup_teardown(test, play_set_up, play_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_compared_as_the_scheduler_does),
		cmocka_unit_test(what_an_old_queue_has_in_u_labels_is_found),
		cmocka_unit_test(each_covers_what_it_names_and_no_more),
		cmocka_unit_test(time_that_waited_is_never_counted),
		cmocka_unit_test(
		    a_domain_on_a_relay_for_all_has_a_place_of_its_own),
		QUEUE(what_is_suspended_waits_untried_and_unread),
		QUEUE(what_is_under_way_ends_as_it_would),
		QUEUE(what_was_just_chosen_goes_back),
		QUEUE(a_restart_knows_it_before_anything_goes_out),
		QUEUE(a_domain_waits_and_its_neighbours_go),
		QUEUE(what_was_queued_before_leaves_its_line),
		QUEUE(only_what_can_be_suspended_is),
		QUEUE(the_lifetime_stands_still),
		QUEUE(nothing_is_given_up_that_was_suspended_for_a_day),
		QUEUE(what_goes_elsewhere_has_its_time_left),
		QUEUE(its_sender_hears_that_it_is_suspended),
		QUEUE(a_move_keeps_what_was_waived),
		QUEUE(a_row_that_is_damaged_still_suspends_and_ends_for_good),
		QUEUE(one_that_is_long_over_is_forgotten),
	};

	return KIT_RUN_BOTH(tests,
	    "a_restart_knows_it_before_anything_goes_out "
	    "nothing_is_given_up_that_was_suspended_for_a_day "
	    "a_row_that_is_damaged_still_suspends_and_ends_for_good");
}
