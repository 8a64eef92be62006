/* hop_tls.c - whoever speaks on the connection, these are the words. */
#include <stdio.h>

#include "relay/hop/hop_tls.h"

enum own
hop_tls_own(struct tls *t, const struct hop_tls *target)
{
	if (t != NULL && tls_policy_verifies(&target->policy) &&
	    tls_is_distrusted(t))
		return OWN_tls_unverified;
	if (t != NULL && tls_is_refused(t))
		return target->is_certified ? OWN_tls_refused :
		    OWN_tls_certless;
	return OWN_tls_failed;
}

void
hop_tls_say(struct tls *t, char buf[TLS_WORDS_MAX])
{
	struct tls_facts facts;

	tls_facts(t, &facts);
	(void)snprintf(buf, TLS_WORDS_MAX, "%s %s%s", facts.version,
	    facts.cipher, facts.is_verified ? " verified" : "");
}

void
hop_tls_log(enum log_event event, struct span hop, const struct tls *t,
    const char *why)
{
	struct tls_facts facts;
	struct log_line l;

	log_begin(&l, event);
	log_str(&l, LOG_KEY_hop, hop);
	if (why != NULL) {
		log_text(&l, LOG_KEY_why, why);
	} else {
		tls_facts(t, &facts);
		log_text(&l, LOG_KEY_version, facts.version);
		log_text(&l, LOG_KEY_cipher, facts.cipher);
		log_text(&l, LOG_KEY_verified,
		    facts.is_verified ? "yes" : "no");
		log_text(&l, LOG_KEY_asked, facts.was_asked ? "yes" : "no");
	}
	log_end(&l);
}
