/*
 * Every name that slimta's configuration has, in the block that is ours for
 * it: it is an option here, or what is meant is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf_memory.h"

#define EDGE(more)	"edge e { type smtp; queue q; " more " }\n"
#define QUEUE(more)	"queue q { type lmdb; relay r; " more " }\n"
#define RELAY(more)	"relay r { type static; host a.example; " more " }\n"
#define REST		EDGE("") QUEUE("") RELAY("")
#define HERE		"%s x"
#define FILES		"certfile /c; keyfile /k; "

static const struct {
	const char	*text;		/* with HERE for the name	*/
	const char	*names;
} blocks[] = {
	{ HERE "\n" REST, "tls rules lookup celery_app logging http daemon "
	    "user password keyfile pool_size smtp lmtp mx static pipe "
	    "maildrop dovecot blackhole custom memory proxy retry" },
	{ "process { " HERE " }\n" REST, "daemon user group stdout stderr "
	    "stdin hostname fqdn pid_file logging" },
	{ EDGE(HERE) QUEUE("") RELAY(""), "listeners factory proxy_protocol "
	    "proxyprotocol uri tls_immediately max_size" },
	{ EDGE("listener { " HERE " }") QUEUE("") RELAY(""),
	    "type interface port path backlog factory" },
	{ EDGE("tls { " FILES HERE " }") QUEUE("") RELAY(""), "server_side "
	    "cert_reqs ssl_version ca_certs do_handshake_on_connect "
	    "suppress_ragged_eofs ciphers" },
	{ EDGE("rules { " HERE " }") QUEUE("") RELAY(""), "banner dnsbl "
	    "reject_spf reject_spam only_senders only_recipients "
	    "regex_senders regex_recipients lookup_senders lookup_recipients "
	    "lookup_credentials passlib_config require_credentials" },
	{ "users u { type file; path /u; " HERE " }\n" REST, "map "
	    "key_template host port db password database query use_hash" },
	{ EDGE("") QUEUE(HERE) RELAY(""), "bounce_queue policies retry "
	    "envelope_dir meta_dir tmp_dir host port db password "
	    "socket_timeout prefix access_key_id secret_access_key "
	    "bucket_name queue_name queue_region endpoint username api_key "
	    "region container_name factory" },
	{ EDGE("") QUEUE("policies { " HERE " }") RELAY(""),
	    "add_date_header add_message_id_header add_messageid_header "
	    "add_received_header recipient_split recipient_domain_split "
	    "split_recipient_domain forward spamassassin lookup" },
	{ EDGE("") QUEUE("retry { " HERE " }") RELAY(""), "delay maximum" },
	{ EDGE("") QUEUE("") RELAY(HERE), "tls ehlo_as port host timeout "
	    "idle_timeout path args override_mx force_mx ipv4_only "
	    "credentials concurrent_connections connect_timeout "
	    "command_timeout data_timeout tls_required auth_mechanism "
	    "binary_encoder socket_creator http_verb pool_size extra_args "
	    "error_pattern factory" },
	{ EDGE("") QUEUE("") RELAY("tls { " HERE " }"), "keyfile certfile "
	    "server_side cert_reqs ssl_version ca_certs ciphers "
	    "do_handshake_on_connect suppress_ragged_eofs" },
	{ EDGE("") QUEUE("") RELAY("credentials { " HERE " }"),
	    "username password" },
};

/* The first line about it; it says more than that there is no such name. */
static bool
is_told(const char *report, const char *name)
{
	char no[100];
	const char *at = NULL, *more;

	for (unsigned i = 0; at == NULL && i < 2; i++) {
		snprintf(no, sizeof(no), "no %s `%s'", i ? "block" :
		    "option", name);
		at = strstr(report, no);
	}
	if (at == NULL)			/* it is one, and x is no value */
		return true;
	more = strchr(at, ';');
	return more != NULL && more < strchr(at, '\n');
}

static void
every_name_of_slimta_is_ours_or_leads_to_what_is(void **state)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		char names[1000], text[2000], *at = names, *name;

		assert_true(strlcpy(names, blocks[i].names, sizeof(names)) <
		    sizeof(names));
		while ((name = strsep(&at, " ")) != NULL) {
			const struct memory_file files[] = { { "f", text },
				{ "/c", "cert a" }, { "/k", "key a" },
				{ "/u", "ann:x\n" }, MEMORY_HOST };
			struct memory m = { .files = files };
			struct conf *c = NULL;
			const char *gap = strstr(blocks[i].text, HERE);

			snprintf(text, sizeof(text), "%.*s%s%s",
			    (int)(gap - blocks[i].text), blocks[i].text, name,
			    gap + 2);
			(void)memory_load(&m, &c, false);
			conf_free(&c);
			if (is_told(m.told, name))
				continue;
			print_error("%s\n%s", text, m.told);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_name_of_slimta_is_ours_or_leads_to_what_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
