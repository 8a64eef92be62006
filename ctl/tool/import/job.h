/*
 * job - one import: what was given, and the texts that come of it.
 *
 * It writes text only: where a table was a file of its own (virtual, a
 * password), that text comes out beside it.
 */
#ifndef CTL_IMPORT_JOB_H
#define CTL_IMPORT_JOB_H

#include <stdio.h>

#include "ctl/tool/import/main_cf.h"

struct job {
	struct main_cf	 given;		/* yours			*/
	const char	*dir;		/* of main.cf; borrowed		*/
	const char	*to;		/* where ours will be; borrowed	*/
	FILE		*conf;		/* the configuration		*/
	FILE		*virtual;	/* virtual aliases, our form	*/
	FILE		*password;	/* of the smarthost, one line	*/
	FILE		*notes;		/* what was not taken, a line each */
	/* Inside. */
	char		*hostname;
	bool		 has_virtual, has_password;
	bool		 is_abroad;
	FILE		*relays;	/* blocks behind the queue's	*/
	unsigned	 relay_cnt;
};

/* A value, yours, or the usual one; NULL: there is none. */
char	*job_get(struct job *, const char *name, const char *usual);

/* A line "as VALUE" in the configuration, where one is given. */
void	 job_copy(struct job *, const char *name, const char *as);

/* A line of the notes; words NULL: there is nothing to add. */
void	 job_note(struct job *, const char *name, const char *value,
	    const char *words);

#endif
