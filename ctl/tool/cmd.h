/*
 * cmd - the commands of posternctl, one function each; commands.def has them.
 *
 * cmd_find() takes verbs that are cut short, as long as only one fits.
 */
#ifndef CTL_TOOL_CMD_H
#define CTL_TOOL_CMD_H

#include "ctl/tool/run.h"

#define TAKES_SELECTION	0x01u	/* all of select.h		*/
#define TAKES_QUEUE	0x02u	/* --queue alone		*/
#define TAKES_YES	0x04u	/* --yes, --dry-run		*/
#define TAKES_USERS	0x08u	/* --file, --users		*/
#define TAKES_WHOSE	0x10u	/* --from, --login, --bounce	*/
#define TAKES_VIA	0x20u	/* --via			*/
#define TAKES_TEXT	0x40u	/* --text			*/
#define TAKES_ALL	0x80u	/* --all			*/
#define TAKES_RELAY	0x100u	/* --relay			*/
#define TAKES_REASON	0x200u	/* --reason			*/
#define TAKES_QUIET	0x400u	/* --quiet			*/
#define TAKES_PAST	0x800u	/* --since, --limit, --follow	*/
#define TAKES_CHECK	0x1000u	/* --check, --count, --age,
				 * --prometheus			*/
#define TAKES_PART	0x2000u	/* --header, --whole		*/
#define TAKES_DNS	0x4000u	/* --server, --selector, --certificate */
#define TAKES_EDIT	(TAKES_SELECTION | TAKES_YES)

struct cmd {
	const char	*verb, *second;
	enum run_end	(*run)(struct run *);
	int		 most;
	unsigned	 takes;
	const char	*synopsis, *help;
};

/*
 * The command that these words begin with; *used is how many of them name it.
 * NULL: none, or several; then *why says so, to be freed.
 */
const struct cmd	*cmd_find(char **words, int cnt, int *used,
			    char **why);

/* All of them, by number; NULL behind the last. */
const struct cmd	*cmd_row(unsigned);

enum run_end	 cmd_status(struct run *);
enum run_end	 cmd_top(struct run *);
enum run_end	 cmd_dns(struct run *);
enum run_end	 cmd_check(struct run *);
enum run_end	 cmd_options(struct run *);
enum run_end	 cmd_setup(struct run *);
enum run_end	 cmd_import_postfix(struct run *);
enum run_end	 cmd_reload(struct run *);
enum run_end	 cmd_queue_list(struct run *);
enum run_end	 cmd_queue_show(struct run *);
enum run_end	 cmd_queue_flush(struct run *);
enum run_end	 cmd_queue_hold(struct run *);
enum run_end	 cmd_queue_release(struct run *);
enum run_end	 cmd_queue_remove(struct run *);
enum run_end	 cmd_queue_quarantine(struct run *);
enum run_end	 cmd_queue_check(struct run *);
enum run_end	 cmd_queue_salvage(struct run *);
enum run_end	 cmd_queue_adopt(struct run *);
enum run_end	 cmd_queue_bounce(struct run *);
enum run_end	 cmd_queue_expire(struct run *);
enum run_end	 cmd_queue_cat(struct run *);
enum run_end	 cmd_queue_move(struct run *);
enum run_end	 cmd_queue_reroute(struct run *);
enum run_end	 cmd_suspend(struct run *);
enum run_end	 cmd_resume(struct run *);
enum run_end	 cmd_route(struct run *);
enum run_end	 cmd_alias(struct run *);
enum run_end	 cmd_aliases(struct run *);
enum run_end	 cmd_trace(struct run *);
enum run_end	 cmd_mailq(struct run *);
enum run_end	 cmd_drop_list(struct run *);
enum run_end	 cmd_drop_retry(struct run *);
enum run_end	 cmd_drop_remove(struct run *);
enum run_end	 cmd_user_add(struct run *);
enum run_end	 cmd_user_passwd(struct run *);
enum run_end	 cmd_user_verify(struct run *);
enum run_end	 cmd_user_remove(struct run *);
enum run_end	 cmd_user_list(struct run *);

/* A message of a queue. */
struct cmd_target {
	struct id	 id;
	const char	*queue;		/* borrowed			*/
	uint64_t	 arrived_ms;	/* as its id says		*/
};

/*
 * Edit these, as queue remove does with those of a selection, and report it.
 * past is "removed".  EDIT_GIVE_UP says the run's text, if there is one.
 */
enum run_end	 cmd_edit_these(struct run *, enum edit, const char *name,
		    const char *past, const struct cmd_target *, size_t cnt);

/*
 * Check a configuration by `postern -n', whose output is the caller's to see.
 * END_DONE it is good, END_NOTHING it is not or cannot be checked.
 */
enum run_end	 cmd_check_file(const char *path);

/* Have what was checked taken; told what came of it. */
enum run_end	 cmd_reload_now(struct run *);

#endif
