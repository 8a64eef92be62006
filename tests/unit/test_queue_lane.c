/*
 * test_queue_lane - the shares of a relay's slots: who hangs, and who waits for
 * that.
 * room: queue
 */
#include "queue_play.h"

#include "queue/plan/dispatch_inside.h"

#define SLOTS	16
#define HANGING	12		/* more than any share of theirs	*/

/* Each domain is a destination. */
static int
set_up(void **state)
{
	struct play *p;
	struct routes *r;

	if (play_set_up(state) != 0)
		return -1;
	p = *state;
	assert_int_equal(route_new(&r), OK);
	assert_int_equal(route_add_relay(r, SPAN("out"), ROUTE_MX), OK);
	assert_int_equal(route_set_last(r, SPAN("out")), OK);
	route_free(&p->q.settings.routes);
	p->q.settings.routes = r;
	play_link_relay(p, 1);
	play_list_slots(p, 0);
	return 0;
}

static struct destination *
send_to(struct play *p, uint64_t no, const char *domain)
{
	unsigned taken = p->taken_cnt;
	char rcpt[80];

	snprintf(rcpt, sizeof(rcpt), "to@%s", domain);
	play_send_mail(p, no, "from@example.org", rcpt);
	kit_until(&p->kit, p->taken_cnt == taken + 1);
	return due_find_destination(p->q.due, SPAN("out"), span_of(domain));
}

/* A crowd of which each has been given up for that patience. */
static void
fill(struct play *p, int64_t patience_ms)
{
	char domain[40];

	for (unsigned i = 0; i < HANGING; i++) {
		struct destination *d;

		snprintf(domain, sizeof(domain), "d%u.example.net", i);
		d = send_to(p, i + 1, domain);
		assert_non_null(d);
		d->patience_ms = patience_ms;
		lane_put(d, ev_now_ms(p->q.loop));
	}
}

static struct worker *
worker_of(struct play *p)
{
	return LIST_FIRST(&p->q.dispatch->workers);
}

/* The relay gives back the one of that domain, as it was asked to. */
static void
give_back(struct play *p, const char *domain, uint64_t host)
{
	struct msg_delivery_back m = { .why = BACK_RECALLED, .host = host };
	struct delivery *dl;

	TAILQ_FOREACH(dl, &worker_of(p)->running, entry)
		if (strcmp(due_destination(dl)->name, domain) == 0)
			break;
	assert_non_null(dl);
	dl->is_recalled = true;
	m.id = dl->place.id;
	m.delivery = dl->place.no;
	m.attempt = dl->attempt;
	assert_int_equal(dispatch_back(worker_of(p), &m), OK);
}

static void
turns(struct play *p, int cnt)
{
	for (int i = 0; i < cnt; i++)
		kit_turn(&p->kit);
}

static unsigned
under_way(struct play *p, const char *domain)
{
	struct destination *d = due_find_destination(p->q.due, SPAN("out"),
	    span_of(domain));

	return d != NULL ? d->running : 0;
}

/* Those that hang for minutes hold all slots that they may. */
static void
who_is_given_up_once_does_not_wait_for_those_that_hang(void **state)
{
	struct play *p = *state;

	fill(p, 300000);
	play_list_slots(p, SLOTS);
	kit_until(&p->kit, p->open_cnt == SLOTS * 2 / 8);
	send_to(p, 100, "healthy.example.net");
	kit_until(&p->kit, under_way(p, "healthy.example.net") == 1);
	kit_until(&p->kit, p->open_cnt == SLOTS * 2 / 8 + 1);
	give_back(p, "healthy.example.net", 0);
	assert_int_equal(under_way(p, "healthy.example.net"), 0);
	kit_until(&p->kit, under_way(p, "healthy.example.net") == 1);
}

/* All were given up once; it alone before a host of it was known. */
static void
whose_names_took_long_goes_in_front(void **state)
{
	struct play *p = *state;
	char domain[40];

	fill(p, 1000);
	play_list_slots(p, SLOTS);
	kit_until(&p->kit, p->open_cnt > 0);
	turns(p, 20);
	send_to(p, 100, "healthy.example.net");
	kit_until(&p->kit, under_way(p, "healthy.example.net") == 1);
	turns(p, 20);
	give_back(p, "healthy.example.net", 0);
	turns(p, 20);
	assert_int_equal(under_way(p, "healthy.example.net"), 0);
	/* One turn of four is that of who has waited longest. */
	for (unsigned i = 0; i < 2; i++) {
		snprintf(domain, sizeof(domain), "d%u.example.net", i);
		give_back(p, domain, 7 + i);
		turns(p, 20);
	}
	assert_int_equal(under_way(p, "healthy.example.net"), 1);
}

static void
new_ones_have_three_of_eight_beside_those_that_hang(void **state)
{
	struct play *p = *state;
	char domain[40];

	fill(p, 300000);
	play_list_slots(p, SLOTS);
	kit_until(&p->kit, p->open_cnt == SLOTS * 2 / 8);
	for (unsigned i = 0; i < HANGING; i++) {
		snprintf(domain, sizeof(domain), "d%u.new.example", i);
		assert_non_null(send_to(p, 200 + i, domain));
	}
	kit_until(&p->kit, p->open_cnt == SLOTS * 5 / 8);
	turns(p, 20);
	assert_int_equal(p->open_cnt, SLOTS * 5 / 8);
}

int
main(void)
{
#define TEST(t)	cmocka_unit_test_setup_teardown(t, set_up, play_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(who_is_given_up_once_does_not_wait_for_those_that_hang),
		TEST(whose_names_took_long_goes_in_front),
		TEST(new_ones_have_three_of_eight_beside_those_that_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
