/* messages.c - codec, names, permissions and trace, made from messages.def. */
#include <stdio.h>
#include <string.h>

#include "bus/messages.h"

#define BIT(role)	(1u << ROLE_##role)
#define MASTER		BIT(MASTER)
#define EDGE		BIT(EDGE)
#define EDGES		(BIT(EDGE) | BIT(PICKUP))
#define QUEUE		BIT(QUEUE)
#define PROXY		BIT(PROXY)
#define QUEUES		(QUEUE | PROXY)
#define RELAY		BIT(RELAY)
#define RELAYS		(BIT(RELAY) | BIT(MAILDIR) | BIT(PIPE) | \
			 BIT(BLACKHOLE) | BIT(LOCAL))
#define LOCAL		BIT(LOCAL)
#define RESOLVER	BIT(RESOLVER)
#define KEYS		BIT(KEYS)
#define USERS		BIT(USERS)
#define CONTROL		BIT(CONTROL)
#define TOOL		BIT(TOOL)
#define EVERYONE	(EDGES | LASTING | RELAYS)
#define LASTING		(QUEUES | RESOLVER | KEYS | USERS | CONTROL)
#define TOOLS		(TOOL | CONTROL)
#define ASKED		(CONTROL | QUEUES)
#define ANSWERS		(QUEUES | CONTROL)
#define ANYONE		(MASTER | EVERYONE | TOOL)

struct row {
	const char	*name;
	unsigned	 from, to;	/* bits of roles */
	enum msg_carries carries;
	unsigned	 secret_cnt;	/* fields */
	void		(*put)(struct wire_out *, const void *);
	void		(*get)(struct wire_in *, union msg *);
	void		(*print)(FILE *, const union msg *);
};

static void
put_id(struct wire_out *w, struct id id)
{
	wire_bytes(w, id.b, sizeof(id.b));
}

static struct id
get_id(struct wire_in *r)
{
	struct id id;

	wire_get_bytes(r, id.b, sizeof(id.b));
	return id;
}

static void
print_id(FILE *f, const char *name, struct id id)
{
	char text[ID_TEXT_LEN + 1];

	id_text(id, text);
	fprintf(f, " %s=%s", name, text);
}

#define PRINT_MAX	80	/* bytes of a string shown in the trace */

static void
print_str(FILE *f, const char *name, struct span s)
{
	fprintf(f, " %s=\"", name);
	for (size_t i = 0; i < s.len && i < PRINT_MAX; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
			fprintf(f, "\\x%02x", c);
		else
			fputc(c, f);
	}
	fputs(s.len > PRINT_MAX ? "\"..." : "\"", f);
}

#define U8(f)	wire_u8(w, m->f);
#define U16(f)	wire_u16(w, m->f);
#define U32(f)	wire_u32(w, m->f);
#define U64(f)	wire_u64(w, m->f);
#define ID(f)	put_id(w, m->f);
#define STR(f)	wire_str(w, m->f, BUS_STR_MAX);
#define SECRET(f) wire_str(w, m->f, BUS_STR_MAX);
#define BLOB(f)	wire_str(w, m->f, BUS_BLOB_MAX);
#define MSG(name, from, to, carries, fields)				\
static void								\
put_##name(struct wire_out *w, const void *arg)				\
{									\
	const struct msg_##name *m = arg;				\
	fields								\
}
#include "bus/messages.def"
#undef MSG
#undef U8
#undef U16
#undef U32
#undef U64
#undef ID
#undef STR
#undef SECRET
#undef BLOB

#define U8(f)	m->f = wire_get_u8(r);
#define U16(f)	m->f = wire_get_u16(r);
#define U32(f)	m->f = wire_get_u32(r);
#define U64(f)	m->f = wire_get_u64(r);
#define ID(f)	m->f = get_id(r);
#define STR(f)	m->f = wire_get_str(r, BUS_STR_MAX);
#define SECRET(f) m->f = wire_get_str(r, BUS_STR_MAX);
#define BLOB(f)	m->f = wire_get_str(r, BUS_BLOB_MAX);
#define MSG(name, from, to, carries, fields)				\
static void								\
get_##name(struct wire_in *r, union msg *any)				\
{									\
	struct msg_##name *m = &any->name;				\
	fields								\
}
#include "bus/messages.def"
#undef MSG
#undef U8
#undef U16
#undef U32
#undef U64
#undef ID
#undef STR
#undef SECRET
#undef BLOB

#define U8(f)	fprintf(out, " " #f "=%u", m->f);
#define U16(f)	fprintf(out, " " #f "=%u", m->f);
#define U32(f)	fprintf(out, " " #f "=%u", m->f);
#define U64(f)	fprintf(out, " " #f "=%llu", (unsigned long long)m->f);
#define ID(f)	print_id(out, #f, m->f);
#define STR(f)	print_str(out, #f, m->f);
#define SECRET(f) fputs(" " #f "=(secret)", out);
#define BLOB(f)	fprintf(out, " " #f "=(%zu bytes)", m->f.len);
#define MSG(name, from, to, carries, fields)				\
static void								\
print_##name(FILE *out, const union msg *any)				\
{									\
	const struct msg_##name *m = &any->name;			\
	fields								\
}
#include "bus/messages.def"
#undef MSG
#undef U8
#undef U16
#undef U32
#undef U64
#undef ID
#undef STR
#undef SECRET
#undef BLOB

/* How many of the fields are secrets. */
#define U8(f)	+ 0
#define U16(f)	+ 0
#define U32(f)	+ 0
#define U64(f)	+ 0
#define ID(f)	+ 0
#define STR(f)	+ 0
#define SECRET(f) + 1
#define BLOB(f)	+ 0
static const struct row rows[MSG__COUNT] = {
#define MSG(name, from, to, carries, fields)				\
	[MSG_##name] = { #name, from, to, CARRIES_##carries, 0 fields,	\
	    put_##name, get_##name, print_##name },
#include "bus/messages.def"
#undef MSG
};
#undef U8
#undef U16
#undef U32
#undef U64
#undef ID
#undef STR
#undef SECRET
#undef BLOB

const char *
msg_name(unsigned type)
{
	return type < MSG__COUNT ? rows[type].name : "unknown";
}

enum msg_carries
msg_carries(unsigned type)
{
	return type < MSG__COUNT ? rows[type].carries : CARRIES_NOTHING;
}

bool
msg_has_secret(unsigned type)
{
	return type < MSG__COUNT && rows[type].secret_cnt > 0;
}

/* Relays that a proxy cannot pass a mail on to as it comes. */
#define KEPT_FROM_PROXY	(RELAYS & ~RELAY)

/* Control stands between a tool and all others: rows name both sides of it. */
static bool
has_link(enum role from, enum role to)
{
	return (from != ROLE_TOOL || to == ROLE_CONTROL) &&
	    (to != ROLE_TOOL || from == ROLE_CONTROL) &&
	    (from != ROLE_PROXY || !(KEPT_FROM_PROXY & (1u << to))) &&
	    (to != ROLE_PROXY || !(KEPT_FROM_PROXY & (1u << from)));
}

bool
msg_allowed(unsigned type, enum role from, enum role to)
{
	return type < MSG__COUNT && from < ROLE__COUNT && to < ROLE__COUNT &&
	    (rows[type].from & (1u << from)) &&
	    (rows[type].to & (1u << to)) && has_link(from, to);
}

void
msg_put(struct wire_out *w, unsigned type, const void *m)
{
	rows[type].put(w, m);
}

enum err
msg_get(const void *bytes, size_t len, unsigned type, union msg *m)
{
	struct wire_in r = { bytes, (const uint8_t *)bytes + len, false };

	if (type >= MSG__COUNT)
		return ERR_PEER;
	rows[type].get(&r, m);
	return wire_done(&r) ? OK : ERR_PEER;
}

void
msg_print(char *buf, size_t cap, unsigned type, const union msg *m)
{
	FILE *f = fmemopen(buf, cap, "w");

	buf[0] = '\0';
	if (f == NULL)
		return;
	fputs(msg_name(type), f);
	if (type < MSG__COUNT)
		rows[type].print(f, m);
	fclose(f);
	buf[cap - 1] = '\0';
}

static const char *
word_of(const char *const *words, unsigned cnt, unsigned i)
{
	return i < cnt ? words[i] : "unknown";
}

const char *
outcome_class_name(unsigned i)
{
	static const char *const words[] = { "done", "later", "never" };

	return word_of(words, CLASS__COUNT, i);
}

const char *
outcome_scope_name(unsigned i)
{
	static const char *const words[] = {
		"recipient", "message", "host", "destination", "ours"
	};

	return word_of(words, SCOPE__COUNT, i);
}

const char *
stage_name(unsigned i)
{
	static const char *const words[] = {
		"lookup", "connect", "greeting", "ehlo", "mail", "rcpt",
		"data", "body", "store"
	};

	return word_of(words, STAGE__COUNT, i);
}
