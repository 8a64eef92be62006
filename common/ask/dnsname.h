/*
 * dnsname - the names we ask DNS about: host names and what is made of them
 * (_25._tcp.mx.example.org), in the one form used as a key and on the bus.
 */
#ifndef ASK_DNSNAME_H
#define ASK_DNSNAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define DNSNAME_MAX	253	/* bytes as text, RFC 1035 2.3.4	*/
#define DNSNAME_TEXT (DNSNAME_MAX + 2) /* with its final dot, and NUL */
#define DNSNAME_LABEL_MAX 63	/* bytes, RFC 1035 2.3.4		*/

/*
 * Copy as a C string in lower case without a final dot; out of DNSNAME_MAX + 1
 * bytes.  False, and out untouched, unless it is labels of letters, digits,
 * hyphen and underscore within the limits.  The root is no name of ours.
 */
bool	dnsname_fold(struct span, char *out);

/*
 * A name as on the wire, uncompressed, as text with its final dot; the root is
 * "".  False when it is none, or cannot be told from another as text.
 */
bool	dnsname_of_wire(struct span wire, char out[DNSNAME_TEXT]);

/*
 * The name below zone that stands for an address of 4 or 16 bytes, in network
 * order: RFC 1035 3.5 and RFC 3596 2.5, or RFC 5782 2.1 and 2.4.  False: the
 * zone is too long.
 */
bool	dnsname_reversed(char out[DNSNAME_MAX + 1], const uint8_t *address,
	    size_t len, struct span zone);

#endif
