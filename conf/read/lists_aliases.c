/*
 * lists_aliases.c - files of aliases are sources like the others.  A file that
 * one of them includes must lie in its directory or below, and no link leads
 * there: who keeps a list may have no right to what we may read.
 */
#include "conf/read/lists.h"
#include "conf/read/path.h"
#include "mail/aliases.h"

struct taking {
	struct conf	*conf;
	struct setting	*setting;
	const struct option_row *row;
	uint32_t	 source;
	struct span	 dir;		/* with its slash		*/
};

static struct place
place_of(const struct taking *t, struct span at)
{
	const char *from = t->conf->sources.v[t->source].bytes.ptr;

	return (struct place){ t->source, (uint32_t)(at.ptr - from),
	    (uint32_t)at.len };
}

static void
take_fault(void *arg, struct span at, const char *why)
{
	struct taking *t = arg;

	report_add(&t->conf->mistakes, place_of(t, at), "%s", why);
}

static void take_word(void *, enum aliases_word, struct span);

static const struct aliases_calls calls = { take_word, take_fault };

/* The bytes of the file are those of an earlier source, if it was read. */
static void
include(struct taking *t, struct span path, struct place place)
{
	struct taking in = *t;
	struct value v = { .place = place };

	v.text = path_absolute(&t->conf->arena, t->conf->read_place.cwd,
	    t->dir, path);
	if (v.text.len == 0 || v.text.len >= PLAN_PATH_MAX ||
	    !span_begins(v.text, t->dir)) {
		report_add(&t->conf->mistakes, place, "a file that is included "
		    "lies below the directory of this file, %.*s",
		    report_len(t->dir), t->dir.ptr);
		return;
	}
	if (!lists_source(t->conf, &v, t->dir.len, &in.source, false))
		return;
	aliases_read_list(t->conf->sources.v[in.source].bytes, &calls, &in);
}

static void
take_word(void *arg, enum aliases_word what, struct span s)
{
	struct taking *t = arg;
	struct place place = place_of(t, s);

	if (what == ALIASES_INCLUDE)
		include(t, s, place);
	else if (lists_room(t->conf, t->setting))
		t->setting->v[t->setting->cnt++] = (struct reading){
			.text = s, .num = what, .place = place };
}

void
lists_aliases(struct conf *c, struct setting *s, const struct value *v,
    const struct option_row *row)
{
	struct taking t = { .conf = c, .setting = s, .row = row };
	struct value path = *v;
	struct reading r;
	size_t at;

	if (!read_value(&c->read_place, row, v, &r))
		return;
	path.text = r.text;
	if (!lists_source(c, &path, 0, &t.source, true))
		return;
	for (at = r.text.len; at > 0 && r.text.ptr[at - 1] != '/'; at--)
		continue;
	t.dir = span_head(r.text, at);
	aliases_read(c->sources.v[t.source].bytes, &calls, &t);
}
