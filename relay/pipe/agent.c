/*
 * agent.c - a row a type.  Where its program runs as the recipient a run is
 * for one of them, whatever the type.
 */
#include <stddef.h>
#include <string.h>

#include "relay/local/local.h"
#include "relay/pipe/agent.h"

/* `type' says how it is started and judged. */
struct agent_row {
	const char	*type;
	const char	*name;		/* of the program; NULL: by `args' */
	bool		 is_once;	/* for all recipients together, unless
				 * a further argument is about one	*/
	bool		 says_whom;	/* -d RECIPIENT, unless it is him who
				 * runs it				*/
	struct pipe_judge judge;
	bool		 is_local;
};

static const struct agent_row rows[] = {
	{ .type = "pipe" },
	{ .type = "maildrop", .name = "maildrop", .is_once = true,
	    .judge = { .by_status = true, .name = "maildrop" } },
	{ .type = "dovecot", .name = "dovecot-lda", .says_whom = true,
	    .judge = { .by_status = true } },
	{ .type = "local", .is_local = true },
};

/* The option that has the words, or the further ones. */
static const char *
words_of(const struct agent *a)
{
	return a->row->name == NULL ? "args" : "extra_args";
}

static const struct agent_row *
find_row(struct span type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_eq(type, span_of(rows[i].type)))
			return &rows[i];
	return NULL;
}

static bool
name_program(struct agent *a)
{
	struct span name = a->is_local ? SPAN("local") :
	    slice_text(&a->block, a->row->name == NULL ? "args" : "path", 0);

	return span_cstr(name, a->program, sizeof(a->program));
}

static bool
is_about_one(const struct agent *a)
{
	for (unsigned i = 0; i < slice_count(&a->block, words_of(a)); i++)
		if (pipe_args_is_for_one(slice_text(&a->block, words_of(a),
		    i)))
			return true;
	return false;
}

bool
agent_init(struct agent *a, const struct slice *block)
{
	memset(a, 0, sizeof(*a));
	a->block = *block;
	if ((a->row = find_row(slice_text(block, "type", 0))) == NULL)
		return false;
	a->is_local = a->row->is_local;
	a->judge = a->row->judge;
	a->as_recipient = span_eq(slice_text(block, "user", 0),
	    SPAN("recipient"));
	a->is_once = a->row->is_once && !a->as_recipient && !is_about_one(a);
	return name_program(a);
}

enum err
agent_open(struct agent *a)
{
	struct span pattern = slice_text(&a->block, "error_pattern", 0);

	return pattern.len == 0 ? OK :
	    regex_open(&a->judge.pattern, pattern);
}

enum err
agent_start(struct launcher **out, struct agent *a,
    const struct relay_type_env *env)
{
	struct sandbox box = { .role = ROLE_LAUNCHER, .root = "/",
	    .wish = SANDBOX_REQUIRE };

	if (a->is_local)
		return local_start(out, env);
	if (a->as_recipient)
		return local_start_as(out, a->program, env);
	boot_ids(env->boot, &box.uid, &box.gid);
	box.calls_out = slice_flag(&env->block, "network");
	return launcher_start(out, a->program, &box);
}

/* NAME -f SENDER, and for whom, where it has to be told. */
static enum err
add_agent_args(const struct agent *a, const struct delivery *d,
    uint32_t rcpt, struct pipe_args *out)
{
	enum err e;

	if ((e = pipe_args_add_value(out, span_of(a->row->name))) == OK &&
	    (e = pipe_args_add_value(out, SPAN("-f"))) == OK)
		e = pipe_args_add_value(out, d->sender);
	if (e == OK && a->row->says_whom && !a->as_recipient &&
	    (e = pipe_args_add_value(out, SPAN("-d"))) == OK)
		e = pipe_args_add_value(out, d->rcpts[rcpt].address);
	return e;
}

/* The words of `args' or `extra_args' for one recipient. */
static enum err
add_words(const struct agent *a, const struct delivery *d, uint32_t rcpt,
    struct pipe_args *out)
{
	const char *option = words_of(a);
	struct span piece = SPAN("");
	struct pipe_facts f = {
		.sender = d->sender, .recipient = d->rcpts[rcpt].address,
		.client_ip = d->client, .client_ehlo = d->helo,
		.client_protocol = d->proto, .client_host = SPAN(""),
		.client_auth = SPAN(""),
	};
	unsigned cnt = slice_count(&a->block, option);
	enum err e = OK;

	/* RFC 3848: the A says that the tenant is a login. */
	if (d->proto.len > 0 && d->proto.ptr[d->proto.len - 1] == 'A')
		f.client_auth = d->tenant;
	if (cnt > 0 && d->header_len > 0)
		(void)delivery_text(d, 0, &piece);
	f.message_id = pipe_args_message_id(piece);
	for (unsigned i = 0; i < cnt && e == OK; i++)
		e = pipe_args_add(out, slice_text(&a->block, option, i), &f);
	return e;
}

enum err
agent_args(const struct agent *a, const struct delivery *d, uint32_t rcpt,
    struct pipe_args *out)
{
	struct span to = d->rcpts[rcpt].address;
	enum err e = OK;

	memset(out, 0, offsetof(struct pipe_args, bytes));
	if (a->is_local)
		return local_args(&a->block, d->sender, to, out);
	if (a->as_recipient)
		e = local_names(&a->block, to, out);
	if (e == OK && a->row->name != NULL)
		e = add_agent_args(a, d, rcpt, out);
	return e == OK ? add_words(a, d, rcpt, out) : e;
}

struct verdict
agent_verdict(struct agent *a, int status, struct span output,
    struct span error, struct verdict_text *text)
{
	if (status < 0 && status != LAUNCHER_NO_EXEC)
		return local_no_run(status, error);
	return a->is_local ? local_verdict(status, output, error, text) :
	    pipe_verdict(&a->judge, status, output, error, text);
}
