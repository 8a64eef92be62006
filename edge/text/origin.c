/*
 * origin.c - see the header.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/text/origin.h"
#include "mail/received.h"

void
origin_init(struct origin *o, const struct client_address *address)
{
	*o = (struct origin){ .address = *address };
	client_address_text(address, o->client);
}

/* Without memory it has none, as many have. */
void
origin_set_name(struct origin *o, const char *name)
{
	free(o->name);
	o->name = name != NULL ? strdup(name) : NULL;
}

enum err
origin_copy(struct origin *out, const struct origin *from)
{
	struct origin o = *from;

	o.helo = from->helo != NULL ? strdup(from->helo) : NULL;
	o.login = from->login != NULL ? strdup(from->login) : NULL;
	o.name = from->name != NULL ? strdup(from->name) : NULL;
	if ((from->helo != NULL && o.helo == NULL) ||
	    (from->login != NULL && o.login == NULL)) {
		origin_fini(&o);
		return ERR_FULL;
	}
	*out = o;
	return OK;
}

void
origin_forget(struct origin *o)
{
	free(o->helo);
	free(o->login);
	o->helo = o->login = NULL;
}

void
origin_fini(struct origin *o)
{
	origin_forget(o);
	origin_set_name(o, NULL);
}

void
origin_forget_login(struct origin *o)
{
	free(o->login);
	o->login = NULL;
}

bool
origin_is_local(const struct origin *o)
{
	return client_address_is_local(&o->address);
}

bool
origin_is_known(const struct origin *o)
{
	return o->login != NULL || origin_is_local(o);
}

struct span
origin_tenant(const struct origin *o, char *buf)
{
	if (o->login != NULL)
		return span_of(o->login);
	client_address_net_text(&o->address, buf);
	return span_of(buf);
}

struct span
origin_tls(const struct origin *o, char buf[TLS_WORDS_MAX])
{
	if (!o->is_secure || o->tls_version == NULL)
		return span_of("");
	(void)snprintf(buf, TLS_WORDS_MAX, "%s %s", o->tls_version,
	    o->tls_cipher);
	return span_of(buf);
}

struct span
origin_with(const struct origin *o, bool utf8)
{
	if (o->is_http)
		return received_with_http(utf8, o->is_secure,
		    o->login != NULL);
	return received_with(o->is_lmtp, o->is_extended, utf8,
	    o->is_secure, o->login != NULL);
}
