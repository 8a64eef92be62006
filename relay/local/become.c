/*
 * become.c - the finder is believed in who a name is; whether he may be become
 * is looked at here, and by the lists of system calls once more.
 */
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <unistd.h>

#include "relay/local/become.h"
#include "sys/roles.h"

static uint32_t	 ours[ROLE__COUNT];	/* users of postern's own */
static unsigned	 ours_cnt;

static void
note_ours(void)
{
	for (unsigned r = 0; r < ROLE__COUNT; r++) {
		const char *name = role_row(r)->user;
		const struct passwd *pw;

		if (name[0] == '_' && (pw = getpwnam(name)) != NULL)
			ours[ours_cnt++] = pw->pw_uid;
	}
}

enum err
become_begin(int *finder, struct sandbox *box)
{
	struct sandbox its = *box;

	note_ours();
	box->never = ours;
	box->never_cnt = ours_cnt;
	its.role = ROLE_FINDER;
	its.calls_out = false;
	return who_start(finder, &its);
}

static bool
is_never(const struct who *w)
{
	if (w->uid == 0 || w->gid == 0 || w->uid == UINT32_MAX ||
	    w->gid == UINT32_MAX)
		return true;
	for (unsigned i = 0; i < ours_cnt; i++)
		if (w->uid == ours[i])
			return true;
	return false;
}

enum err
become_find(int finder, const char *const *names, unsigned cnt,
    uint32_t minimum_uid, int patience_ms, struct who *out)
{
	enum err e = who_ask(finder, names, cnt, patience_ms, out);

	if (e == OK && out->uid != 0 && out->uid < minimum_uid)
		return ERR_NONE;
	return e == OK && is_never(out) ? ERR_PEER : e;
}

static bool
drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[2] = { 0 };

	return syscall(SYS_capset, &head, sets) == 0;
}

enum err
become_user(const struct who *w, gid_t gid, volatile uint32_t *note)
{
	if (w->uid == geteuid() && w->uid == getuid())
		return OK;
	*note = w->uid;
	return setgroups(0, NULL) == 0 && setresgid(w->gid, gid, gid) == 0 &&
	    setresuid(w->uid, w->uid, w->uid) == 0 && drop_capabilities() &&
	    geteuid() == w->uid ? OK : ERR_SYS;
}
