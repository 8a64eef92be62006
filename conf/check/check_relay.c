/*
 * check_relay.c - what the options of a relay mean together.
 *
 * What has no meaning is taken away here, so that no slice has it: host and
 * port where there is a path, roots where nothing is verified.
 */
#include <string.h>

#include "conf/check/check.h"
#include "conf/read/path.h"
#include "http/http_chars.h"
#include "http/http_url.h"

#define AGENT_WORDS	5	/* of a local delivery agent: its name, -f
				 * SENDER and -d RECIPIENT		*/
#define NAME_WORDS	4	/* names of the user to run it as	*/

/* A number of users is for who runs as them. */
static void
check_least(struct conf *c, const struct block *b)
{
	const struct setting *s = &b->settings[OPTION_RELAY_minimum_uid];

	if (s->given && !block_as_recipient(b))
		report_add(&c->mistakes, s->place, "minimum_uid has no meaning "
		    "without `user " KIND_RECIPIENT "'");
}

/* The user of the block, where it matters. */
static void
check_owner(struct conf *c, struct block *b, const char *not_root)
{
	const struct setting *user = &b->settings[OPTION_RELAY_user];

	if (!c->is_root)
		return;
	if (!user->given) {
		report_add(&c->mistakes, b->name_place,
		    "%s needs `user' where postern is started as root",
		    block_words(c, b));
		return;
	}
	if (user->cnt == 0 || block_as_recipient(b))
		return;
	if (!check_user(c, user->v[0].text, &b->uid, &b->gid))
		report_add(&c->mistakes, user->v[0].place,
		    "this host has no user `%.*s'",
		    report_len(user->v[0].text), user->v[0].text.ptr);
	else if (b->uid == 0 || b->gid == 0)
		report_add(&c->mistakes, user->v[0].place, "%s as root",
		    not_root);
}

static void
check_maildir(struct conf *c, struct block *b)
{
	const struct setting *folder = &b->settings[OPTION_RELAY_detail_folder];
	const struct setting *path = &b->settings[OPTION_RELAY_path];

	if (path->cnt > 0)
		check_directory(c, path_fixed_head(path->v[0].text),
		    path->v[0].place);
	if (folder->cnt > 0 && !span_eq(folder->v[0].text, SPAN("no")) &&
	    !b->settings[OPTION_RELAY_recipient_delimiter].given)
		report_add(&c->mistakes, folder->place, "addresses have no "
		    "detail without recipient_delimiter");
	check_owner(c, b, "a Maildir is not written");
}

/* The program must be there, and be one. */
static void
check_program(struct conf *c, const struct reading *r, const char *what)
{
	struct conf_look look = { .kind = KIND_NONE };
	char path[PLAN_PATH_MAX];

	if (!span_begins(r->text, SPAN("/")) ||
	    span_find(r->text, '{') < r->text.len) {
		report_add(&c->mistakes, r->place, "%s: a path that begins "
		    "with `/', without braces", what);
		return;
	}
	if (c->opener->look == NULL || !span_cstr(r->text, path, sizeof(path)))
		return;
	c->opener->look(c->opener->arg, path, &look);
	if (look.kind == KIND_NONE)
		report_add(&c->mistakes, r->place, "there is no program %s",
		    path);
	else if (look.kind != KIND_FILE || (look.mode & 0111) == 0)
		report_add(&c->mistakes, r->place, "%s is not a program",
		    path);
}

/* Own: words that it is given besides. */
static void
check_words(struct conf *c, const struct block *b,
    const struct setting *words, unsigned own)
{
	if (block_as_recipient(b))
		own += NAME_WORDS;
	if (words->cnt + own > PROGRAM_ARGS_MAX)
		report_add(&c->mistakes, words->place, "a program is started "
		    "with at most %u words, and these are %u",
		    PROGRAM_ARGS_MAX - own, words->cnt);
}

static void
check_pipe(struct conf *c, struct block *b)
{
	const struct setting *args = &b->settings[OPTION_RELAY_args];

	if (args->cnt > 0)
		check_program(c, &args->v[0], "the first of args is the "
		    "program");
	check_words(c, b, args, 0);
	check_least(c, b);
	check_owner(c, b, "no program is run");
}

/* The first program of this name in these directories, or empty. */
static struct span
find_program(struct conf *c, struct span dirs, const char *name)
{
	while (dirs.len > 0) {
		struct conf_look look = { .kind = KIND_NONE };
		struct span dir = span_head(dirs, span_find(dirs, ':'));
		const char *path = arena_print(&c->arena, "%.*s/%s",
		    (int)dir.len, dir.ptr, name);

		dirs = span_tail(dirs, dir.len < dirs.len ? dir.len + 1 :
		    dir.len);
		if (!span_begins(dir, SPAN("/")) ||
		    dir.len + strlen(name) + 2 > PLAN_PATH_MAX)
			continue;
		c->opener->look(c->opener->arg, path, &look);
		if (look.kind == KIND_FILE && (look.mode & 0111) != 0)
			return span_of(path);
	}
	return SPAN("");
}

/* A local delivery agent: its program is looked for, if it is not named. */
static void
check_agent(struct conf *c, struct block *b, const char *name)
{
	static const char places[] = "/usr/local/bin:/usr/bin:"
	    "/usr/lib/dovecot:/usr/libexec/dovecot";
	const struct setting *path = &b->settings[OPTION_RELAY_path_program];
	struct span found;

	check_words(c, b, &b->settings[OPTION_RELAY_extra_args], AGENT_WORDS);
	check_least(c, b);
	check_owner(c, b, "no program is run");
	if (path->given) {
		if (path->cnt > 0)
			check_program(c, &path->v[0], "it is the program");
		return;
	}
	if (c->opener->look == NULL)
		return;
	found = find_program(c, span_of(c->host->path == NULL ? "" :
	    c->host->path), name);
	if (found.len == 0)
		found = find_program(c, span_of(places), name);
	if (found.len == 0)
		report_add(&c->mistakes, b->name_place, "there is no program "
		    "%s in PATH nor where Debian has it; say where it is with "
		    "`path', or install it", name);
	else
		block_set(c, b, OPTION_RELAY_path_program, found, 0);
}

static void
check_maildrop(struct conf *c, struct block *b)
{
	check_agent(c, b, "maildrop");
}

static void
check_dovecot(struct conf *c, struct block *b)
{
	check_agent(c, b, "dovecot-lda");
}

static bool
has_user(struct span path)
{
	for (; path.len > 0; path = span_tail(path, 1))
		if (span_begins(path, SPAN("{user}")))
			return true;
	return false;
}

/* Behind the slash that the path begins with, or that behind the ~. */
static bool
has_odd_part(struct span path)
{
	struct span part;
	size_t len;

	path = span_tail(path, span_find(path, '/') + 1);
	while (path.len > 0) {
		len = span_find(path, '/');
		part = span_head(path, len);
		path = span_tail(path, len < path.len ? len + 1 : len);
		if (part.len == 0 || span_eq(part, SPAN(".")) ||
		    span_eq(part, SPAN("..")))
			return true;
		for (; part.len > 0; part = span_tail(part, 1)) {
			if (span_begins(part, SPAN("{user}")))
				part = span_tail(part, 5);
			else if (part.ptr[0] == '{' || part.ptr[0] == '}')
				return true;
		}
	}
	return false;
}

/* A file or, with a slash at its end, a Maildir; of the host or of the user. */
static void
check_local(struct conf *c, struct block *b)
{
	const struct setting *s = &b->settings[OPTION_RELAY_path_local];
	struct span path;

	if (s->cnt == 0)
		return;
	path = s->v[0].text;
	if (!span_begins(path, SPAN("/")) && !span_begins(path, SPAN("~/")))
		report_add(&c->mistakes, s->v[0].place, "a path that begins "
		    "with `/', or with `~/' for what is in the user's home");
	else if (path.ptr[0] == '/' && !has_user(path))
		report_add(&c->mistakes, s->v[0].place, "all users would have "
		    "one mailbox: the path must have {user} in it");
	else if (path.len == 2 || has_odd_part(path))
		report_add(&c->mistakes, s->v[0].place, "no part of the path "
		    "may be empty, `.' or `..', nor have another brace than "
		    "{user}");
	else if (path.len > PLAN_PATH_MAX / 2)
		report_add(&c->mistakes, s->v[0].place, "the path is too "
		    "long");
}

static void
check_nothing(struct conf *c, struct block *b)
{
}

/* The name of a field, or a method. */
static void
check_token(struct conf *c, struct block *b, enum option_no no)
{
	const struct setting *s = &b->settings[no];

	if (s->cnt > 0 && (!http_chars_all_token(s->v[0].text) ||
	    s->v[0].text.len > 60))
		report_add(&c->mistakes, s->v[0].place, "%s: up to 60 letters, "
		    "digits and hyphens", options_row(no)->name);
}

/* The scheme says whether TLS is spoken, where the tls block does not. */
static void
settle_security(struct conf *c, struct block *b, const struct http_url *url)
{
	struct block *tls = block_nth(b, BLOCK_RELAY_TLS, 0);
	struct setting *s;
	struct span word;

	if (tls == NULL)
		return;
	s = &tls->settings[OPTION_RELAY_TLS_security];
	word = block_text(tls, OPTION_RELAY_TLS_security);
	if (!s->given)
		block_set(c, tls, OPTION_RELAY_TLS_security,
		    url->is_https ? SPAN("verified") : SPAN("off"), 0);
	else if (span_eq(word, SPAN("opportunistic")))
		report_add(&c->mistakes, s->place, "nothing offers TLS before "
		    "a request: give `security off', `required' or "
		    "`verified', or leave it to the url");
	else if (url->is_https && span_eq(word, SPAN("off")))
		report_warn(&c->mistakes, s->place, "security is off, so "
		    "requests go in the clear, though the url begins with "
		    "https");
}

static void
check_url(struct conf *c, struct block *b)
{
	static const enum option_no tokens[] = { OPTION_RELAY_ehlo_header,
	    OPTION_RELAY_sender_header, OPTION_RELAY_recipient_header,
	    OPTION_RELAY_method };
	const struct setting *s = &b->settings[OPTION_RELAY_url];
	const struct block *login = block_nth(b, BLOCK_CREDENTIALS, 0);
	struct http_url url;
	const char *why;

	for (unsigned i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		check_token(c, b, tokens[i]);
	if (login != NULL && span_find(block_text(login,
	    OPTION_CREDENTIALS_username), ':') < block_text(login,
	    OPTION_CREDENTIALS_username).len)
		report_add(&c->mistakes, login->place, "a username with a "
		    "colon cannot log in by HTTP");
	if (s->cnt == 0)
		return;
	if ((why = http_url_read(s->v[0].text, &url)) != NULL)
		report_add(&c->mistakes, s->v[0].place, "url: %s", why);
	else
		settle_security(c, b, &url);
}

/* A path in place of host and port. */
static void
check_lmtp(struct conf *c, struct block *b)
{
	static const enum option_no others[] = { OPTION_RELAY_host_lmtp,
	    OPTION_RELAY_port_lmtp };
	const struct setting *path = &b->settings[OPTION_RELAY_path_lmtp];

	if (!path->given)
		return;
	for (unsigned i = 0; i < 2; i++) {
		if (b->settings[others[i]].given) {
			report_add(&c->mistakes, b->settings[others[i]].place,
			    "there is a path: %s has no meaning beside it",
			    options_row(others[i])->name);
			report_note(&c->mistakes, path->place,
			    "the path is here");
		}
		block_unset(b, others[i]);
	}
}

/* Does what is said to the next hop stay on this host? */
static bool
stays_here(const struct block *b)
{
	const struct setting *host = &b->settings[block_lacks(b,
	    options_row(OPTION_RELAY_host)->kinds) ? OPTION_RELAY_host_lmtp :
	    OPTION_RELAY_host];
	const struct setting *url = &b->settings[OPTION_RELAY_url];
	struct http_url u;
	struct net n;

	if (b->settings[OPTION_RELAY_path_lmtp].given)
		return true;
	if (url->cnt > 0 && http_url_read(url->v[0].text, &u) == NULL)
		return span_eq_nocase(u.host, SPAN("localhost")) ||
		    (net_read_address(u.host, &n) && net_is_loopback(&n));
	return host->cnt == 0 || (host->v[0].net.family != 0 &&
	    net_is_loopback(&host->v[0].net)) ||
	    span_eq_nocase(host->v[0].text, SPAN("localhost"));
}

/* Is TLS never spoken by this relay? */
static bool
is_clear(const struct block *b, struct span security)
{
	if (block_num(b, OPTION_RELAY_tls_immediately) != 0)
		return false;
	return span_eq(security, SPAN("off")) ||
	    (span_eq(security, SPAN("opportunistic")) &&
	    b->settings[OPTION_RELAY_path_lmtp].given);
}

/* A certificate of ours and its key: both, and somebody to show it to. */
static void
check_certificate(struct conf *c, const struct block *b, struct block *tls,
    struct span security)
{
	static const enum option_no nos[] = { OPTION_RELAY_TLS_certfile,
	    OPTION_RELAY_TLS_keyfile };
	const struct setting *cert = &tls->settings[nos[0]];
	const struct setting *key = &tls->settings[nos[1]];

	if (cert->given != key->given)
		report_add(&c->mistakes, cert->given ? cert->place :
		    key->place, "%s without %s: a certificate and its key "
		    "stand together", options_row(nos[key->given])->name,
		    options_row(nos[cert->given])->name);
	if (!cert->given || !is_clear(b, security))
		return;
	report_warn(&c->mistakes, cert->place, "TLS is not spoken by this "
	    "relay, so nobody is shown its certificate: give `security "
	    "required', or `verified'");
	for (unsigned i = 0; i < 2; i++)
		block_unset(tls, nos[i]);
}

static void
check_secrecy(struct conf *c, struct block *b)
{
	const struct block *login = block_nth(b, BLOCK_CREDENTIALS, 0);
	const struct setting *now =
	    &b->settings[OPTION_RELAY_tls_immediately];
	struct block *tls = block_nth(b, BLOCK_RELAY_TLS, 0);
	struct span security;

	if (tls == NULL)
		return;
	security = block_text(tls, OPTION_RELAY_TLS_security);
	if (!span_eq(security, SPAN("verified")))
		block_unset(tls, OPTION_RELAY_TLS_ca_certs);
	check_certificate(c, b, tls, security);
	if (block_num(b, OPTION_RELAY_tls_immediately) != 0) {
		if (span_eq(security, SPAN("off")))
			report_add(&c->mistakes, now->v[0].place,
			    "tls_immediately, and yet security is off");
		return;
	}
	if (login != NULL && !stays_here(b) &&
	    (span_eq(security, SPAN("off")) ||
	    span_eq(security, SPAN("opportunistic"))))
		report_add(&c->mistakes, login->place, "the password would "
		    "cross the network in the clear: give `tls { security "
		    "required }', or better `verified', or tls_immediately");
}

/* One setting leaves only IPv4, or IPv6; here is one that leaves no address. */
static void
check_family(struct conf *c, const struct block *b, enum option_no no,
    const struct setting *only, unsigned family)
{
	const struct setting *s = &b->settings[no];

	for (unsigned i = 0; i < s->cnt; i++)
		if (s->v[i].net.family == 0 || s->v[i].net.family == family)
			return;
	if (s->cnt == 0)
		return;
	report_add(&c->mistakes, s->v[0].place, "%s is no IPv%u address, and "
	    "the relay connects by nothing else", options_row(no)->name,
	    family);
	report_note(&c->mistakes, only->place, "as is said here");
}

/* What a source's family leaves out is easily overlooked. */
static void
check_sources(struct conf *c, const struct setting *s)
{
	unsigned family = s->cnt > 0 ? s->v[0].net.family : 0;

	for (unsigned i = 0; i < s->cnt; i++)
		if (s->v[i].net.family != family)
			return;
	if (s->cnt > 0)
		report_warn(&c->mistakes, s->v[0].place, "source has IPv%u "
		    "addresses only: hosts that have none of that family are "
		    "not connected to; if that is meant, say `ipv%u_only yes'",
		    family, family);
}

static void
check_families(struct conf *c, const struct block *b)
{
	static const enum option_no named[] = { OPTION_RELAY_source,
	    OPTION_RELAY_host, OPTION_RELAY_host_lmtp };
	const struct setting *v4 = &b->settings[OPTION_RELAY_ipv4_only];
	const struct setting *v6 = &b->settings[OPTION_RELAY_ipv6_only];
	bool only4 = block_num(b, OPTION_RELAY_ipv4_only) != 0;
	bool only6 = block_num(b, OPTION_RELAY_ipv6_only) != 0;

	if (only4 && only6) {
		report_add(&c->mistakes, v6->place,
		    "ipv4_only and ipv6_only together leave nothing");
		report_note(&c->mistakes, v4->place, "the other is here");
	} else if (only4 || only6) {
		for (unsigned i = 0; i < 3; i++)
			check_family(c, b, named[i], only4 ? v4 : v6,
			    only4 ? 4 : 6);
	} else {
		check_sources(c, &b->settings[OPTION_RELAY_source]);
	}
}

static const struct {
	const char	*word;
	void		(*check)(struct conf *, struct block *);
} by_kind[] = {
#define KIND(word, role, reach, facts, slots, check, by)		\
	{ #word, check_##check },
#include "conf/kinds.def"
};

void
check_relay(struct conf *c, struct block *b)
{
	for (size_t i = 0; i < sizeof(by_kind) / sizeof(by_kind[0]); i++)
		if (block_is(b, by_kind[i].word))
			by_kind[i].check(c, b);
	check_secrecy(c, b);
	check_families(c, b);
}
