/*
 * notice.c - read line by line; what is wrong is the first thing that is.
 */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "mail/notice.h"

/* Where the reading stands. */
enum at { AT_START, AT_REASONS, AT_PART };

struct reading {
	struct notice	*out;
	struct notice_error *error;
	enum at		 at;
	enum notice_part part;		/* in AT_PART			*/
	unsigned	 line;
	struct span	 text;		/* the line			*/
	bool		 seen[NOTICE_PART__COUNT], seen_reasons;
};

static const char *const parts[NOTICE_PART__COUNT] = {
#define NOTICE_PART(name)	[NOTICE_##name] = #name,
	NOTICE_PARTS
#undef NOTICE_PART
};

static const struct field {
	const char	*name;
	bool		 in_recipient;
} fields[NOTICE_FIELD__COUNT] = {
#define NOTICE_FIELD(name, in_recipient)				\
	[NOTICE_FIELD_##name] = { #name, in_recipient },
	NOTICE_FIELDS
#undef NOTICE_FIELD
};

static const char *const reasons[NOTICE_REASON__COUNT] = {
#define NOTICE_REASON(name)	[NOTICE_REASON_##name] = #name,
	NOTICE_REASONS
#undef NOTICE_REASON
};

static enum err
fail(struct reading *r, size_t column, const char *why)
{
	r->error->line = r->line;
	r->error->column = (unsigned)column + 1;
	r->error->text = r->text;
	strlcpy(r->error->why, why, sizeof(r->error->why));
	return ERR_PEER;
}

/* What stands between the braces at the front, and its length with them. */
static bool
take_field(struct span s, enum notice_field *out, size_t *len)
{
	struct span name;

	*len = span_find(s, '}');
	if (*len == s.len)
		return false;
	name = span_head(span_tail(s, 1), *len - 1);
	(*len)++;
	for (int i = 0; i < NOTICE_FIELD__COUNT; i++)
		if (span_eq(name, span_of(fields[i].name))) {
			*out = i;
			return true;
		}
	return false;
}

bool
notice_next(struct span *text, struct notice_run *out)
{
	size_t len = 0;

	if (text->len == 0)
		return false;
	out->is_field = false;
	if (span_begins(*text, SPAN("{{"))) {
		out->text = span_head(*text, 1);
		*text = span_tail(*text, 2);
		return true;
	}
	if (text->ptr[0] == '{' && take_field(*text, &out->field, &len)) {
		out->is_field = true;
		out->text = span_head(*text, len);
		*text = span_tail(*text, len);
		return true;
	}
	do
		len++;
	while (len < text->len && text->ptr[len - 1] != '\n' &&
	    text->ptr[len] != '{');
	out->text = span_head(*text, len);
	*text = span_tail(*text, len);
	return true;
}

/* Are the placeholders of the line known, and do they stand where they may? */
static enum err
check_fields(struct reading *r, bool in_recipient)
{
	struct span s = r->text;
	enum notice_field field;
	size_t at, len;

	for (at = 0; at < s.len; at++) {
		if (s.ptr[at] != '{')
			continue;
		if (at + 1 < s.len && s.ptr[at + 1] == '{') {
			at++;
			continue;
		}
		if (!take_field(span_tail(s, at), &field, &len))
			return fail(r, at,
			    "there is no such placeholder; a brace is \"{{\"");
		if (fields[field].in_recipient != in_recipient)
			return fail(r, at, in_recipient ?
			    "this placeholder cannot stand in [recipient]" :
			    "this placeholder can stand in [recipient] only");
	}
	return OK;
}

static enum err
check_bytes(struct reading *r)
{
	struct span s = r->text;

	if (s.len > NOTICE_LINE_MAX)
		return fail(r, NOTICE_LINE_MAX, "the line is too long");
	for (size_t at = 0, n; at < s.len; at += n) {
		unsigned char c = (unsigned char)s.ptr[at];

		n = 1;
		if (c >= 0x80 && (n = utf8_len(span_tail(s, at))) == 0)
			return fail(r, at, "this is no UTF-8");
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return fail(r, at, "a control cannot stand here");
	}
	return OK;
}

static enum err
begin_section(struct reading *r)
{
	struct span name = span_trim(r->text);
	bool *seen = NULL;

	if (name.len < 2 || name.ptr[name.len - 1] != ']')
		return fail(r, r->text.len, "\"]\" is missing");
	name = span_head(span_tail(name, 1), name.len - 2);
	if (span_eq(name, SPAN("reasons"))) {
		r->at = AT_REASONS;
		seen = &r->seen_reasons;
	}
	for (int i = 0; i < NOTICE_PART__COUNT; i++)
		if (span_eq(name, span_of(parts[i]))) {
			r->at = AT_PART;
			r->part = i;
			seen = &r->seen[i];
		}
	if (seen == NULL)
		return fail(r, 1, "there is no such section: failed, delayed, "
		    "delivered, recipient and reasons are");
	if (*seen)
		return fail(r, 1, "this section is there already");
	*seen = true;
	if (r->at == AT_PART) {
		r->out->parts[r->part] = (struct span){ NULL, 0 };
		r->out->subjects[r->part] = (struct span){ NULL, 0 };
	}
	return OK;
}

static enum err
take_reason(struct reading *r)
{
	size_t colon = span_find(r->text, ':');
	struct span name = span_trim(span_head(r->text, colon));
	struct span words = span_trim(span_tail(r->text, colon + 1));

	if (r->text.len == 0)
		return OK;
	for (int i = 0; i < NOTICE_REASON__COUNT; i++) {
		if (!span_eq(name, span_of(reasons[i])))
			continue;
		if (words.len == 0)
			return fail(r, colon, "the words are missing");
		r->out->reasons[i] = words;
		return OK;
	}
	return fail(r, 0, "there is no such reason");
}

/* A part is one run of the text; its subject stands before it. */
static enum err
take_line(struct reading *r, struct span line)
{
	struct span *part = &r->out->parts[r->part];
	struct span *subject = &r->out->subjects[r->part];
	enum err e = check_fields(r, r->part == NOTICE_recipient);

	if (e != OK)
		return e;
	if (r->part != NOTICE_recipient && subject->ptr == NULL) {
		if (!span_begins_nocase(r->text, SPAN("Subject:")))
			return fail(r, 0,
			    "a section begins with its \"Subject: ...\"");
		*subject = span_trim(span_tail(r->text, 8));
		if (subject->len == 0 ||
		    span_find(*subject, '{') < subject->len)
			return fail(r, 8, "a subject is words, and no more");
		return OK;
	}
	if (part->ptr == NULL)
		part->ptr = line.ptr;
	part->len = (size_t)(line.ptr + line.len - part->ptr);
	return OK;
}

static enum err
take(struct reading *r, struct span line)
{
	enum err e = check_bytes(r);

	if (e != OK)
		return e;
	if (r->text.len > 0 && r->text.ptr[0] == '[')
		return begin_section(r);
	switch (r->at) {
	case AT_PART:
		return take_line(r, line);
	case AT_REASONS:
		if (r->text.len > 0 && r->text.ptr[0] == '#')
			return OK;
		return take_reason(r);
	default:
		if (span_trim(r->text).len > 0 && r->text.ptr[0] != '#')
			return fail(r, 0, "a section comes first: [failed]");
		return OK;
	}
}

/* A section must say something, and whom it is about. */
static enum err
check_whole(struct reading *r)
{
	static const char *const must[NOTICE_PART__COUNT] = {
		[NOTICE_failed] = "{recipients}",
		[NOTICE_delayed] = "{recipients}",
		[NOTICE_delivered] = "{recipients}",
		[NOTICE_recipient] = "{recipient}",
	};

	r->text = (struct span){ "", 0 };
	for (int i = 0; i < NOTICE_PART__COUNT; i++) {
		struct span part = r->out->parts[i];

		if (part.len > 0 && memmem(part.ptr, part.len, must[i],
		    strlen(must[i])) != NULL)
			continue;
		snprintf(r->error->why, sizeof(r->error->why),
		    "section [%s] has no %s", parts[i], must[i]);
		r->error->line = r->line;
		r->error->column = 1;
		r->error->text = r->text;
		return ERR_PEER;
	}
	return OK;
}

static enum err
read_over(struct notice *out, struct span text, struct notice_error *error)
{
	struct reading r = { .out = out, .error = error };
	enum err e;

	if (text.len > NOTICE_MAX) {
		r.line = 1;
		return fail(&r, 0, "the text is over 16K");
	}
	while (text.len > 0) {
		struct span line = span_head(text, span_find(text, '\n') + 1);

		r.line++;
		r.text = line;
		if (r.text.ptr[r.text.len - 1] == '\n')
			r.text.len--;
		if (r.text.len > 0 && r.text.ptr[r.text.len - 1] == '\r')
			r.text.len--;
		if ((e = take(&r, line)) != OK)
			return e;
		text = span_tail(text, line.len);
	}
	return check_whole(&r);
}

static const char own[] =
    "[failed]\n"
    "Subject: Your message could not be delivered\n"
    "This is the mail system at {hostname}.\n"
    "\n"
    "Your message could not be delivered to the recipients below, and will\n"
    "not be tried again. If it still matters, see to the reason and send it\n"
    "once more, or reach them in another way.\n"
    "\n"
    "    Subject: {subject}\n"
    "    Date: {date}\n"
    "\n"
    "{recipients}\n"
    "{returned}\n"
    "[delayed]\n"
    "Subject: Your message is delayed\n"
    "This is the mail system at {hostname}.\n"
    "\n"
    "Your message has not yet been delivered to the recipients below. You\n"
    "need not do anything, and need not send it again: it is kept and tried.\n"
    "If it cannot be delivered, you will be told so.\n"
    "\n"
    "    Subject: {subject}\n"
    "    Date: {date}\n"
    "    It is tried until: {until}\n"
    "\n"
    "{recipients}\n"
    "[delivered]\n"
    "Subject: Your message was delivered\n"
    "This is the mail system at {hostname}.\n"
    "\n"
    "You wanted to be told when your message was delivered. It was, to the\n"
    "recipients below.\n"
    "\n"
    "    Subject: {subject}\n"
    "    Date: {date}\n"
    "\n"
    "{recipients}\n"
    "[recipient]\n"
    "<{recipient}>\n"
    "    {reason}\n"
    "    {hop} said: {reply}\n"
    "    In our own words: {detail}\n"
    "\n"
    "[reasons]\n"
    "unknown: There is no such address. Check how it is written.\n"
    "disabled: This address takes no mail just now, or any more.\n"
    "full: The mailbox is full. Ask its owner to make room, then send again.\n"
    "big: The message is too big for this recipient. Send less, or a link.\n"
    "domain: There is no such mail domain. Check what stands behind the @.\n"
    "unreachable: The recipient's mail server could not be reached.\n"
    "busy: The recipient's mail server has no room, or is out of order.\n"
    "loop: The mail runs in a circle. The recipient's postmaster can help.\n"
    "content: The recipient's mail server cannot take this kind of message.\n"
    "refused: It was refused, perhaps as spam, or by a rule over there.\n"
    "secure: Our login or the encryption there failed. Ask your postmaster.\n"
    "late: It was tried for as long as we try, and did not get through.\n"
    "lost: What became of it was lost by damage to our records.\n"
    "later: It did not get through so far.\n"
    "delivered: It is in the mailbox.\n"
    "relayed: It was handed on. Who has it now may not tell you more.\n"
    "other: It was refused for good.\n"
    "header: The header of your message is returned with this report.\n"
    "whole: Your message is returned with this report.\n";

void
notice_default(struct notice *out)
{
	struct notice_error error;
	enum err e;

	memset(out, 0, sizeof(*out));
	e = read_over(out, SPAN(own), &error);
	(void)e;			/* a test reads it too		*/
}

enum err
notice_read(struct notice *out, struct span text, struct notice_error *error)
{
	notice_default(out);
	return read_over(out, text, error);
}
