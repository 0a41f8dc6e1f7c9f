// SPDX-License-Identifier: Apache-2.0
// A line of domains.jsonl: what a domain publishes for its mail, as far as answers of DNS that were seen say. What was
// not asked for is null; what is said not to be there is false or empty. One thread.
#ifndef MAILTAP_ANALYTICS_DOMAIN_LINE_H
#define MAILTAP_ANALYTICS_DOMAIN_LINE_H

#include "analytics/dns_domains.h"
#include "analytics/dns_facts.h"
#include "analytics/json.h"

struct anonymiser;
struct dnssec;
struct facts_lookup;

struct domain_writer {
	struct json *json;
	const struct dns_memory *memory;
	struct dnssec *dnssec;
	struct anonymiser *anonymiser; // NULL: what looks like an address in a name stays
	struct facts_lookup *registered; // domains of names
	const char *sensor; // or NULL
};

// Clears the buffer and writes the line. *facts is what domain_facts_of_line would read of it.
void domain_line_write(const struct domain_writer *writer, const struct dns_domain *domain,
    struct domain_facts *facts);

#endif
