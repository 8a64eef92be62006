/* dnsname.c - one pass to check, one to copy. */
#include "ask/dnsname.h"

static bool
is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool
is_name(struct span s)
{
	size_t label = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '.') {
			if (!is_label_char(s.ptr[i]) ||
			    ++label > DNSNAME_LABEL_MAX)
				return false;
			continue;
		}
		if (label == 0)
			return false;
		label = 0;
	}
	return label > 0 && s.len <= DNSNAME_MAX;
}

bool
dnsname_fold(struct span s, char *out)
{
	if (s.len > 1 && s.ptr[s.len - 1] == '.')
		s.len--;
	if (!is_name(s))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	out[s.len] = '\0';
	return true;
}
