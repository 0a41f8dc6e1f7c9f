// SPDX-License-Identifier: Apache-2.0
// Which messages of DNS are handed on: those whose question mail asks. MX, TXT, TLSA, PTR and what DNSSEC needs are
// few, and all of use; A and AAAA are most of what a resolver is asked, and of use only for the names of mail
// hosts. So the names that answers for MX give (or, where they give none, the domain itself: RFC 5321 5.1) are
// remembered, as hashes in a table of fixed size in which a new one takes the place of another. What was answered by
// TCP, which other threads read, is not remembered here. Referrals that say what keys a zone has (DS) are of use
// whatever was asked: resolvers ask for as little as they can on the way to a name (RFC 9156). Owns the table and the figures. One thread.
#ifndef MAILTAP_DECODE_DNS_FILTER_H
#define MAILTAP_DECODE_DNS_FILTER_H

#include "decode/dns_look.h"
#include "decode/headers.h"

// Every message that is seen is in one of the others, once it was handed on. Nothing but unsigned figures of 64 bits.
struct dns_counters {
	uint64_t seen;
	uint64_t kept; // handed on
	uint64_t other; // of no use for mail
	uint64_t malformed;
	uint64_t left_out; // of use, or may be: cut, too long, a gap in TCP, or no room for it
};

struct dns_filter;

// NULL: no memory.
struct dns_filter *dns_filter_create(void);
void dns_filter_destroy(struct dns_filter *filter); // NULL is allowed

// Counts a message, and says whether it is to be handed on; if so, that is yet to be counted. `filter` NULL: A and
// AAAA are of use, whatever they are for.
bool dns_filter_take(
    struct dns_filter *filter, struct dns_counters *counters, const struct dns_message *message);

#endif
