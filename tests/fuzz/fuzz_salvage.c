/*
 * fuzz_salvage - a data.mdb as a damaged disk, or an enemy, may leave it: any
 * bytes as a whole file; and a real store with bytes of it changed, which gets
 * past the first look.  Whatever it is, the walk ends, nothing is read outside
 * of it, and each message that is found is judged.
 * room: queue
 * room: queue/salvage
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/salvage/judge.h"

#define MESSAGES	60
#define EDIT_LEN	5	/* bytes: page, offset, a value		*/

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static uint8_t *base, *copy;
static size_t base_len;

static int
put_message(struct store_env *e, MDB_txn *txn, unsigned i)
{
	struct record_message m = {
		.header_len = 100, .body_len = 3 * CHUNK_MAX, .rcpt_cnt = 1,
		.delivery_cnt = 1, .sender = SPAN("a@example.org"),
	};
	struct record_recipient r = { .address = SPAN("b@example.net") };
	struct record_delivery d = {
		.rcpt_cnt = 1, .relay = SPAN("out"), .due_ms = i,
		.destination = SPAN("out"), .tenant = SPAN("t"),
	};
	struct id id = { { 1, (uint8_t)(i * 4) } };
	struct store_place place = { i, id, 0 };
	struct store_flow flow;
	struct store_key k;
	char text[CHUNK_MAX];
	int rc = 0;

	memset(text, 'x', sizeof(text));
	store_table_key_no(&k, id, 0);
	rc |= store_table_put(e, txn, TABLE_HEADER, &k, text, 100);
	rc |= store_table_put_record(e, txn, TABLE_RECIPIENT, &k,
	    RECORD_recipient, &r);
	rc |= store_table_put_record(e, txn, TABLE_DELIVERY, &k,
	    RECORD_delivery, &d);
	for (uint32_t no = 0; no < 3; no++) {
		store_table_key_no(&k, id, no);
		rc |= store_table_put(e, txn, TABLE_BODY, &k, text,
		    CHUNK_MAX);
	}
	store_table_key_id(&k, id);
	rc |= store_table_put_record(e, txn, TABLE_MESSAGE, &k,
	    RECORD_message, &m);
	if (!store_flow_name(&flow, d.relay, d.destination, d.tenant))
		abort();
	store_table_key_due(&k, (struct span){ flow.name, flow.len }, &place);
	return rc | store_table_put(e, txn, TABLE_DUE, &k, "", 0);
}

static void
make_base(void)
{
	char dir[] = "/tmp/postern-fuzz-XXXXXX", path[64];
	struct store_env e;
	MDB_txn *txn;
	FILE *f;

	if (mkdtemp(dir) == NULL || store_table_open(&e, dir) != 0)
		abort();
	for (unsigned i = 0; i < MESSAGES; i++)
		if (mdb_txn_begin(e.env, NULL, 0, &txn) != 0 ||
		    put_message(&e, txn, i) != 0 || mdb_txn_commit(txn) != 0)
			abort();
	store_table_close(&e);
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	if ((f = fopen(path, "r")) == NULL || fseek(f, 0, SEEK_END) != 0)
		abort();
	base_len = (size_t)ftell(f);
	rewind(f);
	base = malloc(base_len);
	copy = malloc(base_len);
	if (base == NULL || copy == NULL ||
	    fread(base, 1, base_len, f) != base_len)
		abort();
	fclose(f);
	unlink(path);
	snprintf(path, sizeof(path), "%s/lock.mdb", dir);
	unlink(path);
	rmdir(dir);
}

static void
look(const uint8_t *bytes, size_t len)
{
	struct id id = { { 0 } };
	struct image im;
	struct rows r;
	size_t cnt = 0;

	if (!image_take(&im, bytes, len))
		return;
	(void)catalogue_look(&im);
	(void)rows_read(&r, &im);
	while (judge_next(&r, &id)) {
		struct verdict v;

		if (cnt++ > r.cnt)
			abort();
		if (judge_message(&r, id, &v) == OK)
			judge_fini(&v);
		for (size_t i = sizeof(id.b); i > 0; i--)
			if (++id.b[i - 1] != 0)
				break;
	}
	rows_fini(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (base == NULL)
		make_base();
	look(bytes, len);
	memcpy(copy, base, base_len);
	for (; len >= EDIT_LEN; bytes += EDIT_LEN, len -= EDIT_LEN) {
		size_t at = (size_t)(bytes[0] | bytes[1] << 8) %
		    (base_len / 4096) * 4096 +
		    (size_t)(bytes[2] | bytes[3] << 8) % 4096;

		copy[at] = bytes[4];
	}
	look(copy, base_len);
	return 0;
}
