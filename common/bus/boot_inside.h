/*
 * boot_inside - what the three files of boot share: boot.c begins and ends,
 * boot_received.c hears master, boot_endpoint.c asks it for connections.
 */
#ifndef BUS_BOOT_INSIDE_H
#define BUS_BOOT_INSIDE_H

#include <sys/queue.h>

#include <stdbool.h>

#include "bus/boot.h"
#include "bus/question.h"
#include "sys/sandbox.h"

#define BOOT_PATH_LEN	1024	/* bytes of our directory's name	*/

struct boot_waiting {			/* a peer named before boot_run() */
	TAILQ_ENTRY(boot_waiting) entry;
	struct link_peer peer;
	int		 fd;
};

struct boot_files {
	int		 fds[BOOT_FILES_MAX];
	unsigned	 cnt;
};

struct boot {
	struct ev_loop	*loop;
	struct link	*master;
	const struct boot_calls *calls;
	void		*arg;

	struct link_peer self;
	uint32_t	 generation, uid, gid;
	const uint16_t	*ports;		/* for boot_seal()		*/
	unsigned	 port_cnt;
	char		 root[BOOT_PATH_LEN];
	bool		 debug, has_slice, has_counters;
	bool		 going, running, draining;
	enum sandbox_wish wish;
	struct span	 slice;
	int		 marks;		/* or -1			*/
	struct boot_files files;	/* of the slice			*/
	struct boot_files next;		/* of the one that is to come	*/
	int		 listeners[BOOT_LISTENERS_MAX];
	unsigned	 listener_cnt;
	TAILQ_HEAD(, boot_waiting) waiting;
	struct questions requests;	/* for endpoints		*/
	struct later	 orphaned;	/* after they have ended	*/
	struct timer	 patience;
	struct timer	 slack;
	int		 status;
};

/* link_msg_fn and link_gone_fn of the link to master; arg is the boot. */
enum err boot_received(struct link *, unsigned type, const union msg *,
	    struct span piece, int fd, void *arg);
void	 boot_orphaned(struct link *, enum err why, void *arg);

/* For boot_start(); for what master answers, fd is taken; for its end. */
void	 boot_endpoint_init(struct boot *);
void	 boot_endpoint_answered(struct boot *, uint64_t request, int fd,
	    int error);
void	 boot_endpoint_lost(struct boot *);

#endif
