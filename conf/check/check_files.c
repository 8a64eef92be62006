/*
 * check_files.c - what processes will be given must be there now: files, keys
 * that belong to their certificates, and places for unix sockets.
 *
 * A secret may be read by its owner and its group (Debian has its keys as
 * 0640 root:ssl-cert), and by nobody else.
 *
 * Roots may be a directory.  It is read here, once: a process in its empty root
 * could not, and a descriptor of a directory would lead it out of there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "conf/check/check.h"

#define DAY_S		86400
#define CERT_LEFT_S	(14 * DAY_S)	/* as posternctl status says it */

/* Of a directory what is there goes to the process, of a file the file. */
static bool
is_good_roots(struct conf *c, struct reading *r, bool is_directory)
{
	struct conf_roots roots = { .bytes = NULL };
	const char *path = r->text.ptr;
	enum err e;

	if (c->opener->roots == NULL)
		return true;
	e = c->opener->roots(c->opener->arg, path, is_directory, &roots);
	if (e == OK && is_directory)
		r->made = arena_copy(&c->arena,
		    (struct span){ roots.bytes, roots.len });
	else if (e == ERR_NONE && is_directory)
		report_add(&c->mistakes, r->place, "there is no certificate "
		    "in the directory %s: they are in files of PEM called "
		    "*.pem, *.crt or *.cer, or as c_rehash calls them", path);
	else if (e == ERR_NONE)
		report_add(&c->mistakes, r->place, "there is no certificate "
		    "in %s: it must be PEM", path);
	else if (e == ERR_FULL)
		report_add(&c->mistakes, r->place, "there is more in %s than "
		    "the %u KiB that can be used", path,
		    CONF_ROOTS_MAX / 1024);
	else if (e != OK)
		report_add(&c->mistakes, r->place, "cannot read %s: %s",
		    roots.culprit, strerror(errno));
	free(roots.bytes);
	return e == OK;
}

/* Why the file will not do; true when it will. */
static bool
is_good_file(struct conf *c, const struct block *b, struct reading *r,
    enum option_type type)
{
	struct conf_look look = { .kind = KIND_NONE };
	const char *path = r->text.ptr;

	if (c->opener->look == NULL)
		return true;
	c->opener->look(c->opener->arg, path, &look);
	if (look.kind == KIND_NONE && (look.error == 0 ||
	    look.error == ENOENT))
		report_add(&c->mistakes, r->place, "there is no file %s%s",
		    path, b->no != BLOCK_USERS ? "" :
		    "; `posternctl user add' makes it");
	else if (look.kind == KIND_DIRECTORY && type == TYPE_ROOTS)
		return is_good_roots(c, r, true);
	else if (look.kind == KIND_DIRECTORY || look.kind == KIND_OTHER)
		report_add(&c->mistakes, r->place, "%s is not a file", path);
	else if (type == TYPE_SECRET && (look.mode & 07) != 0)
		report_add(&c->mistakes, r->place, "%s is a secret, and "
		    "everybody may read it (its mode is %04o): `chmod o= %s'",
		    path, look.mode & 07777, path);
	else if (look.error != 0)
		report_add(&c->mistakes, r->place, "cannot read %s: %s%s",
		    path, strerror(look.error), c->is_root ? "" :
		    "; who may read it, such as root, can check it");
	else
		return type != TYPE_ROOTS || is_good_roots(c, r, false);
	return false;
}

/* Every file of the block and of those within it. */
static void
check_block_files(struct conf *c, struct block *b)
{
	struct block *child;

	for (unsigned i = 0; i < OPTION__COUNT; i++) {
		const struct option_row *row = options_row((enum option_no)i);
		struct setting *s = &b->settings[i];

		if (row->block != b->no || s->cnt == 0 ||
		    (row->type != TYPE_FILE && row->type != TYPE_SECRET &&
		    row->type != TYPE_ROOTS))
			continue;
		if (!is_good_file(c, b, &s->v[0], row->type))
			block_unset(b, (enum option_no)i);
	}
	TAILQ_FOREACH(child, &b->blocks, entry)
		check_block_files(c, child);
}

static const char *
why_no_pair(enum conf_pair pair)
{
	switch (pair) {
	case PAIR_DIFFERS:
		return "this key does not belong to the certificate";
	case PAIR_NO_KEY:
		return "there is no private key in this file: it must be PEM";
	case PAIR_LOCKED:
		return "this key wants a passphrase, which nobody could give";
	case PAIR_STRANGE:
		return "this key is neither RSA of 2048 to 8192 bits nor "
		    "ECDSA on P-256 or P-384";
	default:
		return "whether key and certificate belong together cannot "
		    "be found out";
	}
}

/* What it says of itself is believed by whoever is shown it. */
static void
check_use(struct conf *c, const struct reading *cert, bool is_client)
{
	if (c->opener->suits == NULL ||
	    c->opener->suits(c->opener->arg, cert->text.ptr, is_client))
		return;
	report_warn(&c->mistakes, cert->place, "this certificate is not for "
	    "%s: it says so itself (extendedKeyUsage, keyUsage), and %s will "
	    "refuse it", is_client ? "clients" : "servers",
	    is_client ? "next hops" : "clients");
}

/* Not worth refusing a start for: mail without TLS is better than none. */
static void
check_end(struct conf *c, const struct reading *cert)
{
	int64_t left_s;

	if (c->opener->left == NULL)
		return;
	left_s = c->opener->left(c->opener->arg, cert->text.ptr);
	if (left_s <= 0)
		report_warn(&c->mistakes, cert->place,
		    "this certificate has ended");
	else if (left_s < CERT_LEFT_S)
		report_warn(&c->mistakes, cert->place, "this certificate ends "
		    "in %d day%s", (int)(left_s / DAY_S),
		    left_s / DAY_S == 1 ? "" : "s");
}

/* A client that looks at names refuses it; one that does not does not mind. */
static void
check_host(struct conf *c, const struct reading *cert, struct span name)
{
	char host[DOMAIN_MAX + 1];

	if (c->opener->names == NULL || !span_cstr(name, host, sizeof(host)) ||
	    host[0] == '\0' ||
	    c->opener->names(c->opener->arg, cert->text.ptr, host))
		return;
	report_warn(&c->mistakes, cert->place, "this certificate is not for "
	    "%s, the hostname of this edge", host);
}

/*
 * What was no good file has been reported and taken away.  host: whom those
 * that connect to us want to find; "" where we are the client.
 */
static void
check_pair(struct conf *c, const struct setting *cert,
    const struct setting *key, struct span host, bool is_client)
{
	enum conf_pair pair;

	if (c->opener->pair == NULL || cert->cnt == 0 || key->cnt == 0)
		return;
	pair = c->opener->pair(c->opener->arg, cert->v[0].text.ptr,
	    key->v[0].text.ptr);
	if (pair == PAIR_FITS) {
		check_use(c, &cert->v[0], is_client);
		check_end(c, &cert->v[0]);
		check_host(c, &cert->v[0], host);
		return;
	}
	if (pair == PAIR_NO_CERT) {
		report_add(&c->mistakes, cert->v[0].place, "there is no "
		    "certificate in this file: it must be PEM, and that of "
		    "this server must come first");
		return;
	}
	report_add(&c->mistakes, key->v[0].place, "%s", why_no_pair(pair));
	if (pair == PAIR_DIFFERS)
		report_note(&c->mistakes, cert->v[0].place,
		    "the certificate is here");
}

/* Does a listener before this one have its path? */
static void
check_same_path(struct conf *c, const struct block *last, struct span path)
{
	const struct block *e, *l;

	TAILQ_FOREACH(e, &c->top->blocks, entry) {
		if (e->no != BLOCK_EDGE)
			continue;
		TAILQ_FOREACH(l, &e->blocks, entry) {
			if (l == last)
				return;
			if (l->no != BLOCK_LISTENER || !span_eq(path,
			    block_text(l, OPTION_LISTENER_path)))
				continue;
			report_add(&c->mistakes, last->settings[
			    OPTION_LISTENER_path].v[0].place,
			    "another listener has this path: that of %s",
			    block_words(c, e));
			report_note(&c->mistakes, l->place, "it is here");
			return;
		}
	}
}

/* A path in place of interface and port, where nothing else stands. */
static void
check_listener(struct conf *c, struct block *l, struct span control)
{
	static const enum option_no others[] = { OPTION_LISTENER_interface,
	    OPTION_LISTENER_port };
	const struct setting *s = &l->settings[OPTION_LISTENER_path];
	enum conf_kind kind;

	if (!s->given)
		return;
	for (unsigned i = 0; i < 2; i++) {
		if (l->settings[others[i]].given) {
			report_add(&c->mistakes, l->settings[others[i]].place,
			    "there is a path: %s has no meaning beside it",
			    options_row(others[i])->name);
			report_note(&c->mistakes, s->place,
			    "the path is here");
		}
		block_unset(l, others[i]);
	}
	if (s->cnt == 0)
		return;
	check_same_path(c, l, s->v[0].text);
	if (span_eq(s->v[0].text, control))
		report_add(&c->mistakes, s->v[0].place,
		    "posternctl is answered at this path");
	if (c->opener->kind == NULL)
		return;
	kind = c->opener->kind(c->opener->arg, s->v[0].text.ptr);
	if (kind == KIND_FILE || kind == KIND_DIRECTORY)
		report_add(&c->mistakes, s->v[0].place,
		    "there is something else than a socket at this path");
}

/* Where posternctl is answered: control in run_dir. */
static struct span
control_path(struct conf *c)
{
	const struct setting *dir =
	    &c->process->settings[OPTION_PROCESS_run_dir];
	struct span path;

	if (dir->cnt == 0)
		return SPAN("");
	path = arena_join(&c->arena, dir->v[0].text, SPAN("/control"));
	if (path.len >= PLAN_SOCKET_MAX)
		report_add(&c->mistakes, dir->v[0].place, "run_dir is at most "
		    "%u bytes long, since sockets stand in it",
		    PLAN_SOCKET_MAX - 1 - (unsigned)sizeof("/control") + 1);
	return path;
}

static void
check_edge_files(struct conf *c, const struct block *e, struct span control)
{
	struct block *child;

	TAILQ_FOREACH(child, &e->blocks, entry)
		if (child->no == BLOCK_LISTENER)
			check_listener(c, child, control);
		else if (child->no == BLOCK_EDGE_TLS)
			check_pair(c,
			    &child->settings[OPTION_EDGE_TLS_certfile],
			    &child->settings[OPTION_EDGE_TLS_keyfile],
			    block_text(e, OPTION_EDGE_hostname), false);
}

void
check_files(struct conf *c)
{
	struct span control = control_path(c);
	const struct block *b, *tls;

	check_block_files(c, c->top);
	TAILQ_FOREACH(b, &c->top->blocks, entry) {
		if (b->no == BLOCK_EDGE)
			check_edge_files(c, b, control);
		else if (b->no == BLOCK_RELAY &&
		    (tls = block_nth(b, BLOCK_RELAY_TLS, 0)) != NULL)
			check_pair(c,
			    &tls->settings[OPTION_RELAY_TLS_certfile],
			    &tls->settings[OPTION_RELAY_TLS_keyfile],
			    SPAN(""), true);
	}
}
