/* shortage.c - who reads "Too many open files" asks: how many, and where? */
#include <sys/resource.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "master/shortage.h"

static unsigned long long
limit_of(int resource)
{
	struct rlimit r;

	return getrlimit((__rlimit_resource_t)resource, &r) == -1 ? 0 :
	    (unsigned long long)r.rlim_cur;
}

const char *
shortage_text(int error, char buf[SHORTAGE_MAX])
{
	switch (error) {
	case EMFILE:
		snprintf(buf, SHORTAGE_MAX, "%s: the limit of this process is "
		    "%llu, raise LimitNOFILE= or ulimit -n", strerror(error),
		    limit_of(RLIMIT_NOFILE));
		break;
	case ENFILE:
		snprintf(buf, SHORTAGE_MAX, "%s: the limit of the machine is "
		    "reached, raise sysctl fs.file-max", strerror(error));
		break;
	case EAGAIN:
		snprintf(buf, SHORTAGE_MAX, "%s: the limit of processes is "
		    "%llu, raise LimitNPROC=, TasksMax= or ulimit -u",
		    strerror(error), limit_of(RLIMIT_NPROC));
		break;
	default:
		(void)strlcpy(buf, strerror(error), SHORTAGE_MAX);
	}
	return buf;
}

void
shortage_log(struct log_line *l, const char *why, int error)
{
	char words[SHORTAGE_MAX], text[2 * SHORTAGE_MAX];

	if (error == 0) {		/* what it was is said already */
		log_text(l, LOG_KEY_why, why);
		return;
	}
	snprintf(text, sizeof(text), "%s: %s", why,
	    shortage_text(error, words));
	log_text(l, LOG_KEY_why, text);
}
