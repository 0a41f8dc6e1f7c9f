// SPDX-License-Identifier: Apache-2.0
// Which names of mail hosts lead to an address: MX of a domain (or the domain itself where it has none: RFC 5321
// 5.1), then A or AAAA of the host, as answers of DNS said whose questions were seen. That is what a sending server
// may have meant when it connected to the address; who asked may have been another, and what a resolver
// remembered from before is not seen. None of it is authenticated.
//
// A name holds from the answer on for as long as that is good (dns_memory.h). Bounded in addresses and in
// names of each. Owned by dns_view.c; one thread.
#ifndef MAILTAP_ANALYTICS_MX_HOSTS_H
#define MAILTAP_ANALYTICS_MX_HOSTS_H

#include "analytics/dns_memory.h"
#include "analytics/host_name.h"

enum { MX_NAMES_MAX = 8 }; // of an address

struct mx_names {
	unsigned count;
	bool more; // than there is room for
	struct host_name names[MX_NAMES_MAX];
};

struct mx_hosts;

// NULL: no memory.
struct mx_hosts *mx_hosts_create(void);
void mx_hosts_destroy(struct mx_hosts *hosts); // NULL is allowed

// Takes note of what the memory has for a name and type, after an answer for them came.
void mx_hosts_note(struct mx_hosts *hosts, const struct dns_memory *memory,
    const struct dns_name *name, uint16_t type);

// The names that held for an address at a time, in the order in which they were first seen.
void mx_hosts_find(const struct mx_hosts *hosts, const struct ip_address *address, nanoseconds time,
    struct mx_names *names);

uint64_t mx_hosts_given_up(const struct mx_hosts *hosts); // names, for room

#endif
