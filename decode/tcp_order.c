// SPDX-License-Identifier: Apache-2.0
// What waits: segments that came before what is in front of them, or were sent on what the other side has not been
// heard to say yet, and for how long (tcp_state.h). Called by tcp.c for each segment, and at a connection's end.
#include "decode/tcp_end.h"
#include "decode/tcp_state.h"

// How long a missing piece may still come, in packet time.
static const nanoseconds patience_acknowledged =
    SECONDS(1); // its receiver has it, the tap does not
static const nanoseconds patience_unknown = SECONDS(5);

/* ---- holding back ---- */

bool tcp_waits(
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
	    tcp_waits(flow, from, true, stream->fin_acknowledgement))
		return;
	stream->closed = true;
	stream->next++;
	tcp_end_passed(stream);
	if (flow->dialogue != NULL)
		dialogue_close(flow->dialogue, from);
}

void tcp_deliver_fins(struct flow *flow)
{
	deliver_fin(flow, FROM_CLIENT);
	deliver_fin(flow, FROM_SERVER);
	deliver_fin(flow, FROM_CLIENT); // the server's may have let it go
}

bool tcp_is_behind_end(
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
	bool behind = tcp_is_behind_end(context, flow, from, end);
	if (tcp_after(first->sequence, stream->next))
		return; // the number of a FIN that was none lies between
	if (tcp_after(end, stream->next) && !behind)
		tcp_deliver(context, flow, from, &arrival);
	drop_first(context, stream);
	tcp_deliver_fins(flow);
}

static bool first_in_sequence(const struct stream *stream)
{
	const struct held_segment *first = tcp_first_held(stream);
	return first != NULL && !tcp_after(first->sequence, stream->next);
}

static bool first_waits(const struct flow *flow, enum direction from)
{
	const struct held_segment *first = backlog_first(flow->streams[from].backlog);
	return tcp_waits(flow, from, first->acknowledges, first->acknowledgement);
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

void tcp_pump(struct tcp_context *context, struct flow *flow)
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
	const struct held_segment *mine = tcp_first_held(stream), *theirs = tcp_first_held(other);
	if (mine == NULL)
		return false;
	if (tcp_is_behind_end(context, flow, from, mine->sequence + mine->length)) {
		drop_first(context, stream);
		return true;
	}
	if (!first_in_sequence(stream)) {
		tcp_deliver_gap(context, flow, from, mine->sequence - stream->next);
		return true;
	}
	uint32_t end = mine->acknowledgement;
	if (theirs != NULL && tcp_after(end, theirs->sequence))
		end = theirs->sequence;
	if (other->fin_seen && tcp_after(end, other->fin_sequence))
		end = other->fin_sequence;
	if (!tcp_after(end, other->next))
		return false;
	tcp_deliver_gap(context, flow, opposite, end - other->next);
	tcp_deliver_fins(flow);
	if (other->packets == 0)
		flow->waits_off = true;
	return true;
}

static void give_up_oldest_hole(struct tcp_context *context, struct flow *flow)
{
	const struct held_segment *client = tcp_first_held(&flow->streams[FROM_CLIENT]);
	const struct held_segment *server = tcp_first_held(&flow->streams[FROM_SERVER]);
	enum direction first = FROM_CLIENT;
	if (client == NULL || (server != NULL && server->time < client->time))
		first = FROM_SERVER;
	if (!give_up_hole(context, flow, first) &&
	    !give_up_hole(context, flow, other_direction(first)))
		deliver_first(context, flow, first);
	tcp_pump(context, flow);
}

bool tcp_holds(const struct flow *flow)
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

void tcp_bound_waiting(struct tcp_context *context, struct flow *flow, nanoseconds now)
{
	while (backlog_is_full(flow->streams[FROM_CLIENT].backlog) ||
	       backlog_is_full(flow->streams[FROM_SERVER].backlog))
		give_up_oldest_hole(context, flow);
	if (!tcp_holds(flow)) {
		flow->waiting_since = 0;
		return;
	}
	if (flow->waiting_since == 0)
		flow->waiting_since = now;
	nanoseconds patience = hole_acknowledged(flow) ? patience_acknowledged : patience_unknown;
	if (now - flow->waiting_since > patience) {
		give_up_oldest_hole(context, flow);
		flow->waiting_since = tcp_holds(flow) ? now : 0;
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
	while (tcp_holds(flow))
		give_up_oldest_hole(context, flow);
}

void tcp_finish(struct tcp_context *context, struct flow *flow)
{
	tcp_flush(context, flow);
	tcp_end_settle(flow);
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		uint32_t missing = missing_at_end(&flow->streams[from]);
		if (missing > 0)
			tcp_deliver_gap(context, flow, (enum direction)from, missing);
	}
	flow->waits_off = true;
	tcp_deliver_fins(flow);
}
