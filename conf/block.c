/*
 * block.c - what is asked of a settled block.  The type of a block stands in
 * the option `type' of its own kind, which these find by the table.
 */
#include "conf/block.h"

struct block *
block_nth(const struct block *b, enum option_block no, unsigned n)
{
	struct block *child;

	TAILQ_FOREACH(child, &b->blocks, entry)
		if (child->no == no && n-- == 0)
			return child;
	return NULL;
}

unsigned
block_count(const struct block *b, enum option_block no)
{
	const struct block *child;
	unsigned cnt = 0;

	TAILQ_FOREACH(child, &b->blocks, entry)
		cnt += child->no == no;
	return cnt;
}

struct block *
block_named(const struct conf *c, enum option_block no, struct span name)
{
	struct block *child;

	TAILQ_FOREACH(child, &c->top->blocks, entry)
		if (child->no == no && span_eq(child->name, name))
			return child;
	return NULL;
}

struct span
block_text(const struct block *b, enum option_no no)
{
	const struct setting *s = &b->settings[no];

	return s->cnt > 0 ? s->v[0].text : SPAN("");
}

uint64_t
block_num(const struct block *b, enum option_no no)
{
	const struct setting *s = &b->settings[no];

	return s->cnt > 0 ? s->v[0].num : 0;
}

bool
block_is_local(const struct block *edge)
{
	const struct block *l;

	TAILQ_FOREACH(l, &edge->blocks, entry)
		if (l->no == BLOCK_LISTENER &&
		    !l->settings[OPTION_LISTENER_path].given)
			return false;
	return true;
}

bool
block_listener_net(const struct block *l, unsigned n, struct net *out)
{
	const struct setting *s = &l->settings[OPTION_LISTENER_interface];

	if (s->cnt == 0)
		return false;
	if (s->v[0].text.len > 0) {
		*out = s->v[0].net;
		return n == 0;
	}
	*out = (struct net){ .family = n == 0 ? 6 : 4,
	    .bits = n == 0 ? 128 : 32 };
	return n < 2;
}

bool
block_is_beyond(const struct block *l)
{
	struct net n;

	if (l->settings[OPTION_LISTENER_path].given)
		return false;
	for (unsigned i = 0; block_listener_net(l, i, &n); i++)
		if (!net_is_loopback(&n))
			return true;
	return false;
}

bool
block_is_abroad(const struct block *edge)
{
	const struct block *l;

	if (edge->settings[OPTION_EDGE_proxy_protocol].cnt > 0)
		return true;
	TAILQ_FOREACH(l, &edge->blocks, entry)
		if (l->no == BLOCK_LISTENER && block_is_beyond(l))
			return true;
	return false;
}

struct span
block_kind(const struct block *b)
{
	enum option_no type = options_find(b->no, SPAN("type"), SPAN(""));

	return type == OPTION__COUNT ? SPAN("") : block_text(b, type);
}

bool
block_is(const struct block *b, const char *kind)
{
	return span_eq(block_kind(b), span_of(kind));
}

const struct block *
block_keyed(const struct block *b)
{
	const struct block *tls;

	if (b->no == BLOCK_EDGE)
		return block_nth(b, BLOCK_EDGE_TLS, 0);
	tls = b->no == BLOCK_RELAY ? block_nth(b, BLOCK_RELAY_TLS, 0) : NULL;
	return tls != NULL &&
	    tls->settings[OPTION_RELAY_TLS_keyfile].cnt > 0 ? tls : NULL;
}

enum role
block_role(const struct block *relay)
{
	return kinds_role(kinds_find(block_kind(relay)),
	    block_text(relay, OPTION_RELAY_user));
}

bool
block_as_recipient(const struct block *relay)
{
	return kinds_has(block_kind(relay), KIND_AS_RECIPIENT) &&
	    block_role(relay) == ROLE_LOCAL;
}

bool
block_has(const struct block *b, unsigned fact)
{
	return b->no == BLOCK_RELAY && (kinds_has(block_kind(b), fact) ||
	    (fact == KIND_HAS_USERS && block_as_recipient(b)));
}

/* What of an edge needs names is listed here. */
static bool
needs_names(const struct block *edge)
{
	const struct block *rules = block_nth(edge, BLOCK_RULES, 0);

	return (block_num(edge, OPTION_EDGE_client_names) != 0 &&
	    block_is_abroad(edge)) || (rules != NULL &&
	    (rules->settings[OPTION_RULES_dnsbl].cnt > 0 ||
	    rules->settings[OPTION_RULES_reject_spf].cnt > 0 ||
	    block_num(rules, OPTION_RULES_check_spf) != 0));
}

bool
block_asks_dns(const struct block *b)
{
	const struct edge_kind_row *kind;

	if (b->no == BLOCK_EDGE) {
		kind = kinds_find_edge(block_kind(b));
		return kind != NULL && kind->role == ROLE_EDGE &&
		    (needs_names(b) ||
		    b->settings[OPTION_EDGE_validators].cnt > 0);
	}
	return block_has(b, KIND_ASKS_DNS) &&
	    !b->settings[OPTION_RELAY_path_lmtp].given;
}

bool
block_lacks(const struct block *b, const char *kinds)
{
	return !options_fits(kinds, block_kind(b));
}

void
block_unset(struct block *b, enum option_no no)
{
	b->settings[no].cnt = 0;
}

void
block_set(struct conf *c, struct block *b, enum option_no no,
    struct span text, uint64_t num)
{
	struct setting *s = &b->settings[no];
	struct reading *r = arena_take(&c->arena, sizeof(*r));

	if (r == NULL)
		return;
	r->text = text;
	r->num = num;
	r->place = s->cnt > 0 ? s->v[0].place : b->place;
	r->net = s->cnt > 0 ? s->v[0].net : r->net;
	s->v = r;
	s->cnt = s->room = 1;
}

const char *
block_words(struct conf *c, const struct block *b)
{
	const char *word = options_block(b->no)->word;

	if (b->name.len == 0)
		return word;
	return arena_print(&c->arena, "%s %.*s", word, report_len(b->name),
	    b->name.ptr);
}
