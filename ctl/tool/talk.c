/*
 * talk.c - control speaks first: once its first word is there somebody listens
 * and has time for us.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "bus/build.h"
#include "bus/link.h"
#include "ctl/tool/talk.h"

#define TRY_MS		50	/* between tries when its backlog is full */
#define GREETING_MAX	512	/* bytes of its frame, which is the first of
				 * its packet and may not be the last	*/
#define FRAME_HEAD_LEN	8	/* of those before its fields		*/

struct talk {
	char		*path;
	struct ev_loop	*loop;
	struct link	*link;
	struct timer	 patience;
	int64_t		 patience_ms;
	talk_fn		*fn;
	void		*arg;
	bool		 content, is_strange;
	enum err	 why;
};

static enum err
take(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	struct talk *t = arg;

	timer_set(&t->patience, t->patience_ms);
	if (!t->content && t->fn != NULL && t->fn(type, m, t->arg)) {
		t->content = true;
		ev_stop(t->loop);
	}
	return OK;
}

static void
gone(struct link *l, enum err why, void *arg)
{
	struct talk *t = arg;

	t->why = why;
	link_close(&t->link);
	ev_stop(t->loop);
}

static void
out_of_patience(struct timer *timer, void *arg)
{
	struct talk *t = arg;

	t->why = ERR_AGAIN;
	ev_stop(t->loop);
}

/*
 * Is the first word a greeting of our own version?  Else control hangs up on
 * ours, and whether the link then tells of that or of this is chance.
 */
static enum err
judge_greeting(int fd, bool *is_strange)
{
	uint8_t frame[GREETING_MAX];
	ssize_t len = recv(fd, frame, sizeof(frame), MSG_PEEK | MSG_DONTWAIT);
	struct wire_in r = { frame, frame + (len > 0 ? len : 0), false };
	uint32_t fields_len;
	union msg m;

	if (len <= FRAME_HEAD_LEN)
		return OK;		/* the link will tell */
	(void)wire_get_u16(&r);
	(void)wire_get_u16(&r);
	fields_len = wire_get_u32(&r);
	if (fields_len > (size_t)len - FRAME_HEAD_LEN ||
	    msg_get(r.pos, fields_len, MSG_hello, &m) != OK ||
	    m.hello.version != BUS_VERSION)
		return ERR_PEER;
	*is_strange = !span_eq(m.hello.build, span_of(build_id()));
	return OK;
}

/* Connect, and see the first word arrive. */
static enum err
dial(int fd, const char *path, bool *is_strange)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct pollfd word = { .fd = fd, .events = POLLIN };
	int left_ms = TALK_CONNECT_MS;

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return ERR_SYS;
	}
	while (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return ERR_NONE;
		if (errno != EAGAIN && errno != EINTR)
			return ERR_SYS;
		if ((left_ms -= TRY_MS) <= 0)
			return ERR_AGAIN;
		(void)poll(NULL, 0, TRY_MS);
	}
	return poll(&word, 1, left_ms) == 1 ?
	    judge_greeting(fd, is_strange) : ERR_AGAIN;
}

enum err
talk_again(struct talk *t)
{
	static const struct link_peer control = {
		.role = ROLE_CONTROL, .block = "control", .workers = 1,
	};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	enum err e = fd == -1 ? ERR_SYS : dial(fd, t->path,
	    &t->is_strange);

	link_close(&t->link);
	if (e == OK)
		return link_open(&t->link, t->loop, fd, ROLE_TOOL, &control,
		    take, gone, t);
	if (fd != -1)
		close(fd);
	return e;
}

enum err
talk_open(struct talk **out, const char *path)
{
	struct talk *t = calloc(1, sizeof(*t));
	enum err e;

	if (t == NULL || (t->path = strdup(path)) == NULL) {
		free(t);
		return ERR_SYS;
	}
	t->patience_ms = TALK_PATIENCE_MS;
	if ((e = ev_open(&t->loop)) == OK) {
		timer_init(&t->patience, t->loop, out_of_patience, t);
		e = talk_again(t);
	}
	if (e == OK)
		*out = t;
	else
		talk_close(&t);
	return e;
}

void
talk_close(struct talk **tp)
{
	struct talk *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	timer_stop(&t->patience);
	link_close(&t->link);
	ev_close(&t->loop);
	free(t->path);
	free(t);
}

bool
talk_is_strange(const struct talk *t)
{
	return t->is_strange;
}

void
talk_set_patience(struct talk *t, int64_t ms)
{
	t->patience_ms = ms;
}

void
talk_send(struct talk *t, unsigned type, const void *m)
{
	if (t->link != NULL)
		(void)link_send(t->link, type, m, SPAN(""));
}

enum err
talk_wait(struct talk *t, talk_fn *fn, void *arg)
{
	enum err e = OK;

	t->fn = fn;
	t->arg = arg;
	t->content = false;
	t->why = OK;
	if (t->link == NULL)
		return ERR_CLOSED;
	timer_set(&t->patience, t->patience_ms);
	while (!t->content && t->why == OK && e == OK)
		e = ev_run(t->loop);
	timer_stop(&t->patience);
	return t->content ? OK : t->why != OK ? t->why : e;
}
