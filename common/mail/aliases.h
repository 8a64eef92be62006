/*
 * aliases - a file of aliases, as sendmail(1) has had it since 1980: who stands
 * for whom.  Pure: the words of the file are told one after the other.
 *
 *	root:		ann, bob@example.net	# to the end of the line
 *	"a b":		carol, \carol
 *		dave				a blank begins what goes on
 *	team:		:include:lists/team
 *	owner-team:	ann
 *	sales@example.org:	ann
 *	@example.net:	@example.org
 *
 * Words are spans of the text, so that the caller can tell where they stand.
 * What would run a program, or write a file, is a fault here.
 */
#ifndef MAIL_ALIASES_H
#define MAIL_ALIASES_H

#include "base/err.h"
#include "base/span.h"
#include "mail/address.h"

/* Their numbers travel in the slice of a queue. */
enum aliases_word {
	ALIASES_KEY,		/* who: user, user@domain or @domain	*/
	ALIASES_NAME,		/* for whom: user or user@domain	*/
	ALIASES_STOP,		/* the same, not looked for again	*/
	ALIASES_DOMAIN,		/* @domain: whoever it is, there	*/
	ALIASES_INCLUDE,	/* a path, of a file as below		*/
	ALIASES__COUNT
};

struct aliases_calls {
	void	(*word)(void *arg, enum aliases_word, struct span);
	/* It is left out; why is one line of text. */
	void	(*fault)(void *arg, struct span at, const char *why);
};

void	aliases_read(struct span text, const struct aliases_calls *,
	    void *arg);

/* Of a file that is included: just names, and none of ALIASES_INCLUDE. */
void	aliases_read_list(struct span text, const struct aliases_calls *,
	    void *arg);

#endif
