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
#define SEES_EDGE	(1u << ROLE_EDGE | 1u << ROLE_PICKUP)
#define SEES_QUEUE	(1u << ROLE_QUEUE | 1u << ROLE_PROXY)
#define SEES_RELAY	(1u << ROLE_RELAY)
#define SEES_MAILDIR	(1u << ROLE_MAILDIR)
#define SEES_RESOLVER	(1u << ROLE_RESOLVER)
#define SEES_PIPE	(1u << ROLE_PIPE)
#define SEES_KEYS	(1u << ROLE_KEYS)
#define SEES_USERS	(1u << ROLE_USERS)
#define SEES_BLACKHOLE	(1u << ROLE_BLACKHOLE)
#define SEES_LOCAL	(1u << ROLE_LOCAL)
#define SEES_RELAYS	(SEES_RELAY | SEES_MAILDIR | SEES_PIPE |	\
			 SEES_BLACKHOLE | SEES_LOCAL)
#define SEES_ALL	(~0u)

#define OPTIONS_UNLIMITED 0xffffffffu	/* the number of `unlimited'	*/

enum option_block {
#define BLOCK(id, word, parent, how, kinds, sees, help)	BLOCK_##id,
#include "conf/options.def"
	BLOCK__COUNT
};

enum option_no {
#define OPTION(block, name, ...)	OPTION_##block##_##name,
#define AGAIN(block, id, ...)		OPTION_##block##_##id,
#include "conf/options.def"
	OPTION__COUNT
};

enum option_type {
	TYPE_ADDRESS,	/* 192.0.2.1 2001:db8::1			*/
	TYPE_ALIASES,	/* a path of a file as in mail/aliases.h, whose words
			 * are the values, with the numbers of enum
			 * aliases_word; all have a domain but keys	*/
	TYPE_ARGUMENT,	/* text with {sender} and the like		*/
	TYPE_BANNER,	/* text of one line, {fqdn} {hostname}		*/
	TYPE_CHOICE,	/* one of the row's words			*/
	TYPE_COUNT,	/* a number					*/
	TYPE_DIRECTORY,	/* a path, relative to the file's directory	*/
	TYPE_DOMAIN,	/* a name, as domain_key() has it, or the path of a
			 * file of them, which is read in its place	*/
	TYPE_DNSLIST,	/* a name, or name*weight			*/
	TYPE_DURATION,	/* 30s 5m 4h; milliseconds			*/
	TYPE_EXPR,	/* conf/read/expr.h				*/
	TYPE_FILE,	/* a path; master opens it for the process, as
			 * its file of the number			*/
	TYPE_FLAG,	/* yes or no					*/
	TYPE_FORCE,	/* a domain, then a host or host@port; the
			 * number of the second is the port, or 0	*/
	TYPE_FORWARD,	/* a REGEX, then text as of regex_replace()	*/
	TYPE_HOST,	/* a name or an address				*/
	TYPE_HOSTNAME,	/* a name					*/
	TYPE_INTERFACE,	/* an address, or "" for all			*/
	TYPE_KNOWN,	/* a pattern, or the path of a file of them, which
			 * is read in its place; patterns of all kinds may
			 * be `local', in whose place check_domains() puts
			 * each of our own domains			*/
	TYPE_LIMIT,	/* a number, or `unlimited'			*/
	TYPE_LUA,	/* a path of a file of Lua: its values are the path,
			 * with the number 0, and pieces of the file, with 1 */
	TYPE_LOGIN,	/* a login, @ and how one ends, or * for all	*/
	TYPE_MAILBOX,	/* user@domain					*/
	TYPE_MAPPING,	/* a pattern, then a mailbox of ASCII		*/
	TYPE_NAMING,	/* a name, {fqdn} {hostname}			*/
	TYPE_NET,	/* 192.0.2.0/24 2001:db8::/32			*/
	TYPE_OWNER,	/* a LOGIN, then a pattern, or `self'		*/
	TYPE_PORT,	/* 1 to 65535					*/
	TYPE_QUEUE,	/* name of a queue block			*/
	TYPE_RECIPIENT,	/* user@domain or @domain			*/
	TYPE_REGEX,	/* a regular expression: sys/regex.h		*/
	TYPE_RELAY,	/* name of a relay block			*/
	TYPE_ROOTS,	/* FILE of certificates, or a directory of such
			 * files, which is read in its place		*/
	TYPE_ROUTE,	/* a pattern, then what is done: see slice.h	*/
	TYPE_SECRET,	/* FILE that not everybody may read		*/
	TYPE_SENDER,	/* a pattern, or <> for nobody			*/
	TYPE_SERVER,	/* address or address@port			*/
	TYPE_SIZE,	/* 64K 50M; bytes				*/
	TYPE_SOCKET,	/* path of a unix socket; master connects to it, as
			 * the process's endpoint of the number		*/
	TYPE_STUB,	/* a zone, then a server			*/
	TYPE_TEMPLATE,	/* a path with {user} and {domain}		*/
	TYPE_TEXT,	/* any text of one line				*/
	TYPE_NOTICE,	/* a path of a text as in mail/notice.h, whose
			 * lines are the values				*/
	TYPE_UNIX,	/* path of a unix socket to listen on		*/
	TYPE_USER,	/* name of a user of the host			*/
	TYPE_USERS,	/* name of a users block			*/
};

enum option_how { HOW_ALONE, HOW_MAYBE, HOW_NAMED, HOW_MANY };
enum option_count { COUNT_ONE, COUNT_LIST, COUNT_PAIRS, COUNT_ROUTES };
enum option_when { WHEN_RELOAD, WHEN_RESTART };

struct block_row {
	const char		*word;
	enum option_block	 parent;
	enum option_how		 how;
	const char		*kinds;
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

/*
 * The option of the block, for blocks of this type where the name has several
 * rows; OPTION__COUNT when there is none so called.
 */
enum option_no		 options_find(enum option_block, struct span name,
			    struct span kind);

/* The block within the block; BLOCK_TOP when there is none so called. */
enum option_block	 options_find_block(enum option_block,
			    struct span word);

/* Do the kinds of a row have this type?  (An empty type: yes.) */
bool			 options_fits(const char *kinds, struct span kind);

/* Is it one of the words, between which blanks stand? */
bool			 options_has_word(const char *words, struct span);

#endif
