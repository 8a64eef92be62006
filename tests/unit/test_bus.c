/*
 * test_bus - the codec and the permissions made from messages.def, row by row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "bus/messages.h"

#define ROUNDS		50	/* random messages of each type */
#define BIT(role)	(1u << ROLE_##role)
#define MASTER		BIT(MASTER)
#define EDGE		BIT(EDGE)
#define EDGES		(BIT(EDGE) | BIT(PICKUP))
#define QUEUE		BIT(QUEUE)
#define PROXY		BIT(PROXY)
#define QUEUES		(QUEUE | PROXY)
#define RELAY		BIT(RELAY)
#define RELAYS		(BIT(RELAY) | BIT(MAILDIR) | BIT(PIPE) | \
			 BIT(BLACKHOLE) | BIT(LOCAL))
#define LOCAL		BIT(LOCAL)
#define RESOLVER	BIT(RESOLVER)
#define KEYS		BIT(KEYS)
#define USERS		BIT(USERS)
#define CONTROL		BIT(CONTROL)
#define TOOL		BIT(TOOL)
#define LASTING		(QUEUES | RESOLVER | KEYS | USERS | CONTROL)
#define EVERYONE	(EDGES | LASTING | RELAYS)
#define ANYONE		(MASTER | EVERYONE | TOOL)
#define TOOLS		(TOOL | CONTROL)
#define ASKED		(CONTROL | QUEUES)
#define ANSWERS		(QUEUES | CONTROL)

static char text[BUS_BLOB_MAX + 2];	/* what random strings are cut from */
static uint8_t frame[FRAME_MAX];

static uint64_t
some(uint64_t max)
{
	uint64_t bits = (uint64_t)random() << 62 ^ (uint64_t)random() << 31 ^
	    (uint64_t)random();

	return max == UINT64_MAX ? bits : bits % (max + 1);
}

/* Short ones, long ones and empty ones. */
static struct span
some_span(size_t max)
{
	size_t len = (size_t)some(random() % 4 == 0 ? max : 20);

	return (struct span){ text + some(10), len > max - 10 ? max : len };
}

static struct id
some_id(void)
{
	struct id id;

	for (size_t i = 0; i < sizeof(id.b); i++)
		id.b[i] = (uint8_t)random();
	return id;
}

/* Filling a message, and comparing two, field by field. */

#define U8(f)	m->f = (uint8_t)some(UINT8_MAX);
#define U16(f)	m->f = (uint16_t)some(UINT16_MAX);
#define U32(f)	m->f = (uint32_t)some(UINT32_MAX);
#define U64(f)	m->f = some(UINT64_MAX);
#define ID(f)	m->f = some_id();
#define STR(f)	m->f = some_span(BUS_STR_MAX);
#define SECRET(f) m->f = some_span(BUS_STR_MAX);
#define BLOB(f)	m->f = some_span(BUS_BLOB_MAX - 16);
#define MSG(name, from, to, carries, fields)				\
static void								\
fill_##name(union msg *any)						\
{									\
	struct msg_##name *m = &any->name;				\
	fields								\
}
#include "bus/messages.def"
#undef MSG
#undef U8
#undef U16
#undef U32
#undef U64
#undef ID
#undef STR
#undef SECRET
#undef BLOB

#define U8(f)	assert_int_equal(a->f, b->f);
#define U16(f)	assert_int_equal(a->f, b->f);
#define U32(f)	assert_int_equal(a->f, b->f);
#define U64(f)	assert_true(a->f == b->f);
#define ID(f)	assert_int_equal(id_cmp(a->f, b->f), 0);
#define STR(f)	assert_true(span_eq(a->f, b->f));
#define SECRET(f) assert_true(span_eq(a->f, b->f));
#define BLOB(f)	assert_true(span_eq(a->f, b->f));
#define MSG(name, from, to, carries, fields)				\
static void								\
compare_##name(const union msg *left, const union msg *right)		\
{									\
	const struct msg_##name *a = &left->name, *b = &right->name;	\
	fields								\
}
#include "bus/messages.def"
#undef MSG
#undef U8
#undef U16
#undef U32
#undef U64
#undef ID
#undef STR
#undef SECRET
#undef BLOB

/* How many strings a message has. */
#define U8(f)
#define U16(f)
#define U32(f)
#define U64(f)
#define ID(f)
#define STR(f)	+ 1
#define SECRET(f) + 1
#define BLOB(f)	+ 1

static const struct {
	const char	*name;
	unsigned	 from, to;
	enum msg_carries carries;
	unsigned	 strings;
	void		(*fill)(union msg *);
	void		(*compare)(const union msg *, const union msg *);
} rows[] = {
#define MSG(name, from, to, carries, fields)				\
	{ #name, from, to, CARRIES_##carries, 0 fields, fill_##name,	\
	    compare_##name },
#include "bus/messages.def"
#undef MSG
};

#undef U8
#undef U16
#undef U32
#undef U64
#undef ID
#undef STR
#undef SECRET
#undef BLOB

#define ROW_CNT	(sizeof(rows) / sizeof(rows[0]))

static size_t
encode(unsigned type, const union msg *m)
{
	struct wire_out w = { frame, 0, FRAME_FIELDS_MAX, false };

	msg_put(&w, type, m);
	assert_false(w.bad);
	return w.len;
}

/* Read from a copy of exactly this size, so that a sanitizer sees overruns. */
static enum err
decode(const uint8_t *bytes, size_t len, unsigned type)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	union msg m;
	enum err e;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	e = msg_get(exact, len, type, &m);
	free(exact);
	return e;
}

static void
every_message_survives_the_way(void **state)
{
	assert_int_equal(ROW_CNT, MSG__COUNT);
	for (unsigned type = 0; type < ROW_CNT; type++)
		for (int i = 0; i < ROUNDS; i++) {
			uint8_t first[FRAME_FIELDS_MAX];
			union msg m, got;
			size_t len;

			rows[type].fill(&m);
			len = encode(type, &m);
			memcpy(first, frame, len);
			assert_int_equal(msg_get(first, len, type, &got), OK);
			rows[type].compare(&m, &got);
			assert_int_equal(encode(type, &got), len);
			assert_memory_equal(frame, first, len);
		}
}

static void
every_truncation_is_refused(void **state)
{
	for (unsigned type = 0; type < ROW_CNT; type++) {
		uint8_t whole[FRAME_FIELDS_MAX];
		union msg m;
		size_t len;

		rows[type].fill(&m);
		len = encode(type, &m);
		memcpy(whole, frame, len);
		assert_int_equal(decode(whole, len, type), OK);
		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(decode(whole, cut, type), ERR_PEER);
	}
}

static void
one_byte_too_many_is_refused(void **state)
{
	for (unsigned type = 0; type < ROW_CNT; type++) {
		union msg m;
		size_t len;

		rows[type].fill(&m);
		len = encode(type, &m);
		frame[len] = 0;
		assert_int_equal(decode(frame, len + 1, type), ERR_PEER);
	}
}

static void
a_buffer_too_small_is_told(void **state)
{
	for (unsigned type = 0; type < ROW_CNT; type++) {
		union msg m;
		size_t len;

		rows[type].fill(&m);
		len = encode(type, &m);
		for (size_t cap = 0; cap < len; cap++) {
			struct wire_out w = { frame, 0, cap, false };

			msg_put(&w, type, &m);
			assert_true(w.bad);
			assert_true(w.len <= cap);
		}
	}
}

/* A relay that a mail cannot pass on to as it comes. */
static bool
is_whole(unsigned role)
{
	return role == ROLE_MAILDIR || role == ROLE_PIPE ||
	    role == ROLE_BLACKHOLE || role == ROLE_LOCAL;
}

static void
only_the_rows_may_send(void **state)
{
	for (unsigned type = 0; type < ROW_CNT; type++)
		for (unsigned from = 0; from < ROLE__COUNT; from++)
			for (unsigned to = 0; to < ROLE__COUNT; to++)
				assert_int_equal(msg_allowed(type, from, to),
				    (rows[type].from >> from & 1) &&
				    (rows[type].to >> to & 1) &&
				    (from != ROLE_TOOL ||
				    to == ROLE_CONTROL) &&
				    (to != ROLE_TOOL ||
				    from == ROLE_CONTROL) &&
				    (from != ROLE_PROXY || !is_whole(to)) &&
				    (to != ROLE_PROXY || !is_whole(from)));
}

/* What must hold however the rows change. */
static void
nobody_gives_orders_above_his_station(void **state)
{
	for (unsigned type = 0; type < ROW_CNT; type++) {
		bool from_check = msg_allowed(type, ROLE_CHECK, ROLE_MASTER);

		assert_false(from_check);
		assert_false(msg_allowed(type, ROLE_EDGE, ROLE_RELAY) &&
		    type != MSG_hello);
		assert_false(msg_allowed(type, ROLE_RELAY, ROLE_EDGE) &&
		    type != MSG_hello);
		assert_false(msg_allowed(type, ROLE_RESOLVER, ROLE_QUEUE) &&
		    type != MSG_hello);
		for (unsigned from = 0; from < ROLE__COUNT; from++)
			for (unsigned to = 0; to < ROLE__COUNT; to++)
				assert_false(from != ROLE_MASTER &&
				    rows[type].carries == CARRIES_FD &&
				    msg_allowed(type, from, to));
	}
}

static void
numbers_beyond_the_list_are_nothing(void **state)
{
	static const unsigned beyond[] = { MSG__COUNT, 255, 65535, UINT32_MAX };
	union msg m;

	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		assert_string_equal(msg_name(beyond[i]), "unknown");
		assert_int_equal(msg_carries(beyond[i]), CARRIES_NOTHING);
		assert_false(msg_allowed(beyond[i], ROLE_MASTER, ROLE_EDGE));
		assert_int_equal(msg_get("", 0, beyond[i], &m), ERR_PEER);
	}
	assert_false(msg_allowed(MSG_hello, ROLE__COUNT, ROLE_EDGE));
	assert_false(msg_allowed(MSG_hello, ROLE_EDGE, ROLE__COUNT));
}

static void
names_and_loads_are_those_of_the_rows(void **state)
{
	for (unsigned type = 0; type < ROW_CNT; type++) {
		assert_string_equal(msg_name(type), rows[type].name);
		assert_int_equal(msg_carries(type), rows[type].carries);
	}
}

static void
a_string_at_its_limit_passes_and_one_over_does_not(void **state)
{
	struct msg_mail_rcpt m = { .rcpt = { text, BUS_STR_MAX } };
	struct wire_out w = { frame, 0, sizeof(frame), false };
	union msg got;

	msg_put(&w, MSG_mail_rcpt, &m);
	assert_false(w.bad);
	assert_int_equal(msg_get(frame, w.len, MSG_mail_rcpt, &got), OK);
	assert_int_equal(got.mail_rcpt.rcpt.len, BUS_STR_MAX);

	w = (struct wire_out){ frame, 0, sizeof(frame), false };
	m.rcpt.len++;
	msg_put(&w, MSG_mail_rcpt, &m);
	assert_true(w.bad);

	/* A peer that does it all the same. */
	w = (struct wire_out){ frame, 0, sizeof(frame), false };
	wire_u64(&w, 1);
	wire_str(&w, m.rcpt, UINT16_MAX);
	assert_false(w.bad);
	assert_int_equal(msg_get(frame, w.len, MSG_mail_rcpt, &got), ERR_PEER);
}

static void
blobs_have_their_own_limit(void **state)
{
	struct msg_resolve_answer m = { .records = { text, BUS_BLOB_MAX } };
	struct wire_out w = { frame, 0, sizeof(frame), false };
	union msg got;

	msg_put(&w, MSG_resolve_answer, &m);
	assert_false(w.bad);
	assert_int_equal(msg_get(frame, w.len, MSG_resolve_answer, &got), OK);
	assert_int_equal(got.resolve_answer.records.len, BUS_BLOB_MAX);
	w = (struct wire_out){ frame, 0, sizeof(frame), false };
	m.records.len++;
	msg_put(&w, MSG_resolve_answer, &m);
	assert_true(w.bad);
}

/* Whatever a row may hold at most, a frame must take it. */
static void
the_longest_fields_fit_a_frame(void **state)
{
	for (unsigned type = 0; type < ROW_CNT; type++)
		assert_true(rows[type].strings * (BUS_STR_MAX + 2) + 128 <
		    FRAME_FIELDS_MAX);
	assert_true(BUS_BLOB_MAX + BUS_STR_MAX + 128 < FRAME_FIELDS_MAX);
	assert_true(8 + FRAME_FIELDS_MAX + PIECE_MAX <= FRAME_MAX);
}

static void
the_trace_is_one_printable_line(void **state)
{
	char line[400];

	for (unsigned type = 0; type < ROW_CNT; type++)
		for (int i = 0; i < ROUNDS; i++) {
			union msg m;

			rows[type].fill(&m);
			memset(line, 'x', sizeof(line));
			msg_print(line, sizeof(line), type, &m);
			assert_true(memchr(line, 0, sizeof(line)) != NULL);
			assert_int_equal(strncmp(line, rows[type].name,
			    strlen(rows[type].name)), 0);
			for (const char *p = line; *p != '\0'; p++)
				assert_true(*p >= ' ' && *p < 0x7f);
		}
	msg_print(line, sizeof(line), MSG_mail_rcpt, &(const union msg){
	    .mail_rcpt = { .stream = 7, .rcpt = SPAN("a\"\n"),
	    .notify = 4 } });
	assert_string_equal(line, "mail_rcpt stream=7 ask=0 "
	    "rcpt=\"a\\x22\\x0a\" notify=4 orcpt=\"\"");
}

static int
set_up(void **state)
{
	srandom(20260101);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)random();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_survives_the_way),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(one_byte_too_many_is_refused),
		cmocka_unit_test(a_buffer_too_small_is_told),
		cmocka_unit_test(only_the_rows_may_send),
		cmocka_unit_test(nobody_gives_orders_above_his_station),
		cmocka_unit_test(numbers_beyond_the_list_are_nothing),
		cmocka_unit_test(names_and_loads_are_those_of_the_rows),
		cmocka_unit_test(
		    a_string_at_its_limit_passes_and_one_over_does_not),
		cmocka_unit_test(blobs_have_their_own_limit),
		cmocka_unit_test(the_longest_fields_fit_a_frame),
		cmocka_unit_test(the_trace_is_one_printable_line),
	};

	return cmocka_run_group_tests_name("bus", tests, set_up, NULL);
}
