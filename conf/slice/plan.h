/*
 * plan - what master must start, as the checked configuration says: fixed-size
 * rows that need no parsing, and one slice per row.
 *
 * `postern -n` as master's child writes the plan to a socket pair: one
 * struct plan_head, then per process one struct plan_process with its slice
 * as a sealed memfd, then the plan_link, plan_file and plan_endpoint rows; a
 * plan_file that is made of a directory has a sealed memfd too.
 * A process's files are file_cnt rows from first_file on; workers of a block
 * share them.  Master checks every number against its bounds, and believes
 * nothing else.
 */
#ifndef CONF_PLAN_H
#define CONF_PLAN_H

#include <stdint.h>

#include "base/limits.h"
#include "sys/roles.h"

#define PLAN_MAGIC		0x706c616eu
#define PLAN_PROCESSES_MAX	512
#define PLAN_LINKS_MAX		4096
#define PLAN_ALL_FILES_MAX	4096
#define PLAN_ALL_ENDPOINTS_MAX	1024
#define PLAN_LISTENERS_MAX	64	/* of one edge			*/
#define PLAN_PATH_MAX		1024	/* bytes with NUL		*/
#define PLAN_WORKERS_MAX	64
#define PLAN_FILES_MAX		256	/* of one process		*/
#define PLAN_ENDPOINTS_MAX	16	/* of one process		*/
#define PLAN_SOCKET_MAX		108	/* bytes with NUL: sun_path	*/
#define PLAN_PLACE_MAX		160	/* bytes with NUL of FILE:LINE	*/

struct plan_head {
	uint32_t	 magic;
	uint32_t	 process_cnt, link_cnt, file_cnt, endpoint_cnt;
	uint8_t		 sandbox;		/* enum sandbox_wish	*/
	uint8_t		 spare[3];
	char		 run_dir[PLAN_PATH_MAX]; /* absolute		*/
};

struct plan_listener {
	uint8_t		 family;	/* 4, 6, or 1: a unix socket	*/
	uint8_t		 is_packets;	/* SOCK_SEQPACKET; for control	*/
	uint16_t	 port;		/* host order			*/
	uint32_t	 backlog;
	uint8_t		 address[16];	/* network order; v4 first four	*/
	char		 path[PLAN_SOCKET_MAX];	/* family 1; mode 0666: who
					 * may speak, peer credentials
					 * decide			*/
};

struct plan_file {			/* opened by master for reading	*/
	char		 path[PLAN_PATH_MAX];
	uint8_t		 is_secret;	/* refused when others may read	*/
	uint8_t		 is_made;	/* not opened: a sealed memfd comes
					 * with the row, made of what stands
					 * at the path			*/
	uint8_t		 spare[2];
	int32_t		 fd;		/* is_made: master's own number	*/
};

struct plan_endpoint {			/* to be connected to by master	*/
	uint8_t		 family;	/* 4, 6, or 1: a unix socket	*/
	uint8_t		 spare;
	uint16_t	 port;		/* host order			*/
	uint8_t		 address[16];	/* network order; v4 first four	*/
	char		 path[PLAN_SOCKET_MAX];	/* family 1		*/
};

struct plan_process {
	uint32_t	 no;		/* row number, from 0		*/
	uint8_t		 role;		/* enum role			*/
	uint8_t		 spare;
	uint16_t	 worker, workers;
	uint16_t	 listener_cnt;
	uint16_t	 file_cnt, endpoint_cnt;
	uint32_t	 first_file, first_endpoint;	/* rows of their own */
	uint32_t	 uid, gid;	/* meaningful when master is root */
	char		 block[BLOCK_NAME_MAX + 1];
	char		 own_dir[PLAN_PATH_MAX]; /* to be made, owned by uid,
					 * mode 0700; "" none		*/
	struct plan_listener listeners[PLAN_LISTENERS_MAX];
	char places[PLAN_LISTENERS_MAX][PLAN_PLACE_MAX]; /* where each is
					 * written, for messages; "" nowhere */
};

struct plan_link {			/* `from` asks, `to` answers	*/
	uint32_t	 from, to;	/* rows				*/
};

#endif
