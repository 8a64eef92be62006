/*
 * mime_field.c - a field is read as blanks and words.  Words beyond ASCII that
 * follow each other are encoded with the blanks between them, because a reader
 * leaves out what stands between two encoded words (RFC 2047 6.2); for the same
 * reason a blank beside a word that came encoded goes into ours.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/base64.h"
#include "mail/domain.h"
#include "mail/mime_field.h"
#include "mail/mime_param.h"

#define FOLD_AT		76	/* columns				*/
#define HARD_AT		(TEXT_LINE_SURE - 8) /* where no blank is near */
#define LETTERS_MAX	52	/* of an encoded word, which has 75 with its
				 * frame and the longest charset of ours */
#define BYTES_MAX	(LETTERS_MAX / 4 * 3)

struct writer {
	struct mime_out	*out;
	size_t		 column;
	bool		 has_word;	/* in this line: it may be folded */
	bool		 is_phrase;	/* specials and quotes have a meaning */
	bool		 is_masked;	/* no encoded words may stand in it */
	bool		 is_utf8;
	unsigned	 depth;		/* of comments			*/
	char		*room;
	size_t		 len;		/* in it: what is to be encoded	*/
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* As it stands; a line that will not end is broken. */
static void
put(struct writer *w, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (w->column >= HARD_AT && s.ptr[i] != '\r' &&
		    s.ptr[i] != '\n') {
			mime_out_put(w->out, SPAN("\r\n "));
			w->column = 1;
		}
		mime_out_char(w->out, (unsigned char)s.ptr[i] > 0x7f ? '_' :
		    s.ptr[i]);
		w->column = s.ptr[i] == '\n' ? 0 : w->column + 1;
		w->has_word = w->column > 0 && (w->has_word ||
		    !is_blank(s.ptr[i]));
	}
}

/* Blanks, before a word of so many columns. */
static void
put_blanks(struct writer *w, struct span s, size_t word_len)
{
	if (s.len == 0)
		return;
	if (span_find(s, '\n') == s.len && w->has_word &&
	    w->column + s.len + word_len > FOLD_AT) {
		mime_out_put(w->out, SPAN("\r\n"));
		w->column = 0;
		w->has_word = false;
	}
	put(w, s);
}

/* Encoded words. */

static bool
is_safe(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') ||
	    (c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t
q_len(struct span s)
{
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++)
		len += is_safe(s.ptr[i]) || s.ptr[i] == ' ' ? 1 : 3;
	return len;
}

/* As many bytes as go into a word, and no character cut. */
static size_t
word_len(const struct writer *w, struct span s, bool is_q)
{
	size_t len = 0;

	while (len < s.len) {
		size_t n = w->is_utf8 ? utf8_len(span_tail(s, len)) : 1;
		size_t now = len + (n > 0 ? n : 1);

		if (is_q ? q_len(span_head(s, now)) > LETTERS_MAX :
		    now > BYTES_MAX)
			break;
		len = now;
	}
	return len;
}

static size_t
write_q(struct span s, char *letters)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == ' ' || is_safe((char)c)) {
			letters[len++] = c == ' ' ? '_' : (char)c;
			continue;
		}
		letters[len++] = '=';
		letters[len++] = digits[c >> 4];
		letters[len++] = digits[c & 15];
	}
	return len;
}

static void
put_word(struct writer *w, struct span s, bool is_q, struct span blanks)
{
	char letters[LETTERS_MAX + 1], word[100];
	size_t len = 0;
	int n;

	if (is_q)
		len = write_q(s, letters);
	else
		(void)base64_encode(s, letters, sizeof(letters), &len);
	n = snprintf(word, sizeof(word), "=?%s?%c?%.*s?=",
	    w->is_utf8 ? "utf-8" : "unknown-8bit", is_q ? 'q' : 'b',
	    (int)len, letters);
	put_blanks(w, blanks, (size_t)n);
	put(w, (struct span){ word, (size_t)n });
}

/* What was gathered. */
static void
put_encoded(struct writer *w, struct span blanks)
{
	struct span s = { w->room, w->len };
	bool is_q = q_len(s) <= BASE64_LEN(s.len);

	w->is_utf8 = utf8_is_good(s);
	while (s.len > 0) {
		size_t len = word_len(w, s, is_q);

		put_word(w, span_head(s, len), is_q, blanks);
		s = span_tail(s, len);
		blanks = SPAN(" ");
	}
	w->len = 0;
}

static void
gather(struct writer *w, struct span s, bool is_quoted)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\r' || s.ptr[i] == '\n')
			continue;
		if (is_quoted && s.ptr[i] == '\\' && i + 1 < s.len)
			i++;
		w->room[w->len++] = s.ptr[i];
	}
}

/* Reading. */

struct token {
	struct span	 blanks, word;
	bool		 is_special;	/* one octet that stands for itself */
};

static size_t
quoted_len(struct span s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '"')
			return i + 1;
	}
	return s.len;
}

static bool
is_special(const struct writer *w, char c)
{
	return w->is_phrase && (c == '(' || c == ')' ||
	    (w->depth == 0 && c != '\0' && strchr(",;:<>\"", c) != NULL));
}

static struct token
take(const struct writer *w, struct span s)
{
	struct token t = { { s.ptr, 0 }, { NULL, 0 }, false };

	while (t.blanks.len < s.len && is_blank(s.ptr[t.blanks.len]))
		t.blanks.len++;
	t.word = span_tail(s, t.blanks.len);
	s = t.word;
	t.word.len = 0;
	if (s.len == 0)
		return t;
	if (is_special(w, s.ptr[0])) {
		t.is_special = s.ptr[0] != '"';
		t.word.len = t.is_special ? 1 : quoted_len(s);
		return t;
	}
	while (t.word.len < s.len && !is_blank(s.ptr[t.word.len]) &&
	    !is_special(w, s.ptr[t.word.len]))
		t.word.len++;
	return t;
}

static size_t
len_of(const struct token *t)
{
	return t->blanks.len + t->word.len;
}

static bool
is_encoded(const struct token *t)
{
	return !t->is_special && t->word.len > 6 &&
	    span_begins(t->word, SPAN("=?")) &&
	    span_begins(span_tail(t->word, t->word.len - 2), SPAN("?="));
}

/* What stands before the "@" of an address, or all of it. */
static struct span
before_at(struct span word)
{
	size_t at = word.len;

	while (at > 0 && word.ptr[at - 1] != '@')
		at--;
	return at > 0 ? span_head(word, at - 1) : word;
}

/*
 * An address, or what follows a quoted local part, with its domain in A-labels,
 * into buf of ADDRESS_KEY_MAX bytes; 0: it is none, or has no such form.
 */
static size_t
plain_address(const struct writer *w, const struct token *t, char *buf)
{
	struct span local = before_at(t->word);

	if (!w->is_phrase || w->depth > 0 || t->is_special ||
	    local.len == t->word.len || !utf8_is_ascii(local) ||
	    memchr(local.ptr, '"', local.len) != NULL)
		return 0;
	return address_key(t->word, buf);
}

static bool
needs(const struct writer *w, const struct token *t)
{
	char buf[ADDRESS_KEY_MAX];

	return !w->is_masked && !t->is_special && !utf8_is_ascii(t->word) &&
	    plain_address(w, t, buf) == 0;
}

/* A word that may stay, but for the domain of an address. */
static void
put_plain(struct writer *w, const struct token *t)
{
	char buf[ADDRESS_KEY_MAX];
	struct span word = t->word;
	size_t len;

	if (!utf8_is_ascii(word) && (len = plain_address(w, t, buf)) > 0)
		word = (struct span){ buf, len };
	put_blanks(w, t->blanks, word.len);
	put(w, word);
}

static void
gather_word(struct writer *w, struct span word)
{
	bool is_quoted = w->is_phrase && w->depth == 0 && word.len > 1 &&
	    word.ptr[0] == '"' && word.ptr[word.len - 1] == '"';

	if (is_quoted)
		word = span_head(span_tail(word, 1), word.len - 2);
	gather(w, word, is_quoted);
}

/*
 * Words beyond ASCII from here on, as far as they follow each other; returns
 * what is left.  behind: what stands before is an encoded word already.
 */
static struct span
encode_run(struct writer *w, struct span s, bool behind)
{
	struct token t = take(w, s), next;
	struct span blanks = t.blanks;

	if (behind) {
		gather(w, t.blanks, false);
		blanks = SPAN(" ");
	} else if (blanks.len == 0 && w->is_phrase && w->has_word &&
	    w->depth == 0) {
		blanks = SPAN(" ");
	}
	for (;;) {
		gather_word(w, t.word);
		s = span_tail(s, len_of(&t));
		next = take(w, s);
		if (!needs(w, &next) || next.blanks.len == 0)
			break;
		gather(w, next.blanks, false);
		t = next;
	}
	if (is_encoded(&next) && next.blanks.len > 0)
		gather(w, next.blanks, false);
	put_encoded(w, blanks);
	if (next.blanks.len == 0 && next.word.len > 0 &&
	    (!next.is_special || next.word.ptr[0] == '<' ||
	    next.word.ptr[0] == '('))
		put(w, SPAN(" "));
	return s;
}

static void
note_comment(struct writer *w, const struct token *t)
{
	if (t->is_special && t->word.ptr[0] == '(')
		w->depth++;
	if (t->is_special && t->word.ptr[0] == ')' && w->depth > 0)
		w->depth--;
}

static void
put_words(struct writer *w, struct span s)
{
	bool behind = false;

	while (s.len > 0) {
		struct token t = take(w, s);

		if (needs(w, &t)) {
			s = encode_run(w, s, behind);
			behind = true;
			continue;
		}
		put_plain(w, &t);
		note_comment(w, &t);
		behind = is_encoded(&t);
		s = span_tail(s, len_of(&t));
	}
}

static bool
is_phrase(struct span name)
{
	static const char *const names[] = {
		"From", "To", "Cc", "Bcc", "Sender", "Reply-To",
		"Return-Path", "Return-Receipt-To", "Errors-To",
		"Disposition-Notification-To", "Mail-Followup-To",
		"Mail-Reply-To", "Delivered-To", "X-Original-To",
	};

	if (span_begins_nocase(name, SPAN("Resent-")))
		name = span_tail(name, 7);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_eq_nocase(name, span_of(names[i])))
			return true;
	return false;
}

/* A word that is one beyond ASCII with an "@" behind it, or in it. */
bool
mime_field_is_lost(struct span field)
{
	size_t colon = span_find(field, ':');
	struct writer w = { .is_phrase = true };
	struct span s = span_tail(field, colon + 1);
	bool was_wide = false;

	if (!is_phrase(span_trim(span_head(field, colon))))
		return false;
	while (s.len > 0) {
		struct token t = take(&w, s);
		bool follows = was_wide && t.blanks.len == 0 &&
		    t.word.len > 0 && t.word.ptr[0] == '@';

		was_wide = needs(&w, &t);
		if (w.depth == 0 && (follows || (was_wide &&
		    t.word.ptr[0] != '"' &&
		    memchr(t.word.ptr, '@', t.word.len) != NULL)))
			return true;
		note_comment(&w, &t);
		s = span_tail(s, len_of(&t));
	}
	return false;
}

void
mime_field_put(struct mime_out *out, struct span field, char *room)
{
	size_t colon = span_find(field, ':');
	struct span name = span_trim(span_head(field, colon)), value;
	struct writer w = { .out = out, .room = room };

	if (field.len >= 2 && field.ptr[field.len - 1] == '\n')
		field.len -= 2;
	if (colon >= field.len || !utf8_is_ascii(name) ||
	    is_blank(field.ptr[0]))
		colon = 0;
	else
		colon++;
	value = span_tail(field, colon);
	put(&w, span_head(field, colon));
	if (colon > 0 && mime_param_is_of(name)) {
		struct span head = span_head(value, mime_param_begin(value));

		w.is_masked = true;
		put_words(&w, head);
		mime_param_put(out, span_tail(value, head.len), w.column);
	} else {
		w.is_phrase = colon > 0 && is_phrase(name);
		put_words(&w, value);
	}
	mime_out_put(out, SPAN("\r\n"));
}
