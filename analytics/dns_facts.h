// SPDX-License-Identifier: Apache-2.0
// What statistics need of a line of domains.jsonl or lookups.jsonl. A run reads the lines that it writes, so that it
// and a report on its logs cannot differ. Lines may be damaged, or of a newer mailtap: what is not known is not seen.
// Pure; any thread.
#ifndef MAILTAP_ANALYTICS_DNS_FACTS_H
#define MAILTAP_ANALYTICS_DNS_FACTS_H

#include "analytics/dns_lookups.h"
#include "analytics/domain_policies.h"
#include "analytics/session_facts.h"

enum { DOMAIN_ADDRESSES_MAX = 8 }; // of its hosts of MX, those that go first

// The last line of a domain counts.
struct domain_facts {
	char domain[DNS_NAME_MAX * 4 + 1]; // as the line has it
	bool anonymised; // addresses are others in their place
	bool mx_known; // it was asked for
	struct host_name host; // of MX that goes first
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

// False: the line is none of these.
bool domain_facts_of_line(struct domain_facts *facts, const char *line, size_t length);
bool lookup_facts_of_line(struct lookup_facts *facts, const char *line, size_t length);

#endif
