// SPDX-License-Identifier: Apache-2.0
#include "analytics/alert_limit.h"

#include "analytics/session_id.h"
#include "capture/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
	PLACES = 2048, // a power of two
	WAYS = 4, // groups whose hashes share a place
	EARLY = 4096, // pieces of evidence remembered as told of early; a power of two
};

struct entry {
	uint64_t key; // 0: free
	struct alert_group group;
};

struct alert_limit {
	struct hash_key key;
	nanoseconds interval;
	bool ended; // what is drained is gathered in front of all entries
	size_t to_drain, drained;
	struct entry entries[PLACES * WAYS];
	uint64_t early[EARLY]; // hashes of (session, kind)
};

struct alert_limit *alert_limit_create(nanoseconds interval)
{
	struct alert_limit *limit = calloc(1, sizeof *limit);
	if (limit != NULL) {
		limit->key = hash_key_random();
		limit->interval = interval;
	}
	return limit;
}

void alert_limit_destroy(struct alert_limit *limit)
{
	free(limit);
}

static struct alert_group group_of(
    const struct session_record *record, const struct evidence *evidence)
{
	struct alert_group group;
	memset(&group, 0, sizeof group);
	group.server = record->address[FROM_SERVER];
	group.network = client_network_of(&record->address[FROM_CLIENT]);
	group.port = record->port[FROM_SERVER];
	group.kind = (uint8_t)evidence->kind;
	return group;
}

static uint64_t key_of(const struct alert_limit *limit, const struct alert_group *group)
{
	struct {
		struct ip_address server;
		struct client_network network;
		uint64_t port_and_kind;
	} identity = {group->server, group->network, (uint64_t)group->port << 8 | group->kind};
	return hash_bytes(&limit->key, &identity, sizeof identity) | 1;
}

// The group's entry, or the one of its place that was quiet for longest.
static struct entry *find(struct alert_limit *limit, uint64_t key)
{
	struct entry *place = &limit->entries[(key >> 1) % PLACES * WAYS];
	struct entry *oldest = place;
	for (int i = 0; i < WAYS; i++) {
		if (place[i].key == key)
			return &place[i];
		if (place[i].key == 0 || place[i].group.last < oldest->group.last)
			oldest = &place[i];
	}
	return oldest;
}

// True if this piece was told of early; it is remembered if it is `early` now.
static bool told_early(
    struct alert_limit *limit, uint64_t session, enum evidence_kind kind, bool early)
{
	const uint64_t identity[2] = {session, kind};
	uint64_t hash = hash_bytes(&limit->key, identity, sizeof identity) | 1;
	uint64_t *place = &limit->early[(hash >> 1) % EARLY];
	bool told = *place == hash;
	if (early)
		*place = hash;
	return told;
}

enum alert_decision alert_limit_decide(struct alert_limit *limit,
    const struct session_record *record, const struct evidence *evidence, bool early,
    uint32_t *left_out, struct alert_group *displaced)
{
	struct alert_group group = group_of(record, evidence);
	uint64_t key = key_of(limit, &group), session = session_id_of(record);
	displaced->left_out = 0;
	if (told_early(limit, session, evidence->kind, early))
		return ALERT_TOLD;
	struct entry *entry = find(limit, key);
	if (entry->key != key) {
		if (entry->key != 0)
			*displaced = entry->group;
		*entry = (struct entry){.key = key, .group = group};
	}
	struct alert_group *known = &entry->group;
	nanoseconds since = record->end - known->written;
	known->last = record->end;
	bool recent = known->written != 0 && since < limit->interval && since > -limit->interval;
	if (recent && evidence->confidence <= known->written_confidence) {
		known->left_out++;
		known->session_id = session;
		known->confidence = (uint8_t)evidence->confidence;
		return ALERT_LEAVE_OUT;
	}
	*left_out = known->left_out;
	known->left_out = 0;
	known->written = record->end;
	known->written_confidence = (uint8_t)evidence->confidence;
	return ALERT_WRITE;
}

// By the last alert; of the same time, by what tells groups apart.
static int compare(const void *first, const void *second)
{
	const struct alert_group *a = &((const struct entry *)first)->group;
	const struct alert_group *b = &((const struct entry *)second)->group;
	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	int order = memcmp(&a->server, &b->server, sizeof a->server);
	if (order == 0)
		order = memcmp(&a->network, &b->network, sizeof a->network);
	if (order == 0)
		order = (a->port << 8 | a->kind) - (b->port << 8 | b->kind);
	return order;
}

// The groups with something left out, in an order that does not depend on the key.
static void gather(struct alert_limit *limit)
{
	for (size_t i = 0; i < PLACES * WAYS; i++)
		if (limit->entries[i].key != 0 && limit->entries[i].group.left_out > 0)
			limit->entries[limit->to_drain++] = limit->entries[i];
	qsort(limit->entries, limit->to_drain, sizeof limit->entries[0], compare);
	limit->ended = true;
}

bool alert_limit_drain(struct alert_limit *limit, struct alert_group *group)
{
	if (!limit->ended)
		gather(limit);
	if (limit->drained == limit->to_drain)
		return false;
	*group = limit->entries[limit->drained++].group;
	return true;
}
