/*
 * http_client - one connection to a next hop, and the requests that are made on
 * it: HTTP/1.1 (RFC 9110, RFC 9112) from the client's side.  A request hands
 * over one message for HTTP_CLIENT_RCPTS recipients at most, and one that is
 * refused for several is made anew for each of them, because a refusal does not
 * say of whom.
 *
 * Life: as in hop.h.  It is ready as soon as it is connected, and under TLS
 * where the target asks.
 *
 * A request that is not all written was not processed (RFC 9112 8); nor was one
 * of which the other end's system has not acknowledged a byte.  Such a request,
 * on a connection that had answered others before, is made again on another:
 * the server had closed this one meanwhile.  What is all written counts as
 * SMTP's final dot does: only a clear answer decides, and it is waited for
 * until data_done_timeout.
 *
 * Text that waits in the queue is announced by its length; that of a mail which
 * passes through goes in chunks unless it ends within the pieces that are here.
 * One of more than these asks for "100 Continue" first.
 *
 * Files, each of which calls only those behind it: http_client.c its life and
 * dialling, http_turn.c its turns and its clock, http_pass.c a mail that passes
 * through, http_answer.c what is heard, http_mail.c the request, http_judge.c
 * what an answer means, http_end.c the end; http_hop.c is what its pool sees.
 * They share http_inside.h.
 *
 * Owns	   the socket; a delivery from http_client_deliver() to its end
 * Blocks  never
 */
#ifndef RELAY_HTTP_CLIENT_H
#define RELAY_HTTP_CLIENT_H

#include "relay/http/http_target.h"

#define HTTP_CLIENT_RCPTS	50	/* of a request: servers take so many
					 * fields of a head		*/
#define HTTP_CLIENT_PASSED	100	/* of a mail that passes through, which
					 * is one request (RFC 5321
					 * 4.5.3.1.8)			*/

struct http_client;

struct http_client *http_client_new(struct ev_loop *, struct resolve *,
		    const struct http_target *, const struct hop_calls *,
		    void *arg);
/* Closes without a word. */
void	http_client_free(struct http_client **);

/* All of it for a pool; its target is a struct http_target. */
extern const struct hop_kind http_client_hop;

/* As the calls of struct hop_kind; start_on() takes a connected socket. */
void	http_client_start(struct http_client *);
void	http_client_start_on(struct http_client *, int fd, struct span hop);
bool	http_client_is_free(const struct http_client *);
bool	http_client_was_used(const struct http_client *);
bool	http_client_is_alive(struct http_client *);
struct place *http_client_place(struct http_client *);
void	http_client_deliver(struct http_client *, struct delivery *);
void	http_client_close(struct http_client *);

#endif
