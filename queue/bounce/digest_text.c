/*
 * digest_text.c - the list goes to a stream of its own first, for only then it
 * is known whether it needs an encoding.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "bus/messages.h"
#include "mail/date.h"
#include "mail/encoded.h"
#include "queue/bounce/bounce_safe.h"
#include "queue/bounce/digest_text.h"

static void
put_date(FILE *f, const char *name, int64_t ms, const char *end)
{
	char date[DATE_TEXT_LEN + 1];

	date_text(ms, date);
	fprintf(f, "%s%s%s", name, date, end);
}

static void
put_field(FILE *f, const char *name, struct span s)
{
	fprintf(f, "    %s", name);
	bounce_safe_text(f, s, true);
	fputs("\r\n", f);
}

static void
put_address(FILE *f, const char *name, struct span s)
{
	fprintf(f, "    %s<", name);
	bounce_safe_text(f, s, true);
	fputs(">\r\n", f);
}

static void
put_reply(FILE *f, const struct record_discard *d)
{
	fputs("    Error:     ", f);
	if (d->code != 0)
		fprintf(f, "%u ", d->code);
	bounce_safe_text(f, d->reply, true);
	fputs("\r\n", f);
}

static void
put_row(FILE *f, const struct discard_row *row)
{
	const struct record_discard *d = &row->rec;
	char id[ID_TEXT_LEN + 1];

	id_text(row->id, id);
	put_date(f, "", row->at_ms, "\r\n");
	fprintf(f, "    Message:   %s\r\n", id);
	if (row->is_lost) {
		fputs("    The record of it is damaged.\r\n\r\n", f);
		return;
	}
	put_address(f, "Sender:    ", d->sender);
	if (d->address.len > 0)
		put_address(f, "Recipient: ", d->address);
	put_reply(f, d);
	put_field(f, "Discarded: ", d->why);
	fputs("\r\n", f);
}

static void
put_list(FILE *f, const struct digest_about *d)
{
	const struct discard_rows *rows = d->rows;
	uint64_t left = rows->all_cnt;
	uint32_t no;

	fputs("This is the mail system at ", f);
	bounce_safe_text(f, d->hostname, true);
	fputs(", queue ", f);
	bounce_safe_text(f, d->queue, true);
	fprintf(f, ".\r\n\r\nDelivery to %" PRIu64 " recipient%s failed, and "
	    "nobody was told: the message has\r\nno sender, or there is no "
	    "way to send its sender a bounce.\r\n\r\n", left,
	    left == 1 ? "" : "s");
	for (no = 0; no < rows->text_cnt && ftello(f) < DIGEST_BYTES_MAX;
	    no++, left--)
		put_row(f, &rows->rows[no]);
	if (left > 0)
		fprintf(f, "... and %" PRIu64 " more.  Each has a line with "
		    "event=discarded in the log.\r\n\r\n", left);
	fputs("This message is sent at most once an hour, and only when there "
	    "is something\r\nto tell.  postern-queue(8) says how to avoid "
	    "such losses.\r\n", f);
}

static void
put_header(FILE *f, const struct digest_about *d)
{
	uint64_t cnt = d->rows->all_cnt;
	char id[ID_TEXT_LEN + 1];

	put_date(f, "Date: ", d->now_ms, "\r\nFrom: MAILER-DAEMON@");
	bounce_safe_text(f, d->home, false);
	fprintf(f, "\r\nTo: <%.*s>\r\nSubject: %" PRIu64 " recipient%s failed, "
	    "and no sender was told\r\n", (int)d->to.len, d->to.ptr, cnt,
	    cnt == 1 ? "" : "s");
	id_text(d->id, id);
	fprintf(f, "Auto-Submitted: auto-generated\r\nMessage-ID: <%s@", id);
	bounce_safe_text(f, d->hostname, false);
	fputs(">\r\nMIME-Version: 1.0\r\n", f);
}

/* Close a stream; false: what it holds is not all, and is freed. */
static bool
finish(FILE *f, char **text)
{
	bool bad = ferror(f) != 0;

	if (fclose(f) != EOF && !bad)
		return true;
	free(*text);
	*text = NULL;
	return false;
}

static char *
write_list(const struct digest_about *d, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (f == NULL)
		return NULL;
	put_list(f, d);
	return finish(f, &text) ? text : NULL;
}

/* Words beyond ASCII are encoded, so that they need no 8BITMIME. */
static bool
write_all(struct bounce_text *t, const struct digest_about *d,
    struct span list)
{
	bool ascii = utf8_is_ascii(list);
	FILE *f = open_memstream(&t->text, &t->len);
	bool bad;

	if (f == NULL)
		return false;
	put_header(f, d);
	fprintf(f, "Content-Type: text/plain; charset=%s\r\n%s\r\n",
	    ascii ? "us-ascii" : "utf-8", ascii ? "" :
	    "Content-Transfer-Encoding: quoted-printable\r\n");
	bad = fflush(f) == EOF;
	t->header_len = t->len;
	if (ascii)
		fwrite(list.ptr, 1, list.len, f);
	else
		encoded_put_text(f, list);
	return finish(f, &t->text) && !bad;
}

enum err
digest_text_write(struct bounce_text *out, const struct digest_about *d)
{
	struct bounce_text t = { NULL, 0, 0, 0 };
	size_t len;
	char *list = write_list(d, &len);
	bool good = list != NULL && write_all(&t, d,
	    (struct span){ list, len });

	free(list);
	if (!good)
		return ERR_SYS;
	t.flags = MAIL_DIGEST | (utf8_is_ascii(d->to) ? 0 :
	    MAIL_SMTPUTF8 | MAIL_8BIT);
	*out = t;
	return OK;
}
