// SPDX-License-Identifier: Apache-2.0
// What an SPF record (RFC 7208) says, as far as its text tells. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_SPF_RECORD_H
#define MAILTAP_ANALYTICS_SPF_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spf_record {
	bool valid; // its syntax is that of RFC 7208 12
	char all; // what it says of all others: '-', '~', '?' or '+'; 0: it does not say
	bool redirect; // it leaves that to another domain's record
	unsigned lookups; // terms that cost a look-up (4.6.4), of this record alone
};

// True if a text begins as an SPF record does (4.5).
bool spf_record_is(const uint8_t *text, size_t length);

struct spf_record spf_record_read(const uint8_t *text, size_t length);

#endif
