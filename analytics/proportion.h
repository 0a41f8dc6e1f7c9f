// SPDX-License-Identifier: Apache-2.0
// A proportion, and between which values it lies: the interval of Wilson (1927) at 95 %, which keeps
// inside 0 and 1 and holds for few cases, too. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_PROPORTION_H
#define MAILTAP_ANALYTICS_PROPORTION_H

#include <stdint.h>

struct proportion {
	double value, low, high;
};

// `of` is not 0, `part` not above it.
struct proportion proportion_of(uint64_t part, uint64_t of);

#endif
