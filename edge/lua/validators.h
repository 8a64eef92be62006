/*
 * validators - the functions of the files of `validators', asked about what a
 * client says: postern-lua(7).
 *
 * A file that cannot be run, a function that fails or is ended by a limit, and
 * a reply that is none: each is 451 (421 in place of a greeting), and one line
 * of the log with file and line; never a pass.
 *
 * Owns	   the script; a turn for each session that is in one of its functions
 * Blocks  never
 */
#ifndef EDGE_VALIDATORS_H
#define EDGE_VALIDATORS_H

#include "base/err.h"
#include "conf/slice/slice.h"
#include "edge/stage/reply.h"
#include "lua/points.h"

struct session;
struct validators;

/* A function under way for a session. */
struct validators_turn {
	struct script_call call;	/* its arg is the turn		*/
	struct validators *validators;
	struct session	*session;
	/* What a function waited for is here: validators_go_on() is due. */
	void		(*on_here)(struct session *);
	enum point	 point;
	uint64_t	 no;		/* no other turn has it		*/
	struct reply	 usual;		/* said where nothing is changed */
	struct reply	 reply;		/* what it came to		*/
	bool		 is_changed;
	struct validators_asked *asked;	/* of the resolver; or NULL	*/
};

/* Without files; hostname is borrowed. */
MUST_CHECK enum err validators_new(struct validators **out,
	    const char *hostname);
/* One more.  A file that is wrong is logged and no error: all is refused. */
MUST_CHECK enum err validators_add(struct validators *, struct span name,
	    struct span bytes);
/*
 * What the slice says; hostname is borrowed.  *out is NULL where there are no
 * files.
 */
MUST_CHECK enum err validators_open(struct validators **out,
	    const struct slice *edge, const char *hostname);
void	validators_close(struct validators **);

/* Is there a function for it?  Of NULL too. */
bool	validators_has(const struct validators *, enum point);

/* What set_banner_message() has said; false: nothing, and nothing is done. */
bool	validators_banner(const struct validators *, struct reply *);

/* Begin; turn->session, on_here, point and usual are set.  FAILED has been
 * logged, and turn->reply is what is to be said; so is that of DONE, if
 * is_changed. */
enum script_end validators_run(struct validators *, struct validators_turn *);
/* What it waited for is here. */
enum script_end validators_go_on(struct validators_turn *);
/* It is over, or is not wanted any more. */
void	validators_end(struct validators_turn *);

/* view.c: the object `session', and what a function gets behind the reply. */
void	validators_view(lua_State *);	/* once a state	*/
void	validators_push_session(lua_State *, const struct validators_turn *);
/* How many were pushed. */
int	validators_push_more(lua_State *, const struct validators_turn *);

/* dns.c: the table `dns'; what a turn has asked is forgotten. */
void	validators_dns(lua_State *);
void	validators_forget(struct validators_turn *);

/* answer.c: the table `reply', made of the usual one, and read; an error where
 * it makes no sense. */
void	validators_push_reply(lua_State *, const struct reply *usual);
void	validators_read_reply(lua_State *, int at, struct validators_turn *);

#endif
