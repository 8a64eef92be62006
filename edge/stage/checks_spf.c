/*
 * checks_spf.c - SPF at MAIL: of strangers alone, for mail of who has logged in
 * comes from anywhere.  What it came to goes into the header section.
 */
#include <stdio.h>

#include "edge/client/client_name.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/stage/spf_check.h"
#include "edge/text/transaction.h"

/* RFC 7372 3.2 has the codes. */
static void
say_no(const struct session *s, enum spf_result r, const char *domain,
    const char *explanation, struct reply *no)
{
	*no = (struct reply){ 550, "5.7.23", "", false };
	if (r == SPF_TEMPERROR)
		*no = (struct reply){ 451, "4.7.24", "", false };
	else if (r == SPF_PERMERROR)
		*no = (struct reply){ 550, "5.7.24", "", false };
	if (explanation[0] != '\0')
		snprintf(no->text, sizeof(no->text), "SPF %s: [%s] for %.120s: "
		    "%.120s", spf_word(r), s->origin.client, domain,
		    explanation);
	else
		snprintf(no->text, sizeof(no->text), "SPF %s: [%s] may not "
		    "send mail of %.180s", spf_word(r), s->origin.client,
		    domain);
	if (explanation[0] == '\0' && (r == SPF_TEMPERROR ||
	    r == SPF_PERMERROR))
		snprintf(no->text, sizeof(no->text), "SPF %s: the records of "
		    "%.180s cannot be used", spf_word(r), domain);
}

static void
on_result(enum spf_result r, const char *domain, const char *explanation,
    void *arg)
{
	struct session *s = arg;
	struct reply no;

	s->spf = NULL;
	if (s->transaction == NULL)
		return;
	s->transaction->spf = r;
	s->transaction->has_spf = true;
	if (!session_waits_for(s, &check_spf_sender))
		return;
	if ((s->edge->set.spf_reject >> r & 1) == 0) {
		session_resume(s, NULL);
		return;
	}
	say_no(s, r, domain, explanation, &no);
	session_resume(s, &no);
}

static enum answer
judge(struct session *s, struct reply *no)
{
	const struct client_address *a = &s->origin.address;

	if (!s->edge->set.spf || origin_is_known(&s->origin) ||
	    client_name_own(a) != NULL || dnsbl_is_private(a))
		return ANSWER_SKIP;
	s->spf = spf_check_begin(s->edge->loop, s->edge->resolve, &s->origin,
	    envelope_sender(&s->transaction->envelope),
	    span_of(s->edge->set.hostname), on_result, s);
	if (s->spf != NULL)
		return ANSWER_LATER;
	*no = (struct reply){ 451, "4.3.0", "Insufficient memory", false };
	return ANSWER_NO;
}

static void
forget(struct session *s)
{
	spf_check_cancel(&s->spf);
}

/* It has a deadline of its own, and always answers. */
const struct check check_spf_sender = {
	.name = "spf", .asks = "resolver", .judge = judge, .cancel = forget,
};
