/* smtp_target.c - place, patience, and what of 8 bits there is to say. */
#include "relay/hop/hop_read.h"
#include "relay/smtp/smtp_target.h"

static enum smtp_8bit
eightbit_of(struct span word)
{
	return span_eq(word, SPAN("send")) ? SMTP_8BIT_SEND :
	    span_eq(word, SPAN("refuse")) ? SMTP_8BIT_REFUSE :
	    SMTP_8BIT_CONVERT;
}

enum err
smtp_target_read(struct smtp_client_target *t, struct pool_limits *limits,
    const struct relay_type_env *env)
{
	const struct slice *b = &env->block;
	enum err e;

	t->dial.host = slice_text(b, "host", 0);
	t->dial.port = (uint16_t)slice_num(b, "port");
	t->dial.families = sources_families(b);
	t->dial.connect_ms = (int64_t)slice_num(b, "connect_timeout");
	t->command_ms = (int64_t)slice_num(b, "command_timeout");
	t->data_ms = (int64_t)slice_num(b, "data_timeout");
	t->done_ms = (int64_t)slice_num(b, "data_done_timeout");
	t->ehlo_as = slice_text(b, "ehlo_as", 0);
	if (t->ehlo_as.len == 0)
		t->ehlo_as = env->hostname;
	t->eightbit = eightbit_of(slice_text(b, "eightbit", 0));
	t->may_chunk = slice_flag(b, "chunking");
	limits->connections = (unsigned)slice_num(b, "concurrent_connections");
	limits->idle_ms = (int64_t)slice_num(b, "idle_timeout");
	if ((e = hop_read_places(&t->dial.places, limits->connections,
	    env)) != OK ||
	    (e = hop_read_tls(&t->tls,
	    slice_flag(b, "tls_immediately"), env)) != OK)
		return e;
	return hop_read_login(&t->login, env);
}
