// SPDX-License-Identifier: Apache-2.0
// Who runs the ends of a session: the registered domain of a name, by the public suffix list as libpsl has it, or
// else the network of the address. Owned by one thread.
#ifndef MAILTAP_ANALYTICS_FACTS_LOOKUP_H
#define MAILTAP_ANALYTICS_FACTS_LOOKUP_H

#include "analytics/dns_facts.h"
#include "analytics/session_facts.h"
#include "capture/base/error.h"
#include "decode/text.h"

struct facts_lookup;

// NULL: *error says why.
struct facts_lookup *facts_lookup_open(struct error *error);
void facts_lookup_close(struct facts_lookup *lookup); // NULL is allowed

// Fills `operator`, with `where` filled before. A client's operator is the registered domain of the name it gave, a
// server's that of the name asked for or of the one it gave; without a name it is the network ("AS64500").
void facts_lookup_fill(struct facts_lookup *lookup, struct session_facts *facts);

// The registered domain of a name: one label in front of its public suffix. Empty: it has none.
void facts_lookup_domain(
    struct facts_lookup *lookup, const struct host_name *name, struct operator_name *domain);

// Who runs a host, by the name it is known by, or else by another: that name's registered domain. Each may be NULL.
void facts_lookup_operator(struct facts_lookup *lookup, const struct text *name,
    const struct text *other, struct operator_name *operator);

// Likewise of any name, which may be none of a host: it has none then.
void facts_lookup_registered(
    struct facts_lookup *lookup, const char *name, struct operator_name *domain);

// What has to be looked up for a line of domains.jsonl: who runs its first host, and whether a domain above it may say
// more of its policies.
void facts_lookup_of_domain(struct facts_lookup *lookup, struct domain_facts *facts);

#endif
