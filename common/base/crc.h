/*
 * crc - CRC-32C (Castagnoli, RFC 3720 B.4), by the CPU's own instruction where
 * it has one and by a table where not: the values are the same.
 *
 * Start with 0 and feed the result back to go on.
 */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t	crc_of(uint32_t crc, const void *, size_t);

/* By the table, on any machine. */
uint32_t	crc_by_table(uint32_t crc, const void *, size_t);

/*
 * By the instruction: crc_x86.c, crc_arm64.c, or crc_none.c, chosen by the
 * Makefile.  Ask first whether this CPU has it.
 */
bool		crc_has_cpu(void);
uint32_t	crc_by_cpu(uint32_t crc, const void *, size_t);

#endif
