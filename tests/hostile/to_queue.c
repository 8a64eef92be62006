/*
 * to_queue.c - a relay that was taken over, in place of relay/to_queue.c: the
 * block named "evil" lies, others of the same program are honest.
 *
 * It keeps to itself what becomes of its own deliveries.  On each new link it
 * speaks of all deliveries of the messages it has heard of, whose they are,
 * and says that they have failed for good, in its own words; and it has more
 * slots than can be.  Mail to sign-KEY-PID@, where PID is its own, has it ask
 * the vault for signatures by the key of that id, in hex, over each link; to
 * words-ANY@, say a result for each recipient in as many words as there can be,
 * and never that this was all.
 */
#include <sys/socket.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask/keys.h"

#include "relay/to_queue.h"

#define KNOWN_MAX	16	/* messages				*/
#define OTHERS		4	/* deliveries guessed of each		*/
#define ATTEMPT		7
#define FDS		64	/* that may be links			*/
#define SCHEME		0x0804	/* rsa_pss_rsae_sha256			*/

static struct id known[KNOWN_MAX];
static unsigned known_cnt;

static bool
is_evil(const struct delivery *d)
{
	return span_eq(d->destination, SPAN("evil"));
}

static void
learn(struct id id)
{
	for (unsigned i = 0; i < known_cnt; i++)
		if (id_cmp(known[i], id) == 0)
			return;
	if (known_cnt < KNOWN_MAX)
		known[known_cnt++] = id;
}

static void
lie(struct link *l, struct id id, uint32_t delivery)
{
	struct msg_delivery_result r = {
		.id = id, .delivery = delivery, .attempt = ATTEMPT,
		.class = CLASS_NEVER, .scope = SCOPE_RECIPIENT,
		.stage = STAGE_RCPT, .code = 550,
		.reply = SPAN("5.1.1 Words of the one that lies"),
	};

	(void)link_send_delivery_running(l, &(struct msg_delivery_running){
	    id, delivery, ATTEMPT });
	for (r.rcpt_no = 0; r.rcpt_no < OTHERS; r.rcpt_no++)
		(void)link_send_delivery_result(l, &r);
	(void)link_send_delivery_done(l, &(struct msg_delivery_done){
	    .id = id, .delivery = delivery, .attempt = ATTEMPT,
	    .result_cnt = OTHERS });
}

static bool
is_for_words(const struct delivery *d)
{
	for (uint32_t i = 0; d->rcpts != NULL && i < d->rcpt_cnt; i++)
		if (span_begins(d->rcpts[i].address, SPAN("words-")))
			return true;
	return false;
}

static void
be_wordy(struct link *l, const struct delivery *d)
{
	char words[REPLY_TEXT_MAX];
	struct msg_delivery_result r = {
		.id = d->id, .delivery = d->delivery, .attempt = d->attempt,
		.class = CLASS_LATER, .scope = SCOPE_RECIPIENT,
		.stage = STAGE_RCPT, .code = 450,
		.reply = { words, sizeof(words) },
	};

	memset(words, 'w', sizeof(words));
	link_set_queue_max(l, (size_t)1 << 30);
	for (uint32_t i = 0; i < d->rcpt_cnt; i++) {
		r.rcpt_no = d->rcpts[i].no;
		(void)link_send_delivery_result(l, &r);
	}
}

/*
 * Past the codec: which of the links is the vault's is not known here.  Those
 * of queues and master, to whom it is nonsense, were there before.
 */
static void
ask_to_sign(struct span key, struct span text)
{
	uint8_t frame[1024] = { MSG_sign_ask };
	struct wire_out w = { frame + 8, 0, 256, false };
	socklen_t type_len = sizeof(int);
	int type;

	msg_put(&w, MSG_sign_ask, &(struct msg_sign_ask){ .request = 1000000,
	    .scheme = SCHEME, .key = key });
	frame[4] = (uint8_t)w.len;
	memcpy(frame + 8 + w.len, text.ptr, text.len);
	for (int fd = FDS; fd-- > 3; )
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type,
		    &type_len) == 0 && type == SOCK_SEQPACKET)
			(void)send(fd, frame, 8 + w.len + text.len,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static unsigned
digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10) & 0xf;
}

/* As a server would: what a client signs has other words. */
static void
sign(struct span key_hex)
{
	static const char words[] = "TLS 1.3, server CertificateVerify";
	char id[KEYS_ID_LEN], text[64 + sizeof(words) + 32];

	for (size_t i = 0; i < sizeof(id); i++)
		id[i] = (char)(digit(key_hex.ptr[2 * i]) << 4 |
		    digit(key_hex.ptr[2 * i + 1]));
	memset(text, ' ', 64);
	memcpy(text + 64, words, sizeof(words));
	memset(text + 64 + sizeof(words), 'h', 32);
	ask_to_sign((struct span){ id, sizeof(id) },
	    (struct span){ text, sizeof(text) });
}

static void
do_as_told(const struct delivery *d)
{
	struct span rcpt = d->rcpts != NULL ? d->rcpts[0].address : SPAN("");

	char pid[16];

	snprintf(pid, sizeof(pid), "-%d@", (int)getpid());
	learn(d->id);
	if (rcpt.len > 5 + 2 * KEYS_ID_LEN &&
	    span_eq(span_head(rcpt, 5), SPAN("sign-")) &&
	    span_eq(span_head(span_tail(rcpt, 5 + 2 * KEYS_ID_LEN),
	    strlen(pid)), span_of(pid)))
		sign(span_tail(rcpt, 5));
}

void
to_queue_pull(struct link *l, const struct delivery *d, enum part part,
    uint32_t piece_no)
{
	(void)link_send_delivery_pull(l, &(struct msg_delivery_pull){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt,
	    .part = (uint8_t)part, .piece_no = piece_no });
}

void
to_queue_results(struct link *l, const struct delivery *d)
{
	uint32_t cnt = 0;

	if (is_evil(d)) {
		do_as_told(d);
		if (is_for_words(d))
			be_wordy(l, d);
		return;
	}
	for (uint32_t i = 0; d->rcpts != NULL && i < d->rcpt_cnt; i++) {
		const struct delivery_rcpt *r = &d->rcpts[i];

		if (r->outcome == NULL)
			continue;
		(void)link_send_delivery_result(l,
		    &(struct msg_delivery_result){
		    .id = d->id, .delivery = d->delivery,
		    .attempt = d->attempt, .rcpt_no = r->no,
		    .class = (uint8_t)r->outcome->verdict.class,
		    .scope = (uint8_t)r->outcome->verdict.scope,
		    .stage = (uint8_t)r->outcome->verdict.stage,
		    .code = r->outcome->verdict.code,
		    .reply = r->outcome->verdict.text,
		    .hop = r->outcome->hop });
		cnt++;
	}
	(void)link_send_delivery_done(l, &(struct msg_delivery_done){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt,
	    .result_cnt = cnt, .host = d->host, .room = d->room });
}

void
to_queue_back(struct link *l, const struct delivery *d, enum back why)
{
	(void)link_send_delivery_back(l, &(struct msg_delivery_back){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt,
	    .why = (uint8_t)why, .host = d->host });
}

void
to_queue_running(struct link *l, const struct delivery *d)
{
	(void)link_send_delivery_running(l, &(struct msg_delivery_running){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt });
}

void
to_queue_listed(struct link *l, uint32_t slots)
{
	for (unsigned i = 0; i < known_cnt; i++)
		for (uint32_t no = 0; no < OTHERS; no++)
			lie(l, known[i], no);
	(void)link_send_delivery_listed(l, &(struct msg_delivery_listed){
	    .slots = known_cnt > 0 ? UINT32_MAX : slots });
}

void
to_queue_can(struct link *l, const struct msg_relay_can *m)
{
	(void)link_send_relay_can(l, m);
}

void
to_queue_word(struct link *l, const struct delivery *d, enum stage stage,
    uint32_t rcpt_no, const struct verdict *v, struct span hop)
{
	(void)link_send_delivery_word(l, &(struct msg_delivery_word){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt,
	    .stage = (uint8_t)stage, .rcpt_no = rcpt_no, .code = v->code,
	    .reply = v->text, .hop = hop });
}

void
to_queue_user(struct link *l, uint64_t no, enum user_found found,
    struct span names)
{
	(void)link_send_user_answer(l, &(struct msg_user_answer){
	    .no = no, .found = (uint8_t)found, .names = names });
}
