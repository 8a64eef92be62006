/*
 * tlsa - a certificate, and which TLSA records are of it: RFC 6698 and 7672.
 *
 * Owns	   the certificates of its file, the server's own first
 * Blocks  reads that file
 */
#ifndef CTL_TOOL_TLSA_H
#define CTL_TOOL_TLSA_H

#include <stdbool.h>

#include "base/span.h"

#define TLSA_CHAIN_MAX	10	/* certificates of a file that are read	*/
#define TLSA_HEX_LEN	64	/* characters of a hash			*/

struct tlsa;

/* False: it cannot be read, or there is no certificate in it. */
bool	tlsa_open(struct tlsa **out, const char *path);
/* NULL is allowed. */
void	tlsa_close(struct tlsa **);

/* Is it for that host? */
bool	tlsa_names(const struct tlsa *, const char *host);
/*
 * Would this record let it pass?  Usage 3 is of the certificate, usage 2 of any
 * of its file.
 */
bool	tlsa_fits(const struct tlsa *, struct span rdata);
/* What "3 1 1" of it is followed by, with a NUL. */
bool	tlsa_hex(const struct tlsa *, char out[TLSA_HEX_LEN + 1]);

#endif
