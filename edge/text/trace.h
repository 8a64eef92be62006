/*
 * trace - the fields that we put on top of a message: Received (RFC 5321 4.4),
 * and Date and Message-ID where they are missing and wanted.
 */
#ifndef EDGE_TRACE_H
#define EDGE_TRACE_H

#include "base/err.h"

struct transaction;

/* Once, when the text has come and the queue has said its id. */
MUST_CHECK enum err trace_add(struct transaction *);

#endif
