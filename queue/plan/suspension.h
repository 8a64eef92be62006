/*
 * suspension - which relays and destinations an administrator has suspended,
 * and for how long others were.  Pure.
 *
 * One is of a relay, of a destination whatever relay it goes by, or of a
 * destination by one relay alone.  A destination is the domain of a recipient:
 * letters are compared without regard to case, and a dot at its end is none.
 *
 * The time that mail waits for one does not count for its lifetime, so one that
 * is over is remembered for as long as mail may be there that has waited for
 * it.  Of several only the sum is kept, as if it had been one that ended with
 * the last: that may spare a message that came in between too much, and never
 * too little.
 *
 * Owns	   the set, and what is in it
 * Errors  ERR_PEER that is no name; ERR_FULL there are too many; ERR_SYS
 */
#ifndef QUEUE_SUSPENSION_H
#define QUEUE_SUSPENSION_H

#include <sys/tree.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"
#include "queue/store/record.h"

#define SUSPENSION_REASON_MAX	400	/* bytes; longer ones are cut	*/
#define SUSPENSION_WHO_MAX	100
#define SUSPENSIONS_MAX		10000

struct suspension {
	RB_ENTRY(suspension) by_name;
	char		 relay[BLOCK_NAME_MAX + 1];	/* "": any	*/
	char		 domain[DOMAIN_MAX + 1];	/* "": all	*/
	bool		 is_active;
	bool		 is_changing;	/* on its way to the disk	*/
	int64_t		 since_ms;	/* wall clock; 0: nobody knows	*/
	int64_t		 since_lived_ms;	/* store_lived_ms() then */
	int64_t		 past_from_ms, past_until_ms;	/* the same	*/
	char		 reason[SUSPENSION_REASON_MAX + 1];
	char		 who[SUSPENSION_WHO_MAX + 1];
};

struct suspension_set;

MUST_CHECK enum err suspension_new(struct suspension_set **out);
void	suspension_free(struct suspension_set **);

/* As it is compared; false: it is no domain, nor an address literal. */
bool	suspension_domain(struct span, char out[DOMAIN_MAX + 1]);

/* The one of that name, over or not; NULL: none. */
struct suspension *suspension_find(const struct suspension_set *,
	    const char *relay, const char *domain);

/* The same, made where there was none: neither active nor past. */
MUST_CHECK enum err suspension_want(struct suspension_set *,
	    const char *relay, const char *domain, struct suspension **out);

/* Forget it. */
void	suspension_drop(struct suspension_set *, struct suspension **);

/* It begins; since when is kept, if it has begun already. */
void	suspension_begin(struct suspension *, struct span reason,
	    struct span who, int64_t now_ms, int64_t lived_ms);
/* It is over, and remembered. */
void	suspension_end(struct suspension *, int64_t lived_ms);

/*
 * It becomes what `from' is, but for its names; all changes of one in the set
 * are made by this.
 */
void	suspension_assume(struct suspension_set *, struct suspension *,
	    const struct suspension *from);

/* The first behind that name in their order, over or not; NULL: none. */
struct suspension *suspension_next(const struct suspension_set *,
	    const char *relay, const char *domain);

/* How many are active, and of a destination. */
unsigned suspension_cnt(const struct suspension_set *);
bool	suspension_has_domains(const struct suspension_set *);

/*
 * The active one that keeps mail from this destination of the scheduler's, by
 * this relay: name is a domain, or the relay's own.  NULL: none does, or there
 * is no set.
 */
const struct suspension *suspension_of(const struct suspension_set *,
	    const char *relay, const char *name);

/* The same of a domain by this relay, whatever the relay connects to. */
const struct suspension *suspension_of_domain(const struct suspension_set *,
	    const char *relay, const char *domain);

/*
 * For how long a message that came at from_ms has waited there because of one,
 * up to now; both as store_lived_ms().
 */
int64_t	suspension_waived_ms(const struct suspension_set *, const char *relay,
	    const char *name, int64_t from_ms, int64_t now_ms);

/* Its record, whose strings point into it; and back. */
void	suspension_to_record(const struct suspension *,
	    struct record_suspension *);
MUST_CHECK enum err suspension_from_record(struct suspension_set *,
	    const struct record_suspension *);

#endif
