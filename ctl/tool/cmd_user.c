/*
 * cmd_user.c - user add, passwd, verify, remove, list.
 *
 * The file is the truth; the users process is given its new descriptor when it
 * runs, and reads the new file by itself when it does not.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/tool/cmd.h"
#include "base/json.h"
#include "base/limits.h"
#include "ctl/tool/password.h"
#include "ctl/tool/show.h"
#include "ctl/tool/users.h"
#include "ctl/tool/where.h"
#include "mail/account.h"

enum wish { MUST_BE_NEW, MUST_BE_THERE, MUST_GO };

/* A change of one account. */
struct change {
	struct span	 login;
	struct span	 hash;
	enum wish	 wish;
};

/* Which file is meant.  END_DONE and buf is filled, or told. */
static enum run_end
find_file(const struct run *r, char *buf, size_t cap)
{
	struct where_users u, other;
	unsigned n = 0;

	if (r->users_file != NULL) {
		(void)strlcpy(buf, r->users_file, cap);
		return END_DONE;
	}
	while (where_users(r->config, n, &u)) {
		if (r->users_block == NULL ||
		    strcmp(r->users_block, u.block) == 0)
			break;
		n++;
	}
	if (!where_users(r->config, n, &u)) {
		run_complain("%s has no such block of users: say --file FILE",
		    r->config);
		return END_USAGE;
	}
	if (r->users_block == NULL && where_users(r->config, 1, &other)) {
		run_complain("%s has several blocks of users: say --users "
		    "NAME", r->config);
		return END_USAGE;
	}
	(void)strlcpy(buf, u.path, cap);
	return END_DONE;
}

static enum run_end
find_login(const struct run *r, struct span *login)
{
	if (r->arg_cnt != 1) {
		run_complain("user: which login?");
		return END_USAGE;
	}
	*login = span_of(r->args[0]);
	if (!account_is_name(*login)) {
		run_complain("\"%s\" cannot be a login: it has a colon, a "
		    "control, a blank or \"#\" at its end, or is too long",
		    r->args[0]);
		return END_USAGE;
	}
	return END_DONE;
}

static enum run_end
complain_file(const char *path)
{
	run_complain("%s: %s", path, strerror(errno));
	return errno == EACCES || errno == EPERM ? END_DENIED : END_NOTHING;
}

/* Is the account there or not, as wished?  Else it is told. */
static enum err
judge(struct span text, const struct change *c)
{
	struct account a;
	bool is_there = account_find(text, c->login, &a);

	if (is_there != (c->wish == MUST_BE_NEW))
		return OK;
	run_complain("%.*s %s", (int)c->login.len, c->login.ptr, is_there ?
	    "is there already: user passwd gives it another password" :
	    "has no account");
	return ERR_NONE;
}

static enum err
make_text(struct span old, struct span *out, void *arg)
{
	const struct change *c = arg;
	enum err e = judge(old, c);

	if (e != OK)
		return e;
	return c->wish == MUST_GO ? account_remove(old, c->login, out) :
	    account_put(old, c->login, c->hash, out);
}

/* Before anybody types a password in vain. */
static enum run_end
judge_file(const char *path, const struct change *c)
{
	struct span text = { NULL, 0 };
	enum err e = users_read(path, &text);

	if (e != OK && e != ERR_NONE)
		return complain_file(path);
	e = judge(text, c);
	free((void *)(uintptr_t)text.ptr);
	return e == OK ? END_DONE : END_NOTHING;
}

/* A block that is not in force yet reads the file when it is. */
static enum run_end
tell_block(const struct run *r, struct talk *t, const char *block)
{
	const struct msg_users_want want = { .block = span_of(block) };
	bool is_none = false;
	enum run_end end = run_want(t, MSG_users_want, &want, &is_none);

	if (end != END_DONE)
		run_complain("users %s still goes by the old file", block);
	else if (is_none && !r->json)
		printf("users %s is not in force yet: posternctl reload\n",
		    block);
	return end;
}

static bool
is_same_file(const char *a, const char *b)
{
	char first[PATH_MAX], second[PATH_MAX];

	return realpath(a, first) != NULL && realpath(b, second) != NULL &&
	    strcmp(first, second) == 0;
}

/* Have the processes of all blocks with this file open it anew. */
static enum run_end
tell_postern(const struct run *r, const char *path)
{
	enum run_end end = END_DONE;
	struct where_users u;
	struct talk *t = NULL;

	for (unsigned n = 0; end == END_DONE &&
	    where_users(r->config, n, &u); n++) {
		enum err e = OK;

		if (!is_same_file(u.path, path))
			continue;
		if (t == NULL)
			e = run_try(r, &t);
		if (e == ERR_NONE) {
			if (!r->json)
				puts("postern is not running; it reads the "
				    "file when it starts.");
			break;
		}
		end = e == OK ? tell_block(r, t, u.block) : run_reach(r, &t);
	}
	talk_close(&t);
	return end;
}

static void
report(const struct run *r, struct span login, const char *action,
    const char *past)
{
	struct json j = { .out = stdout };

	if (!r->json) {
		show_text(stdout, login);
		printf(" %s.\n", past);
		return;
	}
	json_open(&j, NULL, '{');
	json_text(&j, "login", login);
	json_text(&j, "action", span_of(action));
	json_text(&j, "status", SPAN("done"));
	json_close(&j, '}');
}

static enum run_end
change_file(const struct run *r, const char *path, struct change *c)
{
	enum err e = users_change(path, make_text, c);

	if (e == ERR_SYS)
		return complain_file(path);
	if (e == ERR_FULL)
		run_complain("no memory");
	if (e == ERR_PEER)
		run_complain("%s: others may write its directory, and so say "
		    "who may log in", path);
	return e == OK ? tell_postern(r, path) : END_NOTHING;
}

/* The hash of a new password, to be freed. */
static enum run_end
ask_hash(char **out)
{
	char password[PASSWORD_MAX + 1];
	enum err e = password_read(true, password);

	if (e == OK)
		e = password_hash(password, out);
	explicit_bzero(password, sizeof(password));
	if (e == ERR_SYS)
		run_complain("no password: %s", strerror(errno));
	return e == OK ? END_DONE : END_NOTHING;
}

static enum run_end
set_password(struct run *r, enum wish wish, const char *action,
    const char *past)
{
	struct change c = { .wish = wish };
	char path[WHERE_MAX], *hash = NULL;
	enum run_end end;

	if ((end = find_login(r, &c.login)) != END_DONE ||
	    (end = find_file(r, path, sizeof(path))) != END_DONE ||
	    (end = judge_file(path, &c)) != END_DONE ||
	    (end = ask_hash(&hash)) != END_DONE)
		return end;
	c.hash = span_of(hash);
	if ((end = change_file(r, path, &c)) == END_DONE)
		report(r, c.login, action, past);
	free(hash);
	return end;
}

enum run_end
cmd_user_add(struct run *r)
{
	return set_password(r, MUST_BE_NEW, "add", "has an account");
}

enum run_end
cmd_user_passwd(struct run *r)
{
	return set_password(r, MUST_BE_THERE, "passwd",
	    "has another password");
}

enum run_end
cmd_user_remove(struct run *r)
{
	struct change c = { .wish = MUST_GO };
	char path[WHERE_MAX];
	enum run_end end;

	if ((end = find_login(r, &c.login)) != END_DONE ||
	    (end = find_file(r, path, sizeof(path))) != END_DONE)
		return end;
	if ((end = change_file(r, path, &c)) == END_DONE)
		report(r, c.login, "remove", "is removed");
	return end;
}

static enum run_end
read_file(const struct run *r, struct span *text)
{
	char path[WHERE_MAX];
	enum run_end end = find_file(r, path, sizeof(path));
	enum err e;

	if (end != END_DONE)
		return end;
	if ((e = users_read(path, text)) == OK)
		return END_DONE;
	if (e == ERR_NONE)
		errno = ENOENT;
	return complain_file(path);
}

enum run_end
cmd_user_verify(struct run *r)
{
	char password[PASSWORD_MAX + 1];
	struct json j = { .out = stdout };
	struct span login, text;
	struct account a = { .hash = { NULL, 0 } };
	enum run_end end;
	bool fits = false;

	if ((end = find_login(r, &login)) != END_DONE ||
	    (end = read_file(r, &text)) != END_DONE)
		return end;
	if (password_read(false, password) == OK &&
	    account_find(text, login, &a))
		fits = password_fits(password, a.hash);
	explicit_bzero(password, sizeof(password));
	free((void *)(uintptr_t)text.ptr);
	if (r->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "login", login);
		json_flag(&j, "good", fits);
		json_close(&j, '}');
	} else
		puts(fits ? "good" : "bad");
	return fits ? END_DONE : END_NOTHING;
}

/* Why nobody can log in to it, or NULL. */
static const char *
what_is_wrong(const struct account *a)
{
	if (a->is_odd)
		return "not a hash of crypt(3)";
	if (a->hash.len == 0)
		return "locked";
	if (!password_knows(a->hash))
		return "not a hash of crypt(3)";
	if (account_hash_bytes(a->hash) > USERS_MEMORY)
		return "its hash takes more memory than there is";
	return NULL;
}

static void
list_one(const struct run *r, const struct account *a)
{
	const char *wrong = what_is_wrong(a);
	bool is_locked = a->hash.len == 0 && !a->is_odd;
	struct json j = { .out = stdout };

	if (!r->json) {
		show_text(stdout, a->name);
		if (wrong != NULL)
			printf("  (%s)", wrong);
		putchar('\n');
		return;
	}
	json_open(&j, NULL, '{');
	json_text(&j, "login", a->name);
	json_flag(&j, "locked", is_locked);
	if (wrong != NULL && !is_locked)
		json_text(&j, "wrong", span_of(wrong));
	json_close(&j, '}');
}

enum run_end
cmd_user_list(struct run *r)
{
	struct span text, left;
	struct account a;
	enum run_end end = read_file(r, &text);

	if (end != END_DONE)
		return end;
	left = text;
	while (account_next(&left, &a))
		list_one(r, &a);
	free((void *)(uintptr_t)text.ptr);
	return END_DONE;
}
