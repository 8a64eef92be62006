/*
 * mime_code.c - a blank at the end of a chunk is written in three octets
 * whether or not the line ends there: what follows cannot be seen.
 */
#include <string.h>

#include "mail/base64.h"
#include "mail/mime_code.h"

#define LINE_MAX_QP	75	/* octets before the "=" of a soft line break */
#define LETTERS		BASE64_LEN(MIME_CODE_LINE)

static const char digits[] = "0123456789ABCDEF";

static bool
ends_line(struct span s)
{
	return s.len >= 2 && s.ptr[s.len - 2] == '\r' &&
	    s.ptr[s.len - 1] == '\n';
}

static bool
is_plain(unsigned char c)
{
	return (c >= ' ' && c < 0x7f) || c == '\t';
}

/* Room in the line for so many octets, by a soft line break if need be. */
static void
make_room(struct mime_code *m, struct mime_out *o, size_t width)
{
	if (m->column + width <= LINE_MAX_QP)
		return;
	mime_out_put(o, SPAN("=\r\n"));
	m->column = 0;
}

static void
put_escaped(struct mime_code *m, struct mime_out *o, unsigned char c)
{
	char code[3] = { '=', digits[c >> 4], digits[c & 15] };

	make_room(m, o, 3);
	mime_out_put(o, (struct span){ code, 3 });
	m->column += 3;
}

static void
put_plain(struct mime_code *m, struct mime_out *o, char c)
{
	make_room(m, o, 1);
	if (m->column == 0 && c == '-') {
		put_escaped(m, o, (unsigned char)c);
		return;
	}
	mime_out_char(o, c);
	m->column++;
}

static void
end_line(struct mime_code *m, struct mime_out *o)
{
	mime_out_put(o, SPAN("\r\n"));
	m->column = 0;
}

void
mime_code_qp(struct mime_code *m, struct mime_out *o, struct span s)
{
	bool ends = ends_line(s);
	size_t len = s.len - (ends ? 2 : 0);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		bool is_last = i + 1 == len && (c == ' ' || c == '\t');

		if (!is_plain(c) || c == '=' || is_last)
			put_escaped(m, o, c);
		else
			put_plain(m, o, (char)c);
	}
	if (ends)
		end_line(m, o);
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') ||
	    (c >= 'a' && c <= 'f');
}

static bool
is_code(struct span s)
{
	return s.len >= 3 && s.ptr[0] == '=' && is_hex(s.ptr[1]) &&
	    is_hex(s.ptr[2]);
}

void
mime_code_mend_qp(struct mime_code *m, struct mime_out *o, struct span s)
{
	bool ends = ends_line(s);
	size_t len = s.len - (ends ? 2 : 0);

	for (size_t i = 0; i < len; i++) {
		struct span rest = { s.ptr + i, len - i };

		if (is_code(rest)) {
			make_room(m, o, 3);
			mime_out_put(o, span_head(rest, 3));
			m->column += 3;
			i += 2;
		} else if ((unsigned char)rest.ptr[0] > 0x7f) {
			put_escaped(m, o, (unsigned char)rest.ptr[0]);
		} else {
			put_plain(m, o, rest.ptr[0]);
		}
	}
	if (ends)
		end_line(m, o);
}

/* A line of base64 of what is held. */
static void
flush(struct mime_code *m, struct mime_out *o)
{
	char letters[LETTERS];
	size_t len = 0;

	if (m->held_cnt == 0)
		return;
	(void)base64_encode((struct span){ m->held, m->held_cnt }, letters,
	    sizeof(letters), &len);
	mime_out_put(o, (struct span){ letters, len });
	mime_out_put(o, SPAN("\r\n"));
	m->held_cnt = 0;
}

static void
hold(struct mime_code *m, struct mime_out *o, struct span s)
{
	while (s.len > 0) {
		struct span part = span_head(s, MIME_CODE_LINE - m->held_cnt);

		memcpy(m->held + m->held_cnt, part.ptr, part.len);
		m->held_cnt += part.len;
		s = span_tail(s, part.len);
		if (m->held_cnt == MIME_CODE_LINE)
			flush(m, o);
	}
}

void
mime_code_base64(struct mime_code *m, struct mime_out *o, struct span s)
{
	if (m->has_crlf)
		hold(m, o, SPAN("\r\n"));
	m->has_crlf = ends_line(s);
	hold(m, o, span_head(s, s.len - (m->has_crlf ? 2 : 0)));
}

void
mime_code_base64_end(struct mime_code *m, struct mime_out *o, bool at_boundary)
{
	if (m->has_crlf && !at_boundary)
		hold(m, o, SPAN("\r\n"));
	m->has_crlf = false;
	flush(m, o);
}

void
mime_code_mend_base64(struct mime_code *m, struct mime_out *o, struct span s)
{
	bool ends = ends_line(s);
	size_t len = s.len - (ends ? 2 : 0);

	for (size_t i = 0; i < len; i++) {
		char c = s.ptr[i];

		if ((unsigned char)c > 0x7f || c == '-')
			continue;
		if (m->column == LETTERS)
			end_line(m, o);
		mime_out_char(o, c);
		m->column++;
	}
	if (ends)
		end_line(m, o);
}

size_t
mime_code_qp_cost(struct span s)
{
	size_t cnt = 0;

	for (size_t i = 0; i < s.len; i++)
		cnt += !is_plain((unsigned char)s.ptr[i]) || s.ptr[i] == '=';
	return cnt;
}
