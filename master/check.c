/*
 * check.c - everything conf/ may not do itself: files, users, host name.
 *
 * What loads modules by dlopen(), which the sandbox refuses, is warmed up
 * before we enter it: the name service and libcrypto.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/conf.h"
#include "master/check.h"
#include "master/check_keys.h"
#include "master/check_roots.h"
#include "master/check_users.h"
#include "master/homes.h"
#include "sys/files.h"
#include "sys/logfile.h"
#include "lua/points.h"
#include "sys/regex.h"
#include "sys/sandbox.h"

#define NAME_LEN	256	/* bytes of a host name with NUL */

/* What conf asks us to open. */

static enum conf_kind
kind_of(void *arg, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return KIND_NONE;
	return S_ISREG(st.st_mode) ? KIND_FILE :
	    S_ISDIR(st.st_mode) ? KIND_DIRECTORY : KIND_OTHER;
}

/* A device or a FIFO is not opened: that alone could do something. */
static void
look_at(void *arg, const char *path, struct conf_look *out)
{
	struct stat st;
	int fd;

	*out = (struct conf_look){ .kind = KIND_NONE };
	if (stat(path, &st) == -1) {
		out->error = errno;
		return;
	}
	out->kind = S_ISREG(st.st_mode) ? KIND_FILE :
	    S_ISDIR(st.st_mode) ? KIND_DIRECTORY : KIND_OTHER;
	out->mode = st.st_mode & 07777;
	if (out->kind != KIND_FILE)
		return;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		out->error = errno;
	else
		close(fd);
}

static uint64_t
disk_of(void *arg, const char *path)
{
	struct statvfs vfs;

	return statvfs(path, &vfs) == -1 ? 0 :
	    (uint64_t)vfs.f_blocks * vfs.f_frsize;
}

/* The lines below a mistake or warning are of its level. */
static void
tell(void *arg, const char *text)
{
	static enum log_level level = LOG_ERROR;

	if (text[0] != ' ')
		level = strstr(text, ": warning: ") != NULL ? LOG_WARN :
		    strstr(text, ": note: ") != NULL ? LOG_INFO : LOG_ERROR;
	fprintf(stderr, "%s%s\n", logfile_level(level), text);
}

/* The full name of this host, as far as it knows itself. */
static void
find_fqdn(char *buf, size_t cap)
{
	const struct addrinfo hints = {
		.ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;

	if (gethostname(buf, cap) == -1 || buf[0] == '\0')
		(void)strlcpy(buf, "localhost", cap);
	buf[cap - 1] = '\0';
	if (strchr(buf, '.') != NULL ||
	    getaddrinfo(buf, NULL, &hints, &found) != 0)
		return;
	if (found->ai_canonname != NULL &&
	    strchr(found->ai_canonname, '.') != NULL)
		(void)strlcpy(buf, found->ai_canonname, cap);
	freeaddrinfo(found);
}

/* Handing over. */

/* A slice or a file, as a memfd that is what it is for good; -1 on error. */
static int
seal(struct span bytes)
{
	int fd = memfd_create("slice", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;
	ssize_t put;

	if (fd == -1)
		return -1;
	while (done < bytes.len) {
		put = write(fd, bytes.ptr + done, bytes.len - done);
		if (put == -1 && errno != EINTR)
			goto fail;
		if (put > 0)
			done += (size_t)put;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_SEAL) == 0)
		return fd;
fail:
	close(fd);
	return -1;
}

/* One packet; slice_fd is -1 or goes with it. */
static bool
hand_over(int fd, const void *bytes, size_t len, int slice_fd)
{
	union {
		struct cmsghdr	 align;
		char		 bytes[CMSG_SPACE(sizeof(int))];
	} room;
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (slice_fd != -1) {
		memset(&room, 0, sizeof(room));
		h.msg_control = room.bytes;
		h.msg_controllen = sizeof(room.bytes);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &slice_fd, sizeof(int));
	}
	return sendmsg(fd, &h, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool
hand_over_file(int fd, const struct plan_file *f, struct span made)
{
	int made_fd = f->is_made ? seal(made) : -1;
	bool good = (made_fd == -1) == (f->is_made == 0) &&
	    hand_over(fd, f, sizeof(*f), made_fd);

	if (made_fd != -1)
		close(made_fd);
	return good;
}

static bool
hand_over_plan(int fd, const struct conf_plan *p)
{
	bool good = hand_over(fd, &p->head, sizeof(p->head), -1);

	for (uint32_t i = 0; good && i < p->head.process_cnt; i++) {
		int slice = seal(p->slices[i]);

		good = slice != -1 && hand_over(fd, &p->processes[i],
		    sizeof(p->processes[i]), slice);
		if (slice != -1)
			close(slice);
	}
	for (uint32_t i = 0; good && i < p->head.link_cnt; i++)
		good = hand_over(fd, &p->links[i], sizeof(p->links[i]), -1);
	for (uint32_t i = 0; good && i < p->head.file_cnt; i++)
		good = hand_over_file(fd, &p->files[i], p->made[i]);
	for (uint32_t i = 0; good && i < p->head.endpoint_cnt; i++)
		good = hand_over(fd, &p->endpoints[i],
		    sizeof(p->endpoints[i]), -1);
	if (!good)
		fprintf(stderr, "postern: cannot hand over the plan: %s\n",
		    strerror(errno));
	return good;
}

/* A file of Lua is run as an edge runs it, and forgotten. */
static enum err
check_lua(struct span name, struct span bytes, unsigned *line, char *why,
    size_t cap)
{
	struct script_why is = { .line = 0, .text = "no memory" };
	enum err e = points_check(name, bytes, &is);

	*line = is.line;
	snprintf(why, cap, "%s", is.text);
	return e;
}

/* 1 is for mistakes of the configuration, and for nothing else. */
static int
check(const char *file, const struct conf_host *host, int plan_fd,
    bool wants_facts)
{
	const struct conf_opener opener = {
		.read = files_read, .read_below = files_read_below,
		.glob = files_glob, .kind = kind_of,
		.look = look_at, .disk = disk_of, .pair = check_keys_pair,
		.suits = check_keys_suits, .left = check_keys_left,
		.names = check_keys_names, .roots = check_roots,
		.regex = regex_check, .lua = check_lua,
	};
	struct conf_report report = { .line = tell,
	    .wants_facts = wants_facts };
	struct conf *c = NULL;
	struct conf_plan plan;
	enum err e = conf_load(&c, file, &opener, host, &report);

	if (e == OK && (e = conf_plan(c, &plan)) != OK)
		fprintf(stderr, "postern: %s: no plan: %s\n", file,
		    err_name(e));
	if (e == OK && plan_fd != -1 && !hand_over_plan(plan_fd, &plan))
		e = ERR_SYS;
	conf_free(&c);
	return e == OK ? 0 : e == ERR_PEER ? 1 : EX_OSERR;
}

int
check_run(const char *file, int plan_fd, bool wants_facts)
{
	const struct sandbox box = {
		.role = ROLE_CHECK, .wish = SANDBOX_PREFER,
	};
	char fqdn[NAME_LEN], cwd[PATH_MAX];
	struct conf_host host = {
		.fqdn = fqdn, .cwd = cwd, .is_root = geteuid() == 0,
		.path = getenv("PATH"),
		.credentials = getenv("CREDENTIALS_DIRECTORY"),
		.user_ids = check_users_ids, .homes = homes_look(),
	};

	check_users_start();
	host.users_command = check_users_command();
	if (!check_keys_start())
		fprintf(stderr, "postern: libcrypto does not work: keys "
		    "cannot be checked\n");
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		(void)strlcpy(cwd, "/", sizeof(cwd));
	if (sandbox_enter(&box) != OK) {
		fprintf(stderr, "postern: cannot lock myself in: %s failed: "
		    "%s\n", sandbox_missed(), strerror(errno));
		return EX_OSERR;
	}
	find_fqdn(fqdn, sizeof(fqdn));
	return check(file, &host, plan_fd, wants_facts);
}
