/* caller.c - see the header. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/tool/caller.h"

struct span
caller_name(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *pw;
	static char name[CALLER_MAX];

	if (name[0] != '\0')
		return span_of(name);
	if (geteuid() == 0 && sudo != NULL && sudo[0] != '\0')
		(void)strlcpy(name, sudo, sizeof(name));
	else if ((pw = getpwuid(getuid())) != NULL)
		(void)strlcpy(name, pw->pw_name, sizeof(name));
	else
		(void)snprintf(name, sizeof(name), "uid %lu",
		    (unsigned long)getuid());
	return span_of(name);
}

struct span
caller_of(struct span who, char buf[CALLER_MAX])
{
	unsigned long long uid;
	const struct passwd *pw;

	if (!span_begins(who, SPAN("uid ")) ||
	    !span_number(span_tail(who, 4), UINT32_MAX, &uid) ||
	    (pw = getpwuid((uid_t)uid)) == NULL ||
	    strlcpy(buf, pw->pw_name, CALLER_MAX) >= CALLER_MAX)
		return who;
	return span_of(buf);
}
