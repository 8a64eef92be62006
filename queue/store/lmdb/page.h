/*
 * page - one page of an LMDB file (format of LMDB 0.9, 64 bits, little-endian),
 * read without trusting a byte of it.
 *
 * Pure.  LMDB itself believes its pages, and a flipped bit can make it crash
 * or show rows that are not there; these calls say what is wrong instead.
 * Nothing they give lies outside of the bytes they were given.
 *
 *	offset	a page in use		a meta page (0 and 1)
 *	0	its number, u64		the same
 *	8	-, u16			the same
 *	10	flags, u16		the same
 *	12	lower, upper, u16 each	-
 *		(overflow: pages, u32)
 *	16	offsets of nodes, u16	magic, version, u32 each
 *	upper	nodes			(see page_meta())
 *
 * Owns	   nothing
 * Blocks  never
 */
#ifndef QUEUE_PAGE_H
#define QUEUE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define PAGE_HEAD	16		/* bytes before offsets, or data */
#define PAGE_NONE	UINT64_MAX	/* number of no page: an empty tree */
#define PAGE_DEPTH_MAX	32		/* LMDB's own bound of a tree	*/
#define PAGE_LEN_MIN	4096u		/* bytes, a power of two	*/
#define PAGE_LEN_MAX	32768u
#define PAGE_KEY_MAX	511		/* bytes			*/

enum page_kind { PAGE_BRANCH, PAGE_LEAF, PAGE_OVERFLOW };

struct page {
	const uint8_t	*bytes;
	size_t		 len;
	uint64_t	 no;		/* as it says itself		*/
	enum page_kind	 kind;
	unsigned	 cnt;		/* nodes of a branch or leaf	*/
	size_t		 upper;		/* where they begin: what looks like
					 * one before that was deleted	*/
	uint32_t	 run;		/* pages of an overflow		*/
};

struct page_node {
	struct span	 key;
	uint64_t	 child;		/* of a branch			*/
	struct span	 value;		/* of a leaf, if it lies here	*/
	uint64_t	 big;		/* first page of it, else PAGE_NONE */
	uint32_t	 value_len;	/* bytes			*/
	bool		 is_table;	/* value is a tree: page_tree()	*/
};

/* A tree of pages, as the catalogue and the meta pages describe it. */
struct page_tree {
	uint64_t	 root;		/* or PAGE_NONE			*/
	uint64_t	 entries;
	uint64_t	 pages;		/* that it says to have		*/
	unsigned	 depth;
	uint16_t	 flags;
};

struct page_meta {
	struct page_tree free, catalogue;
	uint64_t	 last_no;	/* highest page ever used	*/
	uint64_t	 txnid;		/* even on page 0, odd on page 1 */
	size_t		 page_len;
};

/* NULL, or what is wrong with the head of this page. */
const char	*page_open(struct page *, const uint8_t *bytes, size_t len);

/* Field upper of a page whose head is damaged; len if it cannot be right. */
size_t		 page_upper(const struct page *);

/* Node i of a branch or leaf; false when it does not lie within the page. */
bool		 page_node(const struct page *, unsigned i,
		    struct page_node *);

/* What stands at this offset, were it a node of a leaf; false: none can. */
bool		 page_node_at(const struct page *, size_t offset,
		    struct page_node *);

/* NULL, or what is wrong with this meta page. */
const char	*page_meta(struct page_meta *, const uint8_t *bytes,
		    size_t len);

/* Read the value of a node that is a table; false when it is none. */
bool		 page_tree(struct page_tree *, struct span value);

/* LMDB's order of keys, and of the free list's, which are numbers. */
int		 page_cmp(struct span, struct span);
uint64_t	 page_u64(const uint8_t *);

#endif
