/*
 * record - the structs and the codec that records.def stands for.
 *
 *	struct record_message	what a row of table message holds
 *	RECORD_message		its number
 *
 * Strings of a record that was read point into the bytes it was read from.
 */
#ifndef QUEUE_RECORD_H
#define QUEUE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"

#define RECORD_STR_MAX	1024	/* bytes, any one string		*/
#define RECORD_MAX	CHUNK_MAX /* bytes, any record: one page	*/

enum record_kind {
#define RECORD(name, version, fields)	RECORD_##name,
#include "queue/store/records.def"
#undef RECORD
	RECORD__COUNT
};

#define U8(f)	uint8_t f;
#define U16(f)	uint16_t f;
#define U32(f)	uint32_t f;
#define U64(f)	uint64_t f;
#define STR(f)	struct span f;
#define SINCE(v, fields)	fields
#define RECORD(name, version, fields)	struct record_##name { fields };
#include "queue/store/records.def"
#undef RECORD
#undef U8
#undef U16
#undef U32
#undef U64
#undef STR
#undef SINCE

/* Flags of a record report. */
#define RECORD_THEIRS	0x01u	/* the words are the next hop's	*/
#define RECORD_LATE	0x02u	/* given up after trying long	*/
#define RECORD_UNREAD	0x04u	/* who that is could not be read */

/* What the sender is to be told of a recipient; numbers are on disk. */
enum report {
	REPORT_NONE, REPORT_FAILED, REPORT_DELAYED, REPORT_DELIVERED,
	REPORT_RELAYED, REPORT_EXPANDED, REPORT__COUNT
};

/* record_recipient.flags; the numbers are on disk. */
#define RCPT_WARNED	0x01u	/* its sender was told of the delay	*/
#define RCPT_THEIRS	0x02u	/* the reply has the next hop's words	*/

union record {
#define RECORD(name, version, fields)	struct record_##name name;
#include "queue/store/records.def"
#undef RECORD
};

/*
 * Write a struct record_NAME into buf of RECORD_MAX bytes.  Returns the bytes
 * used, or 0 when a string is too long or all of it does not fit.
 */
size_t		 record_put(uint8_t *buf, enum record_kind, const void *);

/*
 * Read one back, of this version or an older one, whose missing fields are 0
 * and empty.  ERR_PEER when version, checksum or a length is wrong; *out
 * is then undefined.
 */
MUST_CHECK enum err record_get(struct span bytes, enum record_kind,
		    union record *out);

/* Did we write it: is it a bounce of our own, which no edge took in? */
bool		 record_is_bounce(const struct record_message *);

/* It is whole, but of a version that this program does not know. */
bool		 record_is_newer(struct span bytes, enum record_kind);

#endif
