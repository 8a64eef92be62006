/*
 * holder - who has the port that we could not take, as far as we may know: a
 * master is not allowed to look into other processes, but every socket has a
 * user.
 *
 * Blocks  no (/proc)
 * Errors  none: who is not found is not named
 */
#ifndef MASTER_HOLDER_H
#define MASTER_HOLDER_H

#include <stdint.h>

#define HOLDER_TEXT	192	/* bytes with NUL */

/* The words for errno, and for a port that is taken by whom; returns buf. */
const char *holder_text(int error, uint16_t port, char buf[HOLDER_TEXT]);

#endif
