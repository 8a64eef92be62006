/*
 * What control asks of the queue, over a real link: lists, totals, edits while
 * a relay works, and where an address goes.
 * room: queue
 */
#include "dice.h"
#include "queue_ask.h"

#include "queue/plan/suspect.h"
#include "queue/plan/suspend.h"

static const struct id none;

static int
set_up(void **state)
{
	struct ask *a = calloc(1, sizeof(*a));
	void *play;

	if (play_set_up(&play) != 0)
		return -1;
	ask_link(a, play);
	*state = a;
	return 0;
}

static int
tear_down(void **state)
{
	struct ask *a = *state;
	void *play = a->play;

	ask_unlink(a);
	free(a);
	return play_tear_down(&play);
}

static struct id
take(struct play *p, uint64_t stream)
{
	unsigned before = p->taken_cnt;

	play_send_mail(p, stream, "from@example.org", "to@example.net");
	kit_until(&p->kit, p->taken_cnt > before);
	return p->id;
}

static void
settle(struct kit *k)
{
	for (int i = 0; i < 30; i++)
		kit_turn(k);
}

static void
a_list_comes_in_parts_and_names_where_to_go_on(void **state)
{
	struct ask *a = *state;
	struct id ids[3];

	for (unsigned i = 0; i < 3; i++)
		ids[i] = take(a->play, i + 1);
	ask_list(a, none, 2);
	assert_int_equal(a->end, STATUS_MORE);
	assert_int_equal(a->message_cnt, 2);
	assert_int_equal(a->delivery_cnt, 2);
	assert_int_equal(a->rcpt_cnt, 2);
	assert_int_equal(id_cmp(a->ids[0], ids[0]), 0);
	assert_int_equal(id_cmp(a->last, ids[1]), 0);
	ask_list(a, a->last, 2);
	assert_int_equal(a->end, STATUS_DONE);
	assert_int_equal(a->message_cnt, 1);
	assert_int_equal(id_cmp(a->ids[0], ids[2]), 0);
	assert_int_equal(a->delivery.state, LISTED_DUE);
	assert_string_equal(a->address, "to@example.net");
	ask_list(a, a->last, 2);
	assert_int_equal(a->end, STATUS_DONE);
	assert_int_equal(a->message_cnt, 0);
	assert_int_equal(id_cmp(a->last, ids[2]), 0);
	ask_list(a, none, 3);
	assert_int_equal(a->end, STATUS_DONE);
}

static void
one_message_is_shown_with_its_last_reply(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct id id = take(p, 1);

	take(p, 2);
	ask_show(a, none);
	assert_int_equal(a->end, STATUS_NONE);
	play_wait_for_years(p);
	play_link_relay(p, 1);
	play_list_slots(p, 1);
	kit_until(&p->kit, p->open_cnt == 1);
	ask_show(a, id);
	assert_int_equal(a->delivery.state, LISTED_ACTIVE);
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.1 Busy");
	kit_until(&p->kit, p->settled_cnt == 1);
	ask_show(a, id);
	assert_int_equal(a->end, STATUS_DONE);
	assert_int_equal(a->message_cnt, 1);
	assert_int_equal(a->delivery.attempts, 1);
	assert_int_equal(a->delivery.state, LISTED_DUE);
	assert_int_equal(a->rcpt.code, 450);
	assert_string_equal(a->reply, "4.2.1 Busy");
}

static void
a_message_of_thousands_is_shown_whole(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct span header = SPAN("Subject: hello\r\n\r\n");

	play_open_mail(p, 1, "from@example.org", NULL);
	for (int i = 0; i < 9000; i++) {
		char rcpt[64];

		snprintf(rcpt, sizeof(rcpt), "user%d@example.net", i);
		link_send_mail_rcpt(p->edge, &(struct msg_mail_rcpt){
		    .stream = 1, .rcpt = span_of(rcpt) });
	}
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){
	    .stream = 1, .flags = 0,
	    .header_len = header.len, .body_len = 0 }, header);
	kit_until(&p->kit, p->taken_cnt == 1);
	ask_show(a, p->id);
	assert_int_equal(a->end, STATUS_DONE);
	assert_int_equal(a->message_cnt, 1);
	assert_int_equal(a->rcpt_cnt, 9000);
	assert_string_equal(a->address, "user8999@example.net");
}

static void
totals_count_what_is_held_and_what_is_under_way(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct id id = take(p, 1);

	ask_totals(a);
	assert_int_equal(a->told.messages, 1);
	assert_int_equal(a->told.deliveries, 1);
	assert_int_equal(a->told.held, 0);
	assert_true(a->told.oldest_ms + 60000 >
	    (uint64_t)clock_wall_ms());
	assert_int_equal(ask_edit(a, id, EDIT_HOLD), STATUS_DONE);
	take(p, 2);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 1);
	ask_totals(a);
	assert_int_equal(a->told.held, 1);
	assert_int_equal(a->told.active, 1);
	assert_int_equal(a->told.messages, 2);
	assert_int_equal(ask_edit(a, id, EDIT_REMOVE), STATUS_DONE);
	ask_totals(a);
	assert_int_equal(a->told.held, 0);
	assert_int_equal(a->told.messages, 1);
}

/* As the index's round found; it ends when something is known again. */
static void
mail_that_nobody_finds_is_told_of(void **state)
{
	struct ask *a = *state;

	ask_totals(a);
	assert_false(a->told.lost);
	a->play->q.has_lost = true;
	ask_totals(a);
	assert_true(a->told.lost);
	take(a->play, 1);
	ask_totals(a);
	assert_false(a->told.lost);
}

static void
what_is_held_waits_until_it_is_released(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct id id = take(p, 1);

	assert_int_equal(ask_edit(a, id, EDIT_HOLD), STATUS_DONE);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	settle(&p->kit);
	assert_int_equal(p->open_cnt, 0);
	ask_show(a, id);
	assert_int_equal(a->delivery.state, LISTED_HELD);
	assert_int_equal(ask_edit(a, id, EDIT_FLUSH), STATUS_DONE);
	settle(&p->kit);
	assert_int_equal(p->open_cnt, 0);
	assert_int_equal(ask_edit(a, id, EDIT_RELEASE), STATUS_DONE);
	kit_until(&p->kit, p->open_cnt == 1);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
}

static void
what_is_held_stays_so_through_a_restart(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct id id = take(p, 1);

	assert_int_equal(ask_edit(a, id, EDIT_HOLD), STATUS_DONE);
	ask_unlink(a);
	play_stop_queue(p);
	play_start_queue(p);
	play_link_edge(p);
	ask_link(a, p);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	settle(&p->kit);
	assert_int_equal(p->open_cnt, 0);
	ask_totals(a);
	assert_int_equal(a->told.held, 1);
	ask_show(a, id);
	assert_string_equal(a->holder, "ann");
	assert_int_equal(ask_edit(a, id, EDIT_RELEASE), STATUS_DONE);
	ask_show(a, id);
	assert_string_equal(a->holder, "");
	kit_until(&p->kit, p->open_cnt == 1);
}

/* As the queue itself holds it; deaths as version 1 counted them. */
static void
hold_for(struct play *p, struct id id, enum held why, uint32_t deaths)
{
	struct store_settle s = { .id = id, .due_ms = STORE_HELD_MS,
	    .held = why, .deaths = deaths, .now_ms = clock_wall_ms() };
	unsigned before = p->kit.back_cnt;

	store_settle(p->q.store, &s, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt > before);
	assert_int_equal(p->kit.last, OK);
}

static void
it_is_shown_what_holds_it_and_until_when(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct id id = take(p, 1);
	int64_t life_ms = p->q.settings.retry.lifetime_ms, left_ms;

	assert_int_equal(ask_edit(a, id, EDIT_HOLD), STATUS_DONE);
	for (unsigned kind = HELD_ADMINISTRATOR; kind <= HELD__COUNT; kind++) {
		bool is_old = kind == HELD__COUNT;
		enum held is = is_old ? HELD_DEATHS : kind;

		if (kind != HELD_ADMINISTRATOR)
			hold_for(p, id, is_old ? HELD_UNSAID : kind,
			    is_old ? STORE_DEATHS_MAX : 0);
		ask_show(a, id);
		assert_int_equal(a->delivery.state, LISTED_HELD);
		assert_int_equal(a->delivery.held, is);
		assert_string_equal(a->holder, kind == HELD_ADMINISTRATOR ?
		    "ann" : "");
		left_ms = (int64_t)a->delivery.until_ms - clock_wall_ms();
		if (is == HELD_DEATHS)
			assert_in_range(left_ms, life_ms - 60000, life_ms);
		else
			assert_int_equal(a->delivery.until_ms, 0);
	}
}

static void
what_a_relay_has_is_neither_held_nor_removed(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct id id = take(p, 1);

	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 1);
	assert_int_equal(ask_edit(a, id, EDIT_HOLD), STATUS_BUSY);
	assert_int_equal(ask_edit(a, id, EDIT_REMOVE), STATUS_BUSY);
	assert_int_equal(ask_edit(a, id, EDIT_FLUSH), STATUS_DONE);
	assert_int_equal(ask_edit(a, id, EDIT_RELEASE), STATUS_DONE);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(ask_edit(a, id, EDIT_REMOVE), STATUS_NONE);
	assert_int_equal(p->q.message_cnt, 0);
	assert_int_equal(p->open_cnt, 1);
}

static void
what_is_removed_is_never_sent_and_bounces_nothing(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct id id = take(p, 1);

	assert_int_equal(ask_edit(a, id, EDIT_REMOVE), STATUS_DONE);
	assert_int_equal(p->q.message_cnt, 0);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	settle(&p->kit);
	assert_int_equal(p->open_cnt, 0);
	ask_list(a, none, 64);
	assert_int_equal(a->message_cnt, 0);
	ask_show(a, id);
	assert_int_equal(a->end, STATUS_NONE);
}

static void
a_flush_sends_at_once_what_would_wait(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct id id;

	play_wait_for_years(p);
	p->q.settings.retry.maximum = 100;
	id = take(p, 1);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 1);
	/* Not reached at all: the destination is down, too. */
	play_answer(p, CLASS_LATER, SCOPE_DESTINATION, 0, "4.4.1 Away");
	kit_until(&p->kit, p->settled_cnt == 1);
	for (int i = 2; i < 12; i++) {
		assert_int_equal(ask_edit(a, id, EDIT_FLUSH), STATUS_DONE);
		kit_until(&p->kit, p->open_cnt == (unsigned)i);
		play_answer(p, CLASS_LATER, SCOPE_DESTINATION, 0,
		    "4.4.1 Away");
		kit_until(&p->kit, p->settled_cnt == (unsigned)i);
	}
}

static void
a_list_says_for_what_a_delivery_waits(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	uint64_t before_ms = (uint64_t)clock_wall_ms();
	struct id id = take(p, 1);

	play_wait_for_years(p);
	ask_show(a, id);
	assert_int_equal(a->delivery.waits, WAITS_AWAY);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 1);
	ask_show(a, id);
	assert_int_equal(a->delivery.state, LISTED_ACTIVE);
	assert_int_equal(a->delivery.waits, WAITS_NOTHING);
	play_answer(p, CLASS_LATER, SCOPE_DESTINATION, 0, "4.4.1 Away");
	kit_until(&p->kit, p->settled_cnt == 1);
	ask_show(a, id);
	assert_int_equal(a->delivery.state, LISTED_DUE);
	assert_int_equal(a->delivery.waits, WAITS_DOWN);
	assert_true(a->delivery.down_ms + 1 >= before_ms);
	assert_true(a->delivery.down_ms <= (uint64_t)clock_wall_ms() + 1);
	assert_true(a->delivery.probe_ms > a->delivery.down_ms);
}

static void
what_is_held_grows_too_old_only_when_released(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct id id = take(p, 1);

	assert_int_equal(ask_edit(a, id, EDIT_HOLD), STATUS_DONE);
	p->q.settings.retry.lifetime_ms = 1;
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	settle(&p->kit);
	assert_int_equal(p->q.message_cnt, 1);
	ask_show(a, id);
	assert_int_equal(a->delivery.state, LISTED_HELD);
	assert_int_equal(ask_edit(a, id, EDIT_RELEASE), STATUS_DONE);
	kit_until(&p->kit, p->open_cnt == 1);
	play_answer(p, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.1 Busy");
	kit_until(&p->kit, p->settled_cnt == 1);
	kit_until(&p->kit, p->open_cnt == 2);	/* the bounce */
	assert_string_equal(p->rcpt, "from@example.org");
	ask_show(a, id);
	assert_int_equal(a->end, STATUS_NONE);
}

/* Deaths are counted anew when somebody has looked at it. */
static void
deaths_hold_until_a_release(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct id id = take(p, 1);
	struct delivery *dl;
	int64_t end_ms = clock_mono_ms() + KIT_PATIENCE_MS;

	for (uint32_t start = 1; start <= 3; start++) {
		play_link_relay(p, start);
		play_list_slots(p, 10);
		kit_until(&p->kit, p->open_cnt == start);
	}
	dl = due_find(p->q.due, id, 0);
	assert_non_null(dl);
	play_age_in_deaths(p, dl, SUSPECT_DEATHS_MAX - 1);
	play_link_relay(p, 4);
	play_list_slots(p, 10);
	do
		ask_show(a, id);
	while (a->delivery.state != LISTED_HELD &&
	    clock_mono_ms() < end_ms);
	assert_int_equal(a->delivery.state, LISTED_HELD);
	assert_int_equal(ask_edit(a, id, EDIT_RELEASE), STATUS_DONE);
	kit_until(&p->kit, p->open_cnt == 4);
	play_link_relay(p, 5);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 5);
	play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
	kit_until(&p->kit, p->settled_cnt == 1);
	assert_int_equal(p->q.message_cnt, 0);
}

static void
two_edits_of_a_message_do_not_meet(void **state)
{
	struct ask *a = *state;
	struct id id = take(a->play, 1);

	for (int i = 0; i < 20; i++)
		link_send_edit_ask(a->link, &(struct msg_edit_ask){ 1,
		    SPAN("main"), id, i % 2 ? EDIT_HOLD : EDIT_RELEASE,
		    SPAN(""), SPAN("") });
	kit_until(&a->play->kit, a->edit_cnt == 20);
	assert_int_equal(a->status_cnt[STATUS_DONE] +
	    a->status_cnt[STATUS_BUSY], 20);
	assert_true(a->status_cnt[STATUS_BUSY] > 0);
	assert_true(a->status_cnt[STATUS_DONE] > 0);
}

static void
too_many_lists_at_once_are_told_so(void **state)
{
	struct ask *a = *state;

	take(a->play, 1);
	for (unsigned i = 0; i < 100; i++)
		link_send_list_ask(a->link, &(struct msg_list_ask){ i,
		    SPAN("main"), none, 64 });
	kit_until(&a->play->kit, a->end_cnt == 100);
	assert_true(a->message_cnt >= 64);
	assert_true(a->message_cnt < 100);
}

static void
control_may_leave_with_everything_on_its_way(void **state)
{
	struct ask *a = *state;
	struct id id = take(a->play, 1);

	link_send_edit_ask(a->link, &(struct msg_edit_ask){ 1, SPAN("main"),
	    id, EDIT_HOLD, SPAN(""), SPAN("") });
	for (unsigned i = 0; i < 20; i++) {
		link_send_list_ask(a->link, &(struct msg_list_ask){ i,
		    SPAN("main"), none, 64 });
		link_send_queue_ask(a->link, &(struct msg_queue_ask){ i,
		    SPAN("main") });
	}
	kit_until(&a->play->kit, a->told_cnt > 0);
	ask_unlink(a);
	ask_link(a, a->play);
	do				/* the hold may not be on disk yet */
		ask_totals(a);
	while (a->told.held == 0);
	assert_int_equal(a->told.held, 1);
}

static void
an_action_that_is_none_makes_no_sense(void **state)
{
	struct ask *a = *state;
	struct id id = take(a->play, 1);

	assert_int_equal(control_edit(LIST_FIRST(&a->play->q.controls),
	    &(struct msg_edit_ask){ 1, SPAN("main"), id, EDIT__COUNT,
	    SPAN(""), SPAN("") }),
	    ERR_PEER);
}

static void
use_two_relays(struct play *p)
{
	struct routes *r;

	settings_fini(&p->q.settings);
	assert_int_equal(route_new(&r), OK);
	assert_int_equal(route_add_relay(r, SPAN("out"), ROUTE_MX), OK);
	assert_int_equal(route_add_relay(r, SPAN("box"), ROUTE_OUT), OK);
	assert_int_equal(route_add_rcpt(r, SPAN("box"),
	    SPAN("ann@example.org")), OK);
	assert_int_equal(route_add(r, ROUTE_BY_RCPT, SPAN("@example.org"),
	    ROUTE_DOES_RELAY, SPAN("box")), OK);
	assert_int_equal(route_add(r, ROUTE_BY_RCPT, SPAN("@example.net"),
	    ROUTE_DOES_RELAY, SPAN("out")), OK);
	p->q.settings.routes = r;
	intake_tell(p->q.intake);
}

static void
ask_route(struct ask *a, const char *address)
{
	unsigned before = a->route_cnt;

	link_send_route_ask(a->link, &(struct msg_route_ask){ .request = 1,
	    .queue = SPAN("main"), .address = span_of(address) });
	kit_until(&a->play->kit, a->route_cnt > before);
}

static void
ask_alias(struct ask *a, const char *address, uint32_t from)
{
	unsigned before = a->alias_end_cnt;

	a->aliases[0] = '\0';
	link_send_alias_ask(a->link, &(struct msg_alias_ask){ .request = 1,
	    .queue = SPAN("main"), .address = span_of(address),
	    .from = from });
	kit_until(&a->play->kit, a->alias_end_cnt > before);
}

static void
whom_an_address_stands_for_is_told_in_parts(void **state)
{
	struct ask *a = *state;
	struct queue *q = &a->play->q;
	struct alias_table *t;
	char name[32];

	ask_alias(a, "root", 0);
	assert_string_equal(a->aliases, "root@mx.example.org 250 ");
	assert_int_equal(alias_table_new(&t), OK);
	assert_int_equal(alias_table_begin(t, SPAN("root@mx.example.org")),
	    OK);
	assert_int_equal(alias_table_add(t, ALIASES_NAME, SPAN("a@x.example")),
	    OK);
	assert_int_equal(alias_table_begin(t,
	    SPAN("owner-root@mx.example.org")), OK);
	assert_int_equal(alias_table_add(t, ALIASES_NAME, SPAN("b@x.example")),
	    OK);
	assert_int_equal(alias_table_begin(t, SPAN("@none.example")), OK);
	assert_int_equal(alias_table_begin(t, SPAN("all@x.example")), OK);
	for (int i = 0; i < 102; i++) {
		snprintf(name, sizeof(name), "u%d@y.example", i);
		assert_int_equal(alias_table_add(t, ALIASES_NAME,
		    span_of(name)), OK);
	}
	q->settings.aliases = t;
	queue_use_aliases(q);
	ask_alias(a, "root", 0);
	assert_string_equal(a->aliases,
	    "a@x.example/owner-root@mx.example.org 250 ");
	assert_int_equal(a->alias_code, 250);
	assert_int_equal(a->alias_next, 0);
	ask_alias(a, "ann@none.example", 0);
	assert_string_equal(a->aliases, "");
	assert_int_equal(a->alias_code, 550);
	ask_alias(a, "all@x.example", 0);
	assert_int_equal(a->alias_next, 100);
	ask_alias(a, "all@x.example", 100);
	assert_string_equal(a->aliases, "u100@y.example 250 "
	    "u101@y.example 250 ");
	assert_int_equal(a->alias_next, 0);
	ask_alias(a, "all@x.example", 4000000000u);
	assert_string_equal(a->aliases, "");
}

static void
where_an_address_goes_is_told_with_its_rule(void **state)
{
	struct ask *a = *state;

	ask_route(a, "any@example.com");
	assert_string_equal(a->relay, "out");
	assert_string_equal(a->rule, "");
	use_two_relays(a->play);
	ask_route(a, "Any@Example.NET");
	assert_int_equal(a->route_code, 250);
	assert_string_equal(a->relay, "out");
	assert_string_equal(a->rule, "@example.net");
	assert_string_equal(a->destination, "example.net");
	ask_route(a, "bob@example.org");
	assert_int_equal(a->route_code, 550);
	assert_string_equal(a->relay, "box");
	ask_route(a, "bob@example.com");
	assert_int_equal(a->route_code, 550);
	assert_string_equal(a->relay, "");
	ask_route(a, "rubbish");
	assert_int_equal(a->route_code, 550);
}

static void
told_done(enum tool_status status, void *arg)
{
	*(bool *)arg = status == STATUS_DONE;
}

static void
suspend(struct ask *a, const char *relay, const char *domain, bool ends)
{
	struct suspend_what w = { .relay = span_of(relay),
	    .domain = span_of(domain), .reason = SPAN("It moves") };
	bool is_done = false;
	enum tool_status why;

	assert_true((ends ? suspend_end : suspend_begin)(&a->play->q, &w, &why,
	    told_done, &is_done));
	kit_until(&a->play->kit, is_done);
}

static void
a_route_says_that_mail_would_wait(void **state)
{
	struct ask *a = *state;

	use_two_relays(a->play);
	ask_route(a, "any@example.net");
	assert_string_equal(a->waits, "no");
	suspend(a, "", "Example.NET", false);
	ask_route(a, "any@example.net");
	assert_int_equal(a->route_code, 250);
	assert_string_equal(a->waits, "yes It moves");
	ask_route(a, "ann@example.org");
	assert_string_equal(a->waits, "no");
	suspend(a, "", "Example.NET", true);
	ask_route(a, "any@example.net");
	assert_string_equal(a->waits, "no");
	suspend(a, "box", "", false);
	ask_route(a, "ann@example.org");
	assert_string_equal(a->waits, "yes It moves");
	ask_route(a, "any@example.net");
	assert_string_equal(a->waits, "no");
}

static void
a_message_for_two_relays_is_two_deliveries(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct span header = SPAN("Subject: hello\r\n\r\n");

	kit_until(&p->kit, p->state_cnt == 1);
	assert_false(p->said_asks);
	use_two_relays(p);
	kit_until(&p->kit, p->state_cnt == 2);
	assert_true(p->said_asks);
	play_open_mail(p, 1, "from@example.org", "ann@example.org");
	link_send_mail_rcpt(p->edge, &(struct msg_mail_rcpt){
	    .stream = 1, .rcpt = SPAN("bob@example.net") });
	link_send_mail_commit(p->edge, &(struct msg_mail_commit){
	    .stream = 1, .flags = 0,
	    .header_len = header.len, .body_len = 0 }, header);
	kit_until(&p->kit, p->taken_cnt == 1);
	ask_show(a, p->id);
	assert_int_equal(a->delivery_cnt, 2);
	assert_int_equal(a->rcpt_cnt, 2);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 1);
	assert_string_equal(p->rcpt, "bob@example.net");
	assert_int_equal(ask_edit(a, p->id, EDIT_REMOVE), STATUS_BUSY);
	assert_int_equal(p->rcpt_cnt, 1);
}

/* A reload came between RCPT and the end of the data. */
static void
a_recipient_that_lost_its_route_is_asked_for_again(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;

	use_two_relays(p);
	play_send_mail(p, 1, "from@example.org", "bob@example.com");
	kit_until(&p->kit, p->refused_cnt == 1);
	assert_int_equal(p->refused_code, 451);
}

/* Its sender is nobody here and there is no way out: nothing is queued. */
static void
a_bounce_that_has_no_route_is_not_made(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;

	use_two_relays(p);
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	play_send_mail(p, 1, "from@example.com", "bob@example.net");
	kit_until(&p->kit, p->open_cnt == 1);
	play_answer(p, CLASS_NEVER, SCOPE_RECIPIENT, 550, "5.1.1 Unknown");
	kit_until(&p->kit, p->settled_cnt == 1 && p->q.message_cnt == 0);
	play_send_mail(p, 2, "ann@example.org", "bob@example.net");
	kit_until(&p->kit, p->open_cnt == 2);
	play_answer(p, CLASS_NEVER, SCOPE_RECIPIENT, 550, "5.1.1 Unknown");
	kit_until(&p->kit, p->settled_cnt == 2 &&
	    !telling_is_busy(p->q.reports));
	assert_int_equal(p->q.message_cnt, 1);
	ask_list(a, none, 64);
	assert_string_equal(a->address, "ann@example.org");
}

static void
count_edit(enum tool_status status, void *arg)
{
	assert_int_equal(status, STATUS_DONE);
	++*(unsigned *)arg;
}

/* The writer has so much to do that an envelope is read before its commit. */
static void
keep_writer_busy(struct play *p, struct store_mail *mail,
    struct store_piece *pieces, unsigned cnt)
{
	static char text[PIECE_MAX];

	mail->id = queue_mint(&p->q);
	for (unsigned i = 0; i < cnt; i++) {
		pieces[i] = (struct store_piece){ .mail = mail,
		    .part = PART_BODY, .piece_no = i,
		    .text = { text, sizeof(text) } };
		store_put_piece(p->q.store, &pieces[i], kit_back, &p->kit);
	}
}

static void
nothing_is_sent_while_its_edit_is_on_its_way(void **state)
{
	enum { CNT = 400 };
	static struct store_piece pieces[CNT];
	struct store_mail mail = { .begun = false };
	struct ask *a = *state;
	struct play *p = a->play;
	struct id id = take(p, 1);
	unsigned edited = 0;
	enum tool_status why;

	play_link_relay(p, 1);
	play_list_slots(p, 0);
	settle(&p->kit);
	keep_writer_busy(p, &mail, pieces, CNT);
	assert_true(edit_start(&p->q, id, EDIT_HOLD, SPAN(""),
		    &why, count_edit,
	    &edited));
	play_list_slots(p, 10);
	kit_until(&p->kit, edited == 1 && p->kit.back_cnt == CNT);
	settle(&p->kit);
	assert_int_equal(p->open_cnt, 0);
	assert_int_equal(dispatch_active_cnt(p->q.dispatch), 0);
	assert_int_equal(ask_edit(a, id, EDIT_RELEASE), STATUS_DONE);
	kit_until(&p->kit, p->open_cnt == 1);
}

/* A read from before an edit may bring the old row in front of the new one. */
static void
a_stale_row_hides_no_right_one(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	struct store_place place;
	struct kit_mail m;

	kit_mail(&p->kit, &m, SPAN("A: b\r\n\r\n"), SPAN("text\r\n"));
	store_accept(p->q.store, &m.accept, kit_back, &p->kit);
	kit_until(&p->kit, p->kit.back_cnt == 1);
	for (int64_t ms = 5000; ms >= 0; ms -= 5000) {
		place = (struct store_place){ m.where.due_ms - ms, m.mail.id,
		    0 };
		due_note(p->q.due, m.where.relay, m.where.destination,
		    m.where.tenant, &place);
	}
	play_link_relay(p, 1);
	play_list_slots(p, 10);
	kit_until(&p->kit, p->open_cnt == 1);
}

/*
 * Holds, releases and flushes fall upon deliveries in every state: whatever
 * they meet, each message is sent once.
 */
static void
edits_lose_and_double_nothing(void **state)
{
	struct ask *a = *state;
	struct play *p = a->play;
	enum { CNT = 60 };
	struct id ids[CNT];

	dice_begin();
	play_link_relay(p, 1);
	play_list_slots(p, 3);
	for (unsigned i = 0; i < CNT; i++)
		ids[i] = take(p, i + 1);
	for (unsigned round = 0; round < 400; round++) {
		unsigned opened = p->open_cnt, edits = a->edit_cnt;

		for (unsigned i = 0; i < 4; i++)
			link_send_edit_ask(a->link, &(struct msg_edit_ask){ 1,
			    SPAN("main"), ids[random() % CNT],
			    (uint8_t)(random() % EDIT_REMOVE),
			    SPAN(""), SPAN("") });
		kit_until(&p->kit, a->edit_cnt == edits + 4);
		if (round % 40 == 0) {		/* deliveries are put back */
			play_link_relay(p, 1);
			play_list_slots(p, 3);
		}
		if (p->open_cnt > opened && round % 3 == 0)
			play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250,
			    "2.0.0 Ok");
	}
	for (unsigned i = 0; i < CNT; i++)
		assert_int_not_equal(ask_edit_patiently(a, ids[i],
		    EDIT_RELEASE), STATUS_FAILED);
	play_link_relay(p, 1);		/* all are given back ... */
	play_list_slots(p, 1);		/* ... and come one by one */
	for (unsigned left = (unsigned)p->q.message_cnt; left > 0; left--) {
		unsigned settled = p->settled_cnt;

		kit_until(&p->kit, dispatch_active_cnt(p->q.dispatch) == 1);
		settle(&p->kit);
		play_answer(p, CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 Ok");
		kit_until(&p->kit, p->settled_cnt > settled);
		assert_int_equal(p->q.message_cnt, left - 1);
	}
	ask_totals(a);
	assert_int_equal(a->told.held, 0);
	assert_int_equal(a->told.deliveries, 0);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_comes_in_parts_and_names_where_to_go_on),
		TEST(one_message_is_shown_with_its_last_reply),
		TEST(a_message_of_thousands_is_shown_whole),
		TEST(totals_count_what_is_held_and_what_is_under_way),
		TEST(mail_that_nobody_finds_is_told_of),
		TEST(what_is_held_waits_until_it_is_released),
		TEST(it_is_shown_what_holds_it_and_until_when),
		TEST(what_is_held_stays_so_through_a_restart),
		TEST(what_a_relay_has_is_neither_held_nor_removed),
		TEST(what_is_removed_is_never_sent_and_bounces_nothing),
		TEST(a_flush_sends_at_once_what_would_wait),
		TEST(a_list_says_for_what_a_delivery_waits),
		TEST(what_is_held_grows_too_old_only_when_released),
		TEST(deaths_hold_until_a_release),
		TEST(two_edits_of_a_message_do_not_meet),
		TEST(too_many_lists_at_once_are_told_so),
		TEST(control_may_leave_with_everything_on_its_way),
		TEST(an_action_that_is_none_makes_no_sense),
		TEST(whom_an_address_stands_for_is_told_in_parts),
		TEST(where_an_address_goes_is_told_with_its_rule),
		TEST(a_route_says_that_mail_would_wait),
		TEST(a_message_for_two_relays_is_two_deliveries),
		TEST(a_recipient_that_lost_its_route_is_asked_for_again),
		TEST(a_bounce_that_has_no_route_is_not_made),
		TEST(nothing_is_sent_while_its_edit_is_on_its_way),
		TEST(a_stale_row_hides_no_right_one),
		TEST(edits_lose_and_double_nothing),
	};

	return KIT_RUN_BOTH(tests,
	    "what_is_held_stays_so_through_a_restart");
}
