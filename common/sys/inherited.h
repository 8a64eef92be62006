/*
 * inherited - what a program that somebody starts by hand is left with.
 *
 * A shell, a service manager or a careless caller leaves descriptors open that
 * it did not mean to pass on, and a descriptor outlives every change of user
 * and every sandbox.  So the first thing each such program does is to take the
 * standard three and close all others.  Only master is passed sockets, its own
 * listeners that the service manager has kept for it (master/kept.h).
 *
 * Signals that the caller ignores or blocks outlive exec likewise: one that
 * ignores SIGCHLD leaves a program without the ends of its children.  All are
 * set back, but that SIGHUP, SIGINT and SIGQUIT stay ignored, as nohup(1) and
 * shells mean it.
 *
 * Blocks  no
 * Errors  none come back: who cannot do this ends, with a word on standard
 *	   error and status 1
 */
#ifndef SYS_INHERITED_H
#define SYS_INHERITED_H

/*
 * Signals are set back.  Descriptors 0 to 2 are open afterwards (/dev/null
 * where nothing was), and none beyond but cnt of them from keep on; keep may be
 * -1.  Single-threaded, before anything is opened.
 */
void	inherited_drop(int keep, unsigned cnt);

/*
 * The descriptor that an argument names as a file (/dev/fd/63, which is how a
 * shell passes the output of a command), or -1.  The first one counts.
 */
int	inherited_named(int argc, char *const argv[]);

#endif
