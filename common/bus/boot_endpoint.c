/*
 * boot_endpoint.c - requests in the order they were made.  Each is answered
 * once: by master, or when its link is gone.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bus/boot_inside.h"

struct boot_request {
	TAILQ_ENTRY(boot_request) entry;
	uint64_t	 no;
	boot_endpoint_fn *fn;
	void		*arg;
};

static struct boot_request *
find(struct boot *b, uint64_t no)
{
	struct boot_request *r;

	TAILQ_FOREACH(r, &b->requests, entry)
		if (r->no == no)
			return r;
	return NULL;
}

static void
forget(struct boot *b, struct boot_request *r)
{
	TAILQ_REMOVE(&b->requests, r, entry);
	free(r);
}

/* Those made while we say so wait for the next time. */
void
boot_endpoint_lost(struct boot *b)
{
	const uint64_t last = b->request_no;
	struct boot_request *r;

	while ((r = TAILQ_FIRST(&b->requests)) != NULL && r->no <= last)
		boot_endpoint_answered(b, r->no, -1, ECONNRESET);
}

static void
nobody_answers(struct later *l, void *arg)
{
	boot_endpoint_lost(arg);
}

void
boot_endpoint_init(struct boot *b)
{
	TAILQ_INIT(&b->requests);
	later_init(&b->unheard, b->loop, nobody_answers, b);
}

/* A request given up meanwhile is no mistake of master's. */
void
boot_endpoint_answered(struct boot *b, uint64_t request, int fd, int error)
{
	struct boot_request *r = find(b, request);
	boot_endpoint_fn *fn;
	void *arg;

	if (r == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	fn = r->fn;
	arg = r->arg;
	forget(b, r);
	fn(fd, error, arg);
}

uint64_t
boot_endpoint(struct boot *b, unsigned index, boot_endpoint_fn *fn, void *arg)
{
	struct boot_request *r = calloc(1, sizeof(*r));
	struct msg_endpoint_ask ask = { 0, (uint16_t)index };

	if (r == NULL)
		return 0;
	ask.request = r->no = ++b->request_no;
	r->fn = fn;
	r->arg = arg;
	TAILQ_INSERT_TAIL(&b->requests, r, entry);
	if (b->master == NULL)
		later_call(&b->unheard);
	else
		(void)link_send_endpoint_ask(b->master, &ask); /* or gone() */
	return r->no;
}

void
boot_endpoint_cancel(struct boot *b, uint64_t request)
{
	struct boot_request *r = find(b, request);

	if (r != NULL)
		forget(b, r);
}
