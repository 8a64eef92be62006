/*
 * check_http.c - an edge of type http: what its dialect stands for, and whether
 * its words can stand in a request.
 */
#include "base/ascii.h"
#include "conf/check/check.h"

/* What frames a request, or means something else already. */
static const char *const taken[] = {
	"Authorization", "Connection", "Content-Length", "Content-Type",
	"Expect", "Host", "Transfer-Encoding",
};

static const struct {
	enum option_no	 no;
	const char	*python, *lua;
} fields[] = {
	{ OPTION_EDGE_uri, "", "/email/?$" },
	{ OPTION_EDGE_ehlo_header, "X-Ehlo", "X-Ehlo" },
	{ OPTION_EDGE_sender_header, "X-Envelope-Sender", "X-Sender" },
	{ OPTION_EDGE_recipient_header, "X-Envelope-Recipient",
	    "X-Recipient" },
};

#define FIELD_CNT	(sizeof(fields) / sizeof(fields[0]))

static bool
is_token_byte(char c)
{
	return ascii_is_alnum(c) || c == '-' || c == '_';
}

static bool
is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_byte(s.ptr[i]))
			return false;
	return s.len > 0 && s.len <= 64;
}

static void
check_token(struct conf *c, const struct block *e, enum option_no no)
{
	const struct setting *s = &e->settings[no];

	if (s->given && s->cnt > 0 && !is_token(s->v[0].text))
		report_add(&c->mistakes, s->v[0].place, "%s is letters, "
		    "digits, - and _, at most 64", options_row(no)->name);
}

/* Two fields of one name would be one. */
static void
check_name(struct conf *c, const struct block *e, size_t at)
{
	const struct setting *s = &e->settings[fields[at].no];
	struct span name = block_text(e, fields[at].no);
	bool is_taken = false;

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		is_taken |= span_eq_nocase(name, span_of(taken[i]));
	for (size_t i = 1; i < FIELD_CNT; i++)
		is_taken |= i != at &&
		    span_eq_nocase(name, block_text(e, fields[i].no));
	if (s->given && is_taken)
		report_add(&c->mistakes, s->v[0].place, "another field is "
		    "called `%.*s' already", report_len(name), name.ptr);
}

void
check_http(struct conf *c)
{
	struct block *e;
	bool is_lua;

	TAILQ_FOREACH(e, &c->top->blocks, entry) {
		if (e->no != BLOCK_EDGE || !options_fits(
		    options_row(OPTION_EDGE_dialect)->kinds, block_kind(e)))
			continue;
		is_lua = span_eq(block_text(e, OPTION_EDGE_dialect),
		    SPAN("lua"));
		for (size_t i = 0; i < FIELD_CNT; i++)
			if (!e->settings[fields[i].no].given)
				block_set(c, e, fields[i].no,
				    span_of(is_lua ? fields[i].lua :
				    fields[i].python), 0);
		check_token(c, e, OPTION_EDGE_method);
		for (size_t i = 1; i < FIELD_CNT; i++) {
			check_token(c, e, fields[i].no);
			check_name(c, e, i);
		}
	}
}
