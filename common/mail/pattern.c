/*
 * pattern.c - an open hash of folded texts.  A domain stands in it by itself
 * too, without an @, so that it is known as soon as one address of it is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/crc.h"
#include "base/limits.h"
#include "mail/domain.h"
#include "mail/pattern.h"

#define SLOTS_FIRST	16
#define TEXT_MAX	(LOCAL_PART_MAX + DOMAIN_MAX + 2)	/* bytes, one */

struct slot {
	size_t		 at;		/* of its text			*/
	uint32_t	 no;
	uint16_t	 len;		/* 0: nothing is here		*/
};

struct patterns {
	struct slot	*slots;
	size_t		 slot_cnt, used;
	char		*text;
	size_t		 text_len, text_cap;
};

static size_t
fold(char *to, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		to[i] = s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ?
		    (char)(s.ptr[i] + ('a' - 'A')) : s.ptr[i];
	return s.len;
}

/* The slot of this text, or the free one where it would be. */
static struct slot *
seek(const struct patterns *p, struct span text)
{
	size_t at = crc_of(0, text.ptr, text.len);
	struct slot *s;

	for (;; at++) {
		s = &p->slots[at & (p->slot_cnt - 1)];
		if (s->len == 0 || (s->len == text.len &&
		    memcmp(p->text + s->at, text.ptr, text.len) == 0))
			return s;
	}
}

static enum err
grow_slots(struct patterns *p)
{
	struct patterns more = *p;

	more.slot_cnt = p->slot_cnt == 0 ? SLOTS_FIRST : p->slot_cnt * 2;
	more.slots = calloc(more.slot_cnt, sizeof(*more.slots));
	if (more.slots == NULL)
		return ERR_SYS;
	for (size_t i = 0; i < p->slot_cnt; i++) {
		const struct slot *s = &p->slots[i];

		if (s->len > 0)
			*seek(&more, (struct span){ p->text + s->at,
			    s->len }) = *s;
	}
	free(p->slots);
	*p = more;
	return OK;
}

static enum err
grow_text(struct patterns *p, size_t len)
{
	size_t cap = p->text_cap == 0 ? TEXT_MAX * 2 : p->text_cap * 2;
	char *more;

	if (p->text_len + len <= p->text_cap)
		return OK;
	if ((more = realloc(p->text, cap)) == NULL)
		return ERR_SYS;
	p->text = more;
	p->text_cap = cap;
	return OK;
}

/* Put a folded text of at most TEXT_MAX bytes in, under the lowest number. */
static enum err
put(struct patterns *p, struct span text, uint32_t no)
{
	struct slot *s;
	enum err e;

	if ((p->used + 1) * 3 > p->slot_cnt * 2 && (e = grow_slots(p)) != OK)
		return e;
	s = seek(p, text);
	if (s->len > 0) {
		if (no < s->no)
			s->no = no;
		return OK;
	}
	if ((e = grow_text(p, text.len)) != OK)
		return e;
	memcpy(p->text + p->text_len, text.ptr, text.len);
	*s = (struct slot){ p->text_len, no, (uint16_t)text.len };
	p->text_len += text.len;
	p->used++;
	return OK;
}

static bool
is_domain(struct span s)
{
	return address_is_domain(s, true) || address_is_literal(s);
}

/* The dot that may end it, as one may end a name of the DNS. */
static struct span
without_dot(struct span pattern)
{
	if (pattern.len > 1 && pattern.ptr[pattern.len - 1] == '.')
		pattern.len--;
	return pattern;
}

/* "@domain" or "@.domain", as it is looked up; 0: it is none. */
static size_t
fold_domain(char *buf, struct span pattern)
{
	size_t at = span_begins(pattern, SPAN("@.")) ? 2 : 1, len;

	len = domain_key(span_tail(pattern, at), buf + at);
	memcpy(buf, "@.", at);
	return len > 0 ? at + len : 0;
}

/* "@domain" or "@.domain". */
static enum err
add_domain(struct patterns *p, struct span pattern, uint32_t no)
{
	bool below = span_begins(pattern, SPAN("@."));
	char buf[TEXT_MAX];
	size_t len;
	enum err e;

	if (!is_domain(span_tail(pattern, below ? 2 : 1)) ||
	    (len = fold_domain(buf, pattern)) == 0)
		return ERR_PEER;
	if ((e = put(p, (struct span){ buf, len }, no)) != OK || below)
		return e;
	return put(p, (struct span){ buf + 1, len - 1 }, no);
}

bool
pattern_is_good(struct span pattern)
{
	struct address a;
	char buf[TEXT_MAX];

	pattern = without_dot(pattern);
	if (!span_begins(pattern, SPAN("@")))
		return address_parse(pattern, true, &a) == OK;
	return is_domain(span_tail(pattern, span_begins(pattern,
	    SPAN("@.")) ? 2 : 1)) && fold_domain(buf, pattern) > 0;
}

/* Its length, and in *domain_len that of its domain; 0: it is none. */
static size_t
fold_address(char *buf, const struct address *a, size_t *domain_len)
{
	size_t len = address_fold(a->local, buf);

	buf[len++] = '@';
	*domain_len = domain_key(a->domain, buf + len);
	return *domain_len > 0 ? len + *domain_len : 0;
}

enum err
pattern_add(struct patterns *p, struct span pattern, uint32_t no)
{
	char buf[TEXT_MAX];
	struct address a;
	size_t len, domain_len;
	enum err e;

	pattern = without_dot(pattern);
	if (pattern.len > 0 && pattern.ptr[0] == '@')
		return add_domain(p, pattern, no);
	if (address_parse(pattern, true, &a) != OK ||
	    (len = fold_address(buf, &a, &domain_len)) == 0)
		return ERR_PEER;
	if ((e = put(p, (struct span){ buf, len }, no)) != OK)
		return e;
	return put(p, (struct span){ buf + len - domain_len, domain_len }, no);
}

static void
look(const struct patterns *p, const char *from, const char *end, bool *found,
    uint32_t *no)
{
	const struct slot *s = seek(p, (struct span){ from,
	    (size_t)(end - from) });

	if (s->len == 0 || (*found && *no <= s->no))
		return;
	*found = true;
	*no = s->no;
}

/* The patterns that take in whole domains, for "@domain" from `at' to end. */
static void
look_above(const struct patterns *p, char *at, const char *end, bool *found,
    uint32_t *no)
{
	/* What stands before a dot is not needed any more. */
	while ((at = memchr(at + 1, '.', (size_t)(end - at - 1))) != NULL) {
		at[-1] = '@';
		look(p, at - 1, end, found, no);
	}
}

bool
pattern_find(const struct patterns *p, const struct address *a, uint32_t *no)
{
	char buf[TEXT_MAX], *end, *at;
	size_t len, domain_len;
	bool found = false;

	if (p->used == 0 || a->domain.len == 0 ||
	    a->local.len > LOCAL_PART_MAX ||
	    (len = fold_address(buf, a, &domain_len)) == 0)
		return false;
	end = buf + len;
	at = end - domain_len - 1;
	look(p, buf, end, &found, no);
	look(p, at, end, &found, no);
	if (a->kind != ADDRESS_LITERAL)
		look_above(p, at, end, &found, no);
	return found;
}

bool
pattern_covers(const struct patterns *p, struct span pattern, uint32_t *no)
{
	char buf[TEXT_MAX];
	struct address a;
	bool found = false;
	size_t len;

	if (p->used == 0)
		return false;
	pattern = without_dot(pattern);
	if (pattern.len == 0 || pattern.ptr[0] != '@')
		return address_parse(pattern, true, &a) == OK &&
		    pattern_find(p, &a, no);
	if ((len = fold_domain(buf, pattern)) == 0)
		return false;
	look(p, buf, buf + len, &found, no);
	if (len > 1 && buf[1] != '[')
		look_above(p, buf, buf + len, &found, no);
	return found;
}

/* As it is, but for what stands behind an "@". */
static size_t
fold_login(char *buf, struct span s, size_t at)
{
	struct span domain = span_tail(s, at);
	size_t len = at > 0 ? domain_key(domain, buf + at) : 0;

	memcpy(buf, s.ptr, at > 0 ? at : s.len);
	if (at == 0)
		return s.len;
	return at + (len > 0 ? len : fold(buf + at, domain));
}

/* Where its domain begins; 0: it has none. */
static size_t
find_domain(struct span login)
{
	size_t at = login.len;

	while (at > 0 && login.ptr[at - 1] != '@')
		at--;
	return at;
}

enum err
pattern_add_login(struct patterns *p, struct span login, uint32_t no)
{
	char buf[TEXT_MAX];

	if (login.len == 0 || login.len > PATTERN_LOGIN_MAX)
		return ERR_PEER;
	return put(p, (struct span){ buf, fold_login(buf, login,
	    find_domain(login)) }, no);
}

bool
pattern_find_login(const struct patterns *p, struct span login, uint32_t *no)
{
	char buf[TEXT_MAX];
	size_t at = find_domain(login), len;
	bool found = false;

	if (p->used == 0 || login.len == 0 || login.len > PATTERN_LOGIN_MAX)
		return false;
	len = fold_login(buf, login, at);
	look(p, buf, buf + len, &found, no);
	look(p, "*", &"*"[1], &found, no);
	if (at > 0)
		look(p, buf + at - 1, buf + len, &found, no);
	return found;
}

bool
pattern_knows(const struct patterns *p, struct span domain, uint32_t *no)
{
	char buf[DOMAIN_KEY_MAX];
	bool found = false;
	size_t len;

	if (p->used == 0 || (len = domain_key(domain, buf)) == 0)
		return false;
	look(p, buf, buf + len, &found, no);
	return found;
}

enum err
pattern_new(struct patterns **out)
{
	struct patterns *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_SYS;
	*out = p;
	return OK;
}

void
pattern_free(struct patterns **p)
{
	if (*p == NULL)
		return;
	free((*p)->slots);
	free((*p)->text);
	free(*p);
	*p = NULL;
}
