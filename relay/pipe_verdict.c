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

/* Of sysexits(3), with the codes that Postfix's pipe(8) gives them. */
static const struct sysexit {
	unsigned char	 dsn[3];
	const char	*words;
} sysexits[] = {
#define SYSEXIT_FIRST	64
	{ { 5, 3, 0 }, "Command line usage error" },
	{ { 5, 6, 0 }, "Data format error" },
	{ { 5, 3, 0 }, "Cannot open input" },
	{ { 5, 1, 1 }, "User unknown" },
	{ { 5, 1, 2 }, "Host name unknown" },
	{ { 5, 3, 0 }, "Service unavailable" },
	{ { 5, 3, 0 }, "Internal software error" },
	{ { 4, 3, 0 }, "System resource problem" },
	{ { 5, 3, 0 }, "Critical OS file missing" },
	{ { 5, 2, 0 }, "Can't create user output file" },
	{ { 5, 3, 0 }, "Input/output error" },
	{ { 4, 3, 0 }, "Temporary failure" },
	{ { 5, 5, 0 }, "Remote error in protocol" },
	{ { 5, 7, 0 }, "Permission denied" },
	{ { 5, 3, 5 }, "Local configuration error" },
};

/* NULL: the status means nothing in particular. */
static const struct sysexit *
find_sysexit(int status)
{
	unsigned no = WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) : 0;

	if (no < SYSEXIT_FIRST ||
	    no - SYSEXIT_FIRST >= sizeof(sysexits) / sizeof(sysexits[0]))
		return NULL;
	return &sysexits[no - SYSEXIT_FIRST];
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

/* The code that the status has, in front of the program's words or ours. */
static void
put_dsn(struct verdict_text *text, const struct sysexit *s)
{
	struct verdict_text words = *text;
	struct reply code = {
		.has_dsn = true, .dsn_class = s->dsn[0],
		.dsn_subject = s->dsn[1], .dsn_detail = s->dsn[2],
		.text = words.len > 0 ? verdict_span(&words) :
		    span_of(s->words),
	};

	text->len = 0;
	verdict_add(text, &code);
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

/* A pattern that would cost too much has not matched. */
static void
add_found(struct verdict_text *text, struct regex *pattern, struct span words)
{
	struct span found;

	if (text->len == 0 && regex_find(pattern, words, &found) == OK)
		add_lines(text, strip(found));
}

static void
add_words(struct verdict_text *text, const struct pipe_judge *how,
    int status, struct span output, struct span error)
{
	const struct sysexit *s = find_sysexit(status);

	text->len = 0;
	if (how->pattern != NULL) {
		add_found(text, how->pattern, output);
		add_found(text, how->pattern, error);
	}
	if (text->len == 0)
		add_lines(text, strip(output));
	if (text->len == 0)
		add_lines(text, strip(error));
	if (s != NULL && !begins_with_class(verdict_span(text), '4') &&
	    !begins_with_class(verdict_span(text), '5'))
		put_dsn(text, s);
	else if (text->len == 0)
		add_own(text, status);
}

struct verdict
pipe_verdict(const struct pipe_judge *how, int status, struct span output,
    struct span error, struct verdict_text *text)
{
	struct verdict v = verdict_own(OWN_program_done, STAGE_BODY);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return v;
	add_words(text, how, status, output, error);
	v = verdict_own(begins_with_class(verdict_span(text), '5') ?
	    OWN_program_refused : OWN_program_failed, STAGE_BODY);
	v.text = verdict_span(text);
	return v;
}
