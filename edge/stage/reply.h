/*
 * reply - what a client is told: one line of SMTP, and whether it is the last.
 */
#ifndef EDGE_REPLY_H
#define EDGE_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#define REPLY_WORDS_MAX	320	/* bytes with NUL: an address and what is
				 * said about it		*/

struct reply {
	uint16_t	 code;		/* 0: none			*/
	char		 dsn[12];	/* enhanced code, or ""		*/
	char		 text[REPLY_WORDS_MAX];
	bool		 close;		/* the connection ends with it	*/
};

#endif
