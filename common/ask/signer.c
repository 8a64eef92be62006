/*
 * signer.c - the fibre sleeps.
 *
 * What waits lies on the fibre's own stack: it is there as long as the fibre
 * is, and tls_free() sees to it that the fibre ends before anything else does.
 */
#include <openssl/async.h>

#include <string.h>

#include "ask/signer.h"
#include "ask/tls_inside.h"

#define FIBRES_MAX	1024	/* asleep at once: 32 KiB of stack each	*/

struct sleeper {
	struct tls	*tls;
	struct keys_query *query;
	bool		 is_over;
	enum sign_status status;
	uint8_t		*signature;
	size_t		*len;
};

enum err
signer_start(SSL_CTX *c)
{
	static bool is_bounded;

	if (!is_bounded && ASYNC_init_thread(FIBRES_MAX, 0) != 1)
		return ERR_SYS;
	is_bounded = true;
	SSL_CTX_set_mode(c, SSL_MODE_ASYNC);
	return OK;
}

static void
answered(enum sign_status status, struct span signature, void *arg)
{
	struct sleeper *s = arg;

	s->query = NULL;
	s->status = status;
	*s->len = signature.len;
	if (signature.len > 0)
		memcpy(s->signature, signature.ptr, signature.len);
	s->is_over = true;
	tls_go_on(s->tls);		/* s may be gone now */
}

static void
abandoned(void *arg)
{
	struct sleeper *s = arg;

	keys_cancel(&s->query);
	s->status = SIGN_BUSY;
	s->is_over = true;
}

enum sign_status
signer_sign(struct keys *k, const uint8_t id[KEYS_ID_LEN], unsigned scheme,
    struct span text, uint8_t *signature, size_t *len)
{
	struct sleeper s = {
		.tls = tls_current(), .signature = signature, .len = len,
	};

	*len = 0;
	if (s.tls == NULL || ASYNC_get_current_job() == NULL)
		return SIGN_BUSY;
	s.query = keys_sign(k, id, scheme, text, answered, &s);
	if (s.query == NULL) {
		tls_blame(s.tls, signer_why(SIGN_BUSY), true);
		return SIGN_BUSY;
	}
	tls_await(s.tls, abandoned, &s);
	while (!s.is_over)
		if (ASYNC_pause_job() != 1) {
			keys_cancel(&s.query);
			tls_await(s.tls, NULL, NULL);
			return SIGN_BUSY;
		}
	if (s.status != SIGN_DONE)
		tls_blame(s.tls, signer_why(s.status), true);
	return s.status;
}
