/*
 * checks_name.c - what the client is called: asked when it connects, and waited
 * for where something shows it, the banner or the trace, for a while.
 */
#include "edge/client/client_name.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

#define PATIENCE_MS	5000	/* where it is waited for		*/

static void
on_name(const char *name, void *arg)
{
	struct session *s = arg;

	s->naming = NULL;
	origin_set_name(&s->origin, name);
	if (s->transaction != NULL)
		origin_set_name(&s->transaction->origin, name);
	if (session_waits_for(s, &check_client_name))
		session_resume(s, NULL);
}

void
session_ask_name(struct session *s)
{
	const struct client_address *a = &s->origin.address;
	const char *own = client_name_own(a);

	if (own != NULL)
		origin_set_name(&s->origin, own);
	else if (s->edge->set.client_names)
		s->naming = client_name_ask(s->edge->resolve, a, on_name, s);
}

static enum answer
judge(struct session *s, struct reply *no)
{
	const struct settings *set = &s->edge->set;
	bool is_shown = s->waiting.stage == AT_CONNECT ?
	    set->banner_has_name : set->add_received;

	return s->naming != NULL && is_shown ? ANSWER_LATER : ANSWER_SKIP;
}

/* Who takes so long is not waited for again. */
static void
give_up(struct session *s)
{
	client_name_cancel(&s->naming);
}

const struct check check_client_name = {
	.name = "name", .asks = "resolver", .judge = judge, .cancel = give_up,
	.is_fact = true, .patience_ms = PATIENCE_MS,
};
