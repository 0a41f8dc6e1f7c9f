// SPDX-License-Identifier: Apache-2.0
// What an SPF record (RFC 7208) says, as far as its text tells. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_SPF_RECORD_H
#define MAILTAP_ANALYTICS_SPF_RECORD_H

#include "capture/base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPF_OTHERS_MAX = 10 }; // further ones are beyond what is allowed (4.6.4)

struct spf_record {
	bool valid; // its syntax is that of RFC 7208 12
	char all; // what it says of all others: '-', '~', '?' or '+'; 0: it does not say
	bool redirect; // it leaves that to another domain's record
	// What stands behind "all" is never looked at (5.1, 6.1), and costs nothing.
	unsigned lookups; // terms that cost a look-up (4.6.4), of this record alone
	unsigned others_count;
	struct view
	    others[SPF_OTHERS_MAX]; // whose records it includes or leaves it to, as it names them
};

// True if a text begins as an SPF record does (4.5).
bool spf_record_is(const uint8_t *text, size_t length);

struct spf_record spf_record_read(const uint8_t *text, size_t length);

#endif
