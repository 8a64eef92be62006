/*
 * setup - the text of a configuration, made of an example and answers.  Pure.
 */
#ifndef CTL_SETUP_SETUP_H
#define CTL_SETUP_SETUP_H

#include <stdbool.h>

#include "base/err.h"

enum setup_no {
#define SETUP(kind, example, words)	SETUP_##kind##_NO,
#include "ctl/tool/setup/setup.def"
	SETUP__COUNT
};

enum setup_kind {			/* bits, for ASK		*/
#define SETUP(kind, example, words)	SETUP_##kind = 1 << SETUP_##kind##_NO,
#include "ctl/tool/setup/setup.def"
};

enum setup_key {
#define ASK(kinds, key, question, usual, find, put)	SETUP_ASK_##key,
#include "ctl/tool/setup/setup.def"
	SETUP_ASK__COUNT
};

struct setup_ask {
	unsigned	 kinds;
	const char	*question, *usual, *find, *put;
};

extern const struct setup_ask setup_asks[SETUP_ASK__COUNT];

/* "client: all mail of this host ..." */
const char	*setup_words(enum setup_no);

/* The one that this word, or the beginning of it, or its number means. */
bool		 setup_find(const char *word, enum setup_no *);

/*
 * Why this cannot stand in a configuration as it is, or NULL.
 */
const char	*setup_wrong(enum setup_key, const char *answer);

/*
 * The text, yours.  answers[k] is not NULL for each that is asked.
 * password_path is where a client's password is.  ERR_SYS: no memory.
 */
MUST_CHECK enum err setup_text(enum setup_no, const char *const *answers,
		    const char *password_path, char **out);

#endif
