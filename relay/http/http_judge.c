/* http_judge.c - a row for each status that is not like its class. */
#include <stdio.h>
#include <string.h>

#include "relay/http/http_judge.h"

struct row {
	unsigned	 status;	/* last: any			*/
	enum outcome_class class;
	enum outcome_scope scope;
	uint16_t	 code;
	const char	*enhanced;
};

static const struct row refusals[] = {
	{ 408, CLASS_LATER, SCOPE_HOST,	   450, "4.0.0 " },
	{ 413, CLASS_NEVER, SCOPE_MESSAGE, 552, "5.3.4 " },
	{ 421, CLASS_LATER, SCOPE_HOST,	   450, "4.0.0 " },
	{ 425, CLASS_LATER, SCOPE_HOST,	   450, "4.0.0 " },
	{ 429, CLASS_LATER, SCOPE_HOST,	   450, "4.0.0 " },
	{ 0,   CLASS_NEVER, SCOPE_MESSAGE, 550, "5.0.0 " },
};
static const struct row troubles =
	{ 0,   CLASS_LATER, SCOPE_HOST,	   450, "4.0.0 " };
static const struct row done =
	{ 0,   CLASS_DONE, SCOPE_RECIPIENT, 250, "2.0.0 " };

static const struct row *
row_of(unsigned status)
{
	const struct row *r = refusals;

	if (status / 100 == 2)
		return &done;
	if (status / 100 != 4)
		return &troubles;
	while (r->status != 0 && r->status != status)
		r++;
	return r;
}

/*
 * The words are the reason, which in one of the dialects is the reply's whole
 * text: an enhanced code of the right class that begins it stays.
 */
static struct verdict
judge_status(const struct http_answer *a, struct verdict_text *words)
{
	const struct row *row = row_of(a->status);
	struct reply r = { .code = row->code };
	struct verdict v = { .class = row->class, .scope = row->scope,
	    .stage = STAGE_BODY, .code = row->code };

	words->len = 0;
	if (!reply_dsn(a->reason, &r)) {
		r.text = span_of(row->enhanced);
		verdict_add(words, &r);
		words->len = span_trim(verdict_span(words)).len;
		r.text = a->reason;
	}
	verdict_add(words, &r);
	if (words->len <= 5) {
		r.text = row->class == CLASS_DONE ? SPAN("Ok") :
		    SPAN("The next hop gave no reason");
		verdict_add(words, &r);
	}
	v.text = verdict_span(words);
	return v;
}

static enum stage
stage_of(const struct http_reply *r)
{
	struct span command = { r->command, r->command_len };

	return span_eq(command, SPAN("MAIL")) ? STAGE_MAIL :
	    span_eq(command, SPAN("RCPT")) ? STAGE_RCPT :
	    span_eq(command, SPAN("DATA")) ? STAGE_DATA : STAGE_BODY;
}

struct verdict
http_judge(const struct http_answer *a, struct verdict_text *words)
{
	const struct http_reply *r = a->reply;
	bool is_good = a->status / 100 == 2;

	if (a->status == 401 || a->status == 407)
		return verdict_own(OWN_login_refused, STAGE_EHLO);
	if (r == NULL || (is_good && r->code / 100 == 3))
		return judge_status(a, words);
	if (r->code < 400 && !(is_good && r->code / 100 == 2))
		return verdict_own(OWN_wrong_reply, STAGE_BODY);
	return verdict_reply(stage_of(r), r->code,
	    (struct span){ r->text, r->text_len });
}
