/* complaint.c - a line may come in parts, and parts of it may be lost. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/span.h"
#include "resolver/complaint.h"

#define LINE_LEN	512	/* bytes we keep of a line		*/
#define MINUTE_MS	60000

struct complaint {
	struct ev_loop	*loop;
	struct ev	 ev;
	int		 fd;		/* the end we read	*/
	FILE		*file;		/* the end they write	*/
	char		 line[LINE_LEN];
	size_t		 len;
	unsigned	 line_cnt;	/* in this minute		*/
	int64_t		 minute_ms;	/* when it began	*/
};

static void
say_line(struct complaint *c)
{
	struct log_line l;

	if (ev_now_ms(c->loop) - c->minute_ms >= MINUTE_MS) {
		c->minute_ms = ev_now_ms(c->loop);
		c->line_cnt = 0;
	}
	if (c->len == 0 || c->line_cnt++ >= COMPLAINTS_MAX)
		return;
	log_begin(&l, LOG_trouble);
	log_str(&l, LOG_KEY_why, (struct span){ c->line, c->len });
	log_end(&l);
}

static void
take_bytes(struct complaint *c, const char *bytes, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		if (bytes[i] != '\n' && c->len < sizeof(c->line)) {
			c->line[c->len++] = bytes[i];
			continue;
		}
		if (bytes[i] != '\n')
			continue;
		say_line(c);
		c->len = 0;
	}
}

static void
pipe_ready(struct ev *ev, unsigned what, void *arg)
{
	struct complaint *c = arg;
	char buf[1024];
	ssize_t n = read(c->fd, buf, sizeof(buf));

	if (n > 0)
		take_bytes(c, buf, (size_t)n);
	else if (n == 0)
		ev_fini(&c->ev);
}

enum err
complaint_open(struct complaint **out, struct ev_loop *loop)
{
	struct complaint *c = calloc(1, sizeof(*c));
	int ends[2];

	if (c == NULL)
		return ERR_SYS;
	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) == -1) {
		free(c);
		return ERR_SYS;
	}
	c->loop = loop;
	c->fd = ends[0];
	c->minute_ms = ev_now_ms(loop);
	if ((c->file = fdopen(ends[1], "w")) == NULL)
		close(ends[1]);
	if (c->file == NULL ||
	    ev_init(&c->ev, loop, c->fd, EV_READ, pipe_ready, c) != OK) {
		complaint_close(&c);
		return ERR_SYS;
	}
	setvbuf(c->file, NULL, _IOLBF, 0);
	*out = c;
	return OK;
}

void
complaint_close(struct complaint **cp)
{
	struct complaint *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	ev_fini(&c->ev);
	if (c->file != NULL)
		fclose(c->file);
	close(c->fd);
	free(c);
}

FILE *
complaint_file(struct complaint *c)
{
	return c->file;
}
