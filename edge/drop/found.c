/* found.c - few users have files at a time: they are a list. */
#include <stdlib.h>
#include <string.h>

#include "edge/drop/found.h"

struct found_name {
	STAILQ_ENTRY(found_name) entry;
	char		 name[];
};

struct found_user {
	TAILQ_ENTRY(found_user) entry;
	uint32_t	 uid;
	unsigned	 cnt;
	STAILQ_HEAD(, found_name) names;
};

void
found_init(struct found *f)
{
	TAILQ_INIT(&f->users);
	f->cnt = f->user_cnt = 0;
}

/* His line; a new one where he has none and there is room. */
static struct found_user *
line_of(struct found *f, uint32_t uid)
{
	struct found_user *u;

	TAILQ_FOREACH(u, &f->users, entry)
		if (u->uid == uid)
			return u;
	if (f->user_cnt == FOUND_USERS_MAX ||
	    (u = calloc(1, sizeof(*u))) == NULL)
		return NULL;
	u->uid = uid;
	STAILQ_INIT(&u->names);
	TAILQ_INSERT_TAIL(&f->users, u, entry);
	f->user_cnt++;
	return u;
}

static void
drop_if_empty(struct found *f, struct found_user *u)
{
	if (u->cnt > 0)
		return;
	TAILQ_REMOVE(&f->users, u, entry);
	f->user_cnt--;
	free(u);
}

enum err
found_add(struct found *f, uint32_t uid, const char *name)
{
	size_t len = strlen(name);
	struct found_user *u;
	struct found_name *n = NULL;

	if (f->cnt == FOUND_MAX || len > FOUND_NAME_MAX ||
	    (u = line_of(f, uid)) == NULL)
		return ERR_FULL;
	if (u->cnt < FOUND_USER_MAX)
		n = malloc(sizeof(*n) + len + 1);
	if (n == NULL) {
		drop_if_empty(f, u);
		return ERR_FULL;
	}
	memcpy(n->name, name, len + 1);
	STAILQ_INSERT_TAIL(&u->names, n, entry);
	u->cnt++;
	f->cnt++;
	return OK;
}

enum err
found_take(struct found *f, char *name)
{
	struct found_user *u = TAILQ_FIRST(&f->users);
	struct found_name *n;

	if (u == NULL)
		return ERR_NONE;
	n = STAILQ_FIRST(&u->names);
	STAILQ_REMOVE_HEAD(&u->names, entry);
	(void)strlcpy(name, n->name, FOUND_NAME_MAX + 1);
	free(n);
	u->cnt--;
	f->cnt--;
	TAILQ_REMOVE(&f->users, u, entry);
	TAILQ_INSERT_TAIL(&f->users, u, entry);
	drop_if_empty(f, u);
	return OK;
}

void
found_clear(struct found *f)
{
	char name[FOUND_NAME_MAX + 1];

	while (found_take(f, name) == OK)
		;
}
