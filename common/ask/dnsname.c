/* dnsname.c - one pass to check, one to copy. */
#include <stdio.h>
#include <string.h>

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

bool
dnsname_of_wire(struct span wire, char out[DNSNAME_TEXT])
{
	size_t len = 0, label;

	while (wire.len > 0 && (label = (uint8_t)wire.ptr[0]) > 0) {
		if (label > DNSNAME_LABEL_MAX || label >= wire.len ||
		    len + label + 1 >= DNSNAME_TEXT ||
		    memchr(wire.ptr + 1, '.', label) != NULL ||
		    memchr(wire.ptr + 1, '\0', label) != NULL)
			return false;
		memcpy(out + len, wire.ptr + 1, label);
		len += label;
		out[len++] = '.';
		wire = span_tail(wire, label + 1);
	}
	if (wire.len != 1)
		return false;
	out[len] = '\0';
	return true;
}

bool
dnsname_reversed(char out[DNSNAME_MAX + 1], const uint8_t *address,
    size_t len, struct span zone)
{
	size_t at = 0;

	if (zone.len + (len == 4 ? 16 : 64) > DNSNAME_MAX)
		return false;
	for (size_t i = len; i > 0; i--)
		if (len == 4)
			at += (size_t)snprintf(out + at, 5, "%u.",
			    address[i - 1]);
		else
			at += (size_t)snprintf(out + at, 5, "%x.%x.",
			    address[i - 1] & 0xfu, address[i - 1] >> 4);
	memcpy(out + at, zone.ptr, zone.len);
	out[at + zone.len] = '\0';
	return true;
}
