/*
 * message_id.c - the header section is looked at line by line, and only at the
 * beginnings of lines, so it costs little more than finding their ends.
 */
#include <string.h>

#include "mail/blank.h"
#include "mail/message_id.h"

static const struct span name = { "Message-ID", 10 };

struct span
message_id_clean(struct span text)
{
	size_t open = span_find(text, '<'), close;

	if (open < text.len) {
		text = span_tail(text, open + 1);
		close = span_find(text, '>');
		text = span_head(text, close);
	}
	text = blank_trim(text);
	text = span_head(text, MESSAGE_ID_KEPT);
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			text.len = i;
	return text;
}

/* What stands behind the colon, if the line is of our field. */
static bool
is_ours(struct span line, struct span *value)
{
	if (!span_eq_nocase(span_head(line, name.len), name))
		return false;
	line = span_tail(line, name.len);
	while (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
		line = span_tail(line, 1);
	if (line.len == 0 || line.ptr[0] != ':')
		return false;
	*value = span_tail(line, 1);
	return true;
}

/* Where the field ends that goes on here: before a line that is no blank's. */
static size_t
end_of(struct span text)
{
	size_t at = 0;

	for (;;) {
		at += span_find(span_tail(text, at), '\n');
		if (at >= text.len)
			return text.len;
		at++;
		if (at == text.len || (text.ptr[at] != ' ' &&
		    text.ptr[at] != '\t'))
			return at;
	}
}

struct span
message_id_find(struct span header)
{
	struct span value;

	while (header.len > 0 && !(header.ptr[0] == '\r' &&
	    header.len > 1 && header.ptr[1] == '\n')) {
		if (is_ours(header, &value))
			return message_id_clean(span_head(value,
			    end_of(value)));
		header = span_tail(header, span_find(header, '\n') + 1);
	}
	return (struct span){ "", 0 };
}
