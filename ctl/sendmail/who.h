/*
 * who - the person who sends, as the host knows them.
 */
#ifndef CTL_SENDMAIL_WHO_H
#define CTL_SENDMAIL_WHO_H

#include "base/span.h"

struct who {
	char	 login[65];
	char	 name[128];	/* "" none is known		*/
	char	 host[256];	/* the domain of local names	*/
};

/*
 * Login and name come from passwd(5), the name rather from the environment's
 * NAME; the host is home, or if that is NULL from the first line of
 * /etc/mailname, else from the host's own name.
 */
void	who_find(struct who *, const char *home);

/*
 * "Name <address>" for a From field, the name quoted or encoded (RFC 2047) as
 * it needs.  buf gets a NUL; cut off where it does not fit.
 */
void	who_from(struct span name, struct span address, char *buf,
	    size_t cap);

#endif
