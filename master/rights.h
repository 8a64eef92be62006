/*
 * rights - the few capabilities that master keeps of root's.
 *
 * Errors  ERR_SYS
 */
#ifndef MASTER_RIGHTS_H
#define MASTER_RIGHTS_H

#include "base/err.h"

/*
 * Give up, for us and all we start, what none of us needs.  Does nothing when
 * we are not root.
 */
MUST_CHECK enum err rights_shrink(void);

#endif
