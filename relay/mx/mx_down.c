/* mx_down.c - one row a hash; FNV-1a, for nobody gains by a collision. */
#include "relay/mx/mx_down.h"

uint64_t
mx_down_number(const char *host, uint16_t port)
{
	uint64_t h = 0xcbf29ce484222325u ^ port;

	for (; *host != '\0'; host++)
		h = (h ^ (uint8_t)*host) * 0x100000001b3u;
	return h;
}

void
mx_down_note(struct mx_down *m, uint64_t host, int64_t until_ms)
{
	m->rows[host % MX_DOWN_ROWS].host = host;
	m->rows[host % MX_DOWN_ROWS].until_ms = until_ms;
}

bool
mx_down_has(const struct mx_down *m, uint64_t host, int64_t now_ms)
{
	return m->rows[host % MX_DOWN_ROWS].host == host &&
	    now_ms < m->rows[host % MX_DOWN_ROWS].until_ms;
}

void
mx_down_sort(const struct mx_down *m, struct mx_hosts *l, uint16_t port,
    int64_t now_ms)
{
	struct mx_host down[MX_CHOOSE_MAX];
	unsigned down_cnt = 0, cnt = 0;

	for (unsigned i = 0; i < l->cnt; i++) {
		if (mx_down_has(m, mx_down_number(l->hosts[i].name, port),
		    now_ms))
			down[down_cnt++] = l->hosts[i];
		else if (cnt++ != i)
			l->hosts[cnt - 1] = l->hosts[i];
	}
	for (unsigned i = 0; i < down_cnt; i++)
		l->hosts[cnt + i] = down[i];
}
