/*
 * span - a run of bytes somebody else owns.
 *
 * A span never owns and never ends in a NUL on purpose.  An empty span may
 * have a NULL pointer.  (The word "slice" is taken: it is the part of the
 * configuration that one process gets.)
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char	*ptr;
	size_t		 len;	/* bytes */
};

/* A span over a string literal. */
#define SPAN(lit)	((struct span){ (lit), sizeof(lit) - 1 })

/* A span over a C string, which must outlive it; NULL gives the empty span. */
struct span	 span_of(const char *);

/* Equal byte for byte; equal when ASCII letters are folded. */
bool		 span_eq(struct span, struct span);
bool		 span_eq_nocase(struct span, struct span);

/* Does it begin so?  ASCII letters are folded in the second form. */
bool		 span_begins(struct span, struct span head);
bool		 span_begins_nocase(struct span, struct span head);

/* The first n bytes, and all but the first n; n is clamped to the length. */
struct span	 span_head(struct span, size_t n);
struct span	 span_tail(struct span, size_t n);

/* Where byte c first stands, or the length when it does not. */
size_t		 span_find(struct span, char c);

/* Take off what stands before the first byte c, and that byte, if it stands. */
struct span	 span_cut(struct span *, char c);
/* Is word one of those of the list, parted by byte c? */
bool		 span_has(struct span list, char c, struct span word);

/* Without any of these bytes at both ends. */
struct span	 span_strip(struct span, const char *bytes);
/* Without blanks (space and tab) at both ends. */
struct span	 span_trim(struct span);

/*
 * Copy as a C string into buf of cap bytes.  False, and an empty string, when
 * it does not fit or holds a NUL.
 */
bool		 span_cstr(struct span, char *buf, size_t cap);

/*
 * Read decimal digits and nothing else as a number.  False on an empty span,
 * a foreign byte, or a value over max.
 */
bool		 span_number(struct span, unsigned long long max,
		    unsigned long long *out);

#endif
