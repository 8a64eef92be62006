/*
 * setup.c - the examples are built into this program (the Makefile makes
 * examples.h of them), for on a small machine no documentation is installed.
 *
 * Replacing is by text, and each text must be there: a change of an example
 * that a row of setup.def does not follow fails test_setup.
 */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "ctl/tool/setup/setup.h"
#include "ctl/tool/setup/examples.h"

#define SOURCES	"\tsource 192.0.2.10 192.0.2.11\n\tipv4_only yes\n"
#define SECRET	"/etc/postern/smarthost.password"

enum {
#define SETUP(kind, example, words)	kind = SETUP_##kind,
#include "ctl/tool/setup/setup.def"
};

const struct setup_ask setup_asks[SETUP_ASK__COUNT] = {
#define ASK(kinds, key, question, usual, find, put) \
	[SETUP_ASK_##key] = { kinds, question, usual, find, put },
#include "ctl/tool/setup/setup.def"
};

static const struct {
	const char	*example, *words;
} setups[SETUP__COUNT] = {
#define SETUP(kind, example, words) { example_##example, words },
#include "ctl/tool/setup/setup.def"
};

const char *
setup_words(enum setup_no no)
{
	return setups[no].words;
}

bool
setup_find(const char *word, enum setup_no *out)
{
	size_t len = strlen(word);
	unsigned found = 0;

	for (unsigned i = 0; i < SETUP__COUNT; i++) {
		const char *words = setups[i].words;

		bool is_number = len == 1 && word[0] == (char)('1' + i);

		if (len == 0 || (!is_number && (len > strcspn(words, ":") ||
		    strncmp(words, word, len) != 0)))
			continue;
		*out = (enum setup_no)i;
		found++;
	}
	return found == 1;
}

const char *
setup_wrong(enum setup_key key, const char *answer)
{
	unsigned long long port;

	if (answer[0] == '\0')
		return "there is no usual answer";
	for (const char *p = answer; *p != '\0'; p++)
		if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p) ||
		    strchr("\"{};#", *p) != NULL)
			return "no blanks, quotes, braces, ; or # in it";
	if (key == SETUP_ASK_PORT &&
	    (!span_number(span_of(answer), 65535, &port) || port == 0))
		return "a port is a number from 1 to 65535";
	if (key == SETUP_ASK_HOSTNAME && strchr(answer, '.') == NULL)
		return "a full name has a dot in it";
	if (key == SETUP_ASK_ROOT && strcmp(answer, "-") != 0 &&
	    strchr(answer, '@') == NULL)
		return "an address is user@domain";
	return NULL;
}

/* All places of find; there must be one. */
static char *
replace(char *text, const char *find, const char *put)
{
	size_t len = strlen(find), cnt = 0;
	char *out, *to;

	for (const char *p = text; (p = strstr(p, find)) != NULL; p += len)
		cnt++;
	assert(cnt > 0);
	out = malloc(strlen(text) + cnt * strlen(put) + 1);
	if ((to = out) != NULL) {
		const char *from = text, *next;

		while ((next = strstr(from, find)) != NULL) {
			to = mempcpy(to, from, (size_t)(next - from));
			to = stpcpy(to, put);
			from = next + len;
		}
		(void)stpcpy(to, from);
	}
	free(text);
	return out;
}

/* An answer in its place. */
static char *
put_answer(char *text, const struct setup_ask *a, const char *answer)
{
	const char *at = strstr(a->put, "%s");
	char *put;

	if (a->find[0] == '\0')
		return text;
	if (asprintf(&put, "%.*s%s%s", (int)(at - a->put), a->put, answer,
	    at + 2) == -1) {
		free(text);
		return NULL;
	}
	text = replace(text, a->find, put);
	free(put);
	return text;
}

/* Behind the comment the file begins with. */
static char *
put_process(char *text, const char *hostname)
{
	char *body = strstr(text, "\n\n"), *out;
	const char *old = strstr(text, "process {\n\thostname ");

	if (old != NULL) {	/* its own, which ends at the brace */
		const char *end = strstr(old, "\n}\n\n");

		body = text + (old - text);
		if (asprintf(&out, "%.*sprocess {\n\thostname %s%s",
		    (int)(body - text), text, hostname, end) == -1)
			out = NULL;
	} else if (asprintf(&out, "%.*s\n\nprocess {\n\thostname %s\n}%s",
	    (int)(body - text), text, hostname, body) == -1)
		out = NULL;
	free(text);
	return out;
}

/* "# smarthost.conf - ..." is postern.conf from now on. */
static char *
put_name(char *text)
{
	char *rest = strstr(text, " - "), *out;

	assert(text[0] == '#' && rest != NULL);
	if (asprintf(&out, "# postern.conf%s", rest) == -1)
		out = NULL;
	free(text);
	return out;
}

/* What the kinds have besides their answers. */
static char *
put_rest(char *text, enum setup_no no, const char *const *answers,
    const char *password_path)
{
	if (no == SETUP_SUBMISSION_NO) {
		char *ehlo;

		text = replace(text, SOURCES, "");
		if (text == NULL || asprintf(&ehlo, "ehlo_as %s",
		    answers[SETUP_ASK_HOSTNAME]) == -1) {
			free(text);
			return NULL;
		}
		text = replace(text, "ehlo_as mx1.example.org", ehlo);
		free(ehlo);
	}
	if (no == SETUP_CLIENT_NO) {
		if (strcmp(answers[SETUP_ASK_PORT], "465") == 0)
			text = replace(text, "\tport 465\n",
			    "\tport 465\n\ttls_immediately yes\n");
		if (text != NULL)
			text = replace(text, SECRET, password_path);
	}
	if (text != NULL && strstr(text, "aliases /etc/aliases") == NULL)
		text = replace(text, "\ttype lmdb\n",
		    "\ttype lmdb\n\taliases /etc/aliases\n");
	return text;
}

enum err
setup_text(enum setup_no no, const char *const *answers,
    const char *password_path, char **out)
{
	char *text = strdup(setups[no].example);

	for (unsigned k = 0; text != NULL && k < SETUP_ASK__COUNT; k++)
		if ((setup_asks[k].kinds & 1u << no) != 0)
			text = put_answer(text, &setup_asks[k], answers[k]);
	if (text != NULL)
		text = put_process(text, answers[SETUP_ASK_HOSTNAME]);
	if (text != NULL)
		text = put_rest(text, no, answers, password_path);
	if (text != NULL)
		text = put_name(text);
	*out = text;
	return text != NULL ? OK : ERR_SYS;
}
