/* judge.c - the counts that rows keep of each other are the proof. */
#include <stdlib.h>
#include <string.h>

#include "queue/salvage/judge.h"

/* What tells of a message; the last ones, of text that is nobody's. */
static const enum table sources[] = {
	TABLE_MESSAGE, TABLE_RECIPIENT, TABLE_DELIVERY, TABLE_REPORT,
	TABLE_CRC, TABLE_HEADER, TABLE_BODY,
};
#define ENVELOPES	4
#define SOURCES		(sizeof(sources) / sizeof(sources[0]))

static bool
step(struct id *id)
{
	for (size_t i = sizeof(id->b); i > 0; i--)
		if (++id->b[i - 1] != 0)
			return true;
	return false;
}

/* The lowest id of a table that is not below this one. */
static bool
lowest(const struct rows *r, enum table t, struct id from, struct id *out)
{
	const struct row *v;
	size_t cnt, low = 0, high;

	if ((v = rows_table(r, t, &cnt)) == NULL)
		return false;
	high = cnt;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (id_cmp(rows_id(&v[mid]), from) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == cnt)
		return false;
	*out = rows_id(&v[low]);
	return true;
}

static bool
is_loose(const struct rows *r, struct id id)
{
	size_t loose, messages;

	(void)rows_of(r, TABLE_LOOSE, id, &loose);
	(void)rows_of(r, TABLE_MESSAGE, id, &messages);
	return loose > 0 && messages == 0;
}

/* Text that is found outside of the trees, and no envelope, is of long ago. */
static bool
is_old(const struct rows *r, struct id id)
{
	for (size_t i = 0; i < SOURCES; i++) {
		size_t cnt;
		const struct row *row = rows_of(r, sources[i], id, &cnt);

		if (cnt > 0 && i < ENVELOPES)
			return false;
		for (size_t k = 0; k < cnt; k++)
			if (row[k].origin == ROWS_LIVE)
				return false;
	}
	return true;
}

bool
judge_next(const struct rows *r, struct id *id)
{
	for (;;) {
		struct id found, best;
		bool any = false;

		for (size_t i = 0; i < SOURCES; i++)
			if (lowest(r, sources[i], *id, &found) &&
			    (!any || id_cmp(found, best) < 0)) {
				best = found;
				any = true;
			}
		if (!any)
			return false;
		*id = best;
		if (!is_loose(r, *id) && !is_old(r, *id))
			return true;
		if (!step(id))
			return false;
	}
}

/* Read a row's record; what is wrong with it becomes a fault. */
static bool
get(struct verdict *v, const struct row *row, enum record_kind kind,
    union record *out, enum judge_fault fault)
{
	if (!row->is_bad && record_get(rows_value(row), kind, out) == OK)
		return true;
	v->faults |= row->is_newer ? fault | JUDGE_NEWER : fault;
	return false;
}

static void
judge_head(const struct rows *r, struct verdict *v)
{
	union record rec;
	size_t cnt;

	v->row = rows_of(r, TABLE_MESSAGE, v->id, &cnt);
	if (v->row == NULL)
		v->faults |= JUDGE_MESSAGE;
	else if (get(v, v->row, RECORD_message, &rec, JUDGE_MESSAGE)) {
		v->has_message = true;
		v->message = rec.message;
	}
	if (v->row != NULL && v->row->origin == ROWS_DOUBTFUL)
		v->faults |= JUDGE_DOUBTFUL;
}

static void
judge_text(const struct rows *r, struct verdict *v)
{
	if (!v->has_message || !judge_is_whole(r, v))
		v->faults |= JUDGE_TEXT;
}

/* Relay, destination and tenant stand in a due row's key, a NUL behind each. */
static bool
from_due(const struct row *due, struct record_delivery *out)
{
	struct span key = rows_value(due);
	struct span flow = span_head(key, key.len - PLACE_LEN);
	struct store_place place;
	struct span *parts[] = {
		&out->relay, &out->destination, &out->tenant,
	};

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < 3; i++) {
		size_t len = span_find(flow, '\0');

		if (len == flow.len)
			return false;
		*parts[i] = span_head(flow, len);
		flow = span_tail(flow, len + 1);
	}
	store_table_place((MDB_val){ key.len, (void *)(uintptr_t)key.ptr },
	    &place);
	out->due_ms = (uint64_t)place.due_ms;
	return flow.len == 0;
}

/* b is as a row of due tells it. */
static bool
is_same(const struct record_delivery *a, const struct record_delivery *b)
{
	struct store_flow flow;

	return a->due_ms == b->due_ms && span_eq(a->relay, b->relay) &&
	    span_eq(a->destination, b->destination) &&
	    store_flow_name(&flow, a->relay, a->destination, a->tenant) &&
	    span_eq(store_flow_names(store_flow_span(&flow)).tenant,
	    b->tenant);
}

/*
 * The delivery as table due tells of it: the row that agrees with `want`, if
 * there is one, else any.  NULL: none.
 */
static const struct row *
row_of_due(const struct rows *r, struct id id, uint32_t no,
    const struct record_delivery *want, struct record_delivery *out)
{
	const struct row *row, *found = NULL;
	struct record_delivery d;
	size_t left;

	row = rows_numbered(r, TABLE_DUE, id, no, &left);
	for (; row != NULL && left > 0 && rows_no(row) == no; row++, left--) {
		if (row->is_misplaced || !from_due(row, &d))
			continue;
		*out = d;
		found = row;
		if (want == NULL || is_same(want, &d))
			break;
	}
	return found;
}

static void
judge_delivery(const struct rows *r, struct verdict *v,
    struct judge_delivery *d)
{
	const struct row *row = d->row;
	struct record_delivery other;
	union record rec;

	d->is_good = row != NULL && get(v, d->row, RECORD_delivery, &rec,
	    JUDGE_DELIVERY);
	if (d->is_good) {
		d->rec = rec.delivery;
		d->is_due = row_of_due(r, v->id, d->no, &d->rec, &other) !=
		    NULL && is_same(&d->rec, &other);
	} else if ((row = row_of_due(r, v->id, d->no, NULL, &other)) != NULL) {
		v->faults |= JUDGE_DELIVERY;
		d->rec = other;
		d->row = NULL;
		d->is_good = d->is_due = true;
	}
	d->is_doubtful = row != NULL && row->origin == ROWS_DOUBTFUL;
	if (!d->is_due)
		v->faults |= JUDGE_DUE;
}

static int
cmp_delivery(const void *x, const void *y)
{
	const struct judge_delivery *a = x, *b = y;

	if (a->no != b->no)
		return a->no < b->no ? -1 : 1;
	return (a->row == NULL) - (b->row == NULL);
}

static struct judge_delivery *
find_delivery(struct verdict *v, uint32_t no)
{
	size_t low = 0, high = v->delivery_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v->deliveries[mid].no < no)
			low = mid + 1;
		else
			high = mid;
	}
	return low < v->delivery_cnt && v->deliveries[low].no == no ?
	    &v->deliveries[low] : NULL;
}

/* Deliveries that have a row, and those that recipients say there are. */
static enum err
gather_deliveries(const struct rows *r, struct verdict *v)
{
	size_t cnt, all, kept = 0;
	const struct row *rows = rows_of(r, TABLE_DELIVERY, v->id, &cnt);
	struct judge_delivery *d;

	all = cnt + v->rcpt_cnt;
	if ((d = calloc(all + 1, sizeof(*d))) == NULL)
		return ERR_SYS;
	v->deliveries = d;
	for (size_t i = 0; i < cnt; i++)
		d[i] = (struct judge_delivery){
			.no = rows_no(&rows[i]), .row = &rows[i],
		};
	for (size_t i = 0; i < v->rcpt_cnt; i++)
		d[cnt + i].no = v->rcpts[i].delivery;
	qsort(d, all, sizeof(*d), cmp_delivery);
	for (size_t i = 0; i < all; i++)
		if (kept == 0 || d[kept - 1].no != d[i].no)
			d[kept++] = d[i];
	v->delivery_cnt = kept;
	for (size_t i = 0; i < v->rcpt_cnt; i++)
		find_delivery(v, v->rcpts[i].delivery)->rcpt_cnt++;
	for (size_t i = 0; i < kept; i++)
		if (d[i].row == NULL)
			v->faults |= JUDGE_DELIVERY;
	return OK;
}

static enum err
gather_rcpts(const struct rows *r, struct verdict *v)
{
	size_t cnt;
	const struct row *rows = rows_of(r, TABLE_RECIPIENT, v->id, &cnt);
	union record rec;

	if ((v->rcpts = calloc(cnt + 1, sizeof(*v->rcpts))) == NULL)
		return ERR_SYS;
	for (size_t i = 0; i < cnt; i++) {
		if (!get(v, &rows[i], RECORD_recipient, &rec, JUDGE_RCPT))
			continue;
		v->rcpts[v->rcpt_cnt++] = (struct judge_rcpt){
			.no = rows_no(&rows[i]), .row = &rows[i],
			.address = rec.recipient.address,
			.delivery = rec.recipient.delivery,
		};
	}
	return OK;
}

/* By its own count. */
static bool
has_excess(const struct judge_delivery *d)
{
	return d->row != NULL && d->is_good && d->rcpt_cnt > d->rec.rcpt_cnt;
}

/*
 * More recipients than a delivery has left: some are done with, and it is not
 * those that are surely of today.  Nobody gets a second copy where that is not
 * to be told.
 */
static void
drop_rcpts(struct verdict *v)
{
	for (size_t i = 0; i < v->delivery_cnt; i++)
		v->deliveries[i].has_excess = has_excess(&v->deliveries[i]);
	for (size_t i = 0; i < v->rcpt_cnt; i++) {
		struct judge_rcpt *rc = &v->rcpts[i];
		struct judge_delivery *d = find_delivery(v, rc->delivery);

		if (!d->has_excess || rc->row->origin != ROWS_DOUBTFUL)
			continue;
		rc->is_done = true;
		d->rcpt_cnt--;
	}
	for (size_t i = 0; i < v->delivery_cnt; i++)
		if (has_excess(&v->deliveries[i])) {
			v->deliveries[i].is_good = false;
			v->faults |= JUDGE_RCPT;
		}
}

/* The same of deliveries, of which the message counts those that are left. */
static void
drop_deliveries(struct verdict *v, bool just_doubtful)
{
	size_t cnt = 0;

	for (size_t i = 0; i < v->delivery_cnt; i++)
		cnt += v->deliveries[i].is_good;
	if (!v->has_message || cnt <= v->message.delivery_cnt)
		return;
	v->faults |= JUDGE_DELIVERY;
	for (size_t i = 0; i < v->delivery_cnt; i++)
		if (!just_doubtful || v->deliveries[i].is_doubtful)
			v->deliveries[i].is_good = false;
}

/*
 * A delivery told of by table due alone does not say how many it is for.  Where
 * the message has had more recipients than there are rows, some may be done
 * with, or gone without a trace: nobody can tell, so that is said.
 */
static bool
may_lack_rcpts(const struct verdict *v, const struct judge_delivery *d)
{
	return d->row == NULL && d->is_good && v->has_message &&
	    v->rcpt_cnt < v->message.rcpt_cnt;
}

static void
count_rcpts(struct verdict *v)
{
	drop_rcpts(v);
	for (size_t i = 0; i < v->delivery_cnt; i++) {
		struct judge_delivery *d = &v->deliveries[i];

		if (may_lack_rcpts(v, d))
			v->faults |= JUDGE_RCPT;
		if (d->row != NULL && d->is_good &&
		    d->rcpt_cnt != d->rec.rcpt_cnt) {
			v->faults |= JUDGE_RCPT;
			if (d->rcpt_cnt < d->rec.rcpt_cnt)
				v->rcpt_missing += d->rec.rcpt_cnt -
				    d->rcpt_cnt;
		}
		if (d->rcpt_cnt == 0)
			d->is_good = false;
	}
	if (v->has_message && v->delivery_cnt != v->message.delivery_cnt)
		v->faults |= JUDGE_DELIVERY;
	drop_deliveries(v, true);
	drop_deliveries(v, false);
	for (size_t i = 0; i < v->rcpt_cnt; i++) {
		struct judge_rcpt *rc = &v->rcpts[i];
		const struct judge_delivery *d;

		d = find_delivery(v, rc->delivery);
		rc->is_good = d != NULL && d->is_good && !rc->is_done;
	}
}

const struct row *
judge_report(const struct rows *r, struct id id, size_t *at)
{
	size_t cnt;
	const struct row *row = rows_of(r, TABLE_REPORT, id, &cnt);

	while (*at < cnt) {
		const struct row *found = &row[(*at)++];

		if (found->origin != ROWS_DOUBTFUL && !found->is_misplaced &&
		    found->value != NULL)
			return found;
	}
	return NULL;
}

static void
judge_reports(const struct rows *r, struct verdict *v)
{
	const struct row *row;
	union record rec;
	size_t at = 0;

	while ((row = judge_report(r, v->id, &at)) != NULL) {
		v->report_cnt++;
		(void)get(v, row, RECORD_report, &rec, JUDGE_REPORT);
	}
}

enum err
judge_message(const struct rows *r, struct id id, struct verdict *v)
{
	memset(v, 0, sizeof(*v));
	v->id = id;
	judge_head(r, v);
	judge_text(r, v);
	if (gather_rcpts(r, v) != OK || gather_deliveries(r, v) != OK) {
		judge_fini(v);
		return ERR_SYS;
	}
	for (size_t i = 0; i < v->delivery_cnt; i++)
		judge_delivery(r, v, &v->deliveries[i]);
	count_rcpts(v);
	judge_reports(r, v);
	return OK;
}

void
judge_fini(struct verdict *v)
{
	free(v->rcpts);
	free(v->deliveries);
	v->rcpts = NULL;
	v->deliveries = NULL;
}

bool
judge_can_go(const struct verdict *v)
{
	if ((v->faults & (JUDGE_MESSAGE | JUDGE_TEXT | JUDGE_DOUBTFUL)) != 0)
		return false;
	for (size_t i = 0; i < v->delivery_cnt; i++)
		if (v->deliveries[i].is_good)
			return true;
	return v->report_cnt > 0;
}

/*
 * A delivery made good from its due row lacks nothing, where all recipients are
 * there; one without does.
 */
bool
judge_is_lacking(const struct verdict *v)
{
	if (!judge_can_go(v) || v->rcpt_missing > 0 ||
	    (v->faults & (JUDGE_RCPT | JUDGE_REPORT)) != 0)
		return true;
	for (size_t i = 0; i < v->delivery_cnt; i++)
		if (!v->deliveries[i].is_good)
			return true;
	return v->delivery_cnt < v->message.delivery_cnt;
}

const char *
judge_why(enum judge_fault fault)
{
	switch (fault) {
	case JUDGE_MESSAGE:
		return "its envelope is missing or damaged";
	case JUDGE_TEXT:
		return "its text is not whole";
	case JUDGE_DELIVERY:
		return "a delivery is missing or damaged";
	case JUDGE_RCPT:
		return "a recipient is missing or damaged";
	case JUDGE_DUE:
		return "its row in the due index is wrong (the queue mends it)";
	case JUDGE_NEWER:
		return "it was written by a newer postern";
	case JUDGE_DOUBTFUL:
		return "it may have been delivered long ago";
	case JUDGE_REPORT:
		return "a report to its sender is damaged";
	case JUDGE__END:
		break;
	}
	return "";
}
