/*
 * check_accounts.c - lines of a file of users by which nobody can log in.  They
 * are warned of only: one bad line is no reason to keep all others out.
 *
 * A report shows the line of its place.  So whatever may be a hash or a
 * password is painted over before anything is told.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "conf/check/check.h"
#include "mail/account.h"

#define SHOWN_MAX	24u	/* bytes of a line that has no colon	*/
#define PAINT		'.'

/* Why nobody can log in to it, or NULL. */
static const char *
what_is_wrong(enum account_line kind, const struct account *a)
{
	if (kind == ACCOUNT_BROKEN)
		return "this line is no account: it is written NAME:HASH";
	if (kind == ACCOUNT_NOTHING)
		return NULL;
	if (a->is_odd)
		return "nobody can log in to this account: what stands after "
		    "its name is not a hash of crypt(3)";
	if (account_hash_bytes(a->hash) > USERS_MEMORY)
		return "nobody can log in to this account: its hash takes "
		    "more memory to check than the 1G there is";
	return NULL;
}

static void
paint_over(struct source *src, struct span line)
{
	size_t colon = span_find(line, ':') + 1;
	size_t from = colon <= line.len ? colon : SHOWN_MAX;

	if (from < line.len)
		memset(src->owned + (line.ptr - src->bytes.ptr) + from, PAINT,
		    line.len - from);
}

static void
check_lines(struct conf *c, uint32_t no)
{
	struct source *src = &c->sources.v[no];
	struct span text = src->bytes, line;
	struct account a = { .is_odd = false };

	while (text.len > 0) {
		enum account_line kind = account_line(&text, &line, &a);
		size_t len = span_find(line, ':');
		const char *wrong = what_is_wrong(kind, &a);

		if (wrong != NULL)
			report_warn(&c->mistakes, (struct place){ no,
			    (uint32_t)(line.ptr - src->bytes.ptr),
			    (uint32_t)(len < SHOWN_MAX ? len : SHOWN_MAX) },
			    "%s", wrong);
		paint_over(src, line);
	}
}

static void
check_file(struct conf *c, const struct reading *path)
{
	struct source *src = &c->sources.v[c->sources.cnt];
	char *bytes = NULL;
	size_t len = 0;

	/* What cannot be read has been told. */
	if (c->sources.cnt == CONF_FILES_MAX || c->opener->read(
	    c->opener->arg, path->text.ptr, ACCOUNT_FILE_MAX, &bytes,
	    &len) != OK)
		return;
	*src = (struct source){ .name = path->text.ptr, .owned = bytes,
	    .bytes = { bytes, len } };
	check_lines(c, c->sources.cnt++);
}

void
check_accounts(struct conf *c)
{
	const struct block *b;

	if (c->opener->look == NULL)
		return;
	TAILQ_FOREACH(b, &c->top->blocks, entry)
		if (b->no == BLOCK_USERS &&
		    b->settings[OPTION_USERS_path].cnt > 0)
			check_file(c, &b->settings[OPTION_USERS_path].v[0]);
}
