// SPDX-License-Identifier: Apache-2.0
// Where a direction of a TCP connection ends, and whether it does: FIN and RST may be forged, or never arrive
// (configs/reassembly.md). Neither is believed against what the two ends do afterwards.
//
// A reset in its place (where its sender stands, RFC 5961) is taken until the other side acknowledges what lies behind
// it: who was reset would not. One elsewhere in the window waits: for the bytes in front of it, which may still come,
// or for its sender to say something else, which takes it back.
//
// A FIN ends its direction where it stands. It is taken back by bytes in its place that were not acknowledged as a
// FIN, and by an acknowledgement of what lies behind it.
//
// Called by tcp.c and worker.c; looks at the two directions of a flow, and owns nothing.
#ifndef MAILTAP_DECODE_TCP_END_H
#define MAILTAP_DECODE_TCP_END_H

#include "decode/flow.h"

enum { TCP_FAR = 4 * 1024 * 1024 }; // bytes: nothing in flight in a dialogue is further off

// Whether sequence number `a` is behind `b`.
static inline bool tcp_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

// True while neither side has said that it ends, as for most segments: nothing below has to be asked.
static inline bool tcp_end_is_far(const struct flow *flow)
{
	const struct stream *client = &flow->streams[FROM_CLIENT];
	const struct stream *server = &flow->streams[FROM_SERVER];
	return !(client->fin_seen | server->fin_seen | client->reset_sent | server->reset_sent);
}

// Takes a reset that `from` sent. False: no host would take it.
bool tcp_end_reset(struct flow *flow, enum direction from, const struct segment *segment);

// True if a reset stands where its sender does, or did when it was sent.
bool tcp_end_reset_in_place(const struct stream *stream);

// Takes note of a segment that is no reset: it may show that its sender, or whom it answers, was not reset, or did not
// say FIN. How many resets and FINs it takes back.
unsigned tcp_end_doubt(struct flow *flow, enum direction from, const struct segment *segment);

// The direction goes on behind its FIN: there was none.
void tcp_end_reopen(struct flow *flow, enum direction from);

// Whether the FIN of a closed direction was acknowledged, and nothing behind it: then nothing can come behind it.
bool tcp_end_acknowledged(const struct stream *stream);

// The number of a FIN that is one no longer is again that of a byte that is missing, if it was.
void tcp_end_count_fin(struct stream *stream);

// To be called when a direction has moved on: what it has passed was no end.
void tcp_end_passed(struct stream *stream);

// At the end of a flow, once nothing is held any more: drops the resets that were not meant.
void tcp_end_settle(struct flow *flow);

// True if a reset is taken, in either direction.
bool tcp_end_was_reset(const struct flow *flow);

// True if both sides have said FIN, or the connection was reset: nothing more is expected.
bool tcp_end_reached(const struct flow *flow);

// True if nobody can have gone on with a connection whose end was reached: it never was one, or each side has
// acknowledged the FIN of the other.
bool tcp_end_certain(const struct flow *flow);

// What ended a flow, once that is settled.
enum end_reason tcp_end_reason(const struct flow *flow, enum end_reason otherwise);

#endif
