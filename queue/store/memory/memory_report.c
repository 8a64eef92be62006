/*
 * memory_report.c - what senders are to be told, and what nobody can be told:
 * the first thousand of those have a row, and all are counted.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/store/engine_rows.h"
#include "queue/store/memory/memory.h"

#define BYTES_MAX	(1u << 20)	/* of rows in one report	*/

/* A later word about a recipient takes the place of the one before. */
void
memory_put_report(struct memory *m, struct id id, int64_t now_ms,
    const struct store_change *c)
{
	struct record_report r = engine_rows_report(c, now_ms);
	struct memory_key k;

	memory_key_no(&k, id, c->rcpt_no);
	if (c->report != REPORT_NONE)
		(void)memory_put_record(m, MEMORY_REPORT, &k, RECORD_report,
		    &r);
	else if (c->class != CLASS_LATER)
		memory_del(m, MEMORY_REPORT, &k);
}

void
memory_put_discards(struct memory *m, struct id id, int64_t now_ms,
    const struct store_discard *d, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++) {
		struct memory_key k;

		if (m->cnt[MEMORY_DISCARD] >= STORE_DISCARDS_MAX)
			break;
		memory_key_discard(&k, now_ms, id, d[i].rcpt_no);
		(void)memory_put_record(m, MEMORY_DISCARD, &k, RECORD_discard,
		    &d[i].rec);
	}
	m->discarded += cnt;
}

/* Is it still as it was read? */
static bool
is_same(struct memory *m, const struct memory_key *k,
    const struct report_row *as)
{
	struct memory_row *row = memory_get(m, MEMORY_REPORT, k);
	union record r;

	if (row == NULL)
		return false;
	memory_read(row, RECORD_report, &r);
	return r.report.at_ms == as->rec.at_ms &&
	    r.report.action == as->rec.action;
}

static bool
has_row(struct memory *m, const struct store_report *s)
{
	struct memory_key k;

	for (uint32_t i = 0; i < s->rows->cnt; i++) {
		memory_key_no(&k, s->id, s->rows->rows[i].no);
		if (is_same(m, &k, &s->rows->rows[i]))
			return true;
	}
	return s->rows->cnt == 0;
}

/* Rows that are still those that were read. */
static void
del_rows(struct memory *m, const struct store_report *s)
{
	struct memory_key k;

	for (uint32_t i = 0; i < s->rows->cnt; i++) {
		memory_key_no(&k, s->id, s->rows->rows[i].no);
		if (is_same(m, &k, &s->rows->rows[i]))
			memory_del(m, MEMORY_REPORT, &k);
	}
}

enum err
memory_report(struct memory *m, struct store_report *s)
{
	struct memory_row *row;
	struct memory_key k;
	union record r;
	struct record_history h;
	char text[ID_TEXT_LEN + 1];
	enum err e;

	s->removed = s->has_more = false;
	s->lost_cnt = 0;
	memory_key_id(&k, s->id);
	if ((row = memory_get(m, MEMORY_MESSAGE, &k)) == NULL)
		return ERR_NONE;
	memory_read(row, RECORD_message, &r);
	if (!has_row(m, s)) {
		s->has_more = memory_first_of(m, MEMORY_REPORT, s->id) != NULL;
		return ERR_STALE;
	}
	if (s->bounce != NULL) {
		if ((e = memory_accept(m, s->bounce)) != OK)
			return e;
		h = engine_rows_bounced(s->bounce->mail->id, text);
		memory_story_put(m, s->id, EVENT_BOUNCED, 0, &h);
	}
	del_rows(m, s);
	s->has_more = memory_first_of(m, MEMORY_REPORT, s->id) != NULL;
	s->removed = !s->has_more && r.message.delivery_cnt == 0;
	if (s->removed)
		memory_del_message(m, s->id);
	memory_put_discards(m, s->id, s->now_ms, s->discards,
	    s->discard_cnt);
	return OK;
}

/* None of its rows is left. */
static bool
is_digested(struct memory *m, const struct store_digest *d)
{
	for (uint32_t i = 0; i < d->rows->cnt; i++) {
		struct memory_key k = { .len = STORE_DISCARD_KEY };

		memcpy(k.b, d->rows->rows[i].key, k.len);
		if (memory_get(m, MEMORY_DISCARD, &k) != NULL)
			return false;
	}
	return d->rows->cnt > 0;
}

enum err
memory_digest(struct memory *m, struct store_digest *d)
{
	enum err e;

	if (is_digested(m, d))
		return ERR_STALE;
	if (d->message != NULL && (e = memory_accept(m, d->message)) != OK)
		return e;
	for (uint32_t i = 0; i < d->rows->cnt; i++) {
		struct memory_key k = { .len = STORE_DISCARD_KEY };

		memcpy(k.b, d->rows->rows[i].key, k.len);
		memory_del(m, MEMORY_DISCARD, &k);
	}
	m->discarded -= d->rows->all_cnt < m->discarded ? d->rows->all_cnt :
	    m->discarded;
	return OK;
}

static struct report_rows *
new_rows(const struct memory_row *message, uint32_t cnt, size_t bytes,
    char **at)
{
	struct report_rows *rows = malloc(sizeof(*rows) + cnt *
	    sizeof(rows->rows[0]) + message->len + bytes);
	union record r;

	if (rows == NULL)
		return NULL;
	*at = (char *)(rows->rows + cnt);
	memory_read(message, RECORD_message, &r);
	memory_keep_record(RECORD_message, &r, at);
	rows->message = r.message;
	rows->cnt = 0;
	return rows;
}

enum err
memory_list_report(struct memory *m, struct store_read_report *r)
{
	struct memory_row *message, *row;
	struct memory_key k;
	uint32_t cnt = 0;
	size_t bytes = 0;
	char *at;

	r->rows = NULL;
	memory_key_id(&k, r->id);
	if ((message = memory_get(m, MEMORY_MESSAGE, &k)) == NULL)
		return ERR_NONE;
	for (row = memory_first_of(m, MEMORY_REPORT, r->id); row != NULL &&
	    cnt < STORE_REPORT_MAX && bytes < BYTES_MAX;
	    row = memory_next_of(row), cnt++)
		bytes += row->len;
	if ((r->rows = new_rows(message, cnt, bytes, &at)) == NULL)
		return ERR_SYS;
	row = memory_first_of(m, MEMORY_REPORT, r->id);
	for (; r->rows->cnt < cnt; row = memory_next_of(row)) {
		struct report_row *out = &r->rows->rows[r->rows->cnt++];
		union record rec;

		memory_read(row, RECORD_report, &rec);
		memory_keep_record(RECORD_report, &rec, &at);
		*out = (struct report_row){ .no = memory_row_no(row),
		    .rec = rec.report };
	}
	return OK;
}

void
memory_list_reports(struct memory *m, struct store_read_reports *r)
{
	struct memory_row *row;
	struct memory_key k;

	r->cnt = 0;
	memory_key_no(&k, r->after, UINT32_MAX);
	row = memory_seek(m, MEMORY_REPORT, &k);
	while (row != NULL && r->cnt < STORE_REPORTS_MAX) {
		struct id id = memory_row_id(row);

		if (id_cmp(id, r->after) != 0)
			r->ids[r->cnt++] = id;
		r->after = id;
		memory_key_no(&k, id, UINT32_MAX);
		row = memory_seek(m, MEMORY_REPORT, &k);
		if (row != NULL && id_cmp(memory_row_id(row), id) == 0)
			row = memory_next(row);
	}
	r->at_end = row == NULL;
}

enum err
memory_list_discards(struct memory *m, struct store_read_discards *r)
{
	size_t head = sizeof(*r->rows) + r->row_max * sizeof(r->rows->rows[0]);
	size_t text_max = r->row_max < STORE_DISCARDS_READ ? r->row_max :
	    STORE_DISCARDS_READ;
	struct discard_rows *rows = malloc(head + text_max * RECORD_MAX);
	struct memory_key none = { .len = 0 };
	struct memory_row *row = memory_seek(m, MEMORY_DISCARD, &none);
	char *at = (char *)rows + head;

	if ((r->rows = rows) == NULL)
		return ERR_SYS;
	*rows = (struct discard_rows){ .all_cnt = m->discarded };
	for (; row != NULL && rows->cnt < r->row_max;
	    row = memory_next(row)) {
		struct discard_row *out = &rows->rows[rows->cnt];
		uint64_t ms = 0;
		union record rec;

		memset(out, 0, sizeof(*out));
		memcpy(out->key, row->b, sizeof(out->key));
		for (size_t i = 0; i < sizeof(ms); i++)
			ms = ms << 8 | out->key[i];
		out->at_ms = (int64_t)ms;
		memcpy(out->id.b, out->key + sizeof(ms), sizeof(out->id.b));
		if (rows->cnt++ >= STORE_DISCARDS_READ)
			continue;
		memory_read(row, RECORD_discard, &rec);
		memory_keep_record(RECORD_discard, &rec, &at);
		out->rec = rec.discard;
		rows->text_cnt++;
	}
	return OK;
}
