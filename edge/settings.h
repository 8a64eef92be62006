/*
 * settings - what the slice says, read once at start-up.  An edge gets a new
 * slice only as a new process.
 *
 * Owns	   copies of all texts
 * Errors  ERR_PEER the slice lacks what it must have, or holds nonsense;
 *	   ERR_FULL no memory
 */
#ifndef EDGE_SETTINGS_H
#define EDGE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "edge/stage/dnsbl.h"
#include "edge/stage/rules.h"
#include "edge/text/sender_map.h"
#include "sys/regex.h"

struct protocol;
struct validators;

#define BANNER_NAME	"{client_host}"	/* in its place the client's name */

enum smtputf8 { SMTPUTF8_AUTO, SMTPUTF8_YES, SMTPUTF8_NO };

/* Type http: whose clients it has, and what their fields are called. */
struct http_settings {
	bool		 is_lua;	/* else python-slimta's		*/
	struct regex	*uri;		/* NULL: any path		*/
	char		*method, *ehlo, *sender, *recipient;
};

struct settings {
	const struct protocol *protocol;	/* NULL: SMTP		*/
	char		*hostname;		/* our name in Received	*/
	char		*home;			/* what completes a bare user */
	char		*banner;		/* what stands behind "220 " */
	uint16_t	 banner_code;		/* in its place; 0: 220	*/
	uint64_t	 max_size;		/* bytes of a message	*/
	uint64_t	 max_header_size;	/* bytes of its header	*/
	int64_t		 timeout_ms;		/* for a command	*/
	int64_t		 data_timeout_ms;	/* of silence in a text	*/
	uint64_t	 min_rate;		/* bytes a second of it */
	int64_t		 session_timeout_ms;	/* for all of it	*/
	int64_t		 lifetime_ms;		/* of a dropped file	*/
	unsigned	 max_recipients;	/* of a message		*/
	unsigned	 max_errors;		/* commands refused with 5yz */
	unsigned	 max_sessions;
	unsigned	 max_sessions_per_client;
	enum smtputf8	 smtputf8;	/* AUTO: as the queue says	*/
	bool		 binarymime;	/* is offered		*/
	struct rules	 rules;
	struct dnsbls	 dnsbls;
	struct nets	 proxies;	/* begin with a PROXY header */
	bool		 spf;		/* is asked about	*/
	unsigned	 spf_reject;	/* bits of enum spf_result */

	bool		 has_tls;		/* there is a certificate, */
	unsigned	 certificate;		/* and this is its file	*/
	bool		 tls_immediately;	/* before the greeting	*/
	bool		 require_tls;		/* for all that brings mail */
	bool		 has_users;		/* so AUTH is known	*/
	bool		 auth_without_tls;	/* and so is its password */
	bool		 require_auth;		/* for MAIL		*/
	bool		 normalise_lf;		/* of whom we know	*/
	struct validators *validators;	/* NULL without files of Lua	*/

	struct http_settings http;
	struct sender_map senders;	/* as others know them	*/
	bool		 add_date;		/* where it is missing	*/
	bool		 add_message_id;	/* the same		*/
	bool		 add_received;
	bool		 client_names;		/* are looked for	*/
	bool		 banner_has_name;	/* and shown there	*/
};

MUST_CHECK enum err settings_init(struct settings *, struct span slice);
void	settings_fini(struct settings *);

#endif
