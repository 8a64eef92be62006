/* front.c - see the header. */
#include <stdlib.h>
#include <unistd.h>

#include "edge/drop/front.h"
#include "sys/clock.h"

#define GROWING_MS	3600000		/* a file may be written so long */

/* Its front, of at most DROPPED_HEAD_MAX bytes; NULL: no memory, or errno. */
static char *
read_front(int fd, const struct stat *st, size_t *len)
{
	size_t want = st->st_size < DROPPED_HEAD_MAX ? (size_t)st->st_size :
	    DROPPED_HEAD_MAX;
	char *front = malloc(want + 1);
	ssize_t n = 0;

	if (front == NULL)
		return NULL;
	for (*len = 0; *len < want; *len += (size_t)n)
		if ((n = pread(fd, front + *len, want - *len,
		    (off_t)*len)) <= 0)
			break;
	if (n != -1)
		return front;
	free(front);
	return NULL;
}

enum err
front_read(struct carry_file *file, const char **why)
{
	struct dropped *d = &file->d;
	uint64_t size = (uint64_t)file->st.st_size;
	size_t len = 0;
	enum err e;

	*why = "it is not of the form that sendmail(1) writes";
	if ((file->front = read_front(file->fd, &file->st, &len)) == NULL)
		return ERR_SYS;
	e = dropped_read((struct span){ file->front, len }, d);
	if (e == ERR_FULL)
		*why = "a newer sendmail(1) has written it";
	if (e == OK && size - d->head_len > d->text_len) {
		*why = "it goes on behind its text";
		e = ERR_PEER;
	} else if (e == OK && size - d->head_len < d->text_len) {
		e = ERR_AGAIN;
	}
	if (e == ERR_AGAIN && (len == DROPPED_HEAD_MAX ||
	    clock_wall_ms() - (int64_t)file->st.st_mtim.tv_sec * 1000 >
	    GROWING_MS)) {
		*why = "it ends too early";
		e = ERR_PEER;
	}
	return e;
}

uint64_t
front_once(const char *name, const struct stat *st)
{
	const uint64_t facts[] = { st->st_dev, st->st_ino, st->st_uid,
	    (uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec };
	const unsigned char *bytes = (const unsigned char *)facts;
	uint64_t mix = 0xcbf29ce484222325u;

	for (size_t i = 0; i < sizeof(facts); i++)
		mix = (mix ^ bytes[i]) * 0x100000001b3u;
	for (; *name != '\0'; name++)
		mix = (mix ^ (unsigned char)*name) * 0x100000001b3u;
	return mix > 1 ? mix & ~1ull : 2;
}
