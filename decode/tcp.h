// SPDX-License-Identifier: Apache-2.0
// TCP as a passive observer reads it (RFC 9293): puts both directions of a connection in order and
// pushes them into its dialogue, each byte once, holes told as holes.
//
// Order between the directions. A segment that acknowledges bytes of the other side was sent after
// they arrived: it is delivered after them. It waits for a missing piece for a bounded number of
// held bytes and a bounded packet time; then the piece is declared a gap.
//
// What end hosts could see differently (configs/reassembly.md): of bytes sent twice the first capture counts, and
// differing bytes are counted as conflicting; checksums and TTLs do not decide. Where what was read first came
// damaged, and urgent bytes, are not seen.
//
// Called by worker.c for each segment of a tracked flow. Owns what a flow holds back. One thread.
#ifndef MAILTAP_DECODE_TCP_H
#define MAILTAP_DECODE_TCP_H

#include "decode/flow.h"

struct tcp_counters {
	uint64_t duplicates; // segments whose bytes had all been seen
	uint64_t out_of_order; // segments that were held back
	uint64_t gaps; // holes that were given up
	uint64_t gap_bytes;
	uint64_t out_of_window; // segments and resets that no window or no host allows, ignored
	uint64_t ends_taken_back; // resets and FINs behind which the connection went on
	uint64_t held_dropped; // segments dropped because there was no memory to hold them
};

// What tcp.c needs of its worker.
struct tcp_context {
	struct memory *memory;
	struct session_shared *shared;
	struct tcp_counters *counters;
};

// Takes a segment of the flow, sent by `from`.
void tcp_segment(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct segment *segment);

// Delivers all that is held, holes as gaps.
void tcp_flush(struct tcp_context *context, struct flow *flow);

// As tcp_flush, and tells what is known to have been sent and never came: nothing more will.
void tcp_finish(struct tcp_context *context, struct flow *flow);

// Gives back all memory that hangs on the flow's streams.
void tcp_release(struct tcp_context *context, struct flow *flow);

#endif
