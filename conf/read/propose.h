/*
 * propose - "did you mean": of several words, the one nearest to a wrong one.
 */
#ifndef CONF_PROPOSE_H
#define CONF_PROPOSE_H

#include "base/span.h"
#include "conf/read/arena.h"

struct propose {
	struct span	 wrong, best;
	unsigned	 distance;	/* of best; at first what is allowed */
};

void		 propose_init(struct propose *, struct span wrong);

/* Would this be it? */
void		 propose_try(struct propose *, struct span word);

/* All words of a list with blanks between. */
void		 propose_try_all(struct propose *, const char *words);

/* "; did you mean `WORD'?", or "" when nothing is near. */
const char	*propose_text(const struct propose *, struct arena *);

#endif
