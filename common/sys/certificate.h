/*
 * certificate - what of a certificate somebody must see to before it is too
 * late: how long it is good, and for which hosts.
 */
#ifndef SYS_CERTIFICATE_H
#define SYS_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#define CERTIFICATE_DAYS	14	/* left: see to it		*/

struct x509_st;

/* Seconds since 1970; 0: it does not say. */
int64_t	certificate_end(const struct x509_st *);

/* Is the host one of its names?  Wildcards as RFC 6125 has them. */
bool	certificate_names(struct x509_st *, const char *host);

#endif
