/*
 * trace.c - the trace itself goes above what was missing.
 */
#include <stdio.h>

#include "edge/edge.h"
#include "edge/text/trace.h"
#include "edge/text/transaction.h"
#include "mail/date.h"
#include "mail/received.h"
#include "sys/clock.h"

static void
add_missing(struct transaction *t, int64_t now_ms)
{
	const struct settings *set = &t->edge->set;
	char field[TEXT_MISSING_MAX];
	char date[DATE_TEXT_LEN + 1], id[ID_TEXT_LEN + 1];
	struct span sender = envelope_sender(&t->envelope);
	struct text *x = &t->text;
	int len;

	if (t->wants_from && sender.len > 0 && !(x->scan.has & HEADER_FROM)) {
		len = snprintf(field, sizeof(field), "From: %.*s\r\n",
		    (int)sender.len, sender.ptr);
		text_add_field(x, (struct span){ field, (size_t)len });
	}
	if (set->add_message_id && !(x->scan.has & HEADER_MESSAGE_ID)) {
		id_text(t->stream.id, id);
		len = snprintf(field, sizeof(field),
		    "Message-ID: <%s@%.*s>\r\n", id, DOMAIN_MAX,
		    set->hostname);
		text_add_field(x, (struct span){ field, (size_t)len });
	}
	if (set->add_date && !(x->scan.has & HEADER_DATE)) {
		date_text(now_ms, date);
		len = snprintf(field, sizeof(field), "Date: %s\r\n", date);
		text_add_field(x, (struct span){ field, (size_t)len });
	}
}

static enum err
add_received(struct transaction *t, int64_t now_ms)
{
	const struct origin *o = &t->origin;
	char trace[RECEIVED_TEXT_MAX];
	struct envelope_rcpt rcpt;
	size_t len = 0, at = 0;
	enum err e;
	struct received r = {
		.helo = span_of(o->helo),
		.client = span_of(o->client),
		.name = o->name != NULL ? span_of(o->name) : SPAN(""),
		.is_local = origin_is_local(o),
		.uid = client_address_uid(&o->address),
		.by = span_of(t->edge->set.hostname),
		.with = origin_with(o, t->has_smtputf8),
		.id = t->stream.id,
		.when_ms = now_ms,
	};

	if (t->envelope.rcpt_cnt == 1) {
		envelope_rcpt(&t->envelope, &at, &rcpt);
		r.for_rcpt = rcpt.address;
	}
	if ((e = received_build(&r, trace, sizeof(trace), &len)) == OK)
		text_add_field(&t->text, (struct span){ trace, len });
	return e;
}

/* Above the trace that it belongs to, RFC 7208 9.1. */
static void
add_spf(struct transaction *t)
{
	char field[SPF_FIELD_MAX];
	struct spf_field f = {
		.result = t->spf, .client = span_of(t->origin.client),
		.sender = envelope_sender(&t->envelope),
		.helo = span_of(t->origin.helo),
		.receiver = span_of(t->edge->set.hostname),
	};
	size_t len = spf_field_build(&f, field);

	text_add_field(&t->text, (struct span){ field, len });
}

enum err
trace_add(struct transaction *t)
{
	int64_t now_ms = clock_wall_ms();
	enum err e = OK;

	add_missing(t, now_ms);
	if (t->edge->set.add_received)
		e = add_received(t, now_ms);
	if (e == OK && t->has_spf)
		add_spf(t);
	return e;
}
