/*
 * build - the build a program belongs to.  Links refuse a peer of another
 * one: the bus carries no promise between versions.
 */
#ifndef BUS_BUILD_H
#define BUS_BUILD_H

/* A short printable string, the same in all programs of one build. */
const char	*build_id(void);

#endif
