/*
 * conf - read the configuration, check it whole, and turn it into a plan.
 *
 * Pure: all that touches the world is done by the caller through struct
 * conf_opener and struct conf_host.  conf_load() reads the file and what it
 * includes, and reports every mistake in one go, in the order of their places;
 * conf_plan() turns what passed into the rows and slices of conf/slice/plan.h.
 *
 *	struct conf *c = NULL;
 *	struct conf_plan p;
 *
 *	if (conf_load(&c, path, &opener, &host, &report) == OK &&
 *	    conf_plan(c, &p) == OK)
 *		...send p.head, p.processes with p.slices, and the rest...
 *	conf_free(&c);			(the plan points into it)
 *
 * Owns	   what *c points to; conf_free() gives it back
 * Blocks  as the opener does
 * Errors  ERR_PEER the configuration has mistakes, all of them reported;
 *	   ERR_FULL no memory
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "conf/slice/plan.h"

#define CONF_FILE_MAX	(16384u * 1024)	/* bytes of one file		*/
#define CONF_TOTAL_MAX	(32768u * 1024)	/* bytes of all files		*/
#define CONF_LIST_MAX	(16384u * 1024)	/* bytes of a file of recipients */
#define CONF_ROOTS_MAX	(8192u * 1024)	/* bytes of all roots, made of files */
#define CONF_FILES_MAX	256		/* files, counted as often as read */
#define CONF_DEPTH_MAX	8		/* includes within includes	*/
#define CONF_ERRORS_MAX	100		/* mistakes reported in full	*/
#define CONF_WARNINGS_MAX 20		/* and warnings			*/

struct conf;

enum conf_kind { KIND_NONE, KIND_FILE, KIND_DIRECTORY, KIND_OTHER };

/* What is to be known of a file that a process will be given. */
struct conf_look {
	enum conf_kind	 kind;
	int		 error;		/* errno: why kind is not known, or a
					 * file cannot be read by us; 0 */
	uint32_t	 mode;		/* permission bits		*/
};

/* A certificate and a private key, both files of PEM. */
enum conf_pair {
	PAIR_FITS,
	PAIR_DIFFERS,			/* each is good, of different keys */
	PAIR_NO_CERT,			/* no certificate in that file	*/
	PAIR_NO_KEY,			/* no private key in that file	*/
	PAIR_LOCKED,			/* the key wants a passphrase	*/
	PAIR_STRANGE,			/* of a kind that is not served	*/
	PAIR_UNKNOWN,			/* could not be found out	*/
};

/* All certificates of a file, or of the files of a directory. */
struct conf_roots {
	char		*bytes;		/* PEM, each once, malloc(3)ed	*/
	size_t		 len;
	char		 culprit[PLAN_PATH_MAX]; /* what cannot be read	*/
};

/* Takes one path of a glob; path is borrowed for the call. */
typedef void conf_found_fn(void *found_arg, const char *path);

/* What the caller opens for us.  Paths are absolute, or begin with the path
 * that was given to conf_load(). */
struct conf_opener {
	void	*arg;
	/*
	 * The whole file as malloc(3)ed bytes, which become ours; *bytes may
	 * be NULL when *len is 0.  ERR_NONE there is no such file, ERR_FULL
	 * it is over max bytes, ERR_SYS errno says why not.
	 */
	enum err (*read)(void *arg, const char *path, size_t max,
		    char **bytes, size_t *len);
	/*
	 * The same of a file below a directory, the first dir_len bytes of its
	 * path, to which no link leads from there.  NULL: as read.
	 */
	enum err (*read_below)(void *arg, const char *path, size_t dir_len,
		    size_t max, char **bytes, size_t *len);
	/*
	 * All paths that match the pattern, in sorted order; none is no
	 * error.  ERR_SYS errno says why not.
	 */
	enum err (*glob)(void *arg, const char *pattern, conf_found_fn *,
		    void *found_arg);
	/*
	 * What stands at the path, links followed.  NULL: nobody looks, and
	 * directories are not checked.
	 */
	enum conf_kind (*kind)(void *arg, const char *path);
	/*
	 * The same, closer.  NULL: nobody looks, files are not checked, and
	 * one of recipients that cannot be read is empty.
	 */
	void (*look)(void *arg, const char *path, struct conf_look *out);
	/*
	 * Bytes of the file system that the path is on, full ones too; 0
	 * where that cannot be found out.  NULL: nobody looks.
	 */
	uint64_t (*disk)(void *arg, const char *path);
	/* Do they belong together?  NULL: nobody looks. */
	enum conf_pair (*pair)(void *arg, const char *certfile,
		    const char *keyfile);
	/*
	 * May the certificate be shown by a client, or by a server?  True when
	 * it does not say.  NULL: nobody looks.
	 */
	bool (*suits)(void *arg, const char *certfile, bool is_client);
	/*
	 * For how many seconds is the certificate good, less than 0 when it is
	 * no more; and is it for that host?  NULL: nobody looks.
	 */
	int64_t (*left)(void *arg, const char *certfile);
	bool (*names)(void *arg, const char *certfile, const char *host);
	/*
	 * What certificates are there?  out->bytes becomes ours on OK.
	 * ERR_NONE none at all, ERR_FULL too much to read, ERR_SYS errno says
	 * why the culprit cannot be read.  NULL: nobody looks.
	 */
	enum err (*roots)(void *arg, const char *path, bool is_directory,
		    struct conf_roots *out);
	/*
	 * Is it a file of Lua that can be run?  ERR_PEER: why not, and in
	 * which line, or 0.  NULL: nobody looks.
	 */
	enum err (*lua)(struct span name, struct span bytes, unsigned *line,
		    char *why, size_t cap);
	/* As regex_check() of sys/regex.h.  NULL: nobody looks. */
	enum err (*regex)(struct span pattern, size_t *at, char *why,
		    size_t cap);
};

/* What we must know of the host. */
/* Are the homes of users to be seen from where postern runs? */
enum conf_homes {
	CONF_HOMES_THERE,
	CONF_HOMES_HIDDEN,
	CONF_HOMES_READ_ONLY,
};

struct conf_host {
	const char	*fqdn;		/* its full name, as found out; NULL:
					 * unknown, and nobody minds	*/
	const char	*cwd;		/* absolute; used only when the path of
					 * the configuration is relative */
	const char	*credentials;	/* where systemd puts what it hands
					 * over; NULL: where it usually does */
	const char	*path;		/* where programs are looked for, as in
					 * PATH; NULL: nowhere		*/
	bool		 is_root;	/* else users are not looked up	*/
	enum conf_homes	 homes;
	void		*arg;
	const char	*users_command;	/* makes postern's users; or NULL */
	/* The ids of a user, false when there is none.  Used as root only. */
	bool (*user_ids)(void *arg, const char *name, uint32_t *uid,
		    uint32_t *gid);
};

/*
 * Where mistakes are told.  line() gets each line of the report, without its
 * newline: "file:line:column: what is wrong", the line of the file, a line
 * with a caret, and so on.  errors counts the mistakes, those over
 * CONF_ERRORS_MAX included.  What has no mistakes may have warnings: they are
 * told in the same way, and not counted.
 */
struct conf_report {
	void		*arg;
	void		(*line)(void *arg, const char *text); /* or NULL */
	unsigned	 errors;
	bool		 wants_facts;	/* lines "note: " too: what comes of
					 * what is not written		*/
};

/*
 * Read and check.  On OK *out is yours.  On any error *out is untouched, and
 * the reason has been reported.
 */
MUST_CHECK enum err	conf_load(struct conf **out, const char *path,
			    const struct conf_opener *,
			    const struct conf_host *, struct conf_report *);

/* All NULL is allowed. */
void			conf_free(struct conf **);

/*
 * The plan.  Rows stand in the order resolver, keys, users, relays, queues,
 * control, edges, so that what answers is started before what asks.
 * Everything lies in the conf and lives as long; slices[i] belongs to
 * processes[i].
 */
struct conf_plan {
	struct plan_head		 head;
	const struct plan_process	*processes;	/* head.process_cnt */
	const struct plan_link		*links;		/* head.link_cnt    */
	const struct span		*slices;	/* head.process_cnt */
	const struct plan_file		*files;		/* head.file_cnt    */
	const struct span		*made;		/* of each file that
							 * is_made	    */
	const struct plan_endpoint	*endpoints;	/* head.endpoint_cnt */
};

MUST_CHECK enum err	conf_plan(struct conf *, struct conf_plan *out);

#endif
