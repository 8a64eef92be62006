/* roles.c - the table that roles.def stands for. */
#include "sys/roles.h"

static const struct role_row rows[ROLE__COUNT] = {
#define ROLE(name, word, program, user, root, may)			\
	[ROLE_##name] = { #word, program, user, ROOT_##root, may },
#include "sys/roles.def"
#undef ROLE
};

const struct role_row *
role_row(enum role role)
{
	return &rows[role];
}
