/*
 * script_inside - what the files of script share.
 */
#ifndef LUA_SCRIPT_INSIDE_H
#define LUA_SCRIPT_INSIDE_H

#include <sys/queue.h>

#include "lua/script.h"

struct script_file {
	STAILQ_ENTRY(script_file) entry;
	char		*name;		/* with @ in front, for Lua	*/
	struct span	 bytes;		/* behind it			*/
};

struct script {
	lua_State	*state;		/* NULL: a new one is due	*/
	struct script_limits limits;
	script_library_fn *library;
	void		*arg;
	STAILQ_HEAD(, script_file) files;
	size_t		 used;		/* bytes of the state		*/
	size_t		 made;		/* bytes by the call under way	*/
	const char	*refused;	/* memory, in this call; NULL no */
	bool		 is_stale;	/* a new state is due		*/
	bool		 is_spent;	/* the call under way is to end	*/
	struct script_call *now;	/* under way, or NULL		*/
	uint64_t	 left;		/* steps of it			*/
	int64_t		 until_ms;
	unsigned	 call_cnt;	/* that wait			*/
	lua_State	*spare;		/* a thread that is done	*/
	int		 spare_ref;
	struct script_why why;
};

#define SCRIPT_HOOK_EVERY	1000	/* instructions		*/

/* script_within.c: the hook. */
void	script_on_count(lua_State *, lua_Debug *);

/* script_base.c, script_string.c: what scripts have of Lua's. */
void	script_base(lua_State *);
void	script_string(lua_State *);

#endif
