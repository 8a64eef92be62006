/*
 * fuzz_aliases.c - whatever a file of aliases holds: what is told of it lies in
 * it, names are addresses that cannot break out of a line, and what went into a
 * table is found there.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "mail/alias_table.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct seen {
	struct span	 text;
	struct alias_table *table;
	bool		 has_key, is_list;
};

static void
check_within(const struct seen *s, struct span at)
{
	if (at.ptr < s->text.ptr ||
	    at.ptr + at.len > s->text.ptr + s->text.len)
		abort();
	for (size_t i = 0; i < at.len; i++)
		if (at.ptr[i] == '\n')
			abort();
}

static void
check_name(struct span s)
{
	struct address a;

	if (s.len > 1 && s.ptr[0] == '@' ? !address_is_domain(span_tail(s, 1),
	    true) : !address_is_local(s) && address_parse(s, true, &a) != OK)
		abort();
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			abort();
}

static void
on_word(void *arg, enum aliases_word what, struct span s)
{
	struct seen *seen = arg;
	struct alias_row row;
	enum aliases_word got;
	enum err e = OK;

	check_within(seen, s);
	if (what == ALIASES_INCLUDE ? seen->is_list || s.len == 0 :
	    what == ALIASES_KEY ? seen->is_list : !seen->has_key)
		abort();
	if (what == ALIASES_INCLUDE)
		return;
	check_name(s);
	if (what == ALIASES_KEY)
		e = alias_table_begin(seen->table, s);
	else
		e = alias_table_add(seen->table, what, s);
	if (e == ERR_SYS)
		return;
	if (what == ALIASES_KEY) {
		seen->has_key = true;
		if (!alias_table_find(seen->table, alias_table_key(s), &row))
			abort();
		for (uint32_t i = 0; i < row.cnt; i++)
			check_name(alias_table_word(seen->table,
			    row.first + i, &got));
	}
}

static void
on_fault(void *arg, struct span at, const char *why)
{
	check_within(arg, at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct aliases_calls calls = { on_word, on_fault };
	struct seen s = { .text = { (const char *)bytes, len } };

	if (alias_table_new(&s.table) != OK)
		return 0;
	aliases_read(s.text, &calls, &s);
	s.is_list = s.has_key = true;
	aliases_read_list(s.text, &calls, &s);
	alias_table_free(&s.table);
	return 0;
}
