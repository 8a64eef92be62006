/*
 * http_head - the strict reader of the head of an HTTP/1.x request or response:
 * start line and fields.  RFC 9112 2 to 6, and refused is what two readers
 * could understand in two ways.
 *
 *	struct http_head h;
 *	struct http_line line;
 *
 *	http_head_request(&h, NULL);		or http_head_response()
 *	for (;;)
 *		switch (http_head_next(&h, &in, &line)) {
 *		case HTTP_START:	look at line.method, line.target, or at
 *					h.status and line.reason
 *		case HTTP_FIELD:	look at line.name, line.value
 *		case HTTP_MORE:		keep what is left of in; read more
 *					behind it, and call again with both
 *		case HTTP_END:		the facts are final, in holds the body:
 *					http_body_init(&body, &h)
 *		case HTTP_BAD:		h.why for the log, h.answer for the
 *					client; close, and read nothing more
 *		}
 *
 * It keeps no bytes and needs no memory: a line is given out when it is whole,
 * as spans into the input, so the caller holds one line at most.
 *
 * Refused are: a line that does not end with CR LF; CR, NUL and other control
 * bytes within one; a line that begins with a blank (obs-fold); blanks before
 * the colon; a name that is no token; Content-Length twice, even the same, as a
 * list, with a sign; Content-Length with Transfer-Encoding; Transfer-Encoding
 * that is not exactly "chunked", once, in HTTP/1.1; no Host in HTTP/1.1, two
 * Hosts, a Host that is no name; a target that is not a path (absolute-form,
 * "*"); more than one blank in the request line; an empty line before it;
 * HTTP/0.9; any version but 1.0 and 1.1.
 *
 * A server must not pipeline: bytes that are there behind the end of a request
 * before it has answered are a reason to answer with "Connection: close" and to
 * read no more.  So are, for a client, bytes behind the end of a response.
 * A 1xx response has no body: the caller begins anew with the next head.
 *
 * Owns	   nothing
 * Blocks  never; pure
 */
#ifndef HTTP_HTTP_HEAD_H
#define HTTP_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum http_step {
	HTTP_START,	/* the start line is here		*/
	HTTP_FIELD,	/* a field is				*/
	HTTP_RUN,	/* bytes of a body are			*/
	HTTP_MORE,	/* the input ends within something	*/
	HTTP_END,	/* the head, or the body, is over	*/
	HTTP_BAD	/* refused; it stays so			*/
};

enum http_framing {
	HTTP_NO_BODY,
	HTTP_LENGTH,	/* of `length' bytes			*/
	HTTP_CHUNKED,
	HTTP_CLOSE	/* until the connection ends: responses	*/
};

struct http_limits {
	size_t		 line_max;	/* bytes of a line with its CRLF */
	size_t		 head_max;	/* bytes of all of them		*/
	unsigned	 fields_max;
};

/* Spans into the input, good until it goes. */
struct http_line {
	struct span	 method, target;	/* of a request: HTTP_START */
	struct span	 reason;		/* of a response, or empty */
	struct span	 name, value;		/* HTTP_FIELD; the value may be
						 * empty, and hold bytes over
						 * 127; no blanks around it */
};

struct http_head {
	/* Facts; those of fields are final at HTTP_END. */
	bool		 is_response;
	bool		 is_1_0;	/* HTTP/1.0, else 1.1		*/
	unsigned	 status;	/* of a response: 100 to 599	*/
	enum http_framing framing;
	uint64_t	 length;	/* HTTP_LENGTH alone		*/
	bool		 keeps;		/* the sender will keep the
					 * connection for another request */
	bool		 expects;	/* a request that waits for "100
					 * Continue" before its body	*/

	/* HTTP_BAD. */
	unsigned	 answer;	/* for the client: 400 or other */
	const char	*why;		/* a literal: what was refused	*/

	/* Private. */
	struct http_limits limits;
	unsigned	 state, seen;
	size_t		 scanned;	/* bytes of the line seen so far */
	size_t		 head_len;
	unsigned	 field_cnt;
	bool		 is_head;	/* the answer to HEAD		*/
};

/* limits: NULL for those of base/limits.h; copied. */
void	http_head_request(struct http_head *, const struct http_limits *);
/* is_head: the request was HEAD, so no body comes whatever is said of one. */
void	http_head_response(struct http_head *, const struct http_limits *,
	    bool is_head);

/*
 * Take a line from the front of *in.  After HTTP_MORE, which takes nothing, in
 * must begin with the same bytes again.
 */
enum http_step http_head_next(struct http_head *, struct span *in,
	    struct http_line *);

#endif
