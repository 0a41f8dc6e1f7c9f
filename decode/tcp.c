// SPDX-License-Identifier: Apache-2.0
#include "decode/tcp.h"

#include "decode/conflict.h"
#include "decode/dns_stream.h"
#include "decode/mail_elsewhere.h"
#include "decode/tcp_end.h"

#include <string.h>

enum { FAR_PATIENCE = 3 }; // segments in a row beyond TCP_FAR, until the stream follows them

// How long a missing piece may still come, in packet time.
static const nanoseconds patience_acknowledged =
    SECONDS(1); // its receiver has it, the tap does not
static const nanoseconds patience_unknown = SECONDS(5);
static const nanoseconds patience_syn = SECONDS(1) / 2; // of who sends it again, at the least

static const struct held_segment *first_held(const struct stream *stream)
{
	return stream->holding ? backlog_first(stream->backlog) : NULL;
}

static bool has_backlog(struct tcp_context *context, struct stream *stream)
{
	if (stream->backlog == NULL)
		stream->backlog = backlog_create(context->memory);
	return stream->backlog != NULL;
}

/* ---- into the dialogue ---- */

static void begin_names(const struct flow *flow)
{
	struct dns_ends ends;
	for (unsigned end = 0; end < 2; end++) {
		unsigned of = end == flow->client_end ? FROM_CLIENT : FROM_SERVER;
		ends.address[of] = flow->key.address[end];
		ends.port[of] = flow->key.port[end];
	}
	dialogue_begin_names(flow->dialogue, &ends);
}

static bool open_dialogue(struct tcp_context *context, struct flow *flow)
{
	if (flow->dialogue != NULL)
		return true;
	if (flow->session != NULL || flow->class == FLOW_CUT_OVER)
		return false;
	struct session *session = memory_take(context->memory, sizeof *session);
	if (session == NULL)
		return false;
	session_begin(session, context->shared);
	const bool missing[2] = {
	    !flow->streams[FROM_CLIENT].start_known, !flow->streams[FROM_SERVER].start_known};
	flow->session = session;
	flow->dialogue = dialogue_create(context->memory, session, flow->hint, missing);
	if (flow->dialogue != NULL && flow->hint.protocol == PROTOCOL_DNS)
		begin_names(flow);
	return flow->dialogue != NULL;
}

// On a port that is not known for mail most connections end here, at their first bytes and without a
// dialogue.
static bool worth_a_dialogue(
    struct flow *flow, enum direction from, const uint8_t *bytes, size_t length)
{
	if (!flow->hint.elsewhere || flow->dialogue != NULL)
		return true;
	flow->given_up |=
	    !mail_elsewhere_possible(from, bytes, length, flow->streams[from].start_known);
	return !flow->given_up;
}

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

// Takes note of what was just read: whether it was in the clear, and can hold nothing private.
static void mark_read(struct flow *flow, enum direction from, bool was_clear)
{
	struct stream *stream = &flow->streams[from];
	bool clear = dialogue_in_the_clear(flow->dialogue);
	if (clear || was_clear)
		backlog_mark_clear(stream->backlog, stream->next);
	if (clear && !flow->session->client_confided && !flow->session->dialogue_gap[FROM_CLIENT] &&
	    !dialogue_keeps(flow->dialogue, FROM_CLIENT))
		backlog_mark_plain(stream->backlog, stream->next);
}

static void deliver_bytes(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct arrival *arrival, uint32_t old)
{
	struct stream *stream = &flow->streams[from];
	struct chunk chunk = {
	    .from = from,
	    .bytes = arrival->bytes + old,
	    .length = arrival->captured - old,
	    .time = arrival->time,
	    .acknowledgement = arrival->acknowledgement,
	    .acknowledges = arrival->acknowledges,
	};
	stream->next += (uint32_t)chunk.length;
	stream->bytes += chunk.length;
	tcp_end_passed(stream);
	if (!worth_a_dialogue(flow, from, chunk.bytes, chunk.length) ||
	    !open_dialogue(context, flow) || dialogue_done(flow->dialogue))
		return;
	bool remembered = has_backlog(context, stream);
	bool was_clear = dialogue_in_the_clear(flow->dialogue);
	if (remembered)
		backlog_remember(stream->backlog, chunk.bytes, chunk.length);
	if (remembered && arrival->intact)
		backlog_saw(stream->backlog, &(struct sighting){.sequence = arrival->sequence + old,
		                                 .length = (uint16_t)chunk.length,
		                                 .look = arrival->look});
	context->shared->now = chunk.time;
	dialogue_data(flow->dialogue, &chunk, flow->streams[other_direction(from)].packets > 0);
	if (remembered)
		mark_read(flow, from, was_clear);
}

/* ---- holes ---- */

static void note_hole(
    struct tcp_context *context, struct stream *stream, uint32_t start, uint32_t end)
{
	holes_note(context->memory, &stream->holes, start, end, TCP_FAR);
	stream->missing += end - start;
}

static void deliver_gap(
    struct tcp_context *context, struct flow *flow, enum direction from, uint32_t length)
{
	struct stream *stream = &flow->streams[from];
	if (length == 0)
		return;
	note_hole(context, stream, stream->next, stream->next + length);
	stream->next += length;
	tcp_end_passed(stream);
	if (stream->backlog != NULL)
		backlog_forget(stream->backlog);
	if (flow->hint.elsewhere && flow->dialogue == NULL) {
		stream->start_known = false; // the first bytes are lost: what follows are not
		return;
	}
	context->counters->gaps++;
	context->counters->gap_bytes += length;
	if (open_dialogue(context, flow))
		dialogue_gap(flow->dialogue, from, length);
}

// Delivers what is new of it; what the snap length cut off is a gap.
static void deliver(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct arrival *arrival)
{
	struct stream *stream = &flow->streams[from];
	uint32_t old = stream->next - arrival->sequence;
	if (old < arrival->captured)
		deliver_bytes(context, flow, from, arrival, old);
	uint32_t end = arrival->sequence + arrival->length;
	if (tcp_after(end, stream->next))
		deliver_gap(context, flow, from, end - stream->next);
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
	return (int32_t)ahead > 0 && ahead < TCP_FAR;
}

// The end of a direction waits like data: its sender had seen what it acknowledges.
static void deliver_fin(struct flow *flow, enum direction from)
{
	struct stream *stream = &flow->streams[from];
	if (!stream->fin_seen || stream->closed || stream->next != stream->fin_sequence ||
	    waits_for_other(flow, from, true, stream->fin_acknowledgement))
		return;
	stream->closed = true;
	stream->next++;
	tcp_end_passed(stream);
	if (flow->dialogue != NULL)
		dialogue_close(flow->dialogue, from);
}

static void deliver_fins(struct flow *flow)
{
	deliver_fin(flow, FROM_CLIENT);
	deliver_fin(flow, FROM_SERVER);
	deliver_fin(flow, FROM_CLIENT); // the server's may have let it go
}

// What ends there lies behind a FIN that the other side has taken: no host reads it. Behind one that was not, the
// direction goes on.
static bool is_behind_end(
    struct tcp_context *context, struct flow *flow, enum direction from, uint32_t end)
{
	const struct stream *stream = &flow->streams[from];
	if (!stream->fin_seen || !tcp_after(end, stream->fin_sequence))
		return false;
	if (tcp_end_acknowledged(stream))
		return true;
	if (stream->closed) {
		tcp_end_reopen(flow, from);
		context->counters->ends_taken_back++;
	}
	return false;
}

static void drop_first(struct tcp_context *context, struct stream *stream)
{
	backlog_drop_first(context->memory, stream->backlog);
	stream->holding = backlog_first(stream->backlog) != NULL;
}

static void deliver_first(struct tcp_context *context, struct flow *flow, enum direction from)
{
	struct stream *stream = &flow->streams[from];
	const struct held_segment *first = backlog_first(stream->backlog);
	struct arrival arrival = {
	    .bytes = first->bytes,
	    .sequence = first->sequence,
	    .captured = first->captured,
	    .length = first->length,
	    .acknowledgement = first->acknowledgement,
	    .acknowledges = first->acknowledges,
	    .intact = first->intact,
	    .look = first->look,
	    .time = first->time,
	};
	uint32_t end = first->sequence + first->length;
	bool behind = is_behind_end(context, flow, from, end);
	if (tcp_after(first->sequence, stream->next))
		return; // the number of a FIN that was none lies between
	if (tcp_after(end, stream->next) && !behind)
		deliver(context, flow, from, &arrival);
	drop_first(context, stream);
	deliver_fins(flow);
}

static bool first_in_sequence(const struct stream *stream)
{
	const struct held_segment *first = first_held(stream);
	return first != NULL && !tcp_after(first->sequence, stream->next);
}

static bool first_waits(const struct flow *flow, enum direction from)
{
	const struct held_segment *first = backlog_first(flow->streams[from].backlog);
	return waits_for_other(flow, from, first->acknowledges, first->acknowledgement);
}

static bool deliver_ready(struct tcp_context *context, struct flow *flow, enum direction from)
{
	bool progress = false;
	while (first_in_sequence(&flow->streams[from]) && !first_waits(flow, from)) {
		deliver_first(context, flow, from);
		progress = true;
	}
	return progress;
}

// Both directions have their next bytes and each waits for the other: a retransmission carries a
// newer acknowledgement than the original did. The one captured first was sent first.
static bool untie(struct tcp_context *context, struct flow *flow)
{
	const struct stream *client = &flow->streams[FROM_CLIENT];
	const struct stream *server = &flow->streams[FROM_SERVER];
	if (!first_in_sequence(client) || !first_in_sequence(server))
		return false;
	bool client_first =
	    backlog_first(client->backlog)->time <= backlog_first(server->backlog)->time;
	deliver_first(context, flow, client_first ? FROM_CLIENT : FROM_SERVER);
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
	const struct held_segment *mine = first_held(stream), *theirs = first_held(other);
	if (mine == NULL)
		return false;
	if (is_behind_end(context, flow, from, mine->sequence + mine->length)) {
		drop_first(context, stream);
		return true;
	}
	if (!first_in_sequence(stream)) {
		deliver_gap(context, flow, from, mine->sequence - stream->next);
		return true;
	}
	uint32_t end = mine->acknowledgement;
	if (theirs != NULL && tcp_after(end, theirs->sequence))
		end = theirs->sequence;
	if (other->fin_seen && tcp_after(end, other->fin_sequence))
		end = other->fin_sequence;
	if (!tcp_after(end, other->next))
		return false;
	deliver_gap(context, flow, opposite, end - other->next);
	deliver_fins(flow);
	if (other->packets == 0)
		flow->waits_off = true;
	return true;
}

static void give_up_oldest_hole(struct tcp_context *context, struct flow *flow)
{
	const struct held_segment *client = first_held(&flow->streams[FROM_CLIENT]);
	const struct held_segment *server = first_held(&flow->streams[FROM_SERVER]);
	enum direction first = FROM_CLIENT;
	if (client == NULL || (server != NULL && server->time < client->time))
		first = FROM_SERVER;
	if (!give_up_hole(context, flow, first) &&
	    !give_up_hole(context, flow, other_direction(first)))
		deliver_first(context, flow, first);
	pump(context, flow);
}

static bool anything_held(const struct flow *flow)
{
	return flow->streams[FROM_CLIENT].holding || flow->streams[FROM_SERVER].holding;
}

// The receiver of what this direction lacks has acknowledged it: the tap missed it for good, or the
// capture's order is off.
static bool hole_acknowledged(const struct flow *flow)
{
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		const struct stream *stream = &flow->streams[from];
		if (stream->acknowledged_known && tcp_after(stream->acknowledged, stream->next))
			return true;
	}
	return false;
}

static void bound_waiting(struct tcp_context *context, struct flow *flow, nanoseconds now)
{
	while (backlog_is_full(flow->streams[FROM_CLIENT].backlog) ||
	       backlog_is_full(flow->streams[FROM_SERVER].backlog))
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

// Bytes that are known to have been sent and never came: up to a FIN, a RST or an acknowledgement. One
// acknowledged byte may as well be a FIN that was not captured.
static uint32_t missing_at_end(const struct stream *stream)
{
	uint32_t end = stream->next;
	if (stream->closed)
		return 0;
	if (stream->fin_seen)
		end = stream->fin_sequence;
	else if (stream->reset_sent && stream->known)
		end = stream->reset_sequence;
	else if (stream->acknowledged_known && stream->acknowledged != stream->next + 1)
		end = stream->acknowledged;
	return tcp_after(end, stream->next) && end - stream->next < TCP_FAR ? end - stream->next
	                                                                    : 0;
}

void tcp_flush(struct tcp_context *context, struct flow *flow)
{
	while (anything_held(flow))
		give_up_oldest_hole(context, flow);
}

void tcp_finish(struct tcp_context *context, struct flow *flow)
{
	tcp_flush(context, flow);
	tcp_end_settle(flow);
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		uint32_t missing = missing_at_end(&flow->streams[from]);
		if (missing > 0)
			deliver_gap(context, flow, (enum direction)from, missing);
	}
	flow->waits_off = true;
	deliver_fins(flow);
}

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
		note_hole(context, stream, stream->next, start);
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
	if (is_behind_end(context, flow, from, end)) {
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
	bool waits = waits_for_other(flow, from, arrival.acknowledges, arrival.acknowledgement);
	if (first_held(stream) == NULL && !tcp_after(segment->sequence, stream->next) && !waits) {
		deliver(context, flow, from, &arrival);
		return;
	}
	context->counters->out_of_order++;
	if (!has_backlog(context, stream) ||
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
	deliver_fins(flow);
	if (anything_held(flow)) {
		pump(context, flow);
		bound_waiting(context, flow, segment->context.time);
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
