/*
 * postfix_queue.c - the queue's block.  Relays are written aside, for its
 * routes, which come first, name them.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/tool/import/postfix_queue.h"
#include "ctl/tool/import/table.h"

#define SPOOL	"/var/spool/postfix/"

static bool
is_yes(struct job *p, const char *name)
{
	char *value = job_get(p, name, "no");
	bool yes = value != NULL && strcasecmp(value, "yes") == 0;

	free(value);
	return yes;
}

/* Postfix's 5d and 4000s are ours as well; a bare number has a unit there. */
static void
copy_time(struct job *p, const char *name, const char *as,
    const char *unit)
{
	char *value = job_get(p, name, NULL);

	if (value != NULL && *value != '\0')
		fprintf(p->conf, "\t\t%s %s%s\n", as, value,
		    strspn(value, "0123456789") == strlen(value) ? unit : "");
	free(value);
}

/* [host]:port of Postfix as host and port of ours. */
static void
write_hop(struct job *p, const char *hop)
{
	bool is_bare = hop[0] == '[';
	size_t len = is_bare ? strcspn(hop, "]") : strcspn(hop, ":");
	const char *rest = hop + len + (hop[len] == ']');

	fprintf(p->relays, "\thost %.*s\n", (int)(len - is_bare),
	    hop + is_bare);
	if (rest[0] != ':')
		return;
	if (strcmp(rest + 1, "smtps") == 0 || strcmp(rest + 1, "465") == 0)
		fprintf(p->relays, "\tport 465\n\ttls_immediately yes\n");
	else
		fprintf(p->relays, "\tport %s\n", strcmp(rest + 1,
		    "submission") == 0 ? "587" : strcmp(rest + 1, "smtp") == 0 ?
		    "25" : rest + 1);
}

static const char *
security_of(const char *level)
{
	return strcasecmp(level, "none") == 0 ? "off" :
	    strcasecmp(level, "may") == 0 ? "opportunistic" :
	    strcasecmp(level, "encrypt") == 0 ? "required" :
	    strcasecmp(level, "verify") == 0 ||
	    strcasecmp(level, "secure") == 0 ? "verified" : NULL;
}

static void
write_security(struct job *p)
{
	char *level = job_get(p, "smtp_tls_security_level", NULL);
	const char *word = level != NULL ? security_of(level) : NULL;

	if (word != NULL)
		fprintf(p->relays, "\ttls { security %s }\n", word);
	else if (level != NULL && *level != '\0' &&
	    strncasecmp(level, "dane", 4) != 0)
		job_note(p, "smtp_tls_security_level", level,
		    "security in tls of a relay");
	free(level);
}

struct login {
	const char	*hop;
	bool		 found;
};

static void
find_login(struct job *p, char *key, char *value, void *arg)
{
	struct login *l = arg;
	size_t user = strcspn(value, ":");

	if (l->found || value[user] == '\0' || strcasecmp(key, l->hop) != 0)
		return;
	l->found = true;
	value[user] = '\0';
	fprintf(p->relays, "\tcredentials {\n\t\tusername \"%s\"\n"
	    "\t\tpassword_file \"%s/smarthost.password\"\n\t}\n", value, p->to);
	fprintf(p->password, "%s\n", value + user + 1);
	p->has_password = true;
}

static void
write_login(struct job *p, const char *hop)
{
	struct login l = { hop, false };
	char *maps = job_get(p, "smtp_sasl_password_maps", NULL);

	if (maps != NULL && is_yes(p, "smtp_sasl_auth_enable")) {
		table_each(p, "smtp_sasl_password_maps", maps, find_login, &l);
		if (!l.found)
			job_note(p, "smtp_sasl_password_maps", maps,
			    "no login for the relayhost is in it");
	}
	free(main_cf_get(&p->given, "smtp_sasl_security_options"));
	free(main_cf_get(&p->given, "smtp_tls_CAfile"));
	free(maps);
}

/* All that no route matches. */
static void
write_way_out(struct job *p)
{
	char *hop = job_get(p, "relayhost", "");
	char *value;

	if (hop != NULL && *hop != '\0') {
		/* What was asked for by host alone is port 25's. */
		fprintf(p->conf, "\trelay smarthost\n");
		fprintf(p->relays, "relay smarthost {\n\ttype static\n");
		write_hop(p, hop);
		if (hop[0] != '[')
			job_note(p, "relayhost", hop, "Postfix looks up "
			    "MX hosts of this name; here it is a host");
		write_login(p, hop);
	} else {
		fprintf(p->conf, "\trelay internet\n");
		fprintf(p->relays, "relay internet {\n\ttype mx\n");
	}
	value = job_get(p, "smtp_bind_address", NULL);
	if (value != NULL && *value != '\0')
		fprintf(p->relays, "\tsource %s\n", value);
	free(value);
	value = job_get(p, "smtp_helo_name", NULL);
	if (value != NULL && *value != '\0')
		fprintf(p->relays, "\tehlo_as %s\n", value);
	free(value);
	write_security(p);
	fprintf(p->relays, "}\n");
	free(hop);
}

/* lmtp:unix:private/dovecot-lmtp, lmtp:[127.0.0.1]:24; false: another. */
static bool
write_lmtp(struct job *p, const char *transport, const char *name)
{
	const char *hop = transport + 5;

	if (strncmp(transport, "lmtp:", 5) != 0 || *hop == '\0')
		return false;
	fprintf(p->relays, "relay %s {\n\ttype lmtp\n", name);
	if (strncmp(hop, "unix:", 5) == 0)
		fprintf(p->relays, "\tpath %s%s\n", hop[5] == '/' ? "" : SPOOL,
		    hop + 5);
	else
		write_hop(p, strncmp(hop, "inet:", 5) == 0 ? hop + 5 : hop);
	fprintf(p->relays, "}\n\n");
	return true;
}

/* Those who are here. */
static void
write_local(struct job *p)
{
	char *transport = job_get(p, "mailbox_transport", "");
	char *box = job_get(p, "home_mailbox", "");
	char *spool = job_get(p, "mail_spool_directory", "/var/mail");

	fprintf(p->conf, "\troute to local relay users\n");
	if (transport != NULL && *transport != '\0' &&
	    !write_lmtp(p, transport, "users"))
		job_note(p, "mailbox_transport", transport,
		    "a relay of that type, in place of relay users");
	if (transport == NULL || strncmp(transport, "lmtp:", 5) != 0) {
		if (box != NULL && *box != '\0')
			fprintf(p->relays, "relay users { type local; "
			    "path \"~/%s\" }\n\n", box);
		else
			fprintf(p->relays, "relay users { type local; "
			    "path \"%s/{user}\" }\n\n",
			    spool != NULL ? spool : "/var/mail");
	}
	free(transport);
	free(box);
	free(spool);
}

static void
write_virtual_mailboxes(struct job *p)
{
	char *list = job_get(p, "virtual_mailbox_domains", "");
	char *transport = job_get(p, "virtual_transport", "virtual");
	struct span rest = span_of(list != NULL ? list : ""), word;

	if (list == NULL || *list == '\0' || transport == NULL)
		;
	else if (!write_lmtp(p, transport, "mailboxes"))
		job_note(p, "virtual_mailbox_domains", list,
		    "a relay of type lmtp or maildir, and a route to it");
	else while (main_cf_word(&rest, &word))
		if (span_find(word, ':') < word.len || word.ptr[0] == '/')
			job_note(p, "virtual_mailbox_domains", list,
			    "a route to @DOMAIN relay mailboxes for each");
		else
			fprintf(p->conf, "\troute to @%.*s relay mailboxes\n",
			    (int)word.len, word.ptr);
	free(list);
	free(transport);
}

/* One line of transport(5). */
static void
take_transport(struct job *p, char *key, char *value, void *arg)
{
	char name[32], *hop = strchr(value, ':');
	bool sub = key[0] == '.';

	if (hop == NULL || strchr(key, '@') != NULL || strcmp(key, "*") == 0) {
		job_note(p, "transport_maps", key, "a route of the queue");
		return;
	}
	snprintf(name, sizeof(name), "hop%u", p->relay_cnt + 1);
	if (strncmp(value, "lmtp:", 5) == 0 && hop[1] != '\0')
		(void)write_lmtp(p, value, name);
	else if ((strncmp(value, "smtp:", 5) == 0 ||
	    strncmp(value, "relay:", 6) == 0) && hop[1] != '\0') {
		fprintf(p->relays, "relay %s {\n\ttype static\n", name);
		write_hop(p, hop + 1);
		fprintf(p->relays, "}\n\n");
	} else {
		if (strcmp(value, "local:") != 0 && strcmp(value, ":") != 0)
			job_note(p, "transport_maps", key,
			    "a route of the queue");
		return;
	}
	p->relay_cnt++;
	fprintf(p->conf, "\troute to @%s%s relay %s\n", sub ? "." : "",
	    key + sub, name);
}

static void
take_virtual(struct job *p, char *key, char *value, void *arg)
{
	if (strchr(key, '@') == NULL && strchr(value, '@') == NULL &&
	    strchr(key, '.') != NULL)
		return;		/* "domain anything": a domain of such */
	fprintf(p->virtual, "%s: %s\n", key, value);
	p->has_virtual = true;
}

static void
write_aliases(struct job *p)
{
	char *own = job_get(p, "alias_maps", "hash:/etc/aliases");
	char *virtual = job_get(p, "virtual_alias_maps", NULL);
	struct span rest = span_of(own != NULL ? own : ""), word;

	if (virtual == NULL)
		virtual = job_get(p, "virtual_maps", NULL);
	if (virtual != NULL)
		table_each(p, "virtual_alias_maps", virtual, take_virtual,
		    NULL);
	if (p->has_virtual)
		fprintf(p->conf, "\taliases \"%s/virtual\"\n", p->to);
	while (main_cf_word(&rest, &word)) {
		char *copy = strndup(word.ptr, word.len);
		const char *path = copy == NULL ? NULL : table_path(copy);

		if (path != NULL)
			fprintf(p->conf, "\taliases \"%s\"\n", path);
		else if (copy != NULL)
			job_note(p, "alias_maps", copy,
			    "a file in the form of aliases");
		free(copy);
	}
	free(own);
	free(virtual);
}

/* generic(5): what of this host goes out as what. */
static void
take_generic(struct job *p, char *key, char *value, void *arg)
{
	const char *domain = strchr(key, '@') == NULL ? p->hostname : "";

	fprintf(p->conf, "\t\tsender_map %s%s%s %s\n", key,
	    domain[0] != '\0' ? "@" : "", domain, value);
}

static void
write_policies(struct job *p)
{
	char *maps = job_get(p, "smtp_generic_maps", NULL);

	fprintf(p->conf, "\tpolicies {\n\t\tadd_date_header yes\n"
	    "\t\tadd_message_id_header yes\n\t\tadd_received_header yes\n");
	if (maps != NULL)
		table_each(p, "smtp_generic_maps", maps, take_generic, NULL);
	fprintf(p->conf, "\t}\n");
	free(maps);
}

void
postfix_queue_write(struct job *p)
{
	char *maps = job_get(p, "transport_maps", NULL);

	fprintf(p->conf, "queue main {\n\ttype lmdb\n");
	write_aliases(p);
	job_copy(p, "recipient_delimiter", "recipient_delimiter");
	if (maps != NULL)
		table_each(p, "transport_maps", maps, take_transport, NULL);
	write_virtual_mailboxes(p);
	write_local(p);
	write_way_out(p);
	write_policies(p);
	fprintf(p->conf, "\tretry {\n");
	copy_time(p, "maximal_queue_lifetime", "lifetime", "d");
	copy_time(p, "maximal_backoff_time", "maximum_delay", "s");
	copy_time(p, "delay_warning_time", "warn_after", "h");
	fprintf(p->conf, "\t}\n}\n\n");
	free(maps);
}
