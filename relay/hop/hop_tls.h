/* hop_tls - what is said of a TLS handshake with a next hop. */
#ifndef RELAY_HOP_TLS_H
#define RELAY_HOP_TLS_H

#include "ask/tls.h"
#include "base/limits.h"
#include "base/log.h"
#include "relay/hop/hop.h"
#include "relay/verdict.h"

/* The reply for one that has failed; tls may be NULL. */
enum own hop_tls_own(struct tls *, const struct hop_tls *);
/* Of one that is done, for a verdict: "TLSv1.3 CIPHER verified". */
void	 hop_tls_say(struct tls *, char buf[TLS_WORDS_MAX]);
/* A line for the log; why is NULL of one that is done. */
void	 hop_tls_log(enum log_event, struct span hop, const struct tls *,
	    const char *why);

#endif
