/* keyring.c - a handful of keys, looked through one by one. */
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "conf/slice/slice.h"
#include "vault/keyring.h"

struct entry {
	enum role	 role;		/* EDGE or RELAY		*/
	char		 block[BLOCK_NAME_MAX + 1];
	struct key	*key;
};

struct keyring {
	unsigned	 users;
	unsigned	 cnt;
	struct entry	 entries[];
};

/* The blocks that may have a key, and as what they come to ask. */
static const struct {
	const char	*word;
	enum role	 role;
	enum log_key	 key;
} owners[] = {
	{ "edge", ROLE_EDGE, LOG_KEY_edge },
	{ "relay", ROLE_RELAY, LOG_KEY_relay },
};

#define OWNERS	(sizeof(owners) / sizeof(owners[0]))

static void
complain(unsigned owner, struct span block, struct span file)
{
	struct log_line l;

	log_begin(&l, LOG_trouble);
	log_str(&l, owners[owner].key, block);
	log_str(&l, LOG_KEY_file, file);
	log_text(&l, LOG_KEY_why, key_why());
	log_end(&l);
}

static enum err
add_key(struct keyring *r, unsigned owner, const struct slice *block,
    keyring_file_fn *file, void *arg)
{
	struct slice tls = slice_block(block, "tls", 0);
	struct span name = slice_text(block, "name", 0);
	struct entry *e = &r->entries[r->cnt];
	enum err err;

	if (slice_count(&tls, "keyfile") == 0)
		return OK;
	if (!span_cstr(name, e->block, sizeof(e->block)))
		return ERR_PEER;
	e->role = owners[owner].role;
	err = key_open(&e->key,
	    file((unsigned)slice_num(&tls, "keyfile"), arg),
	    file((unsigned)slice_num(&tls, "certfile"), arg));
	if (err == OK)
		r->cnt++;
	else
		complain(owner, name, slice_text(&tls, "keyfile", 0));
	return err;
}

static enum err
add_keys(struct keyring *r, unsigned owner, const struct slice *file_block,
    keyring_file_fn *file, void *arg)
{
	unsigned cnt = slice_block_count(file_block, owners[owner].word);
	enum err e = OK;

	for (unsigned i = 0; i < cnt && e == OK; i++) {
		struct slice b = slice_block(file_block, owners[owner].word,
		    i);

		e = add_key(r, owner, &b, file, arg);
	}
	return e;
}

enum err
keyring_open(struct keyring **out, struct span bytes, keyring_file_fn *file,
    void *arg)
{
	struct slice block;
	unsigned cnt = 0;
	struct keyring *r;
	enum err e = slice_open(&block, bytes);

	if (e != OK)
		return e;
	for (unsigned i = 0; i < OWNERS; i++)
		cnt += slice_block_count(&block, owners[i].word);
	r = calloc(1, sizeof(*r) + cnt * sizeof(r->entries[0]));
	if (r == NULL)
		return ERR_SYS;
	r->users = 1;
	for (unsigned i = 0; i < OWNERS && e == OK; i++)
		e = add_keys(r, i, &block, file, arg);
	if (e == OK)
		*out = r;
	else
		keyring_release(&r);
	return e;
}

struct keyring *
keyring_share(struct keyring *r)
{
	r->users++;
	return r;
}

void
keyring_release(struct keyring **rp)
{
	struct keyring *r = *rp;

	*rp = NULL;
	if (r == NULL || --r->users > 0)
		return;
	for (unsigned i = 0; i < r->cnt; i++)
		key_free(&r->entries[i].key);
	free(r);
}

unsigned
keyring_cnt(const struct keyring *r)
{
	return r->cnt;
}

const struct key *
keyring_find(const struct keyring *r, enum role role, const char *block,
    struct span id)
{
	for (unsigned i = 0; i < r->cnt; i++) {
		const struct entry *e = &r->entries[i];

		if (e->role == role &&
		    span_eq(span_of(e->block), span_of(block)) &&
		    span_eq((struct span){ (const char *)key_id(e->key),
		    KEY_ID_LEN }, id))
			return e->key;
	}
	return NULL;
}
