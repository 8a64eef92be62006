/*
 * postfix.c - the order of the text, with all but the queue and its relays.
 *
 * What Postfix decides by where a client is, one edge of ours does not: port
 * 25 takes mail for our own domains from everybody, and from this host all.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/tool/import/postfix.h"
#include "ctl/tool/import/postfix_queue.h"

static const struct {
	const char	*name, *words;	/* NULL: not a word	*/
} others[] = {
#define SAME(name)		{ #name, NULL },
#define INSTEAD(name, words)	{ #name, words },
#include "ctl/tool/import/postfix.def"
};

static bool
is_self(struct span word, const char *hostname)
{
	return (word.len == strlen(hostname) &&
	    strncasecmp(word.ptr, hostname, word.len) == 0) ||
	    (word.len >= 9 && strncasecmp(word.ptr, "localhost", 9) == 0);
}

static void
write_process(struct job *p)
{
	char *list = job_get(p, "mydestination",
	    "$myhostname, localhost.$mydomain, localhost");
	struct span rest = span_of(list != NULL ? list : ""), word;

	fprintf(p->conf, "process {\n\thostname %s\n\tdomains %s",
	    p->hostname, p->hostname);
	while (main_cf_word(&rest, &word)) {
		if (is_self(word, p->hostname) || word.ptr[0] == '$')
			continue;
		if (word.ptr[0] == '/' || span_find(word, ':') < word.len)
			job_note(p, "mydestination", word.ptr,
			    "its domains, one by one, in domains of process");
		else
			fprintf(p->conf, " %.*s", (int)word.len, word.ptr);
	}
	fprintf(p->conf, "\n}\n\n");
	free(list);
}

/* :: is a family of its own here. */
static void
write_listeners(struct job *p)
{
	char *list = job_get(p, "inet_interfaces", "all");
	char *family = job_get(p, "inet_protocols", "all");
	struct span rest = span_of(list != NULL ? list : ""), word;
	bool six = family == NULL || strstr(family, "ipv4") == NULL ||
	    strstr(family, "ipv6") != NULL;

	while (main_cf_word(&rest, &word)) {
		bool all = span_eq(word, SPAN("all"));
		bool self = span_eq(word, SPAN("loopback-only")) ||
		    span_eq(word, SPAN("localhost"));

		p->is_abroad = p->is_abroad || (!self &&
		    !span_begins(word, SPAN("127.")));
		if (self) {
			fprintf(p->conf,
			    "\tlistener { interface 127.0.0.1 }\n");
			if (six)
				fprintf(p->conf,
				    "\tlistener { interface ::1 }\n");
		} else if (all)
			fprintf(p->conf, "\tlistener { interface %s }\n",
			    six ? "\"\"" : "0.0.0.0");
		else
			fprintf(p->conf, "\tlistener { interface %.*s }\n",
			    (int)word.len, word.ptr);
	}
	free(family);
	free(list);
}

static void
write_tls(struct job *p)
{
	char *chain = job_get(p, "smtpd_tls_chain_files", NULL);
	char *cert = job_get(p, "smtpd_tls_cert_file", chain);
	char *key = job_get(p, "smtpd_tls_key_file", cert);

	if (chain != NULL && strpbrk(chain, ", ") != NULL)
		job_note(p, "smtpd_tls_chain_files", chain,
		    "one certificate, and its key, in tls of the edge");
	else if (cert != NULL && key != NULL && *cert != '\0' &&
	    strcasecmp(cert, "none") != 0)
		fprintf(p->conf, "\ttls { certfile %s; keyfile %s }\n", cert,
		    key);
	free(chain);
	free(cert);
	free(key);
}

/* Domains as patterns; tables of them are told by whoever else looks. */
static void
put_domains(struct job *p, const char *name)
{
	char *list = job_get(p, name, "");
	struct span rest = span_of(list != NULL ? list : ""), word;

	while (main_cf_word(&rest, &word)) {
		if (word.ptr[0] == '$')
			continue;
		if (word.ptr[0] == '/' || span_find(word, ':') < word.len)
			job_note(p, name, list,
			    "only_recipients @DOMAIN for each, in rules");
		else
			fprintf(p->conf, " @%.*s", (int)word.len, word.ptr);
	}
	free(list);
}

/* Beyond loopback, which is this host. */
static bool
has_others(const char *networks)
{
	struct span rest = span_of(networks), word;

	while (main_cf_word(&rest, &word))
		if (!span_begins(word, SPAN("127.")) &&
		    !span_begins(word, SPAN("[::1]")) &&
		    !span_begins(word, SPAN("[::ffff:127.")))
			return true;
	return false;
}

/* Everybody may send to those who are here; who may send on is told. */
static void
write_rules(struct job *p)
{
	char *level = job_get(p, "smtpd_tls_security_level", "");
	char *networks = job_get(p, "mynetworks", NULL);

	if (networks != NULL && has_others(networks))
		job_note(p, "mynetworks", networks, "an edge on another "
		    "port with `rules { clients NETWORK ... }', or logins");
	fprintf(p->conf, "\trules {");
	if (level != NULL && strcasecmp(level, "encrypt") == 0)
		fprintf(p->conf, " require_tls yes;");
	fprintf(p->conf, " only_recipients local");
	put_domains(p, "virtual_alias_domains");
	put_domains(p, "virtual_mailbox_domains");
	put_domains(p, "relay_domains");
	fprintf(p->conf, " }\n");
	free(level);
	free(networks);
}

static void
write_edges(struct job *p)
{
	fprintf(p->conf, "edge sendmail {\n\ttype smtp\n"
	    "\tlistener { path /run/postern/sendmail }\n\tqueue main\n}\n\n"
	    "edge smtp {\n\ttype smtp\n");
	write_listeners(p);
	job_copy(p, "message_size_limit", "max_size");
	write_tls(p);
	if (p->is_abroad)
		write_rules(p);
	fprintf(p->conf, "\tqueue main\n}\n\n");
}

/* What nobody has asked for is said, with what to do instead. */
static void
tell_rest(struct job *p)
{
	struct main_cf_row *r;

	TAILQ_FOREACH(r, &p->given, entry) {
		size_t i = 0, cnt = sizeof(others) / sizeof(others[0]);

		while (i < cnt && strcmp(others[i].name, r->name) != 0)
			i++;
		if (!r->is_used && (i == cnt || others[i].words != NULL))
			job_note(p, r->name, r->value,
			    i < cnt ? others[i].words : NULL);
	}
}

/* What others are made of, where it is not given. */
static enum err
set_names(struct job *p)
{
	const char *dot;
	enum err e = OK;

	if (main_cf_raw(&p->given, "myhostname") == NULL)
		e = main_cf_set(&p->given, "myhostname", p->hostname);
	free(p->hostname);
	p->hostname = main_cf_get(&p->given, "myhostname");
	if (e != OK || p->hostname == NULL)
		return ERR_SYS;
	dot = strchr(p->hostname, '.');
	if (main_cf_raw(&p->given, "mydomain") == NULL)
		e = main_cf_set(&p->given, "mydomain",
		    dot != NULL ? dot + 1 : "localdomain");
	free(main_cf_get(&p->given, "mydomain"));
	free(main_cf_get(&p->given, "myorigin"));
	free(main_cf_get(&p->given, "smtpd_banner"));
	return e;
}

enum err
postfix_write(struct job *p)
{
	char *text = NULL;
	size_t len;
	enum err e = set_names(p);

	if (e != OK || (p->relays = open_memstream(&text, &len)) == NULL)
		return ERR_SYS;
	fprintf(p->conf, "# postern.conf - made of %s/main.cf by posternctl "
	    "import postfix\n\n", p->dir);
	write_process(p);
	write_edges(p);
	postfix_queue_write(p);
	tell_rest(p);
	if (fclose(p->relays) != 0)
		e = ERR_SYS;
	else
		fputs(text, p->conf);
	free(text);
	return e;
}
