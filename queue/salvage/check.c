/* check.c - faults of the file first, then message by message. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "queue/salvage/check.h"
#include "queue/salvage/say.h"

struct counts {
	uint64_t messages, damaged, stray, suspensions;
};

enum check_end
check_read(const char *dir, struct image *im, struct rows *r)
{
	enum err e = image_open(im, dir);

	if (e == ERR_AGAIN)
		fprintf(stderr, "postern-salvage: %s: a queue has it open; "
		    "stop postern first\n", dir);
	else if (e == ERR_FULL)
		fprintf(stderr, "postern-salvage: %s/data.mdb: it has not "
		    "even one page\n", dir);
	else if (e != OK)
		fprintf(stderr, "postern-salvage: %s/data.mdb: %s\n", dir,
		    strerror(e == ERR_NONE ? ENOENT : errno));
	if (e != OK)
		return CHECK_CANNOT;
	e = image_find_runs(im) != OK ? ERR_SYS : rows_read(r, im);
	if (e == OK || (e == ERR_NONE && r->cnt > 0))
		return CHECK_WHOLE;
	fprintf(stderr, "postern-salvage: %s/data.mdb: %s\n", dir,
	    e == ERR_SYS ? "no memory" : "there is no store in it");
	rows_fini(r);
	image_close(im);
	return CHECK_CANNOT;
}

/* judge_message() looks for a delivery's right row; others are stray. */
uint64_t
check_stray_due(const struct rows *r)
{
	size_t cnt;
	const struct row *due = rows_table(r, TABLE_DUE, &cnt);
	uint64_t stray = 0;

	for (size_t i = 0; i < cnt; i++)
		stray += rows_find(r, TABLE_DELIVERY, rows_key(&due[i])) ==
		    NULL || (i > 0 && span_eq(rows_key(&due[i]),
		    rows_key(&due[i - 1])));
	return stray;
}

static bool
say_messages(const struct rows *r, bool json, struct counts *c)
{
	struct id id = { { 0 } };
	struct verdict v;

	while (judge_next(r, &id)) {
		if (judge_message(r, id, &v) != OK)
			return false;
		c->messages++;
		if (v.faults != 0) {
			c->damaged++;
			say_message(stdout, json, &v, NULL);
		}
		judge_fini(&v);
		for (size_t i = sizeof(id.b); i > 0; i--)
			if (++id.b[i - 1] != 0)
				break;
	}
	return true;
}

/* What the queue then takes for active. */
static void
say_suspensions(const struct rows *r, bool json, struct counts *c)
{
	size_t cnt;
	const struct row *row = rows_table(r, TABLE_SUSPENSION, &cnt);
	struct rows_fault f = {
		.page = PAGE_NONE, .table = store_table_name(TABLE_SUSPENSION),
		.why = "the record of a suspension is damaged",
	};

	for (size_t i = 0; i < cnt; i++) {
		if (!row[i].is_bad)
			continue;
		c->suspensions++;
		say_fault(stdout, json, &f);
	}
}

static void
say_totals(const struct rows *r, const struct counts *c, bool json, bool whole)
{
	struct json j = { .out = stdout };

	if (json) {
		json_open(&j, NULL, '{');
		json_text(&j, "kind", SPAN("total"));
		json_flag(&j, "whole", whole);
		json_number(&j, "messages", c->messages);
		json_number(&j, "damaged", c->damaged);
		json_number(&j, "faults", r->fault_cnt);
		json_number(&j, "stray", c->stray);
		json_close(&j, '}');
		return;
	}
	if (c->stray > 0)
		printf("%" PRIu64 " rows of the due index lead nowhere (the "
		    "queue takes them away)\n", c->stray);
	if (whole)
		printf("The store is whole: %" PRIu64 " messages.\n",
		    c->messages);
	else
		printf("%" PRIu64 " messages, %" PRIu64 " of them damaged; "
		    "%zu faults of the file.\n", c->messages, c->damaged,
		    r->fault_cnt);
}

enum check_end
check_run(const char *dir, bool json)
{
	struct counts c = { 0 };
	struct image im;
	struct rows r;
	enum check_end end = check_read(dir, &im, &r);
	bool whole;

	if (end != CHECK_WHOLE)
		return end;
	for (size_t i = 0; i < r.fault_cnt && i < ROWS_FAULTS_MAX; i++)
		say_fault(stdout, json, &r.faults[i]);
	if (!say_messages(&r, json, &c)) {
		fprintf(stderr, "postern-salvage: no memory\n");
		end = CHECK_CANNOT;
	} else {
		say_suspensions(&r, json, &c);
		c.stray = check_stray_due(&r);
		r.fault_cnt += c.suspensions;
		whole = r.fault_cnt == 0 && c.damaged == 0 && c.stray == 0;
		say_totals(&r, &c, json, whole);
		end = whole ? CHECK_WHOLE : CHECK_DAMAGED;
	}
	rows_fini(&r);
	image_close(&im);
	return end;
}
