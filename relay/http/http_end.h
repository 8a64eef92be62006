/* http_end - how a connection ends, and what becomes of its delivery then. */
#ifndef RELAY_HTTP_END_H
#define RELAY_HTTP_END_H

#include "relay/http/http_inside.h"

void	http_end_init(struct http_client *);
void	http_end_hang_up(struct http_client *);

/* gone() follows; a delivery that is still here goes back before. */
void	http_end_close(struct http_client *);

/* The delivery ends with it, or, where none got so far, the next address is
 * tried. */
void	http_end_fail(struct http_client *, const struct verdict *);
void	http_end_ours(struct http_client *, enum own);
/* The next hop hung up: whom is it about? */
void	http_end_lost(struct http_client *);

/* What happens now is about this stage. */
enum stage	http_end_stage(const struct http_client *);

/* Remember how much the other end has acknowledged: a request begins. */
void	http_end_mark(struct http_client *);

#endif
