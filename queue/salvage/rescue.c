/*
 * rescue.c - rows go over as they are, so that what a newer or an older record
 * says is kept; only counts of what is missing are set right, and table due is
 * made from table delivery.  Transactions are bounded, and the last one writes
 * the sums.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "queue/salvage/carry.h"
#include "queue/salvage/leftover.h"
#include "queue/salvage/rescue.h"
#include "queue/salvage/say.h"

#define BATCH_ROWS	8192

struct rescue {
	const struct rows *rows;
	struct store_env env;
	MDB_txn		*txn;
	unsigned	 row_cnt;	/* in this transaction		*/
	uint64_t	 held;
	int		 files_fd;	/* NEWDIR/incomplete, or -1	*/
	int		 new_fd;	/* NEWDIR			*/
	const char	*new_dir;
	bool		 json;
	uint64_t	 saved, partly, left;
};

static int
turn(struct rescue *g, bool last)
{
	int rc;

	if (!last && ++g->row_cnt < BATCH_ROWS)
		return 0;
	g->row_cnt = 0;
	rc = mdb_txn_commit(g->txn);
	g->txn = NULL;
	if (rc != 0 || last)
		return rc;
	return mdb_txn_begin(g->env.env, NULL, 0, &g->txn);
}

static int
put(struct rescue *g, enum table t, const struct store_key *k, const void *p,
    size_t len)
{
	int rc = store_table_put(&g->env, g->txn, t, k, p, len);

	return rc != 0 ? rc : turn(g, false);
}

static int
put_record(struct rescue *g, enum table t, const struct store_key *k,
    enum record_kind kind, const void *rec)
{
	int rc = store_table_put_record(&g->env, g->txn, t, k, kind, rec);

	return rc != 0 ? rc : turn(g, false);
}

static int
copy(struct rescue *g, const struct row *row)
{
	struct store_key k = { .len = row->key_len };

	memcpy(k.b, row->key, row->key_len);
	return put(g, row->table, &k, row->value, row->value_len);
}

static int
copy_text(struct rescue *g, const struct verdict *v, enum table t,
    uint64_t len)
{
	int rc = 0;

	for (uint32_t no = 0; rc == 0 && len > 0; no++) {
		size_t want = len < CHUNK_MAX ? (size_t)len : CHUNK_MAX;
		struct span chunk = judge_chunk(g->rows, t, v->id, no, want);
		struct store_key k;

		store_table_key_no(&k, v->id, no);
		rc = put(g, t, &k, chunk.ptr, chunk.len);
		len -= want;
	}
	return rc;
}

/* Of further pieces: the queue compares, and holds what they do not fit. */
static int
copy_sums(struct rescue *g, const struct verdict *v)
{
	size_t cnt;
	const struct row *row = rows_of(g->rows, TABLE_CRC, v->id, &cnt);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < cnt; i++)
		if (!row[i].is_bad && !row[i].is_misplaced)
			rc = copy(g, &row[i]);
	return rc;
}

/* What its sender has not yet been told. */
static int
copy_reports(struct rescue *g, const struct verdict *v)
{
	const struct row *row;
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && (row = judge_report(g->rows, v->id, &at)) != NULL)
		rc = copy(g, row);
	return rc;
}

static int
put_delivery(struct rescue *g, const struct verdict *v,
    const struct judge_delivery *d)
{
	struct store_place place = { (int64_t)d->rec.due_ms, v->id, d->no };
	struct record_delivery rec = d->rec;
	struct store_flow flow;
	struct store_key k;
	int rc;

	if (!store_flow_name(&flow, rec.relay, rec.destination, rec.tenant))
		return EINVAL;
	if (place.due_ms < 0)
		place.due_ms = 0;
	store_table_key_no(&k, v->id, d->no);
	rec.rcpt_cnt = d->rcpt_cnt;
	if (d->row != NULL && rec.rcpt_cnt == d->rec.rcpt_cnt)
		rc = copy(g, d->row);
	else
		rc = put_record(g, TABLE_DELIVERY, &k, RECORD_delivery, &rec);
	if (rc != 0)
		return rc;
	g->held += place.due_ms == STORE_HELD_MS;
	store_table_key_due(&k, (struct span){ flow.name, flow.len }, &place);
	return put(g, TABLE_DUE, &k, "", 0);
}

static int
put_message(struct rescue *g, const struct verdict *v)
{
	struct record_message m = v->message;
	struct store_key k;
	uint32_t cnt = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->delivery_cnt; i++)
		if (v->deliveries[i].is_good) {
			rc = put_delivery(g, v, &v->deliveries[i]);
			cnt++;
		}
	for (size_t i = 0; rc == 0 && i < v->rcpt_cnt; i++)
		if (v->rcpts[i].is_good)
			rc = copy(g, v->rcpts[i].row);
	if (rc != 0 || (rc = copy_text(g, v, TABLE_HEADER,
	    m.header_len)) != 0 || (rc = copy_text(g, v, TABLE_BODY,
	    m.body_len)) != 0 || (rc = copy_sums(g, v)) != 0 ||
	    (rc = copy_reports(g, v)) != 0)
		return rc;
	if (cnt == m.delivery_cnt)
		return copy(g, v->row);
	m.delivery_cnt = cnt;
	store_table_key_id(&k, v->id);
	return put_record(g, TABLE_MESSAGE, &k, RECORD_message, &m);
}

/* The directory for what is incomplete, made when it is needed. */
static bool
want_files(struct rescue *g)
{
	if (g->files_fd != -1)
		return true;
	if (mkdirat(g->new_fd, "incomplete", 0700) == -1 && errno != EEXIST)
		return false;
	g->files_fd = openat(g->new_fd, "incomplete",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return g->files_fd != -1;
}

static int
keep_rest(struct rescue *g, const struct verdict *v, bool went)
{
	char id[ID_TEXT_LEN + 1], kept[PATH_MAX];

	if (!want_files(g) || leftover_write(g->files_fd, g->rows, v,
	    went) != OK)
		return errno != 0 ? errno : EIO;
	id_text(v->id, id);
	if (snprintf(kept, sizeof(kept), "%s/incomplete/%s.txt", g->new_dir,
	    id) >= (int)sizeof(kept))
		kept[0] = '\0';
	say_message(stdout, g->json, v, kept);
	return 0;
}

static int
save_message(struct rescue *g, const struct verdict *v)
{
	bool can_go = judge_can_go(v), is_lacking = judge_is_lacking(v);
	int rc = 0;

	if (can_go && (rc = put_message(g, v)) != 0)
		return rc;
	g->saved += can_go && !is_lacking;
	g->partly += can_go && is_lacking;
	g->left += !can_go;
	return is_lacking ? keep_rest(g, v, can_go) : 0;
}

static int
save_messages(struct rescue *g)
{
	struct id id = { { 0 } };
	struct verdict v;
	int rc = 0;

	while (rc == 0 && judge_next(g->rows, &id)) {
		if (judge_message(g->rows, id, &v) != OK)
			return ENOMEM;
		rc = save_message(g, &v);
		judge_fini(&v);
		for (size_t i = sizeof(id.b); i > 0; i--)
			if (++id.b[i - 1] != 0)
				break;
	}
	return rc;
}

/*
 * A suspension is of today, or mail would wait that shall not; but one whose
 * record is damaged still says by its key what must not go out.  Where nobody
 * knows what is of today all that are found are kept: mail that waits too long
 * is found, mail that went out is not got back.
 */
static bool
is_kept(const struct rescue *g, const struct row *row)
{
	if (row->is_misplaced || row->value == NULL)
		return false;
	if (row->table == TABLE_SUSPENSION)
		return row->origin != ROWS_DOUBTFUL || g->rows->is_searched;
	return !row->is_bad && (row->table == TABLE_HISTORY ||
	    row->table == TABLE_STORY || row->table == TABLE_LOOKUP ||
	    row->origin != ROWS_DOUBTFUL);
}

/*
 * What is no message's: its rows that are whole and of today.  History decides
 * nothing, and is of use to a person whatever its age.
 */
static int
save_table(struct rescue *g, enum table t)
{
	size_t cnt;
	const struct row *row = rows_table(g->rows, t, &cnt);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < cnt; i++)
		if (is_kept(g, &row[i]))
			rc = copy(g, &row[i]);
	return rc;
}

static int
save_tables(struct rescue *g)
{
	int rc = 0;

	for (enum table t = 0; rc == 0 && t < TABLE__COUNT; t++)
		if (carry_of(t) == CARRY_ALONE)
			rc = save_table(g, t);
	return rc;
}

/*
 * Sums are as they were, but of what is held: that was counted anew.  Where it
 * is lost up to which time history is gathered, all of it is again.
 */
static int
save_totals(struct rescue *g)
{
	struct record_total held = { .held = g->held }, none = { .held = 0 };
	struct store_key held_key = { .len = 4, .b = "held" };
	struct store_key gathered_key = { .len = 8, .b = "gathered" };
	size_t cnt;
	const struct row *row = rows_table(g->rows, TABLE_TOTAL, &cnt);
	int rc = put_record(g, TABLE_TOTAL, &gathered_key, RECORD_total,
	    &none);

	for (size_t i = 0; rc == 0 && i < cnt; i++)
		if (!row[i].is_bad && !row[i].is_misplaced &&
		    row[i].origin != ROWS_DOUBTFUL &&
		    !span_eq(rows_key(&row[i]), SPAN("held")))
			rc = copy(g, &row[i]);
	if (rc != 0 || g->held == 0)
		return rc;
	return put_record(g, TABLE_TOTAL, &held_key, RECORD_total, &held);
}

static int
save(struct rescue *g)
{
	int rc = mdb_txn_begin(g->env.env, NULL, 0, &g->txn);

	if (rc == 0 && (rc = save_messages(g)) == 0 &&
	    (rc = save_tables(g)) == 0 && (rc = save_totals(g)) == 0)
		rc = turn(g, true);
	if (g->txn != NULL)
		mdb_txn_abort(g->txn);
	return rc;
}

/* Who owned the old one owns the new one: the queue must be able to. */
static int
give_over(struct rescue *g, const struct image *im)
{
	static const char *const names[] = {
		".", "data.mdb", "lock.mdb", "incomplete",
	};
	struct stat sb;

	if (geteuid() != 0)
		return 0;
	if (fstat(im->fd, &sb) == -1)
		return errno;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (fchownat(g->new_fd, names[i], sb.st_uid, sb.st_gid,
		    AT_SYMLINK_NOFOLLOW) == -1 && errno != ENOENT)
			return errno;
	return 0;
}

static int
make(struct rescue *g, const struct image *im)
{
	int rc;

	if (mkdir(g->new_dir, 0700) == -1 ||
	    (g->new_fd = open(g->new_dir, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return errno;
	if ((rc = store_table_open(&g->env, g->new_dir)) != 0)
		return rc;
	if ((rc = save(g)) == 0)
		rc = give_over(g, im);
	store_table_close(&g->env);
	if (rc == 0 && (fsync(g->new_fd) == -1 ||
	    (g->files_fd != -1 && fsync(g->files_fd) == -1)))
		rc = errno;
	return rc;
}

static void
say_end(const struct rescue *g)
{
	struct json j = { .out = stdout };

	if (g->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "kind", SPAN("total"));
		json_number(&j, "saved", g->saved);
		json_number(&j, "partly", g->partly);
		json_number(&j, "left", g->left);
		json_close(&j, '}');
		return;
	}
	printf("%" PRIu64 " messages are whole in %s, %" PRIu64
	    " in part; %" PRIu64 " are not in it.\n", g->saved, g->new_dir,
	    g->partly, g->left);
	if (g->partly + g->left > 0)
		printf("What is missing is in %s/incomplete.\n", g->new_dir);
}

enum check_end
rescue_run(const char *dir, const char *new_dir, bool json)
{
	struct rescue g = {
		.files_fd = -1, .new_fd = -1, .new_dir = new_dir, .json = json,
	};
	struct image im;
	struct rows r;
	enum check_end end = check_read(dir, &im, &r);
	int rc;

	if (end != CHECK_WHOLE)
		return end;
	g.rows = &r;
	if ((rc = make(&g, &im)) != 0) {
		fprintf(stderr, "postern-salvage: %s: %s\n", new_dir,
		    rc > 0 ? strerror(rc) : mdb_strerror(rc));
		end = CHECK_CANNOT;
	} else {
		say_end(&g);
		end = g.partly + g.left > 0 ? CHECK_DAMAGED : CHECK_WHOLE;
	}
	if (g.files_fd != -1)
		close(g.files_fd);
	if (g.new_fd != -1)
		close(g.new_fd);
	rows_fini(&r);
	image_close(&im);
	return end;
}
