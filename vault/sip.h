/*
 * sip - SipHash-2-4 (Aumasson, Bernstein): 64 bits of a text and a secret, by
 * which those without the secret can choose no two texts that meet.
 */
#ifndef VAULT_SIP_H
#define VAULT_SIP_H

#include <stdint.h>

#include "base/span.h"

struct sip_key {
	uint64_t	 a, b;
};

uint64_t	sip_hash(const struct sip_key *, struct span);

#endif
