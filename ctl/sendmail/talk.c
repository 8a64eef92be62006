/*
 * talk.c - one transaction at a time; its letter is made when its text comes.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/limits.h"
#include "ctl/sendmail/letter.h"
#include "ctl/sendmail/talk.h"
#include "ctl/sendmail/who.h"
#include "mail/command.h"

#define COMMAND_MAX	2048		/* bytes of a line that is read	*/
#define ERRORS_MAX	100		/* in a row: nobody is there	*/

struct dialogue {
	const struct handover *to;
	FILE		*in, *out;
	struct args	 args;		/* as the letter wants them	*/
	struct who	 who;
	bool		 is_greeted, is_extended, is_utf8;
	char		*sender;	/* NULL: no transaction		*/
	char		**rcpts;	/* args.rcpt_cnt of RCPTS_MAX	*/
	unsigned	 error_cnt;
	bool		 is_over;
};

static void
reply(struct dialogue *d, unsigned code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
reply(struct dialogue *d, unsigned code, const char *format, ...)
{
	va_list args;

	fprintf(d->out, "%u ", code);
	va_start(args, format);
	vfprintf(d->out, format, args);
	va_end(args);
	fputs("\r\n", d->out);
	if (code < 400)
		d->error_cnt = 0;
	else if (++d->error_cnt == ERRORS_MAX)
		d->is_over = true;
}

/* What a letter complained of, a line of the reply each. */
static void
reply_complaint(struct dialogue *d, const char *code, const char *complaint)
{
	while (*complaint != '\0') {
		size_t len = strcspn(complaint, "\n");
		bool is_last = complaint[len] == '\0' ||
		    complaint[len + 1] == '\0';

		fprintf(d->out, "%.3s%c%s %.*s\r\n", code, is_last ? ' ' : '-',
		    code + 4, (int)(len < 480 ? len : 480), complaint);
		complaint += complaint[len] == '\0' ? len : len + 1;
	}
	d->error_cnt++;
}

static void
reset(struct dialogue *d)
{
	for (int i = 0; i < d->args.rcpt_cnt; i++)
		free(d->rcpts[i]);
	d->args.rcpt_cnt = 0;
	free(d->sender);
	d->sender = NULL;
	d->args.sender = NULL;
}

static void
cmd_hello(struct dialogue *d, struct span name, bool extended)
{
	reset(d);
	d->is_greeted = true;
	d->is_extended = extended;
	if (!extended) {
		reply(d, 250, "%s", d->who.host);
		return;
	}
	fprintf(d->out, "250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
	    "250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n", d->who.host);
	reply(d, 250, "HELP");
}

static void
say_fault(struct dialogue *d, enum command_fault fault, const char *path)
{
	if (fault == FAULT_ADDRESS)
		reply(d, 501, "%s Bad address", path);
	else if (fault == FAULT_UTF8)
		reply(d, 553, "5.6.7 The address needs SMTPUTF8");
	else if (fault == FAULT_PARAM)
		reply(d, 555, "5.5.4 Unknown parameter");
	else
		reply(d, 501, "5.5.4 Syntax error");
}

static void
cmd_mail(struct dialogue *d, struct span args)
{
	struct command_mail m;
	enum command_fault fault;

	if (!d->is_greeted || d->sender != NULL) {
		reply(d, 503, "5.5.1 Not now");
		return;
	}
	fault = command_mail(args, d->is_extended, &m);
	if (fault == FAULT_NONE && m.is_binary)
		fault = FAULT_BINARY;
	if (fault == FAULT_NONE && (m.ret != DSN_RET_NONE || m.envid.len > 0))
		fault = FAULT_PARAM;	/* not offered */
	if (fault != FAULT_NONE) {
		say_fault(d, fault, "5.1.7");
		return;
	}
	if ((d->sender = strndup(m.sender.whole.ptr, m.sender.whole.len)) ==
	    NULL) {
		reply(d, 451, "4.3.0 No memory");
		return;
	}
	d->is_utf8 = m.smtputf8;
	d->args.sender = d->sender;
	reply(d, 250, "2.1.0 Sender OK");
}

static void
cmd_rcpt(struct dialogue *d, struct span args)
{
	struct command_rcpt r;
	enum command_fault fault;

	if (d->sender == NULL) {
		reply(d, 503, "5.5.1 Say MAIL first");
		return;
	}
	fault = command_rcpt(args, d->is_extended, d->is_utf8, &r);
	if (fault == FAULT_NONE && (r.notify != 0 || r.orcpt.len > 0))
		fault = FAULT_PARAM;
	if (fault != FAULT_NONE) {
		say_fault(d, fault, "5.1.3");
		return;
	}
	if (d->args.rcpt_cnt == RCPTS_MAX) {
		reply(d, 452, "4.5.3 Too many recipients");
		return;
	}
	d->rcpts[d->args.rcpt_cnt] = strndup(r.rcpt.whole.ptr,
	    r.rcpt.whole.len);
	if (d->rcpts[d->args.rcpt_cnt] == NULL) {
		reply(d, 451, "4.3.0 No memory");
		return;
	}
	d->args.rcpt_cnt++;
	reply(d, 250, "2.1.5 Recipient OK");
}

static void
hand_over(struct dialogue *d, struct letter *l)
{
	int status = handover_letter(l, d->to);

	if (status == EX_OK)
		reply(d, 250, "2.0.0 Message accepted");
	else if (status == EX_TEMPFAIL || status == EX_PROTOCOL ||
	    status == EX_NOPERM || status == EX_UNAVAILABLE)
		reply_complaint(d, "451 4.3.0", letter_complaint(l));
	else if (status == EX_NOUSER)
		reply_complaint(d, "550 5.1.0", letter_complaint(l));
	else
		reply_complaint(d, "554 5.6.0", letter_complaint(l));
}

/* What is left of a text that was refused is no command. */
static bool
skip_text(struct dialogue *d)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	bool has_ended = false;

	while (!has_ended && (len = getline(&line, &cap, d->in)) != -1)
		has_ended = strcmp(line, ".\n") == 0 ||
		    strcmp(line, ".\r\n") == 0;
	free(line);
	return has_ended;
}

static void
cmd_data(struct dialogue *d)
{
	struct letter l;
	int status;

	if (d->args.rcpt_cnt == 0) {
		reply(d, 503, "5.5.1 Say MAIL and RCPT first");
		return;
	}
	reply(d, 354, "End data with <CR><LF>.<CR><LF>");
	(void)fflush(d->out);
	status = letter_init(&l, &d->args);
	if (status == EX_OK)
		status = letter_read(&l, d->in);
	if (!l.has_ended && !skip_text(d))
		d->is_over = true;	/* whose text was not whole */
	else if (status == EX_OK)
		hand_over(d, &l);
	else
		reply_complaint(d, status == EX_TEMPFAIL || status ==
		    EX_IOERR ? "451 4.3.0" : "554 5.6.0",
		    letter_complaint(&l));
	letter_fini(&l);
	reset(d);
}

static bool
is(struct span verb, const char *word)
{
	return span_eq_nocase(verb, span_of(word));
}

static void
take_command(struct dialogue *d, struct span line)
{
	struct command c;

	if (command_parse(line, &c) != OK)
		reply(d, 500, "5.5.2 That is no command");
	else if (is(c.verb, "EHLO") || is(c.verb, "HELO"))
		cmd_hello(d, c.args, is(c.verb, "EHLO"));
	else if (is(c.verb, "MAIL"))
		cmd_mail(d, c.args);
	else if (is(c.verb, "RCPT"))
		cmd_rcpt(d, c.args);
	else if (is(c.verb, "DATA"))
		cmd_data(d);
	else if (is(c.verb, "RSET") || is(c.verb, "NOOP")) {
		if (is(c.verb, "RSET"))
			reset(d);
		reply(d, 250, "2.0.0 OK");
	} else if (is(c.verb, "VRFY"))
		reply(d, 252, "2.5.0 Send it, and see");
	else if (is(c.verb, "HELP"))
		reply(d, 214, "2.0.0 postern-sendmail(1) has it");
	else if (is(c.verb, "QUIT")) {
		d->is_over = true;
		reply(d, 221, "2.0.0 Bye");
	} else
		reply(d, 502, "5.5.1 Not known here");
}

static void
take_lines(struct dialogue *d)
{
	char line[COMMAND_MAX];
	size_t len;

	while (!d->is_over && fgets(line, sizeof(line), d->in) != NULL) {
		len = strlen(line);
		if (len == sizeof(line) - 1 && line[len - 1] != '\n') {
			int c;

			while ((c = getc(d->in)) != '\n' && c != EOF)
				;
			reply(d, 500, "5.5.2 The line is too long");
		} else {
			len = strcspn(line, "\r\n");
			take_command(d, (struct span){ line, len });
		}
		if (fflush(d->out) == EOF)
			return;
	}
}

int
talk_run(const struct args *a, FILE *in, FILE *out, const struct handover *to)
{
	struct dialogue d = {
		.to = to, .in = in, .out = out,
		.args = { .mode = MODE_SEND, .name = a->name,
		    .config = a->config, .home = a->home, .is_dotted = true },
		.rcpts = calloc(RCPTS_MAX, sizeof(*d.rcpts)),
	};

	if (d.rcpts == NULL) {
		fputs("421 4.3.0 No memory\r\n", out);
		return EX_TEMPFAIL;
	}
	d.args.rcpts = d.rcpts;
	who_find(&d.who, a->home);
	reply(&d, 220, "%s ESMTP postern", d.who.host);
	(void)fflush(out);
	take_lines(&d);
	reset(&d);
	free(d.rcpts);
	return ferror(in) || ferror(out) ? EX_IOERR : EX_OK;
}
