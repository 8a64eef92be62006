/*
 * args - sendmail's command line, as decades of programs have come to use it.
 *
 * What other mailers know and we have no use for is taken and ignored; what
 * would mean something else entirely (-bd, -M) is refused.
 */
#ifndef CTL_SENDMAIL_ARGS_H
#define CTL_SENDMAIL_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "mail/dsn.h"

enum args_mode {
	MODE_SEND,
	MODE_LIST,		/* -bp, mailq			*/
	MODE_FLUSH,		/* -q				*/
	MODE_ALIASES,		/* -bi, newaliases		*/
	MODE_TALK,		/* -bs				*/
	MODE_VERIFY,		/* -bv				*/
	MODE_ROUTE,		/* -bt				*/
	MODE_NOTHING		/* what has nothing to do here	*/
};

struct args {
	enum args_mode	 mode;
	bool		 reads_recipients;	/* -t		*/
	bool		 dot_is_text;		/* -i, -oi	*/
	bool		 is_dotted;	/* as in SMTP: -bs alone	*/
	bool		 is_loud;		/* -v		*/
	const char	*sender;		/* -f, -r; NULL	*/
	const char	*name;			/* -F; NULL	*/
	const char	*config;		/* -C; NULL	*/
	const char	*home;		/* the first of its own domains, as the
					 * configuration has it; NULL	*/
	uint8_t		 notify;		/* -N, DSN_* bits; 0 */
	uint8_t		 ret;			/* -R, enum dsn_ret */
	char		 envid[DSN_ENVID_MAX];	/* -V, as xtext	*/
	size_t		 envid_len;		/* 0: not given	*/
	char		**rcpts;		/* behind the options */
	int		 rcpt_cnt;
};

/* ERR_PEER: wrong, and said on standard error.  *out points into argv. */
MUST_CHECK enum err	args_read(struct args *out, int argc, char **argv);

#endif
