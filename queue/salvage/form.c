/* form.c - the length of a key, and a record's own checksum. */
#include "queue/salvage/form.h"
#include "queue/store/story.h"

#define ID_LEN		sizeof(struct id)
#define NO_LEN		(ID_LEN + sizeof(uint32_t))
#define HISTORY_KEY	STORY_HISTORY_KEY
#define CRC_KEY		(NO_LEN + 1)

bool
form_kind(enum table t, enum record_kind *out)
{
	switch (t) {
	case TABLE_MESSAGE:
		*out = RECORD_message;
		return true;
	case TABLE_RECIPIENT:
		*out = RECORD_recipient;
		return true;
	case TABLE_DELIVERY:
		*out = RECORD_delivery;
		return true;
	case TABLE_LOOSE:
		*out = RECORD_loose;
		return true;
	case TABLE_HISTORY:
		*out = RECORD_history;
		return true;
	case TABLE_TOTAL:
		*out = RECORD_total;
		return true;
	case TABLE_CRC:
		*out = RECORD_crc;
		return true;
	case TABLE_REPORT:
		*out = RECORD_report;
		return true;
	case TABLE_DISCARD:
		*out = RECORD_discard;
		return true;
	case TABLE_QUARANTINE:
		*out = RECORD_quarantine;
		return true;
	case TABLE_SUSPENSION:
		*out = RECORD_suspension;
		return true;
	default:
		return false;
	}
}

/* A NUL behind each of two, of which one at least is something. */
static bool
has_two_names(struct span key)
{
	size_t first = span_find(key, '\0');
	struct span rest = span_tail(key, first + 1);

	return key.len > 2 && first < key.len && rest.len > 0 &&
	    span_find(rest, '\0') == rest.len - 1;
}

static bool
has_key(enum table t, struct span key)
{
	switch (t) {
	case TABLE_MESSAGE:
	case TABLE_LOOSE:
		return key.len == ID_LEN;
	case TABLE_HEADER:
	case TABLE_BODY:
	case TABLE_RECIPIENT:
	case TABLE_DELIVERY:
	case TABLE_REPORT:
		return key.len == NO_LEN;
	case TABLE_DUE:
		return key.len > PLACE_LEN + 2 &&
		    key.ptr[key.len - PLACE_LEN - 1] == '\0';
	case TABLE_HISTORY:
	case TABLE_DISCARD:
		return key.len == HISTORY_KEY;
	case TABLE_CRC:
		return key.len == CRC_KEY;
	case TABLE_SUSPENSION:
		return has_two_names(key);
	case TABLE_STORY:
		return key.len == STORY_KEY;
	case TABLE_LOOKUP:
		return key.len == STORY_LOOKUP_KEY;
	default:
		return true;
	}
}

bool
form_fits(enum table t, const struct image_row *row, bool *bad)
{
	enum record_kind kind;
	union record rec;

	*bad = false;
	if (row->is_table || row->value.len > CHUNK_MAX || !has_key(t,
	    row->key))
		return false;
	if (row->value.ptr == NULL) {
		*bad = true;
		return true;
	}
	if (t == TABLE_DUE || t == TABLE_STORY)
		return row->value.len == 0;
	if (t == TABLE_LOOKUP)
		return row->value.len == 1;
	if (t == TABLE_HEADER || t == TABLE_BODY)
		return row->value.len > 0;
	if (form_kind(t, &kind))
		*bad = record_get(row->value, kind, &rec) != OK;
	return true;
}

/* A checksum that is right is no accident, whatever the record is of. */
bool
form_is_others(enum table t, const struct image_row *row)
{
	bool bad;

	for (enum table o = 0; o < TABLE__COUNT; o++) {
		enum record_kind kind;

		if (o != t && form_kind(o, &kind) &&
		    form_fits(o, row, &bad) && !bad)
			return true;
	}
	return false;
}
