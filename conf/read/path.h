/*
 * path - absolute paths out of relative ones, by their text alone.
 */
#ifndef CONF_PATH_H
#define CONF_PATH_H

#include <stdbool.h>

#include "base/span.h"
#include "conf/read/arena.h"

/*
 * text as seen from dir as seen from cwd, without empty, `.' and `..' parts
 * and without a slash at the end.  cwd must be absolute.  Has a NUL behind it.
 * An empty span when there is no memory.
 */
struct span	 path_absolute(struct arena *, struct span cwd, struct span dir,
		    struct span text);

#define PATH_CREDENTIAL_MAX	255	/* bytes of its name */

/*
 * Is it "credential:NAME"?  Then *name is it; empty for one that is no plain
 * name of a file.
 */
bool		 path_is_credential(struct span text, struct span *name);

/* A part of the path, from *at on, without slashes; empty at the end. */
struct span	 path_part(struct span path, size_t *at);

/* Of a path with {user}: the directory before the part with the first brace. */
struct span	 path_fixed_head(struct span path);

#endif
