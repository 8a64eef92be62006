/*
 * regex.c - the library's own match limit begins anew at each place where a
 * match could begin, so the steps are counted by a callout in front of each
 * item of the pattern.  A run of one character class is one step; it is no
 * longer than the text.
 */
#define PCRE2_CODE_UNIT_WIDTH	8
#include <pcre2.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/regex.h"

struct regex {
	pcre2_code		*code;
	pcre2_match_context	*limits;
	pcre2_match_data	*match;
	unsigned		 steps_left;
};

/* NULL: *at and *error say why. */
static pcre2_code *
compile(struct span pattern, size_t *at, int *error)
{
	return pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len,
	    PCRE2_MULTILINE | PCRE2_AUTO_CALLOUT | PCRE2_NEVER_UTF |
	    PCRE2_NEVER_BACKSLASH_C, error, at, NULL);
}

enum err
regex_check(struct span pattern, size_t *at, char *why, size_t cap)
{
	int error = 0;
	pcre2_code *code = compile(pattern, at, &error);

	if (code != NULL) {
		pcre2_code_free(code);
		return OK;
	}
	if (pcre2_get_error_message(error, (PCRE2_UCHAR *)why, cap) < 0)
		(void)snprintf(why, cap, "error %d", error);
	return error == PCRE2_ERROR_NOMEMORY ? ERR_SYS : ERR_PEER;
}

static int
count_step(pcre2_callout_block *block, void *arg)
{
	struct regex *r = arg;

	if (r->steps_left == 0)
		return PCRE2_ERROR_MATCHLIMIT;
	r->steps_left--;
	return 0;
}

enum err
regex_open(struct regex **out, struct span pattern)
{
	struct regex *r = calloc(1, sizeof(*r));
	size_t at;
	int error;

	if (r == NULL)
		return ERR_SYS;
	if ((r->code = compile(pattern, &at, &error)) == NULL ||
	    (r->limits = pcre2_match_context_create(NULL)) == NULL ||
	    (r->match = pcre2_match_data_create_from_pattern(r->code,
	    NULL)) == NULL) {
		regex_close(&r);
		return ERR_SYS;
	}
	(void)pcre2_set_match_limit(r->limits, REGEX_STEPS);
	(void)pcre2_set_depth_limit(r->limits, REGEX_STEPS);
	(void)pcre2_set_heap_limit(r->limits, REGEX_HEAP_KB);
	(void)pcre2_set_callout(r->limits, count_step, r);
	*out = r;
	return OK;
}

void
regex_close(struct regex **r)
{
	if (*r == NULL)
		return;
	pcre2_match_data_free((*r)->match);
	pcre2_match_context_free((*r)->limits);
	pcre2_code_free((*r)->code);
	free(*r);
	*r = NULL;
}

enum err
regex_find(struct regex *r, struct span text, struct span *out)
{
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(r->match);
	uint32_t pair = 0;
	int cnt;

	r->steps_left = REGEX_STEPS;
	cnt = pcre2_match(r->code, (PCRE2_SPTR)(text.len > 0 ? text.ptr : ""),
	    text.len, 0, 0, r->match, r->limits);
	if (cnt == PCRE2_ERROR_NOMATCH)
		return ERR_NONE;
	if (cnt <= 0)
		return ERR_FULL;
	for (int i = cnt - 1; i > 0; i--)
		if (ends[2 * i] != PCRE2_UNSET)
			pair = (uint32_t)i;
	/* \K within a lookahead can set the start behind the end. */
	if (ends[2 * pair] > ends[2 * pair + 1])
		return ERR_NONE;
	*out = span_head(span_tail(text, ends[2 * pair]),
	    ends[2 * pair + 1] - ends[2 * pair]);
	return OK;
}

struct replacing {
	char		*out;
	size_t		 len, cap;
	bool		 is_over;
};

static void
put(struct replacing *w, struct span s)
{
	if (s.len > w->cap - w->len) {
		w->is_over = true;
		return;
	}
	if (s.len > 0)
		memcpy(w->out + w->len, s.ptr, s.len);
	w->len += s.len;
}

static void
put_words(struct replacing *w, struct span words, struct span text,
    const PCRE2_SIZE *ends, int cnt)
{
	for (size_t i = 0; i < words.len; i++) {
		int group = i + 1 < words.len ? words.ptr[i + 1] - '0' : -1;

		if (words.ptr[i] != '\\' || i + 1 == words.len) {
			put(w, span_head(span_tail(words, i), 1));
			continue;
		}
		i++;
		if (group < 0 || group > 9)
			put(w, span_head(span_tail(words, i), 1));
		else if (group < cnt && ends[2 * group] != PCRE2_UNSET &&
		    ends[2 * group] <= ends[2 * group + 1])
			put(w, span_tail(span_head(text, ends[2 * group + 1]),
			    ends[2 * group]));
	}
}

enum err
regex_replace(struct regex *r, struct span text, struct span words, char *out,
    size_t cap, size_t *len)
{
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(r->match);
	struct replacing w = { .out = out, .cap = cap };
	int cnt;

	r->steps_left = REGEX_STEPS;
	cnt = pcre2_match(r->code, (PCRE2_SPTR)(text.len > 0 ? text.ptr : ""),
	    text.len, 0, 0, r->match, r->limits);
	if (cnt == PCRE2_ERROR_NOMATCH)
		return ERR_NONE;
	if (cnt <= 0)
		return ERR_FULL;
	if (ends[0] > ends[1])
		return ERR_NONE;
	put(&w, span_head(text, ends[0]));
	put_words(&w, words, text, ends, cnt);
	put(&w, span_tail(text, ends[1]));
	*len = w.len;
	return w.is_over ? ERR_FULL : OK;
}
