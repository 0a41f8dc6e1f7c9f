// SPDX-License-Identifier: Apache-2.0
#include "analytics/dns_lookups.h"

#include "analytics/bounded_table.h"

#include <stdlib.h>
#include <string.h>

enum {
	NETWORKS = 1 << 13,
	WINDOW = LOOKUPS_WINDOW / SECONDS(1),
	ROOMS = WINDOW + 1, // seconds of which sessions still wait
};

// Sessions that ended in a second, and after which a look-up has not come yet.
struct room {
	int64_t second;
	uint32_t waiting;
};

struct kind {
	nanoseconds last; // when the network asked last; 0: never
	struct room rooms[ROOMS];
};

struct network {
	struct bounded_node node; // first
	struct lookup_counts counts;
	struct kind kinds[LOOKUP_KINDS];
};

struct dns_lookups {
	struct hash_key key;
	struct bounded_table *networks;
	uint64_t given_up;
};

struct dns_lookups *dns_lookups_create(void)
{
	struct dns_lookups *lookups = calloc(1, sizeof *lookups);
	if (lookups == NULL)
		return NULL;
	lookups->key = hash_key_random();
	lookups->networks = bounded_table_create(NETWORKS);
	if (lookups->networks != NULL)
		return lookups;
	free(lookups);
	return NULL;
}

void dns_lookups_destroy(struct dns_lookups *lookups)
{
	if (lookups == NULL)
		return;
	struct bounded_node *node;
	while ((node = bounded_table_next(lookups->networks, NULL)) != NULL) {
		bounded_table_remove(lookups->networks, node);
		free(node);
	}
	bounded_table_destroy(lookups->networks);
	free(lookups);
}

/* ---- names ---- */

enum lookup_kind dns_lookup_kind(const struct dns_name *name, uint16_t type)
{
	static const char policy[] = "\x06_dmarc", key[] = "\x0a_domainkey";
	const uint8_t *bytes = name->bytes;
	if (type != DNS_TXT)
		return LOOKUP_KINDS;
	if (name->length > sizeof policy && memcmp(bytes, policy, sizeof policy - 1) == 0)
		return LOOKUP_DMARC;
	bool plain = true;
	for (size_t at = 0; at < name->length && bytes[at] != 0; at += bytes[at] + 1u) {
		bool room = name->length - at > sizeof key - 1;
		if (at > 0 && room && memcmp(bytes + at, key, sizeof key - 1) == 0)
			return LOOKUP_DKIM;
		plain = plain && bytes[at + 1] != '_';
	}
	return plain ? LOOKUP_SPF : LOOKUP_KINDS;
}

/* ---- networks ---- */

// NULL: no memory.
static struct network *network_at(struct dns_lookups *lookups, const struct ip_address *host)
{
	struct client_network network = client_network_of(host);
	uint64_t key = hash_bytes(&lookups->key, &network, sizeof network);
	struct network *found = (struct network *)bounded_table_find(lookups->networks, key);
	if (found != NULL) {
		bounded_table_use(lookups->networks, &found->node);
		return found;
	}
	struct bounded_node *victim = bounded_table_victim(lookups->networks);
	if (victim != NULL) {
		bounded_table_remove(lookups->networks, victim);
		free(victim);
		lookups->given_up++;
	}
	found = calloc(1, sizeof *found);
	if (found == NULL)
		return NULL;
	found->counts.network = network;
	bounded_table_add(lookups->networks, &found->node, key);
	return found;
}

static int64_t second_of(nanoseconds time)
{
	return time / SECONDS(1);
}

void dns_lookups_question(struct dns_lookups *lookups, const struct ip_address *host,
    nanoseconds time, enum lookup_kind kind)
{
	struct network *network = network_at(lookups, host);
	if (network == NULL)
		return;
	network->counts.questions++;
	if (kind == LOOKUP_KINDS)
		return;
	struct kind *asked = &network->kinds[kind];
	asked->last = time;
	for (size_t i = 0; i < ROOMS; i++) {
		struct room *room = &asked->rooms[i];
		if (room->waiting > 0 && second_of(time) - room->second <= WINDOW)
			network->counts.followed[kind] += room->waiting;
		room->waiting = 0;
	}
}

// Sessions that still wait in its room, of another second, have waited for too long.
static void wait_for(struct kind *kind, int64_t second)
{
	struct room *room = &kind->rooms[second % ROOMS];
	if (room->second > second)
		return; // it ended long ago
	if (room->second < second)
		*room = (struct room){.second = second};
	room->waiting++;
}

// What is worth keeping: a network that receives mail.
void dns_lookups_session(struct dns_lookups *lookups, const struct ip_address *server,
    nanoseconds start, nanoseconds end)
{
	struct network *network = network_at(lookups, server);
	if (network == NULL || end < 0)
		return;
	struct lookup_counts *counts = &network->counts;
	bounded_table_settle(lookups->networks, &network->node);
	if (counts->sessions == 0 || end < counts->first)
		counts->first = end;
	if (counts->sessions == 0 || end > counts->last)
		counts->last = end;
	counts->sessions++;
	for (int i = 0; i < LOOKUP_KINDS; i++) {
		struct kind *kind = &network->kinds[i];
		if (kind->last != 0 && kind->last >= start && kind->last <= end + LOOKUPS_WINDOW)
			counts->followed[i]++;
		else
			wait_for(kind, second_of(end));
	}
}

/* ---- taking ---- */

// A session that was counted does not wait any more: a look-up would be counted without it.
static void begin_anew(struct network *network)
{
	network->counts = (struct lookup_counts){.network = network->counts.network};
	for (int kind = 0; kind < LOOKUP_KINDS; kind++)
		memset(network->kinds[kind].rooms, 0, sizeof network->kinds[kind].rooms);
}

bool dns_lookups_take(struct dns_lookups *lookups,
    bool (*sink)(void *context, const struct lookup_counts *counts), void *context)
{
	struct bounded_node *node = NULL;
	while ((node = bounded_table_next(lookups->networks, node)) != NULL) {
		struct lookup_counts *counts = &((struct network *)node)->counts;
		if (counts->sessions == 0)
			continue;
		if (!sink(context, counts))
			return false;
		begin_anew((struct network *)node);
	}
	return true;
}

uint64_t dns_lookups_given_up(const struct dns_lookups *lookups)
{
	return lookups->given_up;
}
