// SPDX-License-Identifier: Apache-2.0
#include "decode/tcp.h"

#include "decode/conflict.h"
#include "decode/tcp_end.h"
#include "decode/tcp_state.h"

enum { FAR_PATIENCE = 3 }; // segments in a row beyond TCP_FAR, until the stream follows them

static const nanoseconds patience_syn = SECONDS(1) / 2; // of who sends it again, at the least

void tcp_release(struct tcp_context *context, struct flow *flow)
{
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		struct stream *stream = &flow->streams[from];
		if (stream->backlog != NULL && flow->session != NULL)
			flow->session->conflicting_bytes[from] +=
			    backlog_conflicting(stream->backlog);
		backlog_destroy(context->memory, stream->backlog);
		stream->backlog = NULL;
		stream->holding = false;
	}
}

/* ---- a segment ---- */

static void set_next(struct stream *stream, uint32_t next, bool start_known)
{
	stream->next = next;
	stream->known = true;
	stream->start_known = start_known;
	stream->reset_sequence = next; // if it was reset before anything of it was known
}

// A client whose SYN for a port of TLS nobody answered asks again: sooner, it is the packet that was
// captured twice (RFC 6298 2.1 waits a second).
static bool is_kept_out(const struct flow *flow, enum direction from, const struct segment *segment)
{
	return from == FROM_CLIENT && flow->hint.implicit_tls &&
	       flow->streams[FROM_CLIENT].syn_seen && flow->streams[FROM_SERVER].packets == 0 &&
	       segment->sequence == flow->syn_sequence &&
	       segment->context.time - flow->first >= patience_syn;
}

// A SYN fixes where its direction begins. One that comes late (behind data, by reordering) completes
// what was taken for a connection joined mid-way, if nothing was missed in between.
static void take_syn(struct flow *flow, enum direction from, const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	flow->kept_out |= is_kept_out(flow, from, segment);
	flow->saw_start = true;
	stream->syn_seen = true;
	if (from == FROM_CLIENT)
		flow->syn_sequence = segment->sequence;
	if (!stream->known)
		set_next(stream, segment->sequence + 1, true);
	else if (stream->next == segment->sequence + 1 && stream->bytes == 0)
		stream->start_known = true;
}

// An acknowledgement tells where the other direction stands before anything of it was seen: exactly at
// its beginning if it answers a SYN.
static void take_acknowledgement(
    struct flow *flow, enum direction from, const struct segment *segment)
{
	struct stream *other = &flow->streams[other_direction(from)];
	if (!(segment->flags & TCP_ACK))
		return;
	if (!other->known)
		set_next(other, segment->acknowledgement, (segment->flags & TCP_SYN) != 0);
	if (!other->acknowledged_known ||
	    tcp_after(segment->acknowledgement, other->acknowledged)) {
		other->acknowledged = segment->acknowledgement;
		other->acknowledged_known = true;
	}
}

static bool is_keep_alive(const struct stream *stream, const struct segment *segment)
{
	return segment->length <= 1 && segment->sequence == stream->next - 1;
}

// Whether a segment lies where nothing in flight can be. A stream that keeps going on there has lost
// that much, and is followed.
static bool is_far(struct stream *stream, const struct segment *segment)
{
	int32_t distance = (int32_t)(segment->sequence - stream->next);
	bool near = distance <= TCP_FAR && distance >= -TCP_FAR;
	if (!near && (distance < 0 || ++stream->far_segments < FAR_PATIENCE))
		return true;
	stream->far_segments = 0;
	return false;
}

static void take_reset(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct segment *segment)
{
	if (!tcp_end_reset(flow, from, segment)) {
		context->counters->out_of_window++;
		return;
	}
	if (flow->streams[other_direction(from)].known &&
	    tcp_end_reset_in_place(&flow->streams[from]))
		take_acknowledgement(flow, from, segment); // what it had heard until then
}

// Counts a segment of a connection that is no longer read: new bytes, new holes, and what comes late
// into a hole.
static void count_only(
    struct tcp_context *context, struct stream *stream, const struct segment *segment)
{
	uint32_t start = segment->sequence, end = segment->sequence + segment->length;
	if (!stream->known || segment->length == 0 ||
	    (tcp_end_acknowledged(stream) && tcp_after(end, stream->fin_sequence)))
		return;
	uint32_t late_end = tcp_after(end, stream->next) ? stream->next : end;
	uint32_t filled = holes_fill(stream->holes, start, late_end);
	stream->missing -= filled;
	stream->bytes += filled;
	if (!tcp_after(end, stream->next))
		return;
	if (tcp_after(start, stream->next))
		tcp_note_hole(context, stream, stream->next, start);
	else
		start = stream->next;
	stream->bytes += end - start;
	stream->next = end;
	tcp_end_passed(stream);
}

/* ---- bytes that come again with another value ---- */

// What is held may be TLS already.
static bool is_text(const uint8_t *bytes, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		if (bytes[i] < ' ' && bytes[i] != '\r' && bytes[i] != '\n' && bytes[i] != '\t')
			return false;
	return true;
}

static bool is_in_the_clear(
    const struct flow *flow, enum direction from, const struct conflict *conflict)
{
	if (conflict->delivered)
		return backlog_is_clear(
		    flow->streams[from].backlog, conflict->sequence + conflict->length);
	return dialogue_in_the_clear(flow->dialogue) &&
	       is_text(conflict->first, conflict->length) &&
	       is_text(conflict->again, conflict->length);
}

// Nothing private can be among them, as far as their place tells (conflict.h).
static bool may_be_kept(const struct flow *flow, enum direction from, const struct segment *segment,
    const struct conflict *conflict)
{
	const struct stream *client = &flow->streams[FROM_CLIENT];
	uint32_t end = conflict->sequence + conflict->length; // beyond what is plain, if held
	if (!backlog_is_plain(flow->streams[from].backlog, end))
		return false;
	if (from == FROM_CLIENT)
		return true;
	bool client_silent = client->known && client->bytes + client->missing == 0 &&
	                     !tcp_after(segment->acknowledgement, client->next);
	return (segment->flags & TCP_ACK) &&
	       (client_silent || backlog_is_plain(client->backlog, segment->acknowledgement));
}

static void take_conflict(struct flow *flow, enum direction from, const struct segment *segment,
    const struct conflict *conflict)
{
	const struct stream *stream = &flow->streams[from];
	if (conflict->unclear && flow->dialogue != NULL && dialogue_in_the_clear(flow->dialogue))
		flow->session->dialogue_gap[from] = true;
	if (conflict->length == 0 || flow->dialogue == NULL ||
	    !is_in_the_clear(flow, from, conflict))
		return;
	// The FIN is counted in `next` once the direction is closed.
	int32_t ahead = (int32_t)(conflict->sequence - stream->next) + stream->closed;
	conflict_note(flow->session, conflict, from,
	    stream->bytes + stream->missing + (uint64_t)(int64_t)ahead,
	    may_be_kept(flow, from, segment, conflict));
}

static void take_payload(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	uint32_t end = segment->sequence + segment->length;
	if (is_keep_alive(stream, segment) && !stream->closed)
		return;
	if (tcp_is_behind_end(context, flow, from, end)) {
		context->counters->out_of_window++;
		return;
	}
	struct conflict conflict = {.length = 0};
	if (tcp_after(stream->next, segment->sequence) && stream->backlog != NULL) {
		uint32_t delivered = stream->next - stream->closed; // a FIN counts, but is no byte
		backlog_compare(stream->backlog, segment, delivered, &conflict);
		take_conflict(flow, from, segment, &conflict);
	}
	if (!tcp_after(end, stream->next)) {
		context->counters->duplicates++;
		return;
	}
	struct arrival arrival = {
	    .bytes = segment->payload,
	    .sequence = segment->sequence,
	    .captured = segment->captured,
	    .length = segment->length,
	    .acknowledgement = segment->acknowledgement,
	    .acknowledges = (segment->flags & TCP_ACK) != 0,
	    .intact = segment_is_intact(segment),
	    .look = segment_look_of(segment),
	    .time = segment->context.time,
	};
	bool waits = tcp_waits(flow, from, arrival.acknowledges, arrival.acknowledgement);
	if (tcp_first_held(stream) == NULL && !tcp_after(segment->sequence, stream->next) &&
	    !waits) {
		tcp_deliver(context, flow, from, &arrival);
		return;
	}
	context->counters->out_of_order++;
	if (!tcp_has_backlog(context, stream) ||
	    !backlog_hold(context->memory, stream->backlog, segment, &conflict))
		context->counters->held_dropped++;
	else
		take_conflict(flow, from, segment, &conflict);
	stream->holding = backlog_first(stream->backlog) != NULL;
}

// An acknowledgement counts the FIN as a byte. One that came before the FIN can have made a hole of that
// byte too, as the last of the stream: it is not missing.
static void uncount_fin(struct stream *stream)
{
	uint32_t end = stream->fin_sequence + 1;
	if (stream->next == end && holes_drop_last(stream->holes, end)) {
		stream->missing--;
		stream->fin_for_byte = true;
	}
}

static void note_fin(struct stream *stream, const struct segment *segment)
{
	uint32_t place = segment->sequence + segment->length;
	if (!(segment->flags & TCP_FIN) || stream->closed)
		return;
	if (place != stream->fin_sequence)
		tcp_end_count_fin(stream);
	stream->fin_seen = true;
	stream->fin_acknowledgement = segment->acknowledgement;
	stream->fin_sequence = place;
	uncount_fin(stream);
}

static void read_segment(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	note_fin(stream, segment);
	if (segment->length > 0)
		take_payload(context, flow, from, segment);
	else if (stream->backlog != NULL && segment_is_intact(segment))
		backlog_saw(stream->backlog, &(struct sighting){.sequence = segment->sequence,
		                                 .look = segment_look_of(segment)});
	tcp_deliver_fins(flow);
	if (tcp_holds(flow)) {
		tcp_pump(context, flow);
		tcp_bound_waiting(context, flow, segment->context.time);
	}
}

// A segment, behind the sequence number that its SYN takes, and without bytes that hosts may read differently.
static void take_bytes(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	if (segment->flags & TCP_RST) {
		take_reset(context, flow, from, segment);
		return;
	}
	if (!(segment->flags & (TCP_ACK | TCP_SYN))) {
		context->counters->out_of_window++; // no host takes it (RFC 9293 3.10.7.4)
		return;
	}
	take_acknowledgement(flow, from, segment);
	if (!stream->known)
		set_next(stream, segment->sequence, false);
	if (is_far(stream, segment)) {
		context->counters->out_of_window++;
		return;
	}
	if (!tcp_end_is_far(flow))
		context->counters->ends_taken_back += tcp_end_doubt(flow, from, segment);
	if (flow->session != NULL && flow->dialogue == NULL) {
		count_only(context, stream, segment);
		note_fin(stream, segment);
	} else {
		read_segment(context, flow, from, segment);
	}
}

void tcp_segment(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	if (stream->packets++ == 0)
		stream->tap_point = segment->context.tap_point;
	if (!(segment->flags & (TCP_SYN | TCP_URG))) {
		take_bytes(context, flow, from, segment);
		return;
	}
	struct segment rest = *segment;
	if (segment->flags & TCP_SYN) {
		take_syn(flow, from, segment);
		if (!(segment->flags & TCP_RST)) // which is judged by the number that it has
			rest.sequence++;
	}
	if (segment->flags & TCP_URG)
		rest.captured = 0; // some hosts read urgent bytes in line, others not: nobody knows which
	take_bytes(context, flow, from, &rest);
}
