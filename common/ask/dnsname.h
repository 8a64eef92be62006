/*
 * dnsname - the names we ask DNS about: host names and what is made of them
 * (_25._tcp.mx.example.org), in the one form used as a key and on the bus.
 */
#ifndef ASK_DNSNAME_H
#define ASK_DNSNAME_H

#include <stdbool.h>

#include "base/span.h"

#define DNSNAME_MAX	253	/* bytes as text, RFC 1035 2.3.4	*/
#define DNSNAME_LABEL_MAX 63	/* bytes, RFC 1035 2.3.4		*/

/*
 * Copy as a C string in lower case without a final dot; out of DNSNAME_MAX + 1
 * bytes.  False, and out untouched, unless it is labels of letters, digits,
 * hyphen and underscore within the limits.  The root is no name of ours.
 */
bool	dnsname_fold(struct span, char *out);

#endif
