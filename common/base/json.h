/*
 * json - one line of JSON, written piece by piece: RFC 8259.
 *
 *	struct json j = { .out = stdout };
 *
 *	json_open(&j, NULL, '{');
 *	json_text(&j, "queue", name);
 *	json_open(&j, "recipients", '[');
 *	...
 *	json_close(&j, ']');
 *	json_close(&j, '}');		the last one ends the line
 *
 * Text that is no UTF-8 shows U+FFFD in place of each foreign byte.  Names are
 * ours and need no escape; within an array they are NULL.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/span.h"

struct json {
	FILE		*out;
	unsigned	 depth;
	bool		 has_one;	/* a comma is due before the next */
};

void	json_open(struct json *, const char *name, char bracket);
void	json_close(struct json *, char bracket);
void	json_text(struct json *, const char *name, struct span);
void	json_number(struct json *, const char *name, uint64_t);
void	json_flag(struct json *, const char *name, bool);
/* A moment, milliseconds since 1970 UTC, as "2026-11-21T07:00:00.000Z". */
void	json_time(struct json *, const char *name, uint64_t ms);

#endif
