/* http_target.c - the names of fields are those of the dialect, where the
 * block says no others. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "http/http_url.h"
#include "mail/base64.h"
#include "relay/hop/hop_read.h"
#include "relay/http/http_target.h"

#define HTTP_PORT	80
#define HTTPS_PORT	443

static void
read_name(char *out, const struct slice *b, const char *option,
    const char *usual)
{
	struct span given = slice_text(b, option, 0);

	if (given.len == 0 || !span_cstr(given, out, HTTP_TARGET_NAME_MAX))
		(void)strlcpy(out, usual, HTTP_TARGET_NAME_MAX);
}

static void
read_fields(struct http_target *t, const struct slice *b)
{
	bool is_lua = span_eq(slice_text(b, "dialect", 0), SPAN("lua"));

	t->is_coded = !is_lua;
	read_name(t->ehlo_name, b, "ehlo_header", "X-Ehlo");
	read_name(t->sender_name, b, "sender_header",
	    is_lua ? "X-Sender" : "X-Envelope-Sender");
	read_name(t->rcpt_name, b, "recipient_header",
	    is_lua ? "X-Recipient" : "X-Envelope-Recipient");
}

/* RFC 7617 2: user, colon, password. */
static enum err
code_login(struct http_target *t)
{
	static const char scheme[] = "Basic ";
	const struct hop_login *l = &t->login;
	size_t cap, len = sizeof(scheme) - 1, coded;
	char text[2 * HOP_LOGIN_MAX + 1], *out;
	enum err e = OK;

	if (l->username.len == 0)
		return OK;
	memcpy(text, l->username.ptr, l->username.len);
	text[l->username.len] = ':';
	memcpy(text + l->username.len + 1, l->password.ptr, l->password.len);
	cap = len + BASE64_LEN(sizeof(text));
	if ((out = malloc(cap)) == NULL)
		return ERR_SYS;
	memcpy(out, scheme, len);
	if (base64_encode((struct span){ text, l->username.len + 1 +
	    l->password.len }, out + len, cap - len, &coded)) {
		t->authorization = (struct span){ out, len + coded };
	} else {
		free(out);
		e = ERR_SYS;
	}
	explicit_bzero(text, sizeof(text));
	return e;
}

static enum err
read_url(struct http_target *t, const struct slice *b)
{
	struct http_url url;
	const char *why = http_url_read(slice_text(b, "url", 0), &url);

	if (why != NULL) {
		log_why(LOG_trouble, why, 0);
		return ERR_PEER;
	}
	t->dial.host = url.host;
	t->host = url.authority;
	t->path = url.path;
	t->dial.port = url.port != 0 ? url.port :
	    t->tls.policy.immediately ? HTTPS_PORT : HTTP_PORT;
	return OK;
}

enum err
http_target_read(struct http_target *t, struct pool_limits *limits,
    const struct relay_type_env *env)
{
	const struct slice *b = &env->block;
	struct slice tls = slice_block(b, "tls", 0);
	enum err e;

	t->tls.policy.immediately =
	    !span_eq(slice_text(&tls, "security", 0), SPAN("off"));
	if ((e = hop_read_tls(&t->tls, t->tls.policy.immediately, env)) != OK ||
	    (e = read_url(t, b)) != OK)
		return e;
	t->dial.families = sources_families(b);
	t->dial.private_too = true;	/* the block names it */
	t->step_ms = t->dial.connect_ms = (int64_t)slice_num(b, "timeout");
	t->done_ms = (int64_t)slice_num(b, "data_done_timeout");
	t->method = slice_text(b, "method", 0);
	t->may_chunk = slice_flag(b, "chunked");
	t->ehlo_as = slice_text(b, "ehlo_as", 0);
	if (t->ehlo_as.len == 0)
		t->ehlo_as = env->hostname;
	read_fields(t, b);
	limits->connections = (unsigned)slice_num(b, "concurrent_connections");
	limits->idle_ms = (int64_t)slice_num(b, "idle_timeout");
	t->keeps = limits->idle_ms > 0;
	if ((e = hop_read_places(&t->dial.places, limits->connections,
	    env)) != OK || (e = hop_read_login(&t->login, env)) != OK)
		return e;
	return code_login(t);
}
