/*
 * cmd_dns.c - what DNS says of a domain's mail, kind after kind, and which
 * records are missing, as lines of a zone.
 *
 * The names are asked of the host's own name servers, or of one that is given.
 * Nothing is asked of a mail server, for it is ours: its certificate is in a
 * file; and no policy is fetched of a web server, but told as it has to be.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ctl/tool/cmd.h"
#include "ctl/tool/dnslook.h"
#include "ctl/tool/mailrec.h"
#include "ctl/tool/tlsa.h"
#include "ctl/tool/where.h"
#include "mail/domain.h"

#define HOSTS_MAX	10	/* of MX that are looked at		*/
#define ADDRESSES_MAX	10	/* of each				*/

/* "192.0.2.1" backwards, or nibbles: the name that has its PTR. */
static void
reverse_of(int family, const unsigned char *b, char *out, size_t cap)
{
	size_t len = 0;

	if (family == AF_INET) {
		snprintf(out, cap, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2],
		    b[1], b[0]);
		return;
	}
	for (int i = 15; i >= 0 && len + 5 < cap; i--)
		len += (size_t)snprintf(out + len, cap - len, "%x.%x.",
		    b[i] & 15, b[i] >> 4);
	(void)strlcat(out, "ip6.arpa", cap);
}

/* Is the address one of the name's? */
static bool
has_address(struct dnslook *l, const char *name, int family,
    struct span address)
{
	struct dnslook_answer a;
	bool has = false;

	if (dnslook_ask(l, name, family == AF_INET ? DNSLOOK_A : DNSLOOK_AAAA,
	    &a) == DNSLOOK_FOUND)
		for (unsigned i = 0; i < a.cnt; i++)
			has |= span_eq(dnslook_row(&a, i), address);
	dnslook_done(&a);
	return has;
}

static void
look_at_ptr(struct dnslook *l, int family, struct span address)
{
	char text[INET6_ADDRSTRLEN], reverse[128], name[MAILREC_NAME_MAX];
	struct dnslook_answer a;
	enum dnslook_end end;
	bool confirmed = false;
	size_t used;

	if (inet_ntop(family, address.ptr, text, sizeof(text)) == NULL)
		return;
	reverse_of(family, (const unsigned char *)address.ptr, reverse,
	    sizeof(reverse));
	end = dnslook_ask(l, reverse, DNSLOOK_PTR, &a);
	name[0] = '\0';
	for (unsigned i = 0; end == DNSLOOK_FOUND && i < a.cnt &&
	    !confirmed; i++)
		confirmed = mailrec_name(dnslook_row(&a, i), name, &used) &&
		    has_address(l, name, family, address);
	dnslook_done(&a);
	if (end == DNSLOOK_FAILED)
		dnslook_tell(l, "PTR", text, DNSLOOK_UNKNOWN, "", NULL);
	else if (confirmed)
		dnslook_tell(l, "PTR", text, DNSLOOK_GOOD, name, NULL);
	else if (end == DNSLOOK_FOUND)
		dnslook_tell(l, "PTR", text, DNSLOOK_WRONG, name,
		    "that name does not have this address");
	else {
		dnslook_tell(l, "PTR", text, DNSLOOK_MISSING, "",
		    "whoever gave you the address can add it");
		dnslook_add(l, "%s. 3600 IN PTR %s.", reverse, l->host);
	}
}

/* Its addresses of one family; how many. */
static unsigned
look_at_addresses(struct dnslook *l, const char *host, int family,
    bool *has_failed)
{
	const char *kind = family == AF_INET ? "A" : "AAAA";
	size_t want = family == AF_INET ? 4 : 16;
	char text[INET6_ADDRSTRLEN];
	struct dnslook_answer a;
	enum dnslook_end end = dnslook_ask(l, host, family == AF_INET ?
	    DNSLOOK_A : DNSLOOK_AAAA, &a);
	unsigned cnt = 0;

	*has_failed |= end == DNSLOOK_FAILED;
	for (unsigned i = 0; end == DNSLOOK_FOUND && i < a.cnt &&
	    i < ADDRESSES_MAX; i++) {
		struct span row = dnslook_row(&a, i);

		if (row.len != want ||
		    inet_ntop(family, row.ptr, text, sizeof(text)) == NULL)
			continue;
		cnt++;
		dnslook_tell(l, kind, host, DNSLOOK_GOOD, text, NULL);
		look_at_ptr(l, family, row);
	}
	dnslook_done(&a);
	return cnt;
}

/* The certificate that host shows, as far as files know; or NULL. */
static struct tlsa *
certificate_of(const struct dnslook *l, const char *host)
{
	char path[WHERE_MAX];
	struct tlsa *t = NULL;

	if (l->certificate != NULL)
		return tlsa_open(&t, l->certificate) ? t : NULL;
	for (unsigned n = 0; where_certificate(l->config, n, path,
	    sizeof(path)); n++) {
		if (tlsa_open(&t, path) && tlsa_names(t, host))
			return t;
		tlsa_close(&t);
	}
	return NULL;
}

/* What is wrong with all of them; NULL: mail believes them. */
static const char *
tlsa_wrong(const struct dnslook_answer *a, const struct tlsa *t)
{
	const char *wrong = NULL;
	bool fits = false;

	for (unsigned i = 0; i < a->cnt && wrong == NULL; i++)
		wrong = mailrec_tlsa_wrong(dnslook_row(a, i));
	if (wrong != NULL)
		return wrong;
	for (unsigned i = 0; t != NULL && i < a->cnt && !fits; i++)
		fits = tlsa_fits(t, dnslook_row(a, i));
	if (t != NULL && !fits)
		return "none is of the certificate that is configured";
	return a->is_unsigned ? "the zone is not signed, so nobody believes "
	    "it" : NULL;
}

/* Without them mail goes, and is as safe as without a signed zone. */
static void
tell_no_tlsa(struct dnslook *l, const char *name, const struct tlsa *t)
{
	char why[160], hex[TLSA_HEX_LEN + 1];

	if (t != NULL && tlsa_hex(t, hex))
		snprintf(why, sizeof(why), "of use only in a signed zone: "
		    "3 1 1 %s", hex);
	else
		snprintf(why, sizeof(why), "of use only in a signed zone: "
		    "3 1 1 and the SHA-256 of the certificate's public key");
	dnslook_tell(l, "TLSA", name, DNSLOOK_OPTIONAL, "", why);
}

static void
look_at_tlsa(struct dnslook *l, const char *host)
{
	char name[MAILREC_NAME_MAX + 16], hex[TLSA_HEX_LEN + 1];
	struct tlsa *t = certificate_of(l, host);
	struct dnslook_answer a;
	enum dnslook_end end;
	const char *wrong;

	snprintf(name, sizeof(name), "_25._tcp.%s", host);
	end = dnslook_ask(l, name, DNSLOOK_TLSA, &a);
	wrong = end == DNSLOOK_FOUND ? tlsa_wrong(&a, t) : NULL;
	dnslook_done(&a);
	if (end == DNSLOOK_FOUND)
		dnslook_tell(l, "TLSA", name, wrong == NULL ? DNSLOOK_GOOD :
		    DNSLOOK_WRONG, "", wrong);
	else if (end == DNSLOOK_FAILED)
		dnslook_tell(l, "TLSA", name, DNSLOOK_UNKNOWN, "", NULL);
	else
		tell_no_tlsa(l, name, t);
	if (wrong != NULL && t != NULL && tlsa_hex(t, hex))
		dnslook_add(l, "%s. 3600 IN TLSA 3 1 1 %s", name, hex);
	tlsa_close(&t);
}

static void
look_at_host(struct dnslook *l, const char *host)
{
	bool has_failed = false;
	unsigned cnt;

	(void)strlcpy(l->host, host, sizeof(l->host));
	(void)strlcat(l->hosts, ", mx: ", sizeof(l->hosts));
	(void)strlcat(l->hosts, host, sizeof(l->hosts));
	cnt = look_at_addresses(l, host, AF_INET, &has_failed);
	cnt += look_at_addresses(l, host, AF_INET6, &has_failed);
	if (cnt == 0 && has_failed)
		dnslook_tell(l, "A", host, DNSLOOK_UNKNOWN, "", NULL);
	else if (cnt == 0) {
		dnslook_tell(l, "A", host, DNSLOOK_MISSING, "", NULL);
		dnslook_add(l, "; with the address of the server:");
		dnslook_add(l, "; %s. 3600 IN A ADDRESS", host);
	}
	look_at_tlsa(l, host);
}

static void
look_at_mx(struct dnslook *l)
{
	char name[MAILREC_NAME_MAX], value[MAILREC_NAME_MAX + 16];
	struct dnslook_answer a;
	enum dnslook_end end = dnslook_ask(l, l->domain, DNSLOOK_MX, &a);
	size_t used;

	for (unsigned i = 0; end == DNSLOOK_FOUND && i < a.cnt &&
	    i < HOSTS_MAX; i++) {
		struct span row = dnslook_row(&a, i);

		if (row.len < 3 || !mailrec_name(span_tail(row, 2), name,
		    &used))
			continue;
		snprintf(value, sizeof(value), "%u %s",
		    (unsigned char)row.ptr[0] * 256u +
		    (unsigned char)row.ptr[1], name);
		if (name[0] == '\0') {
			dnslook_tell(l, "MX", l->domain, DNSLOOK_WRONG, value,
			    "it says that the domain takes no mail");
			continue;
		}
		dnslook_tell(l, "MX", l->domain, DNSLOOK_GOOD, value, NULL);
		look_at_host(l, name);
	}
	dnslook_done(&a);
	if (end == DNSLOOK_FAILED)
		dnslook_tell(l, "MX", l->domain, DNSLOOK_UNKNOWN, "", NULL);
	if (end != DNSLOOK_NONE)
		return;
	dnslook_tell(l, "MX", l->domain, DNSLOOK_MISSING, "", NULL);
	snprintf(name, sizeof(name), "mx.%s", l->domain);
	dnslook_add(l, "%s. 3600 IN MX 10 %s.", l->domain, name);
	look_at_host(l, name);
}

/* The one record of a kind among the texts of a name. */
static enum dnslook_state
look_at_texts(struct dnslook *l, enum mailrec kind, const char *label,
    const char *name)
{
	char text[MAILREC_TEXT_MAX], found[MAILREC_TEXT_MAX + 1] = "";
	struct dnslook_answer a;
	enum dnslook_end end = dnslook_ask(l, name, DNSLOOK_TXT, &a);
	const char *wrong = NULL;
	unsigned cnt = 0;
	size_t len;

	for (unsigned i = 0; end == DNSLOOK_FOUND && i < a.cnt; i++) {
		struct span s;

		if (!mailrec_text(dnslook_row(&a, i), text, &len))
			continue;
		s = (struct span){ text, len };
		if (!mailrec_is(kind, s) || cnt++ > 0)
			continue;
		wrong = mailrec_wrong(kind, s);
		(void)span_cstr(s, found, sizeof(found));
	}
	dnslook_done(&a);
	if (cnt > 1)
		wrong = "there are several, and none counts";
	if (cnt > 0)
		dnslook_tell(l, label, name, wrong == NULL ? DNSLOOK_GOOD :
		    DNSLOOK_WRONG, found, wrong);
	else if (end == DNSLOOK_FAILED)
		dnslook_tell(l, label, name, DNSLOOK_UNKNOWN, "", NULL);
	else
		return DNSLOOK_MISSING;
	return DNSLOOK_GOOD;
}

/* One that is missing: why, and what to add, both unless NULL. */
static void
look_at_one(struct dnslook *l, enum mailrec kind, const char *label,
    const char *prefix, enum dnslook_state missing, const char *why,
    const char *propose)
{
	char name[MAILREC_NAME_MAX + 300];

	snprintf(name, sizeof(name), "%s%s", prefix, l->domain);
	if (look_at_texts(l, kind, label, name) != DNSLOOK_MISSING)
		return;
	dnslook_tell(l, label, name, missing, "", why);
	if (propose != NULL)
		dnslook_add(l, "%s. 3600 IN TXT \"%s\"", name, propose);
}

static void
look_at_keys(struct dnslook *l, const char *selectors)
{
	struct span rest = span_of(selectors == NULL ? "" : selectors);
	char prefix[280];

	if (rest.len == 0)
		dnslook_tell(l, "DKIM", l->domain, DNSLOOK_OPTIONAL, "",
		    "say --selector NAME to have a key looked at");
	while (rest.len > 0) {
		struct span one = span_head(rest, span_find(rest, ','));

		rest = span_tail(rest, one.len + 1);
		snprintf(prefix, sizeof(prefix), "%.*s._domainkey.",
		    (int)(one.len < 255 ? one.len : 255), one.ptr);
		look_at_one(l, MAILREC_DKIM, "DKIM", prefix, DNSLOOK_MISSING,
		    "no key stands there", NULL);
	}
}

/* Is there a web server for the policy?  It says this, a line each. */
static void
look_at_sts(struct dnslook *l)
{
	char name[DOMAIN_KEY_MAX + 64], value[DNSLOOK_ADD_LEN + 256];
	bool has_failed = false, has = false;
	int types[] = { DNSLOOK_A, DNSLOOK_AAAA };
	struct dnslook_answer a;

	snprintf(name, sizeof(name), "_mta-sts.%s", l->domain);
	if (look_at_texts(l, MAILREC_STS, "MTA-STS", name) ==
	    DNSLOOK_MISSING) {
		dnslook_tell(l, "MTA-STS", name, DNSLOOK_OPTIONAL, "",
		    "it takes a policy on a web server, too");
		return;
	}
	snprintf(name, sizeof(name), "mta-sts.%s", l->domain);
	for (size_t i = 0; i < 2; i++) {
		enum dnslook_end end = dnslook_ask(l, name, types[i], &a);

		has |= end == DNSLOOK_FOUND;
		has_failed |= end == DNSLOOK_FAILED;
		dnslook_done(&a);
	}
	snprintf(value, sizeof(value), "its /.well-known/mta-sts.txt is to "
	    "say version: STSv1, mode: enforce%s, max_age: 604800", l->hosts);
	dnslook_tell(l, "MTA-STS", name, has ? DNSLOOK_GOOD : has_failed ?
	    DNSLOOK_UNKNOWN : DNSLOOK_MISSING, has ? value : "", has ||
	    has_failed ? NULL : "no web server can have the policy");
}

static void
look_at_policies(struct dnslook *l, const char *selectors)
{
	char dmarc[DOMAIN_KEY_MAX + 64], tlsrpt[DOMAIN_KEY_MAX + 64];

	snprintf(dmarc, sizeof(dmarc),
	    "v=DMARC1; p=none; rua=mailto:postmaster@%s", l->domain);
	snprintf(tlsrpt, sizeof(tlsrpt),
	    "v=TLSRPTv1; rua=mailto:postmaster@%s", l->domain);
	look_at_one(l, MAILREC_SPF, "SPF", "", DNSLOOK_MISSING, NULL,
	    "v=spf1 mx -all");
	look_at_keys(l, selectors);
	look_at_one(l, MAILREC_DMARC, "DMARC", "_dmarc.", DNSLOOK_MISSING,
	    NULL, dmarc);
	look_at_sts(l);
	look_at_one(l, MAILREC_TLSRPT, "TLS-RPT", "_smtp._tls.",
	    DNSLOOK_OPTIONAL, NULL, tlsrpt);
}

enum run_end
cmd_dns(struct run *r)
{
	static struct dnslook l;
	char domain[DOMAIN_KEY_MAX];
	struct tlsa *t = NULL;
	enum run_end end;

	if (r->arg_cnt != 1 || domain_key(span_of(r->args[0]), domain) == 0) {
		run_complain("dns: of which domain?");
		return END_USAGE;
	}
	if (r->certificate != NULL && !tlsa_open(&t, r->certificate)) {
		run_complain("dns: there is no certificate in %s",
		    r->certificate);
		return END_USAGE;
	}
	tlsa_close(&t);
	l = (struct dnslook){ .domain = domain, .json = r->json,
	    .config = r->config, .certificate = r->certificate };
	if ((end = dnslook_open(&l, r->server)) != END_DONE)
		return end;
	look_at_mx(&l);
	look_at_policies(&l, r->selector);
	return dnslook_close(&l);
}
