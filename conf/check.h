/*
 * check - what only the whole configuration can tell: references, addresses
 * and paths used twice, users, names put in, and who could send what where.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/block.h"

/* All of it, in the order it must be done in. */
void		 check_all(struct conf *);

/* Put in {fqdn} and {hostname}; host names and banners are then final. */
void		 check_names(struct conf *);

/* Listeners used twice, and open relays.  After the references. */
void		 check_reach(struct conf *);

#endif
