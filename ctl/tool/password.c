/* password.c - readpassphrase(3) puts the terminal right again on a signal. */
#include <crypt.h>
#include <errno.h>
#include <readpassphrase.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/tool/password.h"
#include "ctl/tool/run.h"
#include "mail/account.h"

/* The first line of standard input, without its end. */
static enum err
read_line(char *buf)
{
	size_t len = 0;
	char c;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return ERR_SYS;
		if (n == 0 || c == '\n')
			break;
		if (len == PASSWORD_MAX || c == '\0')
			return ERR_FULL;
		buf[len++] = c;
	}
	if (len > 0 && buf[len - 1] == '\r')
		len--;
	buf[len] = '\0';
	return OK;
}

static enum err
ask(bool is_new, char *buf)
{
	char again[PASSWORD_MAX + 1];
	enum err e = OK;

	if (readpassphrase("Password: ", buf, PASSWORD_MAX + 1,
	    RPP_REQUIRE_TTY) == NULL)
		return ERR_SYS;
	if (!is_new || buf[0] == '\0')
		return OK;
	if (readpassphrase("The same again: ", again, sizeof(again),
	    RPP_REQUIRE_TTY) == NULL)
		e = ERR_SYS;
	else if (strcmp(buf, again) != 0) {
		run_complain("the two differ");
		e = ERR_NONE;
	}
	explicit_bzero(again, sizeof(again));
	return e;
}

enum err
password_read(bool is_new, char *buf)
{
	enum err e = isatty(STDIN_FILENO) ? ask(is_new, buf) : read_line(buf);

	if (e == OK && buf[0] == '\0') {
		run_complain("the password must not be empty");
		e = ERR_NONE;
	}
	if (e == ERR_FULL)
		run_complain("a password has at most %d bytes, and no NUL",
		    PASSWORD_MAX);
	return e;
}

/* crypt(3), with what it leaves in memory wiped.  NULL: it failed. */
static char *
hash_with(const char *password, const char *setting)
{
	void *room = NULL;
	int size = 0;
	char *made = crypt_ra(password, setting, &room, &size), *out = NULL;

	if (made != NULL && made[0] != '*')
		out = strdup(made);
	if (room != NULL && size > 0)
		explicit_bzero(room, (size_t)size);
	free(room);
	return out;
}

enum err
password_hash(const char *password, char **out)
{
	char *setting = crypt_gensalt_ra("$y$", 0, NULL, 0);

	if (setting == NULL)
		return ERR_SYS;
	*out = hash_with(password, setting);
	free(setting);
	return *out == NULL ? ERR_SYS : OK;
}

bool
password_knows(struct span hash)
{
	char text[ACCOUNT_HASH_MAX + 1];
	int known;

	if (!span_cstr(hash, text, sizeof(text)))
		return false;
	known = crypt_checksalt(text);
	return known != CRYPT_SALT_INVALID &&
	    known != CRYPT_SALT_METHOD_DISABLED;
}

bool
password_fits(const char *password, struct span hash)
{
	char want[ACCOUNT_HASH_MAX + 1], *made;
	bool fits;

	if (hash.len == 0 || !span_cstr(hash, want, sizeof(want)) ||
	    (made = hash_with(password, want)) == NULL)
		return false;
	fits = strcmp(made, want) == 0;
	free(made);
	return fits;
}
