/* fields.c - names are compared without regard to letter case. */
#include "ctl/sendmail/fields.h"

bool
fields_is_field(struct span line)
{
	size_t len = 0;

	while (len < line.len && line.ptr[len] > ' ' && line.ptr[len] <= '~' &&
	    line.ptr[len] != ':')
		len++;
	if (len == 0)
		return false;
	line = span_trim(span_tail(line, len));
	return line.len > 0 && line.ptr[0] == ':';
}

static struct span
take_line(struct span *text)
{
	struct span line = span_head(*text, span_find(*text, '\n') + 1);

	*text = span_tail(*text, line.len);
	return line;
}

bool
fields_next(struct span *section, struct field *out)
{
	struct span whole = take_line(section);
	size_t colon = span_find(whole, ':');

	if (whole.len == 0)
		return false;
	while (section->len > 0 && (section->ptr[0] == ' ' ||
	    section->ptr[0] == '\t'))
		whole.len += take_line(section).len;
	out->whole = whole;
	out->name = span_trim(span_head(whole, colon));
	out->body = span_tail(whole, colon + 1);
	return true;
}

bool
fields_has(struct span section, struct span name)
{
	struct field f;

	while (fields_next(&section, &f))
		if (span_eq_nocase(f.name, name))
			return true;
	return false;
}

bool
fields_is_recipient(const struct field *f, bool resent)
{
	struct span name = f->name;
	bool is_resent = span_begins_nocase(name, SPAN("Resent-"));

	if (is_resent != resent)
		return false;
	if (is_resent)
		name = span_tail(name, sizeof("Resent-") - 1);
	return span_eq_nocase(name, SPAN("To")) ||
	    span_eq_nocase(name, SPAN("Cc")) ||
	    span_eq_nocase(name, SPAN("Bcc"));
}

bool
fields_is_blind(const struct field *f)
{
	return span_eq_nocase(f->name, SPAN("Bcc")) ||
	    span_eq_nocase(f->name, SPAN("Resent-Bcc"));
}
