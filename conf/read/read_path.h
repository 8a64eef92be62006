/*
 * read_path - values that name paths, arguments and users.
 */
#ifndef CONF_READ_PATH_H
#define CONF_READ_PATH_H

#include "conf/read/read.h"

/* As read_value(), for those types. */
bool		 read_path_value(const struct read_place *,
		    const struct option_row *, const struct value *,
		    struct reading *out);

#endif
