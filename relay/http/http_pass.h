/*
 * http_pass - a mail that passes through: there is nothing to ask the next hop
 * before its text comes, so MAIL, RCPT and DATA are answered here, and the end
 * in its words.
 */
#ifndef RELAY_HTTP_PASS_H
#define RELAY_HTTP_PASS_H

#include "relay/http/http_inside.h"

void	http_pass_begin(struct http_client *);
/* At HTTP_AT_PASSING: answer what has come meanwhile. */
void	http_pass_go_on(struct http_client *);

#endif
