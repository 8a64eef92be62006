/*
 * run - what this run of posternctl was told on its command line, and the ways
 * it ends.
 */
#ifndef CTL_TOOL_RUN_H
#define CTL_TOOL_RUN_H

#include <stdbool.h>

#include "bus/messages.h"
#include "ctl/tool/select.h"
#include "ctl/tool/talk.h"

/* Exit status, posternctl(8). */
enum run_end {
	END_DONE,
	END_NOTHING,		/* nothing matched; a mistake; a failure */
	END_USAGE,
	END_AWAY,		/* postern is not running		*/
	END_DENIED		/* the caller may not			*/
};

struct run {
	bool		 quiet;		/* nobody is told		*/
	const char	*config;	/* path of the configuration	*/
	const char	*socket;	/* --socket, else NULL		*/
	const char	*users_file;	/* --file, else NULL		*/
	const char	*users_block;	/* --users, else NULL		*/
	bool		 json, yes, dry_run;
	bool		 follow;	/* trace: --follow		*/
	bool		 bounce;	/* route: a bounce of ours	*/
	const char	*count, *age;	/* status: --count, --age	*/
	bool		 check, prometheus;	/* and their forms	*/
	bool		 header, whole;	/* queue cat: that much	*/
	const char	*server, *selector;	/* dns: --server, --selector */
	const char	*certificate;	/* and --certificate		*/
	const char	*via;		/* queue move: --via, else NULL	*/
	const char	*text;		/* queue bounce: --text, else NULL */
	const char	*reason;	/* suspend: --reason, else NULL	*/
	struct select	 select;
	char		**args;		/* what stands behind the verb	*/
	int		 arg_cnt;
};

/* "posternctl: ..." on standard error. */
void		 run_complain(const char *format, ...)
		    __attribute__((format(printf, 1, 2)));

/* Reach control.  END_DONE and *out is yours; else the caller was told why. */
enum run_end	 run_reach(const struct run *, struct talk **out);

/* The same for those who can do without: ERR_NONE postern is not running. */
MUST_CHECK enum err run_try(const struct run *, struct talk **out);

/* How a talk that ended so ends the run; the caller is told why. */
enum run_end	 run_lost(enum err);

/* What tool_done says to a question: told, but for END_DONE. */
enum run_end	 run_status(const struct msg_tool_done *);

/*
 * Send a question, a struct msg_NAME, and hear answers until fn is content.  It
 * does not see tool_done, which ends the question and says how.  Told likewise.
 */
enum run_end	 run_ask(struct talk *, unsigned type, const void *m,
		    talk_fn *, void *arg);

/*
 * Want something of master, by a message answered with tool_done; while it is
 * busy with another change, try again for some seconds.  Told, but for
 * END_DONE.  That there is nothing of that name is END_DONE and *is_none where
 * the caller wants to know, and a complaint where is_none is NULL.
 */
enum run_end	 run_want(struct talk *, unsigned type, const void *m,
		    bool *is_none);

/* The file beside our own, with that name; "" if it cannot be found out. */
void		 run_beside(const char *name, char *buf, size_t cap);

#endif
