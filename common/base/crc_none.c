/* crc_none.c - a machine that we know no instruction of. */
#include "base/crc.h"

bool
crc_has_cpu(void)
{
	return false;
}

uint32_t
crc_by_cpu(uint32_t crc, const void *p, size_t len)
{
	return crc_by_table(crc, p, len);
}
