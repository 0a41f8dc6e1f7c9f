// SPDX-License-Identifier: Apache-2.0
// The first look at a message of DNS (RFC 1035 4.1): its header and its one question, and of an answer to a
// question for MX the names of the hosts. Enough to tell what is of use for mail from the many that are not, at
// the cost of the question's bytes; all else is read behind the rings, by a library. Pure; any thread.
#ifndef MAILTAP_DECODE_DNS_LOOK_H
#define MAILTAP_DECODE_DNS_LOOK_H

#include "capture/base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DNS_PORT = 53,
	DNS_NAME_MAX = 255, // bytes of a name on the wire (RFC 1035 3.1)
	DNS_HEADER_SIZE = 12,
	DNS_MESSAGE_LONGEST = 16 * 1024, // bytes; longer ones are left out
};

// Types of records (RFC 1035 3.2.2 and later ones).
enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_OPT = 41,
	DNS_DS = 43,
	DNS_RRSIG = 46,
	DNS_NSEC = 47,
	DNS_DNSKEY = 48,
	DNS_NSEC3 = 50,
	DNS_TLSA = 52,
};

enum dns_outcome {
	DNS_OTHER, // not a query of the class IN, or for a type that mail does not need
	DNS_MALFORMED, // it contradicts itself or ends too early
	DNS_OF_USE,
};

// What a first look finds.
struct dns_look {
	enum dns_outcome outcome;
	bool answer;
	bool refers; // an answer that says whom else to ask, and what keys those have (RFC 4035 3.1.4)
	uint8_t rcode; // of an answer
	uint16_t id, type;
	uint16_t name_length; // of the question's name, which begins at DNS_HEADER_SIZE
	uint16_t answers; // records in the answer section, as the header says
};

struct dns_look dns_look(const uint8_t *bytes, size_t length);

// The hash of a name that stands uncompressed at `name`, in lower case (RFC 4343).
uint64_t dns_name_hash(const struct hash_key *key, const uint8_t *name, size_t length);

// The name at *offset of a message, its letters in lower case and not compressed, into `name`. Returns its length and
// sets *offset behind it; 0: malformed. Pointers lead back only, and only a few of them are followed.
size_t dns_read_name(
    const uint8_t *bytes, size_t length, size_t *offset, uint8_t name[DNS_NAME_MAX]);

// A walk over the records of a message.
struct dns_record_view {
	uint16_t type, class;
	uint32_t ttl;
	size_t owner, data; // offsets into the message
	uint16_t data_length;
};

// Reads the record at *offset and steps over it. False: malformed.
bool dns_next_record(
    const uint8_t *bytes, size_t length, size_t *offset, struct dns_record_view *record);

#endif
