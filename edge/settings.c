/*
 * settings.c - numbers come checked by the configuration; a zero that cannot
 * be meant is replaced, so that no limit is ever off by mistake.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "conf/slice/slice.h"
#include "edge/lua/validators.h"
#include "edge/protocol.h"
#include "edge/settings.h"
#include "mail/spf.h"

#define BANNER_DEFAULT	"ESMTP postern"

static uint64_t
num_or(const struct slice *s, const char *option, uint64_t otherwise)
{
	uint64_t n = slice_num(s, option);

	return n > 0 ? n : otherwise;
}

static unsigned
count_or(const struct slice *s, const char *option, unsigned otherwise)
{
	uint64_t n = num_or(s, option, otherwise);

	return n > UINT_MAX ? UINT_MAX : (unsigned)n;
}

static char *
copy(struct span s)
{
	return s.len == 0 ? NULL : strndup(s.ptr, s.len);
}

static void
read_spf(struct settings *set, const struct slice *rules)
{
	unsigned cnt = slice_count(rules, "reject_spf");

	set->spf = cnt > 0 || slice_flag(rules, "check_spf");
	for (unsigned i = 0; i < cnt; i++)
		for (unsigned r = 0; r < SPF__COUNT; r++)
			if (span_eq(slice_text(rules, "reject_spf", i),
			    span_of(spf_word((enum spf_result)r))))
				set->spf_reject |= 1u << r;
}

/* A banner may begin with the code that it comes with. */
static void
read_code(struct settings *set, struct span *banner)
{
	unsigned long long code;

	if (banner->len < 5 || banner->ptr[3] != ' ' ||
	    !span_number(span_head(*banner, 3), 599, &code))
		return;
	set->banner_code = code == 220 ? 0 : (uint16_t)code;
	*banner = span_tail(*banner, 4);
}

/* The banner of the rules block is the same option by its older name. */
static enum err
read_texts(struct settings *set, const struct slice *edge,
    const struct slice *rules)
{
	struct slice process = slice_process(edge);
	struct span host = slice_text(edge, "hostname", 0);
	struct span home = slice_text(&process, "domains", 0);
	struct span banner = slice_text(rules, "banner", 0);

	if (host.len == 0)
		host = slice_text(&process, "hostname", 0);
	if (host.len == 0)
		return ERR_PEER;
	if (home.len == 0)
		home = host;
	if (banner.len == 0)
		banner = slice_text(edge, "banner", 0);
	if (banner.len == 0)
		banner = SPAN(BANNER_DEFAULT);
	read_code(set, &banner);
	if ((set->hostname = copy(host)) == NULL ||
	    (set->home = copy(home)) == NULL ||
	    (set->banner = copy(banner)) == NULL)
		return ERR_FULL;
	set->banner_has_name = strstr(set->banner, BANNER_NAME) != NULL;
	return OK;
}

static void
read_limits(struct settings *set, const struct slice *edge)
{
	set->max_size = num_or(edge, "max_size", 50u << 20);
	set->max_header_size = num_or(edge, "max_header_size", 256u << 10);
	set->timeout_ms = (int64_t)num_or(edge, "timeout", 300000);
	set->data_timeout_ms = (int64_t)num_or(edge, "data_timeout", 600000);
	set->min_rate = slice_num(edge, "min_rate");
	set->lifetime_ms = (int64_t)num_or(edge, "lifetime", 5 * 86400000);
	set->session_timeout_ms =
	    (int64_t)num_or(edge, "session_timeout", 7200000);
	set->max_recipients = count_or(edge, "max_recipients", 1000);
	set->max_errors = count_or(edge, "max_errors", 20);
	set->max_sessions = count_or(edge, "max_sessions", 12000);
	set->max_sessions_per_client =
	    count_or(edge, "max_sessions_per_client", 100);
}

static const struct {
	const char		*word;
	const struct protocol	*protocol;
} types[] = {
#define EDGE_KIND(word, role, port, facts, by)				\
	{ #word, &protocol_##by },
#include "conf/kinds.def"
};

static void
read_type(struct settings *set, const struct slice *edge)
{
	struct span word = slice_text(edge, "type", 0);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_eq(word, span_of(types[i].word)))
			set->protocol = types[i].protocol;
}

static enum smtputf8
read_smtputf8(const struct slice *edge)
{
	struct span word = slice_text(edge, "smtputf8", 0);

	if (span_eq(word, SPAN("yes")))
		return SMTPUTF8_YES;
	return span_eq(word, SPAN("no")) ? SMTPUTF8_NO : SMTPUTF8_AUTO;
}

static void
read_security(struct settings *set, const struct slice *edge,
    const struct slice *rules)
{
	struct slice tls = slice_block(edge, "tls", 0);

	set->has_tls = slice_text(&tls, "certfile", 0).len > 0;
	set->certificate = (unsigned)slice_num(&tls, "certfile");
	set->tls_immediately = slice_flag(edge, "tls_immediately");
	set->client_names = slice_flag(edge, "client_names");
	set->binarymime = slice_flag(edge, "binarymime");
	set->smtputf8 = read_smtputf8(edge);
	set->require_tls = slice_flag(rules, "require_tls");
	set->has_users = slice_text(rules, "lookup_credentials", 0).len > 0;
	set->auth_without_tls = slice_flag(rules, "auth_without_tls");
	set->require_auth = slice_flag(rules, "require_auth");
	set->normalise_lf = span_eq(slice_text(rules, "bare_lf", 0),
	    SPAN("normalise"));
}

/* Those of the queue, as far as they are about the header section. */
static void
read_policies(struct settings *set, const struct slice *edge)
{
	struct slice policies = slice_block(edge, "policies", 0);

	set->add_date = slice_flag(&policies, "add_date_header");
	set->add_message_id = slice_flag(&policies, "add_message_id_header");
	set->add_received = slice_block_count(edge, "policies") == 0 ||
	    slice_flag(&policies, "add_received_header");
}

static enum err
read_senders(struct settings *set, const struct slice *edge)
{
	struct slice policies = slice_block(edge, "policies", 0);
	struct slice process = slice_process(edge);

	return sender_map_init(&set->senders, &policies, &process,
	    span_of(set->home));
}

/* A path is matched from its beginning. */
static enum err
read_uri(struct http_settings *http, const struct slice *edge)
{
	struct span uri = slice_text(edge, "uri", 0);
	char *pattern;
	enum err e;
	int len;

	if (uri.len == 0)
		return OK;
	len = asprintf(&pattern, "^(?:%.*s)", (int)uri.len, uri.ptr);
	if (len == -1)
		return ERR_FULL;
	e = regex_open(&http->uri, (struct span){ pattern, (size_t)len });
	free(pattern);
	return e;
}

static enum err
read_http(struct settings *set, const struct slice *edge)
{
	struct http_settings *http = &set->http;

	if (set->protocol != &protocol_http)
		return OK;
	set->tls_immediately = set->has_tls;
	http->is_lua = span_eq(slice_text(edge, "dialect", 0), SPAN("lua"));
	http->method = copy(slice_text(edge, "method", 0));
	http->ehlo = copy(slice_text(edge, "ehlo_header", 0));
	http->sender = copy(slice_text(edge, "sender_header", 0));
	http->recipient = copy(slice_text(edge, "recipient_header", 0));
	if (http->method == NULL || http->ehlo == NULL ||
	    http->sender == NULL || http->recipient == NULL)
		return ERR_PEER;
	return read_uri(http, edge);
}

enum err
settings_init(struct settings *set, struct span bytes)
{
	struct slice edge, rules;
	enum err e;

	*set = (struct settings){ 0 };
	if ((e = slice_open(&edge, bytes)) != OK)
		return e;
	rules = slice_block(&edge, "rules", 0);
	read_type(set, &edge);
	read_limits(set, &edge);
	read_security(set, &edge, &rules);
	read_policies(set, &edge);
	read_spf(set, &rules);
	if ((e = read_texts(set, &edge, &rules)) == OK &&
	    (e = rules_init(&set->rules, &rules)) == OK &&
	    (e = dnsbl_init(&set->dnsbls, &rules)) == OK &&
	    (e = read_http(set, &edge)) == OK &&
	    (e = nets_init(&set->proxies, &edge, "proxy_protocol")) == OK &&
	    (e = read_senders(set, &edge)) == OK)
		e = validators_open(&set->validators, &edge, set->hostname);
	if (e != OK)
		settings_fini(set);
	return e;
}

void
settings_fini(struct settings *set)
{
	validators_close(&set->validators);
	rules_fini(&set->rules);
	dnsbl_fini(&set->dnsbls);
	nets_fini(&set->proxies);
	sender_map_fini(&set->senders);
	regex_close(&set->http.uri);
	free(set->http.method);
	free(set->http.ehlo);
	free(set->http.sender);
	free(set->http.recipient);
	free(set->hostname);
	free(set->home);
	free(set->banner);
	*set = (struct settings){ 0 };
}
