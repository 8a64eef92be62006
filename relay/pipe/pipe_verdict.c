/*
 * pipe_verdict.c - lines become one, with a blank between; verdict_add() sees
 * to what must not stand in a reply.
 */
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "relay/pipe/launcher.h"
#include "relay/pipe/pipe_verdict.h"

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

/* Behind "NAME: " or "/PATH/NAME: " at the line's start; else the line. */
static struct span
behind_name(struct span line, const char *name)
{
	struct span word = span_head(line, span_find(line, ' '));
	size_t len = name == NULL ? 0 : strlen(name);

	if (len == 0 || word.len < len + 1 || word.len == line.len ||
	    word.ptr[word.len - 1] != ':')
		return line;
	word = span_tail(word, word.len - 1 - len);
	if (!span_begins(word, span_of(name)) ||
	    (word.ptr != line.ptr && word.ptr[-1] != '/'))
		return line;
	return span_tail(line, (size_t)(word.ptr - line.ptr) + len + 2);
}

/* All lines, or those from the first on that has the name before it. */
static void
add_lines(struct verdict_text *text, struct span words, const char *name,
    bool is_named)
{
	while (words.len > 0) {
		struct span whole = strip(span_cut(&words, '\n'));
		struct reply line = { .text = behind_name(whole, name) };

		is_named = is_named && line.text.len == whole.len;
		if (!is_named)
			verdict_add(text, &line);
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

/* By itself: it was run, and not killed. */
static bool
has_exited(int status)
{
	return status >= 0 && WIFEXITED(status);
}

/* NULL: the status means nothing in particular. */
static const struct sysexit *
find_sysexit(int status)
{
	unsigned no = has_exited(status) ? (unsigned)WEXITSTATUS(status) : 0;

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

	if (status < 0)
		snprintf(words, sizeof(words), "Delivery failed: the program "
		    "cannot be run");
	else if (WIFSIGNALED(status))
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
		add_lines(text, strip(found), NULL, false);
}

/* What it says in its own name comes before all else. */
static void
add_said(struct verdict_text *text, const char *name, struct span output,
    struct span error)
{
	if (text->len == 0 && name != NULL)
		add_lines(text, strip(output), name, true);
	if (text->len == 0 && name != NULL)
		add_lines(text, strip(error), name, true);
	if (text->len == 0)
		add_lines(text, strip(output), NULL, false);
	if (text->len == 0)
		add_lines(text, strip(error), NULL, false);
}

static void
add_words(struct verdict_text *text, const struct pipe_judge *how,
    int status, struct span output, struct span error)
{
	text->len = 0;
	if (how->pattern != NULL) {
		add_found(text, how->pattern, output);
		add_found(text, how->pattern, error);
	}
	add_said(text, how->name, output, error);
}

/* Words with a code decide, then the status; the code is put in front. */
static enum own
judge(struct verdict_text *text, int status)
{
	const struct sysexit *s = find_sysexit(status);

	if (s != NULL && !begins_with_class(verdict_span(text), '4') &&
	    !begins_with_class(verdict_span(text), '5'))
		put_dsn(text, s);
	else if (text->len == 0)
		add_own(text, status);
	return begins_with_class(verdict_span(text), '5') ?
	    OWN_program_refused : OWN_program_failed;
}

/* The status decides; words with a code of its class keep theirs. */
static enum own
judge_status(struct verdict_text *text, int status)
{
	bool is_later = !has_exited(status) ||
	    WEXITSTATUS(status) == EX_TEMPFAIL;
	const struct sysexit *s = find_sysexit(status);
	struct sysexit code = s != NULL ? *s : (struct sysexit){ .dsn = { 0 } };

	code.dsn[0] = is_later ? 4 : 5;
	if (s == NULL && text->len == 0)
		add_own(text, status);
	if (!begins_with_class(verdict_span(text), is_later ? '4' : '5'))
		put_dsn(text, &code);
	return is_later ? OWN_program_failed : OWN_program_refused;
}

struct verdict
pipe_verdict(const struct pipe_judge *how, int status, struct span output,
    struct span error, struct verdict_text *text)
{
	struct verdict v = verdict_own(OWN_program_done, STAGE_BODY);

	if (has_exited(status) && WEXITSTATUS(status) == 0)
		return v;
	add_words(text, how, status, output, error);
	v = verdict_own(how->by_status ? judge_status(text, status) :
	    judge(text, status), STAGE_BODY);
	v.text = verdict_span(text);
	return v;
}
