/* who.c - nothing here fails: something is always known. */
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "ctl/sendmail/who.h"
#include "mail/address.h"

#define MAILNAME	"/etc/mailname"
#define WORD_BYTES	20	/* in an encoded word: 60 of its 75 columns */

/* The full name in gecos: up to a comma, "&" is the login. */
static void
read_gecos(struct who *w, const char *gecos)
{
	size_t len = 0;

	for (; *gecos != '\0' && *gecos != ',' &&
	    len < sizeof(w->name) - 1; gecos++) {
		if (*gecos != '&') {
			w->name[len++] = *gecos;
			continue;
		}
		len += strlcpy(w->name + len, w->login,
		    sizeof(w->name) - len);
		if (len >= sizeof(w->name))
			len = sizeof(w->name) - 1;
	}
	w->name[len] = '\0';
}

static bool
is_host(const char *name)
{
	return address_is_domain(span_of(name), false);
}

static bool
read_mailname(struct who *w)
{
	FILE *f = fopen(MAILNAME, "re");
	char *end;
	bool found = false;

	if (f == NULL)
		return false;
	if (fgets(w->host, sizeof(w->host), f) != NULL) {
		if ((end = strpbrk(w->host, " \t\r\n")) != NULL)
			*end = '\0';
		found = is_host(w->host);
	}
	fclose(f);
	return found;
}

/* The host's name, with its domain where it can be found out. */
static void
read_hostname(struct who *w)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME }, *found;

	if (gethostname(w->host, sizeof(w->host)) == -1)
		w->host[0] = '\0';
	w->host[sizeof(w->host) - 1] = '\0';
	if (strchr(w->host, '.') == NULL &&
	    getaddrinfo(w->host, NULL, &hints, &found) == 0) {
		if (found->ai_canonname != NULL)
			(void)strlcpy(w->host, found->ai_canonname,
			    sizeof(w->host));
		freeaddrinfo(found);
	}
	if (!is_host(w->host))
		(void)strlcpy(w->host, "localhost", sizeof(w->host));
}

void
who_find(struct who *w, const char *home)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *name = getenv("NAME");

	memset(w, 0, sizeof(*w));
	snprintf(w->login, sizeof(w->login), "uid%u", (unsigned)getuid());
	if (pw != NULL) {
		(void)strlcpy(w->login, pw->pw_name, sizeof(w->login));
		read_gecos(w, pw->pw_gecos != NULL ? pw->pw_gecos : "");
	}
	if (name != NULL && name[0] != '\0')
		(void)strlcpy(w->name, name, sizeof(w->name));
	if (home != NULL)
		(void)strlcpy(w->host, home, sizeof(w->host));
	else if (!read_mailname(w))
		read_hostname(w);
}

/* Is it ASCII, UTF-8, or neither of them? */
enum letters { LETTERS_ASCII, LETTERS_UTF8, LETTERS_FOREIGN };

static enum letters
letters_of(struct span s)
{
	enum letters kind = LETTERS_ASCII;

	while (s.len > 0) {
		size_t len = s.ptr[0] >= ' ' && s.ptr[0] <= '~' ? 1 :
		    utf8_len(s);

		if (len == 0)
			return LETTERS_FOREIGN;
		if (len > 1)
			kind = LETTERS_UTF8;
		s = span_tail(s, len);
	}
	return kind;
}

static void
put_quoted(FILE *out, struct span name)
{
	fputc('"', out);
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '"' || name.ptr[i] == '\\')
			fputc('\\', out);
		fputc(name.ptr[i], out);
	}
	fputc('"', out);
}

/* Encoded words, each of whole characters. */
static void
put_encoded(FILE *out, struct span name)
{
	size_t used = 0;

	fputs("=?utf-8?Q?", out);
	while (name.len > 0) {
		size_t len = utf8_len(name);

		len = len == 0 ? 1 : len;
		if (used + len > WORD_BYTES) {
			fputs("?= =?utf-8?Q?", out);
			used = 0;
		}
		for (size_t i = 0; i < len; i++)
			fprintf(out, "=%02X", (unsigned char)name.ptr[i]);
		used += len;
		name = span_tail(name, len);
	}
	fputs("?=", out);
}

void
who_from(struct span name, struct span address, char *buf, size_t cap)
{
	enum letters kind = letters_of(name);
	FILE *out = fmemopen(buf, cap, "w");

	buf[0] = '\0';
	if (out == NULL)
		return;
	if (name.len == 0 || kind == LETTERS_FOREIGN)
		fprintf(out, "%.*s", (int)address.len, address.ptr);
	else {
		if (kind == LETTERS_UTF8)
			put_encoded(out, name);
		else
			put_quoted(out, name);
		fprintf(out, " <%.*s>", (int)address.len, address.ptr);
	}
	fclose(out);
	buf[cap - 1] = '\0';
}
