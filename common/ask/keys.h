/*
 * keys - asking the vault for signatures, without waiting for it.
 *
 * A question is answered once: with a signature, with SIGN_REFUSED and the
 * like as the vault says, or with SIGN_BUSY when there is no link, the link
 * dies, or KEYS_PATIENCE_MS have passed.  A question is not repeated on the
 * next link: its handshake fails, and the client comes again.
 *
 * Owns	   its link to the vault, the questions under way
 * Blocks  never; keys_sign_now() for KEYS_PATIENCE_MS at most
 * Errors  ERR_SYS
 */
#ifndef ASK_KEYS_H
#define ASK_KEYS_H

#include <stdint.h>

#include "ask/helper.h"
#include "base/span.h"

#define KEYS_PATIENCE_MS	5000
#define KEYS_ASKED_MAX		65536	/* questions; more fail at once	*/
#define KEYS_ID_LEN		32	/* bytes: SHA-256 of the public half */
#define KEYS_SIGNATURE_MAX	1024	/* bytes: RSA of 8192 bits	*/
#define KEYS_TEXT_MAX	PIECE_MAX	/* bytes to be signed: in TLS 1.2 a
					 * client signs all that was said */

struct keys;
struct keys_query;

/* signature is borrowed for the call, empty but for SIGN_DONE. */
typedef void keys_fn(enum sign_status, struct span signature, void *arg);
MUST_CHECK enum err keys_open(struct keys **out, struct ev_loop *,
	    helper_lost_fn *, void *arg);
/* Questions under way are dropped without an answer. */
void	keys_close(struct keys **);

/* Use fd (taken, whatever the result) as the link to the vault from now on. */
MUST_CHECK enum err keys_set_link(struct keys *, int fd, enum role mine,
	    const struct link_peer *);

/*
 * Have text signed by the key of that id under a SignatureScheme of RFC 8446
 * 4.2.3 (for TLS 1.2 likewise).  fn is never called before this has returned.
 * NULL: out of memory, fn is not called.
 */
struct keys_query	*keys_sign(struct keys *, const uint8_t id[KEYS_ID_LEN],
			    unsigned scheme, struct span text, keys_fn *,
			    void *arg);
/* *q becomes NULL; NULL is allowed. */
void	keys_cancel(struct keys_query **q);

/*
 * The same, waiting for the answer here and now: for sanitizer builds; not from
 * within a link_msg_fn.  signature has room for KEYS_SIGNATURE_MAX bytes.  What
 * else comes on the link meanwhile is kept for the loop.
 */
enum sign_status keys_sign_now(struct keys *, const uint8_t id[KEYS_ID_LEN],
	    unsigned scheme, struct span text, uint8_t *signature,
	    size_t *len);

#endif
