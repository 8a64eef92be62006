/*
 * points - where a script is asked: the commands that set_validator() takes.
 * postern -n runs a file with them as an edge does, so that it finds the same
 * mistakes.
 */
#ifndef LUA_POINTS_H
#define LUA_POINTS_H

#include "lua/script.h"

#define POINTS(X)							\
	X(BANNER, "banner") X(EHLO, "ehlo") X(HELO, "helo")		\
	X(STARTTLS, "starttls") X(AUTH, "auth") X(MAIL, "mail")	\
	X(RCPT, "rcpt") X(DATA, "data") X(HAVE_DATA, "have_data")	\
	X(QUEUED, "queued") X(RSET, "rset") X(QUIT, "quit")

enum point {
#define POINT_ENUM(id, word)	POINT_##id,
	POINTS(POINT_ENUM)
#undef POINT_ENUM
	POINT__COUNT
};

#define POINTS_BANNER_MAX	256	/* bytes with NUL	*/

/* What files have set, so far.  A new state takes nothing away. */
struct points {
	bool		 has[POINT__COUNT];
	struct {			/* the function begins here	*/
		char	 file[256];
		unsigned line;
	} where[POINT__COUNT];
	char		 banner_code[4]; /* set_banner_message(); or ""	*/
	char		 banner[POINTS_BANNER_MAX];
	const char	*hostname;	/* borrowed: the global of that name */
};

const char *points_word(enum point);

/* A script_library_fn: set_validator(), smtp_edge and hostname. */
void	points_open(lua_State *, void *points);

/* Within a call: push the function; an error if there is none. */
void	points_push(lua_State *, enum point);

/* Compile the file and run it; nothing is kept.  ERR_PEER: *why. */
MUST_CHECK enum err points_check(struct span name, struct span bytes,
	    struct script_why *why);

#endif
