/* suspension.c - a look-up is three in a tree: few are ever suspended. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "mail/address.h"
#include "mail/domain.h"
#include "queue/plan/suspension.h"

RB_HEAD(suspension_tree, suspension);

struct suspension_set {
	struct suspension_tree all;
	unsigned	 cnt, active_cnt;
	unsigned	 domain_cnt;	/* active, of a destination	*/
};

static int
cmp_name(struct suspension *a, struct suspension *b)
{
	int c = strcmp(a->relay, b->relay);

	return c != 0 ? c : strcmp(a->domain, b->domain);
}

#define LOCAL	__attribute__((unused)) static
RB_GENERATE_INTERNAL(suspension_tree, suspension, by_name, cmp_name, LOCAL)

enum err
suspension_new(struct suspension_set **out)
{
	struct suspension_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return ERR_SYS;
	RB_INIT(&set->all);
	*out = set;
	return OK;
}

void
suspension_free(struct suspension_set **setp)
{
	struct suspension *s;

	if (*setp == NULL)
		return;
	while ((s = RB_MIN(suspension_tree, &(*setp)->all)) != NULL)
		suspension_drop(*setp, &s);
	free(*setp);
	*setp = NULL;
}

bool
suspension_domain(struct span name, char out[DOMAIN_MAX + 1])
{
	return (span_find(name, '[') == name.len ||
	    address_is_literal(name)) && domain_key(name, out) > 0;
}

/* A key alone: there is no more of it than the names. */
static bool
set_name(struct suspension *s, const char *relay, const char *domain)
{
	return strlcpy(s->relay, relay, sizeof(s->relay)) <
	    sizeof(s->relay) && strlcpy(s->domain, domain,
	    sizeof(s->domain)) < sizeof(s->domain);
}

struct suspension *
suspension_find(const struct suspension_set *set, const char *relay,
    const char *domain)
{
	struct suspension key;

	if (set == NULL || !set_name(&key, relay, domain))
		return NULL;
	return RB_FIND(suspension_tree, (struct suspension_tree *)&set->all,
	    &key);
}

enum err
suspension_want(struct suspension_set *set, const char *relay,
    const char *domain, struct suspension **out)
{
	struct suspension *s = suspension_find(set, relay, domain);

	*out = s;
	if (s != NULL)
		return OK;
	if (set->cnt >= SUSPENSIONS_MAX)
		return ERR_FULL;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return ERR_SYS;
	if (!set_name(s, relay, domain) ||
	    (relay[0] == '\0' && domain[0] == '\0')) {
		free(s);
		return ERR_PEER;
	}
	RB_INSERT(suspension_tree, &set->all, s);
	set->cnt++;
	*out = s;
	return OK;
}

static void
set_active(struct suspension_set *set, struct suspension *s, bool is_active)
{
	int change = (int)is_active - (int)s->is_active;

	set->active_cnt += (unsigned)change;
	if (s->domain[0] != '\0')
		set->domain_cnt += (unsigned)change;
	s->is_active = is_active;
}

void
suspension_drop(struct suspension_set *set, struct suspension **s)
{
	set_active(set, *s, false);
	RB_REMOVE(suspension_tree, &set->all, *s);
	set->cnt--;
	free(*s);
	*s = NULL;
}

/* Long ones are cut. */
static void
copy(char *to, size_t cap, struct span from)
{
	(void)span_cstr(span_head(from, cap - 1), to, cap);
}

void
suspension_begin(struct suspension *s, struct span reason, struct span who,
    int64_t now_ms, int64_t lived_ms)
{
	copy(s->reason, sizeof(s->reason), reason);
	copy(s->who, sizeof(s->who), who);
	if (s->is_active)
		return;
	s->is_active = true;
	s->since_ms = now_ms;
	s->since_lived_ms = lived_ms;
}

void
suspension_end(struct suspension *s, int64_t lived_ms)
{
	int64_t before_ms = s->past_until_ms - s->past_from_ms;

	s->is_active = false;
	s->past_from_ms = s->since_lived_ms - before_ms;
	if (s->past_from_ms < 0)
		s->past_from_ms = 0;
	s->past_until_ms = lived_ms;
	s->since_ms = s->since_lived_ms = 0;
	s->reason[0] = s->who[0] = '\0';
}

void
suspension_assume(struct suspension_set *set, struct suspension *s,
    const struct suspension *from)
{
	set_active(set, s, from->is_active);
	s->since_ms = from->since_ms;
	s->since_lived_ms = from->since_lived_ms;
	s->past_from_ms = from->past_from_ms;
	s->past_until_ms = from->past_until_ms;
	memcpy(s->reason, from->reason, sizeof(s->reason));
	memcpy(s->who, from->who, sizeof(s->who));
}

struct suspension *
suspension_next(const struct suspension_set *set, const char *relay,
    const char *domain)
{
	struct suspension key, *s;

	if (set == NULL || !set_name(&key, relay, domain))
		return NULL;
	s = RB_NFIND(suspension_tree, (struct suspension_tree *)&set->all,
	    &key);
	if (s != NULL && cmp_name(s, &key) == 0)
		s = RB_NEXT(suspension_tree, &set->all, s);
	return s;
}

unsigned
suspension_cnt(const struct suspension_set *set)
{
	return set == NULL ? 0 : set->active_cnt;
}

bool
suspension_has_domains(const struct suspension_set *set)
{
	return set != NULL && set->domain_cnt > 0;
}

#define NAMES	3

/*
 * All that are of this destination; a relay's own name is no domain.  A queue
 * of old may hold one as its user wrote it.
 */
static void
find_all(const struct suspension_set *set, const char *relay,
    const char *name, const struct suspension *out[NAMES])
{
	bool is_domain = strcmp(relay, name) != 0;
	char key[DOMAIN_KEY_MAX];

	if (is_domain && !utf8_is_ascii(span_of(name)) &&
	    domain_key(span_of(name), key) > 0)
		name = key;
	out[0] = suspension_find(set, relay, "");
	out[1] = is_domain ? suspension_find(set, "", name) : NULL;
	out[2] = is_domain ? suspension_find(set, relay, name) : NULL;
}

static const struct suspension *
first_active(const struct suspension *const all[NAMES], int i)
{
	for (; i < NAMES; i++)
		if (all[i] != NULL && all[i]->is_active)
			return all[i];
	return NULL;
}

const struct suspension *
suspension_of(const struct suspension_set *set, const char *relay,
    const char *name)
{
	const struct suspension *all[NAMES];

	if (suspension_cnt(set) == 0)
		return NULL;
	find_all(set, relay, name, all);
	return first_active(all, 0);
}

const struct suspension *
suspension_of_domain(const struct suspension_set *set, const char *relay,
    const char *domain)
{
	const struct suspension *all[NAMES];

	if (!suspension_has_domains(set))
		return NULL;
	find_all(set, relay, domain, all);
	return first_active(all, 1);
}

static int64_t
overlap_ms(int64_t a, int64_t b, int64_t from_ms, int64_t until_ms)
{
	if (a < from_ms)
		a = from_ms;
	if (b > until_ms)
		b = until_ms;
	return b > a ? b - a : 0;
}

int64_t
suspension_waived_ms(const struct suspension_set *set, const char *relay,
    const char *name, int64_t from_ms, int64_t now_ms)
{
	const struct suspension *all[NAMES];
	int64_t ms = 0;

	if (set == NULL || set->cnt == 0 || now_ms <= from_ms)
		return 0;
	find_all(set, relay, name, all);
	for (int i = 0; i < NAMES; i++) {
		if (all[i] == NULL)
			continue;
		ms += overlap_ms(all[i]->past_from_ms, all[i]->past_until_ms,
		    from_ms, now_ms);
		if (all[i]->is_active)
			ms += overlap_ms(all[i]->since_lived_ms, now_ms,
			    from_ms, now_ms);
	}
	return ms < now_ms - from_ms ? ms : now_ms - from_ms;
}

void
suspension_to_record(const struct suspension *s, struct record_suspension *r)
{
	*r = (struct record_suspension){
		.active = s->is_active,
		.since_ms = (uint64_t)s->since_ms,
		.since_lived_ms = (uint64_t)s->since_lived_ms,
		.past_from_ms = (uint64_t)s->past_from_ms,
		.past_until_ms = (uint64_t)s->past_until_ms,
		.relay = span_of(s->relay), .domain = span_of(s->domain),
		.reason = span_of(s->reason), .who = span_of(s->who),
	};
}

enum err
suspension_from_record(struct suspension_set *set,
    const struct record_suspension *r)
{
	char relay[BLOCK_NAME_MAX + 1], domain[DOMAIN_MAX + 1];
	struct suspension *s, rec = { .is_active = r->active != 0 };
	enum err e;

	if (!span_cstr(r->relay, relay, sizeof(relay)) ||
	    !span_cstr(r->domain, domain, sizeof(domain)))
		return ERR_PEER;
	(void)domain_key(r->domain, domain);	/* once it was kept as rec */
	if ((e = suspension_want(set, relay, domain, &s)) != OK)
		return e;
	rec.since_ms = (int64_t)r->since_ms;
	rec.since_lived_ms = (int64_t)r->since_lived_ms;
	rec.past_from_ms = (int64_t)r->past_from_ms;
	rec.past_until_ms = (int64_t)r->past_until_ms;
	copy(rec.reason, sizeof(rec.reason), r->reason);
	copy(rec.who, sizeof(rec.who), r->who);
	suspension_assume(set, s, &rec);
	return OK;
}
