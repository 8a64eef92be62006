/* http_mail - the request that hands a message over. */
#ifndef RELAY_HTTP_MAIL_H
#define RELAY_HTTP_MAIL_H

#include "relay/http/http_inside.h"

/* Begin, or go on with recipients that are left; it may be over at once. */
void	http_mail_begin(struct http_client *);
/* Its recipients, who are not decided, are in c->batch. */
void	http_mail_send(struct http_client *);
/* The delivery is over for all that are not decided. */
void	http_mail_end(struct http_client *, const struct verdict *);

/* At HTTP_AT_WAITING: say the head when the beginning of the text is here. */
void	http_mail_go_on(struct http_client *);
/* The body may go; it is all written. */
void	http_mail_go_ahead(struct http_client *);
void	http_mail_sent(struct http_client *);

/*
 * The runs are written: more of them.  ERR_AGAIN a piece is on its way;
 * ERR_NONE that was all; ERR_CLOSED a piece will never come.
 */
MUST_CHECK enum err http_mail_fill(struct http_client *);

/* The head of the answer is here. */
void	http_mail_hear(struct http_client *);
/* All of the answer is, and the connection stays. */
void	http_mail_heard(struct http_client *);

/* The clock of the step we are at is wound. */
void	http_mail_wait(struct http_client *);

#endif
