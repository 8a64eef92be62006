/*
 * cmd_data.c - DATA, RFC 5321 4.1.1.4, and the end of its text.  The text is
 * transaction_text.c's.
 *
 * In LMTP the end is answered once for each recipient that was taken, in their
 * order (RFC 2033 4.2).  They share one commit, so they hear the same; where a
 * proxy passes a text on to an LMTP server, each hears what that says of him.
 */
#include "edge/smtp/cmd.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"
#include "sys/counters.h"

bool
cmd_is_lax(const struct session *s)
{
	/* Bytes of a body are counted: no line end in it ends anything. */
	if (s->origin.is_http)
		return true;
	return s->edge->set.normalise_lf && (origin_is_known(&s->origin) ||
	    rules_trusts(&s->edge->set.rules, &s->origin.address));
}

static enum taken
begin(struct session *s, const struct reply *no)
{
	if (no != NULL) {
		session_say(s, no);
		return REFUSED;
	}
	if (s->edge->queue == NULL) {
		session_refuse(s, 451, "4.3.0", QUEUE_AWAY);
		return REFUSED;
	}
	transaction_open(s->transaction, cmd_is_lax(s));
	cmd_say_yes(s, POINT_DATA);
	return TAKEN;
}

enum taken
cmd_data(struct session *s, struct span args)
{
	if (args.len > 0) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return REFUSED;
	}
	/* RFC 3030 3: only by BDAT, whatever the text holds. */
	if (s->transaction->body == BODY_BINARYMIME) {
		session_refuse(s, 503, "5.5.1",
		    "BODY=BINARYMIME comes by BDAT alone");
		return REFUSED;
	}
	s->transaction->is_chunked = false;
	return stage_run(s, AT_DATA, begin);
}

/* A sender but no recipient that we took (RFC 5321 3.3). */
enum taken
cmd_data_early(struct session *s, struct span args)
{
	if (s->transaction->refused_cnt > 0 && !s->origin.is_lmtp)
		session_refuse(s, 554, "5.5.1", "No valid recipients given");
	else
		session_refuse(s, 503, "5.5.1", "No valid recipients given");
	return REFUSED;
}

/* One refusal, however many hear it: the last of them may be the last reply. */
static void
say_no(struct session *s, const struct reply *no)
{
	const struct transaction *t = s->transaction;

	if (s->origin.is_lmtp)
		for (unsigned i = t->result_cnt + 1;
		    i < t->envelope.rcpt_cnt; i++)
			session_reply(s, no->code, no->dsn, "%s", no->text);
	if (t->result_cnt == 0 || t->result_cnt < t->envelope.rcpt_cnt)
		session_say(s, no);
}

/* What is not told in the end, for it is told of each. */
void
cmd_say_result(struct session *s, const struct reply *r)
{
	const char *text = r->text;

	if (r->code == 250 && text[0] == '\0')
		session_reply(s, 250, "2.6.0", "Message delivered");
	else
		session_reply(s, r->code, r->dsn, "%s", text);
}

/* The next hop's words, of all recipients that it has not spoken of. */
static void
say_passed(struct session *s)
{
	const struct transaction *t = s->transaction;
	unsigned cnt = s->origin.is_lmtp ?
	    t->envelope.rcpt_cnt - t->result_cnt : 1;

	while (cnt-- > 0)
		session_reply(s, 250, t->reply.dsn, "%s", t->reply.text);
}

static void
say_queued(struct session *s)
{
	const struct transaction *t = s->transaction;
	struct envelope_rcpt r;
	char id[ID_TEXT_LEN + 1];
	size_t at = 0;

	if (!s->origin.is_lmtp && cmd_say_other(s))
		return;
	if (t->result_cnt > 0 || t->reply.text[0] != '\0') {
		say_passed(s);
		return;
	}
	if (!s->origin.is_lmtp) {
		cmd_say_yes(s, POINT_QUEUED);
		return;
	}
	id_text(t->stream.id, id);
	for (unsigned i = 0; i < t->envelope.rcpt_cnt; i++) {
		envelope_rcpt(&t->envelope, &at, &r);
		session_reply(s, 250, "2.6.0", "<%.*s> Message queued as %s",
		    (int)r.address.len, r.address.ptr, id);
	}
}

/* The end of data is answered: the transaction is over. */
static enum taken
finish(struct session *s, const struct reply *no)
{
	if (no != NULL) {
		say_no(s, no);
		transaction_end(&s->transaction);
		return REFUSED;
	}
	say_queued(s);
	s->seat.taken_cnt++;
	counter_add(COUNTER_taken, 1);
	s->junk_cnt = 0;
	transaction_end(&s->transaction);
	return TAKEN;
}

enum taken
cmd_data_end(struct session *s, struct span args)
{
	return stage_run(s, AT_END, finish);
}
