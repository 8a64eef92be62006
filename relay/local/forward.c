/* forward.c - words, then the file they are in. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mail/address.h"
#include "relay/local/forward.h"

/* An address, or a user alone; with "\" in front or not. */
static bool
is_name(struct span word)
{
	static const char *const odd[] = { "|", "/", "~" };
	struct address a;

	if (span_begins(word, SPAN("\\")))
		word = span_tail(word, 1);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (span_begins(span_tail(word, span_begins(word,
		    SPAN("\""))), span_of(odd[i])))
			return false;
	return address_is_local(word) || address_parse(word, true, &a) == OK;
}

/* There is room for each word and its end, for all came out of the file. */
static size_t
put(char *out, size_t len, struct span word)
{
	memcpy(out + len, word.ptr, word.len);
	out[len + word.len] = '\n';
	return len + word.len + 1;
}

/* Up to a comma or the line's end that is in no quotes. */
static struct span
take_word(struct span *rest)
{
	bool quoted = false;
	struct span word;
	size_t at = 0;

	for (; at < rest->len && rest->ptr[at] != '\n'; at++) {
		if (rest->ptr[at] == '"')
			quoted = !quoted;
		else if (rest->ptr[at] == ',' && !quoted)
			break;
	}
	word = span_trim(span_head(*rest, at));
	*rest = span_tail(*rest, at < rest->len ? at + 1 : at);
	return word;
}

size_t
forward_words(struct span text, const char *user, char out[FORWARD_OUT_MAX],
    bool *odd)
{
	char own[WHO_NAME_MAX + 1];
	struct span word;
	size_t len = 0;

	*odd = false;
	while (text.len > 0) {
		if (text.ptr[0] == '#') {
			text = span_tail(text, span_find(text, '\n') + 1);
			continue;
		}
		word = take_word(&text);
		if (word.len > 0 && !is_name(word))
			*odd = true;
		else if (word.len > 0)
			len = put(out, len, word);
	}
	if (*odd) {
		(void)snprintf(own, sizeof(own), "\\%s", user);
		len = put(out, len, span_of(own));
	}
	return len;
}

/* What is not there, or not for the user to see, is none; the rest may pass. */
static enum err
judge(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES ||
	    error == ELOOP || error == ENAMETOOLONG || error == ENXIO ?
	    ERR_NONE : ERR_SYS;
}

static enum err
open_file(const struct who *who, int *out, const char **why)
{
	int home = open(who->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_good;
	struct stat st, in;
	int fd;

	if (home == -1)
		return judge(errno);
	is_good = fstat(home, &in) == 0 && who_owns(who, &in);
	fd = openat(home, ".forward", O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	close(home);
	if (fd == -1) {
		if (errno != ENOENT)
			*why = ".forward cannot be read";
		return judge(errno);
	}
	if (is_good && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    who_owns(who, &st) && st.st_size <= FORWARD_FILE_MAX) {
		*out = fd;
		return OK;
	}
	close(fd);
	*why = ".forward does not count: it or the home is not the user's "
	    "own, or others may write to it, or it is no file or too long";
	return ERR_NONE;
}

enum err
forward_read(const struct who *who, char out[FORWARD_OUT_MAX], size_t *len,
    const char **why)
{
	char text[FORWARD_FILE_MAX];
	ssize_t got;
	bool odd;
	enum err e;
	int fd;

	*len = 0;
	*why = NULL;
	if ((e = open_file(who, &fd, why)) != OK)
		return e == ERR_NONE ? OK : e;
	got = read(fd, text, sizeof(text));
	close(fd);
	if (got == -1)
		return ERR_SYS;
	*len = forward_words((struct span){ text, (size_t)got }, who->name,
	    out, &odd);
	if (odd)
		*why = "what is no address in .forward, a program, a file or "
		    "a list, is not followed: the mailbox has it instead";
	return OK;
}
