/*
 * read_mailbox.c - people and whole domains as rules and routes name them, and
 * logins.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "conf/read/read_mailbox.h"
#include "mail/address.h"
#include "mail/pattern.h"

/* Is user@domain an address once the user, of len bytes, is quoted? */
static bool
quoted_is_good(struct span text, size_t len)
{
	char quoted[PATH_MAX_SMTP + 1];
	int n = snprintf(quoted, sizeof(quoted), "\"%.*s\"%.*s", (int)len,
	    text.ptr, (int)(text.len - len), text.ptr + len);

	return n > 0 && (size_t)n < sizeof(quoted) &&
	    memchr(text.ptr, '"', len) == NULL &&
	    memchr(text.ptr, '\\', len) == NULL &&
	    pattern_is_good((struct span){ quoted, (size_t)n });
}

/*
 * user@domain or @domain; a pattern also @.domain, which is all names below
 * it.  fits is what the administrator is told.
 */
static bool
read_mailbox(const struct read_place *rp, const struct value *v,
    bool is_pattern, const char *fits)
{
	size_t at = v->text.len;
	struct span domain;

	if (read_is_local(v->text))
		return true;
	while (at > 0 && v->text.ptr[at - 1] != '@')
		at--;
	domain = span_tail(v->text, at);
	if (domain.len > 1 && domain.ptr[domain.len - 1] == '.')
		domain.len--;
	if (is_pattern && at == 1 && span_begins(domain, SPAN(".")))
		domain = span_tail(domain, 1);
	if (at == 0 || at - 1 > LOCAL_PART_MAX || domain.len == 0 ||
	    domain.len > DOMAIN_MAX)
		return read_unfit(rp, v, fits);
	for (size_t i = 0; i < v->text.len; i++)
		if ((unsigned char)v->text.ptr[i] <= 0x20 ||
		    v->text.ptr[i] == 0x7f || v->text.ptr[i] == '<' ||
		    v->text.ptr[i] == '>')
			return read_unfit(rp, v, fits);
	if (pattern_is_good(v->text) && (domain.ptr[0] == '[' ||
	    !utf8_is_ascii(domain) || read_is_hostname(domain)))
		return true;
	if (is_pattern && at == 1 && span_begins(domain, SPAN("*.")) &&
	    read_is_hostname(span_tail(domain, 2))) {
		report_add(rp->mistakes, v->place, "`%.*s' is not %s; did you "
		    "mean `@%.*s'?", report_len(v->text), v->text.ptr, fits,
		    report_len(domain) - 1, domain.ptr + 1);
		return false;
	}
	if (at > 1 && quoted_is_good(v->text, at - 1)) {
		report_add(rp->mistakes, v->place, "`%.*s' is not %s; did you "
		    "mean `\"%.*s\"%.*s', quotes and all?",
		    report_len(v->text), v->text.ptr, fits, (int)at - 1,
		    v->text.ptr, report_len(v->text) - (int)at + 1,
		    v->text.ptr + at - 1);
		return false;
	}
	return read_unfit(rp, v, fits);
}

/* "" is another way to write <>. */
static bool
read_sender(const struct read_place *rp, const struct value *v,
    struct reading *out)
{
	if (v->text.len == 0 || span_eq(v->text, SPAN("<>"))) {
		out->text = SPAN("<>");
		return true;
	}
	return read_mailbox(rp, v, true,
	    "user@domain, @domain, @.domain or <>");
}

/* Whom a message can be for, by the rules of SMTP. */
static bool
read_person(const struct read_place *rp, const struct value *v)
{
	struct address a;

	return address_parse(v->text, true, &a) == OK ||
	    read_unfit(rp, v, "an address of somebody, user@domain");
}

/* One that every next hop takes. */
static bool
read_provided(const struct read_place *rp, const struct value *v)
{
	struct address a;

	return address_parse(v->text, false, &a) == OK ||
	    read_unfit(rp, v, "an address of somebody in ASCII, user@domain");
}

/* As the users file and the queue have them. */
static bool
read_login(const struct read_place *rp, const struct value *v)
{
	bool is_good = v->text.len > 0 && v->text.len <= PATTERN_LOGIN_MAX;

	for (size_t i = 0; i < v->text.len; i++)
		if ((unsigned char)v->text.ptr[i] < 0x20 ||
		    v->text.ptr[i] == 0x7f)
			is_good = false;
	return is_good || read_unfit(rp, v,
	    "a login of 1 to 128 bytes, @domain, or * for all");
}

bool
read_mailbox_value(const struct read_place *rp, const struct option_row *row,
    const struct value *v, struct reading *out)
{
	switch (row->type) {
	case TYPE_RECIPIENT:
		return read_mailbox(rp, v, false, "user@domain or @domain");
	case TYPE_MAILBOX:
		return read_person(rp, v);
	case TYPE_KNOWN:
		return read_mailbox(rp, v, true, "user@domain, @domain or "
		    "@.domain, nor the path of a file of them");
	case TYPE_ROUTE:
		return read_mailbox(rp, v, true,
		    "user@domain, @domain or @.domain");
	case TYPE_SENDER:
		return read_sender(rp, v, out);
	case TYPE_OWNER:
		return v->no == 0 ? read_login(rp, v) :
		    span_eq(v->text, SPAN("self")) ||
		    read_mailbox(rp, v, true, "self, user@domain, @domain or "
		    "@.domain");
	case TYPE_LOGIN:
		return read_login(rp, v);
	case TYPE_MAPPING:
		return v->no == 0 ? read_mailbox(rp, v, true,
		    "user@domain, @domain or @.domain") :
		    read_provided(rp, v);
	default:
		return read_unfit(rp, v, "of a known type");
	}
}
