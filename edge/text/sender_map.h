/*
 * sender_map - senders of this host as the provider knows them: `sender_map'
 * and `masquerade' of the queue's policies, for mail that programs of this host
 * and its logins send; and the domain behind a user alone, which such programs
 * write in a field of addresses (From: root (Cron Daemon)).  What strangers
 * send is never looked at.
 *
 * The envelope is changed at MAIL, so that the queue, its log and a bounce know
 * one sender only; the text at its end, before our fields go on top: From and
 * Sender are mapped, all fields of addresses completed.
 *
 * Owns	   copies of what the slice said
 * Errors  ERR_PEER the slice holds nonsense; ERR_FULL no memory
 */
#ifndef EDGE_SENDER_MAP_H
#define EDGE_SENDER_MAP_H

#include "conf/slice/slice.h"
#include "edge/client/grow.h"
#include "edge/text/origin.h"
#include "mail/command.h"
#include "mail/pattern.h"

#define SENDER_MAP_MAX	(PATH_MAX_SMTP + DOMAIN_MAX + 2) /* bytes with NUL */

struct sender_map {
	struct patterns	*patterns;	/* NULL: there are none		*/
	char		**to;		/* to_cnt: what each becomes	*/
	unsigned	 to_cnt;
	char		*domain;	/* in place of ours, or NULL	*/
	struct patterns	*homes;		/* those of ours		*/
	char		*home;		/* behind a bare user		*/
	enum err	 err;		/* while it is read		*/
	bool		 is_second;	/* of a pair			*/
};

MUST_CHECK enum err sender_map_init(struct sender_map *,
	    const struct slice *policies, const struct slice *process,
	    struct span home);
void	sender_map_fini(struct sender_map *);

/* Is there anything to do for mail of this origin? */
bool	sender_map_wants(const struct sender_map *, const struct origin *);

/*
 * What stands in place of this address, or of this user alone; into text, of
 * SENDER_MAP_MAX bytes, where it must be made.  Empty: it stays.
 */
struct span sender_map_find(const struct sender_map *, struct span address,
	    char *text);

/*
 * A header section with its addresses changed, behind what is in out already;
 * at most max bytes more.  ERR_NONE: nothing is to be changed, in a text of
 * this origin or in this one.
 */
MUST_CHECK enum err sender_map_header(const struct sender_map *,
	    const struct origin *, struct span header, struct grow *out,
	    size_t max);

#endif
