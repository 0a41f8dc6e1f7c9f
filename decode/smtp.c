// SPDX-License-Identifier: Apache-2.0
// SMTP and LMTP as a tap hears them: RFC 5321, with ESMTP's PIPELINING (2920), CHUNKING (3030), AUTH
// (4954), STARTTLS (3207), BURL (4468), LMTP (2033) and XCLIENT. Learns who greets whom, what is
// offered, what is asked and refused; reads over message bodies, and never keeps a path or a secret.
// One state per connection, pushed from both sides by dialogue.c.
#include "decode/smtp_message.h"

#include "capture/base/ascii.h"

#include <string.h>

bool smtp_is_reply_prefix(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < 3 && i < length; i++)
		if (!is_digit(bytes[i]) || (i == 0 && (bytes[i] < '2' || bytes[i] > '5')))
			return false;
	return length < 4 || bytes[3] == ' ' || bytes[3] == '-' || bytes[3] == '\r' ||
	       bytes[3] == '\n';
}

// A code that SMTP servers use (RFC 5321 4.2.3, 3207, 4954, 7372, 7504). In the middle of a connection
// others are more likely another protocol's: "200 OK" may be what is left of HTTP's status line.
static bool is_reply_code(const uint8_t *bytes)
{
	static const uint16_t codes[] = {211, 214, 220, 221, 235, 250, 251, 252, 334, 354, 421, 432,
	    450, 451, 452, 453, 454, 455, 458, 459, 500, 501, 502, 503, 504, 521, 523, 530, 534,
	    535, 538, 541, 550, 551, 552, 553, 554, 555, 556};
	unsigned code =
	    (bytes[0] - '0') * 100u + (bytes[1] - '0') * 10u + (unsigned)(bytes[2] - '0');
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (codes[i] == code)
			return true;
	return false;
}

// A greeting on a port that is not known for SMTP could be FTP's: it has to name the protocol.
// Of the first line only, however much has come, so that it does not matter how it was cut into segments.
static enum recognised recognise_greeting(const uint8_t *bytes, size_t length)
{
	size_t most = length < BANNER_MAX ? length : BANNER_MAX;
	const uint8_t *end = memchr(bytes, '\n', most);
	struct line line = {.bytes = bytes, .length = end != NULL ? (size_t)(end - bytes) : most};
	bool is_whole = end != NULL || most == BANNER_MAX;
	if (!is_whole)
		line_drop_torn_word(&line);
	if (line_has_word(&line, "SMTP") || line_has_word(&line, "ESMTP") ||
	    line_has_word(&line, "LMTP"))
		return RECOGNISED_YES;
	return is_whole ? RECOGNISED_NO : RECOGNISED_MAYBE;
}

static enum recognised recognise_server(
    const uint8_t *bytes, size_t length, bool expected, bool from_start)
{
	if (!smtp_is_reply_prefix(bytes, length))
		return RECOGNISED_NO;
	if (length < 4)
		return RECOGNISED_MAYBE;
	if (expected)
		return from_start || is_reply_code(bytes) ? RECOGNISED_YES : RECOGNISED_NO;
	if (!from_start || (memcmp(bytes, "220", 3) != 0 && memcmp(bytes, "554", 3) != 0))
		return RECOGNISED_NO;
	return recognise_greeting(bytes, length);
}

static enum recognised recognise_client(const uint8_t *bytes, size_t length, bool expected)
{
	for (size_t i = 0; i < smtp_verb_count; i++) {
		bool greets =
		    smtp_verbs[i].command == COMMAND_EHLO || smtp_verbs[i].command == COMMAND_HELO;
		if (!greets && !expected)
			continue;
		size_t wanted = strlen(smtp_verbs[i].text);
		if (bytes_begin_keyword(bytes, length, smtp_verbs[i].text) == PREFIX_NONE)
			continue;
		if (length <= wanted)
			return RECOGNISED_MAYBE;
		if (bytes[wanted] == ' ' || bytes[wanted] == '\r' || bytes[wanted] == '\n')
			return RECOGNISED_YES;
	}
	return RECOGNISED_NO;
}

static enum recognised smtp_recognise(
    enum direction from, const uint8_t *bytes, size_t length, bool expected, bool from_start)
{
	return from == FROM_SERVER ? recognise_server(bytes, length, expected, from_start)
	                           : recognise_client(bytes, length, expected);
}

static void smtp_begin(void *state, struct session *session)
{
	struct smtp *smtp = state;
	if (session->dialogue_gap[FROM_CLIENT])
		smtp->client = CLIENT_LOST;
}

static struct feed_result smtp_feed(void *state, struct session *session, const struct chunk *chunk)
{
	return chunk->from == FROM_CLIENT ? smtp_feed_client(state, session, chunk)
	                                  : smtp_feed_server(state, session, chunk);
}

// The lost bytes can have been the answer to EHLO, or more of it where the server forgot the dashes:
// that STARTTLS is missing elsewhere says nothing then.
static void note_lost_offer(struct smtp *smtp, struct session *session)
{
	smtp->ehlo_lost |= commands_have(&smtp->pending, COMMAND_EHLO) ||
	                   session->dialogue_gap[FROM_CLIENT] || smtp->after_ehlo;
	if (smtp->ehlo_lost)
		smtp_doubt_missing_offer(session);
}

void smtp_doubt_missing_offer(struct session *session)
{
	if (session->starttls_offered == SEEN_NO)
		session->starttls_offered = NOT_SEEN;
}

static void server_gap(struct smtp *smtp, struct session *session)
{
	note_lost_offer(smtp, session);
	commands_clear(&smtp->pending);
	capability_list_clear(session, &smtp->list);
	session_forget_capabilities(session);
	smtp->reply_lines = 0;
	smtp->reply_wants_tls = smtp->after_ehlo = smtp->unasked_220 = false;
	smtp->reply_lost = true;
}

// In a body, the hole is most likely body too; a reply will tell if it was more. Elsewhere, what
// follows could be commands or a body, until a reply tells.
static void client_gap(struct smtp *smtp, struct session *session, uint64_t length)
{
	if (session->dialogue_gap[FROM_SERVER])
		note_lost_offer(smtp, session);
	commands_clear(&smtp->pending);
	if (smtp->client == CLIENT_BODY_ASSUMED)
		smtp->client = CLIENT_LOST;
	if (smtp->client == CLIENT_BODY) {
		smtp->gap_in_body = true;
		smtp->body_end = BODY_TEXT;
		smtp->body_bytes += length;
	} else {
		smtp->client = CLIENT_LOST;
	}
}

static void smtp_gap(void *state, struct session *session, enum direction from, uint64_t length)
{
	struct smtp *smtp = state;
	smtp->readers[from] = (struct line_reader){0};
	smtp_forget_refusal(smtp, session);
	if (session_reads_messages(session))
		smtp_message_gap(smtp, session, from);
	if (from == FROM_SERVER)
		server_gap(smtp, session);
	else
		client_gap(smtp, session, length);
}

static void smtp_skipped(void *state, struct session *session, enum direction from,
    const uint8_t *bytes, uint64_t length)
{
	(void)from; // BDAT is the client's
	if (session_reads_messages(session))
		smtp_message_chunk(state, bytes, length);
}

static void smtp_give_up_hold(void *state, struct session *session, enum direction held)
{
	struct smtp *smtp = state;
	(void)held;
	smtp_forget_refusal(smtp, session);
	commands_clear(&smtp->pending);
	if (smtp->client == CLIENT_AWAITS_DATA) {
		smtp->client = CLIENT_BODY_ASSUMED;
		smtp->reply_lost = true;
	} else if (smtp->client == CLIENT_AWAITS_AUTH) {
		smtp->client = CLIENT_SASL_UNANSWERED;
	} else {
		smtp->client = CLIENT_COMMANDS;
	}
}

static void smtp_end(void *state, struct session *session)
{
	struct smtp *smtp = state;
	capability_list_clear(session, &smtp->list);
	smtp_forget_refusal(smtp, session);
	if (session_reads_messages(session))
		smtp_message_end(smtp, session);
}

const struct protocol_ops smtp_protocol = {
    .protocol = PROTOCOL_SMTP,
    .state_size = sizeof(struct smtp),
    .recognise = smtp_recognise,
    .begin = smtp_begin,
    .feed = smtp_feed,
    .gap = smtp_gap,
    .skipped = smtp_skipped,
    .give_up_hold = smtp_give_up_hold,
    .end = smtp_end,
};
