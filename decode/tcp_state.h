// SPDX-License-Identifier: Apache-2.0
// What the parts of TCP (tcp.h) need of each other, and nobody else: tcp.c takes segments, tcp_order.c holds back what
// comes too early and gives up what is missing, tcp_delivery.c pushes bytes and holes into the dialogue. All of it
// belongs to the flow.
#ifndef MAILTAP_DECODE_TCP_STATE_H
#define MAILTAP_DECODE_TCP_STATE_H

#include "decode/tcp.h"

// A segment, or what was held back of one, as it is delivered.
struct arrival {
	const uint8_t *bytes;
	uint32_t sequence, captured, length;
	uint32_t acknowledgement;
	bool acknowledges;
	bool intact; // looks.h
	struct segment_look look;
	nanoseconds time;
};

// What is held back of a direction, the lowest sequence number. NULL: nothing.
static inline const struct held_segment *tcp_first_held(const struct stream *stream)
{
	return stream->holding ? backlog_first(stream->backlog) : NULL;
}

/* ---- tcp_delivery.c ---- */

// False: there is no memory for one.
bool tcp_has_backlog(struct tcp_context *context, struct stream *stream);

// Delivers what is new of it; what the snap length cut off is a gap.
void tcp_deliver(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct arrival *arrival);

// The next `length` bytes will not come.
void tcp_deliver_gap(
    struct tcp_context *context, struct flow *flow, enum direction from, uint32_t length);

// Counts bytes as missing; they may still come where nothing is read any more.
void tcp_note_hole(
    struct tcp_context *context, struct stream *stream, uint32_t start, uint32_t end);

/* ---- tcp_order.c ---- */

// Sent after bytes of the other side that are not delivered yet. An acknowledgement of what is far
// beyond anything seen is not believed.
bool tcp_waits(
    const struct flow *flow, enum direction from, bool acknowledges, uint32_t acknowledgement);

// Ends the directions whose FIN is next.
void tcp_deliver_fins(struct flow *flow);

// What ends there lies behind a FIN that the other side has taken: no host reads it. Behind one that was not, the
// direction goes on.
bool tcp_is_behind_end(
    struct tcp_context *context, struct flow *flow, enum direction from, uint32_t end);

bool tcp_holds(const struct flow *flow);

// Delivers what is held and waits for nothing any more.
void tcp_pump(struct tcp_context *context, struct flow *flow);

// Gives up holes for which too much is held, or for too long.
void tcp_bound_waiting(struct tcp_context *context, struct flow *flow, nanoseconds now);

#endif
