// SPDX-License-Identifier: Apache-2.0
// The reader of messages of DNS: libldns, record by record, and only those of types that are of use. What could
// cost time (names, which may point to each other) is looked at beforehand by our own code.
//
// It is a module of its own (base/module.h), which dns_view.c loads.
#ifndef MAILTAP_ANALYTICS_DNS_PARSE_H
#define MAILTAP_ANALYTICS_DNS_PARSE_H

#include "analytics/dns_answer.h"
#include "analytics/dnssec_crypto.h"

// What the module gives to the program that loads it.
struct dns_library_ops {
	// False: malformed. *parsed has then nothing.
	bool (*parse)(const uint8_t *bytes, size_t length, struct dns_parsed *parsed);
	// dnssec_crypto.h
	bool (*verify)(const struct dns_set *set, const struct dns_data *signature,
	    const struct dns_name *signer, const struct dns_data *key);
	bool (*digest_fits)(const struct dns_name *zone, const struct dns_data *key,
	    const struct dns_data *delegation);
	bool (*read_anchors)(const char *path, struct dnssec_anchors *anchors, struct error *error);
};

#define DNS_MODULE_SYMBOL "dns_module"

extern const struct dns_library_ops dns_module;

#endif
