/*
 * check_login.c - TLS and logins of an edge.
 *
 * A client on a unix socket is known by its credentials, and nobody listens on
 * the way: an edge that has nothing but unix sockets needs neither.
 */
#include "conf/check/check.h"

static struct place
place_of(const struct block *b, enum option_no no)
{
	return b->settings[no].v[0].place;
}

static void
check_tls(struct conf *c, const struct block *e, const struct block *rules)
{
	if (block_nth(e, BLOCK_EDGE_TLS, 0) != NULL)
		return;
	if (block_num(e, OPTION_EDGE_tls_immediately) != 0)
		report_add(&c->mistakes, place_of(e,
		    OPTION_EDGE_tls_immediately), "%s has no certificate: "
		    "tls_immediately needs `tls { certfile ...; keyfile ... }'",
		    block_words(c, e));
	if (block_num(rules, OPTION_RULES_require_tls) != 0 &&
	    !block_is_local(e))
		report_add(&c->mistakes, place_of(rules,
		    OPTION_RULES_require_tls), "%s has no certificate: "
		    "require_tls needs `tls { certfile ...; keyfile ... }'",
		    block_words(c, e));
}

static void
check_auth(struct conf *c, const struct block *e, const struct block *rules)
{
	struct place place;

	if (block_num(rules, OPTION_RULES_require_auth) == 0 ||
	    block_is_local(e))
		return;
	place = place_of(rules, OPTION_RULES_require_auth);
	if (!rules->settings[OPTION_RULES_lookup_credentials].given)
		report_add(&c->mistakes, place, "nobody could log in to %s: "
		    "require_auth needs `lookup_credentials NAME' of a users "
		    "block", block_words(c, e));
	else if (block_nth(e, BLOCK_EDGE_TLS, 0) == NULL &&
	    !rules->settings[OPTION_RULES_auth_without_tls].given)
		report_add(&c->mistakes, place, "nobody could log in to %s: "
		    "logins are under TLS only; give `tls { certfile ...; "
		    "keyfile ... }' or auth_without_tls", block_words(c, e));
}

void
check_login(struct conf *c)
{
	const struct block *e, *rules;

	TAILQ_FOREACH(e, &c->top->blocks, entry) {
		if (e->no != BLOCK_EDGE)
			continue;
		rules = block_nth(e, BLOCK_RULES, 0);
		if (rules == NULL)
			continue;
		check_tls(c, e, rules);
		check_auth(c, e, rules);
	}
}
