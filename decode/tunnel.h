// SPDX-License-Identifier: Apache-2.0
// Tunnels in front of a tap: GRE with ERSPAN and PPTP, EtherIP, VXLAN and GENEVE over UDP; and what else is read
// of UDP: messages of DNS, where they are asked for. Readers of
// the slow branch (walk.h); called by headers.c, the ports also by fragment.c.
#ifndef MAILTAP_DECODE_TUNNEL_H
#define MAILTAP_DECODE_TUNNEL_H

#include "decode/dns_look.h"
#include "decode/walk.h"

enum tunnel_port {
	PORT_VXLAN = 4789,
	PORT_VXLAN_GPE = 4790,
	PORT_GENEVE = 6081,
	PORT_VXLAN_LINUX = 8472, // before the port was assigned
};

// True if a UDP datagram to this port may be a tunnel.
static inline bool is_tunnel_port(uint16_t destination_port)
{
	return (destination_port == PORT_VXLAN) | (destination_port == PORT_VXLAN_GPE) |
	       (destination_port == PORT_GENEVE) | (destination_port == PORT_VXLAN_LINUX);
}

// True if a UDP datagram between these ports is of DNS.
static inline bool is_names_port(uint16_t source, uint16_t destination)
{
	return (source == DNS_PORT) | (destination == DNS_PORT);
}

layer_reader gre_read, etherip_read, udp_read;

#endif
