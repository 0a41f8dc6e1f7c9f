// SPDX-License-Identifier: Apache-2.0
#include "decode/session_record.h"

#include "decode/message_reader.h"

#include <string.h>

// Nothing of this direction's dialogue in the clear is missing.
static bool whole(const struct session *session, enum direction from)
{
	return !session->dialogue_gap[from];
}

static bool tls_from_the_start(const struct session *session)
{
	return session->tls_mode == TLS_MODE_IMPLICIT;
}

// The client has passed every occasion to ask for TLS: it sent mail or a log-in instead, or is gone.
static bool settled(const struct session_record *record)
{
	return record->ended || record->session->upgraded || record->in_the_clear;
}

static enum tls_mode conclude_mode(const struct session_record *record)
{
	const struct session *session = record->session;
	if (session->tls_mode != TLS_MODE_NONE)
		return (enum tls_mode)session->tls_mode;
	bool answered = session->starttls_accepted != NOT_SEEN || session->starttls_unclear;
	if (session->starttls_requested == SEEN_YES && !answered)
		return TLS_MODE_NOT_SEEN; // asked for, and the answer is lost
	// In the clear, but something of the client is missing before: TLS may have been tried there.
	if (session->clear_from_start || (settled(record) && whole(session, FROM_CLIENT)))
		return TLS_MODE_NONE;
	return TLS_MODE_NOT_SEEN;
}

static enum seen conclude_requested(const struct session_record *record)
{
	const struct session *session = record->session;
	if (session->starttls_requested != NOT_SEEN || tls_from_the_start(session))
		return (enum seen)session->starttls_requested;
	return session->client_spoke && whole(session, FROM_CLIENT) && settled(record) ? SEEN_NO
	                                                                               : NOT_SEEN;
}

// Asked and not answered before the end is not accepted; not asked is no question. Nor is it known what
// an answer meant that was none, where the client was gone before it showed how it took it.
static enum seen conclude_accepted(const struct session_record *record)
{
	const struct session *session = record->session;
	if (session->starttls_accepted != NOT_SEEN || session->starttls_unclear ||
	    session->starttls_requested != SEEN_YES)
		return (enum seen)session->starttls_accepted;
	return record->ended && whole(session, FROM_SERVER) && whole(session, FROM_CLIENT)
	           ? SEEN_NO
	           : NOT_SEEN;
}

static enum seen conclude_established(const struct session_record *record)
{
	const struct session *session = record->session;
	if (session->tls.begun || session->tls.established != NOT_SEEN)
		return (enum seen)session->tls.established;
	if (session->upgraded)
		return record->ended && !session->tls_gap ? SEEN_NO : NOT_SEEN;
	bool left = session->starttls_unclear && record->tls_mode == TLS_MODE_NONE;
	if (record->starttls_accepted == SEEN_NO || record->starttls_requested == SEEN_NO || left)
		return SEEN_NO;
	return NOT_SEEN;
}

// Nothing can follow in the clear any more.
static bool clear_is_over(const struct session_record *record)
{
	const struct session *session = record->session;
	if (session->upgraded && !session->tls_foreign && session->tls.established == SEEN_YES)
		return true;
	return record->ended && !session->tls_gap;
}

static enum seen conclude_credentials(const struct session_record *record)
{
	const struct session *session = record->session;
	if (session->credentials_exposed != NOT_SEEN)
		return (enum seen)session->credentials_exposed;
	if (tls_from_the_start(session))
		return record->tls_established == SEEN_YES ? SEEN_NO : NOT_SEEN;
	if (session->injected_command_bytes > 0)
		return NOT_SEEN; // they were not looked into
	return session->client_spoke && whole(session, FROM_CLIENT) && clear_is_over(record)
	           ? SEEN_NO
	           : NOT_SEEN;
}

static bool conclude_messages(const struct session_record *record)
{
	const struct session *session = record->session;
	if (session->messages > 0)
		return true;
	if (tls_from_the_start(session))
		return record->tls_established == SEEN_YES;
	return session->client_spoke && whole(session, FROM_CLIENT) &&
	       whole(session, FROM_SERVER) && clear_is_over(record);
}

// Messages come from the client in SMTP, from the server otherwise.
static bool conclude_message_bytes(const struct session_record *record)
{
	const struct session *session = record->session;
	enum direction from = session->protocol == PROTOCOL_SMTP ? FROM_CLIENT : FROM_SERVER;
	return record->messages_known && (tls_from_the_start(session) || whole(session, from));
}

static void conclude(struct session_record *record)
{
	const struct session *session = record->session;
	record->in_the_clear = session->mail_begun || session->login_tried;
	if (!protocol_is_mail((enum protocol)session->protocol) && !tls_from_the_start(session)) {
		record->tls_mode = (enum tls_mode)session->tls_mode;
		return;
	}
	record->tls_mode = conclude_mode(record);
	record->starttls_requested = conclude_requested(record);
	record->starttls_accepted = conclude_accepted(record);
	record->tls_established = conclude_established(record);
	record->credentials_exposed = conclude_credentials(record);
	record->messages_known = conclude_messages(record);
	record->message_bytes_known = conclude_message_bytes(record);
}

static bool said_nothing(const struct session_record *record)
{
	return record->bytes[FROM_CLIENT] + record->missing[FROM_CLIENT] +
	           record->bytes[FROM_SERVER] + record->missing[FROM_SERVER] ==
	       0;
}

/* ---- copies ---- */

enum { COPY_ALIGNMENT = 16 };

static size_t aligned(size_t size)
{
	return (size + COPY_ALIGNMENT - 1) / COPY_ALIGNMENT * COPY_ALIGNMENT;
}

static size_t text_size(const struct text *text)
{
	return text != NULL ? aligned(sizeof *text + text->length) : 0;
}

size_t session_record_size(const struct session_record *record)
{
	struct session session = *record->session;
	struct text **slots[SESSION_TEXTS];
	size_t size = aligned(sizeof *record) + aligned(sizeof session);
	session_texts(&session, slots);
	for (size_t i = 0; i < SESSION_TEXTS; i++)
		size += text_size(*slots[i]);
	return size + aligned(record->messages.length);
}

void session_record_copy(const struct session_record *record, void *room)
{
	struct session_record *copy = room;
	struct session *session = (void *)((uint8_t *)room + aligned(sizeof *copy));
	uint8_t *at = (uint8_t *)session + aligned(sizeof *session);
	struct text **slots[SESSION_TEXTS];
	*copy = *record;
	*session = *record->session;
	copy->session = session;
	session->shared = NULL;
	session_texts(session, slots);
	for (size_t i = 0; i < SESSION_TEXTS; i++) {
		const struct text *text = *slots[i];
		if (text == NULL)
			continue;
		*slots[i] = memcpy(at, text, sizeof *text + text->length);
		(*slots[i])->in_store.next = NULL;
		at += text_size(text);
	}
	if (record->messages.length > 0)
		memcpy(at, record->messages.data, record->messages.length);
	copy->messages.data = at;
	session->told = 0;
}

struct session_record session_record_make(const struct flow *flow, enum end_reason reason)
{
	static const struct session nothing_seen;
	struct session_record record = {
	    .session = flow->session != NULL ? flow->session : &nothing_seen,
	    .vlan_count = flow->vlan_count,
	    .start = flow->first,
	    .end = flow->last,
	    .end_reason = reason,
	    .saw_start = flow->saw_start,
	    .tls_port = flow->hint.implicit_tls,
	    .refused = flow->streams[FROM_SERVER].reset_sent &&
	               !flow->streams[FROM_SERVER].syn_seen,
	};
	memcpy(record.vlans, flow->vlans, sizeof record.vlans);
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		const struct stream *stream = &flow->streams[from];
		unsigned end = from == FROM_CLIENT ? flow->client_end : 1u - flow->client_end;
		record.address[from] = flow->key.address[end];
		record.port[from] = flow->key.port[end];
		record.packets[from] = stream->packets;
		record.bytes[from] = stream->bytes;
		record.missing[from] = stream->missing;
		if (stream->packets > 0 &&
		    (from == FROM_CLIENT || record.packets[FROM_CLIENT] == 0))
			record.tap_point = stream->tap_point;
	}
	if (record.session->told != 0)
		record.messages = message_shelf_at(
		    message_context_shelf(record.session->shared->headers), record.session->told);
	// A server that resets may do so on something of the client that the capture does not have.
	const struct stream *client = &flow->streams[FROM_CLIENT];
	record.ended = (reason == END_FIN || reason == END_RST) &&
	               (client->fin_seen || client->reset_sent || said_nothing(&record));
	conclude(&record);
	return record;
}
