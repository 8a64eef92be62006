/* ring.c - a handful of keys, looked through one by one. */
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "conf/slice.h"
#include "vault/ring.h"

struct entry {
	char		 edge[BLOCK_NAME_MAX + 1];
	struct key	*key;
};

struct ring {
	unsigned	 users;
	unsigned	 cnt;
	struct entry	 entries[];
};

static void
complain(struct span edge, struct span file)
{
	struct log_line l;

	log_begin(&l, LOG_trouble);
	log_str(&l, LOG_KEY_edge, edge);
	log_str(&l, LOG_KEY_file, file);
	log_text(&l, LOG_KEY_why, key_why());
	log_end(&l);
}

static enum err
add_edge(struct ring *r, const struct slice *edge, ring_file_fn *file,
    void *arg)
{
	struct slice tls = slice_block(edge, "tls", 0);
	struct span name = slice_text(edge, "name", 0);
	struct entry *e = &r->entries[r->cnt];
	enum err err;

	if (!span_cstr(name, e->edge, sizeof(e->edge)))
		return ERR_PEER;
	err = key_open(&e->key,
	    file((unsigned)slice_num(&tls, "keyfile"), arg),
	    file((unsigned)slice_num(&tls, "certfile"), arg));
	if (err == OK)
		r->cnt++;
	else
		complain(name, slice_text(&tls, "keyfile", 0));
	return err;
}

enum err
ring_open(struct ring **out, struct span bytes, ring_file_fn *file, void *arg)
{
	struct slice block, edge;
	unsigned cnt;
	struct ring *r;
	enum err e = slice_open(&block, bytes);

	if (e != OK)
		return e;
	cnt = slice_block_count(&block, "edge");
	r = calloc(1, sizeof(*r) + cnt * sizeof(r->entries[0]));
	if (r == NULL)
		return ERR_SYS;
	r->users = 1;
	for (unsigned i = 0; i < cnt && e == OK; i++) {
		edge = slice_block(&block, "edge", i);
		if (slice_block_count(&edge, "tls") > 0)
			e = add_edge(r, &edge, file, arg);
	}
	if (e == OK)
		*out = r;
	else
		ring_release(&r);
	return e;
}

struct ring *
ring_share(struct ring *r)
{
	r->users++;
	return r;
}

void
ring_release(struct ring **rp)
{
	struct ring *r = *rp;

	*rp = NULL;
	if (r == NULL || --r->users > 0)
		return;
	for (unsigned i = 0; i < r->cnt; i++)
		key_free(&r->entries[i].key);
	free(r);
}

unsigned
ring_cnt(const struct ring *r)
{
	return r->cnt;
}

const struct key *
ring_find(const struct ring *r, const char *edge, struct span id)
{
	for (unsigned i = 0; i < r->cnt; i++) {
		const struct entry *e = &r->entries[i];

		if (span_eq(span_of(e->edge), span_of(edge)) &&
		    span_eq((struct span){ (const char *)key_id(e->key),
		    KEY_ID_LEN }, id))
			return e->key;
	}
	return NULL;
}
