/*
 * runner - what a launcher's child does before a program that runs as its
 * recipient (`user recipient'): it finds him, becomes him and goes home.
 *
 * A home that is not there is waited for; one that others may write to, or
 * that belongs to somebody else than him and root, is no place for programs
 * that read their orders there.
 */
#ifndef RELAY_LOCAL_RUNNER_H
#define RELAY_LOCAL_RUNNER_H

#include "relay/pipe/launcher.h"

/* Before launcher_start_as(). */
void	runner_init(uint32_t minimum_uid);

/* Its words are names that he may have. */
extern const struct launcher_task runner_task;

#endif
