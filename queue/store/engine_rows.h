/*
 * engine_rows - what every engine makes of a call, whatever it keeps rows in.
 * Pure, but for the memory that engine_rows_discard() frees.
 */
#ifndef QUEUE_ENGINE_ROWS_H
#define QUEUE_ENGINE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/store/record.h"
#include "queue/store/store.h"
#include "queue/store/store_edit.h"
#include "queue/store/store_envelope.h"
#include "queue/store/store_intake.h"
#include "queue/store/store_list.h"
#include "queue/store/store_settle.h"
#include "queue/store/store_story.h"

/* Strings are borrowed from the call. */
struct record_recipient engine_rows_rcpt(const struct store_accept *,
	    uint32_t no);
struct record_report engine_rows_report(const struct store_change *,
	    int64_t now_ms);

/* Its recipients are there: who is the sender for them? */
void	engine_rows_own(struct envelope *);
/* Was it tried since? */
bool	engine_rows_has_gone_on(const struct store_tries *seen,
	    const struct record_delivery *now);
/* What is told of an edit in its history; false: nothing is. */
bool	engine_rows_event(enum edit, enum event *out);
/* The same of a bounce that was made: its id is put into buf. */
struct record_history engine_rows_bounced(struct id bounce,
	    char buf[ID_TEXT_LEN + 1]);

/*
 * The same of the i-th of those a delivery becomes, to which so many recipients
 * go; from: its relay before.  False: it stays with that.
 */
bool	engine_rows_moved(const struct store_replan *, uint32_t i,
	    const char *from, uint32_t rcpt_cnt, struct record_history *out);

/* The same of a suspension; *no tells it from others of that time. */
struct record_history engine_rows_suspended(const struct store_suspend *,
	    enum event *, uint32_t *no);

/* All of this kind are listed: what comes next?  False at the end. */
bool	engine_rows_step_kind(const struct store_read_rows *,
	    struct store_spot *);

/*
 * It was carried out, and nobody will hear of it: frees what it hands out, and
 * leaves NULL there.
 */
void	engine_rows_discard(struct store_op *);

#endif
