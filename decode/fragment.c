// SPDX-License-Identifier: Apache-2.0
// Reassembly of IP fragments. A hash table of incomplete datagrams, in the order they began; each has
// one buffer that doubles as needed and two bitmaps of its units of eight bytes (in which fragments
// count): received on the wire, and known (the snap length may have cut the others). Work per fragment
// is bounded by its length, however the pieces lie.
//
// Pieces that overlap with the same bytes are harmless. If the bytes differ, the receiver took either
// the first or the last, and which is up to its system: a tap cannot know what it read, and to guess
// is to be deceived. So the datagram is dropped with all that still comes of it, as RFC 5722 has the
// receivers of IPv6 do; of IPv4 too, since there the guess would be just as blind.
#include "decode/fragment.h"

#include "capture/base/hash.h"
#include "decode/ip.h"
#include "decode/tunnel.h"

#include <string.h>

enum {
	UNIT = 8, // bytes
	DATAGRAM_MAX = 65535, // bytes
	CAPACITY_MIN = 2048, // bytes, doubled up to 65536
	BYTES_PER_DATAGRAM = 8192, // on average, as a bound on all buffers
	BYTES_MIN = 256 * 1024, // of that bound
	BUCKETS_MAX = MEMORY_BLOCK_MAX / sizeof(void *),
	EVICTIONS_MAX = 64, // per fragment
	EXPIRIES_MAX = 4, // per call
};

static const nanoseconds patience = SECONDS(30);

// What makes fragments belong together: RFC 791 3.2, RFC 8200 4.5. No padding, it is hashed as bytes.
// Of where the tap saw them only the VLANs count: one address may live in several, while the parts of
// one datagram may take several links of a trunk, each with a tap interface of its own.
struct key {
	struct ip_address source, destination;
	uint32_t id;
	uint32_t vlans_and_protocol; // outer and inner VLAN, IPv4 protocol (0 for IPv6)
};

_Static_assert(sizeof(struct key) == 40, "the key is hashed as bytes");

enum state {
	HELD,
	IGNORED, // the protocol or the ports are not followed: what comes of it is let pass
	REFUSED, // overlapping or bad: what comes of it is let pass, until it is too old
};

struct incomplete {
	struct key key;
	struct incomplete *next; // in the bucket
	struct incomplete *older, *newer;
	nanoseconds begun;
	uint8_t *block; // the bytes, then both bitmaps; NULL: none yet
	uint32_t capacity; // bytes
	uint32_t total; // bytes of the datagram; 0: the last fragment was not seen
	uint32_t end; // furthest byte seen
	uint32_t units; // received
	uint32_t passed; // bytes let pass in state IGNORED
	uint32_t cut_at; // the first place where the snap length cut a fragment
	uint64_t fragments;
	enum state state;
	uint8_t protocol, ttl; // of the first fragment
};

struct fragment_table {
	struct memory *memory;
	const struct port_set *ports;
	struct hash_key hash_key;
	struct incomplete **buckets;
	size_t bucket_count; // a power of two
	size_t count, count_max;
	size_t bytes, bytes_max; // of buffers
	struct incomplete *oldest, *newest;
	uint8_t *lent; // bytes of the datagram handed out last
	struct fragment_counters counters;
};

static size_t block_size(uint32_t capacity)
{
	return capacity + 2 * (size_t)capacity / UNIT / 8;
}

// Bitmap of units received, by words of 64; the one of units known follows.
static uint64_t *received_of(const struct incomplete *entry)
{
	return (uint64_t *)(void *)(entry->block + entry->capacity);
}

static uint64_t *known_of(const struct incomplete *entry)
{
	return received_of(entry) + entry->capacity / UNIT / 64;
}

// Bits of the units [first, end) within one word of a bitmap; the range reaches into the word.
static uint64_t bits_in_word(uint32_t first, uint32_t end, uint32_t word)
{
	uint32_t from = first > word * 64 ? first - word * 64 : 0;
	uint32_t to = end < word * 64 + 64 ? end - word * 64 : 64;
	return UINT64_MAX << from & UINT64_MAX >> (64 - to);
}

// Sets the units [first, end). Returns how many were not set before.
static uint32_t set_units(uint64_t *bitmap, uint32_t first, uint32_t end)
{
	uint32_t new_units = 0;
	for (uint32_t word = first / 64; word * 64 < end; word++) {
		uint64_t bits = bits_in_word(first, end, word);
		new_units += (uint32_t)__builtin_popcountll(bits & ~bitmap[word]);
		bitmap[word] |= bits;
	}
	return new_units;
}

static void give_block(struct fragment_table *table, struct incomplete *entry)
{
	if (entry->block == NULL)
		return;
	memory_give(table->memory, entry->block);
	table->bytes -= block_size(entry->capacity);
	entry->block = NULL;
	entry->capacity = 0;
}

static struct incomplete **bucket_of(const struct fragment_table *table, const struct key *key)
{
	uint64_t hash = hash_bytes(&table->hash_key, key, sizeof(*key));
	return &table->buckets[hash & (table->bucket_count - 1)];
}

// Takes an entry out of the table and gives its memory back.
static void forget(struct fragment_table *table, struct incomplete *entry)
{
	struct incomplete **link = bucket_of(table, &entry->key);
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	*(entry->older != NULL ? &entry->older->newer : &table->oldest) = entry->newer;
	*(entry->newer != NULL ? &entry->newer->older : &table->newest) = entry->older;
	give_block(table, entry);
	memory_give(table->memory, entry);
	table->count--;
}

// Stops collecting, for a reason counted in *reason. The entry stays, to know what still comes of it.
static void give_up(
    struct fragment_table *table, struct incomplete *entry, enum state state, uint64_t *reason)
{
	++*reason;
	table->counters.fragments_dropped += entry->fragments;
	table->counters.fragments_held -= entry->fragments;
	table->counters.datagrams_held--;
	entry->fragments = 0;
	entry->state = state;
	give_block(table, entry);
}

// As give_up, and forgets the entry. One that was given up before is only forgotten.
static void drop(struct fragment_table *table, struct incomplete *entry, uint64_t *reason)
{
	if (entry->state == HELD)
		give_up(table, entry, REFUSED, reason);
	forget(table, entry);
}

// Takes memory for *keep (or a new entry, if NULL), at the cost of the oldest others if need be.
static void *take(struct fragment_table *table, const struct incomplete *keep, size_t size)
{
	for (int evictions = 0;; evictions++) {
		void *block = memory_take(table->memory, size);
		struct incomplete *oldest = table->oldest;
		if (oldest != NULL && oldest == keep)
			oldest = oldest->newer;
		if (block != NULL || oldest == NULL || evictions == EVICTIONS_MAX)
			return block;
		drop(table, oldest, &table->counters.datagrams_no_room);
	}
}

// A new entry for a fragment. NULL: no memory.
static struct incomplete *open_entry(
    struct fragment_table *table, const struct key *key, nanoseconds now)
{
	if (table->count == table->count_max)
		drop(table, table->oldest, &table->counters.datagrams_no_room);
	struct incomplete *entry = take(table, NULL, sizeof(*entry));
	if (entry == NULL)
		return NULL;
	struct incomplete **bucket = bucket_of(table, key);
	*entry = (struct incomplete){.key = *key,
	    .next = *bucket,
	    .older = table->newest,
	    .begun = now,
	    .cut_at = UINT32_MAX};
	*bucket = entry;
	*(table->newest != NULL ? &table->newest->newer : &table->oldest) = entry;
	table->newest = entry;
	table->count++;
	table->counters.datagrams_held++;
	return entry;
}

static struct key key_of(const struct fragment *fragment)
{
	return (struct key){
	    .source = fragment->source,
	    .destination = fragment->destination,
	    .id = fragment->id,
	    .vlans_and_protocol = fragment->context.tap_point << 8 |
	                          (fragment->ip_version == 4 ? fragment->protocol : 0u),
	};
}

// False if the first fragment shows that its datagram is of no use.
static bool may_be_followed(const struct fragment_table *table, const struct fragment *first)
{
	if (!ip_protocol_matters(first->ip_version, first->protocol))
		return false;
	if (first->captured < 4)
		return true;
	uint16_t source = read_u16(first->payload), destination = read_u16(first->payload + 2);
	if (first->protocol == PROTOCOL_TCP)
		return port_set_keeps(table->ports, source, destination);
	return first->protocol != PROTOCOL_UDP || is_tunnel_port(destination) ||
	       (table->ports->names && is_names_port(source, destination));
}

// True if so much time has passed that a fragment belongs to another datagram of the same
// identification.
static bool is_too_old(const struct incomplete *entry, nanoseconds now)
{
	return now - entry->begun > patience;
}

// The entry of a fragment, a new one if there is none or it is of an earlier datagram: too old, or an
// ignored one where this first fragment is followed. NULL: no memory.
static struct incomplete *entry_of(struct fragment_table *table, const struct fragment *fragment)
{
	struct key key = key_of(fragment);
	struct incomplete *entry = *bucket_of(table, &key);
	while (entry != NULL && memcmp(&entry->key, &key, sizeof(key)) != 0)
		entry = entry->next;
	if (entry != NULL && (is_too_old(entry, fragment->context.time) ||
	                         (entry->state == IGNORED && fragment->offset == 0 &&
	                             may_be_followed(table, fragment)))) {
		drop(table, entry, &table->counters.datagrams_timed_out);
		entry = NULL;
	}
	if (entry != NULL)
		return entry;
	table->counters.datagrams++;
	return open_entry(table, &key, fragment->context.time);
}

// Notes what the first fragment says of its datagram.
static void judge_first(
    struct fragment_table *table, struct incomplete *entry, const struct fragment *first)
{
	if (entry->state == HELD && !may_be_followed(table, first))
		give_up(table, entry, IGNORED, &table->counters.datagrams_ignored);
	entry->protocol = first->protocol;
	entry->ttl = first->ttl;
}

// Lets a fragment of a given-up datagram pass. An ignored one is forgotten once all of it went by.
static void let_pass(
    struct fragment_table *table, struct incomplete *entry, const struct fragment *fragment)
{
	table->counters.fragments_dropped++;
	entry->passed += fragment->length;
	if (!fragment->more)
		entry->total = fragment->offset + fragment->length;
	if (entry->state == IGNORED && entry->total != 0 && entry->passed >= entry->total)
		forget(table, entry);
}

// True if a fragment cannot be part of what is there: too long, or it says another end.
static bool is_bad(const struct incomplete *entry, const struct fragment *fragment)
{
	if (fragment->length == 0 || fragment->length > DATAGRAM_MAX ||
	    fragment->offset > DATAGRAM_MAX - fragment->length || fragment->offset % UNIT != 0)
		return true;
	uint32_t end = fragment->offset + fragment->length;
	if (fragment->more)
		return end % UNIT != 0 || (entry->total != 0 && end > entry->total);
	return end < entry->end || (entry->total != 0 && end != entry->total);
}

// Makes the buffer hold `end` bytes. False: no room.
static bool grow(struct fragment_table *table, struct incomplete *entry, uint32_t end)
{
	if (end <= entry->capacity)
		return true;
	struct incomplete grown = *entry;
	for (grown.capacity = CAPACITY_MIN; grown.capacity < end;)
		grown.capacity *= 2;
	size_t size = block_size(grown.capacity);
	for (int evictions = 0; table->bytes + size > table->bytes_max; evictions++) {
		struct incomplete *oldest =
		    table->oldest != entry ? table->oldest : table->oldest->newer;
		if (oldest == NULL || evictions == EVICTIONS_MAX)
			return false;
		drop(table, oldest, &table->counters.datagrams_no_room);
	}
	grown.block = take(table, entry, size);
	if (grown.block == NULL)
		return false;
	table->bytes += size;
	memset(received_of(&grown), 0, size - grown.capacity);
	if (entry->block != NULL) {
		memcpy(grown.block, entry->block, entry->end);
		memcpy(received_of(&grown), received_of(entry), entry->capacity / UNIT / 8);
		memcpy(known_of(&grown), known_of(entry), entry->capacity / UNIT / 8);
		give_block(table, entry);
	}
	entry->block = grown.block;
	entry->capacity = grown.capacity;
	return true;
}

// The unit behind the last one that a fragment brings whole. The datagram's last one may be short.
static uint32_t known_end_of(const struct fragment *fragment)
{
	if (fragment->captured < fragment->length)
		return (fragment->offset + fragment->captured) / UNIT;
	return (fragment->offset + fragment->length + UNIT - 1) / UNIT;
}

// How many bytes, of a unit that the snap length cut, come of one that is known already.
static uint32_t repeated_tail(const struct incomplete *entry, const struct fragment *fragment)
{
	if (fragment->captured == fragment->length)
		return 0;
	uint32_t unit = (fragment->offset + fragment->captured) / UNIT;
	bool known = known_of(entry)[unit / 64] >> unit % 64 & 1;
	return known ? fragment->captured % UNIT : 0;
}

// True if a fragment brings other bytes for a unit that is known already.
static bool overlap_differs(const struct incomplete *entry, const struct fragment *fragment)
{
	const uint64_t *known = known_of(entry);
	uint32_t tail = repeated_tail(entry, fragment), whole = fragment->captured - tail;
	if (tail > 0 &&
	    memcmp(entry->block + fragment->offset + whole, fragment->payload + whole, tail) != 0)
		return true;
	uint32_t first = fragment->offset / UNIT, end = known_end_of(fragment);
	for (uint32_t word = first / 64; word * 64 < end; word++) {
		uint64_t common = known[word] & bits_in_word(first, end, word);
		for (; common != 0; common &= common - 1) {
			uint32_t at = (word * 64 + (uint32_t)__builtin_ctzll(common)) * UNIT;
			uint32_t left = fragment->offset + fragment->captured - at;
			if (memcmp(entry->block + at, fragment->payload + (at - fragment->offset),
			        left < UNIT ? left : UNIT) != 0)
				return true;
		}
	}
	return false;
}

// Copies a fragment in.
static void keep(
    struct fragment_table *table, struct incomplete *entry, const struct fragment *fragment)
{
	uint32_t end = fragment->offset + fragment->length, first = fragment->offset / UNIT;
	if (fragment->captured != 0)
		memcpy(entry->block + fragment->offset, fragment->payload, fragment->captured);
	uint32_t known_end = known_end_of(fragment);
	uint32_t new_known = known_end > first ? set_units(known_of(entry), first, known_end) : 0;
	uint32_t new_units = set_units(received_of(entry), first, (end + UNIT - 1) / UNIT);
	entry->units += new_units;
	table->counters.duplicates += new_units == 0 && new_known == 0;
	if (fragment->captured < fragment->length &&
	    fragment->offset + fragment->captured < entry->cut_at)
		entry->cut_at = fragment->offset + fragment->captured;
	if (end > entry->end)
		entry->end = end;
	if (!fragment->more)
		entry->total = end;
}

// How many bytes from the start are known.
static uint32_t known_prefix(const struct incomplete *entry)
{
	const uint64_t *known = known_of(entry);
	uint32_t units = (entry->total + UNIT - 1) / UNIT, unit = 0;
	while (unit < units && known[unit / 64] == UINT64_MAX)
		unit += 64;
	if (unit < units)
		unit += (uint32_t)__builtin_ctzll(~known[unit / 64]);
	if (entry->cut_at / UNIT == unit)
		return entry->cut_at;
	return unit * UNIT < entry->total ? unit * UNIT : entry->total;
}

// Hands a whole datagram out and forgets its entry; the block stays until the next fragment.
static void complete(struct fragment_table *table, struct incomplete *entry,
    const struct fragment *fragment, struct datagram *datagram)
{
	*datagram = (struct datagram){
	    .context = fragment->context,
	    .source = fragment->source,
	    .destination = fragment->destination,
	    .id = fragment->id,
	    .ip_version = fragment->ip_version,
	    .protocol = entry->protocol,
	    .ttl = entry->ttl,
	    .payload = entry->block,
	    .captured = known_prefix(entry),
	    .length = entry->total,
	};
	table->counters.datagrams_complete++;
	table->counters.datagrams_held--;
	table->counters.fragments_complete += entry->fragments;
	table->counters.fragments_held -= entry->fragments;
	table->lent = entry->block;
	table->bytes -= block_size(entry->capacity);
	entry->block = NULL;
	forget(table, entry);
}

// Takes a fragment into a datagram that is held.
static bool collect(struct fragment_table *table, struct incomplete *entry,
    const struct fragment *fragment, struct datagram *datagram)
{
	struct fragment_counters *counters = &table->counters;
	entry->fragments++;
	counters->fragments_held++;
	if (is_bad(entry, fragment))
		give_up(table, entry, REFUSED, &counters->datagrams_bad);
	else if (!grow(table, entry, fragment->offset + fragment->length))
		drop(table, entry, &counters->datagrams_no_room);
	else if (overlap_differs(entry, fragment))
		give_up(table, entry, REFUSED, &counters->datagrams_overlapping);
	else {
		keep(table, entry, fragment);
		if (entry->total != 0 && entry->units == (entry->total + UNIT - 1) / UNIT) {
			complete(table, entry, fragment, datagram);
			return true;
		}
	}
	return false;
}

static bool take_in(
    struct fragment_table *table, const struct fragment *fragment, struct datagram *datagram)
{
	table->counters.fragments++;
	struct incomplete *entry = entry_of(table, fragment);
	if (entry == NULL) {
		table->counters.datagrams_no_room++;
		table->counters.fragments_dropped++;
		return false;
	}
	if (fragment->offset == 0)
		judge_first(table, entry, fragment);
	if (entry->state == HELD)
		return collect(table, entry, fragment, datagram);
	let_pass(table, entry, fragment);
	return false;
}

// The fragment may lie in the very datagram that was handed out last: that one is given back after.
bool fragment_add(
    struct fragment_table *table, const struct fragment *fragment, struct datagram *datagram)
{
	uint8_t *lent = table->lent;
	table->lent = NULL;
	bool completed = take_in(table, fragment, datagram);
	memory_give(table->memory, lent);
	return completed;
}

void fragment_expire(struct fragment_table *table, nanoseconds now)
{
	for (int expiries = 0; expiries < EXPIRIES_MAX; expiries++) {
		struct incomplete *oldest = table->oldest;
		if (oldest == NULL || !is_too_old(oldest, now))
			return;
		drop(table, oldest, &table->counters.datagrams_timed_out);
	}
}

struct fragment_table *fragment_table_create(
    struct memory *memory, size_t datagrams_max, const struct port_set *ports)
{
	struct fragment_table *table = memory_take_zeroed(memory, sizeof(*table));
	if (table == NULL)
		return NULL;
	table->memory = memory;
	table->ports = ports;
	table->hash_key = hash_key_random();
	table->count_max = datagrams_max > 0 ? datagrams_max : 1;
	table->bytes_max = table->count_max * BYTES_PER_DATAGRAM;
	if (table->bytes_max < BYTES_MIN)
		table->bytes_max = BYTES_MIN;
	table->bucket_count = 1;
	while (table->bucket_count < table->count_max && table->bucket_count < BUCKETS_MAX)
		table->bucket_count *= 2;
	table->buckets = memory_take_zeroed(memory, table->bucket_count * sizeof(*table->buckets));
	if (table->buckets == NULL) {
		memory_give(memory, table);
		return NULL;
	}
	return table;
}

void fragment_table_destroy(struct fragment_table *table)
{
	if (table == NULL)
		return;
	while (table->oldest != NULL)
		forget(table, table->oldest);
	memory_give(table->memory, table->lent);
	memory_give(table->memory, table->buckets);
	memory_give(table->memory, table);
}

struct fragment_counters fragment_table_counters(const struct fragment_table *table)
{
	return table->counters;
}
