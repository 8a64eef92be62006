/*
 * session_table.c - what an SMTP client may say, and when.  RFC 5321 4.1.4.
 *
 * This table is the only place that knows the order of the dialogue, and this
 * file the only one that has the state moved, see tests/lint/state.sh.  To add
 * a command: write its handler in cmd_NAME.c, add one row, run make check and
 * read the changed picture in the diff.
 *
 * A command that is PENDING has its row kept, and moves the state when its last
 * check has answered.
 */
#include <string.h>

#include "edge/smtp/auth.h"
#include "edge/smtp/cmd.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"

#define IN(st)		(1u << ST_##st)
#define OPEN		(IN(MAIL) | IN(RCPT))
#define GREETED		(IN(READY) | OPEN | IN(CHUNKS))
#define TALKING		(IN(NEW) | GREETED)
#define ANY		(TALKING | IN(SHUT))

#define STAY		ST__COUNT

#define IS_JUNK		0x1u	/* brings no mail any nearer		*/
#define IS_ODD		0x2u	/* not shown in the picture		*/
#define IS_CLEAR	0x4u	/* may be said without TLS where that is
				 * required, RFC 3207 4			*/
#define IS_SMTP		0x8u	/* no word of LMTP			*/
#define IS_LMTP		0x10u	/* no word of SMTP, RFC 2033 4.1	*/

#define FREE		(IS_JUNK | IS_CLEAR)
#define IS_VOID		(IS_JUNK | IS_ODD)

#define JUNK_MAX	100u	/* such commands between two messages: far
				 * more than a pooled connection says	*/

struct rule {
	const char	*verb;
	unsigned	 when;		/* states it may come in	*/
	unsigned	 is;		/* IS_*				*/
	cmd_fn		*handle;	/* judges the arguments		*/
	enum state	 then;		/* state after it was taken	*/
};

static const struct rule rules[] = {
	/* verb      when        is       handle          then */
	{ "EHLO",    TALKING,    FREE | IS_SMTP, cmd_ehlo, ST_READY },
	{ "HELO",    TALKING,    IS_JUNK | IS_SMTP, cmd_helo, ST_READY },
	{ "LHLO",    TALKING,    FREE | IS_LMTP, cmd_ehlo, ST_READY },
	{ "STARTTLS", IN(READY), FREE,    cmd_starttls,   ST_SECURE },
	{ "AUTH",    IN(READY),  IS_JUNK, cmd_auth,       ST_READY },
	{ "MAIL",    IN(READY),  0,       cmd_mail,       ST_MAIL },
	{ "RCPT",    OPEN,       0,       cmd_rcpt,       ST_RCPT },
	{ "DATA",    IN(RCPT),   0,       cmd_data,       ST_DATA },
	{ "DATA",    IN(MAIL),   IS_ODD,  cmd_data_early, STAY },
	{ "BDAT",    IN(RCPT),   0,       cmd_bdat,       ST_CHUNK },
	{ "BDAT",    IN(CHUNKS), 0,       cmd_bdat_next,  ST_CHUNK },
	{ "BDAT",    IN(MAIL),   IS_ODD,  cmd_bdat_early, ST_CHUNK },
	{ "BDAT",    ANY,        IS_VOID, cmd_bdat_void,  STAY },
	{ "RSET",    IN(NEW),    FREE,    cmd_rset,       STAY },
	{ "RSET",    GREETED,    FREE,    cmd_rset,       ST_READY },
	{ "NOOP",    TALKING,    FREE,    cmd_noop,       STAY },
	{ "VRFY",    TALKING,    IS_JUNK, cmd_vrfy,       STAY },
	{ "HELP",    TALKING,    FREE,    cmd_help,       STAY },
	{ "QUIT",    ANY,        IS_CLEAR, cmd_quit,      ST_CLOSED },

	{ "EXPN",    TALKING,    IS_ODD,  cmd_absent,     STAY },
	{ "TURN",    TALKING,    IS_ODD,  cmd_absent,     STAY },
	{ "ETRN",    TALKING,    IS_ODD,  cmd_absent,     STAY },
	{ "ATRN",    TALKING,    IS_ODD,  cmd_absent,     STAY },
	{ "SEND",    TALKING,    IS_ODD,  cmd_absent,     STAY },
	{ "SOML",    TALKING,    IS_ODD,  cmd_absent,     STAY },
	{ "SAML",    TALKING,    IS_ODD,  cmd_absent,     STAY },

	{ "GET",     ANY,        IS_ODD,  cmd_foreign,    ST_CLOSED },
	{ "POST",    ANY,        IS_ODD,  cmd_foreign,    ST_CLOSED },
	{ "PUT",     ANY,        IS_ODD,  cmd_foreign,    ST_CLOSED },
	{ "HEAD",    ANY,        IS_ODD,  cmd_foreign,    ST_CLOSED },
	{ "DELETE",  ANY,        IS_ODD,  cmd_foreign,    ST_CLOSED },
	{ "PATCH",   ANY,        IS_ODD,  cmd_foreign,    ST_CLOSED },
	{ "OPTIONS", ANY,        IS_ODD,  cmd_foreign,    ST_CLOSED },
	{ "CONNECT", ANY,        IS_ODD,  cmd_foreign,    ST_CLOSED },
	{ "TRACE",   ANY,        IS_ODD,  cmd_foreign,    ST_CLOSED },
	{ "PRI",     ANY,        IS_ODD,  cmd_foreign,    ST_CLOSED },
};

#define RULE_CNT	(sizeof(rules) / sizeof(rules[0]))

/* What the client does besides, and the state after it was refused. */
static const struct {
	struct rule	 rule;
	enum state	 otherwise;
	const char	*shown;		/* in the picture; NULL not	*/
} events[EVENT__COUNT] = {
	[EVENT_CONNECT] = { { "connect", IN(NEW), 0, cmd_connect, STAY },
	    ST_SHUT, "(connect)" },
	[EVENT_SHAKE] = { { "connect", IN(NEW), 0, cmd_shake_first,
	    ST_SECURE },
	    STAY, NULL },
	[EVENT_SECURED] = { { "STARTTLS", IN(SECURE), 0, cmd_shake, ST_NEW },
	    STAY, "(secured)" },
	[EVENT_RESPONSE] = { { "AUTH", IN(AUTH), 0, cmd_auth_response,
	    ST_READY }, ST_READY, "(response)" },
	[EVENT_END] = { { "DATA", IN(DATA), 0, cmd_data_end, ST_READY },
	    ST_READY, "(end)" },
	[EVENT_CHUNK] = { { "BDAT", IN(CHUNK), 0, cmd_bdat_end, ST_CHUNKS },
	    ST_CHUNKS, "(chunk)" },
	[EVENT_LAST] = { { "BDAT", IN(CHUNK), 0, cmd_data_end, ST_READY },
	    ST_READY, "(last)" },
};

static const char *const state_names[ST__COUNT] = {
	[ST_NEW] = "new",	[ST_READY] = "ready",	[ST_MAIL] = "mail",
	[ST_RCPT] = "rcpt",	[ST_DATA] = "data",
	[ST_CHUNK] = "chunk",	[ST_CHUNKS] = "chunks",
	[ST_SECURE] = "secure",	[ST_AUTH] = "auth",
	[ST_PENDING] = "pending", [ST_SHUT] = "shut",	[ST_CLOSED] = "closed",
};

/* The row for this verb in this state, or NULL; *known: any row that has it. */
static const struct rule *
rule_for(const struct session *s, struct span verb, const struct rule **known)
{
	unsigned foreign = s->origin.is_lmtp ? IS_SMTP : IS_LMTP;

	*known = NULL;
	for (size_t i = 0; i < RULE_CNT; i++) {
		if (rules[i].is & foreign ||
		    !span_eq_nocase(verb, span_of(rules[i].verb)))
			continue;
		*known = &rules[i];
		if (rules[i].when & (1u << s->state))
			return &rules[i];
	}
	return NULL;
}

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] > 127)
			return false;
	return true;
}

/* A line ends in one place for all who read it (RFC 5321 2.3.8). */
static bool
is_spoilt(struct span line)
{
	return span_find(line, '\r') < line.len ||
	    span_find(line, '\0') < line.len;
}

/* Octets follow this line that are no commands, however wrong it is. */
static bool
is_counted(struct span line)
{
	struct span word = span_head(line, 4), behind = span_tail(line, 4);

	return span_eq_nocase(word, SPAN("BDAT")) && (behind.len == 0 ||
	    !((behind.ptr[0] >= 'A' && behind.ptr[0] <= 'Z') ||
	    (behind.ptr[0] >= 'a' && behind.ptr[0] <= 'z')));
}

/* Is it so wrong that no handler will see it? */
static bool
is_odd(struct span line)
{
	struct command c;

	return is_spoilt(line) || command_parse(line, &c) != OK ||
	    !is_ascii(line);
}

static bool
lacks_tls(const struct session *s)
{
	return s->edge->set.require_tls && !s->origin.is_secure &&
	    !origin_is_local(&s->origin);
}

/* May it be said at all, and said now?  Says the reply if not. */
static bool
is_fitting(struct session *s, const struct command *c, const struct rule *r)
{
	if (r == NULL) {
		session_refuse(s, 503, "5.5.1", "Bad sequence of commands");
		return false;
	}
	if (lacks_tls(s) && !(r->is & (IS_CLEAR | IS_ODD))) {
		session_refuse(s, 530, "5.7.0",
		    "Must issue a STARTTLS command first");
		return false;
	}
	if (r->is & IS_JUNK && ++s->junk_cnt > JUNK_MAX) {
		session_end(s, "4.7.0", "Too many commands without mail");
		return false;
	}
	/* MAIL and RCPT judge their addresses, by SMTPUTF8. */
	if (r->handle != cmd_mail && r->handle != cmd_rcpt &&
	    !is_ascii(c->args)) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		return false;
	}
	return true;
}

/* Where a command leads that came in this state. */
static struct moves
moves_of(const struct session *s, const struct rule *r, enum state otherwise)
{
	return (struct moves){
		.verb = r->verb,
		.taken = r->then == STAY ? s->state : r->then,
		.refused = otherwise == STAY ? s->state : otherwise,
	};
}

void
session_go_on(struct session *s, const struct reply *no)
{
	const struct moves moves = s->waiting.moves;

	s->verb = moves.verb;
	session_settle(s, &moves, stage_go_on(s, no));
}

void
session_event(struct session *s, enum event event, struct span line)
{
	const struct rule *r = &events[event].rule;
	const struct moves moves = moves_of(s, r, events[event].otherwise);

	s->verb = r->verb;
	session_settle(s, &moves, r->handle(s, line));
}

static void
run_command(struct session *s, const struct command *c)
{
	const struct rule *known, *r = rule_for(s, c->verb, &known);
	struct moves moves;

	if (known == NULL) {
		session_refuse(s, 500, "5.5.2",
		    "Syntax error, command unrecognized");
		return;
	}
	s->verb = known->verb;
	if (known->handle == cmd_mail || known->handle == cmd_rcpt)
		session_about(s, known->handle == cmd_mail ? LOG_KEY_from :
		    LOG_KEY_rcpt, command_path_said(c->args));
	if (!is_fitting(s, c, r))
		return;
	moves = moves_of(s, r, STAY);
	session_settle(s, &moves, r->handle(s, c->args));
}

void
session_line(struct session *s, struct span line)
{
	struct command c;

	if (s->state == ST_AUTH) {
		session_event(s, EVENT_RESPONSE, line);
		return;
	}
	s->verb = "unknown";
	session_about(s, LOG_KEY__COUNT, SPAN(""));
	if (is_counted(line) && is_odd(line)) {
		session_refuse(s, 501, "5.5.4",
		    "Syntax error in parameters or arguments");
		session_close(s, true);
	} else if (is_spoilt(line))
		session_refuse(s, 500, "5.5.2", "Bare CR or NUL not allowed");
	else if (span_begins(line, SPAN("SSH-"))) {
		(void)cmd_foreign(s, line);
		session_close(s, true);
	} else if (command_parse(line, &c) != OK)
		session_refuse(s, 500, "5.5.2",
		    "Syntax error, command unrecognized");
	else
		run_command(s, &c);
}

const char *
session_state_name(enum state st)
{
	return state_names[st];
}

const char *
session_verb(const struct session *s, size_t *at)
{
	unsigned unsaid = IS_ODD | (s->origin.is_lmtp ? IS_SMTP : IS_LMTP);
	const char *before = *at > 0 ? rules[*at - 1].verb : "";

	while (*at < RULE_CNT) {
		const struct rule *r = &rules[(*at)++];

		if ((r->is & unsaid) == 0 && strcmp(r->verb, before) != 0)
			return r->verb;
	}
	return NULL;
}

void
session_print_table(FILE *out)
{
	for (unsigned st = 0; st < ST__COUNT; st++) {
		fprintf(out, "%-7s", state_names[st]);
		for (size_t i = 0; i < EVENT__COUNT; i++)
			if (events[i].rule.when & (1u << st) &&
			    events[i].shown != NULL)
				fprintf(out, " %s", events[i].shown);
		for (size_t i = 0; i < RULE_CNT; i++)
			if (rules[i].when & (1u << st) &&
			    !(rules[i].is & IS_ODD))
				fprintf(out, " %s", rules[i].verb);
		fputc('\n', out);
	}
}
