/*
 * read_host - values that name hosts, networks and domains.
 */
#ifndef CONF_READ_HOST_H
#define CONF_READ_HOST_H

#include "conf/read/read.h"

/* As read_value(), for those types. */
bool		 read_host_value(const struct read_place *,
		    const struct option_row *, const struct value *,
		    struct reading *out);

#endif
