/* log.c - builds the lines; quoting and escaping live here alone. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

static struct {
	char		 prefix[128];
	log_sink_fn	*sink;
	bool		 debug;
} out;

static const struct {
	const char	*name;
	enum log_level	 level;
	const char	*meaning;
} events[] = {
#define LOG_EVENT(name, level, meaning)	{ #name, LOG_##level, meaning },
#include "base/log.def"
};

static const struct {
	const char	*name, *meaning;
} keys[] = {
#define LOG_KEY(name, meaning)	{ #name, meaning },
#include "base/log.def"
};

const char *
log_event_name(enum log_event e)
{
	return events[e].name;
}

const char *
log_event_meaning(enum log_event e)
{
	return events[e].meaning;
}

const char *
log_key_name(enum log_key k)
{
	return keys[k].name;
}

const char *
log_key_meaning(enum log_key k)
{
	return keys[k].meaning;
}

void
log_setup(const char *prefix, log_sink_fn *sink, bool debug)
{
	snprintf(out.prefix, sizeof(out.prefix), "%s", prefix);
	out.sink = sink;
	out.debug = debug;
}

bool
log_wants(enum log_level level)
{
	return out.sink != NULL && (level < LOG_DEBUG || out.debug);
}

/* Append all of it, or nothing and remember the cut; a newline always fits. */
static void
append(struct log_line *l, const char *p, size_t len)
{
	if (l->cut || len > sizeof(l->text) - 1 - l->len) {
		l->cut = true;
		return;
	}
	memcpy(l->text + l->len, p, len);
	l->len += len;
}

static void
append_text(struct log_line *l, const char *s)
{
	append(l, s, strlen(s));
}

void
log_begin(struct log_line *l, enum log_event e)
{
	l->level = events[e].level;
	l->wanted = log_wants(l->level);
	if (!l->wanted)
		return;
	l->len = 0;
	l->cut = false;
	if (out.prefix[0] != '\0') {
		append_text(l, out.prefix);
		append_text(l, ": ");
	}
	append_text(l, "event=");
	append_text(l, events[e].name);
}

/*
 * Characters that change how the rest of a line is shown, and would make it
 * read as something else: zero width and direction (U+200B to U+200F, U+2028
 * to U+202E, U+2060 to U+206F) and the byte order mark.
 */
static bool
is_deceiving(const unsigned char *p, size_t len)
{
	if (len != 3)
		return false;
	if (p[0] == 0xe2 && p[1] == 0x80)
		return (p[2] >= 0x8b && p[2] <= 0x8f) ||
		    (p[2] >= 0xa8 && p[2] <= 0xae);
	if (p[0] == 0xe2 && p[1] == 0x81)
		return p[2] >= 0xa0 && p[2] <= 0xaf;
	return p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
}

static bool
is_plain(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

static bool
needs_quotes(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_plain((unsigned char)s.ptr[i]))
			return true;
	return s.len == 0;
}

static void
append_quoted(struct log_line *l, struct span s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	append(l, "\"", 1);
	for (size_t i = 0, n; i < s.len; i += n) {
		char hex[8];

		n = 1;
		if (p[i] == '"' || p[i] == '\\') {
			snprintf(hex, sizeof(hex), "\\%c", p[i]);
			append_text(l, hex);
		} else if (p[i] >= ' ' && p[i] < 0x7f) {
			append(l, s.ptr + i, 1);
		} else if ((n = utf8_len(span_tail(s, i))) > 0 &&
		    !is_deceiving(p + i, n)) {
			append(l, s.ptr + i, n);
		} else {
			snprintf(hex, sizeof(hex), "\\x%02x", p[i]);
			append_text(l, hex);
			n = 1;
		}
	}
	append(l, "\"", 1);
}

void
log_str(struct log_line *l, enum log_key k, struct span s)
{
	size_t mark = l->wanted ? l->len : 0;

	if (!l->wanted)
		return;
	append(l, " ", 1);
	append_text(l, keys[k].name);
	append(l, "=", 1);
	if (needs_quotes(s))
		append_quoted(l, s);
	else
		append(l, s.ptr, s.len);
	if (l->cut)
		l->len = mark;
}

void
log_text(struct log_line *l, enum log_key k, const char *s)
{
	log_str(l, k, span_of(s));
}

void
log_num(struct log_line *l, enum log_key k, int64_t n)
{
	char digits[24];

	if (!l->wanted)
		return;
	snprintf(digits, sizeof(digits), "%lld", (long long)n);
	log_text(l, k, digits);
}

void
log_id(struct log_line *l, enum log_key k, struct id id)
{
	char text[ID_TEXT_LEN + 1];

	if (!l->wanted)
		return;
	id_text(id, text);
	log_text(l, k, text);
}

void
log_hex(struct log_line *l, enum log_key k, uint64_t n)
{
	char digits[20];

	if (!l->wanted)
		return;
	snprintf(digits, sizeof(digits), "%016llx", (unsigned long long)n);
	log_text(l, k, digits);
}

void
log_end(struct log_line *l)
{
	if (!l->wanted)
		return;
	l->text[l->len++] = '\n';
	out.sink(l->level, l->text, l->len);
}

void
log_why(enum log_event e, const char *why, int err)
{
	struct log_line l;
	char text[512];

	if (err != 0)
		snprintf(text, sizeof(text), "%s: %s", why, strerror(err));
	else
		snprintf(text, sizeof(text), "%s", why);
	log_begin(&l, e);
	log_text(&l, LOG_KEY_why, text);
	log_end(&l);
}
