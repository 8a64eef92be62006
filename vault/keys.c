/*
 * keys.c - the part that has the private keys of edges' and relays'
 * certificates.
 *
 * They are loaded before the sandbox closes, and on a reload from descriptors
 * that master passes in: this process never opens a file.
 */
#include "base/log.h"
#include "vault/signer.h"
#include "vault/role.h"

static struct {
	struct boot	*boot;
	struct signer	*signer;
} keys;

static int
file_of(unsigned index, void *arg)
{
	return boot_file(arg, index);
}

static void
lost(const struct link_peer *p, enum err why, void *arg)
{
	boot_link_lost(keys.boot, p, why);
}

/* The calls of boot.h. */

static void
peer(struct boot *b, int fd, const struct link_peer *p, void *arg)
{
	enum err e = signer_add(keys.signer, fd, p);

	if (e != OK)
		boot_link_lost(b, p, e);
}

static void
peer_gone(struct boot *b, uint32_t no, void *arg)
{
	signer_drop(keys.signer, no);
}

/* A key that cannot be used leaves all old ones in force. */
static enum err
reload(struct boot *b, struct span slice, void *arg)
{
	struct keyring *ring;
	enum err e = keyring_open(&ring, slice, file_of, b);

	if (e != OK)
		return e;
	signer_set_keyring(keys.signer, ring);
	log_why(LOG_reloaded, "the keys were read anew", 0);
	return OK;
}

/* Every question is answered in the turn it comes in. */
static void
drain(struct boot *b, uint32_t patience_ms, void *arg)
{
	boot_done(b);
}

static void
open_keys(struct boot *b)
{
	struct keyring *ring;

	keys.boot = b;
	if (!key_memory())
		log_why(LOG_trouble, "the keys' memory cannot be locked: "
		    "the kernel may swap it", 0);
	if (keyring_open(&ring, boot_slice(b), file_of, b) != OK)
		boot_fatal("a key cannot be used", 0);
	if (signer_open(&keys.signer, boot_loop(b), ring, lost, NULL) != OK)
		boot_fatal("out of memory", 0);
}

static void
end(void)
{
	signer_close(&keys.signer);
}

const struct vault_role role_keys = {
	.role = ROLE_KEYS, .open = open_keys, .end = end,
	.calls = {
		.peer = peer, .peer_gone = peer_gone, .reload = reload,
		.drain = drain,
	},
};
