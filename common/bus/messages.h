/*
 * messages - the structs and functions that messages.def stands for.
 *
 *	struct msg_mail_rcpt	what it carries
 *	MSG_mail_rcpt		its number; same spelling, so one grep finds all
 *	union msg		any of them, as a receiver gets it
 *
 * A STR or BLOB that was received points into the receive buffer: copy it or
 * lose it when the handler returns.
 */
#ifndef BUS_MESSAGES_H
#define BUS_MESSAGES_H

#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/span.h"
#include "base/wire.h"
#include "sys/roles.h"

#define BUS_VERSION	9
#define BUS_STR_MAX	1024	/* bytes, any one STR	*/
#define BUS_BLOB_MAX	16384	/* bytes, any one BLOB	*/

enum msg_type {
#define MSG(name, from, to, carries, fields)	MSG_##name,
#include "bus/messages.def"
#undef MSG
	MSG__COUNT
};

enum msg_carries { CARRIES_NOTHING, CARRIES_PIECE, CARRIES_FD };

#define U8(f)	uint8_t f;
#define U16(f)	uint16_t f;
#define U32(f)	uint32_t f;
#define U64(f)	uint64_t f;
#define ID(f)	struct id f;
#define STR(f)	struct span f;
#define SECRET(f) struct span f;
#define BLOB(f)	struct span f;
#define MSG(name, from, to, carries, fields)	struct msg_##name { fields };
#include "bus/messages.def"
#undef MSG
#undef U8
#undef U16
#undef U32
#undef U64
#undef ID
#undef STR
#undef SECRET
#undef BLOB

union msg {
#define MSG(name, from, to, carries, fields)	struct msg_##name name;
#include "bus/messages.def"
#undef MSG
};

/* mail_open.flags, mail_commit.flags and delivery_open.flags; on disk too */
#define MAIL_SMTPUTF8	0x01u	/* needs SMTPUTF8 (RFC 6531)	*/
#define MAIL_8BIT	0x02u	/* holds bytes over 127 (RFC 6152) */
#define MAIL_LONG	0x04u	/* has lines over TEXT_LINE_SURE */
#define MAIL_DIGEST	0x40u	/* the queue's own, to the postmaster */
#define MAIL_LOGIN	0x80u	/* its tenant has logged in	*/

/* mail_open.body, delivery_open.body: what MAIL said of the text, RFC 6152 and
 * 3030; the numbers are on disk */
enum mail_body {
	BODY_7BIT,		/* or nothing				*/
	BODY_8BITMIME,
	BODY_BINARYMIME,
	BODY__COUNT
};

/* mail_open.params, delivery_open.params: said in MAIL; on disk too */
#define PARAM_SMTPUTF8	0x01u	/* RFC 6531 3.4			*/
#define PARAM_REQUIRETLS 0x02u	/* RFC 8689			*/
#define PARAM__ALL	(PARAM_SMTPUTF8 | PARAM_REQUIRETLS)

/* mail_open.by_mode, delivery_open.by_mode: RFC 2852 4; on disk too */
#define BY_RETURN	0x01u	/* not there by then: it comes back	*/
#define BY_NOTIFY	0x02u	/* not there by then: its sender is told */
#define BY_TRACE	0x04u	/* relayed on: its sender is told	*/
#define BY__ALL		(BY_RETURN | BY_NOTIFY | BY_TRACE)

/* delivery_piece.next: what follows */
enum piece_next {
	PIECE_NEXT,		/* one more of the same part		*/
	PIECE_NEXT_PART,	/* the header section is over, a body comes */
	PIECE_NEXT_NONE,	/* that was the text			*/
	PIECE_NEXT__COUNT
};

/* delivery_open.header_len, body_len */
#define BUS_NOT_KNOWN	UINT64_MAX

/* delivery_open.deadline_ms */
#define BUS_NO_DEADLINE	((uint64_t)INT64_MAX)

/* sign_answer.status */
enum sign_status {
	SIGN_DONE,		/* the signature follows		*/
	SIGN_REFUSED,		/* not what this side of TLS signs	*/
	SIGN_NO_KEY,		/* no such key, or not for this block	*/
	SIGN_BUSY,		/* too many at once; or a failure	*/
	SIGN__COUNT
};

/* login_answer.status */
enum login_status {
	LOGIN_GOOD,
	LOGIN_BAD,		/* no such user, or another password	*/
	LOGIN_BUSY,		/* cannot be told just now		*/
	LOGIN__COUNT
};

/* queue_state.full, queue_status.full: does it take new mail? */
enum queue_full {
	QUEUE_HAS_ROOM,
	QUEUE_FULL,
	QUEUE_SHUT,		/* its disk takes nothing at all	*/
	QUEUE_FULL__COUNT
};

/* supervisor_process.state, status_process.state */
enum process_state {
	PROCESS_STARTING, PROCESS_READY, PROCESS_LEAVING, PROCESS_DOWN,
	PROCESS__COUNT
};

/*
 * supervisor_done.status, tool_done.status, list_end.status, aside_end.status,
 * edit_done.status
 */
enum tool_status {
	STATUS_DONE,
	STATUS_MORE,		/* list_end: there are more behind `last' */
	STATUS_NONE,		/* there is no such message, queue, block */
	STATUS_BUSY,		/* it is under way: try again		*/
	STATUS_REFUSED,		/* not allowed, or it does not check	*/
	STATUS_FAILED,		/* of ours: away, no memory, the disk	*/
	STATUS_SILENT,		/* done, and there is nobody to be told	*/
	STATUS__COUNT
};

/* found_ask: what its word is. */
enum found_by {
	FOUND_BY_ADDRESS, FOUND_BY_MESSAGE_ID,
	FOUND_BY_ID,		/* the beginning of one			*/
	FOUND_BY__COUNT
};

/* story_row: what happened; a queue's enum event is the same. */
enum story_event {
	STORY_RECEIVED, STORY_DELIVERED, STORY_DEFERRED, STORY_FAILED,
	STORY_HELD, STORY_RELEASED, STORY_REMOVED, STORY_EXPANDED,
	STORY_BOUNCED, STORY_MOVED,
	STORY_SUSPENDED, STORY_RESUMED,	/* of no message: see story_ask	*/
	STORY_EVENT__COUNT
};

/* edit_ask.action */
enum edit {
	EDIT_FLUSH,		/* due now, its destination retried now	*/
	EDIT_HOLD,		/* until it is released			*/
	EDIT_RELEASE,
	EDIT_REMOVE,		/* with no bounce			*/
	EDIT_RETRY,		/* what damage held and is readable again */
	EDIT_BOUNCE,		/* given up, its sender told; text: why	*/
	EDIT_MOVE,		/* to the relay text, whatever routes say */
	EDIT_REROUTE,		/* as the routes say now, though moved	*/
	EDIT_GIVE_UP,		/* read or not; its sender is told; text: why */
	EDIT_EXPIRE,		/* given up as if its lifetime were over */
	EDIT__COUNT
};

/* Why a row of the store is set aside; numbers are on disk. */
enum aside {
	ASIDE_DAMAGED,		/* its checksum or its length is wrong	*/
	ASIDE_NEWER,		/* whole, of a version not known yet	*/
	ASIDE_MISSING,		/* other rows need it, and it is not there */
	ASIDE_LONE,		/* no message has it			*/
	ASIDE__COUNT
};

/* list_delivery.state */
enum listed {
	LISTED_DUE,		/* waits for its time, or its turn	*/
	LISTED_ACTIVE,		/* a relay has it			*/
	LISTED_HELD,
	LISTED__COUNT
};

/* list_delivery.waits: for what, besides its own time and a suspension */
enum waits {
	WAITS_NOTHING,
	WAITS_RELAY,		/* there is none of that name		*/
	WAITS_AWAY,		/* the relay is not there just now	*/
	WAITS_DOWN,		/* its destination is down		*/
	WAITS_BUSY,		/* its destination has all it takes	*/
	WAITS__COUNT
};

/* relay_can.utf8: did the next hop's last EHLO offer SMTPUTF8? */
enum hop_utf8 {
	HOP_UNKNOWN,		/* it was not asked yet			*/
	HOP_ASCII,
	HOP_UTF8,
	HOP_UTF8__COUNT
};

/* user_answer.found: is he a user of this host? */
enum user_found {
	USER_LATER,		/* it cannot be told now		*/
	USER_NOBODY,
	USER_IS,
	USER__COUNT
};

/* queue_state.utf8: for which recipients can SMTPUTF8 be promised? */
enum queue_utf8 {
	QUEUE_ASCII,		/* for none				*/
	QUEUE_UTF8_SOME,	/* it is asked about each		*/
	QUEUE_UTF8,		/* for all				*/
	QUEUE_UTF8__COUNT
};

/* delivery_pull.part */
enum part { PART_HEADER, PART_BODY, PART__COUNT };

/* delivery_result.flags */
#define RESULT_OWN	0x01u	/* the words are the relay's, not the hop's */
#define RESULT_FINAL	0x02u	/* done: it is where it shall stay	*/
#define RESULT_PASSED	0x04u	/* done: the hop took RFC 3461 over, and
				 * reports success itself		*/
#define RESULT_FLAGS	0x07u

/* delivery_back.why */
enum back {
	BACK_BUSY,		/* its host has all that it takes	*/
	BACK_DOWN,		/* its host has failed a moment ago	*/
	BACK_RECALLED,		/* the queue wanted it			*/
	BACK__COUNT
};

/* delivery_result: what became of a recipient, and whom the reply is about. */
enum outcome_class { CLASS_DONE, CLASS_LATER, CLASS_NEVER, CLASS__COUNT };
enum outcome_scope {
	SCOPE_RECIPIENT,	/* this address			*/
	SCOPE_MESSAGE,		/* this message, wherever it goes */
	SCOPE_HOST,		/* this next hop, for any message */
	SCOPE_DESTINATION,	/* all of its next hops		*/
	SCOPE_OURS,		/* nobody's fault but ours	*/
	SCOPE__COUNT
};
enum stage {
	STAGE_LOOKUP, STAGE_CONNECT, STAGE_GREETING, STAGE_EHLO, STAGE_MAIL,
	STAGE_RCPT, STAGE_DATA, STAGE_BODY, STAGE_STORE, STAGE__COUNT
};

/* resolve_answer.status and .trust */
enum resolve_status {
	RESOLVED,		/* records follow			*/
	RESOLVED_NODATA,	/* the name exists, this type does not	*/
	RESOLVED_NXDOMAIN,
	RESOLVED_FAILED,	/* later, maybe: SERVFAIL, time out, bogus */
	RESOLVE__COUNT
};
enum resolve_trust { TRUST_INSECURE, TRUST_SECURE, TRUST_BOGUS, TRUST__COUNT };

const char	*outcome_class_name(unsigned);
const char	*outcome_scope_name(unsigned);
const char	*stage_name(unsigned);

/* "mail_rcpt"; "unknown" for a number that is none. */
const char	*msg_name(unsigned type);
enum msg_carries msg_carries(unsigned type);

/* Does it carry a SECRET?  Then link.c wipes what it was held in. */
bool		 msg_has_secret(unsigned type);

/* May `from` send this to `to`?  Asked once, in link.c, for all messages. */
bool		 msg_allowed(unsigned type, enum role from, enum role to);

/* Fields to bytes; out->bad if a string is too long.  m is a msg_NAME. */
void		 msg_put(struct wire_out *, unsigned type, const void *m);

/*
 * Bytes to fields.  ERR_PEER when a field is short, long or out of range, or
 * bytes are left over; m is then undefined.
 */
MUST_CHECK enum err msg_get(const void *bytes, size_t len, unsigned type,
		    union msg *m);

/* "name=value name=value" for the trace; strings are escaped and cut. */
void		 msg_print(char *buf, size_t cap, unsigned type,
		    const union msg *m);

#endif
