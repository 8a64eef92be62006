/*
 * store_engine - what an engine behind store.h is: a table of calls, and a
 * struct of its own that begins with struct store_base.  store.c has one front
 * for all calls, and hands each op over as it is: the engine tells by its kind
 * what it is (store_ops.def).
 *
 * An engine answers every op once, in the loop's thread, never from within
 * hand(), and those that change something in the order they were handed over.
 * What it takes before it has said ready() is answered after that.  It may
 * take long, and tells by space() that nothing should be begun meanwhile; that
 * it lost the way to what it keeps is no reason to say broken().
 *
 * STORE_PIECES_MAX and STORE_FLOW_MAX are what every engine must take, and no
 * questions to it: names of flows lie in struct store_flow itself, of which an
 * answer has 64, and each would have to be allocated otherwise.  An engine with
 * other bounds checks them as it is compiled (lmdb), or keeps a hash of a name
 * beside it.
 */
#ifndef QUEUE_STORE_ENGINE_H
#define QUEUE_STORE_ENGINE_H

#include "queue/store/store_damage.h"
#include "queue/store/store_due.h"
#include "queue/store/store_edit.h"
#include "queue/store/store_envelope.h"
#include "queue/store/store_intake.h"
#include "queue/store/store_list.h"
#include "queue/store/store_report.h"
#include "queue/store/store_settle.h"
#include "queue/store/store_story.h"

enum store_kind {
#define WRITE(call, type, kind)	STORE_##kind,
#define READ(call, type, kind)
#include "queue/store/store_ops.def"
#undef WRITE
#undef READ
	STORE_READS,	/* from here on	nothing is changed		*/
	STORE__BEFORE_READS = STORE_READS - 1,
#define WRITE(call, type, kind)
#define READ(call, type, kind)	STORE_##kind,
#include "queue/store/store_ops.def"
#undef WRITE
#undef READ
	STORE__COUNT	/* from here on an engine's own			*/
};

struct store_engine {
	bool		 keeps;		/* what was accepted outlives us */
	enum err	(*open)(struct store **, const struct store_start *);
	void		(*close)(struct store **);
	void		(*set_limits)(struct store *,
			    const struct store_limits *);
	void		(*hand)(struct store *, struct store_op *);
	int64_t		(*lived_ms)(const struct store *);
	/* NULL: what we have we have until we let it go. */
	int64_t		(*deadline)(const struct store *);
	/* NULL: all flows are in shard 0. */
	unsigned	(*shard)(const struct store *, struct span flow);
	/* NULL: nobody waits for a shard.  Not answered; all that was handed
	 * over before, and is of that shard, has come back. */
	void		(*release)(struct store *, unsigned shard);
};

/* Those of kinds.def, each in a folder of its own. */
#define STORE(engine)	extern const struct store_engine engine;
#define NO_STORE
#define QUEUE_KIND(word, role, facts, by)	by
#include "conf/kinds.def"
#undef STORE
#undef NO_STORE

struct store_base {
	const struct store_engine *engine;
	struct ev_loop	*loop;
	struct store_calls calls;
	void		*arg;
};

void	store_engine_init(struct store_base *, const struct store_start *);

/* Its calls; those that a queue may do without are nothing then. */
void	store_engine_ready(const struct store_base *,
	    const struct store_ready *);
void	store_engine_held(const struct store_base *, uint64_t message_cnt);
void	store_engine_owned(const struct store_base *, unsigned shard);

#endif
