// SPDX-License-Identifier: Apache-2.0
// How many look-ups an SPF record costs with all that it includes or leaves to others (RFC 7208 4.6.4), as far as their
// records were seen. One thread.
#ifndef MAILTAP_ANALYTICS_SPF_LOOKUPS_H
#define MAILTAP_ANALYTICS_SPF_LOOKUPS_H

#include "analytics/dns_memory.h"
#include "capture/base/view.h"

enum { SPF_LOOKUPS_MAX = 10 }; // that are allowed

struct spf_lookups {
	bool known; // all of the records were seen; else it is at least so many
	unsigned count; // up to SPF_LOOKUPS_MAX + 1, which stands for all that is more
};

struct spf_lookups spf_lookups_count(const struct dns_memory *memory, struct view text);

#endif
