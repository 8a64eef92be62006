/*
 * homes - can relays of this host get at the homes of its users?  A service
 * manager may hide them (ProtectHome= of systemd), which nobody sees who looks
 * from outside of the unit.
 */
#ifndef MASTER_HOMES_H
#define MASTER_HOMES_H

#include "base/span.h"
#include "conf/conf.h"

/* As the table of mounts says, of the form of /proc/self/mountinfo.  Pure. */
enum conf_homes	homes_read(struct span mounts);

/* The same of this process.  Blocks for the kernel. */
enum conf_homes	homes_look(void);

#endif
