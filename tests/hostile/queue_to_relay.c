/*
 * queue_to_relay.c - a queue that was taken over, in place of
 * queue/to_relay.c: a delivery to evil-WORD-PID@, where PID is its own, has it
 * lie to its relay or to its edges in this way; of all else it is honest.
 * evil-others-PID-ID@ is about the message of that id, which another queue has.
 */
#include <sys/socket.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "queue/intake/intake_inside.h"
#include "sys/clock.h"

#define to_relay_open honest_open
#define to_relay_settled honest_settled
#include "queue/to_relay.c"
#undef to_relay_open
#undef to_relay_settled

void	to_relay_open(struct worker *, const struct delivery *);
void	to_relay_settled(struct worker *, struct id, uint32_t, uint64_t);

#define GIANTS		100	/* deliveries				*/
#define GIANT		100000	/* recipients of each			*/
#define ADDRESSES	30000	/* of them that are said		*/
#define LEAGUE		10	/* deliveries that are never settled	*/
#define LEAGUE_RCPTS	200	/* of each				*/
#define LEAGUE_NO	(1u << 20) /* the first of their numbers	*/
#define AGO_MS		2000	/* when the attempt of another may have begun */
#define FDS		64	/* that may be links			*/

static struct msg_delivery_open
open_of(const struct delivery *dl, uint32_t no, uint32_t rcpt_cnt)
{
	return (struct msg_delivery_open){
		.id = dl->place.id, .delivery = no, .attempt = dl->attempt,
		.rcpt_cnt = rcpt_cnt, .header_len = 1,
		.destination = SPAN("there.example"),
		.sender = SPAN("eve@evil.example"),
	};
}

static void
say_rcpts(struct worker *w, const struct delivery *dl, uint32_t no,
    uint32_t cnt)
{
	char address[1000];

	memset(address, 'x', sizeof(address));
	for (uint32_t i = 0; i < cnt; i++)
		(void)link_send_delivery_rcpt(w->link,
		    &(struct msg_delivery_rcpt){ .id = dl->place.id,
		    .delivery = no, .attempt = dl->attempt, .rcpt_no = i,
		    .rcpt = { address, sizeof(address) } });
}

static void
announce_too_many(struct worker *w, const struct delivery *dl)
{
	struct msg_delivery_open m = open_of(dl, 7, UINT32_MAX);

	(void)link_send_delivery_open(w->link, &m);
}

static void
announce_giants(struct worker *w, const struct delivery *dl)
{
	for (uint32_t i = 0; i < GIANTS; i++) {
		struct msg_delivery_open m = open_of(dl, 7 + i, GIANT);

		(void)link_send_delivery_open(w->link, &m);
	}
}

/* Until our own link has had enough; each delivery has another number. */
static void
say_addresses(struct worker *w, const struct delivery *dl)
{
	static uint32_t no = 1000;
	struct msg_delivery_open m = open_of(dl, ++no, ADDRESSES + 1);

	(void)link_send_delivery_open(w->link, &m);
	say_rcpts(w, dl, no, ADDRESSES);
}

/*
 * To a next hop that has a kilobyte to say of each recipient, and waits for
 * their names.
 */
static void
be_in_league(struct worker *w, const struct delivery *dl)
{
	static uint32_t no = LEAGUE_NO;
	char rcpt[64];

	for (unsigned i = 0; i < LEAGUE; i++) {
		struct msg_delivery_open m = open_of(dl, ++no, LEAGUE_RCPTS);

		(void)link_send_delivery_open(w->link, &m);
		for (uint32_t n = 0; n < LEAGUE_RCPTS; n++) {
			snprintf(rcpt, sizeof(rcpt), "words-%u@there.example",
			    n);
			(void)link_send_delivery_rcpt(w->link,
			    &(struct msg_delivery_rcpt){ .id = dl->place.id,
			    .delivery = no, .attempt = dl->attempt,
			    .rcpt_no = n, .rcpt = span_of(rcpt) });
		}
	}
}

/* What is in league with a next hop stays in the relay for good. */
void
to_relay_settled(struct worker *w, struct id id, uint32_t no,
    uint64_t attempt)
{
	if (no < LEAGUE_NO)
		honest_settled(w, id, no, attempt);
}

static void
open_twice(struct worker *w, const struct delivery *dl)
{
	for (unsigned i = 0; i < 2; i++) {
		struct msg_delivery_open m = open_of(dl, 7, 2);

		(void)link_send_delivery_open(w->link, &m);
	}
}

static void
push_text(struct worker *w, const struct delivery *dl)
{
	(void)link_send_delivery_piece(w->link, &(struct msg_delivery_piece){
	    .id = dl->place.id, .delivery = dl->place.no,
	    .attempt = dl->attempt, .part = PART_BODY, .piece_no = 99 },
	    SPAN("From: you@there.example\r\n"));
}

/* An attempt is named by the millisecond at which it began. */
static void
end_others(struct worker *w, const struct delivery *dl)
{
	struct span whom = dl->envelope->rcpts[0].address;
	size_t at = span_find(whom, '@');
	struct id id;
	int64_t now_ms = clock_wall_ms();

	if (at < ID_TEXT_LEN || !id_parse(span_head(span_tail(whom,
	    at - ID_TEXT_LEN), ID_TEXT_LEN), &id))
		return;
	for (int64_t ms = now_ms - AGO_MS; ms <= now_ms; ms++) {
		uint64_t attempt = (uint64_t)ms << 20;

		for (uint32_t no = 0; no < 2; no++) {
			(void)link_send_delivery_settled(w->link,
			    &(struct msg_delivery_settled){ id, no, attempt });
			(void)link_send_delivery_recall(w->link,
			    &(struct msg_delivery_recall){ id, no, attempt });
			(void)link_send_delivery_piece(w->link,
			    &(struct msg_delivery_piece){ id, no, attempt,
			    PART_BODY, 0, PIECE_NEXT }, SPAN("Mine"));
		}
	}
}

/* As a resolver. */
static void
resolve(struct worker *w, const struct delivery *dl)
{
	(void)link_send_resolve_answer(w->link, &(struct msg_resolve_answer){
	    .request = 1 });
}

/* Over every link that there is, past the codec. */
static void
say_half_a_head(struct worker *w, const struct delivery *dl)
{
	static const uint8_t half[] = { MSG_delivery_settled, 0, 0 };
	socklen_t len = sizeof(int);
	int type;

	for (int fd = 3; fd < FDS; fd++)
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		    type == SOCK_SEQPACKET)
			(void)send(fd, half, sizeof(half),
			    MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* To its edges. */

static void
grant_what_nobody_opened(struct worker *w, const struct delivery *dl)
{
	struct edge *ed;

	LIST_FOREACH(ed, &w->queue->intake->edges, entry)
		(void)link_send_mail_grant(ed->link, &(struct msg_mail_grant){
		    ed->highest + 1000, dl->place.id });
}

/* Of all its streams: also of those whose text is still on its way. */
static void
take_what_is_not_whole(struct worker *w, const struct delivery *dl)
{
	struct edge *ed;

	LIST_FOREACH(ed, &w->queue->intake->edges, entry)
		for (uint64_t no = 1; no < ed->highest; no++)
			(void)link_send_mail_taken(ed->link,
			    &(struct msg_mail_taken){ .stream = no });
}

static void
give_credit_without_end(struct worker *w, const struct delivery *dl)
{
	struct edge *ed;

	LIST_FOREACH(ed, &w->queue->intake->edges, entry)
		for (uint64_t no = 1; no < ed->highest; no++)
			(void)link_send_mail_credit(ed->link,
			    &(struct msg_mail_credit){ no, UINT32_MAX });
}

void
to_relay_open(struct worker *w, const struct delivery *dl)
{
	static const struct {
		const char	*word;
		void		(*lie)(struct worker *,
				    const struct delivery *);
	} lies[] = {
		{ "counts", announce_too_many },
		{ "giants", announce_giants },
		{ "addresses", say_addresses },
		{ "league", be_in_league },
		{ "twice", open_twice },
		{ "text", push_text },
		{ "others", end_others },
		{ "resolver", resolve },
		{ "head", say_half_a_head },
		{ "grant", grant_what_nobody_opened },
		{ "taken", take_what_is_not_whole },
		{ "credit", give_credit_without_end },
	};
	struct span whom = dl->envelope->rcpts[0].address;
	char name[64];

	honest_open(w, dl);
	for (size_t i = 0; w->link != NULL &&
	    i < sizeof(lies) / sizeof(lies[0]); i++) {
		snprintf(name, sizeof(name), "evil-%s-%d", lies[i].word,
		    (int)getpid());
		if (span_eq(span_head(whom, strlen(name)), span_of(name)))
			lies[i].lie(w, dl);
	}
}
