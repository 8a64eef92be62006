/*
 * telling_inside - what telling.c (whose turn it is) and telling_write.c (one
 * report, from its rows to the commit) share.
 */
#ifndef QUEUE_TELLING_INSIDE_H
#define QUEUE_TELLING_INSIDE_H

#include <sys/tree.h>

#include "queue/bounce/addressee.h"
#include "queue/bounce/bounce.h"
#include "queue/bounce/telling.h"
#include "queue/store/store_envelope.h"
#include "queue/store/store_intake.h"
#include "queue/store/store_report.h"
#include "queue/store/store_settle.h"

enum report_state { REPORT_GATHERS, REPORT_RIPE, REPORT_UNDER_WAY };

/* A message with rows of table report. */
struct report_task {
	RB_ENTRY(report_task) by_id;
	TAILQ_ENTRY(report_task) entry;	/* unless under way		*/
	struct id	 id;
	enum report_state state;
	int64_t		 ripe_ms;	/* monotonic			*/
	uint32_t	 rows;		/* noted since			*/
	bool		 again;		/* noted while under way	*/
	bool		 is_over;
};

RB_HEAD(report_tree, report_task);
TAILQ_HEAD(report_list, report_task);

struct reports {
	struct queue	*queue;
	struct report_tree tasks;
	struct report_list gathers, ripe;
	struct timer	 timer;
	struct store_read_reports read;	/* at the start			*/
	unsigned	 busy_cnt;	/* reports under way		*/
	unsigned	 task_cnt;
};

/* OK: it is on disk; has_more: not all of it. */
typedef void report_done_fn(struct reports *, struct report_task *, enum err,
	    bool has_more);

/* One report on its way: all that its calls to the store borrow. */
struct report_job {
	struct reports	*reports;
	struct report_task *task;
	report_done_fn	*done;
	struct store_read_report read;
	struct report_rows *rows;
	struct store_read_piece piece;
	char		*text[PART__COUNT];	/* of the original	*/
	size_t		 len[PART__COUNT];
	bool		 is_whole;	/* all of it is wanted		*/
	struct bounce_rcpt *rcpts;
	struct bounce_text bounce;
	struct store_mail mail;
	struct span	 to;
	struct addressee addressee;	/* whom `to' stands for		*/
	struct store_accept accept;
	struct store_discard *discards;
	struct store_report store;
	int64_t		 now_ms;
	const char	*why_none;	/* nobody can be told, and why	*/
};

/* Make the report of this task; done is called once, later. */
void	report_job_start(struct reports *, struct report_task *,
	    report_done_fn *done);

#endif
