/*
 * domain.c - a name of ASCII is folded in one pass.  Any other goes through
 * libidn2 as a whole and then through that pass as well, because a mapping may
 * yield what is no name: U+FF20 is an "@", U+2100 is "a/c".
 *
 * An A-label that came as such is believed: whether it is good is DNS' to say.
 */
#include <idn2.h>
#include <string.h>

#include "base/utf8.h"
#include "mail/domain.h"

#define LABEL_MAX	63	/* octets, RFC 1035 2.3.4 */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool
is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '_';
}

static bool
is_label(const char *from, const char *end)
{
	return end > from && end - from <= LABEL_MAX && *from != '-' &&
	    end[-1] != '-';
}

static size_t
fold_literal(struct span s, char *out)
{
	if (s.len > DOMAIN_MAX || s.ptr[s.len - 1] != ']' ||
	    memchr(s.ptr, '\0', s.len) != NULL)
		return 0;
	for (size_t i = 0; i < s.len; i++)
		out[i] = lower(s.ptr[i]);
	out[s.len] = '\0';
	return s.len;
}

/* Labels, a dot between each: one pass, for most names are so. */
static size_t
fold(struct span s, char *out)
{
	char name[DOMAIN_KEY_MAX], *label = name, *to = name;

	if (s.len > 1 && s.ptr[s.len - 1] == '.')
		s.len--;
	if (s.len > DOMAIN_MAX)
		return 0;
	for (size_t i = 0; i < s.len; i++, to++) {
		*to = lower(s.ptr[i]);
		if (*to == '.') {
			if (!is_label(label, to))
				return 0;
			label = to + 1;
		} else if (!is_label_char(*to))
			return 0;
	}
	if (!is_label(label, to))
		return 0;
	*to = '\0';
	memcpy(out, name, s.len + 1);
	return s.len;
}

/* No character is longer than the four bytes of its A-label's share. */
static size_t
fold_wide(struct span s, char *out)
{
	char text[DOMAIN_MAX * 4 + 1];
	uint8_t *ascii = NULL;
	size_t len = 0;

	if (span_cstr(s, text, sizeof(text)) &&
	    idn2_lookup_u8((const uint8_t *)text, &ascii,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK)
		len = fold(span_of((const char *)ascii), out);
	idn2_free(ascii);
	return len;
}

size_t
domain_key(struct span s, char *out)
{
	size_t len;

	if (s.len > 0 && s.ptr[0] == '[')
		return fold_literal(s, out);
	len = fold(s, out);
	return len > 0 || utf8_is_ascii(s) ? len : fold_wide(s, out);
}

bool
domain_same(struct span a, struct span b)
{
	char key_a[DOMAIN_KEY_MAX], key_b[DOMAIN_KEY_MAX];
	size_t len = domain_key(a, key_a);

	return len > 0 && len == domain_key(b, key_b) &&
	    memcmp(key_a, key_b, len) == 0;
}
