/*
 * homes.c - what lies on /home in the end, proc(5): systemd puts a directory of
 * its own there that nobody may enter, or an empty file system that is
 * read-only, or the same once more, read-only.
 */
#include <fcntl.h>
#include <unistd.h>

#include "master/homes.h"

#define HOMES		"/home"
#define HIDDEN		"/systemd/inaccessible/"	/* the root of it */
#define TABLE_MAX	65536

enum field { ROOT = 3, PLACE, OPTIONS, FIELDS };

/* Of a line, what it says; what it is not about stays. */
static enum conf_homes
read_line(struct span line, enum conf_homes so_far)
{
	struct span f[FIELDS], kind;

	for (int i = 0; i < FIELDS; i++)
		f[i] = span_cut(&line, ' ');
	if (!span_eq(f[PLACE], SPAN(HOMES)))
		return so_far;
	while (line.len > 0 && !span_eq(span_cut(&line, ' '), SPAN("-")))
		continue;
	kind = span_cut(&line, ' ');
	if (span_begins(f[ROOT], SPAN(HIDDEN)))
		return CONF_HOMES_HIDDEN;
	if (!span_has(f[OPTIONS], ',', SPAN("ro")))
		return CONF_HOMES_THERE;
	return span_eq(kind, SPAN("tmpfs")) ? CONF_HOMES_HIDDEN :
	    CONF_HOMES_READ_ONLY;
}

enum conf_homes
homes_read(struct span mounts)
{
	enum conf_homes homes = CONF_HOMES_THERE;

	while (mounts.len > 0) {
		size_t len = span_find(mounts, '\n');

		homes = read_line(span_head(mounts, len), homes);
		mounts = span_tail(mounts, len < mounts.len ? len + 1 : len);
	}
	return homes;
}

enum conf_homes
homes_look(void)
{
	static char table[TABLE_MAX];
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got = 1;

	while (fd != -1 && got > 0 && len < sizeof(table))
		if ((got = read(fd, table + len, sizeof(table) - len)) > 0)
			len += (size_t)got;
	if (fd != -1)
		close(fd);
	return homes_read((struct span){ table, len });
}
