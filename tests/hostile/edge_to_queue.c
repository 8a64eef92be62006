/*
 * edge_to_queue.c - an edge that was taken over, in place of
 * edge/to_queue.c: a client that calls itself evil-WORD has it lie to the
 * queue in this way when it says DATA; to others it is honest.
 */
#include <stdlib.h>
#include <string.h>

#define to_queue_open honest_open
#include "edge/to_queue.c"
#undef to_queue_open

void	to_queue_open(struct transaction *);

#define STREAMS		60	/* at a time				*/
#define TAIL		60000	/* bytes that a stream leaves behind	*/
#define OTHERS		1000	/* streams that are none of ours	*/
#define ASKS		5000
#define RCPTS		20000

static uint64_t
open_one(struct edge *edge)
{
	uint64_t stream = ++edge->last_stream;

	(void)link_send_mail_open(edge->queue, &(struct msg_mail_open){
	    .stream = stream, .sender = SPAN("eve@evil.example"),
	    .proto = SPAN("ESMTP") });
	return stream;
}

static void
add_rcpt(struct edge *edge, uint64_t stream, unsigned no)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "v%u@there.example", no);
	(void)link_send_mail_rcpt(edge->queue, &(struct msg_mail_rcpt){
	    .stream = stream, .rcpt = span_of(text) });
}

/* Much text in each of many, and then nothing more. */
static void
begin_many(struct edge *edge)
{
	static char text[TAIL];

	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i < STREAMS; i++) {
		uint64_t stream = open_one(edge);

		add_rcpt(edge, stream, i);
		(void)link_send_mail_body(edge->queue, &(struct msg_mail_body){
		    .stream = stream }, (struct span){ text, sizeof(text) });
	}
}

/* Numbers that only other edges may have given. */
static void
end_others(struct edge *edge)
{
	for (uint64_t no = edge->last_stream + 1;
	    no < edge->last_stream + OTHERS; no++) {
		(void)link_send_mail_abort(edge->queue,
		    &(struct msg_mail_abort){ no });
		(void)link_send_mail_body(edge->queue,
		    &(struct msg_mail_body){ no }, SPAN("Mine"));
		(void)link_send_mail_commit(edge->queue,
		    &(struct msg_mail_commit){ .stream = no }, SPAN("x: y"));
	}
}

static void
open_twice(struct edge *edge)
{
	edge->last_stream--;
	(void)open_one(edge);
}

static void
lie_of_length(struct edge *edge)
{
	uint64_t stream = open_one(edge);

	add_rcpt(edge, stream, 1);
	(void)link_send_mail_commit(edge->queue, &(struct msg_mail_commit){
	    .stream = stream, .header_len = UINT64_MAX,
	    .body_len = UINT64_MAX }, SPAN("Subject: x\r\n\r\n"));
}

static void
commit_nobody(struct edge *edge)
{
	(void)link_send_mail_commit(edge->queue, &(struct msg_mail_commit){
	    .stream = open_one(edge), .header_len = 14 },
	    SPAN("Subject: x\r\n\r\n"));
}

static void
ask_much(struct edge *edge)
{
	for (unsigned i = 0; i < ASKS; i++)
		(void)link_send_rcpt_ask(edge->queue, &(struct msg_rcpt_ask){
		    .ask = ++edge->last_ask,
		    .rcpt = SPAN("bob@there.example") });
}

static void
name_many(struct edge *edge)
{
	uint64_t stream = open_one(edge);

	for (unsigned i = 0; i < RCPTS; i++)
		add_rcpt(edge, stream, i);
}

void
to_queue_open(struct transaction *t)
{
	static const struct {
		const char	*word;
		void		(*lie)(struct edge *);
	} lies[] = {
		{ "evil-streams.example", begin_many },
		{ "evil-others.example", end_others },
		{ "evil-twice.example", open_twice },
		{ "evil-length.example", lie_of_length },
		{ "evil-nobody.example", commit_nobody },
		{ "evil-asks.example", ask_much },
		{ "evil-names.example", name_many },
	};

	honest_open(t);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (strcmp(t->origin.helo, lies[i].word) == 0)
			lies[i].lie(t->edge);
}
