/*
 * check_roots - the certificates that a relay is to believe, of a file or of a
 * directory as /etc/ssl/certs is: files of PEM, and links to them that are
 * called by a hash of their subject.
 *
 * What is no certificate is left out, a private key above all: so the directory
 * may be passed on to a process that may not see all of it.
 *
 * Blocks  as the disk does
 * Errors  those of struct conf_opener, conf/conf.h
 */
#ifndef MASTER_CHECK_ROOTS_H
#define MASTER_CHECK_ROOTS_H

#include "conf/conf.h"

/* The call `roots' of a struct conf_opener; arg is not used. */
MUST_CHECK enum err	check_roots(void *arg, const char *path,
			    bool is_directory, struct conf_roots *out);

#endif
