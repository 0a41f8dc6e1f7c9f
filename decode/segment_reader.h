// SPDX-License-Identifier: Apache-2.0
// The TCP segments that are followed, out of batches of packets: headers are read, fragments put together.
// It stands in front of the workers, so that a segment whose datagram came in fragments finds the same
// worker as the rest of its connection. Owns the fragments and the packets' clock. One thread.
#ifndef MAILTAP_DECODE_SEGMENT_READER_H
#define MAILTAP_DECODE_SEGMENT_READER_H

#include "decode/dns_stream.h"
#include "decode/fragment.h"
#include "decode/headers.h"

struct segment_reader;

// Every packet is in exactly one of headers.outcomes, every datagram put together in one of reassembled.
// Nothing but unsigned figures of 64 bits.
struct segment_reader_counters {
	uint64_t packets;
	struct headers_counters headers;
	uint64_t reassembled[HEADERS_OUTCOMES]; // datagrams put together, by what became of them
	struct fragment_counters fragment;
	struct dns_counters names; // in datagrams; of those handed on, only what was not taken
};
_Static_assert(sizeof(struct segment_reader_counters) % sizeof(uint64_t) == 0, "can be added up");

void segment_reader_counters_add(
    struct segment_reader_counters *sum, const struct segment_reader_counters *one);

// Segments in packet order, at most PACKET_BATCH_MAX. They and their bytes are borrowed for the call.
typedef void segments_sink(void *context, struct segment *const *segments, size_t count);

// `ports` is borrowed for the reader's life; `memory`: bytes for fragments. NULL: no memory.
struct segment_reader *segment_reader_create(const struct port_set *ports, size_t memory);
void segment_reader_destroy(struct segment_reader *reader);

// Where messages of DNS in datagrams go, if the ports have names: in order with the segments.
void segment_reader_names(struct segment_reader *reader, names_sink *sink, void *context);

// Hands on the segments of a batch, in one call or in several.
void segment_reader_batch(struct segment_reader *reader, const struct packet_batch *batch,
    segments_sink *sink, void *context);

// Time is what the newest packet of a batch says, or the wall clock where none come. Time-outs follow it.
// A leap counts only once the next call confirms it: one packet with a broken time must not end every
// session. It may lead back: the next capture may be an earlier one. False: there is a leap that is not
// confirmed, and what time it is is not known.
bool segment_reader_time(struct segment_reader *reader, nanoseconds newest);

// What time it is; 0 before the first packet.
nanoseconds segment_reader_now(const struct segment_reader *reader);

struct segment_reader_counters segment_reader_counters(const struct segment_reader *reader);

#endif
