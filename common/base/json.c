/* json.c - commas, quotes and escapes. */
#include <inttypes.h>
#include <time.h>

#include "base/utf8.h"
#include "base/json.h"

static void
begin(struct json *j, const char *name)
{
	if (j->has_one)
		fputc(',', j->out);
	if (name != NULL)
		fprintf(j->out, "\"%s\":", name);
	j->has_one = true;
}

void
json_open(struct json *j, const char *name, char bracket)
{
	begin(j, name);
	fputc(bracket, j->out);
	j->depth++;
	j->has_one = false;
}

void
json_close(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->has_one = true;
	if (--j->depth > 0)
		return;
	fputc('\n', j->out);
	j->has_one = false;
}

static size_t
put_char(FILE *out, struct span s)
{
	unsigned char c = (unsigned char)s.ptr[0];
	size_t len = utf8_len(s);

	if (len > 0) {
		fwrite(s.ptr, 1, len, out);
		return len;
	}
	if (c == '"' || c == '\\')
		fprintf(out, "\\%c", c);
	else if (c >= ' ' && c <= '~')
		fputc(c, out);
	else if (c < 0x80)
		fprintf(out, "\\u%04x", c);
	else
		fputs("\\ufffd", out);
	return 1;
}

void
json_text(struct json *j, const char *name, struct span s)
{
	begin(j, name);
	fputc('"', j->out);
	while (s.len > 0)
		s = span_tail(s, put_char(j->out, s));
	fputc('"', j->out);
}

void
json_number(struct json *j, const char *name, uint64_t n)
{
	begin(j, name);
	fprintf(j->out, "%" PRIu64, n);
}

void
json_flag(struct json *j, const char *name, bool is_so)
{
	begin(j, name);
	fputs(is_so ? "true" : "false", j->out);
}

void
json_time(struct json *j, const char *name, uint64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	char text[40];
	struct tm tm;

	if (gmtime_r(&s, &tm) == NULL || tm.tm_year > 9999 - 1900 ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		begin(j, name);
		fputs("null", j->out);
		return;
	}
	begin(j, name);
	fprintf(j->out, "\"%s.%03uZ\"", text, (unsigned)(ms % 1000));
}
