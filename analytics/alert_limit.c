// SPDX-License-Identifier: Apache-2.0
#include "analytics/alert_limit.h"

#include "analytics/recent_table.h"
#include "analytics/session_id.h"
#include "capture/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
	GROUPS = 8192,
	EARLY = 4096, // pieces of evidence remembered as told of early
};

struct alert_limit {
	struct hash_key key;
	nanoseconds interval;
	struct recent_table *groups; // of struct alert_group
	struct recent_table *early; // of sessions and kinds; values of no meaning
	bool ended; // what is to drain is gathered
	size_t to_drain, drained;
	struct alert_group left[GROUPS]; // pages are made for those that are there
};

struct alert_limit *alert_limit_create(nanoseconds interval)
{
	struct alert_limit *limit = calloc(1, sizeof *limit);
	if (limit == NULL)
		return NULL;
	limit->key = hash_key_random();
	limit->interval = interval;
	limit->groups = recent_table_create(GROUPS, sizeof(struct alert_group));
	limit->early = recent_table_create(EARLY, sizeof(uint8_t));
	if (limit->groups != NULL && limit->early != NULL)
		return limit;
	alert_limit_destroy(limit);
	return NULL;
}

void alert_limit_destroy(struct alert_limit *limit)
{
	if (limit == NULL)
		return;
	recent_table_destroy(limit->groups, NULL);
	recent_table_destroy(limit->early, NULL);
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
	return hash_bytes(&limit->key, &identity, sizeof identity);
}

// True if this piece was told of early; it is remembered if it is `early` now.
static bool told_early(
    struct alert_limit *limit, uint64_t session, enum evidence_kind kind, bool early)
{
	void *ignored;
	const uint64_t identity[2] = {session, kind};
	uint64_t key = hash_bytes(&limit->key, identity, sizeof identity);
	bool told = recent_table_find(limit->early, key) != NULL;
	if (early)
		(void)recent_table_take(limit->early, key, &ignored);
	return told;
}

// The group as it is known. NULL: no memory.
static struct alert_group *known_group(
    struct alert_limit *limit, const struct alert_group *group, struct alert_group *displaced)
{
	void *value;
	enum recent_taken taken = recent_table_take(limit->groups, key_of(limit, group), &value);
	struct alert_group *known = value;
	if (taken == RECENT_REPLACED)
		*displaced = *known;
	if (taken == RECENT_NEW || taken == RECENT_REPLACED)
		*known = *group;
	return known;
}

enum alert_decision alert_limit_decide(struct alert_limit *limit,
    const struct session_record *record, const struct evidence *evidence, bool early,
    uint32_t *left_out, struct alert_group *displaced)
{
	struct alert_group group = group_of(record, evidence);
	uint64_t session = session_id_of(record);
	displaced->left_out = 0;
	if (told_early(limit, session, evidence->kind, early))
		return ALERT_TOLD;
	struct alert_group *known = known_group(limit, &group, displaced);
	if (known == NULL) {
		*left_out = 0;
		return ALERT_WRITE;
	}
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
	const struct alert_group *a = first, *b = second;
	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	int order = memcmp(&a->server, &b->server, sizeof a->server);
	if (order == 0)
		order = memcmp(&a->network, &b->network, sizeof a->network);
	if (order == 0)
		order = (a->port << 8 | a->kind) - (b->port << 8 | b->kind);
	return order;
}

// The groups with something left out.
static void gather(struct alert_limit *limit)
{
	const struct alert_group *group;
	for (size_t i = 0; (group = recent_table_value(limit->groups, i)) != NULL; i++)
		if (group->left_out > 0)
			limit->left[limit->to_drain++] = *group;
	qsort(limit->left, limit->to_drain, sizeof limit->left[0], compare);
	limit->ended = true;
}

bool alert_limit_drain(struct alert_limit *limit, struct alert_group *group)
{
	if (!limit->ended)
		gather(limit);
	if (limit->drained == limit->to_drain)
		return false;
	*group = limit->left[limit->drained++];
	return true;
}
