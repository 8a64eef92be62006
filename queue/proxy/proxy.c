/*
 * proxy.c - the process: its slice, its links, its end.
 *
 * All it has under way is on somebody else's connection: when it dies the edges
 * say 451, and nothing is lost that had been promised.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/proxy/passage.h"
#include "queue/proxy/proxy.h"
#include "queue/route/route_utf8.h"
#include "sys/clock.h"
#include "sys/counters.h"

#define LOOK_MS		10000	/* for edges that have fallen silent	*/
#define AGAIN_MS	250	/* until a busy host is asked again	*/

struct id
proxy_mint(struct proxy *px)
{
	uint8_t chance[8];

	arc4random_buf(chance, sizeof(chance));
	id_set_node(chance, px->settings.node);
	return id_next(&px->last_id, clock_wall_ms(), chance);
}

/* A proxy's slice has one relay, which the check has seen to. */
static const struct settings_relay *
relay(const struct proxy *px)
{
	return &px->settings.relays[0];
}

const char *
proxy_relay(const struct proxy *px)
{
	return relay(px)->name;
}

bool
proxy_has_one_hop(const struct proxy *px)
{
	return relay(px)->has_one_hop;
}

bool
proxy_answers_each(const struct proxy *px)
{
	return relay(px)->answers_each;
}

static void
serve(struct later *l, void *arg)
{
	struct proxy *px = arg;
	struct passage *p;

	while ((p = TAILQ_FIRST(&px->waiting)) != NULL) {
		passage_serve(p);
		if (p->is_waiting)
			return;
	}
}

static void
serve_again(struct timer *t, void *arg)
{
	struct proxy *px = arg;

	later_call(&px->serve);
}

void
proxy_serve_soon(struct proxy *px)
{
	if (!timer_running(&px->again))
		timer_set(&px->again, AGAIN_MS);
}

static void
look(struct timer *t, void *arg)
{
	struct proxy *px = arg;
	int64_t now_ms = ev_now_ms(px->loop);
	struct passage *p, *next;
	struct proxy_edge *ed;

	LIST_FOREACH(ed, &px->edges, entry)
		RB_FOREACH_SAFE(p, passage_tree, &ed->passages, next)
			if (passage_is_late(p, now_ms))
				passage_refuse(p, 451, "4.4.2",
				    "Nothing came for too long");
	timer_set(t, LOOK_MS);
}

void
proxy_rested(struct proxy *px)
{
	counter_set(COUNTER_active, px->passage_cnt);
	if (!px->is_draining || px->passage_cnt > 0)
		return;
	timer_stop(&px->patience);
	boot_done(px->boot);
}

static void
stop_waiting(struct timer *t, void *arg)
{
	struct proxy *px = arg;

	boot_done(px->boot);
}

/* What the next hop has all of is waited for; all else may be sent again. */
static void
drain(struct boot *b, uint32_t patience_ms, void *arg)
{
	struct proxy *px = arg;
	struct passage *p, *next;
	struct proxy_edge *ed;

	px->is_draining = true;
	timer_set(&px->patience, patience_ms - patience_ms / 4);
	LIST_FOREACH(ed, &px->edges, entry)
		RB_FOREACH_SAFE(p, passage_tree, &ed->passages, next)
			if (p->state != PASSAGE_ENDED)
				passage_refuse(p, 451, "4.3.0",
				    "Try again in a moment");
	proxy_rested(px);
}

static void
on_peer(struct boot *b, int fd, const struct link_peer *peer, void *arg)
{
	struct proxy *px = arg;

	if (peer->role == ROLE_EDGE || peer->role == ROLE_PICKUP)
		proxy_take_edge(px, fd, peer);
	else if (peer->role == ROLE_RELAY)
		proxy_take_relay(px, fd, peer);
	else if (peer->role == ROLE_CONTROL)
		proxy_take_control(px, fd, peer);
	else
		close(fd);
}

static void
on_peer_gone(struct boot *b, uint32_t no, void *arg)
{
	proxy_drop_relay(arg, no);
}

static enum err
read_settings(struct settings *out, struct span bytes)
{
	enum err e = settings_read(out, bytes);

	if (e != OK || out->relay_cnt == 1)
		return e;
	settings_fini(out);
	return ERR_PEER;
}

/* What is under way goes on as it began. */
static enum err
reload(struct boot *b, struct span bytes, void *arg)
{
	struct proxy *px = arg;
	struct settings s;
	enum err e = read_settings(&s, bytes);

	if (e != OK)
		return e;
	settings_fini(&px->settings);
	px->settings = s;
	able_tell(&px->able, s.routes);
	proxy_tell_edges(px);
	later_call(&px->serve);
	return OK;
}

/* Messages: none, ever. */
static uint64_t
holding(struct boot *b, void *arg)
{
	return 0;
}

const struct boot_calls proxy_calls = {
	.peer = on_peer, .peer_gone = on_peer_gone, .reload = reload,
	.drain = drain, .holding = holding,
};

enum err
proxy_open(struct proxy **out, struct boot *b)
{
	struct proxy *px = calloc(1, sizeof(*px));
	enum err e;

	if (px == NULL)
		return ERR_SYS;
	if ((e = read_settings(&px->settings, boot_slice(b))) != OK) {
		free(px);
		return e;
	}
	px->boot = b;
	px->loop = boot_loop(b);
	LIST_INIT(&px->edges);
	LIST_INIT(&px->workers);
	LIST_INIT(&px->controls);
	RB_INIT(&px->attempts);
	TAILQ_INIT(&px->waiting);
	px->last_attempt = (uint64_t)clock_wall_ms() << 20;
	later_init(&px->serve, px->loop, serve, px);
	timer_init(&px->again, px->loop, serve_again, px);
	timer_init(&px->watch, px->loop, look, px);
	timer_init(&px->patience, px->loop, stop_waiting, px);
	timer_set(&px->watch, LOOK_MS);
	*out = px;
	return OK;
}

void
proxy_close(struct proxy **pxp)
{
	struct proxy *px = *pxp;
	struct proxy_edge *ed;
	struct proxy_worker *w;

	*pxp = NULL;
	if (px == NULL)
		return;
	px->is_draining = false;	/* nobody waits for the last one */
	proxy_drop_controls(px);
	while ((ed = LIST_FIRST(&px->edges)) != NULL)
		proxy_drop_edge(ed);
	while ((w = LIST_FIRST(&px->workers)) != NULL)
		proxy_drop_relay(px, w->peer.no);
	timer_stop(&px->again);
	timer_stop(&px->watch);
	timer_stop(&px->patience);
	later_stop(&px->serve);
	settings_fini(&px->settings);
	able_fini(&px->able);
	free(px);
}
