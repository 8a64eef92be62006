/*
 * account - the users file: one account a line, `name:hash', and behind a
 * second colon whatever else the administrator keeps there.
 *
 *	# comment
 *	ann@example.org:$y$j9T$...
 *	bob:$6$...:Bob, Sales
 *
 * A name is what a client logs in with, compared byte for byte up to its last
 * "@", and as a domain behind it (domain.h).  The hash is a string of crypt(5);
 * a scheme in front that means no more than that, as Dovecot writes it
 * ("{SHA512-CRYPT}$6$..."), is left out.  A line whose hash is none (empty, "*"
 * or "!$6$...") is an account that is locked: it is there, and hash is empty,
 * which no password matches; is_odd tells whether it was meant as one.  Empty
 * lines, comments and lines with no good name are no accounts.  The first line
 * of a name is the one that counts.  CRLF line ends and a byte order mark are
 * taken.
 *
 * Owns	   nothing; what comes out points into the text, but for the texts that
 *	   account_put() and account_remove() make
 * Errors  ERR_PEER a name or a hash that is none; ERR_NONE no such account;
 *	   ERR_FULL no memory
 */
#ifndef MAIL_ACCOUNT_H
#define MAIL_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "mail/domain.h"

#define ACCOUNT_NAME_MAX	255	/* bytes			*/
#define ACCOUNT_HASH_MAX	383	/* bytes; less than what crypt(3) calls
					 * CRYPT_OUTPUT_SIZE		*/
#define ACCOUNT_FILE_MAX	(64u << 20)	/* bytes we read of a file */

#define ACCOUNT_KEY_MAX		(ACCOUNT_NAME_MAX + DOMAIN_KEY_MAX)

struct account {
	struct span	 name;
	struct span	 hash;		/* empty: locked		*/
	bool		 is_odd;	/* or something that is no hash	*/
	struct span	 rest;		/* behind the second colon	*/
};

enum account_line {
	ACCOUNT_NOTHING,	/* empty, or a comment			*/
	ACCOUNT_IS,		/* an account, in *out			*/
	ACCOUNT_BROKEN		/* neither: no colon, or no good name	*/
};

/* Take one line off the front of *text, which is not empty; *line is it without
 * its end. */
enum account_line	account_line(struct span *text, struct span *line,
			    struct account *out);

/*
 * Take lines off the front of *text up to and with the next account.  False,
 * and *text empty, when there is no other.
 */
bool	account_next(struct span *text, struct account *out);

/* The account of that name; false, and *out as it was, if there is none. */
bool	account_find(struct span text, struct span name, struct account *out);

/* Are these names of one account? */
bool	account_is_same(struct span, struct span);

/* A text that is equal for names of one account, in out or the name itself. */
struct span	account_key(struct span name, char out[ACCOUNT_KEY_MAX]);

/*
 * Bytes of memory that checking a password against it takes, as far as its
 * method is made to take much; 0 for all others.
 */
uint64_t account_hash_bytes(struct span hash);

/*
 * Could this be a name: 1 to ACCOUNT_NAME_MAX bytes of well-formed UTF-8, no
 * control, no colon, no blank at either end, no "#" in front?
 */
bool	account_is_name(struct span);

/* Could crypt(3) have made this: printable ASCII but for ":;*!\" and blank? */
bool	account_is_hash(struct span);

/*
 * The text with that account's hash changed, or a line for it at the end; all
 * else stays as it is.  A first line of its own keeps what stands behind its
 * hash.  On OK out->ptr is yours, to be freed.
 */
MUST_CHECK enum err	account_put(struct span text, struct span name,
			    struct span hash, struct span *out);

/*
 * The text without any line of that name, so that no second one comes to the
 * fore.  On OK out->ptr is yours, to be freed (never NULL).
 */
MUST_CHECK enum err	account_remove(struct span text, struct span name,
			    struct span *out);

#endif
