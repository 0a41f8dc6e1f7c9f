// SPDX-License-Identifier: Apache-2.0
// The ports that are followed, as the header parse asks for them: for each packet. Sources take it as a
// hint of what they may leave out before anybody looks at it. Plain data, shared read-only.
#ifndef MAILTAP_CAPTURE_PORT_SET_H
#define MAILTAP_CAPTURE_PORT_SET_H

#include <stdbool.h>
#include <stdint.h>

// Ports whose connections are followed. With `every`, segments of all other ports are kept as well, and
// marked as being from elsewhere. With `names`, datagrams of UDP from and to the port of DNS are kept, too.
struct port_set {
	uint64_t bits[1024];
	bool every;
	bool names;
};

static inline bool port_set_has(const struct port_set *set, uint16_t port)
{
	return set->bits[port >> 6] >> (port & 63) & 1;
}

// True if a segment between these ports is kept.
static inline bool port_set_keeps(const struct port_set *set, uint16_t source, uint16_t destination)
{
	bool from = port_set_has(set, source), to = port_set_has(set, destination);
	return (int)from | to | set->every;
}

static inline void port_set_add(struct port_set *set, uint16_t port)
{
	set->bits[port >> 6] |= (uint64_t)1 << (port & 63);
}

#endif
