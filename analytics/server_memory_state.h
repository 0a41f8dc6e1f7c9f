// SPDX-License-Identifier: Apache-2.0
// The inside of the memory of servers, for the files that it is made of: server_memory.c (what is recalled
// and noted) and server_memory_file.c (what is loaded and saved).
#ifndef MAILTAP_ANALYTICS_SERVER_MEMORY_STATE_H
#define MAILTAP_ANALYTICS_SERVER_MEMORY_STATE_H

#include "analytics/server_baseline.h"
#include "analytics/server_entry.h"
#include "analytics/server_key.h"

struct server_memory {
	struct hash_key key;
	nanoseconds age;
	nanoseconds now; // of the session that was recalled or noted last
	struct bounded_table *addresses, *names; // of struct server_entry
	struct server_baseline *baseline;
	uint64_t evicted, aged, loaded;
};

// The entry of a server; exactly one of address and name is given. NULL: it is not remembered.
struct server_entry *server_memory_find(const struct server_memory *memory,
    const struct ip_address *address, const struct host_name *name, uint16_t port);

// Adds an entry that is not there yet, and the memory's from now on. Another may give way.
void server_memory_add(struct server_memory *memory, struct server_entry *entry);

// The entry has changed: it may be worth keeping now.
void server_memory_settle(struct server_memory *memory, struct server_entry *entry);

#endif
