// SPDX-License-Identifier: Apache-2.0
// Names of DNS as text (RFC 1035 5.1): without the last dot, bytes that are no letters, digits, '-' or '_' as \DDD.
// Pure; any thread.
#ifndef MAILTAP_ANALYTICS_DNS_TEXT_H
#define MAILTAP_ANALYTICS_DNS_TEXT_H

#include "analytics/dns_answer.h"

enum { DNS_TEXT_MAX = 4 * DNS_NAME_MAX + 1 };

// Labels as on the wire, with or without the last, empty one; returns the text's length. The root is ".".
size_t dns_labels_text(const uint8_t *labels, size_t length, char text[DNS_TEXT_MAX]);

static inline size_t dns_name_text(const struct dns_name *name, char text[DNS_TEXT_MAX])
{
	return dns_labels_text(name->bytes, name->length, text);
}

#endif
