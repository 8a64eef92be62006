/*
 * options - the rows of options.def as tables.
 */
#ifndef CONF_OPTIONS_H
#define CONF_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "sys/roles.h"

#define SEES_MASTER	(1u << ROLE_MASTER)
#define SEES_EDGE	(1u << ROLE_EDGE)
#define SEES_QUEUE	(1u << ROLE_QUEUE)
#define SEES_RELAY	(1u << ROLE_RELAY)
#define SEES_MAILDIR	(1u << ROLE_MAILDIR)
#define SEES_RESOLVER	(1u << ROLE_RESOLVER)
#define SEES_RELAYS	(SEES_RELAY | SEES_MAILDIR)
#define SEES_ALL	(~0u)

#define OPTIONS_UNLIMITED 0xffffffffu	/* the number of `unlimited'	*/

enum option_block {
#define BLOCK(id, word, parent, how, sees, help)	BLOCK_##id,
#include "conf/options.def"
	BLOCK__COUNT
};

enum option_no {
#define OPTION(block, name, ...)	OPTION_##block##_##name,
#include "conf/options.def"
	OPTION__COUNT
};

enum option_type {
	TYPE_BANNER,	/* text of one line, {fqdn} {hostname}		*/
	TYPE_CHOICE,	/* one of the row's words			*/
	TYPE_COUNT,	/* a number					*/
	TYPE_DIRECTORY,	/* a path, relative to the file's directory	*/
	TYPE_DURATION,	/* 30s 5m 4h; milliseconds			*/
	TYPE_EXPR,	/* conf/expr.h					*/
	TYPE_FLAG,	/* yes or no					*/
	TYPE_HOST,	/* a name or an address				*/
	TYPE_HOSTNAME,	/* a name					*/
	TYPE_INTERFACE,	/* an address, or "" for all			*/
	TYPE_LIMIT,	/* a number, or `unlimited'			*/
	TYPE_NAMING,	/* a name, {fqdn} {hostname}			*/
	TYPE_NET,	/* 192.0.2.0/24 2001:db8::/32			*/
	TYPE_PORT,	/* 1 to 65535					*/
	TYPE_QUEUE,	/* name of a queue block			*/
	TYPE_RECIPIENT,	/* user@domain or @domain			*/
	TYPE_RELAY,	/* name of a relay block			*/
	TYPE_SERVER,	/* address or address@port			*/
	TYPE_SIZE,	/* 64K 50M; bytes				*/
	TYPE_STUB,	/* a zone, then a server			*/
	TYPE_TEMPLATE,	/* a path with {user} and {domain}		*/
	TYPE_USER,	/* name of a user of the host			*/
};

enum option_how { HOW_ALONE, HOW_NAMED, HOW_MANY };
enum option_count { COUNT_ONE, COUNT_LIST, COUNT_PAIRS };
enum option_when { WHEN_RELOAD, WHEN_RESTART };

struct block_row {
	const char		*word;
	enum option_block	 parent;
	enum option_how		 how;
	unsigned		 sees;
	const char		*help;
};

struct option_row {
	enum option_block	 block;
	const char		*name;
	enum option_type	 type;
	enum option_count	 count;
	bool			 needed;
	const char		*value;	/* the default, NULL of a rule	*/
	const char		*rule;	/* in words, NULL when it is a value */
	const char		*words;	/* of a CHOICE, blanks between	*/
	uint64_t		 min, max;
	const char		*kinds;
	unsigned		 sees;
	enum option_when	 when;
	const char		*help;
};

const struct block_row	*options_block(enum option_block);
const struct option_row	*options_row(enum option_no);

/* The option of the block; OPTION__COUNT when there is none so called. */
enum option_no		 options_find(enum option_block, struct span name);

/* The block within the block; BLOCK_TOP when there is none so called. */
enum option_block	 options_find_block(enum option_block,
			    struct span word);

/* Does the option apply to blocks of this type?  (An empty type: yes.) */
bool			 options_fits(const struct option_row *,
			    struct span kind);

/* Is it one of the words, between which blanks stand? */
bool			 options_has_word(const char *words, struct span);

#endif
