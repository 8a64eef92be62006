/*
 * settings - what the resolver's slice says: whom to ask for what.
 *
 * Errors  ERR_PEER the bytes are no slice, or not one for us
 */
#ifndef RESOLVER_SETTINGS_H
#define RESOLVER_SETTINGS_H

#include <stdbool.h>

#include "ask/dnsname.h"
#include "base/err.h"
#include "base/span.h"
#include "resolver/anchors.h"

/* What is over these is left out, after a log line. */
#define SETTINGS_FORWARDS_MAX	32
#define SETTINGS_STUBS_MAX	256
#define SETTINGS_PORTS_MAX	(1 + SETTINGS_FORWARDS_MAX + SETTINGS_STUBS_MAX)
#define SETTINGS_ADDRESS_LEN	64	/* bytes: "address@port" and NUL */

struct settings_stub {
	char	 zone[DNSNAME_MAX + 1];
	char	 address[SETTINGS_ADDRESS_LEN];
};

struct settings {
	/* Recursive servers to ask; none: ask from the root on. */
	char	 forwards[SETTINGS_FORWARDS_MAX][SETTINGS_ADDRESS_LEN];
	unsigned forward_cnt;
	/* Servers of single zones; the same zone may stand several times. */
	struct settings_stub stubs[SETTINGS_STUBS_MAX];
	unsigned stub_cnt;
	/* Trust anchors as zone file lines, to a NULL; the root's first. */
	const char *const *anchors;
	bool	 has_anchor_file;
	unsigned anchor_file;		/* for boot_file()		*/
	struct span anchor_path;	/* into the slice, for logs	*/
	struct anchors own;		/* with those of the file	*/
};

MUST_CHECK enum err settings_read(struct settings *out, struct span slice);

/*
 * Add the anchors of the file; fd is borrowed.  Errors as of anchors.h, each
 * after a log line that says where.
 */
MUST_CHECK enum err settings_add_anchors(struct settings *, int fd);

/*
 * The ports of all servers, 53 among them, each once; ports has room for
 * SETTINGS_PORTS_MAX.  How many.
 */
unsigned settings_ports(const struct settings *, uint16_t *ports);

/* Is one of the servers this host itself? */
bool	settings_on_loopback(const struct settings *);

#endif
