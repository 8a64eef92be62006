/*
 * mx_choose.c - twice through the records: once to find how good we are
 * ourselves, once to keep the best of those that are better, sorted as they
 * come in.
 */
#include <string.h>

#include "ask/resolve.h"
#include "relay/mx/mx_choose.h"

#define NOT_IN_LIST	0x10000u	/* over every preference */

struct record {
	uint16_t	 preference;
	bool		 is_root;		/* the name is "."	*/
	char		 name[DNSNAME_MAX + 1];	/* empty: no host's	*/
};

/* RFC 1035 3.3.9.  False when the bytes are no MX record. */
static bool
read_record(struct span rdata, struct record *out)
{
	struct resolve_address unused;
	char text[DNSNAME_TEXT];
	struct span name;

	out->is_root = false;
	out->name[0] = '\0';
	if (rdata.len < 3 ||
	    !dnsname_of_wire(span_tail(rdata, 2), text))
		return false;
	out->preference = (uint16_t)((uint8_t)rdata.ptr[0] << 8 |
	    (uint8_t)rdata.ptr[1]);
	name = span_of(text);
	out->is_root = name.len == 0;
	if (name.len > 0)
		name.len--;
	if (resolve_literal(name, &unused) || !dnsname_fold(name, out->name))
		out->name[0] = '\0';
	return true;
}

/* xorshift: who guesses it learns which of some equal hosts comes first. */
static uint32_t
next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static bool
is_before(const struct mx_host *a, const struct mx_host *b)
{
	if (a->preference != b->preference)
		return a->preference < b->preference;
	return a->turn < b->turn;
}

/* A host that stands there twice counts by its better place. */
static bool
forget_worse(struct mx_hosts *l, const struct mx_host *h)
{
	for (unsigned i = 0; i < l->cnt; i++) {
		if (strcmp(l->hosts[i].name, h->name) != 0)
			continue;
		if (l->hosts[i].preference <= h->preference)
			return false;
		memmove(&l->hosts[i], &l->hosts[i + 1],
		    (l->cnt - i - 1) * sizeof(*h));
		l->cnt--;
		break;
	}
	return true;
}

static void
keep(struct mx_hosts *l, const struct mx_host *h)
{
	unsigned at = 0;

	if (!forget_worse(l, h))
		return;
	while (at < l->cnt && is_before(&l->hosts[at], h))
		at++;
	l->left_out = l->left_out || l->cnt == MX_CHOOSE_MAX;
	if (at == MX_CHOOSE_MAX)
		return;
	if (l->cnt < MX_CHOOSE_MAX)
		l->cnt++;
	memmove(&l->hosts[at + 1], &l->hosts[at],
	    (l->cnt - at - 1) * sizeof(*h));
	l->hosts[at] = *h;
}

static void
keep_better(struct mx_hosts *out, struct span records, uint32_t than,
    uint32_t *seed)
{
	struct record r;
	struct span one;

	out->cnt = 0;
	out->left_out = false;
	while (resolve_record(&records, &one)) {
		struct mx_host h;

		if (!read_record(one, &r) || r.name[0] == '\0' ||
		    r.preference >= than)
			continue;
		h.preference = r.preference;
		h.turn = next_random(seed);
		memcpy(h.name, r.name, sizeof(h.name));
		keep(out, &h);
	}
}

static bool
has_name(const struct mx_host *hosts, unsigned cnt, const char *name)
{
	for (unsigned i = 0; i < cnt; i++)
		if (strcmp(hosts[i].name, name) == 0)
			return true;
	return false;
}

/* The worse half of the list again, each host with the same chance. */
static void
draw_others(struct mx_hosts *out, struct span records, uint32_t than,
    uint32_t *seed)
{
	struct mx_host drawn[MX_CHOOSE_MAX - MX_CHOOSE_BEST];
	const unsigned cap = MX_CHOOSE_MAX - MX_CHOOSE_BEST;
	unsigned cnt = 0, seen = 0, at;
	struct record r;
	struct span one;

	out->cnt = MX_CHOOSE_BEST;
	while (resolve_record(&records, &one)) {
		if (!read_record(one, &r) || r.name[0] == '\0' ||
		    r.preference >= than ||
		    has_name(out->hosts, out->cnt, r.name) ||
		    has_name(drawn, cnt, r.name))
			continue;
		at = seen++ < cap ? cnt++ : next_random(seed) % seen;
		if (at >= cap)
			continue;
		drawn[at].preference = r.preference;
		drawn[at].turn = next_random(seed);
		memcpy(drawn[at].name, r.name, sizeof(drawn[at].name));
	}
	for (unsigned i = 0; i < cnt; i++)
		keep(out, &drawn[i]);
}

enum mx_chosen
mx_choose(struct mx_hosts *out, struct span records, mx_choose_ours_fn *ours,
    const void *arg, uint32_t *seed)
{
	struct span left = records, one;
	uint32_t own = NOT_IN_LIST;
	unsigned cnt = 0, root_cnt = 0;
	struct record r;

	for (; resolve_record(&left, &one); cnt++) {
		if (!read_record(one, &r))
			continue;
		root_cnt += r.is_root;
		if (r.name[0] != '\0' && r.preference < own &&
		    ours(span_of(r.name), arg))
			own = r.preference;
	}
	if (cnt > 0 && root_cnt == cnt)
		return MX_NULL;
	keep_better(out, records, own, seed);
	if (out->left_out)
		draw_others(out, records, own, seed);
	if (out->cnt > 0)
		return MX_HOSTS;
	return own != NOT_IN_LIST ? MX_OURSELVES : MX_UNUSABLE;
}
