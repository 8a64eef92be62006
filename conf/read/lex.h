/*
 * lex - the bytes of a configuration file as words and signs.
 *
 *	word	any bytes but blanks, { } ; " and #
 *	string	"..." on one line, with \" \\ \n \t
 *	sign	{ } ; and the end of a line
 *	comment	# to the end of the line
 */
#ifndef CONF_LEX_H
#define CONF_LEX_H

#include <stdbool.h>

#include "conf/read/report.h"

enum token_kind {
	TOKEN_WORD, TOKEN_STRING, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_STOP,
	TOKEN_END
};

struct token {
	enum token_kind	 kind;
	struct span	 text;		/* of words and strings, undone	*/
	struct place	 place;
};

struct lexer {
	struct mistakes	*mistakes;	/* borrowed			*/
	struct span	 bytes;		/* of the file			*/
	uint32_t	 source;
	size_t		 at;		/* next byte			*/
};

void		 lex_init(struct lexer *, struct mistakes *, uint32_t source);

/* The next token; mistakes within it are reported, and it is made good. */
struct token	 lex_next(struct lexer *);

/*
 * After a TOKEN_OPEN: if it is really the begin of {user}, {fqdn}, {sender} and
 * the like, the rest of that unquoted value is skipped and its place given.
 */
bool		 lex_skip_holder(struct lexer *, struct place open,
		    struct place *whole);

#endif
