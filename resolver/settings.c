/*
 * settings.c - also keeps the root's trust anchors: key signing keys of 2017
 * and 2024, as IANA publishes them.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "conf/slice/slice.h"
#include "resolver/settings.h"

static const char *const root_anchors[] = {
	". IN DS 20326 8 2 "
	"E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
	". IN DS 38696 8 2 "
	"683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
	NULL
};

/* What was checked must start: too many is no reason not to. */
static unsigned
at_most(unsigned cnt, unsigned max)
{
	if (cnt <= max)
		return cnt;
	log_why(LOG_trouble, "too many name servers: the last are left out",
	    0);
	return max;
}

static enum err
read_forwards(struct settings *s, const struct slice *block)
{
	unsigned cnt = at_most(slice_count(block, "forward"),
	    SETTINGS_FORWARDS_MAX);

	for (unsigned i = 0; i < cnt; i++)
		if (!span_cstr(slice_text(block, "forward", i),
		    s->forwards[i], sizeof(s->forwards[i])))
			return ERR_PEER;
	s->forward_cnt = cnt;
	return OK;
}

/* Pairs of zone and address. */
static enum err
read_stubs(struct settings *s, const struct slice *block)
{
	unsigned values = slice_count(block, "stub");
	unsigned cnt = at_most(values / 2, SETTINGS_STUBS_MAX);

	if (values % 2 != 0)
		return ERR_PEER;
	for (unsigned i = 0; i < cnt; i++) {
		struct settings_stub *stub = &s->stubs[i];

		if (!dnsname_fold(slice_text(block, "stub", i * 2),
		    stub->zone) ||
		    !span_cstr(slice_text(block, "stub", i * 2 + 1),
		    stub->address, sizeof(stub->address)))
			return ERR_PEER;
	}
	s->stub_cnt = cnt;
	return OK;
}

enum err
settings_read(struct settings *out, struct span bytes)
{
	struct slice whole, process, block;
	enum err e;

	memset(out, 0, sizeof(*out));
	out->anchors = root_anchors;
	if ((e = slice_open(&whole, bytes)) != OK)
		return e;
	process = slice_process(&whole);
	block = slice_block(&process, "resolver", 0);
	out->has_anchor_file = slice_count(&block, "trust_anchor") > 0;
	out->anchor_file = (unsigned)slice_num(&block, "trust_anchor");
	out->anchor_path = slice_text(&block, "trust_anchor", 0);
	if ((e = read_forwards(out, &block)) != OK)
		return e;
	return read_stubs(out, &block);
}

static enum err
complain(const struct settings *s, enum err e)
{
	struct log_line l;
	char why[100];

	if (e == ERR_PEER)
		snprintf(why, sizeof(why), "line %u of the trust anchors is "
		    "no DS or DNSKEY record", s->own.line);
	else
		snprintf(why, sizeof(why), "%s", e == ERR_FULL ?
		    "there are too many trust anchors" :
		    "the trust anchors cannot be read");
	log_begin(&l, LOG_trouble);
	log_text(&l, LOG_KEY_why, why);
	log_str(&l, LOG_KEY_file, s->anchor_path);
	log_end(&l);
	return e;
}

enum err
settings_add_anchors(struct settings *s, int fd)
{
	enum err e;

	s->own.cnt = s->own.len = 0;
	while (root_anchors[s->own.cnt] != NULL) {
		s->own.records[s->own.cnt] = root_anchors[s->own.cnt];
		s->own.cnt++;
	}
	if ((e = anchors_read(&s->own, fd)) != OK)
		return complain(s, e);
	s->anchors = s->own.records;
	return OK;
}

static bool
is_loopback(const char *address)
{
	struct span a = span_of(address);

	a = span_head(a, span_find(a, '@'));
	return span_begins(a, SPAN("127.")) || span_eq(a, SPAN("::1")) ||
	    span_begins_nocase(a, SPAN("::ffff:127."));
}

bool
settings_on_loopback(const struct settings *s)
{
	for (unsigned i = 0; i < s->forward_cnt; i++)
		if (is_loopback(s->forwards[i]))
			return true;
	for (unsigned i = 0; i < s->stub_cnt; i++)
		if (is_loopback(s->stubs[i].address))
			return true;
	return false;
}

#define DNS_PORT	53

/* cnt with the port of "address@port". */
static unsigned
add_port(uint16_t *ports, unsigned cnt, const char *address)
{
	struct span text = span_of(address);
	unsigned long long port = DNS_PORT;
	size_t at = span_find(text, '@');

	if (at < text.len && !span_number(span_tail(text, at + 1), UINT16_MAX,
	    &port))
		return cnt;
	for (unsigned i = 0; i < cnt; i++)
		if (ports[i] == port)
			return cnt;
	ports[cnt] = (uint16_t)port;
	return cnt + 1;
}

unsigned
settings_ports(const struct settings *s, uint16_t *ports)
{
	unsigned cnt = add_port(ports, 0, "");

	for (unsigned i = 0; i < s->forward_cnt; i++)
		cnt = add_port(ports, cnt, s->forwards[i]);
	for (unsigned i = 0; i < s->stub_cnt; i++)
		cnt = add_port(ports, cnt, s->stubs[i].address);
	return cnt;
}
