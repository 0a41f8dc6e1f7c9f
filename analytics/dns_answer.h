// SPDX-License-Identifier: Apache-2.0
// A message of DNS as it was read: plain values, no library's. Filled by the module dns_parse.c, which libldns is
// behind; all else of analytics/dns* works on this.
#ifndef MAILTAP_ANALYTICS_DNS_ANSWER_H
#define MAILTAP_ANALYTICS_DNS_ANSWER_H

#include "decode/dns_look.h"

enum {
	DNS_RECORDS_MAX = 256, // of a message that are read
	DNS_RECORD_BYTES = 32 * 1024, // of them all: names and data
};

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

// A name on the wire, in lower case, with its last, empty label.
struct dns_name {
	uint8_t length; // 0: none
	uint8_t bytes[DNS_NAME_MAX];
};

struct dns_record {
	uint16_t type;
	uint8_t section; // enum dns_section
	uint32_t ttl;
	const uint8_t *owner; // a name as above
	const uint8_t *data; // as on the wire, names in it not compressed and in lower case (RFC 4034 6.2)
	uint16_t owner_length, data_length;
};

struct dns_parsed {
	uint16_t id;
	bool answer;
	uint8_t rcode;
	bool authoritative, truncated, recursion_available, authentic; // the bits AA, TC, RA, AD
	bool signatures_wanted; // the bit DO of EDNS (RFC 3225); an answer repeats it
	struct dns_name name; // of the question
	uint16_t type;
	bool more; // records than are read, or of more bytes
	size_t count;
	// Of the types that are read, in the order of the message. Of DNS_SOA without data; of DNS_ADDITIONAL none.
	struct dns_record records[DNS_RECORDS_MAX];
	uint8_t bytes[DNS_RECORD_BYTES]; // what they point to
};

#endif
