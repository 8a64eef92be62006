/* forward.c - a search that would cost too much is no answer, see regex.h. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "queue/route/forward.h"
#include "sys/regex.h"

struct rule {
	struct regex	*regex;
	char		*words;
};

struct forward {
	struct rule	*rules;
	unsigned	 cnt;
	bool		 is_second;	/* of a pair, while it is read	*/
	enum err	 err;
};

static void
take(struct span text, uint64_t num, void *arg)
{
	struct forward *f = arg;
	struct rule *more;

	if (f->err != OK)
		return;
	if (f->is_second) {
		f->rules[f->cnt - 1].words = strndup(text.ptr, text.len);
		if (f->rules[f->cnt - 1].words == NULL)
			f->err = ERR_SYS;
	} else if ((more = reallocarray(f->rules, f->cnt + 1,
	    sizeof(*more))) == NULL) {
		f->err = ERR_SYS;
	} else {
		f->rules = more;
		more[f->cnt] = (struct rule){ .regex = NULL };
		f->err = regex_open(&more[f->cnt++].regex, text);
	}
	f->is_second = !f->is_second;
}

enum err
forward_new(struct forward **out, const struct slice *policies)
{
	struct forward *f;
	enum err e;

	*out = NULL;
	if (slice_count(policies, "forward") == 0)
		return OK;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return ERR_SYS;
	slice_each(policies, "forward", take, f);
	if ((e = f->err == OK && f->is_second ? ERR_PEER : f->err) != OK) {
		forward_free(&f);
		return e;
	}
	*out = f;
	return OK;
}

void
forward_free(struct forward **fp)
{
	struct forward *f = *fp;

	if (f == NULL)
		return;
	for (unsigned i = 0; i < f->cnt; i++) {
		regex_close(&f->rules[i].regex);
		free(f->rules[i].words);
	}
	free(f->rules);
	free(f);
	*fp = NULL;
}

enum err
forward_ask(struct expansion *x, struct span address, void *arg)
{
	struct forward *f = arg;
	char text[PATH_MAX_SMTP + 1];
	size_t len;
	enum err e = ERR_NONE;

	if (f == NULL || expand_depth(x) > 0)
		return ERR_NONE;
	for (unsigned i = 0; e == ERR_NONE && i < f->cnt; i++)
		e = regex_replace(f->rules[i].regex, address,
		    span_of(f->rules[i].words), text, sizeof(text), &len);
	if (e != OK)
		return e;
	if (span_eq((struct span){ text, len }, address))
		return ERR_NONE;
	expand_name(x, (struct span){ text, len });
	return OK;
}
