/*
 * holder.c - /proc/self/net/tcp has a line a socket:
 * "sl local_address rem_address st tx:rx tr:when retrnsmt uid ...", all in hex
 * but uid; st 0A listens.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "master/holder.h"
#include "master/shortage.h"

#define STATE_LISTEN	0x0a

static bool
find(const char *file, uint16_t port, unsigned *uid)
{
	FILE *f = fopen(file, "re");
	char line[512];
	bool found = false;

	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		unsigned at, state;

		found = sscanf(line, " %*u: %*32[0-9A-Fa-f]:%4x "
		    "%*32[0-9A-Fa-f]:%*x %2x %*x:%*x %*x:%*x %*x %u", &at,
		    &state, uid) == 3 && at == port && state == STATE_LISTEN;
	}
	(void)fclose(f);
	return found;
}

const char *
holder_text(int error, uint16_t port, char buf[HOLDER_TEXT])
{
	char words[SHORTAGE_MAX];
	unsigned uid;

	if (error == EADDRINUSE && (find("/proc/self/net/tcp", port, &uid) ||
	    find("/proc/self/net/tcp6", port, &uid)))
		snprintf(buf, HOLDER_TEXT, "a process of user %u listens "
		    "there; ss -ltnp sport = :%u says which", uid, port);
	else
		(void)strlcpy(buf, shortage_text(error, words), HOLDER_TEXT);
	return buf;
}
