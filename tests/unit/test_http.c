/*
 * The strict reader of HTTP heads and bodies, each case cut at every place, and
 * its writer.
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
#include "http/http_body.h"
#include "http/http_chars.h"
#include "http/http_out.h"

/* What came of a head, as text: "POST /a|Host=x|" and the facts. */
struct outcome {
	char		 said[2048];
	size_t		 len, used;
	enum http_step	 step;
	struct http_head h;
};

static void
note(struct outcome *o, struct span s, const char *end)
{
	assert_true(o->len + s.len + strlen(end) < sizeof(o->said));
	if (s.len > 0)
		memcpy(o->said + o->len, s.ptr, s.len);
	o->len += s.len;
	o->len += strlcpy(o->said + o->len, end, sizeof(o->said) - o->len);
}

static void
note_line(struct outcome *o, const struct http_line *l, enum http_step step)
{
	if (step == HTTP_FIELD) {
		note(o, l->name, "=");
		note(o, l->value, "|");
	} else if (o->h.is_response)
		note(o, l->reason, "|");
	else {
		note(o, l->method, " ");
		note(o, l->target, "|");
	}
}

/* Read in whole, or with a first part of so many bytes. */
static void
read_head(struct outcome *o, struct span in, size_t cut, bool is_response)
{
	struct http_line line;
	struct span left = span_head(in, cut);

	*o = (struct outcome){ .step = HTTP_MORE };
	if (is_response)
		http_head_response(&o->h, NULL, false);
	else
		http_head_request(&o->h, NULL);
	for (;;) {
		o->step = http_head_next(&o->h, &left, &line);
		if (o->step == HTTP_MORE && left.ptr + left.len <
		    in.ptr + in.len) {
			left.len = in.len - (size_t)(left.ptr - in.ptr);
			continue;
		}
		if (o->step != HTTP_START && o->step != HTTP_FIELD)
			break;
		note_line(o, &line, o->step);
	}
	o->used = (size_t)(left.ptr - in.ptr);
}

static void
read_all_cuts(struct outcome *whole, struct span in, bool is_response)
{
	struct outcome o;

	read_head(whole, in, in.len, is_response);
	for (size_t cut = 0; cut < in.len; cut++) {
		read_head(&o, in, cut, is_response);
		assert_int_equal(o.step, whole->step);
		if (o.step == HTTP_BAD) {
			assert_int_equal(o.h.answer, whole->h.answer);
			assert_string_equal(o.h.why, whole->h.why);
			continue;
		}
		assert_string_equal(o.said, whole->said);
		assert_int_equal(o.used, whole->used);
	}
}

#define H	"Host: a\r\n"
#define OLD	"POST / HTTP/1.0\r\n"
#define NEW	"POST / HTTP/1.1\r\n" H

static const struct {
	const char	*in;
	const char	*said;
	enum http_framing framing;
	uint64_t	 length;
	bool		 keeps, expects;
	size_t		 left;
} taken[] = {
	{ "GET /a?b=%20c HTTP/1.1\r\nHost: x:80\r\n\r\n",
	    "GET /a?b=%20c|Host=x:80|", HTTP_NO_BODY, 0, true, false, 0 },
	{ OLD "\r\n", "POST /|", HTTP_NO_BODY, 0, false, false, 0 },
	{ OLD "Connection: Keep-Alive\r\n\r\n", "POST /|Connection=Keep-Alive|",
	    HTTP_NO_BODY, 0, true, false, 0 },
	{ OLD "Content-Length: 0\r\nExpect: x\r\n\r\nrest",
	    "POST /|Content-Length=0|Expect=x|", HTTP_LENGTH, 0, false, false,
	    4 },
	{ NEW "content-length:\t12 \t\r\n\r\n",
	    "POST /|Host=a|content-length=12|", HTTP_LENGTH, 12, true, false,
	    0 },
	{ NEW "Transfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n\r\n",
	    "POST /|Host=a|Transfer-Encoding=Chunked|Expect=100-Continue|",
	    HTTP_CHUNKED, 0, true, true, 0 },
	{ NEW "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n",
	    "POST /|Host=a|Content-Length=0|Expect=100-continue|",
	    HTTP_LENGTH, 0, true, false, 0 },
	{ NEW "Connection: TE, close\r\nConnection: keep-alive\r\n\r\n",
	    "POST /|Host=a|Connection=TE, close|Connection=keep-alive|",
	    HTTP_NO_BODY, 0, false, false, 0 },
	{ NEW "X-Empty:\r\nX-A: b\303\244 c\r\nX-A: d\r\n\r\n",
	    "POST /|Host=a|X-Empty=|X-A=b\303\244 c|X-A=d|", HTTP_NO_BODY, 0,
	    true, false, 0 },
	{ "POST / HTTP/1.1\r\nHost:\r\n\r\n", "POST /|Host=|", HTTP_NO_BODY, 0,
	    true, false, 0 },
};

static void
a_request_is_read_and_its_body_framed(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct span in = span_of(taken[i].in);

		read_all_cuts(&o, in, false);
		assert_int_equal(o.step, HTTP_END);
		assert_string_equal(o.said, taken[i].said);
		assert_int_equal(o.h.framing, taken[i].framing);
		assert_int_equal(o.h.length, taken[i].length);
		assert_int_equal(o.h.keeps, taken[i].keeps);
		assert_int_equal(o.h.expects, taken[i].expects);
		assert_int_equal(in.len - o.used, taken[i].left);
	}
}

/* Every form that two readers could take for two things, and its answer. */
static const struct {
	struct span	 in;
	unsigned	 answer;
} refused[] = {
#define BAD(answer, in)	{ { in, sizeof(in) - 1 }, answer }
	BAD(400, NEW "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
	BAD(400, NEW "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
	BAD(400, NEW "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
	BAD(400, NEW "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
	BAD(400, NEW "Content-Length: 5, 5\r\n\r\n"),
	BAD(400, NEW "Content-Length: +5\r\n\r\n"),
	BAD(400, NEW "Content-Length: -5\r\n\r\n"),
	BAD(400, NEW "Content-Length: 0x5\r\n\r\n"),
	BAD(400, NEW "Content-Length: 5 5\r\n\r\n"),
	BAD(400, NEW "Content-Length:\r\n\r\n"),
	BAD(400, NEW "Content-Length: 9223372036854775808\r\n\r\n"),
	BAD(400, NEW "Content-Length: 18446744073709551621\r\n\r\n"),
	BAD(400, NEW "Content-Length : 5\r\n\r\n"),
	BAD(400, NEW "Content-Length\t: 5\r\n\r\n"),
	BAD(501, NEW "Transfer-Encoding: gzip, chunked\r\n\r\n"),
	BAD(501, NEW "Transfer-Encoding: chunked, identity\r\n\r\n"),
	BAD(501, NEW "Transfer-Encoding: identity\r\n\r\n"),
	BAD(501, NEW "Transfer-Encoding: xchunked\r\n\r\n"),
	BAD(501, NEW "Transfer-Encoding: \"chunked\"\r\n\r\n"),
	BAD(501, NEW "Transfer-Encoding: chunked;q=1\r\n\r\n"),
	BAD(501, NEW "Transfer-Encoding:\r\n\r\n"),
	BAD(400, NEW "Transfer-Encoding: chunked\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n"),
	BAD(400, NEW "Transfer-Encoding: chunked\r\n"
	    "Transfer-Encoding: cow\r\n\r\n"),
	BAD(400, OLD "Transfer-Encoding: chunked\r\n\r\n"),
	BAD(400, NEW " Content-Length: 5\r\n\r\n"),
	BAD(400, NEW "X: a\r\n b\r\n\r\n"),
	BAD(400, NEW "X: a\r\n\tb\r\n\r\n"),
	BAD(400, NEW "X: a\nContent-Length: 5\r\n\r\n"),
	BAD(400, NEW "X: a\rContent-Length: 5\r\n\r\n"),
	BAD(400, NEW "X: a\r\r\n\r\n"),
	BAD(400, NEW "X: a\0b\r\n\r\n"),
	BAD(400, NEW "X: a\177\r\n\r\n"),
	BAD(400, NEW "X\0: a\r\n\r\n"),
	BAD(400, NEW "X y: a\r\n\r\n"),
	BAD(400, NEW "X\303\244: a\r\n\r\n"),
	BAD(400, NEW ": a\r\n\r\n"),
	BAD(400, NEW "no colon\r\n\r\n"),
	BAD(400, NEW "\n"),
	BAD(400, NEW "Host: a\r\n\r\n"),
	BAD(400, "POST / HTTP/1.1\r\n\r\n"),
	BAD(400, "POST / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
	BAD(400, "POST / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
	BAD(400, "POST / HTTP/1.1\r\nHost: a b\r\n\r\n"),
	BAD(400, "POST / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
	BAD(400, "POST http://a/ HTTP/1.1\r\n" H "\r\n"),
	BAD(400, "POST * HTTP/1.1\r\n" H "\r\n"),
	BAD(400, "CONNECT a:25 HTTP/1.1\r\n" H "\r\n"),
	BAD(400, "POST /a#b HTTP/1.1\r\n" H "\r\n"),
	BAD(400, "POST /\303\244 HTTP/1.1\r\n" H "\r\n"),
	BAD(400, "POST /a\tHTTP/1.1\r\n" H "\r\n"),
	BAD(400, "POST  / HTTP/1.1\r\n" H "\r\n"),
	BAD(400, "POST /  HTTP/1.1\r\n" H "\r\n"),
	BAD(400, "POST / HTTP/1.1 \r\n" H "\r\n"),
	BAD(400, " POST / HTTP/1.1\r\n" H "\r\n"),
	BAD(400, "\r\nPOST / HTTP/1.1\r\n" H "\r\n"),
	BAD(400, "P(ST / HTTP/1.1\r\n" H "\r\n"),
	BAD(400, "POST /\r\n"),
	BAD(400, "POST / \r\n"),
	BAD(400, "POST\r\n"),
	BAD(400, "POST / http/1.1\r\n" H "\r\n"),
	BAD(400, "POST / HTTP/1.10\r\n" H "\r\n"),
	BAD(400, "POST / HTTP/11\r\n" H "\r\n"),
	BAD(505, "POST / HTTP/2.0\r\n" H "\r\n"),
	BAD(505, "POST / HTTP/0.9\r\n" H "\r\n"),
	BAD(505, "POST / HTTP/1.2\r\n" H "\r\n"),
	BAD(417, NEW "Expect: 200-ok\r\n\r\n"),
	BAD(417, NEW "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n"),
	BAD(400, "\026\003\001\002\000\001"),	/* a TLS handshake */
};

static void
every_form_of_smuggling_is_refused(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		read_all_cuts(&o, refused[i].in, false);
		if (o.step != HTTP_BAD || o.h.answer != refused[i].answer)
			fail_msg("%s: %d %u", refused[i].in.ptr, o.step,
			    o.h.answer);
		assert_non_null(o.h.why);
		assert_false(o.h.keeps);
	}
}

static const struct {
	const char	*in;
	unsigned	 status;
	const char	*said;
	enum http_framing framing;
	bool		 keeps;
} responses[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 200,
	    "OK|Content-Length=3|", HTTP_LENGTH, true },
	{ "HTTP/1.0 200 Message queued as x\r\nContent-Length: 36\r\n\r\n", 200,
	    "Message queued as x|Content-Length=36|", HTTP_LENGTH, false },
	{ "HTTP/1.1 200\r\n\r\n", 200, "|", HTTP_CLOSE, false },
	{ "HTTP/1.1 500 \r\nTransfer-Encoding: chunked\r\n\r\n", 500,
	    "|Transfer-Encoding=chunked|", HTTP_CHUNKED, true },
	{ "HTTP/1.1 204 No Content\r\n\r\n", 204, "No Content|", HTTP_NO_BODY,
	    true },
	{ "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204,
	    "No Content|Content-Length=0|", HTTP_NO_BODY, true },
	{ "HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n", 304,
	    "Same|Content-Length=9|", HTTP_NO_BODY, true },
	{ "HTTP/1.1 100 Continue\r\n\r\n", 100, "Continue|", HTTP_NO_BODY,
	    true },
};

static void
a_response_is_read_and_its_body_framed(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
		read_all_cuts(&o, span_of(responses[i].in), true);
		assert_int_equal(o.step, HTTP_END);
		assert_int_equal(o.h.status, responses[i].status);
		assert_string_equal(o.said, responses[i].said);
		assert_int_equal(o.h.framing, responses[i].framing);
		assert_int_equal(o.h.keeps, responses[i].keeps);
	}
}

static void
an_odd_response_is_refused(void **state)
{
	static const char *const odd[] = {
		"HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n",
		"HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n",
		"HTTP/1.1\t200 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
		"HTTP 200 OK\r\n\r\n", "220 mx ESMTP\r\n", "\r\n",
		"HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 O\001K\r\n\r\n",
		"HTTP/1.1 204 x\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 100 x\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 x\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.0 200 x\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 x\r\nContent-Length: 1\r\n"
		    "Content-Length: 2\r\n\r\n",
		"HTTP/1.1 200 x\r\nContent-Length: 1\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n",
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		read_all_cuts(&o, span_of(odd[i]), true);
		if (o.step != HTTP_BAD)
			fail_msg("taken: %s", odd[i]);
	}
}

static void
the_answer_to_head_has_no_body(void **state)
{
	struct span in = SPAN("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
	struct http_line line;
	struct http_head h;

	(void)state;
	http_head_response(&h, NULL, true);
	while (http_head_next(&h, &in, &line) != HTTP_END)
		assert_true(in.len > 0);
	assert_int_equal(h.framing, HTTP_NO_BODY);
	assert_true(h.keeps);
}

/* Lines of len bytes each in all, after the start line; what comes of them. */
static struct http_head
read_lines(const struct http_limits *limits, size_t len, unsigned cnt)
{
	char *text = malloc(len + 1);
	struct http_line line;
	struct http_head h;
	struct span in = SPAN("POST / HTTP/1.0\r\n");

	assert_non_null(text);
	memset(text, 'a', len);
	memcpy(text, "b:", 2);
	memcpy(text + len - 2, "\r\n", 2);
	http_head_request(&h, limits);
	assert_int_equal(http_head_next(&h, &in, &line), HTTP_START);
	for (unsigned i = 0; i < cnt && h.why == NULL; i++)
		for (size_t at = 0; at < len && h.why == NULL; at++) {
			in = (struct span){ text, at + 1 };
			if (http_head_next(&h, &in, &line) == HTTP_FIELD)
				break;
		}
	free(text);
	return h;
}

static void
limits_are_met_exactly(void **state)
{
	const struct http_limits small = {
		.line_max = 40, .head_max = 17 + 3 * 40, .fields_max = 4,
	};
	struct span in = SPAN("POST /0123456789012345678901234 HTTP/1.0\r\n");
	struct http_line line;
	struct http_head h;

	(void)state;
	assert_null(read_lines(&small, 40, 3).why);
	assert_int_equal(read_lines(&small, 41, 1).answer, 431);
	assert_int_equal(read_lines(&small, 40, 4).answer, 431);
	assert_null(read_lines(&small, 4, 4).why);
	assert_int_equal(read_lines(&small, 4, 5).answer, 431);
	assert_null(read_lines(NULL, HTTP_LINE_MAX, 7).why);
	assert_int_equal(read_lines(NULL, HTTP_LINE_MAX + 1, 1).answer, 431);
	assert_int_equal(read_lines(NULL, HTTP_LINE_MAX, 9).answer, 431);
	http_head_request(&h, &small);
	assert_int_equal(http_head_next(&h, &in, &line), HTTP_BAD);
	assert_int_equal(h.answer, 414);
}

/* Bodies. */

struct body_outcome {
	char		 text[512];
	size_t		 len, used;
	enum http_step	 step;
};

static void
read_body(struct body_outcome *o, struct span in, size_t part)
{
	struct http_head h = { .framing = HTTP_CHUNKED };
	struct http_body b;
	struct span run;

	http_body_init(&b, &h);
	*o = (struct body_outcome){ .step = HTTP_MORE };
	while (o->step == HTTP_MORE && o->used < in.len) {
		struct span s = span_head(span_tail(in, o->used), part);
		size_t len = s.len;

		while ((o->step = http_body_next(&b, &s, &run)) == HTTP_RUN) {
			assert_true(run.len > 0);
			memcpy(o->text + o->len, run.ptr, run.len);
			o->len += run.len;
		}
		o->used += len - s.len;
	}
	assert_int_equal(b.len, o->len);
	if (o->step == HTTP_BAD)
		assert_non_null(b.why);
}

static const struct {
	struct span	 in;
	const char	*text;
	size_t		 left;
	enum http_step	 step;
} chunked[] = {
#define CHUNKED(in, text, left, step)					\
	{ { in, sizeof(in) - 1 }, text, left, step }
	CHUNKED("0\r\n\r\n", "", 0, HTTP_END),
	CHUNKED("3\r\nabc\r\n0\r\n\r\nGET", "abc", 3, HTTP_END),
	CHUNKED("A\r\n0123456789\r\n00b\r\nabcdefghijk\r\n0\r\n\r\n",
	    "0123456789abcdefghijk", 0, HTTP_END),
	CHUNKED("3;a=b;c=\"d e\"\r\nabc\r\n0;z\r\n\r\n", "abc", 0, HTTP_END),
	CHUNKED("1\r\na\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\n", "a", 0, HTTP_END),
	CHUNKED("2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0, HTTP_END),
	CHUNKED("0000000000000001\r\na\r\n0\r\n\r\n", "a", 0, HTTP_END),
	CHUNKED("1\r\na\r\n", "a", 0, HTTP_MORE),
	CHUNKED("\r\n0\r\n\r\n", "", 0, HTTP_BAD),
	CHUNKED("0x1\r\na\r\n", "", 0, HTTP_BAD),
	CHUNKED("+1\r\na\r\n", "", 0, HTTP_BAD),
	CHUNKED("-1\r\na\r\n", "", 0, HTTP_BAD),
	CHUNKED(" 1\r\na\r\n", "", 0, HTTP_BAD),
	CHUNKED("1 \r\na\r\n", "", 0, HTTP_BAD),
	CHUNKED("1\na\r\n", "", 0, HTTP_BAD),
	CHUNKED("1\ra\r\n", "", 0, HTTP_BAD),
	CHUNKED("1\r\nab\r\n", "", 0, HTTP_BAD),
	CHUNKED("1\r\na\n", "", 0, HTTP_BAD),
	CHUNKED("1\r\na\rb", "", 0, HTTP_BAD),
	CHUNKED("1;a\nb\r\na\r\n", "", 0, HTTP_BAD),
	CHUNKED("1;a\0b\r\na\r\n", "", 0, HTTP_BAD),
	CHUNKED("1,2\r\na\r\n", "", 0, HTTP_BAD),
	CHUNKED("00000000000000001\r\na\r\n", "", 0, HTTP_BAD),
	CHUNKED("ffffffffffffffff\r\na\r\n", "", 0, HTTP_BAD),
	CHUNKED("8000000000000000\r\na\r\n", "", 0, HTTP_BAD),
	CHUNKED("0\r\n\n", "", 0, HTTP_BAD),
	CHUNKED("0\r\n\r\r", "", 0, HTTP_BAD),
	CHUNKED("0\r\nX : y\r\n\r\n", "", 0, HTTP_BAD),
	CHUNKED("0\r\n: y\r\n\r\n", "", 0, HTTP_BAD),
	CHUNKED("0\r\n folded\r\n\r\n", "", 0, HTTP_BAD),
	CHUNKED("0\r\nGET / HTTP/1.1\r\n\r\n", "", 0, HTTP_BAD),
	CHUNKED("0\r\nX: y\n\r\n", "", 0, HTTP_BAD),
	CHUNKED("0\r\nX\r\n\r\n", "", 0, HTTP_BAD),
};

static void
a_chunked_body_is_read_at_every_cut(void **state)
{
	struct body_outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(chunked) / sizeof(chunked[0]); i++)
		for (size_t part = chunked[i].in.len; part > 0; part--) {
			read_body(&o, chunked[i].in, part);
			if (o.step != chunked[i].step)
				fail_msg("%zu: %d", i, o.step);
			if (o.step == HTTP_BAD)
				continue;
			assert_int_equal(o.len, strlen(chunked[i].text));
			assert_memory_equal(o.text, chunked[i].text, o.len);
			assert_int_equal(chunked[i].in.len - o.used,
			    chunked[i].left);
		}
}

/* n bytes of c between two others, in a chunked body; is it refused? */
static bool
is_refused(const char *before, char c, size_t n, const char *behind)
{
	struct http_head h = { .framing = HTTP_CHUNKED };
	struct span in = span_of(before), run;
	enum http_step step = HTTP_MORE;
	struct http_body b;

	http_body_init(&b, &h);
	while (http_body_next(&b, &in, &run) == HTTP_RUN)
		continue;
	while (n-- > 0) {
		in = (struct span){ &c, 1 };
		while ((step = http_body_next(&b, &in, &run)) == HTTP_RUN)
			continue;
	}
	in = span_of(behind);
	while (step != HTTP_BAD &&
	    (step = http_body_next(&b, &in, &run)) == HTTP_RUN)
		continue;
	return step == HTTP_BAD;
}

static void
extensions_and_trailers_are_bounded(void **state)
{
	(void)state;
	assert_false(is_refused("1;", 'x', HTTP_CHUNK_EXT_MAX,
	    "\r\na\r\n0\r\n\r\n"));
	assert_true(is_refused("1;", 'x', HTTP_CHUNK_EXT_MAX + 1, "\r\n"));
	assert_true(is_refused("1;xx\r\na\r\n1;", 'x', HTTP_CHUNK_EXT_MAX - 1,
	    "\r\n"));
	assert_false(is_refused("0\r\nx:", 'y', HTTP_TRAILER_MAX - 2,
	    "\r\n\r\n"));
	assert_true(is_refused("0\r\nx:", 'y', HTTP_TRAILER_MAX - 1, "\r\n"));
	assert_true(is_refused("0\r\n", 'y', HTTP_TRAILER_MAX + 1, ":\r\n"));
}

static void
a_length_ends_where_it_says(void **state)
{
	struct http_head h = { .framing = HTTP_LENGTH, .length = 5 };
	struct span in = SPAN("abc"), run;
	struct http_body b;

	(void)state;
	http_body_init(&b, &h);
	assert_int_equal(http_body_next(&b, &in, &run), HTTP_RUN);
	assert_int_equal(run.len, 3);
	assert_int_equal(http_body_next(&b, &in, &run), HTTP_MORE);
	assert_false(http_body_closed(&b));
	in = SPAN("deGET");
	assert_int_equal(http_body_next(&b, &in, &run), HTTP_RUN);
	assert_int_equal(run.len, 2);
	assert_int_equal(http_body_next(&b, &in, &run), HTTP_END);
	assert_int_equal(in.len, 3);
	assert_true(http_body_closed(&b));
	h.length = 0;
	http_body_init(&b, &h);
	assert_int_equal(http_body_next(&b, &in, &run), HTTP_END);
}

static void
a_body_until_the_end_ends_there_only(void **state)
{
	struct http_head h = { .framing = HTTP_CLOSE };
	struct span in = SPAN("abc"), run;
	struct http_body b;

	(void)state;
	http_body_init(&b, &h);
	assert_int_equal(http_body_next(&b, &in, &run), HTTP_RUN);
	assert_int_equal(http_body_next(&b, &in, &run), HTTP_MORE);
	assert_true(http_body_closed(&b));
	assert_int_equal(http_body_next(&b, &in, &run), HTTP_END);
	h.framing = HTTP_CHUNKED;
	http_body_init(&b, &h);
	assert_false(http_body_closed(&b));
}

/* The writer. */

static void
what_is_written_is_read_again(void **state)
{
	char buf[512], size[HTTP_OUT_CHUNK_MAX];
	struct http_out o;
	struct outcome got;

	(void)state;
	http_out_init(&o, buf, sizeof(buf));
	http_out_request(&o, SPAN("POST"), SPAN("/email"));
	http_out_field(&o, "Host", SPAN("a.example:8025"));
	http_out_field(&o, "X-Sender", SPAN("j\303\266rg@a.example"));
	http_out_length(&o, 18446744073709551615u / 2);
	http_out_end(&o);
	assert_false(o.bad);
	read_all_cuts(&got, (struct span){ o.buf, o.len }, false);
	assert_int_equal(got.step, HTTP_END);
	assert_string_equal(got.said, "POST /email|Host=a.example:8025|"
	    "X-Sender=j\303\266rg@a.example|"
	    "Content-Length=9223372036854775807|");
	http_out_init(&o, buf, sizeof(buf));
	http_out_status(&o, true, 200, SPAN("Message queued as x"));
	http_out_length(&o, 36);
	http_out_end(&o);
	assert_int_equal(o.len, strlen("HTTP/1.0 200 Message queued as x\r\n"
	    "Content-Length: 36\r\n\r\n"));
	assert_memory_equal(o.buf, "HTTP/1.0 200 Message queued as x\r\n"
	    "Content-Length: 36\r\n\r\n", o.len);
	assert_int_equal(http_out_chunk(size, 65280), 6);
	assert_memory_equal(size, "ff00\r\n", 6);
	assert_int_equal(http_out_chunk(size, UINT64_MAX), 18);
}

static bool
is_bad_value(struct span value)
{
	char buf[64];
	struct http_out o;

	http_out_init(&o, buf, sizeof(buf));
	http_out_field(&o, "X", value);
	http_out_end(&o);
	return o.bad;
}

static void
no_value_ends_its_line(void **state)
{
	char buf[64];
	struct http_out o;

	(void)state;
	assert_false(is_bad_value(SPAN("a b\t\303\244")));
	assert_true(is_bad_value(SPAN("a\r\nX-Evil: b")));
	assert_true(is_bad_value(SPAN("a\nb")));
	assert_true(is_bad_value(SPAN("a\rb")));
	assert_true(is_bad_value(SPAN("a\0b")));
	assert_true(is_bad_value((struct span){ buf, sizeof(buf) }));
	http_out_init(&o, buf, sizeof(buf));
	http_out_status(&o, false, 200, SPAN("OK\r\nX: y"));
	assert_true(o.bad);
	http_out_init(&o, buf, sizeof(buf));
	http_out_request(&o, SPAN("POST"), SPAN("/a b"));
	assert_true(o.bad);
	http_out_init(&o, buf, sizeof(buf));
	http_out_request(&o, SPAN("POST"), SPAN("http://a/"));
	assert_true(o.bad);
}

static void
lists_have_their_members(void **state)
{
	struct span list = SPAN(" a ,, b\t,c,"), member;
	static const char *const want[] = { "a", "b", "c" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(http_chars_member(&list, &member));
		assert_true(span_eq(member, span_of(want[i])));
	}
	assert_false(http_chars_member(&list, &member));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read_and_its_body_framed),
		cmocka_unit_test(every_form_of_smuggling_is_refused),
		cmocka_unit_test(a_response_is_read_and_its_body_framed),
		cmocka_unit_test(an_odd_response_is_refused),
		cmocka_unit_test(the_answer_to_head_has_no_body),
		cmocka_unit_test(limits_are_met_exactly),
		cmocka_unit_test(a_chunked_body_is_read_at_every_cut),
		cmocka_unit_test(extensions_and_trailers_are_bounded),
		cmocka_unit_test(a_length_ends_where_it_says),
		cmocka_unit_test(a_body_until_the_end_ends_there_only),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(no_value_ends_its_line),
		cmocka_unit_test(lists_have_their_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
