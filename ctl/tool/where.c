/* where.c - the configuration is read anew for each question: they are few. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/ask.h"
#include "ctl/tool/where.h"
#include "sys/files.h"

static struct conf *
load(const char *path)
{
	static const struct conf_opener opener = {
		.read = files_read, .glob = files_glob,
	};
	char cwd[PATH_MAX] = "/";
	struct conf_host host = { .cwd = cwd };
	struct conf_report report = { .line = NULL };
	struct conf *c = NULL;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		host.cwd = "/";
	if (conf_load(&c, path, &opener, &host, &report) != OK)
		return NULL;
	return c;
}

/* What it says, or what stands where it says nothing or cannot be read. */
static void
where(const char *config, struct span (*ask)(const struct conf *),
    const char *usual, const char *below, char *buf, size_t cap)
{
	struct conf *c = load(config);
	struct span dir = c != NULL ? ask(c) : SPAN("");

	if (dir.len == 0)
		dir = span_of(usual);
	snprintf(buf, cap, "%.*s%s", (int)dir.len, dir.ptr, below);
	conf_free(&c);
}

void
where_control(const char *config, char *buf, size_t cap)
{
	where(config, ask_run_dir, WHERE_RUN_DIR, "/control", buf, cap);
}

bool
where_users(const char *config, unsigned n, struct where_users *out)
{
	struct conf *c = load(config);
	bool found = false;

	if (c != NULL) {
		struct span name = ask_name(c, "users", n);
		struct span path = ask_text(c, "users", name, "path");

		found = name.len > 0 &&
		    span_cstr(name, out->block, sizeof(out->block)) &&
		    span_cstr(path, out->path, sizeof(out->path));
	}
	conf_free(&c);
	return found;
}

bool
where_certificate(const char *config, unsigned n, char *buf, size_t cap)
{
	struct conf *c = load(config);
	struct span path = c != NULL ? ask_certificate(c, n) : SPAN("");
	bool found = path.len > 0 && span_cstr(path, buf, cap);

	conf_free(&c);
	return found;
}

void
where_drop(const char *config, char *buf, size_t cap)
{
	where(config, ask_drop, WHERE_DROP_DIR, "", buf, cap);
}
