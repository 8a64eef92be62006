/*
 * spf.c - facts and their forms; the work is in spf_eval.c.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/spf_inside.h"

/* RFC 7208 7.3: IPv6 as nibbles. */
static void
write_ip(struct spf *s)
{
	const uint8_t *b = s->facts.ip;
	size_t at = 0;

	if (!s->facts.is_ipv6) {
		(void)inet_ntop(AF_INET, b, s->ip, sizeof(s->ip));
		(void)inet_ntop(AF_INET, b, s->client, sizeof(s->client));
		return;
	}
	(void)inet_ntop(AF_INET6, b, s->client, sizeof(s->client));
	for (unsigned i = 0; i < 32; i++) {
		if (i > 0)
			s->ip[at++] = '.';
		s->ip[at++] = "0123456789ABCDEF"[i % 2 == 0 ?
		    b[i / 2] >> 4 : b[i / 2] & 0xf];
	}
	s->ip[at] = '\0';
}

static char *
copy(struct span s)
{
	return strndup(s.len > 0 ? s.ptr : "", s.len);
}

/* Without a local part there is postmaster (RFC 7208 4.3). */
static char *
full_sender(const struct spf_facts *f)
{
	struct span who = f->sender.len > 0 ? f->sender : f->helo;
	bool lacks = f->sender.len == 0 || f->sender.ptr[0] == '@' ||
	    span_find(f->sender, '@') == f->sender.len;
	char *out = NULL;

	if (!lacks)
		return copy(who);
	if (f->sender.len > 0 && f->sender.ptr[0] == '@')
		who = span_tail(who, 1);
	if (asprintf(&out, "postmaster@%.*s", (int)who.len, who.ptr) == -1)
		return NULL;
	return out;
}

/* A client of IPv4 by an IPv6 socket is one of IPv4. */
static void
unmap(struct spf_facts *f)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };

	if (!f->is_ipv6 || memcmp(f->ip, mapped, sizeof(mapped)) != 0)
		return;
	memmove(f->ip, f->ip + 12, 4);
	f->is_ipv6 = false;
}

enum err
spf_begin(struct spf **out, const struct spf_facts *facts)
{
	struct spf *s = calloc(1, sizeof(*s));
	const char *domain;

	if (s == NULL)
		return ERR_SYS;
	s->facts = *facts;
	unmap(&s->facts);
	s->sender = full_sender(facts);
	s->helo = copy(facts->helo);
	s->receiver = copy(facts->receiver);
	if (s->sender == NULL || s->helo == NULL || s->receiver == NULL) {
		spf_free(&s);
		return ERR_SYS;
	}
	write_ip(s);
	/* There is no @ where a NUL cuts it off. */
	domain = strrchr(s->sender, '@');
	domain = domain != NULL ? domain + 1 : "";
	if (!spf_is_name(domain) || strlen(domain) > SPF_NAME_MAX ||
	    domain[0] == '[')
		spf_end(s, SPF_NONE);
	else {
		snprintf(s->origin, sizeof(s->origin), "%s", domain);
		snprintf(s->frames[0].domain, sizeof(s->frames[0].domain),
		    "%s", domain);
		s->depth = 1;
		spf_want_record(s);
	}
	*out = s;
	return OK;
}

void
spf_free(struct spf **sp)
{
	struct spf *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	for (unsigned i = 0; i < SPF_FRAMES_MAX; i++)
		free(s->frames[i].record);
	free(s->sender);
	free(s->helo);
	free(s->receiver);
	free(s->exp);
	free(s);
}

bool
spf_wants(const struct spf *s, enum spf_type *type, const char **name)
{
	if (s->is_done)
		return false;
	*type = s->type;
	*name = s->name;
	return true;
}

enum spf_result
spf_result(const struct spf *s)
{
	return s->result;
}

const char *
spf_word(enum spf_result r)
{
	static const char *const words[SPF__COUNT] = {
		[SPF_NONE] = "none", [SPF_NEUTRAL] = "neutral",
		[SPF_PASS] = "pass", [SPF_FAIL] = "fail",
		[SPF_SOFTFAIL] = "softfail", [SPF_TEMPERROR] = "temperror",
		[SPF_PERMERROR] = "permerror",
	};

	return words[r];
}

const char *
spf_explanation(const struct spf *s)
{
	return s->explanation;
}

const char *
spf_domain(const struct spf *s)
{
	return s->origin;
}
