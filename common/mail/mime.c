/*
 * mime.c - lines, and where they belong.
 *
 * Both readings take the same steps, so the parts are numbered alike.  A line
 * is held until it is whole, for it may be a boundary; one that is longer than
 * any boundary goes on in chunks.  A field is held until the next one begins.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "mail/mime.h"
#include "mail/mime_field.h"
#include "mail/mime_part.h"

#define LINE_HELD	2048	/* bytes; over TEXT_LINE_SURE and a boundary */
#define FIELD_HELD	32768	/* bytes; a longer one is taken for several */

struct mime {
	struct mime_plan *plan;
	struct mime_out	*out;		/* NULL: plan			*/
	unsigned	 next_no;	/* part				*/
	unsigned	 depth;		/* parts that are open		*/
	bool		 in_line;	/* a chunk of it was taken	*/
	bool		 in_field;	/* lines of it were taken	*/
	size_t		 line_len, field_len;
	struct mime_part parts[MIME_DEPTH_MAX];
	char		 line[LINE_HELD];
	char		 field[FIELD_HELD];
	char		 room[FIELD_HELD];
};

void
mime_plan_init(struct mime_plan *plan, bool to_7bit)
{
	*plan = (struct mime_plan){ .to_7bit = to_7bit };
}

bool
mime_plan_is_due(const struct mime_plan *plan)
{
	return !plan->is_stuck && (plan->has_8bit || plan->has_long) &&
	    plan->cnt <= MIME_PARTS_MAX;
}

void
mime_plan_fini(struct mime_plan *plan)
{
	free(plan->acts);
	*plan = (struct mime_plan){ .acts = NULL };
}

static struct mime_part *
top(struct mime *m)
{
	return &m->parts[m->depth - 1];
}

static unsigned
act_of(const struct mime *m, const struct mime_part *p)
{
	return p->no < m->plan->cnt ? m->plan->acts[p->no] : 0;
}

static bool
is_8bit(struct span s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.len; i++)
		all |= (unsigned char)s.ptr[i];
	return all > 0x7f;
}

/* Parts begin and end. */

static bool
add_act(struct mime_plan *plan)
{
	unsigned cap = plan->cap > 0 ? plan->cap * 2 : 16;
	uint8_t *grown;

	if (plan->cnt == plan->cap) {
		if ((grown = realloc(plan->acts, cap)) == NULL) {
			plan->has_failed = true;
			return false;
		}
		plan->acts = grown;
		plan->cap = cap;
	}
	plan->acts[plan->cnt++] = 0;
	return true;
}

static void
begin_part(struct mime *m)
{
	struct mime_part *above = m->depth > 0 ? top(m) : NULL;

	if (m->out == NULL && m->plan->cnt <= MIME_PARTS_MAX)
		(void)add_act(m->plan);
	mime_part_begin(&m->parts[m->depth++], above, m->next_no++);
}

static void
end_part(struct mime *m, bool at_boundary)
{
	struct mime_part *p = top(m);

	m->depth--;
	if (m->out != NULL) {
		if (act_of(m, p) & ACT_BASE64)
			mime_code_base64_end(&p->code, m->out, at_boundary);
		return;
	}
	if (p->no >= m->plan->cnt)
		return;
	mime_part_decide(p, m->plan);
	if (p->changes && m->depth > 0) {
		struct mime_part *above = top(m);

		above->changes = true;
		m->plan->acts[above->no] |= ACT_7BIT;
	}
}

/* Header sections. */

static struct span
value_of(struct span field, struct span name)
{
	size_t colon = span_find(field, ':');

	if (colon == field.len ||
	    !span_eq_nocase(span_trim(span_head(field, colon)), name))
		return (struct span){ NULL, 0 };
	return span_tail(field, colon + 1);
}

static void
put(struct mime *m, struct span s)
{
	if (m->out != NULL)
		mime_out_put(m->out, s);
}

static bool
has_long_line(struct span s)
{
	while (s.len > 0) {
		size_t len = span_find(s, '\n');

		if (len > TEXT_LINE_SURE + (len < s.len))
			return true;
		s = span_tail(s, len + 1);
	}
	return false;
}

/*
 * Fields of this message itself and of its parts: what is in a message within
 * it is text.
 */
static bool
is_of_header(const struct mime *m, const struct mime_part *p)
{
	for (unsigned i = 0; i + 1 < m->depth; i++)
		if (m->parts[i].type.kind == MIME_MESSAGE)
			return false;
	return p->where == MIME_IN_HEADER;
}

/* A field that may be in any section, to be planned or written. */
static void
pass_field(struct mime *m, struct mime_part *p, struct span field)
{
	bool bits = is_8bit(field), is_long = has_long_line(field);
	bool was_utf8 = bits && m->plan->is_utf8 && is_of_header(m, p);

	bits = (bits && m->plan->to_7bit) || was_utf8;
	if (m->out == NULL && was_utf8)
		m->plan->is_stuck |= mime_field_is_lost(field);
	if (p->is_sealed || (!bits && !is_long)) {
		m->plan->is_stuck |= m->out == NULL && bits;
		m->plan->leaves_long |= m->out == NULL && is_long;
		put(m, field);
		return;
	}
	if (m->out != NULL) {
		mime_field_put(m->out, field, m->room);
		return;
	}
	m->plan->has_8bit |= bits;
	m->plan->has_long |= is_long;
	m->plan->grows += field.len * 2;
	p->changes |= bits;
	if (bits && p->where == MIME_IN_FIELDS && p->no < m->plan->cnt)
		m->plan->acts[p->no] |= ACT_7BIT;
}

/* How a part is coded is said anew where that has changed. */
static bool
replace_coding(struct mime *m, struct mime_part *p, struct span value)
{
	unsigned act = act_of(m, p);

	if (m->out == NULL)
		return false;
	if (act & (ACT_QP | ACT_BASE64)) {
		if (!p->has_coding)
			put(m, act & ACT_QP ?
			    SPAN("Content-Transfer-Encoding: "
			    "quoted-printable\r\n") :
			    SPAN("Content-Transfer-Encoding: base64\r\n"));
		return true;
	}
	if (!(act & ACT_7BIT) || !m->plan->to_7bit ||
	    !mime_type_is_8bit(value))
		return false;
	put(m, SPAN("Content-Transfer-Encoding: 7bit\r\n"));
	return true;
}

static void
take_field(struct mime *m, struct mime_part *p, struct span field)
{
	struct span value;

	value = value_of(field, SPAN("Content-Transfer-Encoding"));
	if (value.ptr != NULL) {
		bool is_done = replace_coding(m, p, value);

		if (!p->has_coding)
			p->coding = mime_type_coding(value);
		p->has_coding = true;
		if (is_done)
			return;
	}
	value = value_of(field, SPAN("Content-Type"));
	if (value.ptr != NULL && !p->has_type) {
		p->has_type = true;
		mime_type_read(&p->type, value);
	}
	if (value_of(field, SPAN("MIME-Version")).ptr != NULL)
		p->has_version = true;
	if (value_of(field, SPAN("DKIM-Signature")).ptr != NULL)
		m->plan->is_signed |= m->depth == 1;
	pass_field(m, p, field);
}

static void
flush_lines(struct mime *m, size_t len)
{
	struct mime_part *p = top(m);
	struct span field = { m->field, len };

	if (len > 0 && p->where == MIME_IN_HEADER && !m->in_field)
		take_field(m, p, field);
	else if (len > 0)
		pass_field(m, p, field);
	m->field_len -= len;
	memmove(m->field, m->field + len, m->field_len);
}

static void
flush_field(struct mime *m)
{
	flush_lines(m, m->field_len);
	m->in_field = false;
}

/* No room: let go of the lines that are whole, or of one that will not end. */
static void
flush_some(struct mime *m)
{
	const char *last = memrchr(m->field, '\n', m->field_len);
	size_t len = last != NULL ? (size_t)(last - m->field) + 1 :
	    m->field_len - 1;
	bool is_cut = last == NULL && !top(m)->is_sealed;

	flush_lines(m, len);
	if (is_cut)
		put(m, SPAN(" "));
	m->in_field = true;
}

/* What a section lacks that it needs from now on. */
static void
add_fields(struct mime *m, struct mime_part *p)
{
	unsigned act = act_of(m, p);

	if (m->out == NULL || !(act & (ACT_QP | ACT_BASE64)))
		return;
	if (p->is_message && !p->has_version)
		put(m, SPAN("MIME-Version: 1.0\r\n"));
	if (!p->has_type && act & ACT_8BIT)
		put(m, act & ACT_UTF8 ?
		    SPAN("Content-Type: text/plain; charset=utf-8\r\n") :
		    SPAN("Content-Type: text/plain; "
		    "charset=unknown-8bit\r\n"));
	if (!p->has_coding)
		(void)replace_coding(m, p, SPAN(""));
}

static void
end_header(struct mime *m)
{
	struct mime_part *p = top(m);
	bool is_coded = p->coding != MIME_IDENTITY;

	if (is_coded && (p->type.kind == MIME_MESSAGE ||
	    p->type.kind == MIME_FIELDS))
		p->type.kind = MIME_LEAF;
	if (m->depth == MIME_DEPTH_MAX && (p->type.kind == MIME_MESSAGE ||
	    p->type.kind == MIME_MULTIPART))
		p->type.kind = MIME_OPAQUE;
	p->seals |= p->type.is_sealed;
	add_fields(m, p);
	p->where = p->type.kind == MIME_FIELDS ? MIME_IN_FIELDS : MIME_IN_BODY;
}

static void
hold_field(struct mime *m, struct span chunk)
{
	while (chunk.len > 0) {
		struct span part = span_head(chunk,
		    FIELD_HELD - m->field_len);

		memcpy(m->field + m->field_len, part.ptr, part.len);
		m->field_len += part.len;
		chunk = span_tail(chunk, part.len);
		if (m->field_len == FIELD_HELD)
			flush_some(m);
	}
}

static bool
is_empty(struct span s)
{
	return s.len == 2 && s.ptr[0] == '\r' && s.ptr[1] == '\n';
}

static void
take_header(struct mime *m, struct span chunk, bool begins)
{
	struct mime_part *p = top(m);

	if (!begins) {
		hold_field(m, chunk);
		return;
	}
	if (chunk.ptr[0] != ' ' && chunk.ptr[0] != '\t')
		flush_field(m);
	if (!is_empty(chunk)) {
		hold_field(m, chunk);
		return;
	}
	if (p->where == MIME_IN_HEADER)
		end_header(m);
	put(m, chunk);
	if (p->where == MIME_IN_BODY && p->type.kind == MIME_MESSAGE)
		begin_part(m);
}

/* Bodies. */

static void
write_leaf(struct mime *m, struct mime_part *p, struct span s, bool is_bad)
{
	unsigned act = act_of(m, p);

	if (act & ACT_QP)
		mime_code_qp(&p->code, m->out, s);
	else if (act & ACT_BASE64)
		mime_code_base64(&p->code, m->out, s);
	else if (!(act & ACT_MEND) || !is_bad)
		put(m, s);
	else if (p->coding == MIME_CODED_QP)
		mime_code_mend_qp(&p->code, m->out, s);
	else
		mime_code_mend_base64(&p->code, m->out, s);
}

static void
take_body(struct mime *m, struct span s, bool begins)
{
	struct mime_part *p = top(m);
	bool ends = s.ptr[s.len - 1] == '\n';
	bool bits = is_8bit(s), is_long = !begins ||
	    s.len > TEXT_LINE_SURE + (ends ? 2u : 0);
	bool is_bad = is_long || (bits && m->plan->to_7bit);

	if (m->out == NULL)
		mime_part_count(p, s, bits, is_long);
	else if (p->type.kind == MIME_LEAF && !p->seals)
		write_leaf(m, p, s, is_bad);
	else if (is_bad && p->type.kind == MIME_MULTIPART && !p->seals &&
	    !(act_of(m, p) & ACT_LEAVE))
		mime_code_qp(&p->code, m->out, s);	/* between parts */
	else
		put(m, s);
}

/* The part whose boundary this is, by its place from 1; or 0. */
static unsigned
find_boundary(const struct mime *m, struct span line, bool *is_last)
{
	while (line.len > 0 && strchr("\r\n\t ", line.ptr[line.len - 1]) &&
	    line.ptr[line.len - 1] != '\0')
		line.len--;
	line = span_tail(line, 2);
	for (unsigned i = m->depth; i > 0; i--) {
		const struct mime_type *t = &m->parts[i - 1].type;
		struct span b = { t->boundary, t->boundary_len };

		if (t->kind != MIME_MULTIPART ||
		    m->parts[i - 1].where == MIME_IN_HEADER ||
		    !span_begins(line, b))
			continue;
		*is_last = span_eq(span_tail(line, b.len), SPAN("--"));
		if (*is_last || line.len == b.len)
			return i;
	}
	return 0;
}

static bool
take_boundary(struct mime *m, struct span line)
{
	bool is_last = false;
	unsigned place;

	if (line.len < 3 || line.ptr[0] != '-' || line.ptr[1] != '-' ||
	    (place = find_boundary(m, line, &is_last)) == 0)
		return false;
	flush_field(m);
	while (m->depth > place)
		end_part(m, true);
	top(m)->has_part = true;
	put(m, line);
	if (!is_last)
		begin_part(m);
	return true;
}

static void
take_chunk(struct mime *m, struct span s, bool ends)
{
	bool begins = !m->in_line;

	m->in_line = !ends;
	if (m->plan->cnt > MIME_PARTS_MAX && m->plan->to_7bit)
		m->plan->is_stuck |= is_8bit(s);
	if (s.len == 0 || (begins && take_boundary(m, s)))
		return;
	if (top(m)->where == MIME_IN_BODY)
		take_body(m, s, begins);
	else
		take_header(m, s, begins);
}

/* A chunk must not end within what belongs together. */
static size_t
chunk_len(const char *line, size_t len)
{
	if (line[len - 1] == '\r' || line[len - 1] == '=')
		return len - 1;
	return line[len - 2] == '=' ? len - 2 : len;
}

static void
hold_line(struct mime *m, struct span s)
{
	while (s.len > 0) {
		struct span part = span_head(s, LINE_HELD - m->line_len);
		size_t len;

		memcpy(m->line + m->line_len, part.ptr, part.len);
		m->line_len += part.len;
		s = span_tail(s, part.len);
		if (m->line_len < LINE_HELD)
			return;
		len = chunk_len(m->line, LINE_HELD);
		take_chunk(m, (struct span){ m->line, len }, false);
		m->line_len = LINE_HELD - len;
		memmove(m->line, m->line + len, m->line_len);
	}
}

void
mime_feed(struct mime *m, struct span s)
{
	while (s.len > 0) {
		size_t len = span_find(s, '\n');
		struct span line = span_head(s, len + 1);

		s = span_tail(s, line.len);
		if (len < line.len && m->line_len == 0 &&
		    line.len < LINE_HELD) {
			take_chunk(m, line, true);
			continue;
		}
		if (len == line.len) {
			hold_line(m, line);
			continue;
		}
		hold_line(m, span_head(line, len));
		m->line[m->line_len++] = '\n';
		take_chunk(m, (struct span){ m->line, m->line_len }, true);
		m->line_len = 0;
	}
}

void
mime_end(struct mime *m)
{
	take_chunk(m, (struct span){ m->line, m->line_len }, true);
	m->line_len = 0;
	flush_field(m);
	while (m->depth > 0)
		end_part(m, false);
	if (m->plan->cnt > MIME_PARTS_MAX)
		m->plan->is_stuck |= m->plan->has_8bit;
}

struct mime *
mime_new(struct mime_plan *plan, struct mime_out *out)
{
	struct mime *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->plan = plan;
	m->out = out;
	begin_part(m);
	return m;
}

void
mime_free(struct mime **mp)
{
	free(*mp);
	*mp = NULL;
}
