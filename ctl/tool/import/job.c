/* job.c */
#include <stdlib.h>
#include <string.h>

#include "ctl/tool/import/job.h"

char *
job_get(struct job *p, const char *name, const char *usual)
{
	char *value = main_cf_get(&p->given, name);

	if (value == NULL && usual != NULL)
		value = strdup(usual);
	return value;
}

void
job_note(struct job *p, const char *name, const char *value,
    const char *words)
{
	fprintf(p->notes, "  %s = %.200s%s%s\n", name, value,
	    words != NULL ? "\n\t" : "", words != NULL ? words : "");
}

void
job_copy(struct job *p, const char *name, const char *as)
{
	char *value = job_get(p, name, NULL);

	if (value != NULL && *value != '\0')
		fprintf(p->conf, "\t%s %s\n", as, value);
	free(value);
}
