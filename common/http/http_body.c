/*
 * http_body.c - framing, one byte at a time where it is not data.
 */
#include "base/ascii.h"
#include "base/limits.h"
#include "http/http_body.h"
#include "http/http_chars.h"

#define DIGITS_MAX	16	/* of a chunk's size: 64 bits	*/

enum at {
	AT_SIZE,	/* digits of a chunk's size	*/
	AT_EXT,		/* behind them, before the CR	*/
	AT_SIZE_LF,
	AT_DATA,	/* data of a chunk or a length	*/
	AT_DATA_CR,	/* behind a chunk's data	*/
	AT_DATA_LF,
	AT_TRAILER,	/* first byte of a line		*/
	AT_NAME,	/* within a trailer's name	*/
	AT_VALUE,	/* behind its colon		*/
	AT_VALUE_LF,
	AT_LAST_LF,	/* of the empty line		*/
	AT_OVER,
	AT_BAD
};

void
http_body_init(struct http_body *b, const struct http_head *h)
{
	*b = (struct http_body){ .framing = h->framing, .state = AT_DATA };
	switch (h->framing) {
	case HTTP_NO_BODY:
		b->state = AT_OVER;
		break;
	case HTTP_LENGTH:
		b->left = h->length;
		if (h->length == 0)
			b->state = AT_OVER;
		break;
	case HTTP_CHUNKED:
		b->state = AT_SIZE;
		break;
	case HTTP_CLOSE:
		b->left = UINT64_MAX;
		break;
	}
}

static enum at
bad(struct http_body *b, const char *why)
{
	b->why = why;
	return AT_BAD;
}

/* One more byte of what is read over. */
static bool
is_too_much(struct http_body *b, size_t max)
{
	return ++b->extra_len > max;
}

static enum at
take_size(struct http_body *b, char c)
{
	int digit = ascii_hex(c);

	if (digit < 0) {
		if (b->digit_cnt == 0 || (c != '\r' && c != ';'))
			return bad(b, "a chunk's size is not a number");
		return c == '\r' ? AT_SIZE_LF : AT_EXT;
	}
	if (++b->digit_cnt > DIGITS_MAX || b->left > UINT64_MAX >> 5)
		return bad(b, "a chunk's size is too large");
	b->left = b->left << 4 | (unsigned)digit;
	return AT_SIZE;
}

static enum at
take_ext(struct http_body *b, char c)
{
	if (c == '\r')
		return AT_SIZE_LF;
	if (!http_chars_is_text(c))
		return bad(b, "a control byte in a chunk's extension");
	if (is_too_much(b, HTTP_CHUNK_EXT_MAX))
		return bad(b, "chunk extensions are too long");
	return AT_EXT;
}

static enum at
end_size(struct http_body *b, char c)
{
	if (c != '\n')
		return bad(b, "a chunk's size does not end with CR LF");
	b->digit_cnt = 0;
	if (b->left > 0)
		return AT_DATA;
	b->extra_len = 0;
	return AT_TRAILER;
}

static enum at
take_trailer(struct http_body *b, char c)
{
	if (c == '\r' && b->state == AT_TRAILER)
		return AT_LAST_LF;
	if (is_too_much(b, HTTP_TRAILER_MAX))
		return bad(b, "trailers are too long");
	if (c == ':' && b->state == AT_NAME)
		return AT_VALUE;
	if (!http_chars_is_token(c))
		return bad(b, "a trailer is not a field");
	return AT_NAME;
}

static enum at
take_value(struct http_body *b, char c)
{
	if (c == '\r')
		return AT_VALUE_LF;
	if (!http_chars_is_text(c))
		return bad(b, "a control byte in a trailer");
	if (is_too_much(b, HTTP_TRAILER_MAX))
		return bad(b, "trailers are too long");
	return AT_VALUE;
}

static enum at
take_byte(struct http_body *b, char c)
{
	switch ((enum at)b->state) {
	case AT_SIZE:
		return take_size(b, c);
	case AT_EXT:
		return take_ext(b, c);
	case AT_SIZE_LF:
		return end_size(b, c);
	case AT_DATA_CR:
		return c == '\r' ? AT_DATA_LF :
		    bad(b, "a chunk is longer than its size");
	case AT_DATA_LF:
		return c == '\n' ? AT_SIZE :
		    bad(b, "a chunk does not end with CR LF");
	case AT_TRAILER:
	case AT_NAME:
		return take_trailer(b, c);
	case AT_VALUE:
		return take_value(b, c);
	case AT_VALUE_LF:
		return c == '\n' ? AT_TRAILER :
		    bad(b, "a trailer does not end with CR LF");
	case AT_LAST_LF:
		return c == '\n' ? AT_OVER :
		    bad(b, "the trailers do not end with CR LF");
	case AT_DATA:
	case AT_OVER:
	case AT_BAD:
		break;
	}
	return b->state;
}

static enum http_step
take_data(struct http_body *b, struct span *in, struct span *run)
{
	*run = span_head(*in, b->left < in->len ? (size_t)b->left : in->len);
	*in = span_tail(*in, run->len);
	b->len += run->len;
	if (b->framing == HTTP_CLOSE)
		return HTTP_RUN;
	b->left -= run->len;
	if (b->left == 0)
		b->state = b->framing == HTTP_CHUNKED ? AT_DATA_CR : AT_OVER;
	return HTTP_RUN;
}

enum http_step
http_body_next(struct http_body *b, struct span *in, struct span *run)
{
	for (;;) {
		if (b->state == AT_OVER)
			return HTTP_END;
		if (b->state == AT_BAD)
			return HTTP_BAD;
		if (in->len == 0)
			return HTTP_MORE;
		if (b->state == AT_DATA)
			return take_data(b, in, run);
		b->state = take_byte(b, in->ptr[0]);
		*in = span_tail(*in, 1);
	}
}

bool
http_body_closed(struct http_body *b)
{
	if (b->framing == HTTP_CLOSE)
		b->state = AT_OVER;
	return b->state == AT_OVER;
}
