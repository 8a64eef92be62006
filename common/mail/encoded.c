/*
 * encoded.c - lines of quoted-printable are at most 76 bytes, encoded words at
 * most 75; a character is never cut in two.
 */
#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "mail/base64.h"
#include "mail/encoded.h"

#define QP_LINE		72	/* bytes, before a soft line break	*/
#define WORD_BYTES	45	/* of text in an encoded word: 60 letters */
#define DECODED_MAX	1024	/* bytes of one encoded word		*/

static bool
ends_line(struct span s, size_t at)
{
	return at + 1 < s.len && s.ptr[at] == '\r' && s.ptr[at + 1] == '\n';
}

void
encoded_put_text(FILE *f, struct span s)
{
	size_t column = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		bool blank_at_end = (c == ' ' || c == '\t') &&
		    (i + 1 == s.len || ends_line(s, i + 1));

		if (ends_line(s, i)) {
			fputs("\r\n", f);
			column = 0;
			i++;
			continue;
		}
		if (column >= QP_LINE) {
			fputs("=\r\n", f);
			column = 0;
		}
		if (c >= 0x7f || c == '=' || blank_at_end ||
		    (c < ' ' && c != '\t') || (column == 0 && c == '.')) {
			fprintf(f, "=%02X", c);
			column += 3;
		} else {
			fputc(c, f);
			column++;
		}
	}
}

/* As many bytes as a word takes, and no character cut. */
static size_t
word_len(struct span s)
{
	size_t len = 0;

	while (len < s.len) {
		size_t n = utf8_len(span_tail(s, len));

		if (n == 0)
			n = 1;
		if (len + n > WORD_BYTES)
			break;
		len += n;
	}
	return len;
}

void
encoded_put_words(FILE *f, struct span s)
{
	char letters[BASE64_LEN(WORD_BYTES)];
	size_t len;

	if (utf8_is_ascii(s)) {
		fwrite(s.ptr, 1, s.len, f);
		return;
	}
	while (s.len > 0) {
		struct span word = span_head(s, word_len(s));

		if (base64_encode(word, letters, sizeof(letters), &len))
			fprintf(f, "=?utf-8?B?%.*s?=", (int)len, letters);
		s = span_tail(s, word.len);
		if (s.len > 0)
			fputs("\r\n ", f);
	}
}

struct writing {
	char	*buf;
	size_t	 len, cap;
};

static void
put(struct writing *w, char c)
{
	if (w->len < w->cap)
		w->buf[w->len++] = c;
}

static bool
decode_q(struct span s, char *buf, size_t *len)
{
	*len = 0;
	for (size_t i = 0; i < s.len && *len < DECODED_MAX; i++) {
		int high, low;

		if (s.ptr[i] != '=') {
			buf[(*len)++] = s.ptr[i] == '_' ? ' ' : s.ptr[i];
			continue;
		}
		if (i + 2 >= s.len || (high = ascii_hex(s.ptr[i + 1])) < 0 ||
		    (low = ascii_hex(s.ptr[i + 2])) < 0)
			return false;
		buf[(*len)++] = (char)(high << 4 | low);
		i += 2;
	}
	return true;
}

/* Latin letters become two bytes each; other charsets are UTF-8 already. */
static void
put_decoded(struct writing *w, struct span s, bool is_latin)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (is_latin && c >= 0x80) {
			put(w, (char)(0xc0 | c >> 6));
			put(w, (char)(0x80 | (c & 0x3f)));
		} else {
			put(w, (char)c);
		}
	}
}

/* "=?charset?B?text?=" at the front: its length when it was decoded, or 0. */
static size_t
take_word(struct writing *w, struct span s)
{
	char buf[DECODED_MAX];
	struct span charset, rest, text;
	size_t len, end;
	bool is_latin;

	if (!span_begins(s, SPAN("=?")))
		return 0;
	rest = span_tail(s, 2);
	charset = span_head(rest, span_find(rest, '?'));
	rest = span_tail(rest, charset.len);
	if (rest.len < 4 || rest.ptr[2] != '?')
		return 0;
	text = span_tail(rest, 3);
	end = span_find(text, '?');
	if (end + 1 >= text.len || text.ptr[end + 1] != '=')
		return 0;
	text = span_head(text, end);
	is_latin = span_eq_nocase(charset, SPAN("iso-8859-1"));
	if (!is_latin && !span_eq_nocase(charset, SPAN("utf-8")) &&
	    !span_eq_nocase(charset, SPAN("us-ascii")))
		return 0;
	switch (rest.ptr[1]) {
	case 'B': case 'b':
		if (!base64_decode(text, buf, sizeof(buf), &len))
			return 0;
		break;
	case 'Q': case 'q':
		if (!decode_q(text, buf, &len))
			return 0;
		break;
	default:
		return 0;
	}
	put_decoded(w, (struct span){ buf, len }, is_latin);
	return (size_t)(text.ptr - s.ptr) + text.len + 2;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

size_t
encoded_read_words(struct span s, char *buf, size_t cap)
{
	struct writing w = { buf, 0, cap };
	size_t blanks_at = 0;		/* where those behind a word begin */
	bool behind_word = false;

	for (size_t i = 0, n; i < s.len; i += n) {
		size_t before = w.len;

		n = 1;
		if (is_blank(s.ptr[i])) {
			if (s.ptr[i] != '\r' && s.ptr[i] != '\n')
				put(&w, ' ');
			continue;
		}
		/* Blanks between two encoded words are none: 6.2. */
		if (behind_word && span_begins(span_tail(s, i), SPAN("=?")))
			w.len = blanks_at;
		n = take_word(&w, span_tail(s, i));
		behind_word = n > 0;
		if (n == 0) {
			w.len = before;
			put(&w, s.ptr[i]);
			n = 1;
		}
		blanks_at = w.len;
	}
	return w.len;
}
