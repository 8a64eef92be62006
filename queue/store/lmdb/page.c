/* page.c - see page.h; mdb.c of LMDB 0.9 has the structs MDB_page, MDB_node. */
#include <string.h>

#include "queue/store/lmdb/page.h"

#define FLAG_BRANCH	0x01u
#define FLAG_LEAF	0x02u
#define FLAG_OVERFLOW	0x04u
#define FLAG_META	0x08u
#define FLAGS_SCRATCH	0xc010u		/* LMDB's own, in memory only	*/
#define NODE_HEAD	8u		/* bytes			*/
#define NODE_BIG	0x01u
#define NODE_TABLE	0x02u
#define META_MAGIC	0xbeefc0deu
#define META_VERSION	1u
#define META_LEN	136u
#define TREE_LEN	48u

static uint16_t
u16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t
u32_at(const uint8_t *p)
{
	return u16_at(p) | (uint32_t)u16_at(p + 2) << 16;
}

uint64_t
page_u64(const uint8_t *p)
{
	return u32_at(p) | (uint64_t)u32_at(p + 4) << 32;
}

size_t
page_upper(const struct page *p)
{
	size_t upper = u16_at(p->bytes + 14);

	return upper < PAGE_HEAD || upper > p->len ? p->len : upper;
}

static const char *
open_nodes(struct page *p)
{
	size_t lower = u16_at(p->bytes + 12), upper = u16_at(p->bytes + 14);

	if (lower < PAGE_HEAD || lower % 2 != 0 || upper < lower ||
	    upper > p->len)
		return "its bounds are damaged";
	p->cnt = (unsigned)(lower - PAGE_HEAD) / 2;
	p->upper = upper;
	return NULL;
}

const char *
page_open(struct page *p, const uint8_t *bytes, size_t len)
{
	uint16_t flags;

	*p = (struct page){ .bytes = bytes, .len = len };
	if (len < PAGE_LEN_MIN || len > PAGE_LEN_MAX)
		return "it is cut off";
	p->no = page_u64(bytes);
	flags = u16_at(bytes + 10) & (uint16_t)~FLAGS_SCRATCH;
	switch (flags) {
	case FLAG_BRANCH:
		p->kind = PAGE_BRANCH;
		return open_nodes(p);
	case FLAG_LEAF:
		p->kind = PAGE_LEAF;
		return open_nodes(p);
	case FLAG_OVERFLOW:
		p->kind = PAGE_OVERFLOW;
		p->run = u32_at(bytes + 12);
		return p->run == 0 ? "its length is damaged" : NULL;
	default:
		return "its kind is damaged";
	}
}

bool
page_node_at(const struct page *p, size_t at, struct page_node *n)
{
	const uint8_t *b = p->bytes + at;
	uint16_t flags;
	size_t key_len, room;

	if (at < PAGE_HEAD || at % 2 != 0 || at + NODE_HEAD > p->len)
		return false;
	room = p->len - at - NODE_HEAD;
	flags = u16_at(b + 4);
	key_len = u16_at(b + 6);
	if (key_len > room || key_len > PAGE_KEY_MAX)
		return false;
	*n = (struct page_node){
		.key = { (const char *)b + NODE_HEAD, key_len },
		.big = PAGE_NONE,
	};
	if (p->kind == PAGE_BRANCH) {
		n->child = u32_at(b) | (uint64_t)flags << 32;
		return true;
	}
	if ((flags & (uint16_t)~(NODE_BIG | NODE_TABLE)) != 0 || key_len == 0)
		return false;
	n->value_len = u32_at(b);
	n->is_table = (flags & NODE_TABLE) != 0;
	n->value = (struct span){ n->key.ptr + key_len, n->value_len };
	if ((flags & NODE_BIG) == 0)
		return n->value_len <= room - key_len;
	if (room - key_len < sizeof(uint64_t))
		return false;
	n->big = page_u64(b + NODE_HEAD + key_len);
	n->value = (struct span){ NULL, 0 };
	return true;
}

bool
page_node(const struct page *p, unsigned i, struct page_node *n)
{
	if (p->kind == PAGE_OVERFLOW || i >= p->cnt)
		return false;
	return page_node_at(p, u16_at(p->bytes + PAGE_HEAD + 2 * i), n);
}

/* Sums that would overflow are damaged, and too many either way. */
static uint64_t
sum(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static void
read_tree(struct page_tree *t, const uint8_t *b)
{
	*t = (struct page_tree){
		.flags = u16_at(b + 4), .depth = u16_at(b + 6),
		.pages = sum(sum(page_u64(b + 8), page_u64(b + 16)),
		    page_u64(b + 24)),
		.entries = page_u64(b + 32), .root = page_u64(b + 40),
	};
}

bool
page_tree(struct page_tree *t, struct span value)
{
	if (value.len != TREE_LEN)
		return false;
	read_tree(t, (const uint8_t *)value.ptr);
	return true;
}

static bool
is_page_len(uint32_t len)
{
	return len >= PAGE_LEN_MIN && len <= PAGE_LEN_MAX &&
	    (len & (len - 1)) == 0;
}

const char *
page_meta(struct page_meta *m, const uint8_t *bytes, size_t len)
{
	const uint8_t *b = bytes + PAGE_HEAD;
	uint32_t page_len;

	if (len < PAGE_HEAD + META_LEN)
		return "it is cut off";
	if (u16_at(bytes + 10) != FLAG_META)
		return "its kind is damaged";
	if (u32_at(b) != META_MAGIC || u32_at(b + 4) != META_VERSION)
		return "its magic number is damaged";
	page_len = u32_at(b + 24);
	if (!is_page_len(page_len))
		return "its page size is damaged";
	m->page_len = page_len;
	read_tree(&m->free, b + 24);
	read_tree(&m->catalogue, b + 24 + TREE_LEN);
	m->last_no = page_u64(b + 24 + 2 * TREE_LEN);
	m->txnid = page_u64(b + 32 + 2 * TREE_LEN);
	if (m->last_no < 1)
		return "its last page is damaged";
	return NULL;
}

int
page_cmp(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int c = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}
