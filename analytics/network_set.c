// SPDX-License-Identifier: Apache-2.0
#include "analytics/network_set.h"

#include "analytics/community_id.h"
#include "capture/base/hash.h"

uint32_t network_of(const struct ip_address *address)
{
	// Always the same key: what is written to a file is found again. What an attacker gains by two
	// networks with one hash is that they count as one.
	static const struct hash_key key = {{0x6d61696c7461702eu, 0x6e6574776f726b73u}};
	enum { V4_PREFIX = 12 + 3, V6_PREFIX = 6 };
	size_t length = ip_address_is_v4(address) ? V4_PREFIX : V6_PREFIX;
	return (uint32_t)hash_bytes(&key, address->bytes, length);
}

static uint8_t *find(struct network_set *set, uint32_t network)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->networks[i] == network)
			return &set->times[i];
	return NULL;
}

// A place for a network that has none.
static uint8_t *take_place(struct network_set *set, uint32_t network)
{
	unsigned place = set->count;
	if (set->count < NETWORK_SET_MAX) {
		set->count++;
	} else {
		place = set->next;
		set->next = (uint8_t)((set->next + 1) % NETWORK_SET_MAX);
	}
	set->networks[place] = network;
	set->times[place] = 0;
	return &set->times[place];
}

bool network_set_note(struct network_set *set, uint32_t network)
{
	uint8_t *times = find(set, network);
	if (times == NULL)
		times = take_place(set, network);
	if (*times == NETWORK_SHARE)
		return false;
	++*times;
	return true;
}

uint32_t network_set_times(const struct network_set *set, uint32_t network)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->networks[i] == network)
			return set->times[i];
	return 0;
}
