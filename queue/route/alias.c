/* alias.c - what is looked for of an address, and what comes of it. */
#include <string.h>

#include "queue/route/alias.h"
#include "queue/route/route.h"

#define OWNER	"owner-"

/* With the detail or without, at its domain or at any of ours. */
static bool
find_user(const struct alias_look *a, const struct address *who,
    struct span domain, struct alias_row *out)
{
	struct span user = address_user(who->local, a->delimiter);

	return alias_table_find(a->table,
	    (struct alias_key){ who->local, domain }, out) ||
	    (user.len < who->local.len && alias_table_find(a->table,
	    (struct alias_key){ user, domain }, out));
}

static bool
find(const struct alias_look *a, const struct address *who,
    struct alias_row *out)
{
	return find_user(a, who, who->domain, out) ||
	    (route_is_home(a->routes, who) &&
	    find_user(a, who, SPAN(""), out)) ||
	    alias_table_find(a->table, (struct alias_key){ SPAN(""),
	    who->domain }, out);
}

/* "owner-" and the user, in the quotes that he has; at his domain. */
static void
look_for_owner(struct expansion *x, const struct alias_look *a,
    const struct address *who)
{
	struct span user = address_user(who->local, a->delimiter);
	char text[PATH_MAX_SMTP + 1];
	bool is_quoted = span_begins(user, SPAN("\""));
	struct address owner;
	struct alias_row row;
	size_t len = 0;

	if (user.len + who->domain.len + strlen(OWNER) + 1 > sizeof(text) ||
	    span_begins(user, SPAN(OWNER)))
		return;
	if (is_quoted)
		text[len++] = '"';
	memcpy(text + len, OWNER, strlen(OWNER));
	len += strlen(OWNER);
	memcpy(text + len, user.ptr + is_quoted, user.len - is_quoted);
	len += user.len - is_quoted;
	text[len++] = '@';
	memcpy(text + len, who->domain.ptr, who->domain.len);
	len += who->domain.len;
	if (address_parse((struct span){ text, len }, true, &owner) != OK)
		return;
	if (alias_table_find(a->table, (struct alias_key){ owner.local,
	    owner.domain }, &row) || (route_is_home(a->routes, who) &&
	    alias_table_find(a->table, (struct alias_key){ owner.local,
	    SPAN("") }, &row)))
		expand_own(x, owner.whole);
}

/* Whoever he is, there. */
static void
name_at_domain(struct expansion *x, const struct address *who,
    struct span domain)
{
	char text[PATH_MAX_SMTP + DOMAIN_MAX + 1];
	size_t len = who->local.len;

	if (len + domain.len > sizeof(text))
		return;
	memcpy(text, who->local.ptr, len);
	memcpy(text + len, domain.ptr, domain.len);
	expand_name(x, (struct span){ text, len + domain.len });
}

enum err
alias_ask(struct expansion *x, struct span address, void *arg)
{
	const struct alias_look *a = arg;
	struct alias_row row;
	struct address who;
	enum aliases_word what;
	struct span s;

	if (a->table == NULL || address_parse(address, true, &who) != OK ||
	    !find(a, &who, &row))
		return ERR_NONE;
	look_for_owner(x, a, &who);
	for (uint32_t i = 0; i < row.cnt; i++) {
		s = alias_table_word(a->table, row.first + i, &what);
		if (what == ALIASES_DOMAIN)
			name_at_domain(x, &who, s);
		else if (what == ALIASES_STOP)
			expand_stop(x, s);
		else
			expand_name(x, s);
	}
	return OK;
}

void
alias_nobody(enum err why, struct route_reply *out)
{
	if (why == ERR_CLOSED)
		*out = (struct route_reply){ 550, "5.1.1",
		    "No such user here" };
	else if (why == OK)
		*out = (struct route_reply){ 550, "5.1.1",
		    "No such recipient here: it stands for nobody" };
	else if (why == ERR_PEER)
		*out = (struct route_reply){ 554, "5.4.6",
		    "It stands for itself, and for nobody else" };
	else if (why == ERR_FULL)
		*out = (struct route_reply){ 554, "5.4.6",
		    "It stands for too many others" };
	else
		*out = (struct route_reply){ 451, "4.3.0",
		    "It cannot be told now who that is" };
}

bool
alias_knows(const struct alias_look *a, struct span address)
{
	struct alias_row row;
	struct address who;

	return a->table != NULL && address_parse(address, true, &who) == OK &&
	    find(a, &who, &row);
}
