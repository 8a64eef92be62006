/*
 * verdict.c - one row a stage: whom a refusal at it is about, and whether a
 * 5xx there may end the message.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "relay/verdict.h"

#define SCOPE_HOP	SCOPE__COUNT	/* as own.def has it */

struct row {
	enum outcome_scope scope;	/* of 4xx and 5xx		*/
	bool		 is_final;	/* 5xx is about the mail: never	*/
};

static const struct row rows[STAGE__COUNT] = {
	[STAGE_LOOKUP]	 = { SCOPE_DESTINATION, false },
	[STAGE_CONNECT]	 = { SCOPE_DESTINATION, false },
	[STAGE_GREETING] = { SCOPE_DESTINATION, false },
	[STAGE_EHLO]	 = { SCOPE_DESTINATION, false },
	[STAGE_MAIL]	 = { SCOPE_MESSAGE, true },
	[STAGE_RCPT]	 = { SCOPE_RECIPIENT, true },
	[STAGE_DATA]	 = { SCOPE_MESSAGE, true },
	[STAGE_BODY]	 = { SCOPE_MESSAGE, true },
	[STAGE_STORE]	 = { SCOPE_MESSAGE, true },
};

struct verdict
verdict_reply(enum stage stage, uint16_t code, struct span text)
{
	struct verdict v = { CLASS_LATER, SCOPE_HOST, stage, code, text, 0,
	    false, { NULL, 0 } };

	/* It closes, RFC 5321 3.8; or wants TLS or a login of us first. */
	if (code == 421 || code == 530)
		return v;
	switch (code / 100) {
	case 2:
		v.class = CLASS_DONE;
		v.scope = SCOPE_RECIPIENT;
		break;
	case 4:
		v.scope = rows[stage].scope;
		break;
	case 5:
		v.scope = rows[stage].scope;
		if (rows[stage].is_final)
			v.class = CLASS_NEVER;
		break;
	default:
		break;
	}
	return v;
}

/* One of own.def. */
static const struct own_row {
	enum outcome_class class;
	unsigned	 scope;
	uint16_t	 code;
	const char	*text;
} own_rows[OWN__COUNT] = {
#define OWN(name, class, scope, code, text, why) \
	[OWN_##name] = { CLASS_##class, SCOPE_##scope, code, text },
#include "relay/own.def"
#undef OWN
};

struct verdict
verdict_own(enum own own, enum stage stage)
{
	const struct own_row *r = &own_rows[own];
	unsigned scope = r->scope;

	if (scope == SCOPE_HOP)
		scope = stage <= STAGE_EHLO ? SCOPE_DESTINATION : SCOPE_HOST;
	return (struct verdict){
		r->class, (enum outcome_scope)scope, stage, r->code,
		span_of(r->text),
		RESULT_OWN | (r->class == CLASS_DONE ? RESULT_FINAL : 0),
		false, { NULL, 0 },
	};
}

struct verdict
verdict_own_of(enum own own, enum stage stage, const char *which, char *buf,
    size_t cap)
{
	struct verdict v = verdict_own(own, stage);
	size_t at = span_find(v.text, '%');
	struct span rest = span_tail(v.text, at + 2);

	snprintf(buf, cap, "%.*s%s%.*s", (int)at, v.text.ptr, which,
	    (int)rest.len, rest.ptr);
	v.text = span_of(buf);
	return v;
}

static void
add_bytes(struct verdict_text *t, struct span s)
{
	for (size_t i = 0; i < s.len && t->len < sizeof(t->bytes); i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == '\t')
			c = ' ';
		t->bytes[t->len++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
}

void
verdict_add(struct verdict_text *t, const struct reply *r)
{
	char dsn[32];

	if (t->len > 0 && r->text.len > 0) {
		add_bytes(t, SPAN(" "));
	} else if (t->len == 0 && r->has_dsn) {
		snprintf(dsn, sizeof(dsn), "%u.%u.%u ", r->dsn_class,
		    r->dsn_subject, r->dsn_detail);
		add_bytes(t, span_of(dsn));
	}
	add_bytes(t, r->text);
}

struct span
verdict_span(const struct verdict_text *t)
{
	return span_trim((struct span){ t->bytes, t->len });
}
