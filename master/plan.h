/*
 * plan - what the configuration wants, as the check child handed it over and
 * as we have verified it: every number is in its bounds, every string ends,
 * every slice is sealed.
 *
 * Owns	   the descriptors of slices and of files that are made, the rows
 * Blocks  plan_fetch() until the child has answered, at most PLAN_WAIT_MS
 * Errors  ERR_NONE the configuration has mistakes; ERR_PEER the child spoke
 *	   nonsense or took too long (a log line says which); ERR_SYS
 */
#ifndef MASTER_PLAN_H
#define MASTER_PLAN_H

#include <stdbool.h>

#include "base/err.h"
#include "conf/slice/plan.h"

#define PLAN_WAIT_MS	20000
#define PLAN_SLICE_MAX	(16u << 20)	/* bytes, as boot.c has it */

struct plan {
	struct plan_head	 head;
	struct plan_process	*rows;		/* head.process_cnt	*/
	int			*slices;	/* their descriptors	*/
	struct plan_link	*links;		/* head.link_cnt	*/
	struct plan_file	*files;		/* head.file_cnt; their fd
						 * is ours, or -1	*/
	struct plan_endpoint	*endpoints;	/* head.endpoint_cnt	*/
};

/* Run the check child on the file.  On OK *out is yours. */
MUST_CHECK enum err plan_fetch(struct plan **out, const char *file);
void		 plan_free(struct plan **);

/* Take the slice of a row, which the plan then owns no more. */
int		 plan_take_slice(struct plan *, uint32_t row);

/* The files and endpoints of a row; as many as it says. */
const struct plan_file		*plan_files(const struct plan *, uint32_t row);
const struct plan_endpoint	*plan_endpoints(const struct plan *,
				    uint32_t row);

/* The same from a socket of any check child: what plan_fetch() reads with. */
MUST_CHECK enum err plan_receive(struct plan **out, int fd);

/* Do two slices hold the same bytes? */
bool		 plan_same_slice(int a, int b);

#endif
