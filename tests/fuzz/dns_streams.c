// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/dns_streams.h"

#include "decode/dialogue.h"
#include "decode/dns_stream.h"
#include "tests/fuzz/fuzzer.h"

enum { BUDGET = 1 << 20, LENGTH_SIZE = 2, PIECE = 61 };

// What is expected of a stream, and what comes.
struct stream {
	const uint8_t *data;
	size_t size;
	size_t expected; // where the next message begins that is to be handed on
	struct dns_counters counters; // of what lies before it
};

// Moves to the next message that is of use, by the lengths alone. False: none is whole.
static bool find_next(struct stream *stream, const uint8_t **bytes, size_t *length)
{
	while (stream->size - stream->expected >= LENGTH_SIZE) {
		const uint8_t *at = stream->data + stream->expected;
		size_t left = stream->size - stream->expected - LENGTH_SIZE;
		*length = (size_t)at[0] << 8 | at[1];
		*bytes = at + LENGTH_SIZE;
		if (*length > DNS_MESSAGE_LONGEST) {
			stream->counters.seen++;
			stream->counters.left_out++;
			stream->expected += LENGTH_SIZE + (*length < left ? *length : left);
			continue;
		}
		if (*length > left)
			break;
		stream->expected += LENGTH_SIZE + *length;
		const struct dns_message message = {
		    .bytes = *bytes, .captured = (uint32_t)*length, .length = (uint32_t)*length};
		if (dns_filter_take(NULL, &stream->counters, &message))
			return true;
	}
	return false;
}

static bool on_message(void *context, const struct dns_message *message)
{
	struct stream *stream = context;
	const uint8_t *bytes;
	size_t length;
	MUST(find_next(stream, &bytes, &length));
	MUST(message->tcp && message->captured == length && message->length == length);
	MUST(length == 0 || memcmp(message->bytes, bytes, length) == 0);
	MUST(message->source_port == DNS_PORT && message->destination_port == 40000);
	return true;
}

static void feed(struct dialogue *dialogue, const uint8_t *data, size_t size, size_t most)
{
	for (size_t at = 0, number = 1; at < size; number++) {
		size_t piece = 1 + number * most % PIECE;
		piece = most == 0 || piece > size - at ? size - at : piece;
		uint8_t *copy = exact_copy(data + at, piece);
		struct chunk chunk = {
		    .from = FROM_SERVER, .bytes = copy, .length = piece, .time = SECONDS(1)};
		if (!dialogue_done(dialogue))
			dialogue_data(dialogue, &chunk, true);
		free(copy);
		at += piece;
	}
}

// Each message is in one of the counters; one that is not whole is seen and left out.
static void check_counters(struct stream *stream, const struct dns_counters *told)
{
	const uint8_t *bytes;
	size_t length;
	MUST(!find_next(stream, &bytes, &length));
	bool rest = stream->expected < stream->size;
	MUST(told->seen == stream->counters.seen + rest);
	MUST(told->left_out == stream->counters.left_out + rest);
	MUST(
	    told->other == stream->counters.other && told->malformed == stream->counters.malformed);
	MUST(told->kept + told->other + told->malformed + told->left_out == told->seen);
}

static void hold(const uint8_t *data, size_t size, size_t most)
{
	static const bool missing[2];
	struct stream stream = {.data = data, .size = size};
	struct memory *memory = memory_create(BUDGET);
	struct dns_tap tap = {.sink = on_message, .context = &stream};
	const struct session_shared shared = {.names = &tap, .now = SECONDS(1)};
	const struct dns_ends ends = {.port = {[FROM_CLIENT] = 40000, [FROM_SERVER] = DNS_PORT}};
	struct session session;
	MUST(memory != NULL);
	session_begin(&session, &shared);
	struct dialogue *dialogue = dialogue_create(
	    memory, &session, (struct port_hint){.protocol = PROTOCOL_DNS}, missing);
	MUST(dialogue != NULL);
	dialogue_begin_names(dialogue, &ends);
	feed(dialogue, data, size, most);
	for (enum direction from = FROM_CLIENT; from <= FROM_SERVER; from++)
		dialogue_close(dialogue, from);
	dialogue_destroy(dialogue);
	session_release(&session);
	check_counters(&stream, &tap.counters);
	MUST(memory_in_use(memory) == 0);
	memory_destroy(memory);
}

void check_stream(const uint8_t *data, size_t size)
{
	hold(data, size, 0);
	hold(data, size, 7);
}
