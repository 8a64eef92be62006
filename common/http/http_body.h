/*
 * http_body - the reader of a body behind http_head.h: of a length, in chunks,
 * or until the connection ends.  RFC 9112 6 and 7.
 *
 *	http_body_init(&b, &head);
 *	for (;;)
 *		switch (http_body_next(&b, &in, &run)) {
 *		case HTTP_RUN:	store run, which points into the input
 *		case HTTP_MORE:	in is used up; when the connection has ended,
 *				http_body_closed() says whether this was the end
 *		case HTTP_END:	in holds what was sent next
 *		case HTTP_BAD:	b.why; the body is void, close
 *		}
 *
 * It holds no bytes: every state is kept between two calls.  Refused in chunked
 * bodies are: a size that is not hexadecimal digits alone, at most 16; bare CR
 * or LF; anything but CR LF behind the data of a chunk; extensions and trailers
 * over HTTP_CHUNK_EXT_MAX and HTTP_TRAILER_MAX bytes in all, and such as could
 * stand in no line.  Both are read over: nobody gets to see them.
 */
#ifndef HTTP_HTTP_BODY_H
#define HTTP_HTTP_BODY_H

#include "http/http_head.h"

struct http_body {
	uint64_t	 len;		/* bytes given out so far	*/
	const char	*why;		/* HTTP_BAD: a literal		*/

	/* Private. */
	enum http_framing framing;
	uint64_t	 left;		/* of the length, or the chunk	*/
	unsigned	 state;
	unsigned	 digit_cnt;
	size_t		 extra_len;	/* of extensions or trailers	*/
};

/* After HTTP_END of a head. */
void		 http_body_init(struct http_body *, const struct http_head *);

/* Take bytes from the front of *in. */
enum http_step	 http_body_next(struct http_body *, struct span *in,
		    struct span *run);

/* The connection has ended: is the body whole? */
bool		 http_body_closed(struct http_body *);

#endif
