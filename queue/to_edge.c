/* to_edge.c - results of sends are left to the link's gone call. */
#include "queue/to_edge.h"

void
to_edge_grant(struct link *l, uint64_t stream, struct id id)
{
	link_send_mail_grant(l, &(struct msg_mail_grant){ stream, id });
}

void
to_edge_credit(struct link *l, uint64_t stream, uint32_t pieces)
{
	link_send_mail_credit(l, &(struct msg_mail_credit){ stream, pieces });
}

void
to_edge_taken(struct link *l, uint64_t stream)
{
	link_send_mail_taken(l, &(struct msg_mail_taken){ .stream = stream });
}

void
to_edge_refused(struct link *l, uint64_t stream, uint16_t code,
    const char *dsn, const char *text)
{
	struct msg_mail_refused m = {
		stream, code, span_of(dsn), span_of(text),
	};

	link_send_mail_refused(l, &m);
}

void
to_edge_no_room(struct link *l, uint64_t stream, bool is_full)
{
	if (is_full)
		to_edge_refused(l, stream, 452, "4.3.1", "Mail system full");
	else
		to_edge_refused(l, stream, 451, "4.3.0",
		    "Mail cannot be stored now, try again later");
}

void
to_edge_state(struct link *l, const struct msg_queue_state *m)
{
	link_send_queue_state(l, m);
}

void
to_edge_rcpt(struct link *l, uint64_t ask, const struct route_reply *r)
{
	struct msg_rcpt_answer m = {
		ask, r->code, span_of(r->dsn), span_of(r->text),
	};

	link_send_rcpt_answer(l, &m);
}
