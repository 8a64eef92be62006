/*
 * lists - values that come in numbers: one after the other, from a file, or in
 * the words of a route.
 *
 * Errors  none: mistakes are reported, and what is wrong is left out
 */
#ifndef CONF_LISTS_H
#define CONF_LISTS_H

#include "conf/block.h"

/* Room for one more value; false: there is no memory. */
bool		 lists_room(struct conf *, struct setting *);

/*
 * The file whose path is v as one more source, numbered *no; says why not.
 * One that may be lacking is a warning then, and no mistake.  Where dir_len is
 * not 0 no link may lead to it from so many bytes of its path on.
 */
bool		 lists_source(struct conf *, const struct value *v,
		    size_t dir_len, uint32_t *no, bool may_lack);

/* One more value of the option. */
void		 lists_value(struct conf *, struct setting *,
		    const struct value *, const struct option_row *);

/*
 * The values in the file whose path is v: one a line, blanks around it left
 * out, # to the end of the line a comment.
 */
void		 lists_file(struct conf *, struct setting *,
		    const struct value *v, const struct option_row *);

/*
 * The lines of the text in the file whose path is v, if mail/notice.h reads
 * it; a mistake in it is shown where it stands.
 */
void		 lists_notice(struct conf *, struct setting *,
		    const struct value *v, const struct option_row *);

/* The path v of a file of Lua, and the file: as TYPE_LUA of options.h says. */
void		 lists_lua(struct conf *, struct setting *,
		    const struct value *v, const struct option_row *);

/*
 * The words of the file of aliases whose path is v, and in place of what it
 * includes the words of those files (lists_aliases.c).
 */
void		 lists_aliases(struct conf *, struct setting *,
		    const struct value *v, const struct option_row *);

/*
 * A pair of values for each pattern, with the numbers of slice.h:
 *
 *	to | from | login  PATTERN ...  relay NAME | error "TEXT" | discard
 *
 * A pattern may be the path of a file of them.
 */
void		 lists_route(struct conf *, struct setting *,
		    const struct node *, const struct option_row *);

#endif
