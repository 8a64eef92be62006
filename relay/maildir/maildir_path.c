/*
 * maildir_path.c - what is filled in is judged before it is filled in, the
 * length of each part after it.
 */
#include <limits.h>
#include <string.h>

#include "mail/address.h"
#include "mail/domain.h"
#include "relay/maildir/maildir_path.h"

struct place {
	char		 user[LOCAL_PART_MAX * 4];
	size_t		 user_len;
	char		 domain[DOMAIN_KEY_MAX];
};

struct writer {
	char		*buf;
	size_t		 len;
	bool		 bad;
};

static void
put(struct writer *w, char c)
{
	if (w->len + 1 >= MAILDIR_PATH_MAX)
		w->bad = true;
	else
		w->buf[w->len++] = c;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* May it stand in a file name, wherever the template puts it? */
static bool
is_harmless(struct span s)
{
	if (s.len == 0 || s.ptr[0] == '.')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < 0x20 || c == 0x7f || c == '/')
			return false;
	}
	return true;
}

/* The local part without its quotes: RFC 5321 4.1.2, both mean the same. */
static bool
take_user(struct place *p, struct span local)
{
	bool quoted = local.len >= 2 && local.ptr[0] == '"' &&
	    local.ptr[local.len - 1] == '"';

	p->user_len = 0;
	if (quoted)
		local = span_tail(span_head(local, local.len - 1), 1);
	for (size_t i = 0; i < local.len; i++) {
		if (quoted && local.ptr[i] == '\\' && i + 1 < local.len)
			i++;
		if (p->user_len == sizeof(p->user))
			return false;
		p->user[p->user_len++] = local.ptr[i];
	}
	return is_harmless((struct span){ p->user, p->user_len });
}

static bool
take_place(struct place *p, struct span rcpt, const struct maildir_naming *n)
{
	size_t at = rcpt.len;
	struct span local;

	while (at > 0 && rcpt.ptr[at - 1] != '@')
		at--;
	local = at > 0 ? span_head(rcpt, at - 1) : rcpt;
	if (!take_user(p, address_user(local, n->delimiter)) ||
	    domain_key(at > 0 ? span_tail(rcpt, at) : n->hostname,
	    p->domain) == 0)
		return false;
	for (size_t i = 0; n->fold_case && i < p->user_len; i++)
		p->user[i] = lower(p->user[i]);
	return true;
}

/* One brace or one byte of the template. */
static void
fill_one(struct writer *w, struct span *template, const struct place *p)
{
	if (span_begins(*template, SPAN("{user}"))) {
		for (size_t i = 0; i < p->user_len; i++)
			put(w, p->user[i]);
		*template = span_tail(*template, sizeof("{user}") - 1);
	} else if (span_begins(*template, SPAN("{domain}"))) {
		for (const char *c = p->domain; *c != '\0'; c++)
			put(w, *c);
		*template = span_tail(*template, sizeof("{domain}") - 1);
	} else {
		put(w, template->ptr[0]);
		*template = span_tail(*template, 1);
	}
}

static bool
fits_names(struct span path)
{
	while (path.len > 0) {
		size_t len = span_find(path, '/');

		if (len > NAME_MAX)
			return false;
		path = span_tail(path, len + 1);
	}
	return true;
}

/* Letters beyond ASCII, and "&", would have to be written in another way. */
static bool
is_folder(struct span s)
{
	char last = '.';

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c <= 0x20 || c >= 0x7f || c == '/' || c == '&' ||
		    c == '~' || c == '*' || c == '%' ||
		    (c == '.' && last == '.'))
			return false;
		last = (char)c;
	}
	return s.len > 0 && last != '.' && !span_eq_nocase(s, SPAN("INBOX"));
}

void
maildir_path_folder(const struct maildir_naming *n, struct span rcpt,
    char buf[MAILDIR_FOLDER_MAX])
{
	struct span local, detail;
	size_t at = rcpt.len;

	while (at > 0 && rcpt.ptr[at - 1] != '@')
		at--;
	local = at > 0 ? span_head(rcpt, at - 1) : rcpt;
	detail = span_tail(local, address_user(local, n->delimiter).len);
	if (detail.len > 0)		/* the delimiter */
		detail = span_tail(detail, 1);
	buf[0] = '\0';
	if (is_folder(detail) && detail.len < MAILDIR_FOLDER_MAX - 1) {
		buf[0] = '.';
		(void)span_cstr(detail, buf + 1, MAILDIR_FOLDER_MAX - 1);
	}
}

enum err
maildir_path_fill(const struct maildir_naming *n, struct span rcpt, char *buf)
{
	struct writer w = { buf, 0, false };
	struct span template = n->template;
	struct place p;

	if (!take_place(&p, rcpt, n))
		return ERR_PEER;
	while (template.len > 0 && !w.bad)
		fill_one(&w, &template, &p);
	buf[w.len] = '\0';
	if (w.bad || !fits_names((struct span){ buf, w.len }))
		return ERR_PEER;
	return OK;
}
