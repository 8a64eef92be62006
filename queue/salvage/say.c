/* say.c - lines for people, and the same as JSON. */
#include <inttypes.h>

#include "base/json.h"
#include "queue/salvage/say.h"

#define RCPTS_SHOWN	20	/* for people; JSON has all */

void
say_text(FILE *out, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c > ' ' && c <= '~' && c != '\\')
			fputc(c, out);
		else
			fprintf(out, "\\x%02x", c);
	}
}

static void
fault_json(FILE *out, const struct rows_fault *f)
{
	struct json j = { .out = out };

	json_open(&j, NULL, '{');
	json_text(&j, "kind", SPAN("page"));
	if (f->page != PAGE_NONE)
		json_number(&j, "page", f->page);
	if (f->table != NULL)
		json_text(&j, "table", span_of(f->table));
	json_text(&j, "why", span_of(f->why));
	json_close(&j, '}');
}

void
say_fault(FILE *out, bool json, const struct rows_fault *f)
{
	if (json) {
		fault_json(out, f);
		return;
	}
	if (f->page != PAGE_NONE)
		fprintf(out, "page %" PRIu64, f->page);
	else
		fputs("the file", out);
	if (f->table != NULL)
		fprintf(out, " (table %s)", f->table);
	fprintf(out, ": %s\n", f->why);
}

static void
message_json(FILE *out, const struct verdict *v, const char *kept)
{
	struct json j = { .out = out };
	char id[ID_TEXT_LEN + 1];

	id_text(v->id, id);
	json_open(&j, NULL, '{');
	json_text(&j, "kind", SPAN("message"));
	json_text(&j, "id", span_of(id));
	if (v->has_message)
		json_text(&j, "from", v->message.sender);
	json_open(&j, "to", '[');
	for (size_t i = 0; i < v->rcpt_cnt; i++)
		json_text(&j, NULL, v->rcpts[i].address);
	json_close(&j, ']');
	json_number(&j, "missing", v->rcpt_missing);
	json_open(&j, "why", '[');
	for (unsigned bit = 1; bit < JUDGE__END; bit *= 2)
		if ((v->faults & bit) != 0)
			json_text(&j, NULL, span_of(judge_why(bit)));
	json_close(&j, ']');
	if (kept != NULL)
		json_text(&j, "kept", span_of(kept));
	json_close(&j, '}');
}

static void
say_rcpts(FILE *out, const struct verdict *v)
{
	fputs("    to", out);
	for (size_t i = 0; i < v->rcpt_cnt && i < RCPTS_SHOWN; i++) {
		fputc(' ', out);
		say_text(out, v->rcpts[i].address);
	}
	if (v->rcpt_cnt > RCPTS_SHOWN)
		fprintf(out, " and %zu more", v->rcpt_cnt - RCPTS_SHOWN);
	if (v->rcpt_missing > 0)
		fprintf(out, " (%" PRIu64 " cannot be read)", v->rcpt_missing);
	fputc('\n', out);
}

void
say_message(FILE *out, bool json, const struct verdict *v, const char *kept)
{
	const char *between = ": ";
	char id[ID_TEXT_LEN + 1];

	if (json) {
		message_json(out, v, kept);
		return;
	}
	id_text(v->id, id);
	fputs(id, out);
	for (unsigned bit = 1; bit < JUDGE__END; bit *= 2)
		if ((v->faults & bit) != 0) {
			fprintf(out, "%s%s", between, judge_why(bit));
			between = "; ";
		}
	fputs("\n    from ", out);
	if (!v->has_message)
		fputs("(cannot be read)", out);
	else if (v->message.sender.len == 0)
		fputs("<>", out);
	else
		say_text(out, v->message.sender);
	fputc('\n', out);
	say_rcpts(out, v);
	if (kept != NULL)
		fprintf(out, "    kept as %s\n", kept);
}
