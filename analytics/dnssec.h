// SPDX-License-Identifier: Apache-2.0
// DNSSEC (RFC 4033 to 4035): whether records that were seen are signed, each step of the way from a trust anchor to
// them verified, by what was seen alone: nothing is asked for. What says that something is not there (RFC 4035 5.4) is
// not judged. A resolver's word for it (the bit AD) counts nothing here.
//
// Bounded (CVE-2023-50387): signatures and keys that are tried for a set, for an answer and in a second of packet
// time. Borrows the memory of answers, and notes in it what it found. Owned by the analytics thread.
#ifndef MAILTAP_ANALYTICS_DNSSEC_H
#define MAILTAP_ANALYTICS_DNSSEC_H

#include "analytics/dns_memory.h"
#include "analytics/dns_parse.h"
#include "capture/base/error.h"

enum {
	DNSSEC_TRIALS_MAX =
	    64, // signatures that are computed for an answer, with all that it rests on
	DNSSEC_SET_TRIALS_MAX = 8, // for one set
	DNSSEC_ZONES_MAX = 16, // from an answer up to the anchor
	DNSSEC_TRIALS_SECOND = 1000, // come back in a second: about 0.1 s of a processor
	DNSSEC_TRIALS_GATHERED = 100000, // are there at first, and gather again
};

struct dnssec;

struct dnssec_counters {
	uint64_t trials; // signatures computed
	uint64_t left; // answers of which nothing is said, as they would be too much work
};

// The root's anchors of Debian's package dns-root-data.
extern const char dnssec_usual_anchors[];

// The anchors of a file, as dns-root-data has it and unbound reads it (records DS or DNSKEY, as in a zone); `path`
// NULL: the root's of that package; where that is missing, there are none. The caller's, to be freed. By any thread.
// NULL: *error.
struct dnssec_anchors *dnssec_load_anchors(
    const struct dns_library_ops *library, const char *path, struct error *error);

// With these anchors. To be called before the sandbox closes. NULL: *error.
struct dnssec *dnssec_open(const struct dns_library_ops *library, struct dns_memory *memory,
    const char *path, struct error *error);
void dnssec_close(struct dnssec *dnssec); // NULL is allowed

// From now on these anchors count, and what was judged by others is judged anew. Takes them over.
void dnssec_use_anchors(struct dnssec *dnssec, struct dnssec_anchors *anchors);

// It is this time of the packets.
void dnssec_tell_time(struct dnssec *dnssec, nanoseconds now);

// Of the latest answer for a name and type, the one that dns_memory_find gives, with the aliases that lead to it.
struct dnssec_verdict dnssec_of(struct dnssec *dnssec, const struct dns_name *name, uint16_t type);

struct dnssec_counters dnssec_counters(const struct dnssec *dnssec);

#endif
