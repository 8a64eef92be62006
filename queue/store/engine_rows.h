/*
 * engine_rows - what every engine makes of a call, whatever it keeps rows in.
 * Pure.
 */
#ifndef QUEUE_ENGINE_ROWS_H
#define QUEUE_ENGINE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/store/record.h"
#include "queue/store/store.h"

/* Strings are borrowed from the call. */
struct record_recipient engine_rows_rcpt(const struct store_accept *,
	    uint32_t no);
struct record_report engine_rows_report(const struct store_change *,
	    int64_t now_ms);

/* All of this kind are listed: what comes next?  False at the end. */
bool	engine_rows_step_kind(const struct store_read_rows *,
	    struct store_spot *);

#endif
