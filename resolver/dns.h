/*
 * dns - libunbound in the loop: a validating resolver with its own cache,
 * which works in a thread of its own.
 *
 * Every question is answered once, with RESOLVED_FAILED after DNS_PATIENCE_MS,
 * and never before the call that asked has returned.  What does not validate
 * is RESOLVED_FAILED with TRUST_BOGUS, and none of its records are shown.
 * Answers of a stub's zone are not validated: they are TRUST_INSECURE.
 *
 * Reads no file and needs none, so it may be opened inside the sandbox.
 *
 * Owns	   the library's context and thread, all questions under way
 * Blocks  dns_close() until the thread has ended
 * Errors  ERR_SYS, after a log line event=trouble
 */
#ifndef RESOLVER_DNS_H
#define RESOLVER_DNS_H

#include <stdint.h>
#include <stdio.h>

#include "ask/resolve.h"
#include "base/err.h"
#include "resolver/settings.h"
#include "sys/ev.h"

#define DNS_PATIENCE_MS		15000

struct dns;
struct dns_query;

/* settings are copied by the library; errors is borrowed until dns_close(). */
MUST_CHECK enum err dns_open(struct dns **out, struct ev_loop *,
	    const struct settings *, FILE *errors);
/* Drops what is under way without an answer. */
void	dns_close(struct dns **);
/* Close when all that is under way has been answered; *d becomes NULL. */
void	dns_retire(struct dns **d);

/* name as dnsname_fold() made it.  NULL when it cannot be asked now. */
struct dns_query	*dns_ask(struct dns *, const char *name,
			    uint16_t rrtype, resolve_answer_fn *, void *arg);
void	dns_cancel(struct dns_query **);

#endif
