/*
 * pipe_verdict.c - lines become one, with a blank between; verdict_add() sees
 * to what must not stand in a reply.
 */
#include <sys/wait.h>

#include <stdio.h>

#include "relay/pipe_verdict.h"

/* Without blanks and line ends around it. */
static struct span
strip(struct span s)
{
	while (s.len > 0 && (unsigned char)s.ptr[s.len - 1] <= ' ')
		s.len--;
	while (s.len > 0 && (unsigned char)s.ptr[0] <= ' ')
		s = span_tail(s, 1);
	return s;
}

static void
add_lines(struct verdict_text *text, struct span words)
{
	while (words.len > 0) {
		size_t len = span_find(words, '\n');
		struct reply line = {
			.text = strip(span_head(words, len)),
		};

		verdict_add(text, &line);
		words = span_tail(words, len < words.len ? len + 1 : len);
	}
}

static bool
take_number(struct span *s)
{
	size_t len = 0;

	while (len < s->len && len < 3 && s->ptr[len] >= '0' &&
	    s->ptr[len] <= '9')
		len++;
	*s = span_tail(*s, len);
	return len > 0;
}

/* RFC 3463: a class, a subject and a detail, with a blank behind them. */
static bool
begins_with_class(struct span s, char class)
{
	if (s.len < 6 || s.ptr[0] != class || s.ptr[1] != '.')
		return false;
	s = span_tail(s, 2);
	if (!take_number(&s) || s.len == 0 || s.ptr[0] != '.')
		return false;
	s = span_tail(s, 1);
	return take_number(&s) && s.len > 0 && s.ptr[0] == ' ';
}

static void
add_own(struct verdict_text *text, int status)
{
	char words[64];
	struct reply line;

	if (WIFSIGNALED(status))
		snprintf(words, sizeof(words), "Delivery failed: the program "
		    "died of signal %d", WTERMSIG(status));
	else
		snprintf(words, sizeof(words), "Delivery failed: exit status "
		    "%d", WEXITSTATUS(status));
	line = (struct reply){ .text = span_of(words) };
	verdict_add(text, &line);
}

struct verdict
pipe_verdict(int status, struct span output, struct span error,
    struct verdict_text *text)
{
	struct verdict v = {
		CLASS_LATER, SCOPE_RECIPIENT, STAGE_BODY, 450, SPAN(""),
		RESULT_OWN,	/* nobody said it by SMTP */
		false,
	};
	struct reply done = { .text = SPAN("2.0.0 Delivered") };

	text->len = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		v.class = CLASS_DONE;
		v.flags |= RESULT_FINAL;
		v.code = 250;
		verdict_add(text, &done);
	} else {
		add_lines(text, strip(output));
		if (text->len == 0)
			add_lines(text, strip(error));
		if (text->len == 0)
			add_own(text, status);
	}
	v.text = verdict_span(text);
	if (v.class != CLASS_DONE && begins_with_class(v.text, '5')) {
		v.class = CLASS_NEVER;
		v.code = 550;
	}
	return v;
}
