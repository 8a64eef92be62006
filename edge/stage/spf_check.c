/*
 * spf_check.c - what the evaluation wants is asked, and told in its own form.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/dnsname.h"
#include "ask/resolve.h"
#include "edge/stage/spf_check.h"
#include "mail/domain.h"
#include "sys/clock.h"

#define RECORDS_MAX	64	/* of one answer; more are not looked at */
#define TEXT_MAX	16384	/* bytes of them as text		*/

struct spf_check {
	struct spf	*spf;
	struct resolve	*resolve;
	struct resolve_query *query;
	struct timer	 deadline;
	spf_check_fn	*fn;
	void		*arg;
};

/* An answer in the form of spf.h. */
struct told {
	struct spf_answer answer;
	struct span	 records[RECORDS_MAX];
	uint16_t	 preferences[RECORDS_MAX];
	char		 text[TEXT_MAX];
	size_t		 len;
};

/* Tells, and is gone; the one told may do as it likes. */
static void
tell(struct spf_check *c, enum spf_result r)
{
	struct spf_check mine = *c;

	timer_stop(&c->deadline);
	resolve_cancel(&c->query);
	free(c);
	mine.fn(r, spf_domain(mine.spf), spf_explanation(mine.spf), mine.arg);
	spf_free(&mine.spf);
}

/* The strings of a TXT record are one text (RFC 7208 3.3). */
static bool
add_text(struct told *t, struct span rdata, struct span *out)
{
	size_t begin = t->len, part;

	while (rdata.len > 0) {
		part = (uint8_t)rdata.ptr[0];
		if (part + 1 > rdata.len || part > TEXT_MAX - t->len)
			return false;
		memcpy(t->text + t->len, rdata.ptr + 1, part);
		t->len += part;
		rdata = span_tail(rdata, part + 1);
	}
	*out = (struct span){ t->text + begin, t->len - begin };
	return true;
}

static bool
add_name(struct told *t, struct span wire, struct span *out)
{
	char text[DNSNAME_TEXT];
	size_t len;

	if (!dnsname_of_wire(wire, text) || text[0] == '\0')
		return false;
	len = strlen(text) - 1;			/* without its final dot */
	if (len > TEXT_MAX - t->len)
		return false;
	memcpy(t->text + t->len, text, len);
	*out = (struct span){ t->text + t->len, len };
	t->len += len;
	return true;
}

/* In the order of preference, for those of MX. */
static void
insert(struct told *t, struct span record, uint16_t preference)
{
	unsigned at = t->answer.cnt++;

	for (; at > 0 && t->preferences[at - 1] > preference; at--) {
		t->records[at] = t->records[at - 1];
		t->preferences[at] = t->preferences[at - 1];
	}
	t->records[at] = record;
	t->preferences[at] = preference;
}

static void
add_record(struct told *t, enum spf_type type, struct span rdata)
{
	struct span record = rdata;
	uint16_t preference = 0;
	bool is_good = true;

	if (type == SPF_TXT)
		is_good = add_text(t, rdata, &record);
	else if (type == SPF_PTR)
		is_good = add_name(t, rdata, &record);
	else if (type == SPF_MX) {
		is_good = rdata.len > 2 &&
		    add_name(t, span_tail(rdata, 2), &record);
		if (is_good)
			preference = (uint16_t)((uint8_t)rdata.ptr[0] << 8 |
			    (uint8_t)rdata.ptr[1]);
	}
	if (is_good)
		insert(t, record, preference);
}

static void go_on(struct spf_check *);

static void
on_answer(const struct resolve_answer *a, void *arg)
{
	struct spf_check *c = arg;
	struct span records = a->records, one;
	struct told *t = calloc(1, sizeof(*t));
	enum spf_type type;
	const char *name;

	c->query = NULL;
	if (t == NULL || !spf_wants(c->spf, &type, &name)) {
		free(t);
		tell(c, SPF_TEMPERROR);
		return;
	}
	t->answer.records = t->records;
	t->answer.found = a->status == RESOLVED ? SPF_FOUND :
	    a->status == RESOLVED_FAILED ? SPF_UNKNOWN : SPF_NOTHING;
	while (t->answer.cnt < RECORDS_MAX &&
	    resolve_record(&records, &one))
		add_record(t, type, one);
	spf_tell(c->spf, &t->answer);
	free(t);
	go_on(c);
}

static void
go_on(struct spf_check *c)
{
	enum spf_type type;
	const char *name;

	if (!spf_wants(c->spf, &type, &name)) {
		tell(c, spf_result(c->spf));
		return;
	}
	if (c->resolve != NULL)
		c->query = resolve_ask(c->resolve, (uint16_t)type,
		    span_of(name), on_answer, c);
	if (c->query == NULL)
		tell(c, SPF_TEMPERROR);
}

/* The first step is the loop's, too, so that fn is not called from within. */
static void
on_time(struct timer *t, void *arg)
{
	struct spf_check *c = arg;

	if (c->query != NULL) {
		tell(c, SPF_TEMPERROR);
		return;
	}
	timer_set(&c->deadline, SPF_CHECK_MS);
	go_on(c);
}

/* With the domain as it is looked up; what is none stays as it is. */
static struct span
ascii_sender(struct span sender, char *buf, size_t cap)
{
	char key[DOMAIN_KEY_MAX];
	size_t at = sender.len, len;

	while (at > 0 && sender.ptr[at - 1] != '@')
		at--;
	if (at == 0 || domain_key(span_tail(sender, at), key) == 0)
		return sender;
	len = (size_t)snprintf(buf, cap, "%.*s%s", (int)at, sender.ptr, key);
	return len < cap ? (struct span){ buf, len } : sender;
}

struct spf_check *
spf_check_begin(struct ev_loop *loop, struct resolve *resolve,
    const struct origin *o, struct span sender, struct span receiver,
    spf_check_fn *fn, void *arg)
{
	struct spf_check *c = calloc(1, sizeof(*c));
	char buf[PATH_MAX_SMTP + DOMAIN_KEY_MAX + 1];
	struct spf_facts f = {
		.is_ipv6 = o->address.family == 6,
		.sender = ascii_sender(sender, buf, sizeof(buf)),
		.helo = o->helo != NULL ? span_of(o->helo) : SPAN(""),
		.receiver = receiver, .now_s = clock_wall_ms() / 1000,
	};

	if (c == NULL)
		return NULL;
	memcpy(f.ip, o->address.bytes, sizeof(f.ip));
	if (spf_begin(&c->spf, &f) != OK) {
		free(c);
		return NULL;
	}
	c->resolve = resolve;
	c->fn = fn;
	c->arg = arg;
	timer_init(&c->deadline, loop, on_time, c);
	timer_set(&c->deadline, 0);
	return c;
}

void
spf_check_cancel(struct spf_check **cp)
{
	struct spf_check *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	timer_stop(&c->deadline);
	resolve_cancel(&c->query);
	spf_free(&c->spf);
	free(c);
}
