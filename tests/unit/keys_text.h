/*
 * keys_text - the bytes a TLS server signs, for tests of who signs them.
 */
#ifndef TESTS_KEYS_TEXT_H
#define TESTS_KEYS_TEXT_H

#include <string.h>

#include "base/span.h"

#define TEXT_CAP	512

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

#endif
