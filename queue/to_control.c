/* to_control.c - results of sends are left to the link's gone call. */
#include "queue/to_control.h"

void
to_control_status(struct link *l, const struct msg_queue_status *status)
{
	if (l != NULL)
		link_send_queue_status(l, status);
}

void
to_control_route(struct link *l, const struct msg_route_answer *answer)
{
	if (l != NULL)
		link_send_route_answer(l, answer);
}

void
to_control_alias(struct link *l, const struct msg_alias_row *row)
{
	if (l != NULL)
		link_send_alias_row(l, row);
}

void
to_control_alias_end(struct link *l, const struct msg_alias_end *end)
{
	if (l != NULL)
		link_send_alias_end(l, end);
}

void
to_control_edited(struct link *l, uint64_t request, enum tool_status status)
{
	struct msg_edit_done m = { request, (uint8_t)status };

	if (l != NULL)
		link_send_edit_done(l, &m);
}

void
to_control_message(struct link *l, uint64_t request,
    const struct store_row *row)
{
	const struct record_message *r = &row->rec.message;
	struct msg_list_message m = {
		.request = request, .id = row->id,
		.arrived_ms = r->arrived_ms,
		.size = r->header_len + r->body_len, .rcpt_cnt = r->rcpt_cnt,
		.sender = r->sender, .tenant = r->tenant,
		.client = r->client, .edge = r->edge,
	};

	if (l != NULL)
		link_send_list_message(l, &m);
}

void
to_control_delivery(struct link *l, uint64_t request,
    const struct store_row *row, enum listed state,
    const struct waits_for *waits, uint64_t until_ms)
{
	const struct record_delivery *r = &row->rec.delivery;
	struct msg_list_delivery m = {
		.request = request, .id = row->id, .delivery = row->no,
		.attempts = r->attempts, .due_ms = r->due_ms,
		.state = (uint8_t)state, .relay = r->relay,
		.destination = r->destination,
		.suspended_ms = waits->suspended_ms,
		.held = (uint8_t)store_held_by(r), .until_ms = until_ms,
		.waits = (uint8_t)waits->what, .down_ms = waits->down_ms,
		.probe_ms = waits->probe_ms, .who = span_of(waits->who),
		.reason = span_of(waits->reason), .holder = r->holder,
	};

	if (l != NULL)
		link_send_list_delivery(l, &m);
}

void
to_control_rcpt(struct link *l, uint64_t request, const struct store_row *row)
{
	const struct record_recipient *r = &row->rec.recipient;
	struct msg_list_rcpt m = {
		.request = request, .id = row->id, .rcpt_no = row->no,
		.delivery = r->delivery, .code = r->code,
		.address = r->address, .reply = r->reply, .hop = r->hop,
		.trace = r->trace,
	};

	if (l != NULL)
		link_send_list_rcpt(l, &m);
}

void
to_control_aside(struct link *l, uint64_t request,
    const struct store_note *n)
{
	struct msg_aside_row m = {
		.request = request, .id = n->id,
		.table = span_of(n->table), .has_row = n->has_no,
		.row = n->no, .why = (uint8_t)n->why,
		.since_ms = n->since_ms,
	};

	if (l != NULL)
		link_send_aside_row(l, &m);
}

void
to_control_asides(struct link *l, uint64_t request, struct span last,
    enum tool_status status)
{
	struct msg_aside_end m = { request, last, (uint8_t)status };

	if (l != NULL)
		link_send_aside_end(l, &m);
}

void
to_control_suspend_done(struct link *l, uint64_t request,
    enum tool_status status)
{
	struct msg_suspend_done m = { request, (uint8_t)status };

	if (l != NULL)
		link_send_suspend_done(l, &m);
}

void
to_control_suspended(struct link *l, uint64_t request,
    const struct suspension *s, bool is_strange)
{
	struct msg_suspended_row m = {
		.request = request, .relay = span_of(s->relay),
		.domain = span_of(s->domain), .reason = span_of(s->reason),
		.who = span_of(s->who), .since_ms = (uint64_t)s->since_ms,
		.strange = is_strange,
	};

	if (l != NULL)
		link_send_suspended_row(l, &m);
}

void
to_control_suspended_end(struct link *l, uint64_t request,
    enum tool_status status)
{
	struct msg_suspended_end m = { request, (uint8_t)status };

	if (l != NULL)
		link_send_suspended_end(l, &m);
}

void
to_control_listed(struct link *l, uint64_t request, struct id last,
    enum tool_status status)
{
	struct msg_list_end m = { request, last, (uint8_t)status };

	if (l != NULL)
		link_send_list_end(l, &m);
}

void
to_control_found(struct link *l, uint64_t request, struct id id)
{
	struct msg_found_row m = { request, id };

	if (l != NULL)
		link_send_found_row(l, &m);
}

void
to_control_found_end(struct link *l, uint64_t request,
    const struct store_index_key *last, enum tool_status status)
{
	struct msg_found_end m = { request,
	    { (const char *)last->b, last->len }, (uint8_t)status };

	if (l != NULL)
		link_send_found_end(l, &m);
}

void
to_control_event(struct link *l, uint64_t request, struct id id,
    const struct store_event *e)
{
	const struct record_history *r = &e->rec;
	struct msg_story_row m = {
		.request = request, .id = id, .at_ms = (uint64_t)e->at_ms,
		.event = e->event, .rcpt_no = e->no, .code = r->code,
		.tries = r->tries, .size = r->size, .rcpt_cnt = r->rcpt_cnt,
		.session = r->session, .address = r->address,
		.reply = r->reply, .hop = r->hop, .relay = r->relay,
		.tls = r->tls, .client = r->client, .helo = r->helo,
		.proto = r->proto, .login = r->login, .edge = r->edge,
		.message_id = r->message_id, .checks = r->checks,
	};

	if (l != NULL)
		link_send_story_row(l, &m);
}

void
to_control_story_end(struct link *l, uint64_t request,
    const struct store_index_key *last, enum tool_status status)
{
	struct msg_story_end m = { request,
	    { (const char *)last->b, last->len }, (uint8_t)status };

	if (l != NULL)
		link_send_story_end(l, &m);
}

void
to_control_text(struct link *l, uint64_t request, struct span text,
    enum tool_status status)
{
	struct msg_text_end end = { request, (uint8_t)status };

	while (l != NULL && text.len > 0) {
		struct msg_text_row m = { request,
		    span_head(text, BUS_BLOB_MAX) };

		link_send_text_row(l, &m);
		text = span_tail(text, m.bytes.len);
	}
	if (l != NULL)
		link_send_text_end(l, &end);
}
