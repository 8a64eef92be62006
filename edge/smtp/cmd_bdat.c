/*
 * cmd_bdat.c - BDAT, RFC 3030 2: the text in chunks whose octets are counted.
 *
 * The octets of a chunk follow its command at once, whatever we think of it,
 * and are never commands: one that is refused is taken off the input to its
 * last octet before the reply.  Where their number is not to be understood, or
 * is beyond what anybody would wait for, nothing behind it is read.
 *
 * A text of which a chunk was refused stays refused until its last chunk, or
 * RSET: the others alone must never make a message.
 */
#include "edge/smtp/cmd.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

#define READ_AWAY_MAX	(1ull << 30)	/* octets: more is not read away */

/* False: the reply was said, and was the last. */
static bool
is_readable(struct session *s, struct span args)
{
	if (command_bdat(args, &s->chunk_len, &s->chunk_is_last) != OK)
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
	else if (s->chunk_len > READ_AWAY_MAX &&
	    s->chunk_len > s->edge->set.max_size)
		session_refuse(s, 552, "5.3.4",
		    "Message size exceeds %llu limit",
		    (unsigned long long)s->edge->set.max_size);
	else
		return true;
	session_close(s, true);
	return false;
}

/* The first chunk; of a text that is refused already when there is a no. */
static enum taken
begin(struct session *s, const struct reply *no)
{
	static const struct reply away = { 451, "4.3.0", QUEUE_AWAY, false };

	if (no == NULL && s->edge->queue == NULL)
		no = &away;
	transaction_open_chunks(s->transaction, cmd_is_lax(s), no);
	transaction_chunk(s->transaction, s->chunk_len, s->chunk_is_last);
	return TAKEN;
}

enum taken
cmd_bdat(struct session *s, struct span args)
{
	static const struct reply no = { 503, "5.5.1", "Say EHLO first",
	    false };

	if (!is_readable(s, args))
		return REFUSED;
	s->transaction->is_chunked = true;
	return s->origin.is_extended ? stage_run(s, AT_DATA, begin) :
	    begin(s, &no);
}

enum taken
cmd_bdat_early(struct session *s, struct span args)
{
	struct reply no = { 503, "5.5.1", "No valid recipients given", false };

	if (s->transaction->refused_cnt > 0 && !s->origin.is_lmtp)
		no.code = 554;
	return is_readable(s, args) ? begin(s, &no) : REFUSED;
}

enum taken
cmd_bdat_next(struct session *s, struct span args)
{
	if (!is_readable(s, args))
		return REFUSED;
	transaction_chunk(s->transaction, s->chunk_len, s->chunk_is_last);
	return TAKEN;
}

void
cmd_throw(struct session *s, uint64_t len)
{
	s->void_left = len;
	if (len > 0)
		return;
	s->verb = "BDAT";
	session_refuse(s, 503, "5.5.1", "Bad sequence of commands");
}

/* Without a transaction: session.c says no when it has thrown it away. */
enum taken
cmd_bdat_void(struct session *s, struct span args)
{
	if (is_readable(s, args))
		cmd_throw(s, s->chunk_len);
	return REFUSED;
}

enum taken
cmd_bdat_end(struct session *s, struct span args)
{
	const struct reply *no = transaction_fault(s->transaction);

	if (no != NULL) {
		session_say(s, no);
		return REFUSED;
	}
	session_reply(s, 250, "2.0.0", "%llu octets received",
	    (unsigned long long)s->chunk_len);
	return TAKEN;
}
