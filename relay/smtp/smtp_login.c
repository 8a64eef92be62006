/*
 * smtp_login.c - the secret is written into the buffer of commands, and that is
 * wiped when the answer is here.
 *
 * PLAIN comes before LOGIN.  A mechanism may be offered and yet be refused, the
 * one as the other with a right password (RFC 4954 6 has the codes): then the
 * next one is tried on the same connection before the login counts as refused.
 *
 * What a next hop replies may hold what we have told it; such a reply is
 * replaced by words of ours before anybody sees it.
 */
#include <string.h>

#include "relay/smtp/smtp_end.h"
#include "relay/smtp/smtp_login.h"
#include "relay/smtp/smtp_say.h"
#include "relay/smtp/smtp_step.h"
#include "relay/smtp/smtp_target.h"

#define PLAIN_MAX	(2 * HOP_LOGIN_MAX + 2)	/* bytes, before... */
#define CODED_MAX	(PLAIN_MAX / 3 * 4 + 5)	/* ... and after base64	*/
#define INITIAL_MAX	500	/* bytes of a response beside "AUTH PLAIN ":
				 * the line has 512 (RFC 4954 4)	*/

/* RFC 4648 4.  Ends in a NUL; out holds CODED_MAX. */
static void
encode(struct span in, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < in.len; i += 3) {
		unsigned long v = 0;

		for (size_t k = i; k < i + 3; k++)
			v = v << 8 | (k < in.len ? (unsigned char)in.ptr[k] :
			    0u);
		*out++ = digits[v >> 18 & 63];
		*out++ = digits[v >> 12 & 63];
		*out++ = digits[v >> 6 & 63];
		*out++ = digits[v & 63];
	}
	for (size_t k = in.len % 3; k > 0 && k < 3; k++)
		out[-(int)(3 - k)] = '=';
	*out = '\0';
}

/* NUL user NUL password; the identity to act as is the user's own. */
static void
encode_plain(const struct hop_login *l, char *out)
{
	char text[PLAIN_MAX];
	size_t len = 0;

	text[len++] = '\0';
	memcpy(text + len, l->username.ptr, l->username.len);
	len += l->username.len;
	text[len++] = '\0';
	if (l->password.len > 0)
		memcpy(text + len, l->password.ptr, l->password.len);
	len += l->password.len;
	encode((struct span){ text, len }, out);
	explicit_bzero(text, sizeof(text));
}

static bool
is_plain(const struct smtp_client *c)
{
	return (c->ehlo.auth & EHLO_AUTH_PLAIN) != 0;
}

/* Go on with the mechanism behind this one.  False: there is none. */
static bool
try_another(struct smtp_client *c, uint16_t code)
{
	unsigned left = c->ehlo.auth & ~(unsigned)EHLO_AUTH_PLAIN;

	if (!is_plain(c) || left == 0 ||
	    (code != 501 && code != 504 && code != 534 && code != 535))
		return false;
	c->ehlo.auth = left;
	c->login_no = 0;
	smtp_step_enter(c, SMTP_AUTH);
	return true;
}

static void
fail(struct smtp_client *c, enum own own)
{
	struct verdict v = verdict_own(own, STAGE_EHLO);

	smtp_end_fail(c, &v);
}

void
smtp_login_begin(struct smtp_client *c)
{
	c->login_no = 0;
	if (c->channel.tls == NULL && !c->is_local)
		fail(c, OWN_login_in_clear);
	else if (c->ehlo.auth == 0)
		fail(c, OWN_login_missing);
	else
		smtp_step_enter(c, SMTP_AUTH);
}

static void
say_coded(struct smtp_client *c, struct span s)
{
	char coded[CODED_MAX];

	encode(s, coded);
	smtp_say(c, "%s\r\n", coded);
	explicit_bzero(coded, sizeof(coded));
}

static void
say_plain(struct smtp_client *c)
{
	char coded[CODED_MAX];

	encode_plain(&c->target->login, coded);
	if (c->login_no > 0)
		smtp_say(c, "%s\r\n", coded);
	else if (strlen(coded) > INITIAL_MAX)
		smtp_say(c, "AUTH PLAIN\r\n");
	else
		smtp_say(c, "AUTH PLAIN %s\r\n", coded);
	explicit_bzero(coded, sizeof(coded));
}

void
smtp_login_say(struct smtp_client *c)
{
	if (is_plain(c))
		say_plain(c);
	else if (c->login_no == 0)
		smtp_say(c, "AUTH LOGIN\r\n");
	else if (c->login_no == 1)
		say_coded(c, c->target->login.username);
	else
		say_coded(c, c->target->login.password);
}

/* May there be another line of ours? */
static bool
has_more_to_say(const struct smtp_client *c)
{
	char coded[CODED_MAX];
	bool is_long;

	if (!is_plain(c))
		return c->login_no < 2;
	encode_plain(&c->target->login, coded);
	is_long = strlen(coded) > INITIAL_MAX;
	explicit_bzero(coded, sizeof(coded));
	return c->login_no == 0 && is_long;
}

static bool
holds(struct span text, const char *what, size_t len)
{
	return len > 0 && text.len >= len &&
	    memmem(text.ptr, text.len, what, len) != NULL;
}

static bool
tells_secret(const struct smtp_client *c, struct span text)
{
	const struct hop_login *l = &c->target->login;
	char coded[CODED_MAX];
	bool tells;

	encode_plain(l, coded);
	tells = holds(text, coded, strlen(coded));
	encode(l->password, coded);
	tells = tells || holds(text, coded, strlen(coded)) ||
	    holds(text, l->password.ptr, l->password.len);
	explicit_bzero(coded, sizeof(coded));
	return tells;
}

void
smtp_login_hear(struct smtp_client *c, const struct verdict *v)
{
	struct verdict w = *v;

	if (c->out_len == 0 && c->out != NULL)
		explicit_bzero(c->out, c->out_cap);
	if (v->code == 334 && has_more_to_say(c)) {
		c->login_no++;
		smtp_step_enter(c, SMTP_AUTH);
	} else if (v->code == 235) {
		c->is_hopeless = false;
		smtp_step_ready(c);
	} else if (v->code >= 400) {
		c->is_hopeless = v->code != 421;
		if (try_another(c, v->code))
			return;
		if (tells_secret(c, v->text)) {
			w.text = verdict_own(OWN_login_refused, v->stage).text;
			w.flags |= RESULT_OWN;
		}
		smtp_end_fail(c, &w);
	} else {
		smtp_end_protest(c, v);
	}
}
