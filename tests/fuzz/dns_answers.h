// SPDX-License-Identifier: Apache-2.0
// What others make of answers of DNS, for dns.c: keys that signatures of mail are verified by, and records that name
// certificates.
#ifndef MAILTAP_TESTS_FUZZ_DNS_ANSWERS_H
#define MAILTAP_TESTS_FUZZ_DNS_ANSWERS_H

#include "analytics/dns_memory.h"

// A name of a DKIM key: nothing that was not signed is said to be, whatever the key is.
void check_key(const struct dns_memory *memory, const struct dns_name *name);

// Records of type TLSA, against a list of certificates; what fits is what OpenSSL says has these bytes or this hash.
void check_tlsa(const struct dns_answer *answer);

#endif
