/*
 * fuzz_conf - any bytes as a configuration: never a crash, mistakes are
 * counted, and what passes makes a plan whose slices open.
 *
 * The file may include itself and two others, whose text is parts of it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/slice.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct input {
	const uint8_t	*bytes;
	size_t		 len;
	unsigned	 line_cnt, read_cnt;
};

static enum err
read_part(void *arg, const char *path, size_t max, char **bytes, size_t *len)
{
	struct input *in = arg;
	size_t half = strstr(path, "half") != NULL ? in->len / 2 : 0;

	if (strstr(path, "none") != NULL || ++in->read_cnt > 40)
		return ERR_NONE;
	if (in->len - half > max)
		return ERR_FULL;
	*len = in->len - half;
	*bytes = malloc(*len + 1);
	if (*bytes == NULL)
		return ERR_FULL;
	memcpy(*bytes, in->bytes + half, *len);
	return OK;
}

static enum err
find_two(void *arg, const char *pattern, conf_found_fn *found, void *found_arg)
{
	(void)pattern;
	found(found_arg, "dir/half");
	found(found_arg, "dir/all");
	return OK;
}

static enum conf_kind
kind_of(void *arg, const char *path)
{
	return (enum conf_kind)(strlen(path) & 3);
}

static bool
user_ids(void *arg, const char *name, uint32_t *uid, uint32_t *gid)
{
	*uid = *gid = 77;
	return name[0] != 'x';
}

static void
take_line(void *arg, const char *text)
{
	struct input *in = arg;

	in->line_cnt++;
	if (strchr(text, '\n') != NULL)
		abort();
}

static void
open_all(const struct conf_plan *p)
{
	struct slice s, process;

	for (uint32_t i = 0; i < p->head.process_cnt; i++) {
		if (slice_open(&s, p->slices[i]) != OK)
			abort();
		process = slice_process(&s);
		if (slice_count(&process, "hostname") != 1)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct input in = { .bytes = bytes, .len = len };
	const struct conf_opener opener = { &in, read_part, find_two,
	    kind_of };
	const struct conf_host host = { .fqdn = "host.example.org",
	    .cwd = "/cwd", .is_root = (len & 1) != 0, .user_ids = user_ids };
	struct conf_report report = { .arg = &in, .line = take_line };
	struct conf *c = NULL;
	struct conf_plan p;
	enum err e = conf_load(&c, "main", &opener, &host, &report);

	if ((e == OK) != (report.errors == 0) ||
	    (e == OK) != (in.line_cnt == 0) || (e == OK) != (c != NULL))
		abort();
	if (e == OK) {
		if (conf_plan(c, &p) != OK)
			abort();
		open_all(&p);
	}
	conf_free(&c);
	return 0;
}
