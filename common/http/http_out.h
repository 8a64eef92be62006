/*
 * http_out - the writer of heads and of chunks, for both sides.
 *
 *	char buf[1024];
 *	struct http_out o;
 *
 *	http_out_init(&o, buf, sizeof(buf));
 *	http_out_request(&o, SPAN("POST"), SPAN("/email"));
 *	http_out_field(&o, "Host", host);
 *	http_out_length(&o, len);		or http_out_chunked()
 *	http_out_end(&o);
 *	if (o.bad)	it did not fit, or a value holds what no line may:
 *			nothing of it may be sent
 *	send o.buf, o.len bytes
 *
 * A chunk is http_out_chunk(), its bytes, HTTP_OUT_CHUNK_END; the body ends
 * with HTTP_OUT_LAST.
 *
 * No value gets out that could end its line: what came from others (a reply of
 * a next hop, an address) needs no check before.
 */
#ifndef HTTP_HTTP_OUT_H
#define HTTP_HTTP_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define HTTP_OUT_CHUNK_MAX	20	/* bytes of a chunk's size and CRLF */
#define HTTP_OUT_CHUNK_END	SPAN("\r\n")
#define HTTP_OUT_LAST		SPAN("0\r\n\r\n")

struct http_out {
	char		*buf;	/* the caller's	*/
	size_t		 cap, len;
	bool		 bad;	/* sticks	*/
};

void	http_out_init(struct http_out *, char *buf, size_t cap);

/* The start line: "POST /path HTTP/1.1", "HTTP/1.1 200 OK". */
void	http_out_request(struct http_out *, struct span method,
	    struct span target);
/* status 100 to 599; the reason may be empty. */
void	http_out_status(struct http_out *, bool is_1_0, unsigned status,
	    struct span reason);

/* A field; its name is a literal. */
void	http_out_field(struct http_out *, const char *name, struct span value);
void	http_out_length(struct http_out *, uint64_t len);
void	http_out_chunked(struct http_out *);

/* The empty line. */
void	http_out_end(struct http_out *);

/* The line before len bytes of a chunk, len not 0; its length. */
size_t	http_out_chunk(char buf[HTTP_OUT_CHUNK_MAX], uint64_t len);

#endif
