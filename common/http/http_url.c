/* http_url.c - from left to right. */
#include <string.h>

#include "base/ascii.h"
#include "base/limits.h"
#include "http/http_chars.h"
#include "http/http_url.h"

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static bool
is_host(struct span host, bool in_brackets)
{
	if (host.len == 0 || host.len > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (in_brackets ? host.ptr[i] != ':' && host.ptr[i] != '.' &&
		    ascii_hex(host.ptr[i]) < 0 :
		    !is_name_char(host.ptr[i]))
			return false;
	return true;
}

static bool
read_port(struct span text, uint16_t *out)
{
	uint32_t n = 0;

	if (text.len == 0 || text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		n = n * 10 + (uint32_t)(text.ptr[i] - '0');
	}
	*out = (uint16_t)n;
	return n > 0 && n <= UINT16_MAX;
}

static const char *
read_authority(struct http_url *u)
{
	struct span rest = u->authority;
	bool in_brackets = rest.len > 0 && rest.ptr[0] == '[';
	size_t len;

	if (span_find(rest, '@') < rest.len)
		return "a login does not belong there: give `credentials'";
	if (in_brackets)
		rest = span_tail(rest, 1);
	len = span_find(rest, in_brackets ? ']' : ':');
	u->host = span_head(rest, len);
	if (!is_host(u->host, in_brackets) || (in_brackets && len == rest.len))
		return "its host is no name and no address";
	rest = span_tail(rest, in_brackets ? len + 1 : len);
	if (rest.len == 0)
		return NULL;
	if (rest.ptr[0] != ':' || !read_port(span_tail(rest, 1), &u->port))
		return "its port is no number from 1 to 65535";
	return NULL;
}

const char *
http_url_read(struct span text, struct http_url *out)
{
	static const struct span schemes[] = { SPAN("http://"),
	    SPAN("https://") };
	struct span rest = text;
	size_t len;

	*out = (struct http_url){ .path = SPAN("/") };
	for (unsigned i = 0; i < 2; i++)
		if (span_eq_nocase(span_head(text, schemes[i].len),
		    schemes[i])) {
			out->is_https = i == 1;
			rest = span_tail(text, schemes[i].len);
		}
	if (rest.len == text.len)
		return "it begins with `http://' or `https://'";
	for (len = 0; len < rest.len && rest.ptr[len] != '/' &&
	    rest.ptr[len] != '?'; len++)
		;
	out->authority = span_head(rest, len);
	if (len < rest.len && rest.ptr[len] == '?')
		return "its path is missing before the `?'";
	if (len < rest.len)
		out->path = span_tail(rest, len);
	for (size_t i = 0; i < out->path.len; i++)
		if (!http_chars_is_visible(out->path.ptr[i]) ||
		    out->path.ptr[i] == '#')
			return "its path holds what must be written as %XX, "
			    "or a `#'";
	return read_authority(out);
}
