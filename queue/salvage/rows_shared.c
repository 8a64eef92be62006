/*
 * rows_shared.c - a branch that leads astray makes two places lead to one page.
 * Its rows were taken for both tables, and what they are says whose they are.
 */
#include "queue/salvage/form.h"
#include "queue/salvage/rows.h"

/* Any bytes can be text; what is a whole record is not. */
static bool
is_whole(const struct row *row)
{
	const struct image_row r = {
		.key = rows_key(row), .value = rows_value(row),
	};

	return !row->is_bad && !(rows_is_text(row->table) &&
	    form_is_others(row->table, &r));
}

static uint64_t
page_of(const struct image *im, const struct row *row)
{
	return (uint64_t)((const uint8_t *)row->key - im->bytes) /
	    im->page_len;
}

/*
 * Rows of a page were added one after the other.  Who does not own it has lost
 * another in its place; who does is searched for in vain.
 */
void
rows_drop_shared(struct rows *r, const struct image *im, const uint8_t *again)
{
	size_t kept = 0, end;

	for (size_t i = 0; i < r->cnt; i = end) {
		uint64_t no = page_of(im, &r->v[i]);
		uint8_t table = r->v[i].table;
		bool is_shared = image_is_seen(again, no), is_ours = false;

		for (end = i; end < r->cnt && r->v[end].table == table &&
		    page_of(im, &r->v[end]) == no; end++)
			is_ours = is_ours || !is_shared ||
			    is_whole(&r->v[end]);
		if (is_shared)
			r->is_broken[table] = true;
		for (size_t k = i; is_ours && k < end; k++)
			r->v[kept++] = r->v[k];
	}
	r->cnt = kept;
}
