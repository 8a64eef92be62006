/*
 * keys_text - the bytes that servers and clients of TLS sign, for tests of who
 * signs them.
 */
#ifndef TESTS_KEYS_TEXT_H
#define TESTS_KEYS_TEXT_H

#include <string.h>

#include "base/span.h"

#define TEXT_CAP	1024

struct text {
	char	 bytes[TEXT_CAP];
	size_t	 len;
};

static inline struct span
text_span(const struct text *t)
{
	return (struct span){ t->bytes, t->len };
}

static inline void
text_add(struct text *t, const void *bytes, size_t len)
{
	memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
}

static inline void
text_fill(struct text *t, int byte, size_t len)
{
	memset(t->bytes + t->len, byte, len);
	t->len += len;
}

/* RFC 8446 4.4.3; who is "server" or "client". */
static inline struct text
text_verify(const char *who, size_t hash_len)
{
	struct text t = { .len = 0 };

	text_fill(&t, ' ', 64);
	text_add(&t, "TLS 1.3, ", 9);
	text_add(&t, who, strlen(who));
	text_add(&t, " CertificateVerify", 19);
	text_fill(&t, 0xa5, hash_len);
	return t;
}

/* RFC 8422 5.4: randoms, curve type, curve, point. */
static inline struct text
text_exchange(unsigned curve, size_t point_len, int first)
{
	struct text t = { .len = 0 };
	const char head[] = { 3, (char)(curve >> 8), (char)curve,
	    (char)point_len };

	text_fill(&t, 0x11, 32);
	text_fill(&t, 0x22, 32);
	text_add(&t, head, sizeof(head));
	text_fill(&t, first, 1);
	text_fill(&t, 0x33, point_len - 1);
	return t;
}

/* A message of a handshake, RFC 5246 7.4, of so many bytes. */
static inline void
text_message(struct text *t, int type, size_t len)
{
	const char head[] = { (char)type, 0, (char)(len >> 8), (char)len };

	text_add(t, head, sizeof(head));
	text_fill(t, 3, len);		/* hellos begin with the version */
}

/* RFC 5246 7.4.8: all that was said before a client's CertificateVerify. */
static inline struct text
text_transcript(void)
{
	static const struct {
		int	 type;
		size_t	 len;
	} rows[] = {
		{ 1, 60 }, { 2, 50 }, { 11, 200 }, { 12, 70 }, { 13, 9 },
		{ 14, 0 }, { 11, 150 }, { 16, 33 },
	};
	struct text t = { .len = 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		text_message(&t, rows[i].type, rows[i].len);
	return t;
}

#endif
