// SPDX-License-Identifier: Apache-2.0
// Where packets come from. One const source_ops per kind in its own file, one row in the table of
// source.c. The front door opens a source, asks for batches until the end, and closes it.
// A source is used by one thread.
#ifndef MAILTAP_CAPTURE_SOURCE_H
#define MAILTAP_CAPTURE_SOURCE_H

#include "capture/base/error.h"
#include "capture/packet.h"

#include <stdbool.h>

struct source;

enum source_status {
	SOURCE_PACKETS, // the batch has at least one packet
	SOURCE_IDLE,    // none at the moment (a silent tap, a signal, all filtered out): ask again
	SOURCE_END,     // no more packets, all was read
	SOURCE_FAILED,  // no more packets: *error says why; what came before stands
};

// What a source can say about its own work, for the progress line and the accounting.
struct source_counters {
	uint64_t packets;        // handed out
	uint64_t bytes;          // of them on the wire
	uint64_t cut_packets;    // shorter in the capture than on the wire
	uint64_t damaged;        // records skipped because their own header cannot be true
	uint64_t filtered;       // packets that the filter expression left out
	uint64_t filtered_in_vlan; // of them Ethernet frames with a tag: see packet_filter_run
	uint64_t capture_dropped; // packets lost before they reached the source, if it is told
	uint64_t input_read;     // bytes of the input taken so far (compressed size where compressed)
	uint64_t input_size;     // bytes of the input in all, 0 if it cannot be known (a pipe)
};

struct source_ops {
	const char *name; // as in an option or a message: "file"
	// Opens `target` ("-" is standard input for files). NULL: *error says why.
	// `filter`: expression in pcap-filter(7) syntax, or NULL.
	struct source *(*open)(const char *target, const char *filter, struct error *error);
	// Fills the batch. Packets of earlier batches are no longer valid.
	enum source_status (*next)(struct source *source, struct packet_batch *batch, struct error *error);
	struct source_counters (*counters)(const struct source *source);
	void (*close)(struct source *source);
};

extern const struct source_ops source_file; // a capture file or standard input

// The kind of that name, or NULL.
const struct source_ops *source_find(const char *name);

#endif
