/*
 * sandbox_kit - children that enter the sandbox of a row of roles.def and do
 * one thing there, and what becomes of them.
 *
 * Include it after cmocka.h and what that needs.
 */
#ifndef TESTS_SANDBOX_KIT_H
#define TESTS_SANDBOX_KIT_H

#include <sys/stat.h>
#include <sys/wait.h>

#include <ftw.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/landlock.h"
#include "sys/sandbox.h"
#include "sys/seccomp.h"

#define UID		61234	/* nobody's */
#define GID		61235
#define NEVER		61300	/* whom nobody may become */

enum fate { WORKS, FAILS, DIES, BROKEN };

static char	 base[64];		/* holds the next two		*/
static char	 inside[96], outside[96];
static bool	 give_up_root;		/* before the sandbox		*/
__attribute__((unused))
static bool	 calls_out;		/* a launcher			*/
static uint16_t	 port;			/* the one to connect to	*/
static void	 (*before_entering)(void);	/* as whoever enters	*/

/*
 * What becomes of each, by row: W works, F fails, D dies.  A small letter:
 * only the filter refuses it, so not asked without one.  L and S: Landlock
 * refuses it as well, if new enough.
 */
struct act {
	const char	*name;
	bool		 (*act)(void);
	/*		 edge queue relay maildir resolver
	 *		 pipe keys users control blackhole proxy pickup */
	char		 fates[13];
};

/* What the letter asks for here, BROKEN when it cannot be asked. */
static enum fate
wanted(char letter)
{
	bool filtered = seccomp_is_on();

	switch (letter) {
	case 'W':
		return WORKS;
	case 'F':
		return FAILS;
	case 'D':
		return filtered ? DIES : FAILS;
	case 'd':
		return filtered ? DIES : BROKEN;
	case 'f':
		return filtered ? FAILS : BROKEN;
	case 'L':	/* Landlock with TCP rules alone refuses it */
		return landlock_abi() >= 4 ? FAILS : BROKEN;
	case 'S':	/* without the filter: Landlock with scopes */
		if (filtered)
			return DIES;
		return landlock_abi() >= 6 ? FAILS : BROKEN;
	default:
		return BROKEN;
	}
}

static enum err
enter(enum role role, bool debug)
{
	static const uint32_t never[] = { NEVER };
	struct sandbox box = {
		.never = never, .never_cnt = 1,
		.role = role, .uid = UID, .gid = GID, .root = inside,
		.wish = SANDBOX_REQUIRE, .debug = debug,
		.ports = &port, .port_cnt = 1, .calls_out = calls_out,
	};

	return sandbox_enter(&box);
}

static enum fate
fate_of(int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? DIES : BROKEN;
	switch (WEXITSTATUS(status)) {
	case 0:
		return WORKS;
	case 1:
		return FAILS;
	default:
		return BROKEN;
	}
}

/* As an ordinary user: without namespace, chroot and change of user. */
static void
leave_root(void)
{
	if (give_up_root && (setgroups(0, NULL) == -1 ||
	    setresgid(GID, GID, GID) == -1 || setresuid(UID, UID, UID) == -1))
		_exit(3);
}

static enum fate
try(enum role role, bool (*act)(void), bool debug)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		leave_root();
		if (before_entering != NULL)
			before_entering();
		if (enter(role, debug) != OK)
			_exit(3);
		_exit(act() ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return fate_of(status);
}

static const enum role locked_in[] = {
	ROLE_EDGE, ROLE_QUEUE, ROLE_RELAY, ROLE_MAILDIR, ROLE_RESOLVER,
	ROLE_PIPE, ROLE_KEYS, ROLE_USERS, ROLE_CONTROL, ROLE_BLACKHOLE,
	ROLE_PROXY, ROLE_PICKUP,
};
#define LOCKED_IN_CNT	(sizeof(locked_in) / sizeof(locked_in[0]))

/* after, which may be NULL, says whether all is well once it was tried. */
__attribute__((unused))
static void
try_each(const struct act *list, size_t cnt, bool (*after)(void))
{
	static const char *const words[] = {
		"works", "fails", "dies", "broken",
	};
	unsigned wrong = 0;

	for (size_t i = 0; i < cnt; i++)
		for (size_t k = 0; k < LOCKED_IN_CNT; k++) {
			enum fate want = wanted(list[i].fates[k]), got;

			if (want == BROKEN)
				continue;
			got = try(locked_in[k], list[i].act, false);
			if (got == want && (after == NULL || after()))
				continue;
			wrong++;
			print_error("%s in %s: %s, should be: %s\n",
			    list[i].name, role_row(locked_in[k])->name,
			    words[got], words[want]);
		}
	assert_int_equal(wrong, 0);
}

/* Outside is everybody's: only the sandbox protects it. */
static bool
make_places(void)
{
	(void)strlcpy(base, "/tmp/test_sandbox.XXXXXX", sizeof(base));
	if (mkdtemp(base) == NULL || chmod(base, 0755) == -1)
		return false;
	snprintf(inside, sizeof(inside), "%s/inside", base);
	snprintf(outside, sizeof(outside), "%s/outside", base);
	return mkdir(inside, 0700) == 0 && mkdir(outside, 0700) == 0 &&
	    chmod(outside, 0777) == 0 &&
	    (geteuid() != 0 || chown(inside, UID, GID) == 0);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	return remove(path);
}

static int
remove_places(void)
{
	return nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
