/*
 * question - what was asked of another process and is not over yet.
 *
 * Whoever asks over a link needs the same, and it stands here once:
 *
 *	number	   never 0, never that of another question under way, and not
 *		   used again before all others were: an answer that comes after
 *		   its question is over finds nobody, and one to a number that
 *		   was never used is nonsense
 *	end	   each question ends once: by its first answer, or because its
 *		   time is over, its link is lost, or too many are under way.
 *		   on_end() is called then, by the loop: never before the call
 *		   that asked has returned, never from within a link
 *	cancel	   question_close(), at any time, and nothing is called
 *	bound	   at most `max' are under way
 *
 * The caller sends the messages, and keeps what an answer carries in the struct
 * that its question lies in.  on_end() may free that, ask, cancel others, and
 * unmake the table.
 *
 * Owns	   nothing: questions and table lie in the caller's structs, and must
 *	   not move while they are under way
 * Blocks  never
 * Errors  what on_end() is told: OK it was answered; ERR_AGAIN its time is
 *	   over; ERR_CLOSED the link was lost, or there was none; ERR_FULL too
 *	   many are under way; or what the caller says in question_fail()
 */
#ifndef BUS_QUESTION_H
#define BUS_QUESTION_H

#include <sys/tree.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/ev.h"

#define QUESTION_NO_END	0	/* of patience_ms: it has no deadline */

struct questions;
struct question;

typedef void question_fn(struct question *, enum err why);

struct question {
	RB_ENTRY(question) node;
	struct questions *table;	/* NULL once it is over		*/
	uint64_t	 no;
	struct timer	 deadline;
	struct later	 later;
	bool		 has_ended;	/* of which on_end() will tell	*/
	enum err	 why;		/* for on_end()			*/
};

RB_HEAD(question_tree, question);

struct questions {
	struct ev_loop	*loop;
	question_fn	*on_end;
	struct question_tree tree;
	unsigned	 cnt, max;	/* of those under way		*/
	uint64_t	 last;		/* number that was given	*/
	uint64_t	 highest;	/* that is; UINT64_MAX, or lower it
					 * where a message has 32 bits	*/
	bool		 has_wrapped;	/* all numbers were given once	*/
};

/* An empty table; close all that is in it before it goes. */
void	questions_init(struct questions *, struct ev_loop *, unsigned max,
	    question_fn *on_end);

/* In the order they were asked; ended ones too, until they are told. */
struct question	*questions_first(struct questions *);
struct question	*questions_next(struct question *);

/* The link is lost: all that are under way end with ERR_CLOSED. */
void	questions_lose(struct questions *);

/*
 * Take a question up, under a number of its own.  False: it has ended by now,
 * too many being under way, and need not be sent.
 */
bool	question_ask(struct questions *, struct question *,
	    int64_t patience_ms);

/*
 * The one an answer belongs to: *out is NULL when it is over, or ended.
 * ERR_PEER: nobody ever asked under that number.
 */
MUST_CHECK enum err	question_find(struct questions *, uint64_t no,
			    struct question **out);

/* The one with this number, ended or not, for who cancels it; or NULL. */
struct question	*question_by_no(struct questions *, uint64_t no);

/* It is answered, or fails for a reason of the caller's.  The first counts. */
void	question_answer(struct question *);
void	question_fail(struct question *, enum err why);

/*
 * It is over, and on_end() is not called any more: nobody wants the answer, or
 * whoever waits for it was told.  Allowed on one that is over.
 */
void	question_close(struct question *);

#endif
