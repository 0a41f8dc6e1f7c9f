// SPDX-License-Identifier: Apache-2.0
// What statistics need of a line of domains.jsonl or lookups.jsonl. A run has it of domain_line.h and lookup_line.h, while
// they write the line; a report reads the line. Lines may be damaged, or of a newer mailtap: what is not known is not
// seen. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_DNS_FACTS_H
#define MAILTAP_ANALYTICS_DNS_FACTS_H

#include "analytics/anonymise_text.h"
#include "analytics/dns_lookups.h"
#include "analytics/dns_text.h"
#include "analytics/domain_policies.h"
#include "analytics/session_facts.h"

enum { DOMAIN_ADDRESSES_MAX = 8 }; // of its hosts of MX, those that go first

// The line of a domain that was seen last counts; of several with the same time, the one that comes last.
struct domain_facts {
	char domain[DNS_TEXT_MAX + ANONYMISE_TEXT_GROWTH]; // as the line has it
	bool anonymised; // addresses are others in their place
	nanoseconds last_seen; // 0: not known
	bool mx_known; // it was asked for
	struct host_name host; // of MX that goes first. Empty: not known
	uint16_t preference; // of that host
	unsigned address_count;
	struct ip_address addresses[DOMAIN_ADDRESSES_MAX];
	struct domain_policies policies;
	// Added by facts_lookup.c: who runs that host. Empty: not known.
	struct operator_name operator;
};

// Lines of a network add up.
struct lookup_facts {
	bool anonymised; // likewise
	struct client_network network;
	uint64_t sessions, questions, followed[LOOKUP_KINDS];
};

// Takes a host of MX, in the order of the answer; the one that goes first has the lowest preference. `name` as the
// line has it.
void domain_facts_add_host(struct domain_facts *facts, uint16_t preference, struct view name);

// Takes an address of a host of MX, once, as long as there is room, and not one that leads nowhere. Whether addresses are
// others than they were is to be known by then.
void domain_facts_add_address(struct domain_facts *facts, const struct ip_address *address);

// False: the line is none of these.
bool domain_facts_of_line(struct domain_facts *facts, const char *line, size_t length);
bool lookup_facts_of_line(struct lookup_facts *facts, const char *line, size_t length);

#endif
