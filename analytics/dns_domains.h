// SPDX-License-Identifier: Apache-2.0
// The mail domains of which something was asked, and the selectors of DKIM that were asked for beneath them: names
// alone, what they publish is in dns_memory.h. A name becomes one where it is asked for its MX, or for what domains
// publish beneath a fixed label (_dmarc, _domainkey, _mta-sts, _smtp._tls), or where it is a registered domain that was
// asked for its TXT, as for SPF: the names that SPF's macros make of addresses of people do not. Bounded; of those that were not
// used for longest the oldest gives way. One thread.
#ifndef MAILTAP_ANALYTICS_DNS_DOMAINS_H
#define MAILTAP_ANALYTICS_DNS_DOMAINS_H

#include "analytics/bounded_table.h"
#include "analytics/dns_memory.h"

enum {
	DNS_SELECTORS_MAX = 16, // of a domain
	DNS_SELECTOR_BYTES_MAX = 64,
};

struct dns_selector {
	uint8_t length;
	uint8_t bytes[DNS_SELECTOR_BYTES_MAX]; // labels as on the wire, without the last
};

struct dns_domain {
	struct bounded_node node; // first
	struct dns_name name;
	nanoseconds first_seen, last_seen;
	bool changed; // since it was written
	uint16_t selector_count, selectors_left_out;
	struct dns_selector *selectors; // room for DNS_SELECTORS_MAX; NULL: there are none
};

struct dns_domains;

// NULL: no memory.
struct dns_domains *dns_domains_create(void);
void dns_domains_destroy(struct dns_domains *domains); // NULL is allowed

// An answer that says something of the name and type that were asked for.
void dns_domains_note(struct dns_domains *domains, const struct dns_parsed *parsed,
    enum dns_state state, nanoseconds time);

// All of them, from the one that was not used for longest. `before` NULL: the first one. NULL: no more.
struct dns_domain *dns_domains_next(
    const struct dns_domains *domains, const struct dns_domain *before);

uint64_t dns_domains_given_up(const struct dns_domains *domains);

// A name in front of another: "\x06_dmarc" and a domain. Length 0: it would be too long.
struct dns_name dns_name_beneath(
    const uint8_t *labels, size_t length, const struct dns_name *name);

#endif
