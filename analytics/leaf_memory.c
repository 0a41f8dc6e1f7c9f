// SPDX-License-Identifier: Apache-2.0
#include "analytics/leaf_memory.h"

#include "analytics/recent_table.h"
#include "capture/base/quick_hash.h"

#include <stdlib.h>
#include <string.h>

enum {
	STEADY = 8, // times in a row after which another certificate counts as a renewal
	SHA256 = 32,
};

enum steadiness {
	STEADY_ALWAYS, // one certificate from the first session on
	STEADY_RENEWING, // another one since `streak` sessions
	STEADY_NEVER, // it went back to one it had shown before
};

struct server {
	uint8_t steadiness; // enum steadiness
	uint8_t streak;
	uint8_t before[SHA256]; // the leaf before this one
	struct remembered_chain chain;
};

struct leaf_memory {
	struct hash_key key;
	struct leaf_memory_counters counters;
	struct recent_table *servers; // of struct server
};

struct leaf_memory *leaf_memory_create(size_t servers)
{
	struct leaf_memory *memory = calloc(1, sizeof *memory);
	if (memory == NULL)
		return NULL;
	memory->key = hash_key_random();
	memory->servers = recent_table_create(servers, sizeof(struct server));
	if (memory->servers != NULL)
		return memory;
	free(memory);
	return NULL;
}

void leaf_memory_destroy(struct leaf_memory *memory)
{
	if (memory == NULL)
		return;
	recent_table_destroy(memory->servers, NULL);
	free(memory);
}

// Two servers with one key: once in 2^64 pairs, and nobody can bring it about.
static uint64_t key_of(const struct leaf_memory *memory, const struct session_record *record)
{
	struct {
		struct ip_address address;
		uint64_t sni;
		uint64_t port;
	} server;
	const struct text *sni = record->session->tls.sni;
	memset(&server, 0, sizeof server);
	server.address = record->address[FROM_SERVER];
	server.port = record->port[FROM_SERVER];
	server.sni = sni != NULL ? quick_hash(&memory->key, sni->bytes, sni->length) | 1 : 0;
	return quick_hash(&memory->key, &server, sizeof server) | 1;
}

static void shown_another(struct server *server, const uint8_t *leaf)
{
	bool back =
	    server->steadiness != STEADY_ALWAYS && memcmp(server->before, leaf, SHA256) == 0;
	server->steadiness =
	    back || server->steadiness == STEADY_NEVER ? STEADY_NEVER : STEADY_RENEWING;
	server->streak = 1;
	memcpy(server->before, server->chain.sha256[0], SHA256);
}

static void shown_again(struct server *server)
{
	if (server->streak < STEADY)
		server->streak++;
}

void leaf_memory_note(struct leaf_memory *memory, const struct session_record *record,
    const uint8_t (*chain)[32], size_t count)
{
	if (count == 0 || count > LEAF_MEMORY_CHAIN_MAX)
		return;
	void *value;
	enum recent_taken taken =
	    recent_table_take(memory->servers, key_of(memory, record), &value);
	struct server *server = value;
	if (taken == RECENT_NO_MEMORY)
		return;
	memory->counters.servers += taken == RECENT_NEW;
	memory->counters.evicted += taken == RECENT_REPLACED;
	if (taken != RECENT_KNOWN)
		*server = (struct server){.steadiness = STEADY_ALWAYS};
	else if (memcmp(server->chain.sha256[0], chain[0], SHA256) != 0)
		shown_another(server, chain[0]);
	else
		shown_again(server);
	server->chain.count = (uint8_t)count;
	memcpy(server->chain.sha256, chain, count * SHA256);
}

const struct remembered_chain *leaf_memory_recall(
    struct leaf_memory *memory, const struct session_record *record)
{
	uint64_t key = key_of(memory, record);
	const struct server *server = recent_table_find(memory->servers, key);
	if (server == NULL)
		return NULL;
	recent_table_use(memory->servers, key);
	bool steady = server->steadiness == STEADY_ALWAYS ||
	              (server->steadiness == STEADY_RENEWING && server->streak >= STEADY);
	return steady ? &server->chain : NULL;
}

struct leaf_memory_counters leaf_memory_counters(const struct leaf_memory *memory)
{
	return memory->counters;
}
