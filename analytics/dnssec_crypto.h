// SPDX-License-Identifier: Apache-2.0
// What DNSSEC computes: libldns, which has OpenSSL behind it. Part of the module of dns_parse.h, which gives these
// functions to the program; called by dnssec.c through it.
#ifndef MAILTAP_ANALYTICS_DNSSEC_CRYPTO_H
#define MAILTAP_ANALYTICS_DNSSEC_CRYPTO_H

#include "analytics/dns_memory.h"
#include "capture/base/error.h"

enum {
	DNSSEC_ANCHORS_MAX = 32,
	DNSSEC_ANCHOR_BYTES_MAX = 1024, // of data
};

// What is trusted from the outset.
struct dnssec_anchor {
	struct dns_name zone;
	uint16_t type; // DNS_DS or DNS_DNSKEY
	uint16_t length;
	uint8_t bytes[DNSSEC_ANCHOR_BYTES_MAX];
};

struct dnssec_anchors {
	size_t count;
	struct dnssec_anchor list[DNSSEC_ANCHORS_MAX];
};

// Whether a signature (the data of an RRSIG) of a set verifies with a key (the data of a DNSKEY of the signer), whatever
// the time.
bool dnssec_verify(const struct dns_set *set, const struct dns_data *signature,
    const struct dns_name *signer, const struct dns_data *key);

// Whether the data of a DS is the digest of a zone's key.
bool dnssec_digest_fits(
    const struct dns_name *zone, const struct dns_data *key, const struct dns_data *delegation);

// Reads the anchors of a file. False: *error.
bool dnssec_read_anchors(const char *path, struct dnssec_anchors *anchors, struct error *error);

#endif
