/* leftover.c - a gap in the text is marked by a line of its own. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "queue/salvage/leftover.h"
#include "queue/salvage/say.h"

static FILE *
create(int dir_fd, struct id id, const char *suffix)
{
	char name[ID_TEXT_LEN + 8];
	FILE *f;
	int fd;

	id_text(id, name);
	strlcat(name, suffix, sizeof(name));
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return NULL;
	if ((f = fdopen(fd, "w")) == NULL)
		close(fd);
	return f;
}

static enum err
finish(FILE *f)
{
	bool bad = fflush(f) == EOF || fsync(fileno(f)) == -1;

	return fclose(f) == EOF || bad ? ERR_SYS : OK;
}

/* What stands there of one part, in order. */
static void
write_part(FILE *f, const struct rows *r, const struct verdict *v,
    enum table t, uint64_t len)
{
	size_t cnt;
	const struct row *row = rows_of(r, t, v->id, &cnt);
	uint32_t next = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (row[i].is_bad || rows_no(&row[i]) < next)
			continue;
		if (rows_no(&row[i]) != next)
			fputs("\r\n[postern: text is missing here]\r\n", f);
		fwrite(row[i].value, 1, row[i].value_len, f);
		next = rows_no(&row[i]) + 1;
	}
	if (v->has_message && next < (len + CHUNK_MAX - 1) / CHUNK_MAX)
		fputs("\r\n[postern: text is missing here]\r\n", f);
}

static enum err
write_text(int dir_fd, const struct rows *r, const struct verdict *v)
{
	size_t header, body;
	FILE *f;

	(void)rows_of(r, TABLE_HEADER, v->id, &header);
	(void)rows_of(r, TABLE_BODY, v->id, &body);
	if (header + body == 0)
		return OK;
	if ((f = create(dir_fd, v->id, ".eml")) == NULL)
		return ERR_SYS;
	write_part(f, r, v, TABLE_HEADER, v->message.header_len);
	write_part(f, r, v, TABLE_BODY, v->message.body_len);
	return finish(f);
}

/* Recipients that were decided, of which the sender has not heard. */
static void
write_reports(FILE *f, const struct rows *r, const struct verdict *v,
    bool went)
{
	const struct row *row;
	union record rec;
	size_t at = 0;

	while ((row = judge_report(r, v->id, &at)) != NULL) {
		fputs(went ? "report queued: " : "report not queued: ", f);
		if (record_get(rows_value(row), RECORD_report, &rec) == OK)
			say_text(f, rec.report.address);
		else
			fputs("(cannot be read)", f);
		fputc('\n', f);
	}
}

enum err
leftover_write(int dir_fd, const struct rows *r, const struct verdict *v,
    bool went)
{
	FILE *f = create(dir_fd, v->id, ".txt");

	if (f == NULL)
		return ERR_SYS;
	say_message(f, false, v, NULL);
	for (size_t i = 0; i < v->rcpt_cnt; i++) {
		fputs(went && v->rcpts[i].is_good ? "queued: " :
		    "not queued: ", f);
		say_text(f, v->rcpts[i].address);
		fputc('\n', f);
	}
	if (v->rcpt_missing > 0)
		fprintf(f, "not queued: %" PRIu64 " recipients that cannot be "
		    "read\n", v->rcpt_missing);
	write_reports(f, r, v, went);
	if (finish(f) != OK)
		return ERR_SYS;
	return write_text(dir_fd, r, v);
}
