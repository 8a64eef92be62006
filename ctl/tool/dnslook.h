/*
 * dnslook - questions to DNS by the resolver's library, and what was found of a
 * domain, a line each, with the lines of a zone that are to be added.
 *
 * Owns	   the library's context; each answer until dnslook_done()
 * Blocks  until a name server has answered, or none does
 */
#ifndef CTL_TOOL_DNSLOOK_H
#define CTL_TOOL_DNSLOOK_H

#include "ctl/tool/mailrec.h"
#include "ctl/tool/run.h"

#define DNSLOOK_ADD_MAX		64	/* lines of a zone		*/
#define DNSLOOK_ADD_LEN		2048

#define DNSLOOK_A		1
#define DNSLOOK_PTR		12
#define DNSLOOK_MX		15
#define DNSLOOK_TXT		16
#define DNSLOOK_AAAA		28
#define DNSLOOK_TLSA		52

enum dnslook_end { DNSLOOK_FOUND, DNSLOOK_NONE, DNSLOOK_FAILED };

enum dnslook_state {
	DNSLOOK_GOOD,
	DNSLOOK_MISSING,
	DNSLOOK_WRONG,
	DNSLOOK_OPTIONAL,	/* missing, and mail goes without it	*/
	DNSLOOK_UNKNOWN,	/* nobody has answered			*/
	DNSLOOK__COUNT
};

struct ub_ctx;
struct ub_result;

struct dnslook {
	const char	*domain;	/* borrowed			*/
	bool		 json;
	char		 host[MAILREC_NAME_MAX]; /* that is looked at	*/
	struct ub_ctx	*ub;
	bool		 validates;	/* there is a trust anchor	*/
	const char	*config, *certificate;	/* the file; or of that
					 * configuration; borrowed	*/
	char		 hosts[DNSLOOK_ADD_LEN]; /* of MX: ", mx: NAME"	*/
	unsigned	 bad_cnt;	/* missing, wrong, unknown	*/
	unsigned	 add_cnt;
	char		 adds[DNSLOOK_ADD_MAX][DNSLOOK_ADD_LEN];
};

struct dnslook_answer {
	struct ub_result *result;	/* or NULL			*/
	unsigned	 cnt;		/* records			*/
	bool		 is_unsigned;	/* and somebody has looked	*/
};

/*
 * By this server, "ADDRESS" or "ADDRESS@PORT", or NULL: those of the host.
 * Told, but for END_DONE.
 */
enum run_end	 dnslook_open(struct dnslook *, const char *server);
/* Say what is to be added; END_NOTHING: something is not as it should be. */
enum run_end	 dnslook_close(struct dnslook *);

/* dnslook_done() the answer in any case. */
enum dnslook_end dnslook_ask(struct dnslook *, const char *name, int rrtype,
		    struct dnslook_answer *);
struct span	 dnslook_row(const struct dnslook_answer *, unsigned i);
void		 dnslook_done(struct dnslook_answer *);

/* "MX" of this name is so: its value, or ""; a remark, or NULL. */
void		 dnslook_tell(struct dnslook *, const char *kind,
		    const char *name, enum dnslook_state, const char *value,
		    const char *why);

/* A line of the zone. */
void		 dnslook_add(struct dnslook *, const char *format, ...)
		    __attribute__((format(printf, 2, 3)));

#endif
