/*
 * hello.c - records that carry no handshake are passed over; a message may go
 * over several records, its head too.
 */
#include "ask/hello.h"

#define HANDSHAKE	22	/* the content type of its records */

/* A message of that many bytes more has begun, or is over at once. */
static bool
begin_message(struct hello *h)
{
	h->message_left = (uint32_t)h->message[1] << 16 |
	    (uint32_t)h->message[2] << 8 | h->message[3];
	if (h->message_left > HELLO_MAX)
		return false;
	if (h->message_left == 0) {
		h->message_have = 0;
		h->cnt++;
	}
	return true;
}

/* What a record of handshake carries. */
static bool
take_payload(struct hello *h, struct span s)
{
	while (s.len > 0) {
		if (h->message_left > 0) {
			struct span some = span_head(s, h->message_left);

			s = span_tail(s, some.len);
			h->message_left -= (uint32_t)some.len;
			if (h->message_left == 0) {
				h->message_have = 0;
				h->cnt++;
			}
			continue;
		}
		h->message[h->message_have++] = (uint8_t)s.ptr[0];
		s = span_tail(s, 1);
		if (h->message_have == sizeof(h->message) &&
		    !begin_message(h))
			return false;
	}
	return true;
}

bool
hello_take(struct hello *h, struct span s)
{
	while (s.len > 0) {
		struct span some = span_head(s, h->record_left);

		if (some.len > 0) {
			s = span_tail(s, some.len);
			h->record_left -= (uint32_t)some.len;
			if (h->record[0] == HANDSHAKE &&
			    !take_payload(h, some))
				return false;
			continue;
		}
		h->record[h->record_have++] = (uint8_t)s.ptr[0];
		s = span_tail(s, 1);
		if (h->record_have < sizeof(h->record))
			continue;
		h->record_have = 0;
		h->record_left = (uint32_t)h->record[3] << 8 | h->record[4];
	}
	return true;
}
