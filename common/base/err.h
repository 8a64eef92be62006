/*
 * err - how a thing can go wrong, named by what it means for the caller.
 *
 * Errors	none of its own; err_name() gives the word used in logs.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUST_CHECK	__attribute__((warn_unused_result))

enum err {
	OK,		/* done					*/
	ERR_AGAIN,	/* not yet: ask again when told to	*/
	ERR_NONE,	/* there is no such thing		*/
	ERR_CLOSED,	/* the other side has gone away		*/
	ERR_PEER,	/* the other side broke the rules	*/
	ERR_FULL,	/* a limit of ours, or the disk's	*/
	ERR_STALE,	/* somebody else went on meanwhile	*/
	ERR_SYS,	/* the kernel or a library said no; errno tells */
	ERR__COUNT
};

/* The word for logs: "ok", "again", "none", ... Never NULL. */
const char	*err_name(enum err);

#endif
