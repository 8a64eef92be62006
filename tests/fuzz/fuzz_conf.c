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
#include "conf/slice/slice.h"

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

/* Whatever can be of a file, by its name. */
static void
look_at(void *arg, const char *path, struct conf_look *out)
{
	unsigned len = (unsigned)strlen(path);

	*out = (struct conf_look){ .kind = (enum conf_kind)(len & 1),
	    .mode = len & 2 ? 0644 : 0640, .error = len & 4 ? 13 : 0 };
}

static enum conf_pair
pair_of(void *arg, const char *certfile, const char *keyfile)
{
	return (enum conf_pair)((strlen(certfile) + strlen(keyfile)) %
	    (PAIR_UNKNOWN + 1));
}

static bool
suits(void *arg, const char *certfile, bool is_client)
{
	return (strlen(certfile) & 1) == is_client;
}

static enum err
roots_of(void *arg, const char *path, bool is_directory,
    struct conf_roots *out)
{
	out->bytes = strdup(path);
	out->len = strlen(path);
	return out->bytes == NULL ? ERR_FULL : OK;
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
	for (uint32_t i = 0; i < p->head.link_cnt; i++)
		if (p->links[i].from >= p->head.process_cnt ||
		    p->links[i].to >= p->head.process_cnt)
			abort();
}

/* Files and endpoints of a process are rows that there are. */
static void
count_all(const struct conf_plan *p)
{
	for (uint32_t i = 0; i < p->head.process_cnt; i++) {
		const struct plan_process *row = &p->processes[i];

		if (row->first_file + row->file_cnt > p->head.file_cnt ||
		    row->first_endpoint + row->endpoint_cnt >
		    p->head.endpoint_cnt ||
		    row->listener_cnt > PLAN_LISTENERS_MAX)
			abort();
	}
	for (uint32_t i = 0; i < p->head.file_cnt; i++)
		if (p->files[i].path[0] != '/')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct input in = { .bytes = bytes, .len = len };
	const struct conf_opener opener = { .arg = &in, .read = read_part,
	    .glob = find_two, .kind = kind_of,
	    .look = len & 2 ? look_at : NULL,
	    .pair = len & 4 ? pair_of : NULL, .suits = suits,
	    .roots = roots_of };
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
		count_all(&p);
	}
	conf_free(&c);
	return 0;
}
