/*
 * dialogue - a person answers line by line on standard input.
 *
 * Blocks  on the person
 * Errors  ERR_NONE the input has ended
 */
#ifndef CTL_SETUP_DIALOGUE_H
#define CTL_SETUP_DIALOGUE_H

#include "ctl/tool/setup/setup.h"

#define DIALOGUE_MAX	512	/* bytes of an answer with NUL	*/

struct dialogue {
	enum setup_no	 no;
	char		 answers[SETUP_ASK__COUNT][DIALOGUE_MAX];
};

/* What is to be made of this host: by word, or asked when it is NULL. */
MUST_CHECK enum err dialogue_kind(struct dialogue *, const char *word);

/* All questions of the kind; a wrong answer is asked for again. */
MUST_CHECK enum err dialogue_ask(struct dialogue *);

#endif
