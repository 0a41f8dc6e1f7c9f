// SPDX-License-Identifier: Apache-2.0
// Where packets come from. One const source_ops per kind in its own file, one row in the table of
// source.c. The front door opens a source, asks for batches until the end, and closes it.
// A source has one lane, or several that hand out different connections each: one thread a lane.
#ifndef MAILTAP_CAPTURE_SOURCE_H
#define MAILTAP_CAPTURE_SOURCE_H

#include "capture/base/error.h"
#include "capture/packet.h"
#include "capture/port_set.h"

#include <stdbool.h>

struct source;

enum source_status {
	SOURCE_PACKETS, // the batch has at least one packet
	SOURCE_IDLE,    // none at the moment (a silent tap, a signal, all filtered out): ask again
	SOURCE_END,     // no more packets, all was read
	SOURCE_FAILED,  // no more packets: *error says why; what came before stands
};

// What a source can say about its own work, for the progress line and the accounting. Nothing but unsigned
// figures of 64 bits.
struct source_counters {
	uint64_t packets;        // handed out
	uint64_t bytes;          // of them on the wire
	uint64_t cut_packets;    // shorter in the capture than on the wire
	uint64_t damaged;        // records skipped because their own header cannot be true
	uint64_t filtered;       // packets that the filter expression left out
	uint64_t filtered_in_vlan; // of them Ethernet frames with a tag: see packet_filter_run
	uint64_t capture_dropped; // packets lost before they reached the source, if it is told
	uint64_t nic_missed;     // of them by the card: nobody took them in time
	uint64_t nic_errors;     // of them by the card: damaged on the wire, or too long for it
	uint64_t pool_empty;     // of them: there was no memory to put them into
	uint64_t nic_filtered;   // left out by the card itself, as no mail (not among the packets, not lost)
	uint64_t interface_packets; // on a live source's interfaces by their own count, kept or not
	uint64_t interface_missed; // that they missed by their own count: no buffer was free
	uint64_t interface_outages; // how often one of them was down or gone
	uint64_t input_read;     // bytes of the input taken so far (compressed size where compressed)
	uint64_t input_size;     // bytes of the input in all, 0 if it cannot be known (a pipe)
};

// What is asked of a source. Itself borrowed for the call, what it points to until the source is closed.
struct source_request {
	const char *target; // a file ("-" is standard input); interfaces or ports, separated by commas
	const char *filter; // expression in pcap-filter(7) syntax, or NULL
	const struct port_set *ports; // what will be followed: other packets may be left out early; NULL: none
	const char *environment; // arguments of what must be set up first, as DPDK's; or NULL
	size_t buffer; // bytes to hold packets that wait, where that can be chosen; 0: the usual
	unsigned lanes; // how many threads would like to read; 0 is 1
	bool busy_poll; // never sleep while there is nothing
	bool not_promiscuous; // only packets for this host, where a source could have all
	bool no_offload; // the card is not asked to leave anything out
	// Called by any thread with a line that people should see: an interface went away. Or NULL.
	void (*say)(void *context, const struct error *line);
	void *say_context;
};

// Adds up what several sources say.
void source_counters_add(struct source_counters *sum, const struct source_counters *one);

struct source_ops {
	const char *name; // as in an option or a message: "file"
	// Packets come when they come, and are lost if nobody takes them: times are the wall clock's.
	bool live;
	// NULL: *error says why.
	struct source *(*open)(const struct source_request *request, struct error *error);
	// How many lanes there are: both directions of a connection, and all fragments of its datagrams, come
	// by the same one. At most what was asked for. NULL: one.
	unsigned (*lanes)(const struct source *source);
	// Fills the batch. Packets of earlier batches of this lane are no longer valid. A live source returns
	// SOURCE_IDLE after a tenth of a second at most.
	enum source_status (*next)(
	    struct source *source, unsigned lane, struct packet_batch *batch, struct error *error);
	// True: though live by its kind, this source waits until packets are taken, and loses none (a file
	// behind a driver). NULL: it does not.
	bool (*waits)(const struct source *source);
	// Of all lanes; while they are read, by any thread.
	struct source_counters (*counters)(const struct source *source);
	void (*close)(struct source *source);
};

static inline bool source_is_live(const struct source_ops *ops, const struct source *source)
{
	return ops->live && (ops->waits == NULL || !ops->waits(source));
}

extern const struct source_ops source_file; // a capture file or standard input
extern const struct source_ops source_live; // network interfaces
extern const struct source_ops source_dpdk; // ports of DPDK

// The kind of that name, or NULL.
const struct source_ops *source_find(const char *name);

// The version of DPDK that mailtap is built with, or NULL: without, and source_dpdk does not open.
const char *source_dpdk_version(void);

#endif
