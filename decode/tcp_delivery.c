// SPDX-License-Identifier: Apache-2.0
// Bytes in order and holes, on their way into the dialogue of a connection, which begins with the first of them
// (tcp_state.h). Called by tcp.c and tcp_order.c.
#include "decode/dns_stream.h"
#include "decode/mail_elsewhere.h"
#include "decode/tcp_end.h"
#include "decode/tcp_state.h"

bool tcp_has_backlog(struct tcp_context *context, struct stream *stream)
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
	bool remembered = tcp_has_backlog(context, stream);
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

void tcp_note_hole(struct tcp_context *context, struct stream *stream, uint32_t start, uint32_t end)
{
	holes_note(context->memory, &stream->holes, start, end, TCP_FAR);
	stream->missing += end - start;
}

void tcp_deliver_gap(
    struct tcp_context *context, struct flow *flow, enum direction from, uint32_t length)
{
	struct stream *stream = &flow->streams[from];
	if (length == 0)
		return;
	tcp_note_hole(context, stream, stream->next, stream->next + length);
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

void tcp_deliver(struct tcp_context *context, struct flow *flow, enum direction from,
    const struct arrival *arrival)
{
	struct stream *stream = &flow->streams[from];
	uint32_t old = stream->next - arrival->sequence;
	if (old < arrival->captured)
		deliver_bytes(context, flow, from, arrival, old);
	uint32_t end = arrival->sequence + arrival->length;
	if (tcp_after(end, stream->next))
		tcp_deliver_gap(context, flow, from, end - stream->next);
}
