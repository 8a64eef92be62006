/*
 * edge - what all sessions of this process share, and its end.
 *
 * Owns	   the links to queue, vault and resolver, the clients, and the streams
 *	   under way
 */
#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "bus/link.h"
#include "bus/question.h"
#include "edge/client/limits.h"
#include "edge/settings.h"
#include "edge/client/shaking.h"
#include "edge/stage/stage.h"
#include "sys/ev.h"

#define EDGE_READ_MAX	(64u << 10)	/* bytes of input in hand at once, of
					 * all sessions together	*/
#define EDGE_GENTLE_MS	60000	/* of patience: nobody waits for our end */
#define QUEUE_AWAY	"Queue not available, try again later"
#define EDGE_WORDS_MAX	65536	/* recipients that are asked about	*/
#define EDGE_STREAM_BUCKETS 1024u	/* power of two; numbers are dense */

struct client;
struct keys;
struct listen;
struct login;
struct protocol;
struct resolve;
struct stream;
struct tls_server;
struct transaction;

/* The program's part in it; boot.h is known to main.c alone. */
struct edge_calls {
	/* A link is lost, and master must see to it. */
	void	(*lost)(const struct link_peer *, enum err why, void *arg);
	/* After edge_drain(): the last client is gone. */
	void	(*drained)(void *arg);
	/* The queue takes mail again, which it did not.  May be NULL. */
	void	(*on_room)(void *arg);
};

struct edge {
	struct ev_loop	*loop;		/* borrowed		*/
	enum role	 role;		/* EDGE, or PICKUP	*/
	struct settings	 set;
	const struct protocol *protocol;	/* spoken with clients	*/
	struct stages	 stages;	/* who judges a client, and when */
	const struct edge_calls *calls;	/* borrowed		*/
	void		*arg;		/* of the calls		*/

	struct link	*queue;		/* NULL while it is away */
	enum queue_full	 full;		/* does it take new mail? */
	bool		 asks;		/* wants to hear of each recipient */
	bool		 waits;		/* and of MAIL, before its reply */
	bool		 passes;	/* a proxy: it keeps nothing	*/
	enum queue_utf8	 utf8;		/* how far it takes SMTPUTF8	*/
	bool		 eightbit;	/* that hop is not known to lack it */
	bool		 binary;	/* no relay of it lacks BINARYMIME; or
					 * the next hop of a proxy has it */
	bool		 dsn;		/* likewise, RFC 3461		*/
	uint64_t	 max_size;	/* the most that one takes, or 0 */
	uint64_t	 last_stream;	/* numbers given last	*/
	uint64_t	 last_session;	/* of this process's only: it begins
					 * with random bits	*/
	LIST_HEAD(, stream) streams[EDGE_STREAM_BUCKETS];
	struct questions words;		/* about recipients		*/

	struct keys	*keys;		/* NULL without a certificate	*/
	struct tls_server *tls;		/* NULL the same		*/
	bool		 can_tls;	/* handshakes may begin	*/
	struct login	*users;		/* NULL where nobody can log in */
	struct resolve	*resolve;	/* NULL until the resolver's first link:
					 * then nobody can be asked	*/

	struct listen	*listen;	/* NULL once drained, and in tests */
	struct limits	*limits;
	LIST_HEAD(, client) clients;
	unsigned	 client_cnt;
	struct shaking	 shaking;	/* those that begin TLS	*/
	struct timer	 patience;	/* runs while draining	*/
	struct later	 ended;		/* tells that it is drained: called by
					 * the last client of a drain	*/
	bool		 is_draining;
	bool		 is_gentle;	/* with time to spare: who is talking
					 * may go on		*/

	char		 in[EDGE_READ_MAX]; /* whose turn it is	*/
};

/*
 * settings are taken, also on error.  loop and calls are borrowed; secret are
 * random bits for the limits.
 */
MUST_CHECK enum err edge_new(struct edge **out, struct ev_loop *loop,
	    struct settings *, uint64_t secret, const struct edge_calls *,
	    void *arg);
/* Close everything, at once. */
void	edge_free(struct edge **);

/*
 * Have the vault sign, under the certificate in cert_fd (borrowed), and check
 * passwords: as the settings want it.  Before the process seals itself.
 */
MUST_CHECK enum err edge_ask_vault(struct edge *, int cert_fd);

/*
 * Use fd (taken, whatever the result) as the link to the resolver.  Master
 * makes one where something of our block needs names.
 */
MUST_CHECK enum err edge_link_resolver(struct edge *, int fd,
	    const struct link_peer *);

/*
 * Accept nothing more and end what is idle with 421 4.3.2; a transaction under
 * way may finish within patience_ms.  With a patience of EDGE_GENTLE_MS or more
 * (a reload) only who has been silent for a while is idle; with less (a stop)
 * all between two transactions are.  Then drained() is called, never from
 * within this call.
 */
void	edge_drain(struct edge *, uint32_t patience_ms);

#endif
