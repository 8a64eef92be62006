/* err.c - the words for the errors. */
#include "base/err.h"

static const char *const names[ERR__COUNT] = {
	[OK] = "ok",		[ERR_AGAIN] = "again",	[ERR_NONE] = "none",
	[ERR_CLOSED] = "closed", [ERR_PEER] = "peer",	[ERR_FULL] = "full",
	[ERR_STALE] = "stale",	[ERR_SYS] = "system",
};

const char *
err_name(enum err e)
{
	return (unsigned)e < ERR__COUNT ? names[e] : "unknown";
}
