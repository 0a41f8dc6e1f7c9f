// SPDX-License-Identifier: Apache-2.0
#include "decode/dns_stream.h"

enum { LENGTH_SIZE = 2 };

struct dns_stream {
	struct dns_ends ends;
	bool within[2]; // a message of a direction, of which the rest is yet to come
};

void dns_tap_give(struct dns_tap *tap, const struct dns_message *message)
{
	if (tap->sink(tap->context, message))
		tap->counters.kept++;
	else
		tap->counters.left_out++;
}

static enum recognised dns_recognise(
    enum direction from, const uint8_t *bytes, size_t length, bool expected, bool from_start)
{
	(void)from;
	(void)bytes;
	(void)length;
	(void)expected;
	(void)from_start;
	return RECOGNISED_NO; // the port alone tells
}

static void dns_begin(void *state, struct session *session)
{
	(void)state;
	(void)session;
}

void dns_stream_between(void *state, const struct dns_ends *ends)
{
	struct dns_stream *stream = state;
	stream->ends = *ends;
}

static void take_message(struct dns_stream *stream, struct dns_tap *tap, enum direction from,
    nanoseconds time, const uint8_t *bytes, size_t length)
{
	enum direction to = other_direction(from);
	const struct dns_message message = {
	    .time = time,
	    .source = stream->ends.address[from],
	    .destination = stream->ends.address[to],
	    .source_port = stream->ends.port[from],
	    .destination_port = stream->ends.port[to],
	    .tcp = true,
	    .bytes = bytes,
	    .captured = (uint32_t)length,
	    .length = (uint32_t)length,
	};
	if (dns_filter_take(NULL, &tap->counters, &message))
		dns_tap_give(tap, &message);
}

// One that will not be read.
static void leave_out(struct dns_tap *tap)
{
	tap->counters.seen++;
	tap->counters.left_out++;
}

// All messages that are whole: more of them may come in a segment (RFC 7766 6.2.1.1).
static struct feed_result dns_feed(
    void *state, struct session *session, const struct chunk *chunk)
{
	struct dns_stream *stream = state;
	struct dns_tap *tap = session->shared->names;
	size_t used = 0;
	while (chunk->length - used >= LENGTH_SIZE) {
		const uint8_t *bytes = chunk->bytes + used;
		size_t length = (size_t)bytes[0] << 8 | bytes[1];
		if (length > DNS_MESSAGE_LONGEST) {
			leave_out(tap);
			stream->within[chunk->from] = false;
			return (struct feed_result){FEED_SKIP, used + LENGTH_SIZE, length};
		}
		if (chunk->length - used - LENGTH_SIZE < length)
			break;
		take_message(stream, tap, chunk->from, chunk->time, bytes + LENGTH_SIZE, length);
		used += LENGTH_SIZE + length;
	}
	stream->within[chunk->from] = used < chunk->length;
	return (struct feed_result){.next = FEED_MORE, .consumed = used};
}

static void dns_gap(void *state, struct session *session, enum direction from, uint64_t length)
{
	struct dns_stream *stream = state;
	(void)length;
	leave_out(session->shared->names);
	stream->within[from] = false;
}

static void dns_give_up_hold(void *state, struct session *session, enum direction held)
{
	(void)state;
	(void)session;
	(void)held;
}

static void dns_end(void *state, struct session *session)
{
	const struct dns_stream *stream = state;
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++)
		if (stream->within[from])
			leave_out(session->shared->names);
}

const struct protocol_ops dns_stream_protocol = {
    .protocol = PROTOCOL_DNS,
    .state_size = sizeof(struct dns_stream),
    .recognise = dns_recognise,
    .begin = dns_begin,
    .feed = dns_feed,
    .gap = dns_gap,
    .give_up_hold = dns_give_up_hold,
    .end = dns_end,
};
