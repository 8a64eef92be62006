/*
 * limits - every ceiling of the house, with its unit and its reason.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* The text of a message as it is stored and carried. */
#define CHUNK_MAX	4080	/* bytes; with LMDB's page header one page */
#define PIECE_CHUNKS	16	/* chunks in a piece			*/
#define PIECE_MAX	(CHUNK_MAX * PIECE_CHUNKS) /* bytes: 65,280	*/

#define STORE_RESERVE	(64ull << 20) /* bytes kept allocated beyond what a
				 * queue uses: for deliveries	*/

/* The bus. */
#define FRAME_FIELDS_MAX 32768	/* bytes of fields in a frame		*/
#define FRAME_MAX	102400	/* bytes: header, fields and one piece;
				 * under the 212,960 a socket takes	*/
#define STREAM_CREDIT	2	/* pieces a stream may be ahead		*/

/* SMTP, RFC 5321 4.5.3.1 unless said. */
#define DOMAIN_MAX	255	/* octets				*/
#define PATH_MAX_SMTP	254	/* octets of local-part@domain: a path of
				 * 256 less its angle brackets		*/
#define LOCAL_PART_MAX	252	/* octets: what the path leaves to it; the
				 * standard's 64 are broken by lists and
				 * forwarders (VERP, SRS) every day	*/
#define RCPTS_MAX	10000	/* recipients of a message		*/
#define RCPT_BYTES_MAX	(1u << 20) /* of them together, ORCPT included	*/
#define COMMAND_LINE_MAX 4096	/* bytes with CRLF: 512 and what the
				 * extensions add (RFC 3461 5.4: 1036)	*/
#define REPLY_LINE_MAX	1024	/* bytes we keep of a reply line, twice
				 * the 512 of RFC 5321			*/
#define REPLY_TEXT_MAX	1024	/* bytes of reply text we keep		*/
#define TEXT_LINE_MAX	10000	/* bytes of a text line we take; 998 is
				 * the standard's, senders break it	*/
#define TEXT_LINE_SURE	998	/* bytes of a text line that every next hop
				 * takes				*/
#define RECEIVED_MAX	100	/* Received fields; over it is a loop,
				 * RFC 5321 6.3				*/

/* HTTP, RFC 9112 2.3 and 3: ours to choose. */
#define HTTP_LINE_MAX	8192	/* bytes of a line of a head with CRLF; what
				 * nginx and haproxy pass on		*/
#define HTTP_HEAD_MAX	65536	/* bytes of a head			*/
#define HTTP_FIELDS_MAX	256	/* fields of a head			*/
#define HTTP_CHUNK_EXT_MAX 4096	/* bytes of chunk extensions of a body	*/
#define HTTP_TRAILER_MAX 4096	/* bytes of its trailers		*/

/* Programs. */
#define PROGRAM_ARGS_MAX 64	/* words that one is started with	*/

/* Memory. */
#define USERS_MEMORY	(1024u << 20)	/* bytes of the process that checks
					 * passwords: hashes are hungry	*/

/* Deliveries that a queue may have with one process of a relay. */
#define SLOTS_MX	1000	/* over all destinations; how many connect at
				 * a time to a host is its pool's to say */
#define SLOTS_MAILDIR	32	/* there is one disk			*/
#define SLOTS_BLACKHOLE	1000
#define SLOTS_EACH	2	/* others: for each connection or program, so
				 * that the next one lies ready		*/

/* Names. */
#define BLOCK_NAME_MAX	63	/* bytes of a block's name		*/

#define TLS_WORDS_MAX	96	/* bytes of what the log says of a connection's
				 * TLS, with its end		*/
#define CHECKS_MAX	128	/* bytes of names of checks, with theirs */

#endif
