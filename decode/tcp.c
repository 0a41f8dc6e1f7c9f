// SPDX-License-Identifier: Apache-2.0
#include "decode/tcp.h"

#include <string.h>

enum {
	HELD_BYTES_MAX = 64 * 1024,  // of one direction, until what is missing counts as lost
	HELD_COUNT_MAX = 512,        // segments, likewise
	RECENT_MAX = 512,            // last bytes delivered that are kept to compare with
	FAR = 4 * 1024 * 1024,       // bytes: nothing in flight in a dialogue is further off
	FAR_PATIENCE = 3,            // segments in a row beyond that, until the stream follows them
};

// How long a missing piece may still come, in packet time.
static const nanoseconds patience_acknowledged = SECONDS(1); // its receiver has it, the tap does not
static const nanoseconds patience_unknown = SECONDS(5);

struct held_segment {
	struct held_segment *next;
	nanoseconds time;
	uint32_t sequence;
	uint32_t captured;
	uint32_t length;        // on the wire
	uint32_t acknowledgement;
	bool acknowledges;
	uint8_t bytes[];
};

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static size_t held_size(const struct held_segment *held)
{
	return sizeof *held + held->captured;
}

/* ---- what was delivered lately, to compare with what comes again ---- */

static void remember(struct tcp_context *context, struct stream *stream, const uint8_t *bytes,
    size_t length)
{
	if (stream->recent == NULL) {
		stream->recent = memory_take(context->memory, RECENT_MAX);
		stream->recent_length = 0;
	}
	if (stream->recent == NULL)
		return;
	if (length >= RECENT_MAX) {
		memcpy(stream->recent, bytes + length - RECENT_MAX, RECENT_MAX);
		stream->recent_length = RECENT_MAX;
		return;
	}
	size_t kept = stream->recent_length;
	if (kept + length > RECENT_MAX) {
		size_t out = kept + length - RECENT_MAX;
		memmove(stream->recent, stream->recent + out, kept - out);
		kept -= out;
	}
	memcpy(stream->recent + kept, bytes, length);
	stream->recent_length = (uint16_t)(kept + length);
}

static void forget(struct tcp_context *context, struct stream *stream)
{
	memory_give(context->memory, stream->recent, RECENT_MAX);
	stream->recent = NULL;
	stream->recent_length = 0;
}

static void count_conflicts(
    struct stream *stream, const uint8_t *again, const uint8_t *before, size_t length)
{
	for (size_t i = 0; i < length; i++)
		stream->conflicting += again[i] != before[i];
}

// Compares a segment with the bytes delivered before that it repeats.
static void compare_with_recent(struct stream *stream, const struct segment *segment)
{
	uint32_t start = stream->next - stream->recent_length;
	uint32_t from = after(segment->sequence, start) ? segment->sequence : start;
	uint32_t end = segment->sequence + segment->captured;
	uint32_t to = after(end, stream->next) ? stream->next : end;
	if (stream->recent_length == 0 || !after(to, from))
		return;
	count_conflicts(stream, segment->payload + (from - segment->sequence),
	    stream->recent + (from - start), to - from);
}

/* ---- into the dialogue ---- */

static bool open_dialogue(struct tcp_context *context, struct flow *flow)
{
	if (flow->dialogue != NULL)
		return true;
	if (flow->session != NULL || flow->class == FLOW_CUT_OVER)
		return false;
	struct session *session = memory_take(context->memory, sizeof *session);
	if (session == NULL)
		return false;
	session_begin(session, context->texts);
	const bool missing[2] = {
	    !flow->streams[FROM_CLIENT].start_known, !flow->streams[FROM_SERVER].start_known};
	flow->session = session;
	flow->dialogue = dialogue_create(context->memory, session, flow->hint, missing);
	return flow->dialogue != NULL;
}

static void deliver_bytes(struct tcp_context *context, struct flow *flow, enum direction from,
    const uint8_t *bytes, uint32_t length, nanoseconds time)
{
	struct stream *stream = &flow->streams[from];
	stream->next += length;
	stream->bytes += length;
	if (length == 0 || !open_dialogue(context, flow) || dialogue_done(flow->dialogue))
		return;
	remember(context, stream, bytes, length);
	struct chunk chunk = {from, bytes, length, time};
	bool other_seen = flow->streams[other_direction(from)].packets > 0;
	dialogue_data(flow->dialogue, &chunk, other_seen);
}

static void deliver_gap(
    struct tcp_context *context, struct flow *flow, enum direction from, uint32_t length)
{
	struct stream *stream = &flow->streams[from];
	if (length == 0)
		return;
	stream->hole_start = stream->next;
	stream->next += length;
	stream->hole_end = stream->next;
	stream->missing += length;
	stream->recent_length = 0;
	context->counters->gaps++;
	context->counters->gap_bytes += length;
	if (open_dialogue(context, flow))
		dialogue_gap(flow->dialogue, from, length);
}

// Delivers what of these bytes is new; what the snap length cut off is a gap.
static void deliver(struct tcp_context *context, struct flow *flow, enum direction from,
    const uint8_t *bytes, uint32_t sequence, uint32_t captured, uint32_t length, nanoseconds time)
{
	struct stream *stream = &flow->streams[from];
	uint32_t old = stream->next - sequence;
	if (old < captured)
		deliver_bytes(context, flow, from, bytes + old, captured - old, time);
	uint32_t end = sequence + length;
	if (after(end, stream->next))
		deliver_gap(context, flow, from, end - stream->next);
}

static void deliver_fin(struct flow *flow, enum direction from)
{
	struct stream *stream = &flow->streams[from];
	if (!stream->fin_seen || stream->closed || stream->next != stream->fin_sequence)
		return;
	stream->closed = true;
	stream->next++;
	if (flow->dialogue != NULL)
		dialogue_close(flow->dialogue, from);
}

/* ---- holding back ---- */

// Sent after bytes of the other side that are not delivered yet. An acknowledgement of what is far
// beyond anything seen is not believed.
static bool waits_for_other(
    const struct flow *flow, enum direction from, bool acknowledges, uint32_t acknowledgement)
{
	const struct stream *other = &flow->streams[other_direction(from)];
	if (!acknowledges || !other->known || flow->waits_off)
		return false;
	uint32_t ahead = acknowledgement - other->next;
	if (other->fin_seen && acknowledgement == other->fin_sequence + 1)
		ahead = other->fin_sequence - other->next;
	return (int32_t)ahead > 0 && ahead < FAR;
}

static struct held_segment *make_held(struct tcp_context *context, const struct segment *segment,
    uint32_t sequence, uint32_t end)
{
	uint32_t skipped = sequence - segment->sequence;
	uint32_t captured = segment->captured > skipped ? segment->captured - skipped : 0;
	if (captured > end - sequence)
		captured = end - sequence;
	struct held_segment *held = memory_take(context->memory, sizeof *held + captured);
	if (held == NULL) {
		context->counters->held_dropped++;
		return NULL;
	}
	*held = (struct held_segment){
	    .time = segment->context.time,
	    .sequence = sequence,
	    .captured = captured,
	    .length = end - sequence,
	    .acknowledgement = segment->acknowledgement,
	    .acknowledges = (segment->flags & TCP_ACK) != 0,
	};
	if (captured > 0)
		memcpy(held->bytes, segment->payload + skipped, captured);
	return held;
}

static void compare_with_held(
    struct stream *stream, const struct held_segment *held, const struct segment *segment)
{
	uint32_t from = after(segment->sequence, held->sequence) ? segment->sequence : held->sequence;
	uint32_t held_end = held->sequence + held->captured;
	uint32_t end = segment->sequence + segment->captured;
	uint32_t to = after(end, held_end) ? held_end : end;
	if (after(to, from))
		count_conflicts(stream, segment->payload + (from - segment->sequence),
		    held->bytes + (from - held->sequence), to - from);
}

// Puts the pieces of a segment that are not held yet between those that are: the first capture of a
// byte counts.
static void hold(struct tcp_context *context, struct stream *stream, const struct segment *segment)
{
	uint32_t at = segment->sequence, end = segment->sequence + segment->length;
	struct held_segment **link = &stream->held;
	while (after(end, at)) {
		struct held_segment *next = *link;
		uint32_t next_end = next != NULL ? next->sequence + next->length : 0;
		if (next != NULL && !after(next_end, at)) {
			link = &next->next;
			continue;
		}
		uint32_t piece_end = next != NULL && after(end, next->sequence) ? next->sequence : end;
		if (after(piece_end, at)) {
			struct held_segment *piece = make_held(context, segment, at, piece_end);
			if (piece == NULL)
				return;
			piece->next = next;
			*link = piece;
			link = &piece->next;
			stream->held_bytes += piece->captured;
			stream->held_count++;
		}
		if (next == NULL || piece_end == end)
			return;
		compare_with_held(stream, next, segment);
		at = next_end;
	}
}

static void release_first(struct tcp_context *context, struct stream *stream)
{
	struct held_segment *first = stream->held;
	stream->held = first->next;
	stream->held_bytes -= first->captured;
	stream->held_count--;
	memory_give(context->memory, first, held_size(first));
}

static void deliver_first(struct tcp_context *context, struct flow *flow, enum direction from)
{
	struct stream *stream = &flow->streams[from];
	struct held_segment *first = stream->held;
	if (after(first->sequence + first->length, stream->next))
		deliver(context, flow, from, first->bytes, first->sequence, first->captured,
		    first->length, first->time);
	release_first(context, stream);
	deliver_fin(flow, from);
}

static bool first_in_sequence(const struct stream *stream)
{
	return stream->held != NULL && !after(stream->held->sequence, stream->next);
}

static bool deliver_ready(struct tcp_context *context, struct flow *flow, enum direction from)
{
	struct stream *stream = &flow->streams[from];
	bool progress = false;
	while (first_in_sequence(stream) && !waits_for_other(flow, from, stream->held->acknowledges,
	                                        stream->held->acknowledgement)) {
		deliver_first(context, flow, from);
		progress = true;
	}
	return progress;
}

// Both directions have their next bytes and each waits for the other: a retransmission carries a
// newer acknowledgement than the original did. The one captured first was sent first.
static bool untie(struct tcp_context *context, struct flow *flow)
{
	struct stream *client = &flow->streams[FROM_CLIENT], *server = &flow->streams[FROM_SERVER];
	if (!first_in_sequence(client) || !first_in_sequence(server))
		return false;
	deliver_first(context, flow,
	    client->held->time <= server->held->time ? FROM_CLIENT : FROM_SERVER);
	return true;
}

static void pump(struct tcp_context *context, struct flow *flow)
{
	bool progress;
	do {
		progress = deliver_ready(context, flow, FROM_CLIENT);
		progress |= deliver_ready(context, flow, FROM_SERVER);
		progress = progress || untie(context, flow);
	} while (progress);
}

/* ---- giving up on what is missing ---- */

// Declares the hole that blocks this direction's first held segment: its own, or the one in the other
// direction that it waits for. False: nothing blocks it.
static bool give_up_hole(struct tcp_context *context, struct flow *flow, enum direction from)
{
	struct stream *stream = &flow->streams[from];
	enum direction opposite = other_direction(from);
	struct stream *other = &flow->streams[opposite];
	if (stream->held == NULL)
		return false;
	if (!first_in_sequence(stream)) {
		deliver_gap(context, flow, from, stream->held->sequence - stream->next);
		return true;
	}
	uint32_t end = stream->held->acknowledgement;
	if (other->held != NULL && after(end, other->held->sequence))
		end = other->held->sequence;
	if (other->fin_seen && after(end, other->fin_sequence))
		end = other->fin_sequence;
	if (!after(end, other->next))
		return false;
	deliver_gap(context, flow, opposite, end - other->next);
	deliver_fin(flow, opposite);
	if (other->packets == 0)
		flow->waits_off = true;
	return true;
}

static void give_up_oldest_hole(struct tcp_context *context, struct flow *flow)
{
	const struct held_segment *client = flow->streams[FROM_CLIENT].held;
	const struct held_segment *server = flow->streams[FROM_SERVER].held;
	enum direction first = FROM_CLIENT;
	if (client == NULL || (server != NULL && server->time < client->time))
		first = FROM_SERVER;
	if (!give_up_hole(context, flow, first) &&
	    !give_up_hole(context, flow, other_direction(first)))
		deliver_first(context, flow, first);
	pump(context, flow);
}

static bool too_much_held(const struct stream *stream)
{
	return stream->held_bytes > HELD_BYTES_MAX || stream->held_count > HELD_COUNT_MAX;
}

static bool anything_held(const struct flow *flow)
{
	return flow->streams[FROM_CLIENT].held != NULL || flow->streams[FROM_SERVER].held != NULL;
}

// The receiver of what this direction lacks has acknowledged it: the tap missed it for good, or the
// capture's order is off.
static bool hole_acknowledged(const struct flow *flow)
{
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		const struct stream *stream = &flow->streams[from];
		if (stream->acknowledged_known && after(stream->acknowledged, stream->next))
			return true;
	}
	return false;
}

static void bound_waiting(struct tcp_context *context, struct flow *flow, nanoseconds now)
{
	while (too_much_held(&flow->streams[FROM_CLIENT]) || too_much_held(&flow->streams[FROM_SERVER]))
		give_up_oldest_hole(context, flow);
	if (!anything_held(flow)) {
		flow->waiting_since = 0;
		return;
	}
	if (flow->waiting_since == 0)
		flow->waiting_since = now;
	nanoseconds patience = hole_acknowledged(flow) ? patience_acknowledged : patience_unknown;
	if (now - flow->waiting_since > patience) {
		give_up_oldest_hole(context, flow);
		flow->waiting_since = anything_held(flow) ? now : 0;
	}
}

void tcp_flush(struct tcp_context *context, struct flow *flow)
{
	while (anything_held(flow))
		give_up_oldest_hole(context, flow);
	deliver_fin(flow, FROM_CLIENT);
	deliver_fin(flow, FROM_SERVER);
}

void tcp_release(struct tcp_context *context, struct flow *flow)
{
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		struct stream *stream = &flow->streams[from];
		while (stream->held != NULL)
			release_first(context, stream);
		forget(context, stream);
	}
}

/* ---- a segment ---- */

static void set_next(struct stream *stream, uint32_t next, bool start_known)
{
	stream->next = next;
	stream->known = true;
	stream->start_known = start_known;
}

// A SYN fixes where its direction begins. One that comes late (behind data, by reordering) completes
// what was taken for a connection joined mid-way, if nothing was missed in between.
static void take_syn(struct flow *flow, enum direction from, const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	flow->saw_start = true;
	stream->syn_seen = true;
	if (from == FROM_CLIENT)
		flow->syn_sequence = segment->sequence;
	if (!stream->known)
		set_next(stream, segment->sequence + 1, true);
	else if (stream->next == segment->sequence + 1 && stream->bytes == 0)
		stream->start_known = true;
}

// An acknowledgement tells where the other direction stands before anything of it was seen: exactly
// at its beginning if this side has sent nothing beyond its SYN.
static void take_acknowledgement(
    struct flow *flow, enum direction from, const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	struct stream *other = &flow->streams[other_direction(from)];
	if (!(segment->flags & TCP_ACK) || (segment->flags & TCP_RST))
		return;
	bool opening = (segment->flags & TCP_SYN) ||
	    (stream->syn_seen && stream->packets == 2 && segment->sequence == stream->next &&
	        segment->length == 0 && !(segment->flags & TCP_FIN));
	if (!other->known)
		set_next(other, segment->acknowledgement, opening);
	if (!other->acknowledged_known || after(segment->acknowledgement, other->acknowledged)) {
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
	if (distance <= FAR && distance >= -FAR) {
		stream->far_segments = 0;
		return false;
	}
	return distance < 0 || ++stream->far_segments < FAR_PATIENCE;
}

static void take_reset(
    struct tcp_context *context, struct flow *flow, enum direction from, const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	struct stream *other = &flow->streams[other_direction(from)];
	int32_t distance = (int32_t)(segment->sequence - stream->next);
	bool refuses_syn = (segment->flags & TCP_ACK) && segment->acknowledgement == other->next;
	if (stream->known && (distance < -1 || distance > FAR) && !refuses_syn) {
		context->counters->out_of_window++;
		return;
	}
	flow->reset = true;
}

// Counts a segment of a connection that is no longer read: new bytes, holes, and the newest hole
// being filled by what comes late.
static void count_only(struct stream *stream, const struct segment *segment)
{
	uint32_t end = segment->sequence + segment->length;
	if (!stream->known || segment->length == 0)
		return;
	if (after(end, stream->next)) {
		uint32_t hole = after(segment->sequence, stream->next) ? segment->sequence - stream->next : 0;
		if (hole > 0) {
			stream->hole_start = stream->next;
			stream->hole_end = segment->sequence;
			stream->missing += hole;
		}
		stream->bytes += end - stream->next - hole;
		stream->next = end;
	} else if (stream->hole_end != stream->hole_start &&
	    !after(stream->hole_start, segment->sequence) && !after(end, stream->hole_end)) {
		stream->missing -= segment->length;
		stream->bytes += segment->length;
		stream->hole_start = end;
	}
}

static void take_payload(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	uint32_t end = segment->sequence + segment->length;
	if (is_keep_alive(stream, segment))
		return;
	if (!after(end, stream->next)) {
		context->counters->duplicates++;
		compare_with_recent(stream, segment);
		return;
	}
	if (after(stream->next, segment->sequence))
		compare_with_recent(stream, segment);
	bool waits = waits_for_other(
	    flow, from, (segment->flags & TCP_ACK) != 0, segment->acknowledgement);
	if (stream->held == NULL && !after(segment->sequence, stream->next) && !waits) {
		deliver(context, flow, from, segment->payload, segment->sequence, segment->captured,
		    segment->length, segment->context.time);
		return;
	}
	context->counters->out_of_order++;
	hold(context, stream, segment);
}

static void note_fin(struct stream *stream, const struct segment *segment)
{
	if (!(segment->flags & TCP_FIN) || stream->closed)
		return;
	stream->fin_seen = true;
	stream->fin_sequence = segment->sequence + segment->length;
}

static void read_segment(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct segment *segment)
{
	note_fin(&flow->streams[from], segment);
	if (segment->length > 0)
		take_payload(context, flow, from, segment);
	deliver_fin(flow, from);
	if (anything_held(flow)) {
		pump(context, flow);
		bound_waiting(context, flow, segment->context.time);
	}
}

void tcp_segment(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	struct segment rest = *segment;
	if (stream->packets++ == 0)
		stream->tap_point = segment->context.tap_point;
	if (segment->flags & TCP_SYN) {
		take_syn(flow, from, segment);
		rest.sequence++;
	}
	take_acknowledgement(flow, from, segment);
	if (segment->flags & TCP_RST) {
		take_reset(context, flow, from, segment);
		return;
	}
	if (!stream->known)
		set_next(stream, rest.sequence, false);
	if (is_far(stream, &rest)) {
		context->counters->out_of_window++;
		return;
	}
	if (flow->session != NULL && flow->dialogue == NULL) {
		count_only(stream, &rest);
		stream->closed |= (segment->flags & TCP_FIN) != 0;
	} else {
		read_segment(context, flow, from, &rest);
	}
}

bool tcp_ended(const struct flow *flow)
{
	return flow->reset ||
	    (flow->streams[FROM_CLIENT].closed && flow->streams[FROM_SERVER].closed);
}
