/* http_answer - what the next hop says, from bytes to a whole answer. */
#ifndef RELAY_HTTP_ANSWER_H
#define RELAY_HTTP_ANSWER_H

#include "relay/http/http_inside.h"

/*
 * Read what has come and act on it.  ERR_CLOSED at the end of the connection;
 * ERR_PEER it is no answer; ERR_SYS errno.
 */
MUST_CHECK enum err http_answer_read(struct http_client *);

#endif
