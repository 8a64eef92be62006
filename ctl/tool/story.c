/* story.c - a line an event; what belongs to it stands beneath. */
#include <inttypes.h>
#include <time.h>

#include "base/json.h"
#include "ctl/tool/caller.h"
#include "ctl/tool/show.h"
#include "ctl/tool/story.h"
#include "mail/hop_id.h"

#define INDENT	"                        "

static const char *const words[STORY_EVENT__COUNT] = {
	[STORY_RECEIVED] = "received", [STORY_DELIVERED] = "delivered",
	[STORY_DEFERRED] = "deferred", [STORY_FAILED] = "failed",
	[STORY_HELD] = "held", [STORY_RELEASED] = "released",
	[STORY_REMOVED] = "removed", [STORY_EXPANDED] = "expanded",
	[STORY_BOUNCED] = "bounced", [STORY_MOVED] = "moved",
	[STORY_SUSPENDED] = "suspended", [STORY_RESUMED] = "resumed",
};

static const char *
word_of(uint8_t event)
{
	return event < STORY_EVENT__COUNT ? words[event] : "unknown";
}

void
story_show_head(FILE *out, struct id id, struct span queue)
{
	char text[ID_TEXT_LEN + 1];

	id_text(id, text);
	fprintf(out, "%s  queue ", text);
	show_text(out, queue);
	fputc('\n', out);
}

/* " name value", where there is one. */
static void
put(FILE *out, const char *name, struct span s)
{
	if (s.len == 0)
		return;
	fprintf(out, "%s", name);
	show_text(out, s);
}

static void
show_received(FILE *out, const struct msg_story_row *m)
{
	char size[SHOW_MAX];

	fputs("from ", out);
	show_sender(out, m->address);
	fprintf(out, ", %s, %" PRIu32 " recipient%s\n",
	    show_size(m->size, size), m->rcpt_cnt,
	    m->rcpt_cnt == 1 ? "" : "s");
	if (m->message_id.len > 0) {
		put(out, INDENT "Message-ID ", m->message_id);
		fputc('\n', out);
	}
	if (m->edge.len > 0) {
		put(out, INDENT "by edge ", m->edge);
		put(out, " from ", m->client);
		put(out, " as ", m->helo);
		put(out, " with ", m->proto);
		put(out, ", login ", m->login);
		put(out, ", ", m->tls);
		if (m->session != 0)
			fprintf(out, ", session %016" PRIx64, m->session);
		fputc('\n', out);
	} else {
		fputs(INDENT "made by the queue itself\n", out);
	}
	if (m->checks.len > 0) {
		put(out, INDENT "let in by ", m->checks);
		fputc('\n', out);
	}
}

/* How he came to be a recipient, a step a line: see queue/route/expand.h. */
static void
show_expanded(FILE *out, const struct msg_story_row *m)
{
	struct span trace = m->reply;

	show_text(out, m->address);
	while (trace.len > 0) {
		struct span line = span_head(trace, span_find(trace, '\n'));
		size_t tab = span_find(line, '\t');

		trace = span_tail(trace, line.len + 1);
		put(out, ", by ", span_head(line, tab));
		put(out, " of ", span_tail(line, tab + 1));
	}
	fputc('\n', out);
}

static void
show_result(FILE *out, const struct msg_story_row *m)
{
	show_text(out, m->address);
	put(out, " by relay ", m->relay);
	put(out, " to ", m->hop);
	if (m->tries > 0)
		fprintf(out, ", try %" PRIu32, m->tries);
	put(out, ", ", m->tls);
	fputc('\n', out);
	if (m->code != 0 || m->reply.len > 0) {
		fprintf(out, INDENT "%u ", m->code);
		show_text(out, m->reply);
		fputc('\n', out);
	}
}

static void
put_caller(FILE *out, const char *name, struct span who)
{
	char buf[CALLER_MAX];

	put(out, name, caller_of(who, buf));
}

/* "relay out, by ann: they move", "destination example.org by relay out". */
static void
show_pause(FILE *out, const struct msg_story_row *m)
{
	put(out, "destination ", m->address);
	put(out, m->address.len > 0 ? " by relay " : "relay ", m->relay);
	put_caller(out, ", by ", m->login);
	put(out, ": ", m->reply);
	fputc('\n', out);
}

/* Of what an administrator did, by whom. */
static void
show_edit(FILE *out, const struct msg_story_row *m)
{
	if (m->reply.len > 0)
		show_text(out, m->reply);
	put_caller(out, m->reply.len > 0 ? ", by " : "by ", m->login);
	fputc('\n', out);
}

void
story_show(FILE *out, const struct msg_story_row *m)
{
	char when[SHOW_MAX];

	fprintf(out, "  %s  %-9s ", show_time(m->at_ms, when),
	    word_of(m->event));
	switch (m->event) {
	case STORY_RECEIVED:
		show_received(out, m);
		break;
	case STORY_EXPANDED:
		show_expanded(out, m);
		break;
	case STORY_DELIVERED:
	case STORY_DEFERRED:
	case STORY_FAILED:
		show_result(out, m);
		break;
	case STORY_BOUNCED:
		put(out, "its sender is told by ", m->reply);
		fputc('\n', out);
		break;
	case STORY_MOVED:
		put(out, "to relay ", m->relay);
		put(out, ", ", m->reply);
		fprintf(out, ", %" PRIu32 " recipient%s\n", m->rcpt_cnt,
		    m->rcpt_cnt == 1 ? "" : "s");
		break;
	case STORY_SUSPENDED:
	case STORY_RESUMED:
		show_pause(out, m);
		break;
	default:
		show_edit(out, m);
	}
}

static void
json_some(struct json *j, const char *name, struct span s)
{
	if (s.len > 0)
		json_text(j, name, s);
}

void
story_show_json(FILE *out, const struct msg_story_row *m, struct span queue)
{
	struct json j = { .out = out };
	bool is_arrival = m->event == STORY_RECEIVED;
	bool is_pause = m->event == STORY_SUSPENDED ||
	    m->event == STORY_RESUMED;
	char who[CALLER_MAX];
	char text[ID_TEXT_LEN + 1];

	id_text(m->id, text);
	json_open(&j, NULL, '{');
	json_text(&j, "id", span_of(text));
	json_text(&j, "queue", queue);
	json_time(&j, "at", m->at_ms);
	json_text(&j, "event", span_of(word_of(m->event)));
	if (is_arrival) {
		json_text(&j, "from", m->address);
		json_number(&j, "size", m->size);
		json_number(&j, "recipients", m->rcpt_cnt);
		(void)snprintf(text, sizeof(text), "%016" PRIx64, m->session);
		json_some(&j, "session", m->session != 0 ? span_of(text) :
		    SPAN(""));
	} else {
		json_some(&j, is_pause ? "destination" : "rcpt", m->address);
	}
	if (m->event == STORY_MOVED)
		json_number(&j, "recipients", m->rcpt_cnt);
	json_some(&j, "message_id", m->message_id);
	json_some(&j, "edge", m->edge);
	json_some(&j, "client", m->client);
	json_some(&j, "helo", m->helo);
	json_some(&j, "protocol", m->proto);
	json_some(&j, is_arrival ? "login" : "by", is_arrival ? m->login :
	    caller_of(m->login, who));
	json_some(&j, "checks", m->checks);
	json_some(&j, "relay", m->relay);
	json_some(&j, "hop", m->hop);
	if (m->event == STORY_DELIVERED)
		json_some(&j, "hop_id", hop_id_find(m->reply));
	json_some(&j, "tls", m->tls);
	if (m->tries > 0)
		json_number(&j, "tries", m->tries);
	if (m->code != 0)
		json_number(&j, "code", m->code);
	json_some(&j, m->event == STORY_BOUNCED ? "bounce" :
	    m->event == STORY_EXPANDED ? "trace" :
	    is_pause ? "reason" : "reply", m->reply);
	json_close(&j, '}');
}

void
story_show_waits(FILE *out, const struct listed_message *m, int64_t now_ms)
{
	fputs("  still queued:\n", out);
	show_message_rcpts(out, m, now_ms);
}
