/*
 * edge_to_queue.c - an edge that was taken over, in place of
 * edge/to_queue.c: a client that calls itself evil-WORD has it lie to the
 * queue, or to all whom it may ask, in this way when it says MAIL; to others it
 * is honest.  evil-sign.HALF.HALF is about the key of that id, in hex.
 */
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>

#include "ask/helper.h"
#include "ask/keys.h"

#define to_queue_open honest_open
#include "edge/to_queue.c"
#undef to_queue_open

void	to_queue_open(struct transaction *);

#define STREAMS		60	/* at a time				*/
#define TAIL		60000	/* bytes that a stream leaves behind	*/
#define OTHERS		1000	/* streams that are none of ours	*/
#define ASKS		5000
#define RCPTS		20000
#define GUESSES		3000
#define SIGNS		5000
#define FDS		64	/* that may be links			*/
#define SCHEME		0x0804	/* rsa_pss_rsae_sha256			*/

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
	uint64_t stream = open_one(edge);

	for (unsigned i = 0; i < ASKS; i++)
		(void)link_send_mail_rcpt(edge->queue, &(struct msg_mail_rcpt){
		    .stream = stream, .ask = ++edge->words.last,
		    .rcpt = SPAN("bob@there.example") });
}

static void
name_many(struct edge *edge)
{
	uint64_t stream = open_one(edge);

	for (unsigned i = 0; i < RCPTS; i++)
		add_rcpt(edge, stream, i);
}

/* The link to whom the client of such a helper asks; NULL right after a start,
 * before master has made it. */
static struct link *
link_of(void *client)
{
	return client == NULL ? NULL : ((struct helper *)client)->link;
}

/* As if each guess came from somewhere else. */
static void
guess_passwords(struct edge *edge)
{
	char client[32], password[32];

	if (link_of(edge->users) == NULL)
		return;
	for (unsigned i = 0; i < GUESSES; i++) {
		snprintf(client, sizeof(client), "10.%u.%u.1", i / 250,
		    i % 250);
		snprintf(password, sizeof(password), "guess%u", i);
		(void)link_send_login_ask(link_of(edge->users),
		    &(struct msg_login_ask){ .request = i + 1000000,
		    .user = SPAN("ann"), .password = span_of(password),
		    .client = span_of(client) });
	}
}

static void
ask_to_sign(struct edge *edge, struct span key, struct span text)
{
	static uint64_t last = 1000000;

	if (link_of(edge->keys) == NULL)
		return;
	(void)link_send_sign_ask(link_of(edge->keys), &(struct msg_sign_ask){
	    .request = ++last, .scheme = SCHEME, .key = key }, text);
}

static unsigned
digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10) & 0xf;
}

/* What a server signs in TLS 1.3, and what it does not. */
static void
sign(struct edge *edge, const char *helo)
{
	static const char words[] = "TLS 1.3, server CertificateVerify";
	char id[KEYS_ID_LEN], good[64 + sizeof(words) + 32];

	for (size_t i = 0; i < sizeof(id); i++) {
		const char *hex = helo + strlen("evil-sign.") + 2 * i +
		    (i >= sizeof(id) / 2);

		id[i] = (char)(digit(hex[0]) << 4 | digit(hex[1]));
	}
	memset(good, ' ', 64);
	memcpy(good + 64, words, sizeof(words));
	memset(good + 64 + sizeof(words), 'h', 32);
	ask_to_sign(edge, (struct span){ id, sizeof(id) },
	    (struct span){ good, sizeof(good) });
	good[70] = 't';
	ask_to_sign(edge, (struct span){ id, sizeof(id) },
	    (struct span){ good, sizeof(good) });
	ask_to_sign(edge, (struct span){ id, sizeof(id) },
	    SPAN("I owe the bearer all that I have"));
	for (unsigned i = 0; i < SIGNS; i++)
		ask_to_sign(edge, SPAN("00000000000000000000000000000000"),
		    (struct span){ good, sizeof(good) });
}

static void
name_half_a_key(struct edge *edge)
{
	ask_to_sign(edge, SPAN("0000000000000000"), SPAN("x"));
}

/* As the administrator, as a relay, and as what is none of the house. */
static void
order_the_queue(struct edge *edge)
{
	(void)link_send_suspend_ask(edge->queue, &(struct msg_suspend_ask){
	    .request = 1, .queue = SPAN("main"), .relay = SPAN("out") });
}

static void
end_deliveries(struct edge *edge)
{
	(void)link_send_delivery_listed(edge->queue,
	    &(struct msg_delivery_listed){ 1000 });
}

static void
have_names_resolved(struct edge *edge)
{
	if (link_of(edge->keys) == NULL)
		return;
	(void)link_send_resolve_ask(link_of(edge->keys),
	    &(struct msg_resolve_ask){ .request = 1, .rrtype = 1,
	    .name = SPAN("there.example") });
}

/* Say it over every link that there is, past the codec. */
static void
say_raw(const uint8_t *bytes, size_t len)
{
	socklen_t type_len = sizeof(int);
	int type;

	for (int fd = 3; fd < FDS; fd++)
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type,
		    &type_len) == 0 && type == SOCK_SEQPACKET)
			(void)send(fd, bytes, len,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
say_half_a_head(struct edge *edge)
{
	static const uint8_t half[] = { MSG_process_pong, 0, 0 };

	say_raw(half, sizeof(half));
}

static void
lie_of_fields(struct edge *edge)
{
	static const uint8_t frames[][16] = {
		{ MSG_process_pong, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
		{ MSG_process_pong, 0, 0, 0, 4, 0, 0, 0 },
		{ 0xff, 0xff, 0, 0, 8, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		say_raw(frames[i], sizeof(frames[i]));
}

/* Connections to sockets that no option of ours names. */
static void
have_endpoints(struct edge *edge)
{
	uint8_t frame[32] = { MSG_endpoint_ask, 0, 0, 0, 10, 0, 0, 0 };

	for (unsigned i = 0; i < ASKS; i++) {
		frame[8] = (uint8_t)i;		/* request, then index */
		frame[16] = (uint8_t)(i >> 8);
		say_raw(frame, 18);
	}
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
		{ "evil-guesses.example", guess_passwords },
		{ "evil-half.example", name_half_a_key },
		{ "evil-orders.example", order_the_queue },
		{ "evil-relay.example", end_deliveries },
		{ "evil-resolver.example", have_names_resolved },
		{ "evil-head.example", say_half_a_head },
		{ "evil-fields.example", lie_of_fields },
		{ "evil-endpoints.example", have_endpoints },
	};

	honest_open(t);
	if (strncmp(t->origin.helo, "evil-sign.", 10) == 0 &&
	    strlen(t->origin.helo) > 10 + 2 * KEYS_ID_LEN)
		sign(t->edge, t->origin.helo);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (strcmp(t->origin.helo, lies[i].word) == 0)
			lies[i].lie(t->edge);
}
