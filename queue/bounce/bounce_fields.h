/*
 * bounce_fields - the part of a report that machines read: RFC 3464 2, with
 * the addresses of RFC 6533 3.
 */
#ifndef QUEUE_BOUNCE_FIELDS_H
#define QUEUE_BOUNCE_FIELDS_H

#include <stdio.h>

#include "queue/bounce/bounce.h"

/* utf8: as message/global-delivery-status, else message/delivery-status. */
void	bounce_fields_put(FILE *, const struct bounce *, bool utf8);

#endif
