/* post.c - the end of a request, and of a connection. */
#include <string.h>

#include "edge/http/post.h"
#include "edge/text/transaction.h"

static void
wipe(struct grow *g)
{
	if (g->len > 0)
		explicit_bzero(g->ptr, g->len);
	grow_free(g);
}

void
post_clear(struct post *p)
{
	grow_free(&p->ehlo);
	grow_free(&p->sender);
	grow_free(&p->rcpts);
	wipe(&p->login);
	p->has_begun = p->is_last = p->is_head = false;
	p->is_post = p->is_found = p->has_type = p->is_mail = false;
	p->has_sender = p->is_utf8 = false;
	p->rcpt_cnt = 0;
	p->rcpt_at = 0;
	p->away_len = 0;
	p->fault = p->answer = (struct post_answer){ 0 };
}

void
post_close(struct post *p, bool is_hasty)
{
	p->seat.is_closed = true;
	p->seat.is_hasty = is_hasty;
	transaction_end(&p->session.transaction);
}
