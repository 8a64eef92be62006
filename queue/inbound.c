/* said.c - is it sound?  Sizes of strings are the codec's to bound. */
#include <string.h>

#include "mail/dsn.h"
#include "queue/inbound.h"

bool
inbound_is_line(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return false;
	return true;
}

bool
inbound_is_mail(const struct msg_mail_open *m, enum role role)
{
	return m->stream != UINT64_MAX && inbound_is_line(m->sender) &&
	    inbound_is_line(m->tenant) && inbound_is_line(m->tls) &&
	    m->ret < DSN_RET__COUNT && m->body < BODY__COUNT &&
	    (m->params & ~PARAM__ALL) == 0 && (m->by_mode & ~BY__ALL) == 0 &&
	    (m->envid.len == 0 || dsn_is_envid(m->envid)) &&
	    (m->once == 0 || role == ROLE_PICKUP);
}

bool
inbound_is_rcpt(const struct msg_mail_rcpt *m)
{
	return m->rcpt.len > 0 && inbound_is_line(m->rcpt) &&
	    dsn_is_notify(m->notify) &&
	    (m->orcpt.len == 0 || dsn_is_orcpt(m->orcpt, true));
}

struct span
inbound_keep(char **at, struct span s, size_t max)
{
	struct span kept;

	s = span_head(s, max);
	kept = (struct span){ *at, s.len };
	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}
