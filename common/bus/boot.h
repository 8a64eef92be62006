/*
 * boot - how a program of ours begins, hears of its peers, and ends.
 *
 *	main() {
 *		boot_start(&b, argc, argv, &calls, arg)	what am I, my slice
 *		... read the slice, open what must be opened ...
 *		boot_seal(b, root)	enter the sandbox
 *		... start threads, open below the root ...
 *		return boot_run(b)	ready; loop until told to end
 *	}
 *
 * Descriptor 3 is the link to master; a program started by hand has none, says
 * so and exits with 2.  boot does ids, sandbox, pings, link bookkeeping and the
 * orderly end; the program gives it the calls below.
 *
 * Owns	   the loop, the link to master, the slice's map, the listeners
 * Blocks  boot_start() waits for master; boot_run() is the loop
 * Errors  fatal: this is start-up, and nothing has been promised yet
 */
#ifndef BUS_BOOT_H
#define BUS_BOOT_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "bus/link.h"
#include "sys/ev.h"

#define BOOT_LISTENERS_MAX	64
#define BOOT_FILES_MAX		256
#define BOOT_ENDPOINTS_ASKED	16384	/* that master has not made yet	*/
#define BOOT_ENDPOINT_MS	60000	/* for master to make one	*/
#define BOOT_DAMAGED		3	/* exit status */
#define BOOT_ANEW		4	/* exit status */

struct boot;

struct boot_calls {
	/*
	 * A link to a peer, new or in place of one that is gone: fd is yours,
	 * normally for link_open().  Called from boot_run() on, the first
	 * ones before anything else happens.
	 */
	void	(*peer)(struct boot *, int fd, const struct link_peer *,
		    void *arg);
	/* No link to this process number will come any more.  May be NULL. */
	void	(*peer_gone)(struct boot *, uint32_t no, void *arg);
	/*
	 * Take a new slice (borrowed, valid until the next one).  On error the
	 * old one stays in force.  NULL in programs replaced by generation.
	 */
	enum err (*reload)(struct boot *, struct span slice, void *arg);
	/*
	 * Finish what was promised, begin nothing new, and call boot_done().
	 * After patience_ms you are ended anyway.  Called again, with less
	 * patience, when it has to be over sooner.  Watch the listeners no
	 * more: they are closed after the call.
	 */
	void	(*drain)(struct boot *, uint32_t patience_ms, void *arg);
	/* How many messages are held; the queue's answer.  May be NULL. */
	uint64_t (*holding)(struct boot *, void *arg);
	/*
	 * Master says what boot knows nothing of: supervisor_*, for control.
	 * fd is yours or -1.  NULL: such a message is nonsense.
	 */
	enum err (*on_message)(struct boot *, unsigned type, const union msg *,
		    int fd, void *arg);
};

/* A connection made by master, fd yours; or -1 and its errno. */
typedef void boot_endpoint_fn(int fd, int error, void *arg);

/*
 * role is the program's; for postern-relay master says which of the two rows
 * it is, see boot_self().  Sets up logging, titles the process, and returns
 * when master has said all.  Exits on failure.
 */
struct boot	*boot_start(int argc, char **argv,
		    const struct boot_calls *, void *arg);

struct ev_loop	*boot_loop(struct boot *);
/* Who we are: role, block, worker, number, start. */
const struct link_peer *boot_self(const struct boot *);
struct span	 boot_slice(const struct boot *);
/* Listening sockets in the order of the slice's listener blocks; borrowed. */
int		 boot_listener(const struct boot *, unsigned index);
unsigned	 boot_listener_cnt(const struct boot *);
/*
 * Files that master opened for us, for reading, by the index that a FILE
 * option's number is in the slice; borrowed, -1 when there is no such.  Within
 * reload() they are those of the new slice, and stay so if it takes it.
 */
int		 boot_file(const struct boot *, unsigned index);
unsigned	 boot_file_cnt(const struct boot *);
/*
 * The file of marks (sys/marks.h) that all workers of our block have, those of
 * an earlier generation too; borrowed, -1 in a program that gets none.
 */
int		 boot_marks(const struct boot *);
/* Whom we become in boot_seal(), where we are root. */
void		 boot_ids(const struct boot *, uint32_t *uid, uint32_t *gid);
/* Our link to master, NULL once it is gone; for messages of our role. */
struct link	*boot_master(struct boot *);

/*
 * Have master connect to the endpoint of that index in the slice (the number
 * of a SOCKET option).  fn is called once, never before this returns, unless
 * boot_endpoint_cancel() comes first: with master's word, or without it after
 * BOOT_ENDPOINT_MS or when master is gone.  0: out of memory, fn is not called.
 */
uint64_t	 boot_endpoint(struct boot *, unsigned index,
		    boot_endpoint_fn *, void *arg);
void		 boot_endpoint_cancel(struct boot *, uint64_t request);

/*
 * With ASK in our row: the ports to which TCP connections can be made once we
 * are sealed, borrowed until then.  Without this: none.
 */
void		 boot_limit_ports(struct boot *, const uint16_t *ports,
		    unsigned cnt);

/* Enter the sandbox of our row.  Exits when that fails and is required. */
void		 boot_seal(struct boot *);
/* The directory that is ours, as it is called now: a seal may change that. */
const char	*boot_root(const struct boot *);

/* Tell master we are ready and run the loop; returns the exit status. */
int		 boot_run(struct boot *);

/* Drained: tell nobody, leave the loop, exit status 0. */
void		 boot_done(struct boot *);

/*
 * Leave the loop to be started anew: the new slice wants what a sandbox that
 * was entered cannot give back.  Peers get links to the one that comes.
 */
void		 boot_anew(struct boot *, const char *why);

/*
 * A link died without its process being replaced, or its peer spoke nonsense:
 * master will see to it (new link, or the culprit's restart).  Call it from
 * link_gone_fn, then link_close().
 */
void		 boot_link_lost(struct boot *, const struct link_peer *,
		    enum err why);

/* Log why and exit with 1: for start-up and broken storage, nothing else. */
__attribute__((noreturn))
void		 boot_fatal(const char *why, int err);

/*
 * The same where only damage on the disk explains it, which another start will
 * not mend: exits with BOOT_DAMAGED, and master gives up after the second time.
 */
__attribute__((noreturn))
void		 boot_damaged(const char *why, int err);

#endif
