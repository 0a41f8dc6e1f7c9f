// SPDX-License-Identifier: Apache-2.0
// Segments that the tap delivers twice: a mirror port that copies what comes into a switch and what leaves it has
// each packet two times, the second one routed perhaps, with other MAC addresses and a lower TTL. (Copies seen at
// two tap points are two flows: flow.h.) Remembered are the last few segments of a worker. Owned by it.
//
// A copy is known by its connection, direction and tap point, by sequence, acknowledgement, flags, window, lengths,
// IP identification and TCP checksum, and in the clear by its bytes: whoever injects others under the same checksum
// is not hidden. What is found to be one has therefore been read already, and reading it again could bring nothing
// new, whoever sent it: nothing is lost by leaving it out but a count.
//
// Nor is that count wrong where retransmissions are counted: they come after 200 ms and more, or sooner (RFC 8985),
// but then in a datagram with another identification, or, in IPv6 and where that is always 0, mostly with another
// timestamp and so another checksum. Only duplicate acknowledgements without options look as if they were copies;
// and resets without identification, which a host sends for each segment that comes too late, all alike: these are
// never taken for copies.
#ifndef MAILTAP_DECODE_DUPLICATES_H
#define MAILTAP_DECODE_DUPLICATES_H

#include "capture/base/hash.h"
#include "decode/headers.h"

// How long after the first one a copy may come, or before it by its time: a switch needs microseconds, a router or
// firewall between the two a few milliseconds.
#define DUPLICATE_DELAY (SECONDS(1) / 100)

struct duplicates;

// NULL: no memory.
struct duplicates *duplicates_create(const struct hash_key *key);
void duplicates_destroy(struct duplicates *duplicates); // NULL is allowed

// Start to bring what duplicates_take will look at into the cache; the second one looks into what the first one
// asked for.
void duplicates_prefetch(const struct duplicates *duplicates, const struct segment *segment);
void duplicates_prefetch_newest(const struct duplicates *duplicates, const struct segment *segment);

// True if the segment, which knows its connection, came before, a moment ago; else it is remembered. `read`: its
// bytes matter. A copy of a segment that was cut shorter is none.
bool duplicates_take(struct duplicates *duplicates, const struct segment *segment, bool read);

#endif
