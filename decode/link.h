// SPDX-License-Identifier: Apache-2.0
// What stands between the wire and the network header: link types of captures, Ethernet and LLC, tags,
// MPLS, PPPoE. Readers of the slow branch (walk.h); called by headers.c, ethertypes also by tunnel.c.
#ifndef MAILTAP_DECODE_LINK_H
#define MAILTAP_DECODE_LINK_H

#include "decode/walk.h"

enum ethertype {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_TRANSPARENT_ETHERNET = 0x6558, // in GRE and GENEVE
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_PPP = 0x880b, // in GRE
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_MULTICAST = 0x8848,
	ETHERTYPE_PPPOE_SESSION = 0x8864,
	ETHERTYPE_JUMBO_LLC = 0x8870,
	ETHERTYPE_SERVICE_VLAN = 0x88a8,
	ETHERTYPE_CISCO_METADATA = 0x8909,
	ETHERTYPE_VNTAG = 0x8926,
	ETHERTYPE_ETAG = 0x893f,
	ETHERTYPE_OLD_SERVICE_VLAN = 0x9100,
};

// What a packet of this link type (enum link_type) starts with; LAYER_END: nothing we read.
enum layer layer_of_link_type(uint16_t link_type);

// What follows an ethertype; LAYER_END: nothing we read (ARP, LLDP, MACsec, ...).
enum layer layer_of_ethertype(uint16_t ethertype);

layer_reader ethernet_read, llc_read, vlan_read, etag_read, vntag_read, cisco_metadata_read,
    mpls_read, pppoe_read, ppp_read, linux_sll_read, linux_sll2_read, loopback_read;

#endif
