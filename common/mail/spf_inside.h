/*
 * spf_inside - what spf.c and spf_eval.c share, and nobody else sees.
 */
#ifndef MAIL_SPF_INSIDE_H
#define MAIL_SPF_INSIDE_H

#include "mail/spf_term.h"

#define SPF_FRAMES_MAX	(SPF_LOOKUPS_MAX + 2)	/* records within records */

/* One record on the way: include is another one above it. */
struct spf_frame {
	char		 domain[SPF_NAME_MAX + 1];
	char		*record;	/* its terms; NULL: not there yet */
	size_t		 at;		/* how far we are		*/
	char		 qualifier;	/* of the include it is for	*/
	bool		 is_redirected;
};

/* What the answer that is waited for is about. */
enum spf_wait {
	SPF_WAIT_NONE, SPF_WAIT_RECORD, SPF_WAIT_ADDRESS, SPF_WAIT_MX,
	SPF_WAIT_MX_ADDRESS, SPF_WAIT_EXISTS, SPF_WAIT_PTR,
	SPF_WAIT_PTR_ADDRESS, SPF_WAIT_EXP
};

struct spf {
	struct spf_facts facts;		/* spans into the next	*/
	char		*sender, *helo, *receiver;
	char		 ip[64], client[64];	/* as %{i} and %{c}	*/
	char		 origin[SPF_NAME_MAX + 1];

	struct spf_frame frames[SPF_FRAMES_MAX];
	unsigned	 depth;
	unsigned	 lookups, voids;
	bool		 is_counted;	/* the term in hand		*/
	struct spf_term	 term;		/* while its answer is waited for */

	enum spf_wait	 wait;
	enum spf_type	 type;		/* what is wanted		*/
	char		 name[SPF_NAME_MAX + 1];
	char		 names[SPF_NAMES_MAX][SPF_NAME_MAX + 1];
	unsigned	 name_cnt, name_at;

	bool		 is_validated;	/* PTR was asked: */
	char		 valid[SPF_NAMES_MAX][SPF_NAME_MAX + 1];
	unsigned	 valid_cnt;

	bool		 is_done;
	enum spf_result	 result;
	char		*exp;		/* its text, macros in it	*/
	char		 explanation[SPF_EXP_MAX];
};

/* Is it a name that can be looked up, with two labels at least? */
bool	spf_is_name(const char *);

/* spf_eval.c: work on until something is wanted, or there is a result. */
void	spf_go_on(struct spf *);
void	spf_end(struct spf *, enum spf_result);
/* The topmost record, and the end of it. */
struct spf_frame *spf_top(struct spf *);
void	spf_frame_end(struct spf *, enum spf_result);
/* The term in hand has matched, or is done with. */
void	spf_matched(struct spf *);
void	spf_next_term(struct spf *);
/* Something is wanted: the record of the topmost frame; anything; the client's
 * name, if it is not known (then true: wait for it). */
void	spf_want_record(struct spf *);
void	spf_want(struct spf *, enum spf_wait, enum spf_type, const char *name);
bool	spf_must_validate(struct spf *);
/* A or AAAA, as the client's. */
enum spf_type spf_address_type(const struct spf *);
bool	spf_is_within(const uint8_t *a, const uint8_t *b, unsigned bits);
/* As spf_macro_put(), in the topmost frame. */
MUST_CHECK enum err spf_put_macros(struct spf *, struct span text,
	    bool is_text, char *out, size_t cap);

#endif
