/* handover.c - what the edge refuses for good is not kept. */
#include <sysexits.h>

#include "ctl/sendmail/handover.h"
#include "ctl/sendmail/keep.h"
#include "ctl/sendmail/submit.h"

/* Is it postern that is not as it should be, and not the message? */
static bool
is_not_now(int status)
{
	return status == EX_TEMPFAIL || status == EX_PROTOCOL ||
	    status == EX_NOPERM;
}

int
handover_letter(struct letter *l, const struct handover *to)
{
	size_t done;
	int status = submit_letter(l, to->socket, &done);

	if (is_not_now(status) && to->drop[0] != '\0' &&
	    keep_letter(l, to->drop, done) == EX_OK) {
		if (l->args->is_loud)
			printf("kept in %s: %s", to->drop,
			    letter_complaint(l));
		return EX_OK;
	}
	return status;
}

static void
tell(const char *complaint)
{
	for (const char *end; *complaint != '\0'; complaint = end) {
		end = complaint;
		while (*end != '\0' && *end++ != '\n')
			;
		fprintf(stderr, "sendmail: %.*s", (int)(end - complaint),
		    complaint);
	}
}

int
handover_send(const struct args *args, FILE *in, const struct handover *to)
{
	struct letter l;
	int status = letter_init(&l, args);

	if (status == EX_OK)
		status = letter_read(&l, in);
	if (status == EX_OK)
		status = handover_letter(&l, to);
	if (status != EX_OK)
		tell(letter_complaint(&l));
	letter_fini(&l);
	return status;
}

int
handover_verify(const struct args *args, const struct handover *to)
{
	struct letter l;
	int status = letter_init(&l, args);

	if (status == EX_OK)
		status = letter_address(&l);
	if (status == EX_OK)
		status = submit_verify(&l, to->socket, stdout);
	tell(letter_complaint(&l));
	letter_fini(&l);
	return status;
}
