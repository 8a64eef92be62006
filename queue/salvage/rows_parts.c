/* rows_parts.c - what a row's key says. */
#include <string.h>

#include "queue/salvage/rows.h"

#define ID_LEN		sizeof(struct id)
#define NO_LEN		(ID_LEN + sizeof(uint32_t))

struct span
rows_key(const struct row *r)
{
	return (struct span){ r->key, r->key_len };
}

struct span
rows_value(const struct row *r)
{
	return (struct span){ r->value, r->value_len };
}

struct id
rows_id(const struct row *r)
{
	struct id id = { { 0 } };

	if (r->key_len >= ID_LEN)
		memcpy(id.b, r->key, ID_LEN);
	return id;
}

uint32_t
rows_no(const struct row *r)
{
	uint32_t no = 0;

	for (size_t i = ID_LEN; i < r->key_len && i < NO_LEN; i++)
		no = no << 8 | (uint8_t)r->key[i];
	return no;
}

bool
rows_is_text(uint8_t table)
{
	return table == TABLE_HEADER || table == TABLE_BODY;
}
