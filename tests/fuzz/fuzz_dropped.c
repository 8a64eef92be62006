/*
 * fuzz_dropped.c - a file of the drop directory: what is read holds within its
 * bounds, and is the same once written and read again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/dropped.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_line(struct span s)
{
	if (s.len > DROPPED_LINE_MAX)
		abort();
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			abort();
}

static void
check_again(const struct dropped *d, char *const *rcpts)
{
	static char buf[DROPPED_HEAD_MAX];
	size_t len = dropped_write(d, rcpts, buf, sizeof(buf));
	struct dropped again;

	if (len == 0 || dropped_read((struct span){ buf, len }, &again) != OK)
		abort();
	if (again.head_len != len || again.text_len != d->text_len ||
	    again.rcpt_cnt != d->rcpt_cnt || again.ret != d->ret ||
	    again.notify != d->notify || again.is_8bit != d->is_8bit ||
	    again.is_utf8 != d->is_utf8 ||
	    !span_eq(again.sender, d->sender) ||
	    !span_eq(again.envid, d->envid) ||
	    !span_eq(again.rcpts, d->rcpts))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char names[DROPPED_RCPTS_MAX][DROPPED_LINE_MAX + 1];
	char *rcpts[DROPPED_RCPTS_MAX];
	struct span front = { (const char *)data, size }, rest, rcpt;
	struct dropped d;
	unsigned cnt = 0;

	if (dropped_read(front, &d) != OK)
		return 0;
	if (d.head_len > size || d.rcpt_cnt == 0 ||
	    d.rcpt_cnt > DROPPED_RCPTS_MAX)
		abort();
	check_line(d.sender);
	check_line(d.envid);
	rest = d.rcpts;
	while (dropped_rcpt(&rest, &rcpt)) {
		check_line(rcpt);
		if (cnt == d.rcpt_cnt ||
		    !span_cstr(rcpt, names[cnt], sizeof(names[cnt])))
			abort();
		rcpts[cnt] = names[cnt];
		cnt++;
	}
	if (cnt != d.rcpt_cnt)
		abort();
	check_again(&d, rcpts);
	return 0;
}
