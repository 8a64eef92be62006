/*
 * certificate.c - the end is counted from a date written out: the C library's
 * calendar may open the time zone file, which a sandbox forbids.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "sys/certificate.h"

#define DAY_S	86400

int64_t
certificate_end(const X509 *cert)
{
	ASN1_TIME *epoch = ASN1_TIME_new();
	int64_t end_s = 0;
	int days, s;

	if (epoch != NULL &&
	    ASN1_TIME_set_string(epoch, "19700101000000Z") == 1 &&
	    ASN1_TIME_diff(&days, &s, epoch, X509_get0_notAfter(cert)) == 1)
		end_s = (int64_t)days * DAY_S + s;
	ASN1_TIME_free(epoch);
	ERR_clear_error();
	return end_s;
}

bool
certificate_names(X509 *cert, const char *host)
{
	bool names = X509_check_host(cert, host, 0, 0, NULL) == 1;

	ERR_clear_error();
	return names;
}
