// SPDX-License-Identifier: Apache-2.0
// The classic capture file: one header, then packet records. Microseconds, nanoseconds, and the
// "modified" form of Alexey Kuznetzov's patched libpcap, in either byte order. A record whose
// length cannot be true ends the reading: the format has nothing to find the next one by.
// Called by source_file.c through its table.
#include "capture/container.h"

#include <stdlib.h>

enum {
	FILE_HEADER = 24,
	RECORD_HEADER = 16,
	MODIFIED_RECORD_HEADER =
	    24, // plus interface, protocol and packet type, which we do not use
	VERSION_MAJOR = 2,
	VERSION_MINOR_MIN = 3, // before, the two lengths of a record stood the other way round
	VERSION_MINOR_MAX = 4,
};

struct variant {
	uint32_t magic;
	uint16_t record_header;
	uint16_t multiplier; // of a record's fraction of a second, to nanoseconds
};

static const struct variant variants[] = {
    {0xa1b2c3d4, RECORD_HEADER, 1000},
    {0xa1b23c4d, RECORD_HEADER, 1},
    {0xa1b2cd34, MODIFIED_RECORD_HEADER, 1000},
};

struct container {
	const char *name;
	struct source_counters *counters;
	uint32_t multiplier;
	uint16_t record_header;
	uint16_t link_type;
	bool swapped;
};

static const struct variant *find_variant(const uint8_t *first, bool *swapped)
{
	for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++)
		for (int other_order = 0; other_order < 2; other_order++)
			if (order32(first, other_order != 0) == variants[i].magic) {
				*swapped = other_order != 0;
				return &variants[i];
			}
	return NULL;
}

static bool recognise(const uint8_t first[CONTAINER_MAGIC])
{
	bool swapped;
	return find_variant(first, &swapped) != NULL;
}

static struct container *create(const char *name, struct source_counters *counters)
{
	struct container *pcap = calloc(1, sizeof *pcap);
	if (pcap != NULL)
		*pcap = (struct container){.name = name, .counters = counters};
	return pcap;
}

static enum container_status begin(
    struct container *pcap, struct window *window, int *link_type, struct error *error)
{
	window->needed = FILE_HEADER;
	if (window_left(window) < FILE_HEADER)
		return CONTAINER_NEEDS;
	const uint8_t *header = window->at;
	const struct variant *variant = find_variant(header, &pcap->swapped);
	uint16_t major = order16(header + 4, pcap->swapped);
	uint16_t minor = order16(header + 6, pcap->swapped);
	if (variant == NULL || major != VERSION_MAJOR || minor < VERSION_MINOR_MIN ||
	    minor > VERSION_MINOR_MAX) {
		error_set(error,
		    "cannot read %s: it is a pcap file of version %u.%u, only 2.3 and 2.4 are "
		    "known; "
		    "convert it with editcap -F pcap",
		    pcap->name, major, minor);
		return CONTAINER_FAILED;
	}
	pcap->record_header = variant->record_header;
	pcap->multiplier = variant->multiplier;
	// The upper half says whether and how long a frame check sequence ends each packet; the
	// lengths inside the packets tell that as well.
	pcap->link_type = (uint16_t)(order32(header + 20, pcap->swapped) & 0xffff);
	*link_type = pcap->link_type;
	window->at += FILE_HEADER;
	return CONTAINER_READY;
}

static enum container_status fail_damaged(const struct container *pcap, const struct window *window,
    uint32_t captured, struct error *error)
{
	pcap->counters->damaged++;
	error_set(error,
	    "%s is damaged at offset %llu: a packet record there claims %u captured bytes (%u at "
	    "most); the %llu packets before it were read",
	    pcap->name, (unsigned long long)window_offset(window), captured, (unsigned)CAPTURED_MAX,
	    (unsigned long long)(pcap->counters->packets + pcap->counters->filtered));
	return CONTAINER_FAILED;
}

// `swapped` is a constant where this is called, so that a file in our byte order pays nothing.
static inline __attribute__((always_inline)) enum container_status fill_order(
    const struct container *pcap, struct window *window, struct packet_batch *batch,
    struct error *error, bool swapped)
{
	const uint8_t *at = window->at, *const end = window->end;
	const size_t header = pcap->record_header;
	const uint32_t multiplier = pcap->multiplier;
	const uint16_t link_type = pcap->link_type;
	uint32_t captured = 0;
	size_t count = 0;
	window->needed = header;
	while (count < PACKET_BATCH_MAX && (size_t)(end - at) >= header) {
		captured = order32(at + 8, swapped);
		if (captured > CAPTURED_MAX)
			break;
		if ((size_t)(end - at) - header < captured) {
			window->needed = header + captured;
			break;
		}
		uint32_t length = order32(at + 12, swapped);
		batch->packets[count++] = (struct packet){
		    .data = at + header,
		    .captured = captured,
		    .length = length > captured ? length : captured,
		    .time = SECONDS(order32(at, swapped)) +
		            (nanoseconds)((uint64_t)order32(at + 4, swapped) * multiplier),
		    .link_type = link_type,
		};
		at += header + captured;
	}
	window->at = at;
	batch->count = count;
	if (count > 0)
		return CONTAINER_READY;
	return captured > CAPTURED_MAX ? fail_damaged(pcap, window, captured, error)
	                               : CONTAINER_NEEDS;
}

static enum container_status fill(
    struct container *pcap, struct window *window, struct packet_batch *batch, struct error *error)
{
	return pcap->swapped ? fill_order(pcap, window, batch, error, true)
	                     : fill_order(pcap, window, batch, error, false);
}

static void destroy(struct container *pcap)
{
	free(pcap);
}

const struct container_ops container_pcap = {
    .record = "a packet record",
    .recognise = recognise,
    .create = create,
    .begin = begin,
    .fill = fill,
    .destroy = destroy,
};
