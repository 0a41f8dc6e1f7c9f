// SPDX-License-Identifier: Apache-2.0
// The reader of messages of DNS: libldns, record by record, and only those of types that are of use. What could
// cost time (names, which may point to each other) is looked at beforehand by our own code.
//
// It is a module of its own (base/module.h), which dns_view.c loads.
#ifndef MAILTAP_ANALYTICS_DNS_PARSE_H
#define MAILTAP_ANALYTICS_DNS_PARSE_H

#include "analytics/dns_answer.h"

// What the module gives to the program that loads it.
struct dns_library_ops {
	// False: malformed. *parsed has then nothing.
	bool (*parse)(const uint8_t *bytes, size_t length, struct dns_parsed *parsed);
};

#define DNS_MODULE_SYMBOL "dns_module"

extern const struct dns_library_ops dns_module;

#endif
