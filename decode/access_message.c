// SPDX-License-Identifier: Apache-2.0
#include "decode/access_message.h"

#include "decode/dotted_text.h"

struct access_message {
	struct message_facts facts;
	struct message_reader *reader; // NULL: no memory
	struct dotted_text dots;
	uint64_t expected; // octets that are still to come
	uint64_t body_lines; // so far
	bool in_body;
};

struct access_message *access_message_begin(struct session *session, uint32_t *number,
    enum message_transport transport, enum message_part part)
{
	struct message_context *context = session->shared->headers;
	struct access_message *message =
	    memory_take_zeroed(message_context_memory(context), sizeof *message);
	++*number;
	if (message == NULL) {
		message_context_counters(context)->left_out++;
		return NULL;
	}
	message->facts.number = *number;
	message->facts.transport = (uint8_t)transport;
	message->facts.part = (uint8_t)part;
	message->reader = message_reader_create(context, &message->facts, session->shared->now);
	return message;
}

void access_message_take(struct access_message *message, const uint8_t *bytes, uint64_t length)
{
	if (message->reader == NULL)
		return;
	if (bytes == NULL)
		message_reader_gap(message->reader);
	else if (!message_reader_is_done(message->reader))
		message_reader_take(message->reader, bytes, (size_t)length);
}

void access_message_take_dotted(struct access_message *message, const uint8_t *bytes, size_t length)
{
	if (message->reader != NULL && !message_reader_is_done(message->reader))
		dotted_text_read(&message->dots, message->reader, bytes, length);
}

void access_message_line(struct access_message *message, size_t length)
{
	if (message->in_body)
		message->body_lines++;
	else
		message->in_body = length == 0;
}

uint64_t access_message_body_lines(const struct access_message *message)
{
	return message->body_lines;
}

void access_message_expect(struct access_message *message, uint64_t octets)
{
	message->expected = octets;
}

bool access_message_take_expected(
    struct access_message *message, const uint8_t *bytes, uint64_t length)
{
	if (message->expected == 0)
		return false; // they are of something else
	access_message_take(message, bytes, length);
	message->expected -= length < message->expected ? length : message->expected;
	return message->expected == 0;
}

void access_message_is(struct access_message *message, enum message_part part)
{
	message->facts.part = (uint8_t)part;
}

void access_message_end(struct session *session, struct access_message **slot, bool ended)
{
	struct access_message *message = *slot;
	struct message_context *context = session->shared->headers;
	if (message == NULL)
		return;
	*slot = NULL;
	if (message->reader != NULL)
		message_reader_end(message->reader, ended && message->facts.part == PART_WHOLE);
	message_context_tell(context, &session->told, &message->facts, session->shared->now);
	message_reader_destroy(message->reader);
	memory_give(message_context_memory(context), message);
}
