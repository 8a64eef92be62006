/*
 * mime_part.c - the shorter of two codings is told by counting: base64 has 78
 * octets a line of 57, quoted-printable two more an octet that it writes out
 * and a soft line break each 75.
 */
#include "base/utf8.h"
#include "mail/mime_part.h"

void
mime_part_begin(struct mime_part *p, const struct mime_part *above,
    unsigned no)
{
	*p = (struct mime_part){ .no = no, .where = MIME_IN_HEADER };
	p->type.kind = MIME_LEAF;
	p->coding = MIME_IDENTITY;
	p->is_message = above == NULL || above->type.kind == MIME_MESSAGE;
	p->is_sealed = p->seals = above != NULL && above->seals;
	if (above != NULL && above->type.is_digest)
		p->type.kind = MIME_MESSAGE;
}

/* Characters may be cut by chunks, so they are counted octet by octet. */
static void
watch_utf8(struct mime_part *p, unsigned char c)
{
	if (p->utf8_left > 0) {
		p->not_utf8 = p->not_utf8 || (c & 0xc0) != 0x80;
		p->utf8_left--;
	} else if (c > 0x7f) {
		p->not_utf8 = p->not_utf8 || c < 0xc2 || c > 0xf4;
		p->utf8_left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	}
}

void
mime_part_count(struct mime_part *p, struct span s, bool is_8bit, bool is_long)
{
	p->has_8bit |= is_8bit;
	p->has_long |= is_long;
	p->len += s.len;
	if (p->type.kind != MIME_LEAF)
		return;
	p->coded_cnt += mime_code_qp_cost(s);
	if (s.ptr[s.len - 1] == '\n')
		p->coded_cnt -= 2;	/* its end stays */
	if (!is_8bit && p->utf8_left == 0)
		return;
	for (size_t i = 0; i < s.len && !p->not_utf8; i++)
		watch_utf8(p, (unsigned char)s.ptr[i]);
}

static unsigned
code_leaf(const struct mime_part *p, struct mime_plan *plan)
{
	uint64_t octets = p->len + p->coded_cnt * 2;
	uint64_t qp = octets + octets / 75 * 3;
	uint64_t base64 = (p->len + 56) / 57 * 78;
	unsigned act = qp <= base64 ? ACT_QP : ACT_BASE64;

	plan->grows -= p->len;
	plan->grows += (act == ACT_QP ? qp : base64) + 100;
	if (p->has_8bit)
		act |= ACT_8BIT;
	if (p->has_8bit && !p->not_utf8 && p->utf8_left == 0)
		act |= ACT_UTF8;
	return act;
}

static bool
may_change(const struct mime_part *p)
{
	if (p->seals)
		return false;
	switch (p->type.kind) {
	case MIME_LEAF:
		return p->coding != MIME_CODED_OTHER;
	case MIME_MULTIPART:
		return p->has_part;
	case MIME_MESSAGE:
	case MIME_FIELDS:
		return true;
	case MIME_OPAQUE:
		break;
	}
	return false;
}

void
mime_part_decide(struct mime_part *p, struct mime_plan *plan)
{
	bool is_8bit = p->has_8bit && plan->to_7bit;
	unsigned act = 0;

	if (!is_8bit && !p->has_long)
		return;
	if (!may_change(p)) {
		plan->is_stuck |= is_8bit;
		plan->leaves_long |= p->has_long;
		plan->acts[p->no] |= ACT_LEAVE;
		return;
	}
	plan->has_8bit |= is_8bit;
	plan->has_long |= p->has_long;
	p->changes |= is_8bit;
	if (p->type.kind != MIME_LEAF)
		plan->grows += p->len * 2;
	if (p->type.kind != MIME_LEAF)
		act = is_8bit ? ACT_7BIT : 0;
	else if (p->coding == MIME_IDENTITY)
		act = code_leaf(p, plan);
	else
		act = ACT_MEND;
	if (act == ACT_MEND)
		plan->grows += p->len / 20 + p->coded_cnt * 2;
	plan->acts[p->no] |= (uint8_t)act;
}
