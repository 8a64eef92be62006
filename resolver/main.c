/*
 * main.c - postern-resolver: the one process that speaks DNS.
 *
 *	client	dns (hosts, settings, anchors, complaint)  client
 *
 * hosts(5) is read before the sandbox closes; all else comes with the slice
 * and its files, so that a new slice can be taken at any time: it makes a new
 * libunbound context, and the old one ends when its last question is answered.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "bus/boot.h"
#include "resolver/client.h"
#include "resolver/complaint.h"
#include "resolver/settings.h"
#include "sys/landlock.h"

#define HOSTS_PATH	"/etc/hosts"
#define IDLE_CHECK_MS	50	/* while draining */

struct asker {
	LIST_ENTRY(asker) entry;
	struct client	*client;
};

struct resolver {
	struct boot	*boot;
	struct complaint *complaint;
	struct client_sources sources;
	LIST_HEAD(, asker) askers;
	struct timer	 idle;
	uint16_t	 ports[SETTINGS_PORTS_MAX];	/* of the sandbox */
	unsigned	 port_cnt;
	bool		 is_limited;	/* this kernel can do so	*/
};

static void
drop_asker(struct asker *r)
{
	LIST_REMOVE(r, entry);
	client_close(&r->client);
	free(r);
}

static struct asker *
find_asker(struct resolver *rs, uint32_t no)
{
	struct asker *r;

	LIST_FOREACH(r, &rs->askers, entry)
		if (client_peer(r->client)->no == no)
			return r;
	return NULL;
}

static void
asker_gone(struct client *c, enum err why, void *arg)
{
	struct resolver *rs = arg;
	struct asker *r = find_asker(rs, client_peer(c)->no);

	boot_link_lost(rs->boot, client_peer(c), why);
	drop_asker(r);
}

/* The calls of boot.h. */

static void
peer(struct boot *b, int fd, const struct link_peer *p, void *arg)
{
	struct resolver *rs = arg;
	struct asker *r = find_asker(rs, p->no);
	enum err e = ERR_SYS;

	if (r != NULL)
		drop_asker(r);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		close(fd);
	else
		e = client_open(&r->client, boot_loop(b), fd, p, &rs->sources,
		    asker_gone, rs);
	if (e != OK) {
		boot_link_lost(b, p, e);
		free(r);
		return;
	}
	LIST_INSERT_HEAD(&rs->askers, r, entry);
}

static void
peer_gone(struct boot *b, uint32_t no, void *arg)
{
	struct asker *r = find_asker(arg, no);

	if (r != NULL)
		drop_asker(r);
}

/* Before the sandbox is entered: it has these ports for good. */
static void
limit_ports(struct resolver *rs)
{
	static struct settings settings;

	if (settings_read(&settings, boot_slice(rs->boot)) != OK)
		boot_fatal("the slice is damaged", 0);
	rs->port_cnt = settings_ports(&settings, rs->ports);
	rs->is_limited = landlock_abi() >= LANDLOCK_TCP;
	boot_limit_ports(rs->boot, rs->ports, rs->port_cnt);
}

static bool
has_port(const struct resolver *rs, uint16_t port)
{
	for (unsigned i = 0; i < rs->port_cnt; i++)
		if (rs->ports[i] == port)
			return true;
	return false;
}

/* May servers of this slice not be connected to? */
static bool
wants_other_ports(const struct resolver *rs, struct span slice)
{
	static struct settings settings;
	uint16_t ports[SETTINGS_PORTS_MAX];
	unsigned cnt;

	if (!rs->is_limited || settings_read(&settings, slice) != OK)
		return false;
	cnt = settings_ports(&settings, ports);
	for (unsigned i = 0; i < cnt; i++)
		if (!has_port(rs, ports[i]))
			return true;
	return false;
}

static enum err
open_dns(struct resolver *rs, struct boot *b, struct span slice)
{
	static struct settings settings;
	struct dns *fresh;
	enum err e;

	if ((e = settings_read(&settings, slice)) != OK)
		return e;
	if (settings.has_anchor_file && (e = settings_add_anchors(&settings,
	    boot_file(b, settings.anchor_file))) != OK)
		return e;
	e = dns_open(&fresh, boot_loop(b), &settings,
	    complaint_file(rs->complaint));
	if (e != OK)
		return e;
	dns_retire(&rs->sources.dns);
	rs->sources.dns = fresh;
	return OK;
}

static enum err
reload(struct boot *b, struct span slice, void *arg)
{
	enum err e = open_dns(arg, b, slice);

	if (e == OK && wants_other_ports(arg, slice))
		boot_anew(b, "servers on other ports want a new sandbox");
	else if (e == OK)
		log_why(LOG_reloaded, "other servers may be asked", 0);
	return e;
}

static void
end_when_idle(struct timer *t, void *arg)
{
	struct resolver *rs = arg;

	if (rs->sources.under_way == 0)
		boot_done(rs->boot);
	else
		timer_set(t, IDLE_CHECK_MS);
}

static void
drain(struct boot *b, uint32_t patience_ms, void *arg)
{
	struct resolver *rs = arg;

	if (timer_running(&rs->idle))
		return;
	timer_init(&rs->idle, boot_loop(b), end_when_idle, rs);
	timer_set(&rs->idle, 0);
}

static const struct boot_calls calls = {
	.peer = peer, .peer_gone = peer_gone, .reload = reload, .drain = drain,
};

/* A host without hosts(5) has no such names; a broken one is worth a word. */
static void
read_hosts(struct resolver *rs)
{
	enum err e = hosts_open(&rs->sources.hosts, HOSTS_PATH);

	if (e != OK && e != ERR_NONE)
		log_why(LOG_trouble, "cannot read " HOSTS_PATH, 0);
}

static void
close_all(struct resolver *rs)
{
	while (!LIST_EMPTY(&rs->askers))
		drop_asker(LIST_FIRST(&rs->askers));
	dns_close(&rs->sources.dns);
	hosts_close(&rs->sources.hosts);
	complaint_close(&rs->complaint);
}

int
main(int argc, char **argv)
{
	struct resolver rs = { 0 };
	int status;

	LIST_INIT(&rs.askers);
	rs.boot = boot_start(argc, argv, &calls, &rs);
	if (complaint_open(&rs.complaint, boot_loop(rs.boot)) != OK)
		boot_fatal("cannot make a pipe", 0);
	read_hosts(&rs);
	limit_ports(&rs);
	boot_seal(rs.boot);
	if (open_dns(&rs, rs.boot, boot_slice(rs.boot)) != OK)
		boot_fatal("the resolver cannot be set up", 0);
	status = boot_run(rs.boot);
	close_all(&rs);
	return status;
}
