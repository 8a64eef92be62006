/* build.c - which build this is: the Makefile's hash of what all share. */
#include "bus/build.h"

const char *
build_id(void)
{
	return BUILD_ID;
}
