/*
 * post - one connection by which mail comes over HTTP, and the request that is
 * under way on it.
 *
 * A request is a mail: its head says who sends it to whom, its body is the
 * text.  What is judged about a mail is judged by a session of our own, to
 * which we say EHLO, AUTH, MAIL, RCPT and BDAT as the client would, so that all
 * rules, stages and limits of a block hold for it; its replies come back as
 * statuses.
 * What was refused once ends the request: a mail is for all its recipients, or
 * for nobody.
 *
 * Of two requests on a connection each says anew who it is from, and whose
 * password that is: a proxy may have the connection from many.
 *
 *	head	http_head.h reads; post_head.c gathers, then says where it goes
 *	talk	post_talk.c: the dialogue with the session, one reply at a time
 *	text	the body's bytes go into the session's transaction
 *	away	the answer is there, the body is read to its end and dropped
 *	end	the queue has all, and its word is awaited
 *
 * Owns	   the session, and what the head said
 * Blocks  never
 */
#ifndef EDGE_HTTP_POST_H
#define EDGE_HTTP_POST_H

#include <stdbool.h>
#include <stdint.h>

#include "edge/client/grow.h"
#include "edge/protocol.h"
#include "edge/smtp/response.h"
#include "edge/smtp/session.h"
#include "http/http_body.h"

enum post_at { POST_HEAD, POST_TALK, POST_TEXT, POST_AWAY, POST_END };

/* Whose reply comes next. */
enum post_step {
	POST_GREETING, POST_EHLO, POST_AUTH, POST_MAIL, POST_RCPT, POST_OPEN,
	POST_CHUNK, POST_DOT
};

/* What the client is told; the words are kept. */
struct post_answer {
	unsigned	 status;	/* of HTTP; 0: none yet		*/
	unsigned	 code;		/* of SMTP; 0: nothing was said	*/
	char		 text[512];	/* with its enhanced code	*/
	const char	*command;	/* it was about, or ""		*/
	bool		 allows;	/* say which method or type is taken */
};

struct post {
	struct seat	 seat;		/* first, see protocol.h	*/
	struct edge	*edge;		/* borrowed			*/
	struct session	 session;
	uint32_t	 greeted;	/* checks it had passed by then	*/
	enum post_at	 at;
	enum post_step	 step;
	struct response	 response;	/* the session's last reply	*/
	struct post_answer shut;	/* what all requests are told	*/
	int64_t		 since_ms;	/* the connection, or the last answer */
	unsigned	 refused_cnt;	/* requests			*/

	/* The request, from its first byte on. */
	bool		 has_begun;
	bool		 is_last;	/* nothing is read after it	*/
	bool		 is_head;	/* whose answer has no body	*/
	struct http_head head;
	struct http_body body;
	bool		 is_post, is_found;	/* method and path are ours */
	bool		 has_type, is_mail;	/* Content-Type, of a mail */
	bool		 has_sender;
	struct post_answer fault;	/* the first thing that is wrong */
	struct grow	 ehlo, sender;	/* empty: not said		*/
	struct grow	 rcpts;		/* each with a NUL behind it	*/
	unsigned	 rcpt_cnt;
	size_t		 rcpt_at;	/* the next that is to be named	*/
	struct grow	 login;		/* letters of AUTH PLAIN	*/
	bool		 is_utf8;	/* an address needs SMTPUTF8	*/
	struct post_answer answer;	/* when the body was read away	*/
	uint64_t	 away_len;	/* bytes of it			*/
};

/* post_head.c: take input as far as the head goes; false: more is needed. */
bool	post_head(struct post *, struct span *in);

/* post_talk.c: the first thing to say to the session, for this request. */
void	post_begin(struct post *);
/* Read a reply of the session, and do what comes of it; false: none is there */
bool	post_hear(struct post *);
/* The body's next bytes; false: more is needed, or there is no room. */
bool	post_text(struct post *, struct span *in);
/* Refuse a request: the session is not asked, or no more. */
void	post_refuse(struct post *, unsigned status, const char *text);

/* post_answer.c: a reply of the session's as an answer. */
void	post_answer_of(const struct post *, const char *command,
	    struct post_answer *);
/* Say it now: the request is over. */
void	post_answer(struct post *, const struct post_answer *);
/* "100 Continue", where it is waited for. */
void	post_go_ahead(struct post *);

/* post.c: forget what the request said. */
void	post_clear(struct post *);
/* Nothing is read after what was said. */
void	post_close(struct post *, bool is_hasty);

#endif
