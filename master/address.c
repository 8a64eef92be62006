/* address.c */
#include <string.h>

#include "conf/slice/plan.h"
#include "master/address.h"

socklen_t
address_fill(union address *a, uint8_t family, const uint8_t bytes[16],
    uint16_t port, const char *path)
{
	_Static_assert(PLAN_SOCKET_MAX <= sizeof(a->un.sun_path),
	    "a path fits an address");
	memset(a, 0, sizeof(*a));
	if (family == 1) {
		a->un.sun_family = AF_UNIX;
		memcpy(a->un.sun_path, path, PLAN_SOCKET_MAX);
		return sizeof(a->un);
	}
	if (family == 4) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		memcpy(&a->v4.sin_addr, bytes, 4);
		return sizeof(a->v4);
	}
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	memcpy(&a->v6.sin6_addr, bytes, 16);
	return sizeof(a->v6);
}
