/*
 * check - what only the whole configuration can tell: references, addresses
 * and paths used twice, files, keys, users, names put in, and who could send
 * what where.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/block.h"

/* All of it, in the order it must be done in. */
void		 check_all(struct conf *);

/* Find what blocks name; their target, users and relays are then known. */
void		 check_refs(struct conf *);

/* Queues that edges with a `relay' stand for; and what a queue of type proxy
 * must be.  Part of check_refs(). */
void		 check_proxy_make(struct conf *);
void		 check_proxy(struct conf *, const struct block *queue);

/* Put in {fqdn} and {hostname}; host names and banners are then final. */
void		 check_names(struct conf *);

/* Our own domains, and what stands in place of `local'.  After the names. */
void		 check_domains(struct conf *);

/* Aliases: bare names get our domain, and what is said twice is told. */
void		 check_aliases(struct conf *, struct block *queue);

/* A relay by itself: what goes together, its user, its program. */
void		 check_relay(struct conf *, struct block *);

/* Files and keys, and paths of unix sockets.  After the relays. */
void		 check_files(struct conf *);

/* TLS and logins of edges.  After the references. */
void		 check_login(struct conf *);

/* Listeners used twice, and open relays.  After the references. */
void		 check_reach(struct conf *);

/* Lines of files of users by which nobody can log in: warnings. */
void		 check_accounts(struct conf *);

/* What is no mistake, and will yet surprise: warnings.  After all others. */
void		 check_doubts(struct conf *);

/* A postmaster whom a queue cannot reach: a warning. */
void		 check_postmaster(struct conf *);

/* Routes that can never match, patterns that mean little: warnings. */
void		 check_patterns(struct conf *);

/* Of edges of type http, what their dialect leaves out, and names of fields. */
void		 check_http(struct conf *);

/* A relay that hands mail to who is here: a Maildir, LMTP, a program. */
bool		 check_is_local(const struct block *relay);

/* An edge takes mail from anybody there is. */
bool		 check_is_open(const struct block *edge);

/* Not more of anything than plan.c has room for.  After the references. */
void		 check_numbers(struct conf *);

/* What should be a directory, or nothing yet, must not be anything else. */
void		 check_directory(struct conf *, struct span path,
		    struct place);

/* The ids of a user; false when this host has none. */
bool		 check_user(struct conf *, struct span name, uint32_t *uid,
		    uint32_t *gid);

#endif
