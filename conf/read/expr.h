/*
 * expr - the little arithmetic of `retry { delay EXPR }`.
 *
 *	expr  = sum
 *	sum   = term { ("+" | "-") term }
 *	term  = sign { ("*" | "/") sign }
 *	sign  = [ "-" | "+" ] power
 *	power = atom [ "**" sign ]			right to left
 *	atom  = number | "n" | "x" | "(" sum ")" |
 *		("min" | "max") "(" sum { "," sum } ")"
 *
 * Of the attempts made so far n is the number of the last one counted from 0,
 * x counted from 1, as slimta has it.  The result is in seconds and always a
 * plain number from 0 to EXPR_CAP: what is negative is 0, what overflows,
 * divides by nothing or has no value is EXPR_CAP.
 *
 * Errors  ERR_PEER the text is no expression
 */
#ifndef CONF_EXPR_H
#define CONF_EXPR_H

#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

#define EXPR_LEN_MAX	256		/* bytes of an expression	*/
#define EXPR_DEPTH_MAX	32		/* parentheses, signs and powers within
					 * each other			*/
#define EXPR_CAP	315360000.0	/* seconds: ten years		*/

/* The value for this n; x is one more. */
MUST_CHECK enum err	expr_eval(struct span text, double n, double *out);

/*
 * Is it an expression?  If not, *why (static text) says what is wrong at byte
 * *at.
 */
MUST_CHECK enum err	expr_check(struct span text, size_t *at,
			    const char **why);

#endif
