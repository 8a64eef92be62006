/*
 * rules.c - who and whom, each as a look-up in a table or one search.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/stage/rules.h"

/* The numbers of patterns: who is named is found before his domain. */
enum { PEOPLE, DOMAINS };

/* Could another mailer take this local part for a route, a pipe or a file? */
static bool
is_routed(struct span local)
{
	if (local.len > 0 && local.ptr[0] == '"')
		local = span_tail(local, 1);
	if (local.len > 0 && memchr("|/:", local.ptr[0], 3) != NULL)
		return true;
	return span_find(local, '@') < local.len ||
	    span_find(local, '%') < local.len ||
	    span_find(local, '!') < local.len;
}

enum err
rules_add_net(struct rules *r, struct span text)
{
	return nets_add(&r->clients, text);
}

enum err
rules_add_rcpt(struct rules *r, struct span text)
{
	bool is_domain = span_begins(text, SPAN("@"));
	enum err e = OK;

	if (r->rcpts == NULL)
		e = pattern_new(&r->rcpts);
	if (e == OK)
		e = pattern_add(r->rcpts, text, is_domain ? DOMAINS : PEOPLE);
	return e == ERR_SYS ? ERR_FULL : e;
}

static enum err
add_sender(struct rules *r, struct span text)
{
	enum err e = OK;

	if (r->senders == NULL)
		e = pattern_new(&r->senders);
	if (e == OK)
		e = pattern_add(r->senders, text, 0);
	return e == ERR_SYS ? ERR_FULL : e;
}

/* The whole address has to match, whatever the pattern says of its ends. */
static enum err
add_regex(struct regexes *all, struct span text)
{
	char whole[SLICE_TEXT_MAX + 16];
	int len = snprintf(whole, sizeof(whole), "\\A(?:%.*s)\\z",
	    (int)text.len, text.ptr);
	struct regex **more;
	enum err e;

	more = reallocarray(all->v, all->cnt + 1, sizeof(struct regex *));
	if (more == NULL)
		return ERR_FULL;
	all->v = more;
	e = regex_open(&more[all->cnt], (struct span){ whole, (size_t)len });
	if (e == OK)
		all->cnt++;
	return e == ERR_SYS ? ERR_FULL : e;
}

enum err
rules_add_sender_regex(struct rules *r, struct span text)
{
	return add_regex(&r->sender_regexes, text);
}

enum err
rules_add_rcpt_regex(struct rules *r, struct span text)
{
	return add_regex(&r->rcpt_regexes, text);
}

/* All rows of one word for logins are one row. */
static struct login_row *
login_row(struct rules *r, struct span login)
{
	struct login_row *rows;

	for (unsigned i = 0; i < r->login_cnt; i++)
		if (span_eq(login, span_of(r->logins[i].login)))
			return &r->logins[i];
	rows = reallocarray(r->logins, r->login_cnt + 1, sizeof(*rows));
	if (rows == NULL)
		return NULL;
	r->logins = rows;
	rows += r->login_cnt;
	*rows = (struct login_row){ .login = strndup(login.ptr, login.len) };
	if (rows->login == NULL)
		return NULL;
	if ((r->login_names == NULL && pattern_new(&r->login_names) != OK) ||
	    pattern_new(&rows->senders) != OK ||
	    pattern_add_login(r->login_names, login, r->login_cnt) != OK) {
		pattern_free(&rows->senders);
		free(rows->login);
		return NULL;
	}
	r->login_cnt++;
	return rows;
}

enum err
rules_add_login(struct rules *r, struct span login, struct span sender)
{
	struct login_row *row = login_row(r, login);
	enum err e;

	if (row == NULL)
		return ERR_FULL;
	if (span_eq(sender, SPAN("self"))) {
		row->has_self = true;
		return OK;
	}
	e = pattern_add(row->senders, sender, 0);
	return e == ERR_SYS ? ERR_FULL : e;
}

/* The values of an option, until one is wrong. */
struct reader {
	struct rules	*rules;
	enum err	(*add)(struct rules *, struct span);
	struct span	 login;		/* the first of a pair		*/
	enum err	 err;
};

static void
take_value(struct span text, uint64_t num, void *arg)
{
	struct reader *rd = arg;

	if (rd->err == OK)
		rd->err = rd->add(rd->rules, text);
}

static void
take_half(struct span text, uint64_t num, void *arg)
{
	struct reader *rd = arg;

	if (rd->login.len == 0) {
		rd->login = text;
		return;
	}
	if (rd->err == OK)
		rd->err = rules_add_login(rd->rules, rd->login, text);
	rd->login.len = 0;
}

enum err
rules_init(struct rules *r, const struct slice *block)
{
	static const struct {
		const char	*option;
		enum err	(*add)(struct rules *, struct span);
	} lists[] = {
		{ "clients", rules_add_net },
		{ "only_recipients", rules_add_rcpt },
		{ "only_senders", add_sender },
		{ "regex_senders", rules_add_sender_regex },
		{ "regex_recipients", rules_add_rcpt_regex },
	};
	struct reader rd = { .rules = r };

	*r = (struct rules){ 0 };
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		rd.add = lists[i].add;
		slice_each(block, lists[i].option, take_value, &rd);
	}
	slice_each(block, "senders", take_half, &rd);
	if (rd.err == OK)
		rd.err = nets_init(&r->denied, block, "deny_clients");
	if (rd.err != OK)
		rules_fini(r);
	return rd.err;
}

static void
free_regexes(struct regexes *all)
{
	for (unsigned i = 0; i < all->cnt; i++)
		regex_close(&all->v[i]);
	free(all->v);
}

void
rules_fini(struct rules *r)
{
	for (unsigned i = 0; i < r->login_cnt; i++) {
		pattern_free(&r->logins[i].senders);
		free(r->logins[i].login);
	}
	free(r->logins);
	pattern_free(&r->login_names);
	pattern_free(&r->rcpts);
	pattern_free(&r->senders);
	free_regexes(&r->sender_regexes);
	free_regexes(&r->rcpt_regexes);
	nets_fini(&r->clients);
	nets_fini(&r->denied);
	*r = (struct rules){ 0 };
}

bool
rules_client(const struct rules *r, const struct client_address *a)
{
	if (client_address_is_local(a))
		return true;
	return !nets_has(&r->denied, a, 0) &&
	    (r->clients.cnt == 0 || nets_has(&r->clients, a, 0));
}

bool
rules_trusts(const struct rules *r, const struct client_address *a)
{
	return !client_address_is_local(a) && nets_has(&r->clients, a, 1);
}

/* What would cost too much matches nothing. */
static bool
matches(const struct regexes *all, struct span text)
{
	struct span found;

	for (unsigned i = 0; i < all->cnt; i++)
		if (regex_find(all->v[i], text, &found) == OK)
			return true;
	return false;
}

bool
rules_rcpt(const struct rules *r, const struct address *a)
{
	uint32_t no;

	if ((r->rcpts == NULL && r->rcpt_regexes.cnt == 0) ||
	    a->kind == ADDRESS_POSTMASTER)
		return true;
	if (r->rcpts != NULL && pattern_find(r->rcpts, a, &no) &&
	    (no == PEOPLE || !is_routed(a->local)))
		return true;
	return matches(&r->rcpt_regexes, a->whole);
}

bool
rules_sender(const struct rules *r, const struct address *a)
{
	uint32_t no;

	if ((r->senders == NULL && r->sender_regexes.cnt == 0) ||
	    a->whole.len == 0)
		return true;
	return (r->senders != NULL && pattern_find(r->senders, a, &no)) ||
	    matches(&r->sender_regexes, a->whole);
}

/* The login is an address, and this is it. */
static bool
is_self(struct span login, const struct address *a)
{
	struct patterns *one = NULL;
	struct address unused;
	uint32_t no;
	bool is = false;

	/* "@domain" would be all of a domain. */
	if (address_parse(login, true, &unused) != OK ||
	    span_begins(login, SPAN("@")))
		return false;
	if (pattern_new(&one) == OK && pattern_is_good(login) &&
	    pattern_add(one, login, 0) == OK)
		is = pattern_find(one, a, &no);
	pattern_free(&one);
	return is;
}

bool
rules_login_sender(const struct rules *r, struct span login,
    const struct address *a)
{
	const struct login_row *row;
	uint32_t no;

	if (r->login_names == NULL || a->whole.len == 0 ||
	    !pattern_find_login(r->login_names, login, &no))
		return true;
	row = &r->logins[no];
	return pattern_find(row->senders, a, &no) ||
	    (row->has_self && is_self(login, a));
}
