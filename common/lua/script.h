/*
 * script - a file of Lua 5.4 that can do no harm: it reaches nothing but what
 * it is given, and ends.
 *
 * What it may hold, and take, is bounded by struct script_limits: bytes of
 * memory (an allocator of our own), steps (the count hook; our own functions
 * count theirs, and the patterns of strings do), bytes made by one call, and
 * time, in which no step is counted twice on a slow machine but which ends what
 * the steps do not see.  What remains of Lua's libraries is in script_base.c
 * and script_string.c: nothing that opens, runs, loads, waits, or looks into
 * the state.  postern-lua(7) has the list.
 *
 * A call runs in a thread of its own (a coroutine), so that a function given
 * to the script may wait: script_wait().  Other calls go on meanwhile.
 *
 * A script that was refused memory gets a new state before its next call, when
 * no call waits: what it had kept in global variables is lost, and it works.
 *
 * Owns	   the state, a copy of the files
 * Blocks  never
 * Errors  ERR_PEER the script is wrong, or failed: script_why(); ERR_FULL no
 *	   memory of ours
 */
#ifndef LUA_SCRIPT_H
#define LUA_SCRIPT_H

#include <lua.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define SCRIPT_STRING_MAX	(64u << 10)	/* bytes of one string	*/
#define SCRIPT_FILE_MAX		(256u << 10)	/* bytes of a file	*/

struct script;

struct script_limits {
	size_t		 memory;	/* bytes, of all calls together	*/
	size_t		 made;		/* bytes that a call may ask for, what
					 * it gives back counted too	*/
	uint64_t	 steps;		/* of a call, about one each
					 * instruction			*/
	int64_t		 ms;		/* of a call until it ends or waits */
};

/* What an edge, a queue and a relay give theirs. */
extern const struct script_limits script_usual;

/* Where and why it went wrong.  line 0: nowhere in the file. */
struct script_why {
	char		 file[256];
	unsigned	 line, column;	/* from 1; column 0: unknown	*/
	char		 text[256];
};

/* Put functions and values of our own into a new state. */
typedef void	script_library_fn(lua_State *, void *arg);

/*
 * A state in which nothing ran yet.  arg is for the library, which is called
 * for each new state; both are borrowed.
 */
MUST_CHECK enum err	script_new(struct script **out,
			    const struct script_limits *, script_library_fn *,
			    void *arg);
void			script_free(struct script **);

/* One more file, which runs at once, and in each new state.  name stands in
 * front of what it says: the path. */
MUST_CHECK enum err	script_add(struct script *, struct span name,
			    struct span bytes);

/* What went wrong last. */
const struct script_why	*script_why(const struct script *);

/*
 * A call.  It begins with a function of C, enter(), which gets arg as a light
 * pointer and runs the script's by lua_callk(): all that can fail happens
 * within.
 */
enum script_end {
	SCRIPT_DONE,
	SCRIPT_WAITS,	/* script_go_on() or script_drop() will follow	*/
	SCRIPT_FAILED	/* script_why(): logged by whoever called	*/
};

/* The wait is not wanted any more. */
typedef void	script_cancel_fn(void *arg);

struct script_call {
	struct script	*script;	/* NULL: none is under way	*/
	lua_State	*thread;
	int		 ref;		/* that holds the thread	*/
	uint64_t	 steps;		/* left				*/
	int		 pcall_cnt;	/* within each other		*/
	bool		 may_wait;	/* set it before script_call()	*/
	script_cancel_fn *cancel;	/* of the wait			*/
	void		*cancel_arg;
	void		*arg;		/* the caller's own		*/
};

MUST_CHECK enum script_end script_call(struct script *, struct script_call *,
		    lua_CFunction enter, void *arg);
/* What it waited for is here.  Never from within script_call(). */
MUST_CHECK enum script_end script_go_on(struct script_call *);
/* End it, its wait too.  Nothing where none is under way. */
void		script_drop(struct script_call *);

/* Within a call: the script, the call, and what steps that C took cost. */
struct script	*script_of(lua_State *);
struct script_call *script_under_way(lua_State *);
void		script_pay(lua_State *, uint64_t steps);
/* Steps left, for match.h; afterwards script_pay(L, 0). */
uint64_t	*script_steps(lua_State *);

/*
 * Within a function that was given to the script: wait, and go on in k with
 * ctx.  return script_wait(...).  An error in a call that may not wait.
 */
int		script_wait(lua_State *, script_cancel_fn *, void *arg,
		    lua_KFunction k, lua_KContext ctx);

/* Is it a file of Lua?  Compiled, not run.  ERR_PEER: *why. */
MUST_CHECK enum err	script_compile(struct span name, struct span bytes,
			    struct script_why *why);

#endif
