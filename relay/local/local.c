/*
 * local.c - names a recipient may mean, in their order: his local part as it
 * is, in lower case, and either without the detail behind the delimiter.
 */
#include <sys/wait.h>

#include <string.h>

#include "base/log.h"
#include "mail/address.h"
#include "relay/local/local.h"
#include "relay/local/runner.h"
#include "relay/local/task.h"
#include "relay/local/who.h"

enum err
local_start(struct launcher **out, const struct relay_type_env *env)
{
	struct sandbox box = { .role = ROLE_COURIER, .root = "/",
	    .wish = SANDBOX_REQUIRE };
	const struct task_rules rules = {
		.path = slice_text(&env->block, "path", 0),
		.hostname = env->hostname,
		.minimum_uid = (uint32_t)slice_num(&env->block,
		    "minimum_uid"),
		.forwards = slice_flag(&env->block, "forward_file"),
		.timeout_ms = (int64_t)slice_num(&env->block, "timeout"),
	};

	boot_ids(env->boot, &box.uid, &box.gid);
	task_init(&rules);
	return launcher_start_task(out, &task_deliver, &box);
}

enum err
local_start_as(struct launcher **out, const char *program,
    const struct relay_type_env *env)
{
	struct sandbox box = { .role = ROLE_RUNNER, .root = "/",
	    .wish = SANDBOX_REQUIRE,
	    .calls_out = slice_flag(&env->block, "network") };

	boot_ids(env->boot, &box.uid, &box.gid);
	runner_init((uint32_t)slice_num(&env->block, "minimum_uid"));
	return launcher_start_as(out, program, &runner_task, &box);
}

/* RFC 5321 4.1.2: quoted or not, it is the same. */
static struct span
unquote(struct span local, char buf[LOCAL_PART_MAX])
{
	size_t len = 0;

	if (local.len < 2 || local.ptr[0] != '"')
		return local;
	local = span_tail(span_head(local, local.len - 1), 1);
	for (size_t i = 0; i < local.len && len < LOCAL_PART_MAX; i++) {
		if (local.ptr[i] == '\\' && i + 1 < local.len)
			i++;
		buf[len++] = local.ptr[i];
	}
	return (struct span){ buf, len };
}

static struct span
lower(struct span s, char buf[LOCAL_PART_MAX])
{
	for (size_t i = 0; i < s.len && i < LOCAL_PART_MAX; i++)
		buf[i] = s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ?
		    (char)(s.ptr[i] - 'A' + 'a') : s.ptr[i];
	return (struct span){ buf, s.len };
}

static enum err
add_names(struct span local, struct pipe_args *out)
{
	char small[LOCAL_PART_MAX];
	struct span folded = lower(local, small);
	enum err e = pipe_args_add_value(out, local);

	return e != OK || span_eq(folded, local) ? e :
	    pipe_args_add_value(out, folded);
}

enum err
local_names(const struct slice *block, struct span address,
    struct pipe_args *out)
{
	struct span local, user;
	struct span delimiter = slice_text(block, "recipient_delimiter", 0);
	char buf[LOCAL_PART_MAX];
	size_t at = address.len;
	enum err e;

	while (at > 0 && address.ptr[at - 1] != '@')
		at--;
	local = at > 0 ? span_head(address, at - 1) : address;
	user = address_user(local, delimiter.len > 0 ? delimiter.ptr[0] :
	    '\0');
	local = unquote(local, buf);
	if (local.len > LOCAL_PART_MAX)
		return ERR_PEER;
	if ((e = add_names(local, out)) == OK && user.len < local.len)
		e = add_names(user, out);
	out->name_cnt = out->cnt;
	return e;
}

enum err
local_args(const struct slice *block, struct span sender, struct span address,
    struct pipe_args *out)
{
	enum err e;

	if ((e = pipe_args_add_value(out, sender)) == OK &&
	    (e = pipe_args_add_value(out, address)) == OK)
		e = local_names(block, address, out);
	return e;
}

static void
log_trouble(struct span why)
{
	struct log_line l;

	if (why.len == 0)
		return;
	log_begin(&l, LOG_trouble);
	log_str(&l, LOG_KEY_why, why);
	log_end(&l);
}

static enum own
judge_why(int why)
{
	switch (why) {
	case LAUNCHER_NO_USER:
		return OWN_no_user;
	case LAUNCHER_ROOT:
		return OWN_user_root;
	case LAUNCHER_UNANSWERED:
		return OWN_user_unanswered;
	case LAUNCHER_NO_HOME:
		return OWN_no_home;
	case LAUNCHER_BAD_HOME:
		return OWN_bad_home;
	default:
		return OWN_not_started;
	}
}

struct verdict
local_no_run(int why, struct span error)
{
	log_trouble(span_trim(error));
	return verdict_own(judge_why(why), STAGE_BODY);
}

static enum own
judge(int status)
{
	static const enum own ends[TASK__COUNT] = {
		[TASK_DONE] = OWN_in_mailbox, [TASK_NO_USER] = OWN_no_user,
		[TASK_ROOT] = OWN_user_root,
		[TASK_UNANSWERED] = OWN_user_unanswered,
		[TASK_NO_HOME] = OWN_no_home,
		[TASK_LOCKED] = OWN_mailbox_locked,
		[TASK_FAILED] = OWN_mailbox_failed,
		[TASK_QUOTA] = OWN_over_quota, [TASK_FULL] = OWN_disk_full,
		[TASK_TOO_LARGE] = OWN_file_too_large,
		[TASK_NO_TEXT] = OWN_no_text,
	};

	return status >= 0 && WIFEXITED(status) &&
	    WEXITSTATUS(status) < TASK__COUNT ?
	    ends[WEXITSTATUS(status)] : OWN_delivery_died;
}

struct verdict
local_verdict(int status, struct span output, struct span error,
    struct verdict_text *text)
{
	enum own own = judge(status);
	char where[WHO_NAME_MAX];

	log_trouble(error);
	if (own != OWN_in_mailbox || !span_cstr(output, where,
	    sizeof(where)) || where[0] == '\0')
		return verdict_own(own, STAGE_STORE);
	return verdict_own_of(OWN_stored, STAGE_STORE, where, text->bytes,
	    sizeof(text->bytes));
}
