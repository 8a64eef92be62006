/*
 * sender_map.c - only addresses are exchanged: names, comments, folds and all
 * other fields are copied as they are.  A line that would get too long by that
 * is folded before the address.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/text/sender_map.h"
#include "mail/mailboxes.h"

#define LINE_FULL	900	/* bytes; RFC 5322 2.1.1 allows 998	*/

static char *
copy(struct span s)
{
	return strndup(s.ptr, s.len);
}

static enum err
add_pattern(struct patterns **p, struct span pattern, uint32_t no)
{
	enum err e = OK;

	if (*p == NULL)
		e = pattern_new(p);
	if (e == OK)
		e = pattern_add(*p, pattern, no);
	return e == ERR_SYS ? ERR_FULL : e;
}

/* Pattern, address, pattern, address, ...; the number is that of the pair. */
static void
take_pair(struct span text, uint64_t num, void *arg)
{
	struct sender_map *m = arg;
	char **more;

	if (m->err != OK)
		return;
	if (!m->is_second) {
		m->err = add_pattern(&m->patterns, text, m->to_cnt);
	} else if ((more = reallocarray(m->to, m->to_cnt + 1,
	    sizeof(*more))) == NULL) {
		m->err = ERR_FULL;
	} else {
		m->to = more;
		if ((more[m->to_cnt++] = copy(text)) == NULL)
			m->err = ERR_FULL;
	}
	m->is_second = !m->is_second;
}

static void
take_home(struct span text, uint64_t num, void *arg)
{
	struct sender_map *m = arg;
	char pattern[DOMAIN_MAX + 2];

	if (m->err != OK)
		return;
	if (text.len > DOMAIN_MAX) {
		m->err = ERR_PEER;
		return;
	}
	snprintf(pattern, sizeof(pattern), "@%.*s", (int)text.len, text.ptr);
	m->err = add_pattern(&m->homes, span_of(pattern), 0);
}

enum err
sender_map_init(struct sender_map *out, const struct slice *policies,
    const struct slice *process, struct span home)
{
	struct span domain = slice_text(policies, "masquerade", 0);
	struct sender_map m = { .err = OK };

	slice_each(policies, "sender_map", take_pair, &m);
	if (m.err == OK && m.is_second)
		m.err = ERR_PEER;
	if (domain.len > 0) {
		slice_each(process, "domains", take_home, &m);
		if ((m.domain = copy(domain)) == NULL)
			m.err = ERR_FULL;
	}
	if ((m.home = copy(home)) == NULL)
		m.err = ERR_FULL;
	*out = m;
	if (m.err != OK)
		sender_map_fini(out);
	return m.err;
}

void
sender_map_fini(struct sender_map *m)
{
	for (unsigned i = 0; i < m->to_cnt; i++)
		free(m->to[i]);
	free(m->to);
	free(m->domain);
	free(m->home);
	pattern_free(&m->patterns);
	pattern_free(&m->homes);
	*m = (struct sender_map){ .patterns = NULL };
}

bool
sender_map_wants(const struct sender_map *m, const struct origin *o)
{
	return (m->patterns != NULL || m->domain != NULL) &&
	    (origin_is_known(o) || client_address_is_loopback(&o->address));
}

struct span
sender_map_find(const struct sender_map *m, struct span address, char *text)
{
	char whole[SENDER_MAP_MAX];
	struct address a;
	uint32_t no;
	int len;

	if (address_is_local(address)) {
		snprintf(whole, sizeof(whole), "%.*s@%s", (int)address.len,
		    address.ptr, m->home);
		address = span_of(whole);
	}
	if (address_parse(address, true, &a) != OK)
		return SPAN("");
	if (m->patterns != NULL && pattern_find(m->patterns, &a, &no))
		return span_of(m->to[no]);
	if (m->domain == NULL || m->homes == NULL ||
	    !pattern_find(m->homes, &a, &no))
		return SPAN("");
	len = snprintf(text, SENDER_MAP_MAX, "%.*s@%s", (int)a.local.len,
	    a.local.ptr, m->domain);
	return len > PATH_MAX_SMTP ? SPAN("") : span_of(text);
}

/* Up to the line that begins the next field, or the end of the section. */
static struct span
take_field(struct span *rest)
{
	size_t len = span_find(*rest, '\n') + 1;
	struct span field;

	while (len < rest->len && (rest->ptr[len] == ' ' ||
	    rest->ptr[len] == '\t'))
		len += span_find(span_tail(*rest, len), '\n') + 1;
	field = span_head(*rest, len);
	*rest = span_tail(*rest, len);
	return field;
}

/* Fields of addresses: those that are mapped first. */
static const char *const fields[] = {
	"From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Resent-From",
	"Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Bcc",
};

#define FIELDS		(sizeof(fields) / sizeof(fields[0]))
#define FIELDS_MAPPED	2

/* FIELDS: it has no addresses. */
static size_t
field_no(struct span field)
{
	struct span name = span_trim(span_head(field, span_find(field, ':')));
	size_t no = 0;

	while (no < FIELDS && !span_eq_nocase(name, span_of(fields[no])))
		no++;
	return no;
}

struct writing {
	const struct sender_map *map;
	bool		 maps;		/* From and Sender		*/
	bool		 completes;	/* users alone			*/
	struct grow	*out;
	size_t		 max;		/* out may become so long	*/
	size_t		 column;	/* in the line that is written	*/
	enum err	 err;
	bool		 has_change;
};

static void
put(struct writing *w, struct span s)
{
	if (w->err != OK)
		return;
	if (s.len > w->max - w->out->len)
		w->err = ERR_FULL;
	else
		w->err = grow_add(w->out, s);
	for (size_t i = 0; i < s.len; i++)
		w->column = s.ptr[i] == '\n' ? 0 : w->column + 1;
}

static void
put_address(struct writing *w, struct span s)
{
	if (w->column > 1 && w->column + s.len > LINE_FULL)
		put(w, SPAN("\r\n "));
	put(w, s);
	w->has_change = true;
}

/* What stands in its place; empty: it stays. */
static struct span
change(const struct writing *w, struct span address, bool is_mapped,
    char text[SENDER_MAP_MAX])
{
	struct span other = SPAN("");
	int len;

	if (is_mapped)
		other = sender_map_find(w->map, address, text);
	if (other.len > 0 || !w->completes || !address_is_local(address))
		return other;
	len = snprintf(text, SENDER_MAP_MAX, "%.*s@%s", (int)address.len,
	    address.ptr, w->map->home);
	return len > PATH_MAX_SMTP ? SPAN("") : span_of(text);
}

static void
put_field(struct writing *w, struct span field, bool is_mapped)
{
	size_t colon = span_find(field, ':') + 1, at = 0;
	struct span body = span_tail(field, colon), address, other;
	const char *done = field.ptr;
	char text[SENDER_MAP_MAX];

	while (mailboxes_next(body, &at, &address)) {
		other = change(w, address, is_mapped, text);
		if (other.len == 0)
			continue;
		put(w, (struct span){ done, (size_t)(address.ptr - done) });
		put_address(w, other);
		done = address.ptr + address.len;
	}
	put(w, (struct span){ done, (size_t)(field.ptr + field.len - done) });
}

enum err
sender_map_header(const struct sender_map *m, const struct origin *o,
    struct span header, struct grow *out, size_t max)
{
	struct writing w = {
		.map = m, .out = out, .max = out->len + max,
		.maps = sender_map_wants(m, o), .completes = origin_is_known(o),
	};
	struct span rest = header, field;
	size_t no;

	if (!w.maps && !w.completes)
		return ERR_NONE;
	while (rest.len > 0 && w.err == OK) {
		field = take_field(&rest);
		no = field_no(field);
		if (no < FIELDS)
			put_field(&w, field, w.maps && no < FIELDS_MAPPED);
		else
			put(&w, field);
	}
	return w.err == OK && !w.has_change ? ERR_NONE : w.err;
}
