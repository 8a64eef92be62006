/*
 * smtp.c - a blocking client; patience is the socket's own time-out.
 */
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "ctl/sendmail/smtp.h"

static enum err
error_of(int e)
{
	if (e == EAGAIN || e == EWOULDBLOCK)
		return ERR_AGAIN;
	if (e == EPIPE || e == ECONNRESET)
		return ERR_CLOSED;
	return ERR_SYS;
}

enum err
smtp_open(struct smtp *s, const char *path, bool is_loud)
{
	struct timeval patience = { .tv_sec = SMTP_PATIENCE_S };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->is_loud = is_loud;
	dot_init(&s->dot);
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return ERR_SYS;
	}
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd == -1 || setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO,
	    &patience, sizeof(patience)) == -1 || setsockopt(s->fd, SOL_SOCKET,
	    SO_SNDTIMEO, &patience, sizeof(patience)) == -1)
		return ERR_SYS;
	if (connect(s->fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return OK;
	return errno == ENOENT || errno == ECONNREFUSED ? ERR_NONE :
	    error_of(errno);
}

void
smtp_close(struct smtp *s)
{
	static const char quit[] = "QUIT\r\n";

	if (s->fd == -1)
		return;
	/* Whether it is heard changes nothing any more. */
	(void)!send(s->fd, quit, sizeof(quit) - 1, MSG_NOSIGNAL |
	    MSG_DONTWAIT);
	close(s->fd);
	s->fd = -1;
}

static enum err
write_all(struct smtp *s, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(s->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		if (n == -1 && errno != EINTR)
			return error_of(errno);
		bytes = span_tail(bytes, n > 0 ? (size_t)n : 0);
	}
	return OK;
}

static void
note_text(struct smtp *s, struct span line)
{
	size_t len = line.len < sizeof(s->text) - 1 ? line.len :
	    sizeof(s->text) - 1;

	for (size_t i = 0; i < len; i++)
		s->text[i] = line.ptr[i] >= ' ' && line.ptr[i] <= '~' ?
		    line.ptr[i] : '?';
	s->text[len] = '\0';
	if (s->is_loud)
		printf("<<< %s\n", s->text);
}

/* Have a whole line in in[]; its length without the end into *len. */
static enum err
fill_line(struct smtp *s, size_t *len)
{
	for (;;) {
		struct span have = { s->in, s->in_len };
		ssize_t n;

		*len = span_find(have, '\n');
		if (*len < have.len)
			return OK;
		if (s->in_len == sizeof(s->in))
			return ERR_PEER;
		n = recv(s->fd, s->in + s->in_len, sizeof(s->in) - s->in_len,
		    0);
		if (n == 0)
			return ERR_CLOSED;
		if (n == -1 && errno != EINTR)
			return error_of(errno);
		s->in_len += n > 0 ? (size_t)n : 0;
	}
}

enum err
smtp_reply(struct smtp *s)
{
	struct reply r = { .more = true };
	bool is_first = true;
	size_t len;
	enum err e;

	while (r.more) {
		struct span line;

		if ((e = fill_line(s, &len)) != OK)
			return e;
		line = (struct span){ s->in, len };
		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (reply_line(line, &r) != OK)
			return ERR_PEER;
		note_text(s, line);
		if (!is_first)
			reply_ehlo(r.text, &s->ehlo);
		is_first = false;
		s->in_len -= len + 1;
		memmove(s->in, s->in + len + 1, s->in_len);
	}
	s->code = r.code;
	return OK;
}

enum err
smtp_say(struct smtp *s, const char *format, ...)
{
	char line[COMMAND_LINE_MAX];
	va_list args;
	int len;
	enum err e;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line) - 2, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line) - 2) {
		errno = EMSGSIZE;
		return ERR_SYS;
	}
	if (s->is_loud)
		printf(">>> %s\n", line);
	line[len++] = '\r';
	line[len++] = '\n';
	e = write_all(s, (struct span){ line, (size_t)len });
	/* Who closes on us has often said why before. */
	if (e != OK && e != ERR_CLOSED)
		return e;
	return smtp_reply(s);
}

enum err
smtp_hello(struct smtp *s, const char *name)
{
	enum err e = smtp_say(s, "EHLO %s", name);

	if (e == OK && s->code / 100 == 5) {
		memset(&s->ehlo, 0, sizeof(s->ehlo));
		e = smtp_say(s, "HELO %s", name);
	}
	return e;
}

enum err
smtp_text(struct smtp *s, struct span text)
{
	struct span run;
	enum err e = OK;

	while (e == OK && dot_next(&s->dot, &text, &run))
		e = write_all(s, run);
	return s->dot.bad ? ERR_PEER : e;
}

enum err
smtp_text_end(struct smtp *s)
{
	enum err e = write_all(s, dot_end(&s->dot));

	return e != OK && e != ERR_CLOSED ? e : smtp_reply(s);
}
