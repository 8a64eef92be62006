/*
 * main.c - postern-vault: the one program, and two processes of it, that hold
 * secrets.  Master says which of the two this is.
 *
 *	keys	signer  keyring  key  purpose	signatures for TLS
 *	users	accounts  hash			passwords of the edges' users
 *
 * They share this file and nothing else: each is a process of its own, under a
 * user of its own, and sees only its own files.
 */
#include <stddef.h>

#include "bus/boot.h"
#include "vault/role.h"

static const struct vault_role *const parts[] = { &role_keys, &role_users };

static const struct vault_role *mine;	/* NULL until master has said	*/

static void
peer(struct boot *b, int fd, const struct link_peer *p, void *arg)
{
	mine->calls.peer(b, fd, p, arg);
}

static void
peer_gone(struct boot *b, uint32_t no, void *arg)
{
	if (mine->calls.peer_gone != NULL)
		mine->calls.peer_gone(b, no, arg);
}

static enum err
reload(struct boot *b, struct span slice, void *arg)
{
	return mine->calls.reload(b, slice, arg);
}

static void
drain(struct boot *b, uint32_t patience_ms, void *arg)
{
	mine->calls.drain(b, patience_ms, arg);
}

static const struct boot_calls calls = {
	.peer = peer, .peer_gone = peer_gone, .reload = reload, .drain = drain,
};

static const struct vault_role *
find_part(enum role role)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i]->role == role)
			return parts[i];
	boot_fatal("master gave the vault no part of its own", 0);
}

int
main(int argc, char **argv)
{
	struct boot *b = boot_start(argc, argv, &calls, NULL);
	int status;

	mine = find_part(boot_self(b)->role);
	mine->open(b);
	boot_seal(b);
	if (mine->begin != NULL)
		mine->begin(b);
	status = boot_run(b);
	if (mine->end != NULL)
		mine->end();
	return status;
}
