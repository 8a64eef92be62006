/*
 * session_table.c - what an SMTP client may say, and when.  RFC 5321 4.1.4.
 *
 * This table is the only place that knows the order of the dialogue.  To add
 * a command: write its handler in cmd_NAME.c, add one row, run make check and
 * read the changed picture in the diff.  Some moves are not a command's: to
 * where somebody else is waited for and back (RCPT by ASK, AUTH by AUTH and
 * LOGIN to READY, the end of data by WAIT to READY), from SECURE to NEW, and
 * the ends of the session; those are in session*.c, auth.c and cmd_rcpt.c.
 */
#include "edge/cmd.h"
#include "edge/edge.h"
#include "edge/session.h"

#define IN(st)		(1u << ST_##st)
#define OPEN		(IN(MAIL) | IN(RCPT))
#define GREETED		(IN(READY) | OPEN)
#define TALKING		(IN(NEW) | GREETED)
#define ANY		(TALKING | IN(SHUT))

#define STAY		ST__COUNT

#define IS_JUNK		0x1u	/* brings no mail any nearer		*/
#define IS_ODD		0x2u	/* not shown in the picture		*/
#define IS_CLEAR	0x4u	/* may be said without TLS where that is
				 * required, RFC 3207 4			*/

#define FREE		(IS_JUNK | IS_CLEAR)

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
	{ "EHLO",    TALKING,    FREE,    cmd_ehlo,       ST_READY },
	{ "HELO",    TALKING,    IS_JUNK, cmd_helo,       ST_READY },
	{ "STARTTLS", IN(READY), FREE,    cmd_starttls,   ST_SECURE },
	{ "AUTH",    IN(READY),  IS_JUNK, cmd_auth,       STAY },
	{ "MAIL",    IN(READY),  0,       cmd_mail,       ST_MAIL },
	{ "RCPT",    OPEN,       0,       cmd_rcpt,       ST_RCPT },
	{ "DATA",    IN(RCPT),   0,       cmd_data,       ST_DATA },
	{ "DATA",    IN(MAIL),   IS_ODD,  cmd_data_early, STAY },
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

static const char *const state_names[ST__COUNT] = {
	[ST_NEW] = "new",	[ST_READY] = "ready",	[ST_MAIL] = "mail",
	[ST_RCPT] = "rcpt",	[ST_ASK] = "ask",	[ST_DATA] = "data",
	[ST_WAIT] = "wait",	[ST_SECURE] = "secure",	[ST_AUTH] = "auth",
	[ST_LOGIN] = "login",	[ST_SHUT] = "shut",	[ST_CLOSED] = "closed",
};

/* The row for this verb in this state, or NULL; *known: any row that has it. */
static const struct rule *
rule_for(struct span verb, enum state st, const struct rule **known)
{
	*known = NULL;
	for (size_t i = 0; i < RULE_CNT; i++) {
		if (!span_eq_nocase(verb, span_of(rules[i].verb)))
			continue;
		*known = &rules[i];
		if (rules[i].when & (1u << st))
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

static bool
lacks_tls(const struct session *s)
{
	return s->edge->set.require_tls && !s->is_secure &&
	    !crowd_is_local(&s->address);
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

void
session_command(struct session *s, struct span line)
{
	const struct rule *r, *known;
	struct command c;

	s->verb = "unknown";
	if (span_begins(line, SPAN("SSH-"))) {
		cmd_foreign(s, line);
		s->state = ST_CLOSED;
		return;
	}
	if (command_parse(line, &c) != OK) {
		session_refuse(s, 500, "5.5.2",
		    "Syntax error, command unrecognized");
		return;
	}
	r = rule_for(c.verb, s->state, &known);
	if (known == NULL) {
		session_refuse(s, 500, "5.5.2",
		    "Syntax error, command unrecognized");
		return;
	}
	s->verb = known->verb;
	if (is_fitting(s, &c, r) && r->handle(s, c.args) &&
	    s->state != ST_CLOSED && r->then != STAY)
		s->state = r->then;
}

const char *
session_state_name(enum state st)
{
	return state_names[st];
}

void
session_print_table(FILE *out)
{
	for (unsigned st = 0; st < ST__COUNT; st++) {
		fprintf(out, "%-6s", state_names[st]);
		for (size_t i = 0; i < RULE_CNT; i++)
			if (rules[i].when & (1u << st) &&
			    !(rules[i].is & IS_ODD))
				fprintf(out, " %s", rules[i].verb);
		fputc('\n', out);
	}
}
