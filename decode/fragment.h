// SPDX-License-Identifier: Apache-2.0
// Reassembly of IPv4 and IPv6 fragments (RFC 791 3.2, RFC 8200 4.5, RFC 5722), bounded in memory,
// in pieces per datagram and in packet time. Owns the bytes it holds, from the worker's memory.
// Called by the worker for every HEADERS_FRAGMENT. One thread.
#ifndef MAILTAP_DECODE_FRAGMENT_H
#define MAILTAP_DECODE_FRAGMENT_H

#include "capture/base/memory.h"
#include "decode/headers.h"

struct fragment_table;

// What became of fragments and of the datagrams they belonged to. Two sums hold at any time:
// fragments = fragments_complete + fragments_dropped + fragments_held, and
// datagrams = the datagrams_ figures added up.
struct fragment_counters {
	uint64_t fragments; // given to fragment_add
	uint64_t fragments_complete; // of datagrams that were completed
	uint64_t fragments_dropped; // of datagrams that were not, for one of the reasons below
	uint64_t fragments_held; // of datagrams still incomplete
	uint64_t duplicates; // of all fragments those that brought nothing new
	uint64_t datagrams; // begun
	uint64_t datagrams_complete; // handed out
	uint64_t datagrams_timed_out; // dropped: a fragment did not come in time
	uint64_t datagrams_overlapping; // dropped: pieces overlap with differing bytes (RFC 5722)
	uint64_t datagrams_bad; // dropped: longer than 65535, or two different ends
	uint64_t datagrams_no_room; // dropped: table or memory full (the oldest goes first)
	uint64_t datagrams_ignored; // dropped: the first fragment shows that it is not followed
	uint64_t datagrams_held; // still incomplete
};

// `datagrams_max`: how many datagrams may be incomplete at once; their bytes are bounded by 8 KiB times
// that (at least 256 KiB). `ports` is borrowed for the table's life. NULL: memory refused.
struct fragment_table *fragment_table_create(
    struct memory *memory, size_t datagrams_max, const struct port_set *ports);
void fragment_table_destroy(struct fragment_table *table);

// Takes a fragment in (its bytes are copied). True: it completed a datagram; *datagram borrows bytes
// of the table until the next fragment_add returns, which may be of a fragment inside that datagram.
// False: nothing yet. Never fails; drops are counted.
// Where the snap length cut fragments, the datagram's `captured` ends at the first byte not known.
bool fragment_add(
    struct fragment_table *table, const struct fragment *fragment, struct datagram *datagram);

// Drops what has waited longer than 30 s (in packet time, RFC 8200 says 60) as of `now`; a few
// entries per call at most. Cheap when there is nothing to do.
void fragment_expire(struct fragment_table *table, nanoseconds now);

struct fragment_counters fragment_table_counters(const struct fragment_table *table);

#endif
