/*
 * The header of a proxy: both versions, what is none of them, and that not a
 * byte behind it is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/span.h"
#include "mail/proxy_header.h"

#define SIGNATURE	"\r\n\r\n\0\r\nQUIT\n"
#define ADDRESSES	"\1\1\1\1\2\2\2\2\3\3\4\4"
#define BYTES(s)	s, sizeof(s) - 1

/* As preface.c reads: never more than there is room for, a line to its LF. */
static size_t
taken(const char *bytes, size_t len, uint8_t buf[PROXY_HEADER_MAX])
{
	const char *end;
	size_t at = 0, room;
	bool is_line;

	while ((room = proxy_header_room(buf, at, &is_line)) > 0 && at < len) {
		if (room > len - at)
			room = len - at;
		if (is_line && (end = memchr(bytes + at, '\n', room)) != NULL)
			room = (size_t)(end - bytes) + 1 - at;
		memcpy(buf + at, bytes + at, room);
		at += room;
	}
	return at;
}

static enum err
read_it(const char *bytes, size_t len, struct proxy_header *h)
{
	uint8_t buf[PROXY_HEADER_MAX];
	size_t at = taken(bytes, len, buf);

	return proxy_header_read(buf, at, h);
}

static void
a_line_names_the_client(void **state)
{
	struct proxy_header h;

	assert_int_equal(read_it(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 "
	    "25\r\n"), &h), OK);
	assert_int_equal(h.family, 4);
	assert_memory_equal(h.address, "\300\0\2\1", 4);
	assert_int_equal(h.port, 56324);
	assert_false(h.is_own);
	assert_int_equal(read_it(BYTES("PROXY TCP6 2001:db8::1 ::1 1 65535"
	    "\r\n"), &h), OK);
	assert_int_equal(h.family, 6);
	assert_int_equal(h.address[15], 1);
	assert_int_equal(read_it(BYTES("PROXY UNKNOWN\r\n"), &h), OK);
	assert_true(h.is_own);
	assert_int_equal(read_it(BYTES("PROXY UNKNOWN ffff:: ffff:: 1 2\r\n"),
	    &h), OK);
	assert_true(h.is_own);
}

static void
bytes_name_the_client(void **state)
{
	struct proxy_header h;

	assert_int_equal(read_it(BYTES(SIGNATURE "\x21\x11\0\x0c"
	    "\300\0\2\1\300\0\2\2\x01\x02\0\x19"), &h), OK);
	assert_int_equal(h.family, 4);
	assert_memory_equal(h.address, "\300\0\2\1", 4);
	assert_int_equal(h.port, 0x102);
	assert_int_equal(read_it(BYTES(SIGNATURE "\x21\x21\0\x28"
	    "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb\x01\x02\0\x19" "\x04\0\1x"),
	    &h), OK);			/* with a TLV behind it */
	assert_int_equal(h.family, 6);
	assert_int_equal(h.address[15], 'a');
	assert_int_equal(read_it(BYTES(SIGNATURE "\x20\0\0\0"), &h), OK);
	assert_true(h.is_own);
	assert_int_equal(read_it(BYTES(SIGNATURE "\x21\0\0\0"), &h), OK);
	assert_true(h.is_own);
}

static void
what_is_none_is_refused(void **state)
{
	static const struct { const char *bytes; size_t len; } rows[] = {
		{ BYTES("") }, { BYTES("EHLO client.example\r\n") },
		{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 25\n") },
		{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n") },
		{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 65536\r\n") },
		{ BYTES("PROXY TCP4 192.0.2.1  192.0.2.2 56324 25\r\n") },
		{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 25 x\r\n") },
		{ BYTES("PROXY TCP4 ::1 ::1 1 2\r\n") },
		{ BYTES("PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n") },
		{ BYTES("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n") },
		{ BYTES("proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n") },
		{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 056 25\r\n") },
		{ BYTES("PROXY UNKNOWN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaa\r\n") },
		{ BYTES(SIGNATURE "\x31\x11\0\x0c" ADDRESSES) },
		{ BYTES(SIGNATURE "\x22\x11\0\x0c" ADDRESSES) },
		{ BYTES(SIGNATURE "\x21\x12\0\x0c" ADDRESSES) },
		{ BYTES(SIGNATURE "\x21\x11\0\x0b" "\1\1\1\1\2\2\2\2\3\3\4") },
		{ BYTES(SIGNATURE "\x21\x11\0\x0c" "\1\1\1\1\2\2\2\2\3\3\4") },
		{ BYTES(SIGNATURE "\x21\x11\xff\xff" "\1\1\1\1\2\2\2\2\3\3") },
		{ BYTES(SIGNATURE "\x21\x11") },
	};
	struct proxy_header h = { .port = 7 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (read_it(rows[i].bytes, rows[i].len, &h) != ERR_PEER)
			fail_msg("row %zu", i);
	assert_int_equal(h.port, 7);
}

static void
what_stands_behind_it_is_the_clients(void **state)
{
	uint8_t buf[PROXY_HEADER_MAX];

	assert_int_equal(taken(BYTES("PROXY UNKNOWN\r\nEHLO x\r\n"), buf),
	    15);
	assert_int_equal(taken(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
	    "\x16\3\1"), buf), 36);
	assert_int_equal(taken(BYTES(SIGNATURE "\x20\0\0\0" "EHLO x\r\n"),
	    buf), 16);
	assert_int_equal(taken(BYTES(SIGNATURE "\x21\x11\0\x0c"
	    "\1\1\1\1\2\2\2\2\3\3\4\4" "EHLO x\r\n"), buf), 28);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_names_the_client),
		cmocka_unit_test(bytes_name_the_client),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(what_stands_behind_it_is_the_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
