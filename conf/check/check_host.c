/* check_host.c - what this host has. */
#include "conf/check/check.h"

void
check_directory(struct conf *c, struct span path, struct place place)
{
	enum conf_kind kind;
	char text[PLAN_PATH_MAX];

	if (!span_cstr(path, text, sizeof(text)) || path.len == 0 ||
	    c->opener->kind == NULL)
		return;
	kind = c->opener->kind(c->opener->arg, text);
	if (kind == KIND_FILE || kind == KIND_OTHER)
		report_add(&c->mistakes, place, "%s is not a directory", text);
}

bool
check_user(struct conf *c, struct span name, uint32_t *uid, uint32_t *gid)
{
	char text[64];

	return span_cstr(name, text, sizeof(text)) &&
	    c->host->user_ids(c->host->arg, text, uid, gid);
}
