// SPDX-License-Identifier: Apache-2.0
// Reads a message while it passes, with --mail-headers: gathers its header, takes from it what message_facts.h has, and
// forgets it (overwritten) before the body comes; of the body nothing is looked at but where a signature is to be
// verified, and then only hashed. It gets the message's bytes in whatever pieces they come: the outcome is the same.
// Exists while a message passes; from the worker's memory. Called by smtp_message.c and access_message.c.
#ifndef MAILTAP_DECODE_MESSAGE_READER_H
#define MAILTAP_DECODE_MESSAGE_READER_H

#include "capture/base/memory.h"
#include "decode/mail_names.h"
#include "decode/message_facts.h"
#include "decode/message_shelf.h"

enum {
	MESSAGE_HEADER_MAX = 64 * 1024, // bytes of a header that are read
	DKIM_BODIES_MAX = 16 * 1024, // bodies that a worker hashes at once
};

// What a worker's readers share. Owned by the worker.
struct message_context;

struct message_counters {
	uint64_t told; // transactions
	uint64_t left_out; // for which there was no room
};

// `names` is borrowed. `hashes`: signatures are to be verified. NULL: no memory.
struct message_context *message_context_create(
    struct memory *memory, const struct mail_names *names, bool hashes);
void message_context_destroy(struct message_context *context); // NULL is allowed
struct message_shelf *message_context_shelf(const struct message_context *context);
struct message_counters *message_context_counters(struct message_context *context);
struct memory *message_context_memory(const struct message_context *context);

// Puts on the shelf, at a session's place there, what is known of a message by now.
void message_context_tell(
    struct message_context *context, uint32_t *place, struct message_facts *facts, nanoseconds now);

struct message_reader;

// What is read is put into *facts, which point into the reader and live as long. NULL: no memory.
struct message_reader *message_reader_create(
    struct message_context *context, struct message_facts *facts, nanoseconds now);

// The message's next bytes, without what the transport put into them.
void message_reader_take(struct message_reader *reader, const uint8_t *bytes, size_t length);

// Bytes are missing here.
void message_reader_gap(struct message_reader *reader);

// True once it needs nothing more of the message.
bool message_reader_is_done(const struct message_reader *reader);

// The message is over; `whole`: that was its end.
void message_reader_end(struct message_reader *reader, bool whole);

// NULL is allowed.
void message_reader_destroy(struct message_reader *reader);

#endif
