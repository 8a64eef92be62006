/*
 * text - the text of a message on its way from the client to the queue.
 *
 * The header section is held (at most max_header_size) because our trace goes
 * on top of it and the trace names the id; what follows the blank line is
 * streamed in pieces as the queue gives credit.  Nothing of the client's text
 * is changed.  What a transaction holds at most: the header section and one
 * piece.
 *
 * A text that cannot be taken has a fault: its stream is dropped at once, the
 * rest is read and thrown away up to the true end of data, and then the
 * client hears the fault's reply.
 *
 * Blocks  never
 */
#ifndef EDGE_TEXT_H
#define EDGE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct transaction;

#define TEXT_SMUGGLED	"Bare CR, bare LF or NUL not allowed"

enum text_step {
	TEXT_MORE,	/* all input is used				*/
	TEXT_FULL,	/* no room: go on when text_room() is not 0	*/
	TEXT_END	/* end of data; what is left is a command	*/
};

/* After DATA was accepted: open the stream. */
void	text_begin(struct transaction *);

/* Take input from the front of *in. */
enum text_step text_take(struct transaction *, struct span *in);

/* Bytes of input that text_take() can use now; 0 is back pressure. */
size_t	text_room(const struct transaction *);

/* Since when has the client been silent?  Not while there is no room, for then
 * nobody reads what it says. */
int64_t	text_silent_ms(const struct transaction *, int64_t now_ms);

/*
 * Send what credit allows: full pieces, when the end of data was seen the rest,
 * and after text_commit() the header and the commit.  For after text_take() and
 * whenever the queue gave id or credit.
 */
void	text_send(struct transaction *);

/* The end of data was seen and nobody objects: the queue shall keep it. */
void	text_commit(struct transaction *);

/*
 * The client has time yet: say so to the queue, which drops what it hears
 * nothing of for data_timeout.
 */
void	text_wait(struct transaction *);

/* The first fault stands: drop the stream and all that is held. */
void	text_fault(struct transaction *, unsigned code, const char *dsn,
	    struct span text);
bool	text_has_fault(const struct transaction *);

/*
 * Was there a bare CR, a bare LF or a NUL, by which others may see a second
 * message in it?  Such a client hears 550 5.5.2 and is closed, whatever else
 * is wrong.
 */
bool	text_is_smuggled(const struct transaction *);

#endif
