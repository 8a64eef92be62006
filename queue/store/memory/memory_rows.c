/* memory_rows.c - tables of rows, keys whose order is the one we want. */
#include <stdlib.h>
#include <string.h>

#include "queue/store/memory/memory.h"

#define ROW_OVERHEAD	16	/* bytes that the allocator adds, about	*/
#define PLACE_LEN	28	/* due, id and no, at the end of a key	*/

static int
cmp_row(struct memory_row *a, struct memory_row *b)
{
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int c = memcmp(a->b, b->b, len);

	return c != 0 ? c : (a->key_len > b->key_len) -
	    (a->key_len < b->key_len);
}

#define LOCAL	__attribute__((unused)) static
RB_GENERATE_INTERNAL(memory_tree, memory_row, by_key, cmp_row, LOCAL)

static void
add_number(struct memory_key *k, uint64_t n, size_t len)
{
	for (size_t i = len; i > 0; i--)
		k->b[k->len++] = (uint8_t)(n >> (8 * (i - 1)));
}

static uint64_t
number_at(const uint8_t *b, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = n << 8 | b[i];
	return n;
}

static void
add_id(struct memory_key *k, struct id id)
{
	memcpy(k->b + k->len, id.b, sizeof(id.b));
	k->len += sizeof(id.b);
}

void
memory_key_id(struct memory_key *k, struct id id)
{
	k->len = 0;
	add_id(k, id);
}

void
memory_key_no(struct memory_key *k, struct id id, uint32_t no)
{
	memory_key_id(k, id);
	add_number(k, no, sizeof(no));
}

void
memory_key_due(struct memory_key *k, struct span flow,
    const struct store_place *p)
{
	memcpy(k->b, flow.ptr, flow.len);
	k->len = flow.len;
	add_number(k, (uint64_t)p->due_ms, sizeof(p->due_ms));
	add_id(k, p->id);
	add_number(k, p->no, sizeof(p->no));
}

void
memory_key_piece(struct memory_key *k, struct id id, enum part part,
    uint32_t piece_no)
{
	memory_key_id(k, id);
	k->b[k->len++] = (uint8_t)part;
	add_number(k, piece_no, sizeof(piece_no));
}

void
memory_key_discard(struct memory_key *k, int64_t now_ms, struct id id,
    uint32_t no)
{
	k->len = 0;
	add_number(k, (uint64_t)now_ms, sizeof(now_ms));
	add_id(k, id);
	k->b[k->len++] = 0;
	add_number(k, no, sizeof(no));
}

struct id
memory_row_id(const struct memory_row *row)
{
	struct id id;

	memcpy(id.b, row->b, sizeof(id.b));
	return id;
}

uint32_t
memory_row_no(const struct memory_row *row)
{
	return (uint32_t)number_at(row->b + sizeof(struct id), 4);
}

struct span
memory_row_flow(const struct memory_row *row)
{
	return (struct span){ (const char *)row->b,
	    row->key_len - PLACE_LEN };
}

struct store_place
memory_row_place(const struct memory_row *row)
{
	const uint8_t *at = row->b + row->key_len - PLACE_LEN;
	struct store_place p = { .due_ms = (int64_t)number_at(at, 8) };

	memcpy(p.id.b, at + 8, sizeof(p.id.b));
	p.no = (uint32_t)number_at(at + 24, 4);
	return p;
}

struct span
memory_row_bytes(const struct memory_row *row)
{
	return (struct span){ (const char *)row->b + row->key_len, row->len };
}

static size_t
size_of(const struct memory_row *row)
{
	return sizeof(*row) + row->key_len + row->len + ROW_OVERHEAD;
}

/* What is looked for, in the form of a row. */
struct probe {
	_Alignas(struct memory_row) uint8_t
	    b[sizeof(struct memory_row) + MEMORY_KEY_MAX];
};

static struct memory_row *
as_row(struct probe *p, const struct memory_key *k)
{
	struct memory_row *row = (struct memory_row *)p->b;

	row->key_len = (uint32_t)k->len;
	memcpy(row->b, k->b, k->len);
	return row;
}

struct memory_row *
memory_get(struct memory *m, enum memory_table t, const struct memory_key *k)
{
	struct probe p;

	return RB_FIND(memory_tree, &m->tables[t], as_row(&p, k));
}

struct memory_row *
memory_seek(struct memory *m, enum memory_table t, const struct memory_key *k)
{
	struct probe p;

	return RB_NFIND(memory_tree, &m->tables[t], as_row(&p, k));
}

struct memory_row *
memory_next(struct memory_row *row)
{
	return RB_NEXT(memory_tree, NULL, row);
}

struct memory_row *
memory_before(struct memory *m, enum memory_table t, struct memory_row *row)
{
	return row == NULL ? RB_MAX(memory_tree, &m->tables[t]) :
	    RB_PREV(memory_tree, NULL, row);
}

struct memory_row *
memory_first_of(struct memory *m, enum memory_table t, struct id id)
{
	struct memory_row *row;
	struct memory_key k;

	memory_key_id(&k, id);
	row = memory_seek(m, t, &k);
	return row != NULL && id_cmp(memory_row_id(row), id) == 0 ? row : NULL;
}

struct memory_row *
memory_next_of(struct memory_row *row)
{
	struct memory_row *next = memory_next(row);

	return next != NULL && id_cmp(memory_row_id(next),
	    memory_row_id(row)) == 0 ? next : NULL;
}

static uint64_t *
sum_of(struct memory *m, enum memory_table t)
{
	return t >= MEMORY_HISTORY ? &m->story_bytes : &m->bytes;
}

static void
take_out(struct memory *m, enum memory_table t, struct memory_row *row)
{
	RB_REMOVE(memory_tree, &m->tables[t], row);
	*sum_of(m, t) -= size_of(row);
	m->cnt[t]--;
	free(row);
}

bool
memory_put(struct memory *m, enum memory_table t, const struct memory_key *k,
    struct span bytes)
{
	struct memory_row *row = malloc(sizeof(*row) + k->len + bytes.len);
	struct memory_row *old;

	if (row == NULL) {
		m->is_out = true;
		return false;
	}
	row->key_len = (uint32_t)k->len;
	row->len = (uint32_t)bytes.len;
	memcpy(row->b, k->b, k->len);
	if (bytes.len > 0)
		memcpy(row->b + k->len, bytes.ptr, bytes.len);
	if ((old = RB_FIND(memory_tree, &m->tables[t], row)) != NULL)
		take_out(m, t, old);
	RB_INSERT(memory_tree, &m->tables[t], row);
	*sum_of(m, t) += size_of(row);
	m->cnt[t]++;
	return true;
}

void
memory_del(struct memory *m, enum memory_table t, const struct memory_key *k)
{
	struct memory_row *row = memory_get(m, t, k);

	if (row != NULL)
		take_out(m, t, row);
}

void
memory_del_all_of(struct memory *m, enum memory_table t, struct id id)
{
	struct memory_row *row;

	while ((row = memory_first_of(m, t, id)) != NULL)
		take_out(m, t, row);
}

void
memory_clear(struct memory *m)
{
	struct memory_row *row;

	for (int t = 0; t < MEMORY__COUNT; t++)
		while ((row = RB_ROOT(&m->tables[t])) != NULL)
			take_out(m, (enum memory_table)t, row);
}

/* We wrote it: it is whole. */
void
memory_read(const struct memory_row *row, enum record_kind kind,
    union record *out)
{
	if (record_get(memory_row_bytes(row), kind, out) != OK)
		abort();
}

bool
memory_put_record(struct memory *m, enum memory_table t,
    const struct memory_key *k, enum record_kind kind, const void *rec)
{
	uint8_t buf[RECORD_MAX];
	size_t len = record_put(buf, kind, rec);

	return len > 0 && memory_put(m, t, k, (struct span){ (char *)buf,
	    len });
}

struct span
memory_keep(char **at, struct span s)
{
	struct span kept = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

#define U8(f)
#define U16(f)
#define U32(f)
#define U64(f)
#define STR(f)	m->f = memory_keep(at, m->f);
#define SINCE(v, fields)	fields
#define RECORD(name, version, fields)					\
static void								\
keep_##name(union record *r, char **at)					\
{									\
	struct record_##name *m = &r->name;				\
	(void)m;							\
	fields								\
}
#include "queue/store/records.def"
#undef RECORD
#undef U8
#undef U16
#undef U32
#undef U64
#undef STR
#undef SINCE

void
memory_keep_record(enum record_kind kind, union record *r, char **at)
{
	static void (*const keepers[RECORD__COUNT])(union record *, char **) = {
#define RECORD(name, version, fields)	[RECORD_##name] = keep_##name,
#include "queue/store/records.def"
#undef RECORD
	};

	keepers[kind](r, at);
}
