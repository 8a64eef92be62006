/*
 * store_report.c - what senders are to be told lies in table report from the
 * transaction that decided it to the one that keeps the bounce, so it is told
 * once, whatever dies between.  A row that is damaged is told of too, without
 * what was in it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/store/engine_rows.h"
#include "queue/store/lmdb/store_inside.h"

#define BYTES_MAX	(1u << 20)	/* of strings in one report	*/

int
store_report_has(struct store *st, MDB_txn *txn, struct id id, bool *out)
{
	return store_rows_have(&st->env, txn, TABLE_REPORT, id, out);
}

int
store_report_del_all(struct store *st, MDB_txn *txn, struct id id)
{
	struct store_rows w;
	int rc = store_rows_open(&st->env, txn, TABLE_REPORT, id, 0, &w);

	if (rc != 0)
		return rc;
	while ((rc = store_rows_next(&w)) == 0 &&
	    (rc = store_rows_del(&w)) == 0)
		;
	store_rows_close(&w);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* A later word about a recipient takes the place of the one before. */
int
store_report_put(struct store *st, MDB_txn *txn, struct id id, int64_t now_ms,
    const struct store_change *c)
{
	struct record_report r = engine_rows_report(c, now_ms);
	struct store_key k;

	store_table_key_no(&k, id, c->rcpt_no);
	if (c->report != REPORT_NONE)
		return store_table_put_record(&st->env, txn, TABLE_REPORT, &k,
		    RECORD_report, &r);
	if (c->class == CLASS_LATER)
		return 0;
	return store_table_del(&st->env, txn, TABLE_REPORT, &k);
}

/* Is the row still the one that was read? */
static bool
is_same(MDB_val val, const struct report_row *row)
{
	union record r;

	if (record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_report, &r) != OK)
		return row->is_lost;
	return !row->is_lost && r.report.at_ms == row->rec.at_ms &&
	    r.report.action == row->rec.action;
}

/* Those that are still what was told; ERR_STALE when none is. */
static int
del_rows(struct store *st, MDB_txn *txn, struct store_report *s)
{
	uint32_t cnt = 0;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < s->rows->cnt; i++) {
		struct store_key k;
		MDB_val val;

		store_table_key_no(&k, s->id, s->rows->rows[i].no);
		rc = store_find_row(&st->env, txn, TABLE_REPORT, &k, &val);
		if (rc == 0 && is_same(val, &s->rows->rows[i])) {
			rc = store_find_del(&st->env, txn, TABLE_REPORT, &k);
			cnt++;
		} else if (rc == MDB_NOTFOUND)
			rc = 0;
	}
	if (rc == 0 && cnt == 0 && s->rows->cnt > 0)
		s->op.err = ERR_STALE;
	return rc;
}

/* Text of a damaged one may stand under other numbers than it must. */
static int
sweep_rest(struct store *st, MDB_txn *txn, struct id id)
{
	static const enum table texts[] = {
		TABLE_HEADER, TABLE_BODY, TABLE_CRC,
	};
	bool has = false;
	int rc = 0;

	for (size_t i = 0; rc == 0 && !has &&
	    i < sizeof(texts) / sizeof(texts[0]); i++)
		rc = store_rows_have(&st->env, txn, texts[i], id, &has);
	return rc != 0 || !has ? rc : store_sweep_later(st, txn, id);
}

/* A message that only waited to be told of is gone with its last report. */
static int
end_message(struct store *st, MDB_txn *txn, struct store_report *s,
    const struct record_message *m)
{
	uint64_t header_len = m->header_len, body_len = m->body_len;
	uint32_t delivery_cnt = m->delivery_cnt;
	int rc = store_report_has(st, txn, s->id, &s->has_more);

	if (rc != 0 || s->has_more || delivery_cnt > 0)
		return rc;
	s->removed = true;
	rc = store_row_del_message(st, txn, s->id, header_len, body_len);
	return rc != 0 ? rc : sweep_rest(st, txn, s->id);
}

/* What there was to tell outlives the message, whose sender is not known. */
static int
discard_row(struct store *st, MDB_txn *txn, const struct store_report *s,
    MDB_val key, MDB_val val)
{
	struct store_discard d = { .rcpt_no = store_table_no(key), .rec = {
		.why = SPAN("its message was lost by damage, and its sender "
		    "with it") } };
	uint8_t copy[RECORD_MAX];
	union record r;
	size_t len = val.mv_size < sizeof(copy) ? val.mv_size : sizeof(copy);

	memcpy(copy, val.mv_data, len);	/* the map's is good until a change */
	if (record_get((struct span){ (char *)copy, len }, RECORD_report,
	    &r) == OK) {
		d.rec.code = r.report.code;
		d.rec.address = r.report.address;
		d.rec.reply = r.report.reply;
	}
	return store_discard_put(st, txn, s->id, s->now_ms, &d, 1);
}

/* Where a message is removed its rows are too: these are left by damage. */
static int
discard_all(struct store *st, MDB_txn *txn, struct store_report *s)
{
	struct store_rows w;
	int rc = store_rows_open(&st->env, txn, TABLE_REPORT, s->id, 0, &w);

	if (rc != 0)
		return rc;
	while ((rc = store_rows_next(&w)) == 0 &&
	    (rc = discard_row(st, txn, s, w.key, w.val)) == 0)
		s->lost_cnt++;
	store_rows_close(&w);
	return rc == MDB_NOTFOUND ? store_report_del_all(st, txn, s->id) : rc;
}

static int
put_bounced(struct store *st, MDB_txn *txn, const struct store_report *s)
{
	char text[ID_TEXT_LEN + 1];
	struct record_history h = engine_rows_bounced(s->bounce->mail->id,
	    text);

	return store_story_put(st, txn, s->id, EVENT_BOUNCED, 0, &h);
}

int
store_apply_report(struct store *st, MDB_txn *txn, struct store_report *s)
{
	struct record_message m;
	struct store_key k;
	union record r;
	int rc;

	s->removed = false;
	s->has_more = false;
	s->lost_cnt = 0;
	store_table_key_id(&k, s->id);
	rc = store_row_get(st, txn, TABLE_MESSAGE, &k, &r, &s->op.err);
	if (rc != 0)
		return rc;
	if (s->op.err == ERR_NONE)
		return discard_all(st, txn, s);
	if (s->op.err != OK)
		return 0;
	m = r.message;
	if ((rc = del_rows(st, txn, s)) != 0)
		return rc;
	if (s->op.err == ERR_STALE)
		return store_report_has(st, txn, s->id, &s->has_more);
	if ((rc = end_message(st, txn, s, &m)) != 0)
		return rc;
	if (s->bounce != NULL && ((rc = store_apply_accept(st, txn,
	    s->bounce)) != 0 || (rc = put_bounced(st, txn, s)) != 0))
		return rc;
	return store_discard_put(st, txn, s->id, s->now_ms,
	    s->discards, s->discard_cnt);
}

static size_t
report_len(const struct record_report *r)
{
	return r->address.len + r->orcpt.len + r->reply.len + r->hop.len +
	    r->owner.len;
}

static struct span
keep(char **at, struct span s)
{
	struct span kept = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

static void
keep_row(struct report_row *row, const union record *r, char **at)
{
	if (row->is_lost) {
		row->rec = (struct record_report){ .action = REPORT_FAILED };
		return;
	}
	row->rec = r->report;
	row->rec.address = keep(at, r->report.address);
	row->rec.orcpt = keep(at, r->report.orcpt);
	row->rec.reply = keep(at, r->report.reply);
	row->rec.hop = keep(at, r->report.hop);
	row->rec.owner = keep(at, r->report.owner);
}

/* Walk the rows: to count them and their bytes, then to keep them. */
static int
walk(struct store *st, MDB_txn *txn, struct id id, struct report_rows *rows,
    char *at, uint32_t *cnt, size_t *bytes)
{
	struct store_rows w;
	int rc = store_rows_open(&st->env, txn, TABLE_REPORT, id, 0, &w);

	if (rc != 0)
		return rc;
	*cnt = 0;
	*bytes = 0;
	while (*cnt < STORE_REPORT_MAX && *bytes < BYTES_MAX &&
	    (rc = store_rows_next(&w)) == 0) {
		struct report_row row = { .no = store_table_no(w.key) };
		union record r;

		row.is_lost = record_get((struct span){ w.val.mv_data,
		    w.val.mv_size }, RECORD_report, &r) != OK;
		if (!row.is_lost)
			*bytes += report_len(&r.report);
		if (rows != NULL) {
			keep_row(&row, &r, &at);
			rows->rows[*cnt] = row;
		}
		(*cnt)++;
	}
	store_rows_close(&w);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

enum err
store_report_read(struct store *st, MDB_txn *txn, struct store_read_report *r)
{
	struct report_rows *rows;
	struct store_key k;
	union record m;
	MDB_val val;
	uint32_t cnt;
	size_t bytes;
	char *at;
	int rc;

	r->rows = NULL;
	store_table_key_id(&k, r->id);
	rc = store_find_row(&st->env, txn, TABLE_MESSAGE, &k, &val);
	if (rc != 0)
		return store_table_err(rc);
	if (record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_message, &m) != OK) {
		store_set_aside(st, TABLE_MESSAGE, &k, ASIDE_DAMAGED);
		return ERR_PEER;
	}
	if ((rc = walk(st, txn, r->id, NULL, NULL, &cnt, &bytes)) != 0)
		return store_table_err(rc);
	bytes += sizeof(*rows) + cnt * sizeof(rows->rows[0]) +
	    m.message.sender.len + m.message.envid.len;
	if ((rows = malloc(bytes)) == NULL)
		return ERR_SYS;
	rows->cnt = cnt;
	rows->message = (struct record_message){
		.flags = m.message.flags, .arrived_ms = m.message.arrived_ms,
		.header_len = m.message.header_len,
		.body_len = m.message.body_len, .ret = m.message.ret,
		.delivery_cnt = m.message.delivery_cnt,
	};
	at = (char *)(rows->rows + cnt);
	rows->message.sender = keep(&at, m.message.sender);
	rows->message.envid = keep(&at, m.message.envid);
	r->rows = rows;
	return store_table_err(walk(st, txn, r->id, rows, at, &cnt, &bytes));
}

/* A key just behind all rows of this message. */
static void
put_behind(struct store_key *k, struct id id)
{
	store_table_key_no(k, id, UINT32_MAX);
	k->b[k->len++] = 0;
}

/*
 * From message to message: one seek each, whatever it has.  A key that a bit
 * has put too high is given like any other, but not gone on behind.
 */
int
store_report_list(struct store *st, MDB_txn *txn, struct store_read_reports *r)
{
	struct store_key behind;
	MDB_cursor *c;
	MDB_val key, val;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_REPORT], &c);

	if (rc != 0)
		return rc;
	put_behind(&behind, r->after);
	r->cnt = 0;
	rc = store_table_seek(c, &behind, &key, &val);
	while (rc == 0 && r->cnt < STORE_REPORTS_MAX) {
		struct id id;

		if (key.mv_size < sizeof(id.b) || store_table_cmp(key,
		    behind.b, behind.len) <= 0) {
			rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
			continue;
		}
		memcpy(id.b, key.mv_data, sizeof(id.b));
		r->ids[r->cnt++] = id;
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
		if (rc == 0 && memcmp(key.mv_data, id.b, key.mv_size <
		    sizeof(id.b) ? key.mv_size : sizeof(id.b)) < 0)
			continue;
		r->after = id;
		put_behind(&behind, id);
		rc = store_table_seek(c, &behind, &key, &val);
	}
	mdb_cursor_close(c);
	r->at_end = rc == MDB_NOTFOUND;
	return r->at_end ? 0 : rc;
}
