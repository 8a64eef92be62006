/*
 * salvage_kit - a store as it is after a while: messages of several sizes,
 * recipients and deliveries that are held, due and deferred, among pages that
 * messages long gone have left behind.  Its file is read once; each test
 * damages a copy.
 */
#ifndef TESTS_SALVAGE_KIT_H
#define TESTS_SALVAGE_KIT_H

#include "queue_kit.h"
#include "queue/salvage/judge.h"

#define SALVAGE_MESSAGES	120
#define SALVAGE_GONE		80
#define SALVAGE_TEXT_MAX	(40 * CHUNK_MAX)

struct salvage_mail {
	struct kit_mail	 mail;
	struct store_delivery where[3];
	uint32_t	 rcpt_delivery[4];
	size_t		 header_len, body_len;
	char		 tag;
};

struct salvage_kit {
	struct kit	 kit;
	char		*text;		/* all texts begin somewhere in it */
	struct salvage_mail mails[SALVAGE_MESSAGES + SALVAGE_GONE];
	uint8_t		*bytes;		/* the file			*/
	size_t		 len;
};

static inline void
salvage_mail(struct salvage_kit *s, unsigned i)
{
	static const size_t sizes[] = {
		0, 100, 1000, 3000, CHUNK_MAX, 9000, 5 * CHUNK_MAX + 1,
	};
	struct salvage_mail *m = &s->mails[i];
	struct store_accept *a = &m->mail.accept;

	m->header_len = 200 + i % 7 * 300;
	m->body_len = i % 40 == 39 ? 18 * CHUNK_MAX + 5 : sizes[i % 7];
	kit_mail(&s->kit, &m->mail, (struct span){ s->text + i,
	    m->header_len }, (struct span){ s->text + 2 * i, m->body_len });
	m->mail.rcpts[1] = SPAN("second@example.net");
	m->mail.rcpts[2] = SPAN("third@example.com");
	a->message.rcpt_cnt = 1 + i % 3;
	a->message.delivery_cnt = a->message.rcpt_cnt;
	for (unsigned d = 0; d < 3; d++) {
		m->where[d] = m->mail.where;
		m->where[d].destination = span_of((const char *[]){
		    "example.org", "example.net", "example.com" }[d]);
		if (i % 10 == 9)
			m->where[d].due_ms = STORE_HELD_MS;
		m->rcpt_delivery[d] = d;
	}
	a->deliveries = m->where;
	a->rcpt_delivery = m->rcpt_delivery;
}

/* A delivery of one of those that are to be gone. */
static inline void
salvage_settle(struct salvage_kit *s, struct salvage_mail *m, uint32_t no)
{
	struct store_change c = {
		.rcpt_no = no, .class = CLASS_DONE, .code = 250,
		.address = m->mail.rcpts[no],
	};
	struct store_settle st = {
		.id = m->mail.mail.id, .no = no, .is_over = true,
		.changes = &c, .change_cnt = 1,
	};
	unsigned before = s->kit.back_cnt;

	store_settle(s->kit.store, &st, kit_back, &s->kit);
	kit_until(&s->kit, s->kit.back_cnt > before);
	assert_int_equal(s->kit.last, OK);
}

/* The first piece of a text that has two. */
static inline void
salvage_piece(struct salvage_kit *s, struct salvage_mail *m)
{
	struct store_accept *a = &m->mail.accept;
	struct store_piece p = {
		.mail = &m->mail.mail, .part = PART_BODY,
		.text = span_head(a->body, PIECE_MAX),
	};
	unsigned before = s->kit.back_cnt;

	if (m->body_len <= PIECE_MAX)
		return;
	store_put_piece(s->kit.store, &p, kit_back, &s->kit);
	kit_until(&s->kit, s->kit.back_cnt > before);
	s->kit.back_cnt = before;
	a->body = span_tail(a->body, PIECE_MAX);
	a->body_piece_no = 1;
}

static inline void
salvage_accept(struct salvage_kit *s)
{
	const unsigned all = SALVAGE_MESSAGES + SALVAGE_GONE;
	struct kit *k = &s->kit;

	for (unsigned i = 0; i < all; i++) {
		salvage_mail(s, i);
		kit_until(k, k->back_cnt == i);
		salvage_piece(s, &s->mails[i]);
		store_accept(k->store, &s->mails[i].mail.accept, kit_back, k);
	}
	kit_until(k, k->back_cnt == all);
}

/* All deliveries of messages from this one on, before that one, are over. */
static inline void
salvage_end(struct salvage_kit *s, unsigned from, unsigned before)
{
	for (unsigned i = from; i < before; i++)
		for (unsigned no = 0; no < 1 + i % 3; no++)
			salvage_settle(s, &s->mails[i], no);
}

static inline void
salvage_slurp(struct salvage_kit *s)
{
	char path[128];
	FILE *f;
	long len;

	snprintf(path, sizeof(path), "%s/data.mdb", s->kit.dir);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	len = ftell(f);
	rewind(f);
	s->len = (size_t)len;
	s->bytes = malloc(s->len);
	assert_int_equal(fread(s->bytes, 1, s->len, f), s->len);
	fclose(f);
}

/* An empty store. */
static inline void
salvage_begin(struct salvage_kit *s)
{
	kit_dir(&s->kit, "/dev/shm");
	s->text = malloc(SALVAGE_TEXT_MAX);
	for (size_t i = 0; i < SALVAGE_TEXT_MAX; i++)
		s->text[i] = i % 77 == 76 ? '\n' : (char)('a' + i % 23);
	kit_reopen(&s->kit);
}

/* The store is closed again, its file read; kit_close() the kit. */
static inline void
salvage_open(struct salvage_kit *s)
{
	salvage_begin(s);
	salvage_accept(s);
	salvage_end(s, SALVAGE_MESSAGES, SALVAGE_MESSAGES + SALVAGE_GONE);
	store_close(&s->kit.store);
	salvage_slurp(s);
}

static inline void
salvage_close(struct salvage_kit *s)
{
	kit_close(&s->kit);
	free(s->bytes);
	free(s->text);
}

#endif
