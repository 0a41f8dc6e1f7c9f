// SPDX-License-Identifier: Apache-2.0
// How many client networks (/24 of IPv4, /48 of IPv6) took part in something, and how often each, so that
// none counts for more than its share. A value without pointers; pure.
#ifndef MAILTAP_ANALYTICS_NETWORK_SET_H
#define MAILTAP_ANALYTICS_NETWORK_SET_H

#include "decode/headers.h"

enum {
	NETWORK_SET_MAX = 16, // networks told apart; beyond, the one known for longest gives way
	NETWORK_SHARE = 100, // times that one network counts
};

struct network_set {
	uint8_t count; // of networks, exact up to NETWORK_SET_MAX
	uint8_t next; // to give way
	uint8_t times[NETWORK_SET_MAX];
	uint32_t networks[NETWORK_SET_MAX]; // network_of
};

// A network in short. Two networks that have the same (once in 2^32 pairs) count as one.
uint32_t network_of(const struct ip_address *address);

// The network took part once more. False: it has had its share, and this one is not to be counted.
bool network_set_note(struct network_set *set, uint32_t network);

// How often the network took part, up to its share; 0 also if it is not told apart any more.
uint32_t network_set_times(const struct network_set *set, uint32_t network);

#endif
