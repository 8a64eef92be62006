/*
 * path.c - `..' takes away the part before it even where that is a link: the
 * text is what the administrator compares, and what two queues must not share.
 */
#include <string.h>

#include "conf/read/path.h"

struct span
path_part(struct span path, size_t *at)
{
	struct span part;

	while (*at < path.len && path.ptr[*at] == '/')
		(*at)++;
	part = span_tail(path, *at);
	part = span_head(part, span_find(part, '/'));
	*at += part.len;
	return part;
}

/* Put the parts of `more' behind out, which has room for all. */
static size_t
add_parts(char *out, size_t len, struct span more)
{
	struct span part;
	size_t at = 0;

	while ((part = path_part(more, &at)).len > 0) {
		if (span_eq(part, SPAN(".")))
			continue;
		if (span_eq(part, SPAN(".."))) {
			while (len > 0 && out[--len] != '/')
				;
			continue;
		}
		out[len++] = '/';
		memcpy(out + len, part.ptr, part.len);
		len += part.len;
	}
	return len;
}

static bool
is_absolute(struct span s)
{
	return s.len > 0 && s.ptr[0] == '/';
}

struct span
path_absolute(struct arena *arena, struct span cwd, struct span dir,
    struct span text)
{
	char *out = arena_take(arena, cwd.len + dir.len + text.len + 5);
	size_t len = 0;

	if (out == NULL)
		return SPAN("");
	if (!is_absolute(text)) {
		if (!is_absolute(dir))
			len = add_parts(out, len, cwd);
		len = add_parts(out, len, dir);
	}
	len = add_parts(out, len, text);
	if (len == 0)
		out[len++] = '/';
	out[len] = '\0';
	return (struct span){ out, len };
}

struct span
path_fixed_head(struct span path)
{
	size_t end = span_find(path, '{');

	while (end > 0 && path.ptr[end - 1] != '/')
		end--;
	return span_head(path, end > 1 ? end - 1 : end);
}

bool
path_is_credential(struct span text, struct span *name)
{
	const struct span word = SPAN("credential:");

	if (!span_begins(text, word))
		return false;
	*name = span_tail(text, word.len);
	if (span_begins(*name, SPAN(".")) || name->len > PATH_CREDENTIAL_MAX ||
	    span_find(*name, '/') < name->len)
		name->len = 0;
	return true;
}
