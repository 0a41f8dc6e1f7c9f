// SPDX-License-Identifier: Apache-2.0
#include "decode/smtp_message.h"

#include "decode/dotted_text.h"
#include "decode/refusal_cause.h"

struct smtp_message {
	struct message_facts facts;
	struct message_reader *reader; // NULL: no message yet, or no memory
	uint64_t chunk_left; // octets of BDAT that are still to come
	uint16_t code; // of the refusal being read
	uint8_t causes; // and what its lines gave so far
	struct dotted_text dots;
	char status[REFUSAL_STATUS_SIZE];
	bool last_chunk; // is on its way, or has come
	bool ended; // the message has come, all of it that will
	bool recipient; // one was accepted
	bool unclear; // answers are missing
};

/* ---- beginning and end ---- */

static struct smtp_message *begin(struct smtp *smtp, const struct session *session)
{
	struct message_context *context = session->shared->headers;
	struct smtp_message *message =
	    memory_take_zeroed(message_context_memory(context), sizeof *message);
	if (message == NULL) {
		message_context_counters(context)->left_out++;
		return NULL;
	}
	message->facts.number = ++smtp->transactions;
	return message;
}

static void end_message(struct smtp_message *message, bool whole)
{
	if (message->ended)
		return;
	message->ended = true;
	if (message->reader != NULL)
		message_reader_end(message->reader, whole);
}

static enum message_outcome outcome_of(uint16_t code)
{
	return code / 100 == 2   ? MESSAGE_ACCEPTED
	       : code / 100 == 4 ? MESSAGE_DEFERRED
	       : code / 100 == 5 ? MESSAGE_REFUSED
	                         : OUTCOME_NOT_SEEN;
}

// Tells of a transaction, if something came of it, and forgets it.
static void conclude(struct session *session, struct smtp_message **slot)
{
	struct smtp_message *message = *slot;
	struct message_context *context = session->shared->headers;
	if (message == NULL)
		return;
	*slot = NULL;
	end_message(message, message->last_chunk && message->chunk_left == 0);
	struct message_facts *facts = &message->facts;
	bool without_message = facts->transport == NO_MESSAGE;
	if (facts->outcome == OUTCOME_NOT_SEEN && without_message && !message->recipient &&
	    !message->unclear)
		facts->outcome = (uint8_t)outcome_of(facts->refusal_code);
	if (!without_message || facts->refusal_code != 0)
		message_context_tell(context, &session->told, facts, session->shared->now);
	message_reader_destroy(message->reader);
	memory_give(message_context_memory(context), message);
}

// What was sent as a whole waits for its answer; another transaction may begin.
static void set_aside(struct smtp *smtp, struct session *session)
{
	conclude(session, &smtp->awaiting);
	smtp->awaiting = smtp->message;
	smtp->message = NULL;
}

static void settle_chunks(struct smtp *smtp, struct session *session)
{
	struct smtp_message *message = smtp->message;
	if (message == NULL || !message->last_chunk)
		return;
	end_message(message, message->chunk_left == 0);
	set_aside(smtp, session);
}

void smtp_message_mail(struct smtp *smtp, struct session *session)
{
	settle_chunks(smtp, session);
	conclude(session, &smtp->message);
	smtp->message = begin(smtp, session);
}

void smtp_message_end(struct smtp *smtp, struct session *session)
{
	conclude(session, &smtp->awaiting);
	conclude(session, &smtp->message);
}

void smtp_message_gap(struct smtp *smtp, struct session *session, enum direction from)
{
	struct smtp_message *message = smtp->message;
	conclude(session, &smtp->awaiting); // its answer will not be known for it
	if (message == NULL)
		return;
	message->unclear = true;
	message->causes = 0;
	message->code = 0;
	if (from == FROM_SERVER)
		return;
	if (smtp->client != CLIENT_BODY)
		conclude(session, &smtp->message);
	else if (message->reader != NULL)
		message_reader_gap(message->reader);
}

/* ---- the message ---- */

// The transaction that a message comes for, with a reader. NULL: no memory.
static struct smtp_message *with_reader(
    struct smtp *smtp, struct session *session, enum message_transport transport)
{
	if (smtp->message != NULL && smtp->message->facts.transport != NO_MESSAGE)
		conclude(session, &smtp->message);
	if (smtp->message == NULL)
		smtp->message = begin(smtp, session);
	struct smtp_message *message = smtp->message;
	if (message == NULL)
		return NULL;
	message->facts.transport = (uint8_t)transport;
	message->reader =
	    message_reader_create(session->shared->headers, &message->facts, session->shared->now);
	return message;
}

void smtp_message_body_begins(struct smtp *smtp, struct session *session, bool torn)
{
	struct smtp_message *message = with_reader(smtp, session, BY_DATA);
	if (message != NULL && message->reader != NULL && torn)
		message_reader_gap(message->reader);
}

void smtp_message_body(struct smtp *smtp, const uint8_t *bytes, size_t length)
{
	struct smtp_message *message = smtp->message;
	if (message == NULL || message->reader == NULL || message->ended ||
	    message_reader_is_done(message->reader))
		return;
	dotted_text_read(&message->dots, message->reader, bytes, length);
}

void smtp_message_body_ends(struct smtp *smtp, struct session *session)
{
	if (smtp->message == NULL)
		return;
	end_message(smtp->message, true);
	if (smtp->refused_in_body)
		conclude(session, &smtp->message); // it was answered
	else
		set_aside(smtp, session);
}

void smtp_message_chunk_begins(
    struct smtp *smtp, struct session *session, uint64_t size, bool is_last)
{
	struct smtp_message *message = smtp->message;
	if (message == NULL || message->facts.transport != BY_BDAT || message->last_chunk) {
		settle_chunks(smtp, session);
		message = with_reader(smtp, session, BY_BDAT);
	}
	if (message == NULL)
		return;
	message->chunk_left = size;
	message->last_chunk = is_last;
}

void smtp_message_chunk(struct smtp *smtp, const uint8_t *bytes, uint64_t length)
{
	struct smtp_message *message = smtp->message;
	if (message == NULL)
		return;
	message->chunk_left -= length < message->chunk_left ? length : message->chunk_left;
	if (message->reader == NULL || message->ended)
		return;
	if (bytes == NULL)
		message_reader_gap(message->reader);
	else if (!message_reader_is_done(message->reader))
		message_reader_take(message->reader, bytes, (size_t)length);
}

/* ---- answers ---- */

static bool is_of_message(int command)
{
	return command == COMMAND_BODY || command == COMMAND_BDAT_LAST;
}

// The transaction that a reply is for. NULL: none that is known of.
static struct smtp_message *answered(struct smtp *smtp, int command)
{
	if (is_of_message(command))
		return smtp->awaiting;
	bool in_body = command < 0 && smtp->client == CLIENT_BODY;
	return in_body || command == COMMAND_MAIL || command == COMMAND_RCPT ||
	               command == COMMAND_DATA || command == COMMAND_BDAT
	           ? smtp->message
	           : NULL;
}

void smtp_message_refusal_line(struct smtp *smtp, uint16_t code, const struct line *line)
{
	int command = commands_oldest(&smtp->pending);
	struct smtp_message *message = answered(smtp, command);
	if (message == NULL && command == COMMAND_BDAT_LAST)
		message = smtp->message; // its last chunk was not settled yet
	if (message == NULL)
		return;
	message->code = code;
	message->causes |= (uint8_t)refusal_causes(line);
	if (message->status[0] == '\0')
		refusal_status(line, message->status);
}

// The first that gives a cause, else the first.
static void note_refusal(struct smtp_message *message, enum refusal_stage stage)
{
	struct message_facts *facts = &message->facts;
	bool tells_more = message->causes != 0 && facts->causes == 0;
	if (message->code != 0 && (tells_more || facts->refusal_code == 0)) {
		facts->refused_at = (uint8_t)stage;
		facts->refusal_code = message->code;
		facts->causes = message->causes;
		memcpy(facts->refusal_status, message->status, sizeof facts->refusal_status);
	}
	message->code = 0;
	message->causes = 0;
	message->status[0] = '\0';
}

static enum refusal_stage stage_of(int command)
{
	switch (command) {
	case COMMAND_MAIL:
		return REFUSED_AT_MAIL;
	case COMMAND_RCPT:
		return REFUSED_AT_RCPT;
	case COMMAND_DATA:
		return REFUSED_AT_DATA;
	default:
		return REFUSED_AT_MESSAGE;
	}
}

// A reply while the message still seems to go on (smtp_server.c has why).
static void answered_in_body(struct smtp *smtp, struct session *session, uint16_t code)
{
	struct smtp_message *message = smtp->message;
	message->facts.outcome =
	    (uint8_t)(code / 100 != 2 || !smtp->reply_lost ? outcome_of(code) : OUTCOME_NOT_SEEN);
	if (code / 100 == 2 || smtp->gap_in_body)
		conclude(session, &smtp->message);
}

void smtp_message_answered(struct smtp *smtp, struct session *session, int command, uint16_t code)
{
	if (command == COMMAND_BDAT_LAST)
		settle_chunks(smtp, session);
	struct smtp_message *message = answered(smtp, command);
	if (message == NULL)
		return;
	note_refusal(message, stage_of(command));
	if (command < 0) {
		answered_in_body(smtp, session, code);
	} else if (is_of_message(command)) {
		message->facts.outcome = (uint8_t)outcome_of(code);
		conclude(session, &smtp->awaiting);
	} else if (command == COMMAND_RCPT) {
		message->recipient |= code / 100 == 2;
	} else if (code >= 400 && command != COMMAND_BDAT) {
		// That there are no recipients is what their refusals come to.
		message->facts.outcome =
		    (uint8_t)outcome_of(message->recipient ? code : message->facts.refusal_code);
		conclude(session, &smtp->message);
	}
}
