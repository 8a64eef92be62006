/*
 * spf - may this host send mail of this domain?  RFC 7208.  Pure: it says what
 * it wants to know from the DNS, one thing at a time, and is told.
 *
 *	spf_begin(&s, &facts)
 *	while (spf_wants(s, &type, &name))
 *		spf_tell(s, &answer)
 *	spf_result(s)
 *
 * It ends after at most 10 terms that look something up, each with at most 10
 * names, and after the third look-up that finds nothing (4.6.4).  What is no
 * name of a host cannot be looked up, and matches nothing (4.8).
 *
 * Owns	   its memory, and copies of the facts
 * Errors  ERR_SYS no memory
 */
#ifndef MAIL_SPF_H
#define MAIL_SPF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define SPF_LOOKUPS_MAX	10	/* terms that ask, RFC 7208 4.6.4	*/
#define SPF_NAMES_MAX	10	/* of an MX or PTR			*/
#define SPF_VOIDS_MAX	2	/* look-ups that find nothing		*/
#define SPF_NAME_MAX	253	/* bytes of a name			*/
#define SPF_RECORD_MAX	4096	/* bytes of a record; longer ones are an
				 * error of who made them		*/
#define SPF_EXP_MAX	256	/* bytes of an explanation, with NUL	*/

enum spf_result {
	SPF_NONE, SPF_NEUTRAL, SPF_PASS, SPF_FAIL, SPF_SOFTFAIL,
	SPF_TEMPERROR, SPF_PERMERROR, SPF__COUNT
};

/* As in the DNS. */
enum spf_type { SPF_A = 1, SPF_PTR = 12, SPF_MX = 15, SPF_TXT = 16,
	SPF_AAAA = 28 };

struct spf_facts {
	uint8_t		 ip[16];	/* network order; IPv4 the first four */
	bool		 is_ipv6;
	struct span	 sender;	/* of MAIL; empty: postmaster@helo */
	struct span	 helo;
	struct span	 receiver;	/* our name			*/
	int64_t		 now_s;
};

enum spf_found { SPF_FOUND, SPF_NOTHING, SPF_UNKNOWN /* it failed */ };

struct spf_answer {
	enum spf_found	 found;
	const struct span *records;	/* A, AAAA: bytes; MX, PTR: a name, MX
					 * in the order of preference; TXT: its
					 * strings joined		*/
	unsigned	 cnt;
};

struct spf;

MUST_CHECK enum err spf_begin(struct spf **out, const struct spf_facts *);
void	spf_free(struct spf **);

/* What does it want to know?  False: nothing more, there is a result. */
bool	spf_wants(const struct spf *, enum spf_type *, const char **name);
/* What was wanted; all of it is borrowed for the call. */
void	spf_tell(struct spf *, const struct spf_answer *);

enum spf_result spf_result(const struct spf *);
/* "pass" */
const char *spf_word(enum spf_result);
/* What the domain says of a fail, printable ASCII; or "". */
const char *spf_explanation(const struct spf *);
/* The domain that was asked about. */
const char *spf_domain(const struct spf *);

#endif
