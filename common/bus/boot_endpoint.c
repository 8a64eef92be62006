/*
 * boot_endpoint.c - requests for connections: questions to master, whose
 * answers bring a descriptor.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bus/boot_inside.h"

struct boot_request {
	struct question	 question;	/* first: they are one		*/
	int		 fd, error;	/* once it is answered; or -1	*/
	boot_endpoint_fn *fn;
	void		*arg;
};

static void
on_end(struct question *q, enum err why)
{
	struct boot_request *r = (struct boot_request *)q;
	int error = why == OK ? r->error :
	    why == ERR_AGAIN ? ETIMEDOUT : ECONNRESET;
	boot_endpoint_fn *fn = r->fn;
	void *arg = r->arg;
	int fd = r->fd;

	free(r);
	fn(fd, error, arg);
}

void
boot_endpoint_init(struct boot *b)
{
	questions_init(&b->requests, b->loop, BOOT_ENDPOINTS_ASKED, on_end);
}

void
boot_endpoint_lost(struct boot *b)
{
	questions_lose(&b->requests);
}

/* A request given up meanwhile is no mistake of master's. */
void
boot_endpoint_answered(struct boot *b, uint64_t request, int fd, int error)
{
	struct boot_request *r;
	struct question *q;

	if (question_find(&b->requests, request, &q) != OK || q == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	r = (struct boot_request *)q;
	r->fd = fd;
	r->error = error;
	question_answer(q);
}

uint64_t
boot_endpoint(struct boot *b, unsigned index, boot_endpoint_fn *fn, void *arg)
{
	struct boot_request *r = calloc(1, sizeof(*r));
	struct msg_endpoint_ask ask = { 0, (uint16_t)index };

	if (r == NULL)
		return 0;
	r->fd = -1;
	r->fn = fn;
	r->arg = arg;
	if (!question_ask(&b->requests, &r->question, BOOT_ENDPOINT_MS))
		return r->question.no;
	ask.request = r->question.no;
	if (b->master == NULL)
		question_fail(&r->question, ERR_CLOSED);
	else
		(void)link_send_endpoint_ask(b->master, &ask); /* or gone() */
	return r->question.no;
}

void
boot_endpoint_cancel(struct boot *b, uint64_t request)
{
	struct question *q = question_by_no(&b->requests, request);
	struct boot_request *r = (struct boot_request *)q;

	if (q == NULL)
		return;
	question_close(q);
	if (r->fd != -1)		/* it has come, and is not told yet */
		close(r->fd);
	free(r);
}
