/* hop_address - addresses were judged by the edge; they are judged again at the
 * last door, where a wrong one would become a command or a field. */
#ifndef RELAY_HOP_ADDRESS_H
#define RELAY_HOP_ADDRESS_H

#include <stdbool.h>

#include "base/span.h"

bool	hop_address_is_sound(struct span);

#endif
