/*
 * http_inside - what the files of a connection share; http_client.h lists them.
 */
#ifndef RELAY_HTTP_INSIDE_H
#define RELAY_HTTP_INSIDE_H

#include <sys/uio.h>

#include <stdbool.h>
#include <stdint.h>

#include "ask/channel.h"
#include "base/limits.h"
#include "http/http_body.h"
#include "http/http_head.h"
#include "http/http_out.h"
#include "http/http_reply.h"
#include "relay/delivery.h"
#include "relay/hop/reach.h"
#include "relay/http/http_client.h"
#include "relay/verdict.h"
#include "sys/ev.h"

#define HTTP_CLIENT_IN	   8192	/* bytes read ahead: a line, at least	*/
#define HTTP_CLIENT_IOV	   16	/* runs given to one write		*/
#define HTTP_CLIENT_INTERIM 16	/* answers of 1xx to one request	*/
#define HTTP_CLIENT_REST   65536	/* bytes of an answer's body, read for
					 * the next one's sake		*/
#define HTTP_CLIENT_ASK_MS 1000	/* patience with 100 Continue		*/
#define HTTP_CLIENT_LIFE_MS 1000	/* who hangs up sooner, unasked, will do
					 * so again			*/

/* Where we are. */
enum http_at {
	HTTP_AT_DIALING,
	HTTP_AT_SECURING,	/* the TLS handshake			*/
	HTTP_AT_IDLE,
	HTTP_AT_PASSING,	/* the other side is to say something	*/
	HTTP_AT_WAITING,	/* for the beginning of the text	*/
	HTTP_AT_ASKING,		/* the head is said; may the body go?	*/
	HTTP_AT_SENDING,
	HTTP_AT_ANSWER,		/* all is written			*/
	HTTP_AT_REST,		/* reading the body of the answer	*/
	HTTP_AT_CLOSED,
};

struct http_client {
	struct ev_loop	*loop;
	const struct http_target *target;
	const struct hop_calls *calls;
	void		*arg;
	struct reach	 reach;
	struct channel	 channel;
	bool		 is_local;	/* the peer is on this host	*/
	struct ev	 ev;
	struct timer	 timer;
	enum http_at	 at;
	bool		 was_ready;
	bool		 in_turn;	/* what is said goes out at its end */
	struct later	 end;		/* gone() stands alone		*/
	struct verdict	 why;		/* for gone()			*/
	bool		 has_why;
	unsigned	 request_cnt;	/* answered so far		*/
	int64_t		 since_ms;	/* it passes through: when it came */
	struct span	 hop;
	char		 hop_bytes[DIAL_HOP_MAX];
	char		 tls_words[TLS_WORDS_MAX];	/* "": in the clear */

	/* The answer. */
	char		 in[HTTP_CLIENT_IN];
	size_t		 in_len;
	struct http_head head;
	struct http_body body;
	bool		 in_head;	/* some of one was read		*/
	bool		 heard;		/* any byte, to this request	*/
	unsigned	 interim_cnt;
	unsigned	 reply_cnt;	/* fields X-Smtp-Reply		*/
	bool		 has_reply;
	struct http_reply reply;
	struct verdict_text reason, words;
	size_t		 rest_len;

	/* The request. */
	char		*out;		/* its head			*/
	size_t		 out_cap;
	struct iovec	 iov[HTTP_CLIENT_IOV];
	unsigned	 iov_cnt, iov_pos;
	char		 chunk[HTTP_CLIENT_IOV][HTTP_OUT_CHUNK_MAX];
	bool		 is_chunked;
	bool		 has_asked;	/* for 100 Continue		*/
	bool		 text_ended;
	unsigned	 scanned;	/* pieces given to a write	*/
	uint64_t	 acked;		/* bytes, when it began		*/

	struct delivery	*delivery;
	uint32_t	 batch[HTTP_CLIENT_PASSED];	/* indexes of its
							 * recipients	*/
	unsigned	 batch_cnt;
	uint32_t	 seen_cnt;	/* of one that passes through: looked
					 * at for the batch		*/
};

#endif
