/*
 * log - one line an event: event=NAME key=value ...
 *
 *	struct log_line l;
 *
 *	log_begin(&l, LOG_delivered);
 *	log_id(&l, LOG_KEY_id, id);
 *	log_str(&l, LOG_KEY_rcpt, rcpt);
 *	log_num(&l, LOG_KEY_code, 250);
 *	log_end(&l);
 *
 * Events and keys stand in log.def.  Values are quoted and escaped here and
 * nowhere else: a line is printable ASCII or valid UTF-8 without controls and
 * without what turns or hides the text around it, and at most LOG_LINE_MAX
 * bytes; what does not fit is cut at a value.  Lines go to the sink, which
 * sys/logfile.h sets; without one they go nowhere.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/span.h"

#define LOG_LINE_MAX	4064	/* bytes with the newline; with the time that
				 * sys/logfile.c puts in front still one page,
				 * which a pipe takes whole		*/

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum log_event {
#define LOG_EVENT(name, level, meaning)	LOG_##name,
#include "base/log.def"
	LOG_EVENT__COUNT
};

enum log_key {
#define LOG_KEY(name, meaning)	LOG_KEY_##name,
#include "base/log.def"
	LOG_KEY__COUNT
};

struct log_line {
	enum log_level	 level;
	bool		 wanted;	/* else all calls do nothing	*/
	bool		 cut;		/* a value did not fit		*/
	size_t		 len;
	char		 text[LOG_LINE_MAX];
};

/* Takes a finished line, its newline included. */
typedef void log_sink_fn(enum log_level, const char *line, size_t len);

/*
 * Who we are ("edge in", with worker and pid), which stands before event=;
 * the sink; and whether debug lines are wanted.  prefix is copied, at most
 * 127 bytes.
 */
void	log_setup(const char *prefix, log_sink_fn *, bool debug);
bool	log_wants(enum log_level);

void	log_begin(struct log_line *, enum log_event);
void	log_str(struct log_line *, enum log_key, struct span);
void	log_text(struct log_line *, enum log_key, const char *);
void	log_num(struct log_line *, enum log_key, int64_t);
void	log_id(struct log_line *, enum log_key, struct id);
/* As 16 digits of hex. */
void	log_hex(struct log_line *, enum log_key, uint64_t);
void	log_end(struct log_line *);

/* The words of a row, for tests and documents. */
const char	*log_event_name(enum log_event);
const char	*log_event_meaning(enum log_event);
const char	*log_key_name(enum log_key);
const char	*log_key_meaning(enum log_key);

/* The one-line forms: event, why, and errno's text when err is not 0. */
void	log_why(enum log_event, const char *why, int err);

#endif
