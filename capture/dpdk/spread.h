// SPDX-License-Identifier: Apache-2.0
// How a card spreads packets over its receive queues: by a hash of the two addresses alone, whose key makes it
// the same for both directions. Without the ports, fragments of a datagram come to the same queue as the rest
// of its connection.
#ifndef MAILTAP_CAPTURE_DPDK_SPREAD_H
#define MAILTAP_CAPTURE_DPDK_SPREAD_H

#include <rte_ethdev.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	SPREAD_KEY_MAX = 64,
	SPREAD_KEY_USUAL = 40, // bytes: what Toeplitz needs for the addresses and ports of IPv6
};

// All packets of IPv4 and IPv6 by their addresses; the kinds for fragments alone are left out, as some cards
// hash a datagram's identification with them.
#define SPREAD_BY (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6)

// The key, of which every 16 bits are the same: addresses that change places give the same hash.
void spread_key(uint8_t *key, size_t length);

// How long the card's key is; the usual length where the driver does not say.
uint8_t spread_key_length(const struct rte_eth_dev_info *info);

bool spread_is_offered(const struct rte_eth_dev_info *info, unsigned queues);

#endif
