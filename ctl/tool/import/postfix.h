/*
 * postfix - what a Postfix is told, as a configuration of ours.
 */
#ifndef CTL_IMPORT_POSTFIX_H
#define CTL_IMPORT_POSTFIX_H

#include "base/err.h"
#include "ctl/tool/import/job.h"

/* ERR_SYS: no memory. */
MUST_CHECK enum err postfix_write(struct job *);

#endif
