/* postfix_queue - its queue, and the relays into relays of the job. */
#ifndef CTL_IMPORT_POSTFIX_QUEUE_H
#define CTL_IMPORT_POSTFIX_QUEUE_H

#include "ctl/tool/import/job.h"

void	postfix_queue_write(struct job *);

#endif
