/* settings.c - defaults are conf/options.def's; here are only limits. */
#include <string.h>

#include "conf/slice.h"
#include "queue/settings.h"

#define RESERVE		(64ull << 20)	/* bytes kept for deliveries */
#define HISTORY_BYTES	(256ull << 20)	/* bytes of history kept	*/

static enum err
read_retry(struct retry *out, const struct slice *queue)
{
	struct slice block = slice_block(queue, "retry", 0);
	struct span delay = slice_text(&block, "delay", 0);
	uint64_t maximum = slice_num(&block, "maximum");

	if (delay.len > sizeof(out->delay))
		return ERR_PEER;
	if (delay.len > 0)
		memcpy(out->delay, delay.ptr, delay.len);
	out->delay_len = delay.len;
	out->cap_ms = (int64_t)slice_num(&block, "maximum_delay");
	out->lifetime_ms = (int64_t)slice_num(&block, "lifetime");
	out->maximum = maximum >= RETRY_UNLIMITED ? RETRY_UNLIMITED :
	    (uint32_t)maximum;
	return OK;
}

enum err
settings_read(struct settings *out, struct span bytes)
{
	struct settings s = { .limits = { .reserve = RESERVE } };
	struct slice queue, process;
	enum err e;

	if ((e = slice_open(&queue, bytes)) != OK)
		return e;
	process = slice_process(&queue);
	if (!span_cstr(slice_text(&queue, "path", 0), s.path,
	    sizeof(s.path)) ||
	    !span_cstr(slice_text(&queue, "relay", 0), s.relay,
	    sizeof(s.relay)) ||
	    !span_cstr(slice_text(&process, "hostname", 0), s.hostname,
	    sizeof(s.hostname)))
		return ERR_PEER;
	if ((e = read_retry(&s.retry, &queue)) != OK)
		return e;
	s.limits.max_bytes = slice_num(&queue, "max_bytes");
	s.limits.history_ms = (int64_t)slice_num(&queue, "history");
	s.limits.history_bytes = HISTORY_BYTES;
	*out = s;
	return OK;
}
