/* ask.c - the blocks of a loaded configuration, by their words. */
#include "conf/ask.h"
#include "conf/block.h"

struct span
ask_text(const struct conf *c, const char *word, struct span name,
    const char *option)
{
	enum option_block no = options_find_block(BLOCK_TOP, span_of(word));
	const struct block *b;
	enum option_no which;

	if (no == BLOCK_TOP)
		return SPAN("");
	b = name.len > 0 ? block_named(c, no, name) : block_nth(c->top, no, 0);
	if (b == NULL)
		return SPAN("");
	which = options_find(no, span_of(option), block_kind(b));
	return which == OPTION__COUNT ? SPAN("") : block_text(b, which);
}

struct span
ask_name(const struct conf *c, const char *word, unsigned n)
{
	enum option_block no = options_find_block(BLOCK_TOP, span_of(word));
	const struct block *b = no == BLOCK_TOP ? NULL :
	    block_nth(c->top, no, n);

	return b == NULL ? SPAN("") : b->name;
}

struct span
ask_run_dir(const struct conf *c)
{
	return block_text(c->process, OPTION_PROCESS_run_dir);
}

struct span
ask_drop(const struct conf *c)
{
	const struct block *e;

	TAILQ_FOREACH(e, &c->top->blocks, entry)
		if (e->no == BLOCK_EDGE &&
		    e->settings[OPTION_EDGE_path].cnt > 0)
			return block_text(e, OPTION_EDGE_path);
	return SPAN("");
}

struct span
ask_socket(const struct conf *c)
{
	const struct block *e, *l;

	TAILQ_FOREACH(e, &c->top->blocks, entry) {
		if (e->no != BLOCK_EDGE)
			continue;
		TAILQ_FOREACH(l, &e->blocks, entry)
			if (l->no == BLOCK_LISTENER &&
			    l->settings[OPTION_LISTENER_path].cnt > 0)
				return block_text(l, OPTION_LISTENER_path);
	}
	return SPAN("");
}

struct span
ask_certificate(const struct conf *c, unsigned n)
{
	const struct block *e, *tls;

	TAILQ_FOREACH(e, &c->top->blocks, entry) {
		if (e->no != BLOCK_EDGE)
			continue;
		TAILQ_FOREACH(tls, &e->blocks, entry)
			if (tls->no == BLOCK_EDGE_TLS && n-- == 0)
				return block_text(tls,
				    OPTION_EDGE_TLS_certfile);
	}
	return SPAN("");
}
