// SPDX-License-Identifier: Apache-2.0
// Who looks up what: whether hosts of a network that receives mail ask for SPF (TXT of a name without an underscore), DKIM
// (beneath _domainkey) and DMARC (_dmarc) while a session lasts that it receives, or within LOOKUPS_WINDOW after it.
// Whom a session's mail is from is not remembered, so it is any look-up of the kind by the network. What a resolver
// there remembers is not asked for again, and a resolver elsewhere is not in the network: that no look-up was
// seen says that there was none only where others of the network were seen, and not even then for certain.
//
// A network is a /24 or a /48 (client_network.h). Seconds are whole ones. Bounded in networks. Owned by dns_view.c;
// one thread.
#ifndef MAILTAP_ANALYTICS_DNS_LOOKUPS_H
#define MAILTAP_ANALYTICS_DNS_LOOKUPS_H

#include "analytics/client_network.h"
#include "analytics/dns_answer.h"

#define LOOKUPS_WINDOW SECONDS(60)

enum lookup_kind { LOOKUP_SPF, LOOKUP_DKIM, LOOKUP_DMARC, LOOKUP_KINDS };

// What was counted since it was counted last.
struct lookup_counts {
	struct client_network network;
	nanoseconds first, last; // ends of sessions
	uint64_t sessions; // received, in which mail could be sent
	uint64_t questions; // of the network's, of all kinds that are of use for mail
	uint64_t followed[LOOKUP_KINDS]; // sessions
};

struct dns_lookups;

// NULL: no memory.
struct dns_lookups *dns_lookups_create(void);
void dns_lookups_destroy(struct dns_lookups *lookups); // NULL is allowed

// LOOKUP_KINDS: it is none of them.
enum lookup_kind dns_lookup_kind(const struct dns_name *name, uint16_t type);

// A host asked a question.
void dns_lookups_question(struct dns_lookups *lookups, const struct ip_address *host,
    nanoseconds time, enum lookup_kind kind);

// A server received a session.
void dns_lookups_session(struct dns_lookups *lookups, const struct ip_address *server,
    nanoseconds start, nanoseconds end);

// Gives what was counted of each network that received a session, and begins anew: sessions that still wait for a
// look-up are given as such that none came for. False: the sink did.
bool dns_lookups_take(struct dns_lookups *lookups,
    bool (*sink)(void *context, const struct lookup_counts *counts), void *context);

uint64_t dns_lookups_given_up(const struct dns_lookups *lookups); // networks, for room

#endif
