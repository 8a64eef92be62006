/* dice - chance that can be had again: random() begins with a seed that is
 * printed, and taken from POSTERN_SEED where that is set. */
#ifndef TESTS_DICE_H
#define TESTS_DICE_H

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static inline void
dice_begin(void)
{
	const char *given = getenv("POSTERN_SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) :
	    arc4random();

	print_message("seed: POSTERN_SEED=%u\n", seed);
	srandom(seed);
}

#endif
