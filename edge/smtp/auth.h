/*
 * auth - one AUTH exchange, from its mechanism to the vault's answer: PLAIN
 * (RFC 4616) and LOGIN, RFC 4954.
 *
 * A wrong password is answered after a while that grows with each, counted from
 * when it was said: how long its hash took is not to be seen, nor whether there
 * was one.  After AUTH_FAILURES_MAX of them the session is ended.
 *
 * Owns	   the user's name until the exchange is over; never the password
 * Blocks  never
 */
#ifndef EDGE_AUTH_H
#define EDGE_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "bus/messages.h"
#include "edge/stage/stage.h"

struct auth;
struct session;

#define AUTH_LINE_MAX	12288	/* bytes with CRLF, RFC 4954 4		*/
#define AUTH_FAILURES_MAX 3	/* of a session; one more ends it	*/
#define AUTH_DELAY_MS	500	/* before the first 535; then doubling	*/

enum auth_mechanism { AUTH_PLAIN, AUTH_LOGIN };

/*
 * Begin; initial is the initial response as it was said, or NULL.  A reply is
 * said unless it is PENDING: then the checks of stage AUTH are asked.
 */
enum taken auth_begin(struct session *, enum auth_mechanism,
	    const struct span *initial);

/* A line in ST_AUTH, without its CR LF. */
enum taken auth_respond(struct session *, struct span line);

/* What the vault said, while it is waited for. */
void	auth_status(struct session *, enum login_status);

/* How long to wait with a 535 or 454 that is there after so many ms and so many
 * failures before: until whole delays have passed. */
int64_t	auth_wait_ms(int64_t elapsed_ms, unsigned failures);

/* Over, however far it was.  Allowed on NULL. */
void	auth_end(struct auth **);

#endif
