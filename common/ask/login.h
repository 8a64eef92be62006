/*
 * login - asking the vault's users process whether a password is right,
 * without waiting for it.
 *
 * Every question is answered exactly once, unless it is cancelled: with
 * LOGIN_BUSY when there is no link, when the link dies, or when
 * LOGIN_PATIENCE_MS have passed; and never before the call that asked has
 * returned.  Passwords are wiped as soon as they are sent.
 *
 * Owns	   its link, its questions
 * Blocks  never
 * Errors  ERR_SYS
 */
#ifndef ASK_LOGIN_H
#define ASK_LOGIN_H

#include "ask/helper.h"
#include "base/span.h"

#define LOGIN_PATIENCE_MS	15000
#define LOGIN_ASKED_MAX		65536	/* questions; more fail at once	*/
#define LOGIN_USER_MAX		255	/* bytes			*/
#define LOGIN_PASSWORD_MAX	255	/* bytes; crypt(3) takes 512	*/

struct login;
struct login_query;

typedef void login_fn(enum login_status, void *arg);

MUST_CHECK enum err login_open(struct login **out, struct ev_loop *,
	    helper_lost_fn *, void *arg);
/* Questions under way are dropped without an answer. */
void	login_close(struct login **);

/* Use fd (taken, whatever the result) as the link from now on. */
MUST_CHECK enum err login_set_link(struct login *, int fd, enum role mine,
	    const struct link_peer *);

/*
 * user and password are borrowed for the call; a user or password that is
 * empty or too long is LOGIN_BAD.  client is its network: the vault counts what
 * it tries at the same time.  NULL: out of memory, fn is not called.
 */
struct login_query	*login_ask(struct login *, struct span user,
			    struct span password, struct span client,
			    login_fn *, void *arg);
/* *q becomes NULL; NULL is allowed. */
void	login_cancel(struct login_query **q);

#endif
