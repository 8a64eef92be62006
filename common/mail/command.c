/*
 * command.c - the parameters of MAIL and RCPT stand in tables; an extension
 * adds a row and a function that reads the value.
 *
 * SMTPUTF8 stands behind the address it allows, so MAIL's path is taken as if
 * it had been said, and judged when the parameters are known.
 */
#include "base/ascii.h"
#include "base/limits.h"
#include "mail/command.h"
#include "mail/dsn.h"

/* Read a value into the struct command_mail or command_rcpt. */
typedef enum command_fault param_fn(struct span value, void *out);

struct param {
	struct span	 name;
	bool		 has_value;	/* NAME=VALUE, else NAME alone */
	param_fn	*read;
};

static enum command_fault
read_size(struct span value, void *out)
{
	struct command_mail *mail = out;
	unsigned long long size = UINT64_MAX;

	if (value.len > 20)	/* digits, RFC 1870 4 */
		return FAULT_SYNTAX;
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return FAULT_SYNTAX;
	if (!span_number(value, UINT64_MAX, &size))
		size = UINT64_MAX;
	mail->size = size;
	mail->has_size = true;
	return FAULT_NONE;
}

static enum command_fault
read_body(struct span value, void *out)
{
	struct command_mail *mail = out;

	mail->is_8bit = span_eq_nocase(value, SPAN("8BITMIME"));
	mail->is_binary = span_eq_nocase(value, SPAN("BINARYMIME"));
	if (!mail->is_8bit && !mail->is_binary &&
	    !span_eq_nocase(value, SPAN("7BIT")))
		return FAULT_SYNTAX;
	mail->has_body = true;
	return FAULT_NONE;
}

static enum command_fault
read_smtputf8(struct span value, void *out)
{
	struct command_mail *mail = out;

	mail->smtputf8 = true;
	return FAULT_NONE;
}

/* Upper case alone, RFC 3461 4. */
static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* xtext, RFC 3461 4; "=" and what is no ESMTP value are refused before. */
static enum command_fault
read_auth(struct span value, void *out)
{
	struct command_mail *mail = out;

	for (size_t i = 0; i < value.len; i++) {
		if ((unsigned char)value.ptr[i] > 126)
			return FAULT_SYNTAX;
		if (value.ptr[i] != '+')
			continue;
		if (value.len - i < 3 || !is_hex(value.ptr[i + 1]) ||
		    !is_hex(value.ptr[i + 2]))
			return FAULT_SYNTAX;
		i += 2;
	}
	mail->has_auth = true;
	return FAULT_NONE;
}

static enum command_fault
read_ret(struct span value, void *out)
{
	struct command_mail *mail = out;

	return dsn_read_ret(value, &mail->ret) ? FAULT_NONE : FAULT_RET;
}

static enum command_fault
read_envid(struct span value, void *out)
{
	struct command_mail *mail = out;

	mail->envid = value;
	return dsn_is_envid(value) ? FAULT_NONE : FAULT_ENVID;
}

static enum command_fault
read_notify(struct span value, void *out)
{
	struct command_rcpt *rcpt = out;

	return dsn_read_notify(value, &rcpt->notify) ? FAULT_NONE :
	    FAULT_NOTIFY;
}

/* Whether 8-bit bytes are allowed is known to command_rcpt() only. */
static enum command_fault
read_orcpt(struct span value, void *out)
{
	struct command_rcpt *rcpt = out;

	rcpt->orcpt = value;
	rcpt->orcpt_utf8 = !dsn_is_orcpt(value, false);
	return dsn_is_orcpt(value, true) ? FAULT_NONE : FAULT_ORCPT;
}

static const struct param mail_params[] = {
	{ { "SIZE", 4 },	true,	read_size	},
	{ { "BODY", 4 },	true,	read_body	},
	{ { "SMTPUTF8", 8 },	false,	read_smtputf8	},
	{ { "AUTH", 4 },	true,	read_auth	},
	{ { "RET", 3 },		true,	read_ret	},
	{ { "ENVID", 5 },	true,	read_envid	},
};

static const struct param rcpt_params[] = {
	{ { "NOTIFY", 6 },	true,	read_notify	},
	{ { "ORCPT", 5 },	true,	read_orcpt	},
};

#define PARAM_CNT(params)	(sizeof(params) / sizeof((params)[0]))

static const struct param *
param_for(const struct param *params, size_t cnt, struct span name)
{
	for (size_t i = 0; i < cnt; i++)
		if (span_eq_nocase(name, params[i].name))
			return &params[i];
	return NULL;
}

/* esmtp-keyword, RFC 5321 4.1.2 */
static bool
is_keyword(struct span name)
{
	if (name.len == 0 || !ascii_is_alnum(name.ptr[0]))
		return false;
	for (size_t i = 1; i < name.len; i++)
		if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '-')
			return false;
	return true;
}

/* esmtp-value, with the UTF-8 of RFC 6531 3.3 left to those who read it. */
static bool
is_value(struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.ptr[i] <= ' ' ||
		    value.ptr[i] == '=' || value.ptr[i] == 0x7f)
			return false;
	return value.len > 0;
}

/* One parameter; *seen has a bit for each row that was met. */
static enum command_fault
judge_param(struct span text, const struct param *params, size_t cnt,
    unsigned *seen, void *out)
{
	struct span name = span_head(text, span_find(text, '='));
	struct span value = span_tail(text, name.len + 1);
	bool has_value = name.len < text.len;
	const struct param *p;
	unsigned bit;

	if (!is_keyword(name) || (has_value && !is_value(value)))
		return FAULT_SYNTAX;
	if ((p = param_for(params, cnt, name)) == NULL)
		return FAULT_PARAM;
	bit = 1u << (p - params);
	if (p->has_value != has_value || (*seen & bit) != 0)
		return FAULT_SYNTAX;
	*seen |= bit;
	return p->read(value, out);
}

/* All that stands behind the path: blanks, and a parameter behind each. */
static enum command_fault
judge_params(struct span rest, const struct param *params, size_t cnt,
    void *out)
{
	enum command_fault fault = FAULT_NONE;
	unsigned seen = 0;

	while (rest.len > 0 && fault == FAULT_NONE) {
		struct span word;

		if (rest.ptr[0] != ' ')
			return FAULT_SYNTAX;
		while (rest.len > 0 && rest.ptr[0] == ' ')
			rest = span_tail(rest, 1);
		word = span_head(rest, span_find(rest, ' '));
		rest = span_tail(rest, word.len);
		if (word.len > 0)
			fault = judge_param(word, params, cnt, &seen, out);
	}
	return fault;
}

/*
 * "FROM:" or "TO:" and the path.  Nothing may stand between (RFC 5321 3.3); one
 * blank, and a path without its brackets, are taken all the same: printers,
 * scanners and scripts write so, and it can be misread as nothing else.
 */
static enum command_fault
take_path(struct span *args, struct span word, bool utf8, struct address *out)
{
	if (!span_begins_nocase(*args, word))
		return FAULT_SYNTAX;
	*args = span_tail(*args, word.len);
	if (span_begins(*args, SPAN(" ")))
		*args = span_tail(*args, 1);
	if (args->len == 0 || args->ptr[0] == ' ')
		return FAULT_SYNTAX;
	switch (args->ptr[0] == '<' ? address_path(args, utf8, out) :
	    address_bare(args, utf8, out)) {
	case OK:
		return FAULT_NONE;
	case ERR_NONE:
		return FAULT_UTF8;
	default:
		return FAULT_ADDRESS;
	}
}

enum command_fault
command_mail(struct span args, bool extended, struct command_mail *out)
{
	struct command_mail mail = { .size = 0 };
	size_t cnt = extended ? PARAM_CNT(mail_params) : 0;
	enum command_fault fault;

	fault = take_path(&args, SPAN("FROM:"), true, &mail.sender);
	if (fault == FAULT_NONE)
		fault = judge_params(args, mail_params, cnt, &mail);
	if (fault != FAULT_NONE)
		return fault;
	if (mail.sender.kind == ADDRESS_POSTMASTER)
		return FAULT_ADDRESS;
	if (mail.sender.is_utf8 && !mail.smtputf8)
		return FAULT_UTF8;
	*out = mail;
	return FAULT_NONE;
}

enum command_fault
command_rcpt(struct span args, bool extended, bool utf8,
    struct command_rcpt *out)
{
	struct command_rcpt rcpt = { .rcpt = { .kind = ADDRESS_NULL } };
	size_t cnt = extended ? PARAM_CNT(rcpt_params) : 0;
	enum command_fault fault;

	fault = take_path(&args, SPAN("TO:"), utf8, &rcpt.rcpt);
	if (fault == FAULT_NONE)
		fault = judge_params(args, rcpt_params, cnt, &rcpt);
	if (fault != FAULT_NONE)
		return fault;
	if (rcpt.orcpt_utf8 && !utf8)
		return FAULT_ORCPT;
	if (rcpt.rcpt.kind == ADDRESS_NULL)
		return FAULT_ADDRESS;
	*out = rcpt;
	return FAULT_NONE;
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (((unsigned char)s.ptr[i] < ' ' && s.ptr[i] != '\t') ||
		    s.ptr[i] == 0x7f)
			return true;
	return false;
}

enum err
command_parse(struct span line, struct command *out)
{
	size_t len = 0;

	while (len < line.len && ascii_is_letter(line.ptr[len]))
		len++;
	if (len == 0 || has_control(line))
		return ERR_PEER;
	if (len < line.len && line.ptr[len] != ' ' && line.ptr[len] != '\t')
		return ERR_PEER;
	out->verb = span_head(line, len);
	out->args = span_trim(span_tail(line, len));
	return OK;
}

enum err
command_bdat(struct span args, uint64_t *size, bool *is_last)
{
	struct span digits = span_head(args, span_find(args, ' '));
	struct span rest = span_trim(span_tail(args, digits.len));
	unsigned long long n;

	if (!span_number(digits, INT64_MAX, &n))
		return ERR_PEER;
	if (rest.len > 0 && !span_eq_nocase(rest, SPAN("LAST")))
		return ERR_PEER;
	*size = n;
	*is_last = rest.len > 0;
	return OK;
}

bool
command_ehlo_name(struct span args)
{
	for (size_t i = 0; i < args.len; i++)
		if (args.ptr[i] <= ' ' || args.ptr[i] > '~')
			return false;
	return args.len > 0 && args.len <= DOMAIN_MAX;
}

struct span
command_path_said(struct span args)
{
	struct span path = span_trim(span_tail(args, span_find(args, ':') + 1));
	bool is_quoted = false;
	size_t len = 0;

	if (path.len > 0 && path.ptr[0] == '<') {
		path = span_tail(path, 1);
		while (len < path.len && (path.ptr[len] != '>' || is_quoted))
			is_quoted ^= path.ptr[len++] == '"';
	} else {
		len = span_find(path, ' ');
	}
	return span_head(span_head(path, len), PATH_MAX_SMTP);
}
