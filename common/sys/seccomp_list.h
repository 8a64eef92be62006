/*
 * seccomp_list - what the lists of seccomp.h that allow all but a few calls
 * have in common.
 *
 * Blocks  no
 * Errors  ERR_SYS
 */
#ifndef SYS_SECCOMP_LIST_H
#define SYS_SECCOMP_LIST_H

#include <seccomp.h>
#include <stdint.h>

#include "base/err.h"

/*
 * A list that does this with what has no rule.  It is yours until it is loaded;
 * *rc is libseccomp's code, as all that add rules pass it on.
 */
MUST_CHECK enum err seccomp_list_begin(scmp_filter_ctx *out, uint32_t rest,
		    int *rc);

/* It holds from here on, in all threads, unless rc says that it cannot; it is
 * gone either way. */
MUST_CHECK enum err seccomp_list_load(scmp_filter_ctx *, int rc);

/* The kernel takes the low half of this argument, so we look at no more. */
struct scmp_arg_cmp seccomp_list_is(unsigned no, uint32_t value);

#endif
