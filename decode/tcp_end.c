// SPDX-License-Identifier: Apache-2.0
#include "decode/tcp_end.h"

// Near enough behind `from` to be of the same connection.
static bool shortly_after(uint32_t number, uint32_t from)
{
	return tcp_after(number, from) && number - from < TCP_FAR;
}

bool tcp_end_reset_in_place(const struct stream *stream)
{
	return stream->reset_sent &&
	       (!stream->reset_waits ||
	           (stream->acknowledged_known && stream->acknowledged == stream->reset_sequence));
}

// Where the sender of a direction stands: behind what is held for the other side's sake, a FIN counted.
static uint32_t place_of(const struct stream *stream)
{
	uint32_t place = stream->next;
	const struct held_segment *held = stream->holding ? backlog_first(stream->backlog) : NULL;
	for (; held != NULL && !tcp_after(held->sequence, place); held = held->next)
		if (tcp_after(held->sequence + held->length, place))
			place = held->sequence + held->length;
	return place + (stream->fin_seen && place == stream->fin_sequence);
}

bool tcp_end_reset(struct flow *flow, enum direction from, const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	const struct stream *other = &flow->streams[other_direction(from)];
	int32_t distance = (int32_t)(segment->sequence - stream->next);
	bool refuses_syn = (segment->flags & TCP_ACK) && segment->acknowledgement == other->next;
	// Who has sent a SYN and heard nothing takes only one that acknowledges it (RFC 9293 3.10.7.3).
	bool in_window = stream->known ? distance >= -1 && distance <= TCP_FAR : !other->syn_seen;
	if (!in_window && !refuses_syn)
		return false;
	struct stream reset = *stream;
	reset.reset_sent = true;
	reset.spoke_again = false;
	reset.reset_sequence = place_of(stream);
	reset.reset_waits =
	    stream->known && in_window && tcp_after(segment->sequence, reset.reset_sequence);
	if (reset.reset_waits)
		reset.reset_sequence = segment->sequence;
	if (tcp_end_reset_in_place(&reset) || !tcp_end_reset_in_place(stream))
		*stream = reset;
	return true;
}

void tcp_end_reopen(struct flow *flow, enum direction from)
{
	struct stream *stream = &flow->streams[from];
	stream->closed = stream->fin_seen = false;
	stream->next = stream->fin_sequence;
	if (flow->dialogue != NULL)
		dialogue_reopen(flow->dialogue, from);
}

unsigned tcp_end_doubt(struct flow *flow, enum direction from, const struct segment *segment)
{
	struct stream *stream = &flow->streams[from];
	struct stream *other = &flow->streams[other_direction(from)];
	const uint32_t acknowledgement = segment->acknowledgement;
	unsigned taken_back = 0;
	stream->spoke_again |= stream->reset_sent;
	if (stream->reset_sent && other->packets == 0 && segment->length > 0 &&
	    shortly_after(segment->sequence + segment->length, stream->reset_sequence)) {
		stream->reset_sent = false; // nobody else is heard who could tell
		taken_back++;
	}
	if (!(segment->flags & TCP_ACK) || !other->known)
		return taken_back;
	if (other->reset_sent && shortly_after(acknowledgement, other->reset_sequence)) {
		other->reset_sent = false;
		taken_back++;
	}
	if (other->closed && shortly_after(acknowledgement, other->fin_sequence + 1)) {
		tcp_end_reopen(flow, other_direction(from));
		taken_back++;
	}
	return taken_back;
}

bool tcp_end_acknowledged(const struct stream *stream)
{
	return stream->fin_seen && stream->acknowledged_known &&
	       stream->acknowledged == stream->fin_sequence + 1;
}

void tcp_end_count_fin(struct stream *stream)
{
	stream->missing += stream->fin_for_byte;
	stream->fin_for_byte = false;
}

void tcp_end_passed(struct stream *stream)
{
	if (stream->fin_seen && !stream->closed && tcp_after(stream->next, stream->fin_sequence)) {
		stream->fin_seen = false;
		tcp_end_count_fin(stream);
	}
	if (!stream->reset_sent || !stream->reset_waits)
		return;
	if (stream->closed || tcp_after(stream->next, stream->reset_sequence))
		stream->reset_sent = stream->next == stream->reset_sequence;
	stream->reset_waits = stream->next != stream->reset_sequence;
}

void tcp_end_settle(struct flow *flow)
{
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		struct stream *stream = &flow->streams[from];
		if (stream->spoke_again && !tcp_end_reset_in_place(stream))
			stream->reset_sent = false;
	}
}

bool tcp_end_was_reset(const struct flow *flow)
{
	return tcp_end_reset_in_place(&flow->streams[FROM_CLIENT]) ||
	       tcp_end_reset_in_place(&flow->streams[FROM_SERVER]);
}

static bool fin_in_place(const struct stream *stream)
{
	return stream->fin_seen &&
	       (!tcp_after(stream->fin_sequence, stream->next) || tcp_end_acknowledged(stream));
}

bool tcp_end_reached(const struct flow *flow)
{
	return tcp_end_was_reset(flow) || (fin_in_place(&flow->streams[FROM_CLIENT]) &&
	                                      fin_in_place(&flow->streams[FROM_SERVER]));
}

bool tcp_end_certain(const struct flow *flow)
{
	const struct stream *client = &flow->streams[FROM_CLIENT];
	const struct stream *server = &flow->streams[FROM_SERVER];
	bool refused = flow->session == NULL && !server->syn_seen;
	return refused || (tcp_end_acknowledged(client) && tcp_end_acknowledged(server));
}

enum end_reason tcp_end_reason(const struct flow *flow, enum end_reason otherwise)
{
	const struct stream *client = &flow->streams[FROM_CLIENT];
	const struct stream *server = &flow->streams[FROM_SERVER];
	if (client->reset_sent || server->reset_sent)
		return END_RST;
	return client->fin_seen && server->fin_seen ? END_FIN : otherwise;
}
