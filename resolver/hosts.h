/*
 * hosts - the names of hosts(5), read once, before the sandbox closes.
 *
 * A name that stands there is answered from there for both families, as the
 * C library does it; its other records come from DNS.
 *
 * Owns	   copies of all it read
 * Blocks  hosts_open() reads a file
 * Errors  ERR_NONE no such file; ERR_FULL it is over HOSTS_FILE_MAX; ERR_SYS
 */
#ifndef RESOLVER_HOSTS_H
#define RESOLVER_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "ask/resolve.h"
#include "base/err.h"
#include "base/span.h"

#define HOSTS_FILE_MAX	(1u << 20)	/* bytes we read	*/
#define HOSTS_TTL_S	60		/* of its answers	*/

struct hosts;

MUST_CHECK enum err hosts_open(struct hosts **out, const char *path);
/* From the text of such a file; lines that make no sense are passed over. */
MUST_CHECK enum err hosts_parse(struct hosts **out, struct span text);
void	hosts_close(struct hosts **);

/*
 * Look up a name (as dnsname_fold() made it).  False when it is not there;
 * else up to max addresses of the family (4 or 6) and their number, maybe 0.
 * h may be NULL.
 */
bool	hosts_find(const struct hosts *h, const char *name, uint8_t family,
	    struct resolve_address *out, unsigned max, unsigned *cnt);

#endif
