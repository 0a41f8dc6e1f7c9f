// SPDX-License-Identifier: Apache-2.0
#include "capture/dpdk/spread.h"

void spread_key(uint8_t *key, size_t length)
{
	for (size_t i = 0; i < length; i++)
		key[i] = i % 2 == 0 ? 0x6d : 0x5a;
}

uint8_t spread_key_length(const struct rte_eth_dev_info *info)
{
	return info->hash_key_size != 0 ? info->hash_key_size : (uint8_t)SPREAD_KEY_USUAL;
}

bool spread_is_offered(const struct rte_eth_dev_info *info, unsigned queues)
{
	uint8_t key = spread_key_length(info);
	return queues > 1 && info->max_rx_queues >= queues &&
	       (info->flow_type_rss_offloads & SPREAD_BY) == SPREAD_BY && key >= SPREAD_KEY_USUAL &&
	       key <= SPREAD_KEY_MAX;
}
