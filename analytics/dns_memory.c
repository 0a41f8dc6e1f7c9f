// SPDX-License-Identifier: Apache-2.0
#include "analytics/dns_memory.h"

#include "analytics/bounded_table.h"
#include "capture/base/big_endian.h"

#include <stdlib.h>
#include <string.h>

enum {
	NAMES = 1 << 17, // and types
	BYTES_MAX = 64 << 20, // of entries and records
	ALIASES_MAX = 8, // that an answer follows
	SET_HEADER =
	    8, // bytes: type, whether it is whole, length of the owner, sizes of records and signatures
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
	uint64_t given_up, keys;
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
		memory->bytes -= entry->answers[i].sets_size;
		free(entry->answers[i].sets);
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

// What a question leads to.
struct path {
	unsigned aliases;
	struct dns_name
	    names[ALIASES_MAX +
	          1]; // that were asked for, and behind the aliases that the answer itself has
};

static const struct dns_name *end_of(const struct path *path)
{
	return &path->names[path->aliases];
}

static void resolve(const struct dns_parsed *parsed, struct path *path)
{
	path->names[0] = parsed->name;
	for (path->aliases = 0; path->aliases < ALIASES_MAX; path->aliases++) {
		const struct dns_record *alias = NULL;
		for (size_t i = 0; i < parsed->count && alias == NULL; i++)
			if (parsed->records[i].section == DNS_ANSWER &&
			    parsed->records[i].type == DNS_CNAME &&
			    is_name(&parsed->records[i], end_of(path)))
				alias = &parsed->records[i];
		if (alias == NULL || parsed->type == DNS_CNAME || alias->data_length > DNS_NAME_MAX)
			break;
		struct dns_name *target = &path->names[path->aliases + 1];
		target->length = (uint8_t)alias->data_length;
		memcpy(target->bytes, alias->data, target->length);
	}
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
static enum dns_state state_of(
    const struct dns_parsed *parsed, const struct dns_name *name, unsigned aliases)
{
	bool knows = parsed->authoritative || parsed->recursion_available;
	if (parsed->truncated || parsed->more || !knows)
		return DNS_NOTHING;
	for (size_t i = 0; i < parsed->count; i++)
		if (parsed->rcode == 0 && is_of(&parsed->records[i], name, parsed->type))
			return DNS_DATA;
	// RFC 2308 2: both come with the start of the zone, which also says for how long.
	if (!has_start_of_zone(parsed))
		return parsed->rcode == 0 && aliases > 0 && aliases < ALIASES_MAX ? DNS_ALIAS
		                                                                  : DNS_NOTHING;
	if (parsed->rcode == RCODE_NAME_ERROR)
		return DNS_NO_NAME;
	return parsed->rcode == 0 ? DNS_NO_DATA : DNS_NOTHING;
}

static nanoseconds within(uint32_t seconds)
{
	nanoseconds time = SECONDS(seconds);
	return time < GOOD_LEAST ? GOOD_LEAST : time > GOOD_MOST ? GOOD_MOST : time;
}

static nanoseconds good_for(const struct dns_parsed *parsed, const struct dns_name *name)
{
	uint32_t least = UINT32_MAX;
	for (size_t i = 0; i < parsed->count; i++) {
		const struct dns_record *record = &parsed->records[i];
		bool alias = record->section == DNS_ANSWER && record->type == DNS_CNAME;
		if ((is_of(record, name, parsed->type) || alias || record->type == DNS_SOA) &&
		    record->ttl < least)
			least = record->ttl;
	}
	return within(least);
}

/* ---- sets of records ---- */

static uint8_t *put_u16(uint8_t *to, size_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
	return to + 2;
}

bool dns_list_next(const struct dns_list *list, size_t *at, struct dns_data *data)
{
	if (*at >= list->size)
		return false;
	data->length = read_u16(list->bytes + *at);
	data->bytes = list->bytes + *at + 2;
	*at += 2 + data->length;
	return true;
}

bool dns_answer_next(const struct dns_answer *answer, size_t *at, struct dns_data *data)
{
	const struct dns_list list = {answer->records, answer->size};
	return dns_list_next(&list, at, data);
}

bool dns_answer_next_set(const struct dns_answer *answer, size_t *at, struct dns_set *set)
{
	if (*at >= answer->sets_size)
		return false;
	const uint8_t *from = answer->sets + *at;
	*set = (struct dns_set){.type = read_u16(from), .whole = from[2] != 0};
	set->owner.length = from[3];
	memcpy(set->owner.bytes, from + SET_HEADER, from[3]);
	set->records = (struct dns_list){from + SET_HEADER + from[3], read_u16(from + 4)};
	set->signatures =
	    (struct dns_list){set->records.bytes + set->records.size, read_u16(from + 6)};
	*at += SET_HEADER + from[3] + set->records.size + set->signatures.size;
	return true;
}

// What a set is made of.
struct pick {
	const struct dns_parsed *parsed;
	enum dns_section section;
	const struct dns_name *owner;
	uint16_t type;
};

static bool is_picked(const struct pick *pick, const struct dns_record *record, uint16_t type)
{
	return record->section == pick->section && record->type == type &&
	       is_name(record, pick->owner);
}

// The pick's records, or those that sign them.
static bool is_part(const struct pick *pick, const struct dns_record *record, bool signature)
{
	if (!signature)
		return is_picked(pick, record, pick->type);
	return is_picked(pick, record, DNS_RRSIG) && record->data_length > 2 &&
	       read_u16(record->data) == pick->type;
}

static bool is_there(const struct dns_list *list, const struct dns_record *record)
{
	struct dns_data data;
	for (size_t at = 0; dns_list_next(list, &at, &data);)
		if (data.length == record->data_length &&
		    memcmp(data.bytes, record->data, data.length) == 0)
			return true;
	return false;
}

// Puts the data of up to `most` records there, each once (RFC 2181 5). Returns how many; *list is what it put.
static unsigned put_records(const struct pick *pick, bool signature, unsigned most, uint8_t *to,
    bool *whole, struct dns_list *list)
{
	unsigned count = 0;
	*list = (struct dns_list){to, 0};
	for (size_t i = 0; i < pick->parsed->count; i++) {
		const struct dns_record *record = &pick->parsed->records[i];
		if (!is_part(pick, record, signature) || is_there(list, record))
			continue;
		if (count == most) {
			*whole = false;
			break;
		}
		to = put_u16(to, record->data_length);
		memcpy(to, record->data, record->data_length);
		to += record->data_length;
		list->size += 2u + record->data_length;
		count++;
	}
	return count;
}

// The most bytes that it takes.
static size_t size_of_set(const struct pick *pick)
{
	size_t size = SET_HEADER + pick->owner->length;
	for (size_t i = 0; i < pick->parsed->count; i++) {
		const struct dns_record *record = &pick->parsed->records[i];
		if (is_part(pick, record, false) || is_part(pick, record, true))
			size += 2u + record->data_length;
	}
	return size;
}

// Puts it behind those that the answer has. The last one's records are the answer's.
static void put_set(struct dns_answer *answer, const struct pick *pick)
{
	uint8_t *from = answer->sets + answer->sets_size;
	uint8_t *to = from + SET_HEADER;
	struct dns_list records, signatures;
	bool whole = true;
	memcpy(to, pick->owner->bytes, pick->owner->length);
	to += pick->owner->length;
	answer->count =
	    (uint16_t)put_records(pick, false, DNS_KEPT_RECORDS_MAX, to, &whole, &records);
	to += records.size;
	(void)put_records(pick, true, DNS_KEPT_SIGNATURES_MAX, to, &whole, &signatures);
	put_u16(from, pick->type);
	from[2] = whole;
	from[3] = pick->owner->length;
	put_u16(put_u16(from + 4, records.size), signatures.size);
	answer->records = records.bytes;
	answer->size = records.size;
	answer->is_signed = signatures.size > 0;
	answer->sets_size = (size_t)(to - answer->sets) + signatures.size;
}

// Gives back what was taken for records that are not kept: no more is held than is counted.
static void fit(struct dns_answer *answer)
{
	size_t records = (size_t)(answer->records - answer->sets);
	uint8_t *less = realloc(answer->sets, answer->sets_size);
	if (less == NULL)
		return;
	answer->sets = less;
	answer->records = less + records;
}

// False: no memory.
static bool copy_sets(
    struct dns_answer *answer, const struct dns_parsed *parsed, const struct path *path)
{
	struct pick picks[ALIASES_MAX + 1];
	size_t size = 0;
	for (unsigned i = 0; i <= path->aliases; i++) {
		picks[i] = (struct pick){parsed, DNS_ANSWER, &path->names[i],
		    i < path->aliases ? DNS_CNAME : parsed->type};
		size += size_of_set(&picks[i]);
	}
	answer->sets = malloc(size);
	if (answer->sets == NULL)
		return false;
	for (unsigned i = 0; i <= path->aliases; i++)
		put_set(answer, &picks[i]);
	fit(answer);
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

// What was asked for does not give way to what may not have been, as long as it is good.
static bool gives_way(const struct dns_answer *answer, const struct dns_answer *to)
{
	return to->asked || !answer->asked || answer->good_until <= to->seen;
}

// The place for an answer of this resolver: its own, a free one, or the one that was seen first. NULL: none gives way.
static struct dns_answer *place_for(struct entry *entry, const struct dns_answer *answer)
{
	struct dns_answer *oldest = NULL;
	for (unsigned i = 0; i < entry->count; i++) {
		struct dns_answer *other = &entry->answers[i];
		bool way = gives_way(other, answer);
		if (memcmp(&other->resolver, &answer->resolver, sizeof other->resolver) == 0)
			return way ? other : NULL;
		if (way && (oldest == NULL || other->seen < oldest->seen))
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
		free(answer->sets);
		return;
	}
	memory->bytes += answer->sets_size - place->sets_size;
	free(place->sets);
	*place = *answer;
	keep_within_bytes(memory, entry);
}

static struct dns_answer answer_of(const struct dns_message *message,
    const struct dns_parsed *parsed, enum dns_state state, nanoseconds good)
{
	return (struct dns_answer){
	    .resolver = message->source,
	    .seen = message->time,
	    .good_until = message->time + good,
	    .state = (uint8_t)state,
	    .authoritative = parsed->authoritative,
	    .authentic = parsed->authentic,
	    .signatures_wanted = parsed->signatures_wanted,
	};
}

// The aliases of an answer that ends in one, each by itself.
static void remember_aliases(struct dns_memory *memory, const struct dns_parsed *parsed,
    const struct path *path, struct dns_answer answer)
{
	for (unsigned i = 0; i < path->aliases; i++) {
		const struct pick pick = {parsed, DNS_ANSWER, &path->names[i], DNS_CNAME};
		answer.sets = malloc(size_of_set(&pick));
		answer.sets_size = 0;
		if (answer.sets == NULL)
			return;
		put_set(&answer, &pick);
		fit(&answer);
		remember(memory, key_of(memory, &path->names[i], DNS_CNAME), &answer);
	}
}

enum dns_state dns_memory_take(struct dns_memory *memory, const struct dns_message *message,
    const struct dns_parsed *parsed, bool asked)
{
	struct path path;
	resolve(parsed, &path);
	const struct dns_name *name = end_of(&path);
	enum dns_state state = state_of(parsed, name, path.aliases);
	if (state == DNS_NOTHING)
		return state;
	struct dns_answer answer = answer_of(message, parsed,
	    state == DNS_ALIAS ? DNS_DATA : state, good_for(parsed, name));
	answer.asked = asked;
	if (state == DNS_ALIAS) {
		remember_aliases(memory, parsed, &path, answer);
		return state;
	}
	memory->keys += parsed->type == DNS_DS || parsed->type == DNS_DNSKEY;
	if (copy_sets(&answer, parsed, &path))
		remember(memory, key_of(memory, &parsed->name, parsed->type), &answer);
	return state;
}

// The zone that a server refers to, if it says something of its keys. NULL: it does not.
static const struct dns_record *find_delegation(const struct dns_parsed *parsed)
{
	if (parsed->authoritative || parsed->truncated || parsed->more || parsed->rcode != 0)
		return NULL;
	for (size_t i = 0; i < parsed->count; i++) {
		const struct dns_record *record = &parsed->records[i];
		if (record->section == DNS_ANSWER)
			return NULL;
		if (record->section == DNS_AUTHORITY && record->type == DNS_DS &&
		    record->owner_length <= DNS_NAME_MAX)
			return record;
	}
	return NULL;
}

bool dns_memory_take_delegation(
    struct dns_memory *memory, const struct dns_message *message, const struct dns_parsed *parsed)
{
	const struct dns_record *record = find_delegation(parsed);
	if (record == NULL)
		return false;
	struct dns_name zone = {.length = (uint8_t)record->owner_length};
	memcpy(zone.bytes, record->owner, zone.length);
	const struct pick pick = {parsed, DNS_AUTHORITY, &zone, DNS_DS};
	struct dns_answer answer = answer_of(message, parsed, DNS_DATA, within(record->ttl));
	memory->keys++;
	answer.sets = malloc(size_of_set(&pick));
	if (answer.sets == NULL)
		return true;
	put_set(&answer, &pick);
	fit(&answer);
	remember(memory, key_of(memory, &zone, DNS_DS), &answer);
	return true;
}

uint64_t dns_memory_keys(const struct dns_memory *memory)
{
	return memory->keys;
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

struct dns_answer *dns_memory_answers(
    const struct dns_memory *memory, const struct dns_name *name, uint16_t type, size_t *count)
{
	struct entry *entry =
	    (struct entry *)bounded_table_find(memory->table, key_of(memory, name, type));
	*count = entry != NULL ? entry->count : 0;
	return *count > 0 ? entry->answers : NULL;
}

const struct dns_answer *dns_memory_find(
    const struct dns_memory *memory, const struct dns_name *name, uint16_t type, bool *differ)
{
	size_t count;
	const struct dns_answer *answers = dns_memory_answers(memory, name, type, &count);
	const struct dns_answer *best = answers;
	*differ = false;
	if (answers == NULL)
		return NULL;
	for (size_t i = 1; i < count; i++) {
		*differ |= !dns_answers_agree(&answers[0], &answers[i]);
		if (is_better(&answers[i], best))
			best = &answers[i];
	}
	return best;
}

struct dns_followed dns_memory_follow(
    const struct dns_memory *memory, const struct dns_name *name, uint16_t type)
{
	struct dns_followed found = {.asked = true, .good_until = INT64_MAX};
	struct dns_name at = *name;
	while (found.answer == NULL) {
		bool differ;
		const struct dns_answer *answer = dns_memory_find(memory, &at, type, &differ);
		struct dns_data target;
		size_t first = 0;
		found.answer = answer;
		if (answer == NULL)
			answer = dns_memory_find(memory, &at, DNS_CNAME, &differ);
		if (answer == NULL)
			break;
		found.differ |= differ;
		found.asked &= answer->asked;
		if (answer->good_until < found.good_until)
			found.good_until = answer->good_until;
		if (found.answer != NULL || found.aliases++ == ALIASES_MAX ||
		    !dns_answer_next(answer, &first, &target) || target.length > DNS_NAME_MAX)
			break;
		at.length = (uint8_t)target.length;
		memcpy(at.bytes, target.bytes, target.length);
	}
	return found;
}

struct dns_memory_counters dns_memory_counters(const struct dns_memory *memory)
{
	return (struct dns_memory_counters){
	    bounded_table_count(memory->table), memory->bytes, memory->given_up};
}
