// SPDX-License-Identifier: Apache-2.0
// pcapng: sections in either byte order, each with its interfaces, made of blocks that say how long
// they are. A packet that cannot be true is counted and passed over; a block length that cannot be
// true ends the reading, because everything after it would be a guess.
// Called by source_file.c through its table.
#include "capture/container.h"
#include "capture/time_scale.h"

#include <stdlib.h>

// Lengths are of whole blocks: type, total length, body, total length again.
enum {
	BLOCK_MIN = 12,
	BLOCK_BODY = 8,
	BLOCK_TRAILER = 4,
	SECTION_MIN = 28,
	INTERFACE_MIN = 20,
	SIMPLE_PACKET_MIN = 16,
	PACKET_MIN = 32,
	STATISTICS_MIN = 24,
	PACKET_DATA = 28, // offset of the bytes in enhanced and obsolete packet blocks
	SIMPLE_PACKET_DATA = 12,
	INTERFACES_MAX = 65535, // in a section
};

#define BLOCK_SECTION 0x0a0d0d0au // the same in both byte orders
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_OBSOLETE_PACKET = 2,
	BLOCK_SIMPLE_PACKET = 3,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
};

enum option_code {
	OPTION_END = 0,
	OPTION_TIME_RESOLUTION = 9,
	OPTION_TIME_OFFSET = 14,
	OPTION_INTERFACE_DROPPED = 5, // in a statistics block
	OPTION_SYSTEM_DROPPED = 7,
};

enum { RESOLUTION_MICROSECONDS = 6 };

struct interface {
	struct time_scale time_scale;
	uint64_t dropped; // as its last statistics said
	uint32_t snap_length;
	uint16_t link_type;
	bool usable; // its description could be read
};

struct container {
	const char *name;
	struct source_counters *counters;
	struct interface *interfaces; // of the current section
	size_t interface_count;
	size_t interface_capacity;
	nanoseconds last_time; // of the section's packets
	bool swapped;
};

// What became of the block at the window's start.
enum block_status {
	BLOCK_TAKEN_PACKET,
	BLOCK_TAKEN,
	BLOCK_NEEDS_MORE,
	BLOCK_DAMAGED, // *error
};

struct block {
	const uint8_t *start;
	uint32_t type;
	uint32_t total;
};

struct option {
	uint16_t code;
	uint16_t length;
	const uint8_t *value;
};

static bool recognise(const uint8_t first[CONTAINER_MAGIC])
{
	return order32(first, false) == BLOCK_SECTION;
}

static struct container *create(const char *name, struct source_counters *counters)
{
	struct container *pcapng = calloc(1, sizeof *pcapng);
	if (pcapng != NULL)
		*pcapng = (struct container){.name = name, .counters = counters};
	return pcapng;
}

// The option at *at, and *at moved behind it. False at the end of the options.
static bool next_option(
    const struct container *pcapng, const uint8_t **at, const uint8_t *end, struct option *option)
{
	if (end - *at < 4)
		return false;
	option->code = order16(*at, pcapng->swapped);
	option->length = order16(*at + 2, pcapng->swapped);
	option->value = *at + 4;
	if (option->code == OPTION_END || end - option->value < option->length)
		return false;
	ptrdiff_t padded = (option->length + 3) & ~3;
	*at = end - option->value < padded ? end : option->value + padded;
	return true;
}

static enum block_status count_damaged(const struct container *pcapng)
{
	pcapng->counters->damaged++;
	return BLOCK_TAKEN;
}

static bool make_room_for_interface(struct container *pcapng)
{
	if (pcapng->interface_count < pcapng->interface_capacity)
		return true;
	size_t capacity = pcapng->interface_capacity == 0 ? 4 : pcapng->interface_capacity * 2;
	struct interface *grown = reallocarray(pcapng->interfaces, capacity, sizeof *grown);
	if (grown == NULL)
		return false;
	pcapng->interfaces = grown;
	pcapng->interface_capacity = capacity;
	return true;
}

static struct interface describe_interface(
    const struct container *pcapng, const struct block *block)
{
	bool swapped = pcapng->swapped;
	uint8_t resolution = RESOLUTION_MICROSECONDS;
	int64_t offset = 0;
	const uint8_t *at = block->start + 16;
	const uint8_t *end = block->start + block->total - BLOCK_TRAILER;
	struct option option;
	while (next_option(pcapng, &at, end, &option)) {
		if (option.code == OPTION_TIME_RESOLUTION && option.length == 1)
			resolution = option.value[0];
		if (option.code == OPTION_TIME_OFFSET && option.length == 8)
			offset = (int64_t)order64(option.value, swapped);
	}
	return (struct interface){
	    .time_scale = time_scale_of(resolution, offset),
	    .snap_length = order32(block->start + 12, swapped),
	    .link_type = order16(block->start + 8, swapped),
	    .usable = true,
	};
}

// An interface that cannot be read keeps its number, so that the others keep theirs.
static enum block_status take_interface(
    struct container *pcapng, const struct block *block, struct packet *packet)
{
	(void)packet;
	if (pcapng->interface_count >= INTERFACES_MAX || !make_room_for_interface(pcapng))
		return count_damaged(pcapng);
	struct interface *interface = &pcapng->interfaces[pcapng->interface_count++];
	*interface = (struct interface){.usable = false};
	if (block->total < INTERFACE_MIN)
		return count_damaged(pcapng);
	*interface = describe_interface(pcapng, block);
	return BLOCK_TAKEN;
}

// Packets lost before they reached the file. The figures count from the start of the capture.
static enum block_status take_statistics(
    struct container *pcapng, const struct block *block, struct packet *packet)
{
	(void)packet;
	if (block->total < STATISTICS_MIN)
		return count_damaged(pcapng);
	uint32_t number = order32(block->start + 8, pcapng->swapped);
	if (number >= pcapng->interface_count)
		return count_damaged(pcapng);
	uint64_t dropped = 0;
	const uint8_t *at = block->start + 20;
	const uint8_t *end = block->start + block->total - BLOCK_TRAILER;
	struct option option;
	while (next_option(pcapng, &at, end, &option))
		if (option.length == 8 && (option.code == OPTION_INTERFACE_DROPPED ||
		                              option.code == OPTION_SYSTEM_DROPPED))
			dropped += order64(option.value, pcapng->swapped);
	struct interface *interface = &pcapng->interfaces[number];
	if (dropped > interface->dropped) {
		pcapng->counters->capture_dropped += dropped - interface->dropped;
		interface->dropped = dropped;
	}
	return BLOCK_TAKEN;
}

// A packet without time and interface: it gets the last packet's time and interface 0.
static enum block_status take_simple_packet(
    struct container *pcapng, const struct block *block, struct packet *packet)
{
	if (block->total < SIMPLE_PACKET_MIN || pcapng->interface_count == 0 ||
	    !pcapng->interfaces[0].usable)
		return count_damaged(pcapng);
	const struct interface *interface = &pcapng->interfaces[0];
	uint32_t length = order32(block->start + 8, pcapng->swapped);
	uint32_t room = block->total - SIMPLE_PACKET_MIN;
	uint32_t captured = length < room ? length : room;
	if (interface->snap_length != 0 && captured > interface->snap_length)
		captured = interface->snap_length;
	if (captured > CAPTURED_MAX)
		return count_damaged(pcapng);
	*packet = (struct packet){
	    .data = block->start + SIMPLE_PACKET_DATA,
	    .captured = captured,
	    .length = length,
	    .time = pcapng->last_time,
	    .link_type = interface->link_type,
	};
	return BLOCK_TAKEN_PACKET;
}

// Both kinds of packet block; they differ in how wide the interface's number is.
static inline enum block_status take_packet(
    struct container *pcapng, const struct block *block, struct packet *packet)
{
	const bool swapped = pcapng->swapped;
	const uint8_t *start = block->start;
	if (block->total < PACKET_MIN)
		return count_damaged(pcapng);
	uint32_t number =
	    block->type == BLOCK_PACKET ? order32(start + 8, swapped) : order16(start + 8, swapped);
	uint32_t captured = order32(start + 20, swapped);
	uint32_t length = order32(start + 24, swapped);
	if (number >= pcapng->interface_count || !pcapng->interfaces[number].usable ||
	    captured > block->total - PACKET_MIN || captured > CAPTURED_MAX)
		return count_damaged(pcapng);
	const struct interface *interface = &pcapng->interfaces[number];
	uint64_t ticks =
	    (uint64_t)order32(start + 12, swapped) << 32 | order32(start + 16, swapped);
	pcapng->last_time = time_scale_apply(&interface->time_scale, ticks);
	*packet = (struct packet){
	    .data = start + PACKET_DATA,
	    .captured = captured,
	    .length = length > captured ? length : captured,
	    .time = pcapng->last_time,
	    .link_type = interface->link_type,
	    .interface = (uint16_t)number,
	};
	return BLOCK_TAKEN_PACKET;
}

// The blocks that are read apart from section headers and enhanced packets; others are passed over.
static const struct {
	uint32_t type;
	enum block_status (*take)(
	    struct container *pcapng, const struct block *block, struct packet *packet);
} block_kinds[] = {
    {BLOCK_INTERFACE, take_interface},
    {BLOCK_STATISTICS, take_statistics},
    {BLOCK_SIMPLE_PACKET, take_simple_packet},
    {BLOCK_OBSOLETE_PACKET, take_packet},
};

static enum block_status take_other(
    struct container *pcapng, const struct block *block, struct packet *packet)
{
	for (size_t i = 0; i < sizeof block_kinds / sizeof block_kinds[0]; i++)
		if (block_kinds[i].type == block->type)
			return block_kinds[i].take(pcapng, block, packet);
	return BLOCK_TAKEN;
}

static enum block_status fail_section(const struct container *pcapng, const struct window *window,
    const char *what, struct error *error)
{
	error_set(error, "%s is damaged at offset %llu: %s; the %llu packets before it were read",
	    pcapng->name, (unsigned long long)window_offset(window), what,
	    (unsigned long long)(pcapng->counters->packets + pcapng->counters->filtered));
	return BLOCK_DAMAGED;
}

// The byte order of the section that starts here holds for its own length already.
static enum block_status start_section(
    struct container *pcapng, struct window *window, struct error *error)
{
	const uint8_t *start = window->at;
	window->needed = SECTION_MIN;
	if (window_left(window) < SECTION_MIN)
		return BLOCK_NEEDS_MORE;
	pcapng->swapped = order32(start + 8, false) != BYTE_ORDER_MAGIC;
	if (order32(start + 8, pcapng->swapped) != BYTE_ORDER_MAGIC)
		return fail_section(
		    pcapng, window, "a section header there has no byte-order magic", error);
	if (order32(start + 4, pcapng->swapped) < SECTION_MIN)
		return fail_section(pcapng, window, "a section header there is too short", error);
	uint16_t major = order16(start + 12, pcapng->swapped);
	if (major != 1) {
		error_set(error,
		    "cannot read on in %s: its section at offset %llu is pcapng version %u, only 1 "
		    "is "
		    "known; convert the file with editcap -F pcap",
		    pcapng->name, (unsigned long long)window_offset(window), major);
		return BLOCK_DAMAGED;
	}
	pcapng->interface_count = 0;
	pcapng->last_time = 0;
	return BLOCK_TAKEN;
}

// A block too large to be looked at: nothing to us, unless the rest hangs on it.
static enum block_status pass_large(
    struct container *pcapng, struct window *window, const struct block *block, struct error *error)
{
	if (block->type == BLOCK_INTERFACE || block->type == BLOCK_SECTION)
		return fail_section(
		    pcapng, window, "a header block there claims an impossible length", error);
	if (block->type == BLOCK_PACKET || block->type == BLOCK_SIMPLE_PACKET ||
	    block->type == BLOCK_OBSOLETE_PACKET)
		count_damaged(pcapng);
	window_pass(window, block->total);
	return BLOCK_TAKEN;
}

static inline enum block_status take_block(
    struct container *pcapng, struct window *window, struct packet *packet, struct error *error)
{
	const size_t left = window_left(window);
	window->needed = BLOCK_MIN;
	if (left < BLOCK_MIN)
		return BLOCK_NEEDS_MORE;
	struct block block = {.start = window->at, .type = order32(window->at, pcapng->swapped)};
	if (block.type == BLOCK_SECTION) {
		enum block_status status = start_section(pcapng, window, error);
		if (status != BLOCK_TAKEN)
			return status;
	}
	block.total = order32(block.start + 4, pcapng->swapped);
	if (block.total < BLOCK_MIN || block.total % 4 != 0)
		return fail_section(
		    pcapng, window, "a block there claims an impossible length", error);
	if (block.total > CONTAINER_RECORD_MAX)
		return pass_large(pcapng, window, &block, error);
	window->needed = block.total;
	if (left < block.total)
		return BLOCK_NEEDS_MORE;
	if (order32(block.start + block.total - BLOCK_TRAILER, pcapng->swapped) != block.total)
		return fail_section(pcapng, window, "a block's two lengths there differ", error);
	enum block_status status = block.type == BLOCK_PACKET ? take_packet(pcapng, &block, packet)
	                                                      : take_other(pcapng, &block, packet);
	window->at += block.total;
	return status;
}

static bool at_packet(const struct container *pcapng, const struct window *window)
{
	if (window_left(window) < BLOCK_MIN)
		return false;
	uint32_t type = order32(window->at, pcapng->swapped);
	return type == BLOCK_PACKET || type == BLOCK_SIMPLE_PACKET || type == BLOCK_OBSOLETE_PACKET;
}

// Ready at the first interface, whose link type is then known, or the first packet.
static enum container_status begin(
    struct container *pcapng, struct window *window, int *link_type, struct error *error)
{
	*link_type = LINK_TYPE_UNKNOWN;
	while (pcapng->interface_count == 0 && !at_packet(pcapng, window)) {
		struct packet packet;
		enum block_status status = take_block(pcapng, window, &packet, error);
		if (status == BLOCK_NEEDS_MORE || window->skip > 0)
			return CONTAINER_NEEDS;
		if (status == BLOCK_DAMAGED) {
			count_damaged(pcapng);
			return CONTAINER_FAILED;
		}
	}
	if (pcapng->interface_count > 0 && pcapng->interfaces[0].usable)
		*link_type = pcapng->interfaces[0].link_type;
	return CONTAINER_READY;
}

static enum container_status fill(struct container *pcapng, struct window *window,
    struct packet_batch *batch, struct error *error)
{
	enum block_status status = BLOCK_TAKEN;
	size_t count = 0;
	while (count < PACKET_BATCH_MAX) {
		status = take_block(pcapng, window, &batch->packets[count], error);
		if (status == BLOCK_NEEDS_MORE || status == BLOCK_DAMAGED)
			break;
		if (status == BLOCK_TAKEN_PACKET)
			count++;
	}
	batch->count = count;
	if (count > 0)
		return CONTAINER_READY;
	if (status != BLOCK_DAMAGED)
		return CONTAINER_NEEDS;
	count_damaged(pcapng);
	return CONTAINER_FAILED;
}

static void destroy(struct container *pcapng)
{
	free(pcapng->interfaces);
	free(pcapng);
}

const struct container_ops container_pcapng = {
    .record = "a block",
    .recognise = recognise,
    .create = create,
    .begin = begin,
    .fill = fill,
    .destroy = destroy,
};
