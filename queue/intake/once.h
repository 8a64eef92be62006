/*
 * once - what an edge has brought and may bring again, because it died before
 * it could strike it out: pickup, whose files lie in a directory.  Each has a
 * number; one that is here already is taken without being kept a second time.
 *
 * The last ONCE_MAX numbers are known, for the life of the process: when both
 * it and pickup die between commit and removal, a second copy goes out, as of a
 * client that has not read its 250 (RFC 1047).
 *
 * A number is an edge's own: no other can have its mail taken for known.
 */
#ifndef QUEUE_ONCE_H
#define QUEUE_ONCE_H

#include <stdint.h>

#define ONCE_MAX	1024u		/* pickup has 16 under way	*/

enum once_state {
	ONCE_NEW,
	ONCE_COMMITTING,	/* it is in the store's hands		*/
	ONCE_KEPT
};

struct once {
	struct once_row {
		uint64_t number;	/* 0: the row is free		*/
		enum once_state state;
	}		 rows[ONCE_MAX];
	unsigned	 next;		/* row to be used		*/
};

/* What the queue calls an edge's number; 0 stays 0. */
uint64_t	once_number(const char *edge, uint64_t number);

/* 0 is always new. */
enum once_state	once_state(const struct once *, uint64_t number);
/* It goes to the store, and then: it has it, or has not.  Nothing for 0. */
void		once_begin(struct once *, uint64_t number);
void		once_kept(struct once *, uint64_t number);
void		once_forget(struct once *, uint64_t number);

#endif
