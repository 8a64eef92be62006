/*
 * hop_read.c - the first line of the password file is the password, as it
 * stands, without its line end.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/hop/hop_read.h"

static enum err
complain(const char *why, enum err e)
{
	log_why(LOG_trouble, why, 0);
	return e;
}

static enum tls_security
security_of(struct span word)
{
	static const struct {
		const char	*word;
		enum tls_security security;
	} rows[] = {
		{ "off",	TLS_OFF		},
		{ "required",	TLS_REQUIRED	},
		{ "verified",	TLS_VERIFIED	},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_eq(word, span_of(rows[i].word)))
			return rows[i].security;
	return TLS_OPPORTUNISTIC;
}

static struct tls_policy
policy_of(bool immediately, const struct relay_type_env *env)
{
	struct slice b = slice_block(&env->block, "tls", 0);
	struct tls_policy_known known = {
		.wanted = security_of(slice_text(&b, "security", 0)),
		.immediately = immediately,
		.is_unix = slice_text(&env->block, "path", 0).len > 0,
	};

	return tls_policy_of(&known);
}

enum err
hop_read_tls(struct hop_tls *t, bool immediately,
    const struct relay_type_env *env)
{
	struct slice b = slice_block(&env->block, "tls", 0);
	int ca_fd = -1, cert_fd;
	enum err e;

	t->policy = policy_of(immediately, env);
	if (!tls_policy_starts(&t->policy) && !t->policy.immediately)
		return OK;
	if (tls_policy_verifies(&t->policy)) {
		ca_fd = boot_file(env->boot,
		    (unsigned)slice_num(&b, "ca_certs"));
		if (ca_fd == -1)
			return complain("ca_certs is not there", ERR_PEER);
	}
	if (slice_count(&b, "certfile") == 0) {
		e = tls_client_open(&t->client, ca_fd);
	} else {
		t->is_certified = true;
		cert_fd = boot_file(env->boot,
		    (unsigned)slice_num(&b, "certfile"));
		e = tls_client_open_certified(&t->client, ca_fd, env->keys,
		    cert_fd);
	}
	if (e != OK)
		return complain(ca_fd == -1 ? "TLS cannot be set up" :
		    "ca_certs holds no certificate that can be read", ERR_PEER);
	return OK;
}

/* At most cap bytes of the file's first line, wherever its offset stands. */
static ssize_t
read_line(int fd, char *buf, size_t cap)
{
	ssize_t n = pread(fd, buf, cap, 0);
	size_t len = n > 0 ? (size_t)n : 0;

	if (n < 0)
		return -1;
	len = span_find((struct span){ buf, len }, '\n');
	if (len > 0 && buf[len - 1] == '\r')
		len--;
	return (ssize_t)len;
}

static enum err
read_password(struct hop_login *l, int fd)
{
	char buf[HOP_LOGIN_MAX + 2];
	ssize_t len = fd == -1 ? -1 : read_line(fd, buf, sizeof(buf));
	enum err e = OK;
	char *copy = NULL;

	if (len == -1)
		e = complain("password_file cannot be read", ERR_SYS);
	else if (len == 0 || len > HOP_LOGIN_MAX ||
	    memchr(buf, '\0', (size_t)len) != NULL)
		e = complain("the first line of password_file is no password",
		    ERR_PEER);
	else if ((copy = malloc((size_t)len)) == NULL)
		e = ERR_SYS;
	else
		l->password = (struct span){
			memcpy(copy, buf, (size_t)len), (size_t)len
		};
	explicit_bzero(buf, sizeof(buf));
	return e;
}

enum err
hop_read_places(struct places **out, unsigned limit,
    const struct relay_type_env *env)
{
	const struct link_peer *self;

	if (env->boot == NULL)
		return places_open(out, env->loop, -1, limit, 0, 1);
	self = boot_self(env->boot);
	return places_open(out, env->loop, boot_marks(env->boot), limit,
	    self->worker, self->workers);
}

enum err
hop_read_login(struct hop_login *l, const struct relay_type_env *env)
{
	struct slice b = slice_block(&env->block, "credentials", 0);

	l->username = slice_text(&b, "username", 0);
	if (l->username.len == 0)
		return OK;
	if (l->username.len > HOP_LOGIN_MAX ||
	    span_find(l->username, '\0') < l->username.len)
		return complain("the username is too long, or none", ERR_PEER);
	return read_password(l, boot_file(env->boot,
	    (unsigned)slice_num(&b, "password_file")));
}
