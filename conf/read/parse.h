/*
 * parse - configuration files as a tree of what was written, before anybody
 * asks whether it makes sense.
 */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include <sys/queue.h>

#include <stdbool.h>

#include "conf/read/report.h"

/* A value behind the word of an entry. */
struct value {
	STAILQ_ENTRY(value) entry;
	struct span	 text;
	struct place	 place;
	unsigned	 no;		/* in its entry, from 0		*/
	bool		 quoted;
};

/* One entry of a file: a word, its values, and perhaps a block. */
struct node {
	TAILQ_ENTRY(node) entry;
	struct node	*parent;	/* NULL of the whole		*/
	struct span	 word;
	struct place	 place;		/* of the word			*/
	STAILQ_HEAD(value_list, value) values;
	unsigned	 value_cnt;
	bool		 is_bad;	/* reported; its values are not to be
					 * looked at			*/
	bool		 has_block;
	struct place	 open;		/* of the block's brace		*/
	TAILQ_HEAD(node_list, node) nodes;
};

/*
 * Read the file at path and what it includes.  Mistakes go to the list, and
 * what could be read is in the tree; *top is NULL only without memory.
 */
void		 parse_files(struct node **top, const char *path,
		    struct sources *, struct mistakes *,
		    const struct conf_opener *);

#endif
