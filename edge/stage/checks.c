/*
 * checks.c - the checks that this process answers by itself, at once: rules{},
 * the limits of an envelope, and what is wrong with a text.
 */
#include <stdio.h>

#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

static enum answer
judge_client(struct session *s, struct reply *no)
{
	if (rules_client(&s->edge->set.rules, &s->origin.address))
		return ANSWER_YES;
	*no = (struct reply){ 554, "5.7.1", "Client not allowed", false };
	return ANSWER_NO;
}

/* With our name behind it a bare <postmaster> is still one. */
static bool
is_allowed(const struct session *s, struct span rcpt)
{
	const struct rules *rules = &s->edge->set.rules;
	struct address a;

	if (s->transaction->last_is_ours || (rules->rcpts == NULL &&
	    rules->rcpt_regexes.cnt == 0))
		return true;
	return address_parse(rcpt, true, &a) == OK && rules_rcpt(rules, &a);
}

static enum answer
judge_rcpt(struct session *s, struct reply *no)
{
	struct span rcpt = envelope_last(&s->transaction->envelope);

	if (is_allowed(s, rcpt))
		return ANSWER_YES;
	*no = (struct reply){ 550, "5.7.1", "", false };
	snprintf(no->text, sizeof(no->text), "Recipient <%.*s> Not allowed",
	    (int)rcpt.len, rcpt.ptr);
	return ANSWER_NO;
}

/* By its rules, and by those of who has logged in. */
static enum answer
judge_sender(struct session *s, struct reply *no)
{
	const struct rules *rules = &s->edge->set.rules;
	const char *login = s->origin.login;
	struct span sender = envelope_sender(&s->transaction->envelope);
	struct address a = { .whole = sender };

	if (sender.len == 0 || (rules->senders == NULL &&
	    rules->sender_regexes.cnt == 0 &&
	    (rules->login_names == NULL || login == NULL)))
		return ANSWER_SKIP;
	if (address_parse(sender, true, &a) != OK || !rules_sender(rules, &a))
		*no = (struct reply){ 550, "5.7.1", "", false };
	else if (login != NULL &&
	    !rules_login_sender(rules, span_of(login), &a))
		*no = (struct reply){ 553, "5.7.1", "", false };
	else
		return ANSWER_YES;
	snprintf(no->text, sizeof(no->text), "Sender <%.*s> Not allowed",
	    (int)sender.len, sender.ptr);
	return ANSWER_NO;
}

static enum answer
judge_limits(struct session *s, struct reply *no)
{
	if (transaction_fits(s->transaction))
		return ANSWER_YES;
	*no = (struct reply){ 452, "4.5.3", "Too many recipients", false };
	return ANSWER_NO;
}

static enum answer
judge_text(struct session *s, struct reply *no)
{
	const struct reply *fault = transaction_fault(s->transaction);

	if (fault == NULL)
		return ANSWER_YES;
	*no = *fault;
	return ANSWER_NO;
}

const struct check check_rules_client = {
	.name = "rules", .asks = "", .judge = judge_client,
};
const struct check check_rules_rcpt = {
	.name = "rules", .asks = "", .judge = judge_rcpt,
};
const struct check check_rules_sender = {
	.name = "rules", .asks = "", .judge = judge_sender,
};
const struct check check_limits_rcpt = {
	.name = "limits", .asks = "", .judge = judge_limits,
};
const struct check check_text_whole = {
	.name = "text", .asks = "", .judge = judge_text,
};
