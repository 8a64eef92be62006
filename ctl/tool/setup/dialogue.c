/* dialogue.c */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/tool/setup/dialogue.h"

/* One line, without blanks around it; what is too long is a wrong answer. */
static enum err
read_line(char buf[DIALOGUE_MAX])
{
	size_t len;

	(void)fflush(stdout);
	if (fgets(buf, DIALOGUE_MAX, stdin) == NULL)
		return ERR_NONE;
	if (strchr(buf, '\n') == NULL && !feof(stdin)) {
		int c;

		while ((c = getchar()) != '\n' && c != EOF)
			continue;
		(void)strlcpy(buf, "too long", DIALOGUE_MAX);
	}
	len = strspn(buf, " \t");
	memmove(buf, buf + len, strlen(buf + len) + 1);
	for (len = strlen(buf); len > 0 && strchr(" \t\r\n", buf[len - 1]);)
		buf[--len] = '\0';
	return OK;
}

enum err
dialogue_kind(struct dialogue *d, const char *word)
{
	char buf[DIALOGUE_MAX];
	enum err e;

	if (word != NULL)
		return setup_find(word, &d->no) ? OK : ERR_NONE;
	printf("What is this host to be?\n");
	for (unsigned i = 0; i < SETUP__COUNT; i++)
		printf("  %u  %s\n", i + 1, setup_words((enum setup_no)i));
	do {
		printf("1 to %d: ", SETUP__COUNT);
		if ((e = read_line(buf)) != OK)
			return e;
	} while (!setup_find(buf, &d->no));
	return OK;
}

/* The usual answer; for the host's name what it calls itself. */
static void
find_usual(enum setup_key k, char buf[DIALOGUE_MAX])
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME }, *found;

	(void)strlcpy(buf, setup_asks[k].usual, DIALOGUE_MAX);
	if (k != SETUP_ASK_HOSTNAME || gethostname(buf, DIALOGUE_MAX) == -1)
		return;
	if (strchr(buf, '.') == NULL &&
	    getaddrinfo(buf, NULL, &hints, &found) == 0) {
		if (found->ai_canonname != NULL)
			(void)strlcpy(buf, found->ai_canonname, DIALOGUE_MAX);
		freeaddrinfo(found);
	}
	if (setup_wrong(k, buf) != NULL)
		buf[0] = '\0';
}

static enum err
ask(enum setup_key k, char answer[DIALOGUE_MAX])
{
	char usual[DIALOGUE_MAX];
	const char *wrong;
	enum err e;

	find_usual(k, usual);
	for (;;) {
		printf("%s%s%s%s: ", setup_asks[k].question,
		    usual[0] != '\0' ? " [" : "", usual,
		    usual[0] != '\0' ? "]" : "");
		if ((e = read_line(answer)) != OK)
			return e;
		if (answer[0] == '\0')
			(void)strlcpy(answer, usual, DIALOGUE_MAX);
		if ((wrong = setup_wrong(k, answer)) == NULL)
			return OK;
		printf("%s\n", wrong);
	}
}

enum err
dialogue_ask(struct dialogue *d)
{
	enum err e = OK;

	for (unsigned k = 0; e == OK && k < SETUP_ASK__COUNT; k++)
		if ((setup_asks[k].kinds & 1u << d->no) != 0)
			e = ask((enum setup_key)k, d->answers[k]);
	return e;
}
