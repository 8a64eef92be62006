/*
 * seccomp_ids.c - a list of its own, before the list of what is allowed or
 * refused: whom a process that may become others may not become.
 */
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/seccomp.h"
#include "sys/seccomp_list.h"

#define CNT(a)	(sizeof(a) / sizeof((a)[0]))

/* A call and how many of its arguments are ids. */
struct way {
	int		 call;
	unsigned	 ids;
};

/* The first is all that a list of what is allowed leaves. */
static const struct way user_ways[] = {
	{ SCMP_SYS(setresuid), 3 }, { SCMP_SYS(setreuid), 2 },
	{ SCMP_SYS(setuid), 1 }, { SCMP_SYS(setfsuid), 1 },
};
static const struct way group_ways[] = {
	{ SCMP_SYS(setresgid), 3 }, { SCMP_SYS(setregid), 2 },
	{ SCMP_SYS(setgid), 1 }, { SCMP_SYS(setfsgid), 1 },
};

struct list {
	scmp_filter_ctx	 f;
	uint32_t	 action;
	size_t		 way_cnt;	/* of the ways, from the first	*/
	int		 rc;
};

static void
refuse(struct list *l, const struct way *ways, uint32_t id)
{
	for (size_t i = 0; i < l->way_cnt; i++)
		for (unsigned no = 0; no < ways[i].ids && l->rc == 0; no++) {
			const struct scmp_arg_cmp cmp =
			    seccomp_list_is(no, id);

			l->rc = seccomp_rule_add_array(l->f, l->action,
			    ways[i].call, 1, &cmp);
		}
}

/* A list of what is allowed says that of groups itself. */
static void
refuse_groups(struct list *l)
{
	const struct scmp_arg_cmp some = {
		.arg = 0, .op = SCMP_CMP_NE, .datum_a = 0,
	};

	if (l->rc == 0)
		l->rc = seccomp_rule_add_array(l->f, l->action,
		    SCMP_SYS(setgroups), 1, &some);
}

enum err
seccomp_refuse_ids(const uint32_t *users, size_t cnt, bool executes)
{
	struct list l = {
		.action = executes ? SCMP_ACT_ERRNO(EPERM) :
		    SCMP_ACT_KILL_PROCESS,
		.way_cnt = executes ? CNT(user_ways) : 1,
	};

	if (seccomp_list_begin(&l.f, SCMP_ACT_ALLOW, &l.rc) != OK)
		return ERR_SYS;
	refuse(&l, user_ways, 0);
	refuse(&l, group_ways, 0);
	for (size_t i = 0; i < cnt; i++)
		refuse(&l, user_ways, users[i]);
	if (executes)
		refuse_groups(&l);
	return seccomp_list_load(&l.f, l.rc);
}
