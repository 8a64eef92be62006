/*
 * check_keys - does a private key belong to its certificate?  Asked before the
 * start, so that no handshake has to find out.
 *
 * Blocks  yes, on files
 */
#ifndef MASTER_CHECK_KEYS_H
#define MASTER_CHECK_KEYS_H

#include "conf/conf.h"

/*
 * Before the sandbox: have libcrypto read its configuration and load what it
 * loads, by reading a key once.  False when there is no libcrypto to be had.
 */
bool		check_keys_start(void);

/* As conf_opener.pair wants it; arg is not used. */
enum conf_pair	check_keys_pair(void *arg, const char *certfile,
		    const char *keyfile);

/* As conf_opener.suits wants it, likewise.  What cannot be read suits. */
bool		check_keys_suits(void *arg, const char *certfile,
		    bool is_client);

/* As conf_opener.left and names want it; what cannot be read is good. */
int64_t		check_keys_left(void *arg, const char *certfile);
bool		check_keys_names(void *arg, const char *certfile,
		    const char *host);

#endif
