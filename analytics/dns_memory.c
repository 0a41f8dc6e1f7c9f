// SPDX-License-Identifier: Apache-2.0
#include "analytics/dns_memory.h"

#include "analytics/bounded_table.h"

#include <stdlib.h>
#include <string.h>

enum {
	NAMES = 1 << 17, // and types
	BYTES_MAX = 64 << 20, // of entries and records
	ALIASES_MAX = 8, // that an answer follows
	RCODE_NAME_ERROR = 3,
};

#define GOOD_LEAST SECONDS(60)
#define GOOD_MOST SECONDS(86400)

struct entry {
	struct bounded_node node; // first
	unsigned count;
	struct dns_answer answers[DNS_ANSWERS_MAX];
};

struct dns_memory {
	struct hash_key key;
	struct bounded_table *table;
	size_t bytes;
	uint64_t given_up;
};

struct dns_memory *dns_memory_create(void)
{
	struct dns_memory *memory = calloc(1, sizeof *memory);
	if (memory == NULL)
		return NULL;
	memory->key = hash_key_random();
	memory->table = bounded_table_create(NAMES);
	if (memory->table != NULL)
		return memory;
	free(memory);
	return NULL;
}

static void forget(struct dns_memory *memory, struct bounded_node *node)
{
	struct entry *entry = (struct entry *)node;
	bounded_table_remove(memory->table, node);
	for (unsigned i = 0; i < entry->count; i++) {
		memory->bytes -= entry->answers[i].size;
		free(entry->answers[i].records);
	}
	memory->bytes -= sizeof *entry;
	free(entry);
}

void dns_memory_destroy(struct dns_memory *memory)
{
	if (memory == NULL)
		return;
	struct bounded_node *node;
	while ((node = bounded_table_next(memory->table, NULL)) != NULL)
		forget(memory, node);
	bounded_table_destroy(memory->table);
	free(memory);
}

static uint64_t key_of(const struct dns_memory *memory, const struct dns_name *name, uint16_t type)
{
	uint8_t bytes[DNS_NAME_MAX + 2];
	memcpy(bytes, name->bytes, name->length);
	bytes[name->length] = (uint8_t)(type >> 8);
	bytes[name->length + 1] = (uint8_t)type;
	return hash_bytes(&memory->key, bytes, name->length + 2u);
}

/* ---- what an answer says ---- */

static bool is_name(const struct dns_record *record, const struct dns_name *name)
{
	return record->owner_length == name->length &&
	       memcmp(record->owner, name->bytes, name->length) == 0;
}

// The name that the records belong to: behind the aliases that the answer itself has.
static struct dns_name resolve(const struct dns_parsed *parsed)
{
	struct dns_name name = parsed->name;
	for (int step = 0; step < ALIASES_MAX; step++) {
		const struct dns_record *alias = NULL;
		for (size_t i = 0; i < parsed->count && alias == NULL; i++)
			if (parsed->records[i].section == DNS_ANSWER &&
			    parsed->records[i].type == DNS_CNAME &&
			    is_name(&parsed->records[i], &name))
				alias = &parsed->records[i];
		if (alias == NULL || parsed->type == DNS_CNAME || alias->data_length > DNS_NAME_MAX)
			break;
		name.length = (uint8_t)alias->data_length;
		memcpy(name.bytes, alias->data, name.length);
	}
	return name;
}

static bool is_of(const struct dns_record *record, const struct dns_name *name, uint16_t type)
{
	return record->section == DNS_ANSWER && record->type == type && is_name(record, name);
}

static bool has_start_of_zone(const struct dns_parsed *parsed)
{
	for (size_t i = 0; i < parsed->count; i++)
		if (parsed->records[i].section == DNS_AUTHORITY &&
		    parsed->records[i].type == DNS_SOA)
			return true;
	return false;
}

// A server that only says whom else to ask says nothing of the name.
static enum dns_state state_of(const struct dns_parsed *parsed, const struct dns_name *name)
{
	bool knows = parsed->authoritative || parsed->recursion_available;
	if (parsed->truncated || parsed->more || !knows)
		return DNS_NOTHING;
	for (size_t i = 0; i < parsed->count; i++)
		if (parsed->rcode == 0 && is_of(&parsed->records[i], name, parsed->type))
			return DNS_DATA;
	// RFC 2308 2: both come with the start of the zone, which also says for how long.
	if (!has_start_of_zone(parsed))
		return DNS_NOTHING;
	if (parsed->rcode == RCODE_NAME_ERROR)
		return DNS_NO_NAME;
	return parsed->rcode == 0 ? DNS_NO_DATA : DNS_NOTHING;
}

static nanoseconds good_for(const struct dns_parsed *parsed, const struct dns_name *name)
{
	uint32_t least = UINT32_MAX;
	for (size_t i = 0; i < parsed->count; i++) {
		const struct dns_record *record = &parsed->records[i];
		if ((is_of(record, name, parsed->type) || record->type == DNS_SOA) &&
		    record->ttl < least)
			least = record->ttl;
	}
	nanoseconds time = SECONDS(least);
	return time < GOOD_LEAST ? GOOD_LEAST : time > GOOD_MOST ? GOOD_MOST : time;
}

// False: no memory.
static bool copy_records(
    struct dns_answer *answer, const struct dns_parsed *parsed, const struct dns_name *name)
{
	size_t size = 0;
	unsigned kept = 0;
	for (size_t i = 0; i < parsed->count && kept < DNS_KEPT_RECORDS_MAX; i++)
		if (is_of(&parsed->records[i], name, parsed->type)) {
			size += 2u + parsed->records[i].data_length;
			kept++;
		}
	answer->records = malloc(size > 0 ? size : 1); // no more than is counted
	if (answer->records == NULL)
		return false;
	for (size_t i = 0; i < parsed->count; i++) {
		const struct dns_record *record = &parsed->records[i];
		answer->is_signed |= is_of(record, name, DNS_RRSIG);
		if (!is_of(record, name, parsed->type) || answer->count == DNS_KEPT_RECORDS_MAX)
			continue;
		uint8_t *to = answer->records + answer->size;
		to[0] = (uint8_t)(record->data_length >> 8);
		to[1] = (uint8_t)record->data_length;
		memcpy(to + 2, record->data, record->data_length);
		answer->size += 2u + record->data_length;
		answer->count++;
	}
	return true;
}

bool dns_answer_next(const struct dns_answer *answer, size_t *at, struct dns_data *data)
{
	if (*at >= answer->size)
		return false;
	const uint8_t *from = answer->records + *at;
	data->length = (size_t)from[0] << 8 | from[1];
	data->bytes = from + 2;
	*at += 2 + data->length;
	return true;
}

bool dns_data_address(const struct dns_data *data, struct ip_address *address)
{
	static const struct ip_address mapped = {{[10] = 0xff, [11] = 0xff}}; // RFC 4291 2.5.5.2
	if (data->length != 4 && data->length != sizeof address->bytes)
		return false;
	*address = mapped;
	memcpy(address->bytes + sizeof address->bytes - data->length, data->bytes, data->length);
	return true;
}

/* ---- remembering ---- */

static struct entry *entry_at(struct dns_memory *memory, uint64_t key)
{
	struct entry *entry = (struct entry *)bounded_table_find(memory->table, key);
	if (entry != NULL) {
		bounded_table_use(memory->table, &entry->node);
		return entry;
	}
	struct bounded_node *victim;
	while ((victim = bounded_table_victim(memory->table)) != NULL) {
		forget(memory, victim);
		memory->given_up++;
	}
	entry = calloc(1, sizeof *entry);
	if (entry == NULL)
		return NULL;
	bounded_table_add(memory->table, &entry->node, key);
	memory->bytes += sizeof *entry;
	return entry;
}

// The place for an answer of this resolver: its own, a free one, or the one that was seen first.
static struct dns_answer *place_for(struct entry *entry, const struct dns_answer *answer)
{
	struct dns_answer *oldest = &entry->answers[0];
	for (unsigned i = 0; i < entry->count; i++) {
		struct dns_answer *other = &entry->answers[i];
		if (memcmp(&other->resolver, &answer->resolver, sizeof other->resolver) == 0)
			return other->asked && !answer->asked && other->good_until > answer->seen
			           ? NULL
			           : other;
		if (other->seen < oldest->seen)
			oldest = other;
	}
	return entry->count < DNS_ANSWERS_MAX ? &entry->answers[entry->count++] : oldest;
}

static void keep_within_bytes(struct dns_memory *memory, const struct entry *spared)
{
	struct bounded_node *oldest;
	while (memory->bytes > BYTES_MAX &&
	       (oldest = bounded_table_oldest(memory->table, false)) != NULL &&
	       oldest != &spared->node) {
		forget(memory, oldest);
		memory->given_up++;
	}
}

static void remember(struct dns_memory *memory, uint64_t key, const struct dns_answer *answer)
{
	struct entry *entry = entry_at(memory, key);
	struct dns_answer *place = entry != NULL ? place_for(entry, answer) : NULL;
	if (place == NULL) {
		free(answer->records);
		return;
	}
	memory->bytes += answer->size - place->size;
	free(place->records);
	*place = *answer;
	keep_within_bytes(memory, entry);
}

enum dns_state dns_memory_take(struct dns_memory *memory, const struct dns_message *message,
    const struct dns_parsed *parsed, bool asked)
{
	struct dns_name name = resolve(parsed);
	enum dns_state state = state_of(parsed, &name);
	if (state == DNS_NOTHING)
		return state;
	struct dns_answer answer = {
	    .resolver = message->source,
	    .seen = message->time,
	    .good_until = message->time + good_for(parsed, &name),
	    .state = (uint8_t)state,
	    .asked = asked,
	    .authoritative = parsed->authoritative,
	    .authentic = parsed->authentic,
	};
	if (copy_records(&answer, parsed, &name))
		remember(memory, key_of(memory, &parsed->name, parsed->type), &answer);
	return state;
}

bool dns_answers_agree(const struct dns_answer *one, const struct dns_answer *other)
{
	struct dns_data wanted, data;
	if (one->state != other->state || one->count != other->count || one->size != other->size)
		return false;
	for (size_t at = 0; dns_answer_next(one, &at, &wanted);) {
		bool found = false;
		for (size_t from = 0; !found && dns_answer_next(other, &from, &data);)
			found = data.length == wanted.length &&
			        memcmp(data.bytes, wanted.bytes, data.length) == 0;
		if (!found)
			return false;
	}
	return true;
}

static bool is_better(const struct dns_answer *answer, const struct dns_answer *than)
{
	return answer->asked != than->asked ? answer->asked : answer->seen >= than->seen;
}

const struct dns_answer *dns_memory_find(const struct dns_memory *memory,
    const struct dns_name *name, uint16_t type, bool *differ)
{
	const struct entry *entry = (const struct entry *)bounded_table_find(
	    memory->table, key_of(memory, name, type));
	*differ = false;
	if (entry == NULL || entry->count == 0)
		return NULL;
	const struct dns_answer *best = &entry->answers[0];
	for (unsigned i = 1; i < entry->count; i++) {
		*differ |= !dns_answers_agree(&entry->answers[0], &entry->answers[i]);
		if (is_better(&entry->answers[i], best))
			best = &entry->answers[i];
	}
	return best;
}

const struct dns_answer *dns_memory_answers(
    const struct dns_memory *memory, const struct dns_name *name, uint16_t type, size_t *count)
{
	const struct entry *entry = (const struct entry *)bounded_table_find(
	    memory->table, key_of(memory, name, type));
	*count = entry != NULL ? entry->count : 0;
	return entry != NULL ? entry->answers : NULL;
}

struct dns_memory_counters dns_memory_counters(const struct dns_memory *memory)
{
	return (struct dns_memory_counters){
	    bounded_table_count(memory->table), memory->bytes, memory->given_up};
}
