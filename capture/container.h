// SPDX-License-Identifier: Apache-2.0
// How a capture file is laid out: one const container_ops per format in its own file, one row in
// the table of source_file.c. A container takes packet records from a window on the input and puts
// packets that borrow from it into a batch. It reads nothing itself: it says how much it must see.
// Called per batch, never per packet.
#ifndef MAILTAP_CAPTURE_CONTAINER_H
#define MAILTAP_CAPTURE_CONTAINER_H

#include "capture/base/error.h"
#include "capture/packet.h"
#include "capture/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	CAPTURED_MAX = 262144, // bytes of a packet; what tcpdump allows too
	CONTAINER_RECORD_MAX =
	    CAPTURED_MAX + 128 * 1024, // bytes a container may need to see at once
};

// The part of the input that is in memory, and what the container wants of the rest.
struct window {
	const uint8_t *at; // next byte not yet taken
	const uint8_t *end;
	uint64_t end_offset; // of `end` in the (uncompressed) input
	size_t needed; // bytes from `at` it must see to go on, at most CONTAINER_RECORD_MAX
	uint64_t skip; // bytes after `end` it does not want to see at all
};

static inline size_t window_left(const struct window *window)
{
	return (size_t)(window->end - window->at);
}

// Offset of the next byte in the (uncompressed) input.
static inline uint64_t window_offset(const struct window *window)
{
	return window->end_offset - window_left(window);
}

// Takes `count` bytes, more than are in the window if need be.
static inline void window_pass(struct window *window, uint64_t count)
{
	size_t left = window_left(window);
	size_t inside = count < left ? (size_t)count : left;
	window->at += inside;
	window->skip += count - inside;
}

enum container_status {
	CONTAINER_READY, // begin: the header is taken; fill: the batch has packets
	CONTAINER_NEEDS, // no packet yet: window->needed and window->skip say what is missing
	CONTAINER_FAILED, // the input is damaged at window->at beyond repair: *error
};

enum { CONTAINER_MAGIC = 4, LINK_TYPE_UNKNOWN = -1 };

struct container;

struct container_ops {
	const char *record; // what a cut file ends inside of, in a message: "a packet record"
	bool (*recognise)(const uint8_t first[CONTAINER_MAGIC]);
	// `name` is the input's in messages, `counters` the source's: the container adds to `damaged`
	// and `capture_dropped`, and reads `packets`. Both must outlive it. NULL: no memory.
	struct container *(*create)(const char *name, struct source_counters *counters);
	// Takes the file's header. Called again with more in the window after CONTAINER_NEEDS.
	// When it is ready, *link_type is the first interface's or LINK_TYPE_UNKNOWN.
	enum container_status (*begin)(struct container *container, struct window *window,
	    int *link_type, struct error *error);
	// Appends packets to an empty batch: as many as fit and are in the window as a whole.
	enum container_status (*fill)(struct container *container, struct window *window,
	    struct packet_batch *batch, struct error *error);
	void (*destroy)(struct container *container);
};

extern const struct container_ops container_pcap;
extern const struct container_ops container_pcapng;

// Numbers as the writing machine had them: `swapped` if its byte order is not ours.
static inline uint16_t order16(const uint8_t *at, bool swapped)
{
	uint16_t value;
	memcpy(&value, at, sizeof value);
	return swapped ? __builtin_bswap16(value) : value;
}

static inline uint32_t order32(const uint8_t *at, bool swapped)
{
	uint32_t value;
	memcpy(&value, at, sizeof value);
	return swapped ? __builtin_bswap32(value) : value;
}

static inline uint64_t order64(const uint8_t *at, bool swapped)
{
	uint64_t value;
	memcpy(&value, at, sizeof value);
	return swapped ? __builtin_bswap64(value) : value;
}

#endif
