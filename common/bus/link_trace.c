/* link_trace.c - who is at the other end, and what is said, for people. */
#include <stdio.h>
#include <unistd.h>

#include "bus/link_inside.h"
#include "sys/logfile.h"

void
link_name(const struct link_peer *p, char *buf)
{
	const char *role = role_row(p->role)->name;

	if (p->role == ROLE_MASTER)
		snprintf(buf, LINK_NAME_MAX, "%s", role);
	else if (p->workers > 1)
		snprintf(buf, LINK_NAME_MAX, "%s %s/%u", role, p->block,
		    p->worker);
	else
		snprintf(buf, LINK_NAME_MAX, "%s %s", role, p->block);
}

void
link_trace(const struct link *l, const char *arrow, unsigned type,
    const union msg *m, size_t piece_len)
{
	char peer[LINK_NAME_MAX], text[1024], line[1400];
	int len;

	link_name(&l->peer, peer);
	msg_print(text, sizeof(text), type, m);
	len = snprintf(line, sizeof(line), "bus: [%d] %s %s %s %s",
	    (int)getpid(), role_row(l->mine)->name, arrow, peer, text);
	if (piece_len > 0)
		len += snprintf(line + len, sizeof(line) - (size_t)len,
		    " piece=%zu", piece_len);
	line[len++] = '\n';
	logfile_trace(line, (size_t)len);
}
