/*
 * dnslook.c - libunbound, asked one question after the other.  With a server
 * that is given nothing is validated: it may be one that knows no other zones.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <unbound.h>

#include "base/json.h"
#include "ctl/tool/dnslook.h"
#include "ctl/tool/show.h"

#define CLASS_IN	1
#define ANCHOR		"/usr/share/dns/root.key"
#define RESOLV_CONF	"/etc/resolv.conf"
#define NXDOMAIN	3

/* A private network's names are its own servers' to know. */
static int
set_up(struct dnslook *l, const char *server)
{
	int e;

	if ((e = ub_ctx_set_option(l->ub, "do-not-query-localhost:",
	    "no")) != 0 || (e = ub_ctx_set_option(l->ub,
	    "unblock-lan-zones:", "yes")) != 0)
		return e;
	if (server != NULL)
		return ub_ctx_set_fwd(l->ub, server);
	if (access(ANCHOR, R_OK) == 0) {
		if ((e = ub_ctx_add_ta_file(l->ub, ANCHOR)) != 0)
			return e;
		l->validates = true;
	}
	return ub_ctx_resolvconf(l->ub, RESOLV_CONF);
}

enum run_end
dnslook_open(struct dnslook *l, const char *server)
{
	int e;

	if ((l->ub = ub_ctx_create()) == NULL) {
		run_complain("no memory");
		return END_NOTHING;
	}
	if ((e = set_up(l, server)) == 0)
		return END_DONE;
	run_complain("%s: %s", server != NULL ? server : "DNS",
	    ub_strerror(e));
	ub_ctx_delete(l->ub);
	return server != NULL ? END_USAGE : END_NOTHING;
}

enum dnslook_end
dnslook_ask(struct dnslook *l, const char *name, int rrtype,
    struct dnslook_answer *out)
{
	*out = (struct dnslook_answer){ .result = NULL };
	if (ub_resolve(l->ub, name, rrtype, CLASS_IN, &out->result) != 0)
		return DNSLOOK_FAILED;
	if (out->result->bogus || (out->result->rcode != 0 &&
	    out->result->rcode != NXDOMAIN))
		return DNSLOOK_FAILED;
	while (out->result->havedata && out->result->data[out->cnt] != NULL)
		out->cnt++;
	out->is_unsigned = l->validates && !out->result->secure;
	return out->cnt > 0 ? DNSLOOK_FOUND : DNSLOOK_NONE;
}

struct span
dnslook_row(const struct dnslook_answer *a, unsigned i)
{
	return (struct span){ a->result->data[i], (size_t)a->result->len[i] };
}

void
dnslook_done(struct dnslook_answer *a)
{
	ub_resolve_free(a->result);
	*a = (struct dnslook_answer){ .result = NULL };
}

static const char *const words[DNSLOOK__COUNT] = {
	[DNSLOOK_GOOD] = "good", [DNSLOOK_MISSING] = "missing",
	[DNSLOOK_WRONG] = "wrong", [DNSLOOK_OPTIONAL] = "optional",
	[DNSLOOK_UNKNOWN] = "unknown",
};

static void
tell_json(const char *kind, const char *name, enum dnslook_state state,
    const char *value, const char *why)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "record", span_of(kind));
	json_text(&j, "name", span_of(name));
	json_text(&j, "state", span_of(words[state]));
	if (value[0] != '\0')
		json_text(&j, "value", span_of(value));
	if (why != NULL)
		json_text(&j, "why", span_of(why));
	json_close(&j, '}');
}

void
dnslook_tell(struct dnslook *l, const char *kind, const char *name,
    enum dnslook_state state, const char *value, const char *why)
{
	static const char marks[DNSLOOK__COUNT] = {
		[DNSLOOK_GOOD] = ' ', [DNSLOOK_MISSING] = '!',
		[DNSLOOK_WRONG] = '!', [DNSLOOK_OPTIONAL] = '-',
		[DNSLOOK_UNKNOWN] = '?',
	};

	l->bad_cnt += state != DNSLOOK_GOOD && state != DNSLOOK_OPTIONAL;
	if (l->json) {
		tell_json(kind, name, state, value, why);
		return;
	}
	printf("%c %-8s ", marks[state], kind);
	show_text(stdout, span_of(name));
	if (value[0] != '\0') {
		fputs("  ", stdout);
		show_text(stdout, span_of(value));
	}
	if (state == DNSLOOK_MISSING || state == DNSLOOK_OPTIONAL)
		fputs("  is missing", stdout);
	if (state == DNSLOOK_UNKNOWN)
		fputs("  no name server has answered", stdout);
	printf("%s%s\n", why != NULL ? ": " : "", why != NULL ? why : "");
}

void
dnslook_add(struct dnslook *l, const char *format, ...)
{
	va_list args;

	if (l->add_cnt == DNSLOOK_ADD_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(l->adds[l->add_cnt++], DNSLOOK_ADD_LEN, format, args);
	va_end(args);
}

static void
print_adds(const struct dnslook *l)
{
	struct json j = { .out = stdout };

	if (!l->json && l->add_cnt > 0)
		puts("To add:");
	for (unsigned i = 0; i < l->add_cnt; i++) {
		if (!l->json) {
			show_text(stdout, span_of(l->adds[i]));
			putchar('\n');
			continue;
		}
		json_open(&j, NULL, '{');
		json_text(&j, "add", span_of(l->adds[i]));
		json_close(&j, '}');
	}
}

enum run_end
dnslook_close(struct dnslook *l)
{
	print_adds(l);
	ub_ctx_delete(l->ub);
	return l->bad_cnt > 0 ? END_NOTHING : END_DONE;
}
