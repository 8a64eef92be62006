/*
 * resolve - asking the resolver process for names, without waiting for it.
 *
 * Answers are kept to their TTL, those that say "no such name" for at most
 * RESOLVE_NEGATIVE_S, failures not at all; the same question asked twice at a
 * time goes out once.  What is under way when the link breaks is asked again
 * on the next link.  Every question is answered exactly once, with
 * RESOLVED_FAILED after RESOLVE_PATIENCE_MS at the latest, unless it is
 * cancelled; and never before the call that asked has returned.
 *
 * Owns	   its link to the resolver, its questions and what it remembers
 * Blocks  never
 * Errors  ERR_SYS out of memory
 */
#ifndef ASK_RESOLVE_H
#define ASK_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "ask/helper.h"
#include "base/span.h"

#define RESOLVE_PATIENCE_MS	20000	/* over the resolver's own 15 s	*/
#define RESOLVE_NEGATIVE_S	900	/* seconds			*/
#define RESOLVE_ADDRESSES_MAX	20	/* of one host			*/
#define RESOLVE_CACHE_MAX	32768	/* answers remembered		*/
#define RESOLVE_ASKED_MAX	4000	/* questions on the link; more
					 * fail at once			*/

/* The types of record we ask for (RFC 1035 3.2.2, RFC 3596, RFC 6698). */
#define RESOLVE_A	1
#define RESOLVE_PTR	12
#define RESOLVE_MX	15
#define RESOLVE_TXT	16
#define RESOLVE_AAAA	28
#define RESOLVE_TLSA	52

/* Families of addresses, as bits. */
#define RESOLVE_IPV4	1u
#define RESOLVE_IPV6	2u
#define RESOLVE_BOTH	3u

struct resolve;
struct resolve_query;

struct resolve_address {
	uint8_t	 family;		/* 4 or 6			*/
	uint8_t	 bytes[16];		/* network order; v4 first four	*/
};

/* What is known about a host. */
struct resolve_found {
	enum resolve_status status;
	enum resolve_trust trust;	/* the weaker of AAAA and A	*/
	uint32_t	 ttl_s;
	unsigned	 address_cnt;	/* over 0 exactly when RESOLVED	*/
	bool		 left_out;	/* it has more: others next time */
	/* In the order to try: families in turn, IPv6 first. */
	struct resolve_address addresses[RESOLVE_ADDRESSES_MAX];
};

/* found is borrowed for the call; the query is over when it is called. */
typedef void resolve_fn(const struct resolve_found *, void *arg);

/* One type of record; all borrowed for the call. */
struct resolve_answer {
	enum resolve_status status;
	enum resolve_trust trust;
	uint32_t	 ttl_s;
	struct span	 name;		/* at the end of CNAMEs; or empty */
	struct span	 records;	/* for resolve_record()		*/
};

typedef void resolve_answer_fn(const struct resolve_answer *, void *arg);

MUST_CHECK enum err resolve_open(struct resolve **out, struct ev_loop *,
	    helper_lost_fn *, void *arg);
/* Drops everything under way without an answer. */
void	resolve_close(struct resolve **);

/*
 * Use fd (taken, whatever the result) as the link from `mine` to the resolver,
 * in place of any earlier one.
 */
MUST_CHECK enum err resolve_set_link(struct resolve *, int fd,
	    enum role mine, const struct link_peer *);

/*
 * All addresses of host: a name, or an IPv4 or IPv6 address as text, the
 * latter also in [brackets], which needs no resolver.  Nor does localhost, nor
 * a name below it: it is ::1 and 127.0.0.1 (RFC 6761 6.3).  Only families, of
 * which there is one at least, are asked for; where a host has none of them it
 * is RESOLVED_NODATA.  What is neither name nor address is RESOLVED_NXDOMAIN.
 * NULL when out of memory, and then fn is not called.
 */
struct resolve_query	*resolve_addresses(struct resolve *, struct span host,
			    unsigned families, resolve_fn *, void *arg);

/* One type of record of a name. */
struct resolve_query	*resolve_ask(struct resolve *, uint16_t rrtype,
			    struct span name, resolve_answer_fn *, void *arg);

/* The answer is not wanted any more.  *q becomes NULL; NULL is allowed. */
void	resolve_cancel(struct resolve_query **q);

/*
 * Take the first of `records` off its front: its rdata as on the wire, names
 * in it uncompressed.  False when none is left.
 */
bool	resolve_record(struct span *records, struct span *out);

/* Read host as an address, with or without brackets. */
bool	resolve_literal(struct span host, struct resolve_address *out);

/* The bit of its family. */
unsigned	resolve_family(const struct resolve_address *);

#endif
