/*
 * report - the mistakes of a configuration: collected as they are found, told
 * at the end in the order of their places.
 */
#ifndef CONF_REPORT_H
#define CONF_REPORT_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "conf/read/arena.h"
#include "conf/conf.h"

/* A run of bytes of a file. */
struct place {
	uint32_t	 source;	/* index in struct sources	*/
	uint32_t	 at, len;	/* bytes			*/
};

struct source {
	const char	*name;		/* as told in reports and opened */
	struct span	 dir;		/* of name, with the last slash, or
					 * empty			*/
	struct span	 bytes;
	char		*owned;		/* the bytes, to be freed	*/
};

struct sources {
	unsigned	 cnt;
	struct source	 v[CONF_FILES_MAX];
};

struct mistake;

struct mistakes {
	struct arena	*arena;		/* borrowed			*/
	const struct sources *sources;	/* borrowed			*/
	unsigned	 cnt, warning_cnt;
	bool		 wants_facts;	/* see report_fact()		*/
	struct mistake	*last;		/* what notes belong to		*/
	TAILQ_HEAD(mistake_list, mistake) list;
};

void		 report_init(struct mistakes *, struct arena *,
		    const struct sources *);

/* "FILE:LINE", its beginning cut where there is no room. */
void		 report_place(const struct mistakes *, struct place, char *out,
		    size_t cap);

/* A mistake; len 0 of a place is one byte.  The text is made at once. */
void		 report_add(struct mistakes *, struct place, const char *fmt,
		    ...) __attribute__((format(printf, 3, 4)));

/* The same of what can be meant, and is more likely not: no mistake. */
void		 report_warn(struct mistakes *, struct place, const char *fmt,
		    ...) __attribute__((format(printf, 3, 4)));

/* What comes of what is not written, told where that is wanted. */
void		 report_fact(struct mistakes *, struct place, const char *fmt,
		    ...) __attribute__((format(printf, 3, 4)));

/* A second place that belongs to what was added last. */
void		 report_note(struct mistakes *, struct place, const char *text);

/* Tell all of them, and count them in the report. */
void		 report_tell(const struct mistakes *, struct conf_report *);

/* The length of a span for "%.*s", so that a mad one fills no report. */
int		 report_len(struct span);

#endif
