/*
 * notify - tell the service manager how we are (sd_notify's protocol).
 *
 * Without NOTIFY_SOCKET all calls do nothing; what cannot be sent is lost.
 */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Does anybody want to know? */
bool	notify_is_wanted(void);

void	notify_ready(void);
void	notify_reloading(void);
void	notify_stopping(void);
void	notify_alive(void);

/* One line for people. */
void	notify_status(const char *text);

/*
 * Keep this socket for us until the next start (at most 80 bytes of name), or
 * no more.
 */
void	notify_keep(const char *name, int fd);
void	notify_unkeep(const char *name);

/* How often notify_alive() is wanted, ms; 0 never. */
int64_t	notify_alive_ms(void);

#endif
