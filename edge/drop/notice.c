/*
 * notice.c - what the file says of itself is passed on as it stands, and
 * refused by the session if it cannot be.
 */
#include <sys/random.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "edge/smtp/response.h"
#include "edge/drop/notice.h"
#include "mail/date.h"
#include "mail/dropped.h"
#include "mail/dsn.h"
#include "sys/clock.h"

#define RETURNED_MAX	(64u << 10)	/* bytes of a header section	*/

/* More of *text; the old is gone also on error. */
static enum err
append(char **text, const char *more)
{
	char *was = *text;
	int len = asprintf(text, "%s%s", was != NULL ? was : "", more);

	free(was);
	if (len >= 0)
		return OK;
	*text = NULL;
	return ERR_FULL;
}

enum err
notice_add(struct notice *n, struct span rcpt, const struct response *no)
{
	char line[2048];
	enum err e;

	if (n->cnt++ == 0) {
		snprintf(n->first, sizeof(n->first), "%s", no->text);
		(void)span_cstr(rcpt, n->rcpt, sizeof(n->rcpt));
	}
	snprintf(line, sizeof(line), "  <%.*s>\r\n    %s\r\n", (int)rcpt.len,
	    rcpt.ptr, no->text);
	if ((e = append(&n->words, line)) != OK)
		return e;
	snprintf(line, sizeof(line), "\r\nFinal-Recipient: rfc822; %.*s\r\n"
	    "Action: failed\r\nStatus: %s\r\nDiagnostic-Code: smtp; %s\r\n",
	    (int)rcpt.len, rcpt.ptr, no->status[0] == '5' ? no->status :
	    "5.0.0", no->text);
	return append(&n->fields, line);
}

bool
notice_is_empty(const struct notice *n)
{
	return n->cnt == 0;
}

const char *
notice_first(const struct notice *n)
{
	return n->first;
}

/* The header section of the file, with its last CRLF; "" where it has none. */
static enum err
read_header(const struct dropped *d, int fd, char **out)
{
	size_t want = d->text_len < RETURNED_MAX ? (size_t)d->text_len :
	    RETURNED_MAX;
	char *buf = calloc(1, want + 1), *end;
	ssize_t n;

	if (buf == NULL)
		return ERR_FULL;
	n = pread(fd, buf, want, (off_t)d->head_len);
	if (n == -1) {
		free(buf);
		return ERR_SYS;
	}
	buf[n] = '\0';
	end = strstr(buf, "\r\n\r\n");
	if (end != NULL)
		end[2] = '\0';
	else if ((end = strrchr(buf, '\n')) != NULL)
		end[1] = '\0';
	*out = buf;
	return OK;
}

static void
write_fields(FILE *out, const struct notice *n, const char *host,
    const struct dropped *d, const char *boundary)
{
	int64_t now_ms = clock_wall_ms();
	char date[DATE_TEXT_LEN + 1];

	date_text(now_ms, date);
	fprintf(out, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <%.*s>\r\nSubject: Undelivered: no such mail could be sent\r\n"
	    "Date: %s\r\nMessage-ID: <%s@%s>\r\n"
	    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"%s\"\r\n\r\n", host, (int)d->sender.len,
	    d->sender.ptr, date, boundary, host, boundary);
}

enum err
notice_make(struct notice *n, const char *host, const struct dropped *d,
    int fd)
{
	char *header = NULL, boundary[40];
	uint64_t random = 0;
	FILE *out;
	enum err e;

	if (n->words == NULL || n->fields == NULL)
		return ERR_FULL;
	if ((e = read_header(d, fd, &header)) != OK)
		return e;
	(void)!getrandom(&random, sizeof(random), 0);
	snprintf(boundary, sizeof(boundary), "drop.%016" PRIx64, random);
	if ((out = open_memstream(&n->text, &n->text_len)) == NULL) {
		free(header);
		return ERR_FULL;
	}
	write_fields(out, n, host, d, boundary);
	fprintf(out, "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n"
	    "Your message was kept until the mail server could take it.\r\n"
	    "It takes none for these recipients:\r\n\r\n%s\r\n",
	    boundary, d->is_utf8 ? "8bit" : "7bit", n->words);
	fprintf(out, "--%s\r\nContent-Type: message/delivery-status\r\n\r\n"
	    "Reporting-MTA: dns; %s\r\n%s\r\n", boundary, host, n->fields);
	fprintf(out, "--%s\r\nContent-Type: text/rfc822-headers\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n%s\r\n--%s--\r\n", boundary,
	    d->is_8bit ? "8bit" : "7bit", header, boundary);
	free(header);
	return fclose(out) == EOF ? ERR_FULL : OK;
}

struct span
notice_text(const struct notice *n)
{
	return (struct span){ n->text, n->text_len };
}

void
notice_log(const struct notice *n, struct span sender)
{
	struct log_line l;

	log_begin(&l, LOG_discarded);
	log_str(&l, LOG_KEY_from, sender);
	log_text(&l, LOG_KEY_rcpt, n->rcpt);
	log_num(&l, LOG_KEY_count, n->cnt);
	log_text(&l, LOG_KEY_why, n->first);
	log_end(&l);
}

void
notice_clear(struct notice *n)
{
	free(n->words);
	free(n->fields);
	free(n->text);
	memset(n, 0, sizeof(*n));
}
