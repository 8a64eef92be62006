/*
 * block - the blocks of a configuration with all their options, understood and
 * completed with defaults.
 */
#ifndef CONF_BLOCK_H
#define CONF_BLOCK_H

#include <sys/queue.h>

#include "conf/conf.h"
#include "conf/kinds.h"
#include "conf/options.h"
#include "conf/read/parse.h"
#include "conf/read/read.h"

#define BLOCKS_MAX	4096	/* of one configuration			*/

/* What a queue can reach a relay with. */
#define REACH_MAIL	0x01u	/* anybody's mail			*/
#define REACH_LOGIN	0x02u	/* mail of who has logged in		*/
#define REACH_BOUNCE	0x04u	/* bounces of our own			*/

struct setting {
	bool		 given;		/* by the administrator		*/
	struct place	 place;		/* of its name, where given	*/
	unsigned	 cnt, room;
	struct reading	*v;		/* cnt of them			*/
};

struct block {
	TAILQ_ENTRY(block) entry;
	enum option_block no;
	bool		 given;		/* else made of defaults	*/
	struct span	 name;		/* of a NAMED block		*/
	struct place	 place;		/* of its word			*/
	struct place	 name_place;
	struct block	*target;	/* an edge's queue, a queue's relay of
					 * last resort, or NULL		*/
	struct block	*users;		/* an edge's			*/
	struct block	*bounce_target;	/* a queue's bounce_queue, or NULL */
	struct block	**relays;	/* all a queue can reach, once each */
	uint8_t		*reach;		/* of each: bits of REACH_*	*/
	unsigned	 relay_cnt;
	uint32_t	 uid, gid;	/* of `user', as root		*/
	TAILQ_HEAD(block_list, block) blocks;
	struct setting	 settings[OPTION__COUNT];
};

struct conf {
	struct arena	 arena;
	struct sources	 sources;
	struct mistakes	 mistakes;
	const struct conf_opener *opener;	/* while loading	*/
	const struct conf_host	*host;		/* while loading	*/
	struct read_place read_place;
	unsigned	 block_cnt;
	struct block	*top;
	struct block	*process;
	struct span	 fqdn;
	bool		 is_root;
	uint32_t	 uids[ROLE__COUNT], gids[ROLE__COUNT];	/* as root */
};

/* The tree of what was written into conf->top.  Mistakes are reported. */
void		 block_settle(struct conf *, const struct node *tree);

/* A queue of this type that a `relay' of the edge stands for, named as that. */
struct block	*block_make_queue(struct conf *, const struct block *edge,
		    struct span type, const struct reading *relay);

/* The n-th block of the kind within it; NULL when there are no more. */
struct block	*block_nth(const struct block *, enum option_block, unsigned n);
unsigned	 block_count(const struct block *, enum option_block);

/* By name, of the outermost ones; NULL when there is none. */
struct block	*block_named(const struct conf *, enum option_block,
		    struct span name);

/* The first value of an option; empty and 0 when there is none. */
struct span	 block_text(const struct block *, enum option_no);
uint64_t	 block_num(const struct block *, enum option_no);

/* All listeners of an edge are unix sockets. */
bool		 block_is_local(const struct block *edge);

/* The n-th address that a listener stands for: "" is two, :: and 0.0.0.0. */
bool		 block_listener_net(const struct block *listener, unsigned n,
		    struct net *out);
/* Can somebody beyond this host reach the listener, or one of the edge?  By a
 * proxy everybody can. */
bool		 block_is_beyond(const struct block *listener);
bool		 block_is_abroad(const struct block *edge);

/* Its `type'; empty when it has or knows none. */
struct span	 block_kind(const struct block *);
bool		 block_is(const struct block *, const char *kind);
/* The process that a relay of a known type becomes. */
enum role	 block_role(const struct block *relay);
/* Does its program run as the recipient? */
bool		 block_as_recipient(const struct block *relay);
/*
 * Does this fact, KIND_*, hold for its type, or for what else it says?  Of none
 * but relays.
 */
bool		 block_has(const struct block *, unsigned fact);

/* Its `tls', if that has a key to sign with; else NULL. */
const struct block *block_keyed(const struct block *);

/* Does a relay, or an edge, ask the resolver?  Then it has a link to it. */
bool		 block_asks_dns(const struct block *);

/* Does its type make what is for these kinds meaningless here? */
bool		 block_lacks(const struct block *, const char *kinds);

/* Give an option one value. */
void		 block_set(struct conf *, struct block *, enum option_no,
		    struct span text, uint64_t num);

/* Take away what an option was set to, as if it had no value. */
void		 block_unset(struct block *, enum option_no);

/* "edge in", "rules of edge in": for reports. */
const char	*block_words(struct conf *, const struct block *);

#endif
