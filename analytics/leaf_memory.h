// SPDX-License-Identifier: Apache-2.0
// Which certificates a server shows where they can be seen, for its other sessions of the run, where TLS
// 1.3 or a resumption hides them. What is recalled is what the server usually shows, not what it showed
// there: records mark it `memory`, and nothing about the client is concluded from it.
//
// A server is an address, a port and the name asked for (SNI). One that shows now one certificate, now
// another, as behind a load balancer, is not recalled; a renewed one is, once it has been shown
// several times in a row.
// Bounded: what was not used for longest gives way. Not thread safe.
#ifndef MAILTAP_ANALYTICS_LEAF_MEMORY_H
#define MAILTAP_ANALYTICS_LEAF_MEMORY_H

#include "decode/session_record.h"

enum { LEAF_MEMORY_CHAIN_MAX = 6 }; // certificates of a list; a server with more is not remembered

struct remembered_chain {
	uint8_t count;
	uint8_t sha256[LEAF_MEMORY_CHAIN_MAX][32]; // leaf first
};

struct leaf_memory_counters {
	uint64_t servers; // held now
	uint64_t evicted;
};

struct leaf_memory;

// `servers`: how many are remembered at most, rounded up to a power of two. NULL: no memory.
struct leaf_memory *leaf_memory_create(size_t servers);
void leaf_memory_destroy(struct leaf_memory *memory);

// This session's handshake was completed and showed these certificates.
void leaf_memory_note(struct leaf_memory *memory, const struct session_record *record,
    const uint8_t (*chain)[32], size_t count);

// What this session's server shows where it can be seen; NULL: not known, or not always the same.
// Good until the next note.
const struct remembered_chain *leaf_memory_recall(
    struct leaf_memory *memory, const struct session_record *record);

struct leaf_memory_counters leaf_memory_counters(const struct leaf_memory *memory);

#endif
