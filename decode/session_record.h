// SPDX-License-Identifier: Apache-2.0
// A session as it is handed on when its connection ends, and once before if there is a clue of tampering
// that is told of at once (END_STILL_OPEN: then what only an end shows is not concluded). Facts frozen, and "nothing seen" turned into
// "no" exactly where the tap saw enough to say so. Everything it points to is borrowed for the call
// that hands it on.
#ifndef MAILTAP_DECODE_SESSION_RECORD_H
#define MAILTAP_DECODE_SESSION_RECORD_H

#include "decode/flow.h"
#include "decode/message_facts.h"

struct session_record {
	const struct session *session; // the facts; never NULL
	struct ip_address address[2];  // by enum direction: client, server
	uint16_t port[2];
	uint16_t vlans[HEADERS_VLANS_MAX];
	uint8_t vlan_count;
	uint32_t tap_point;            // of the first packet's direction
	nanoseconds start, end;        // first and last packet
	enum end_reason end_reason;
	uint64_t packets[2], bytes[2], missing[2]; // by enum direction; payload bytes
	bool saw_start;
	bool twin_live;                // seen elsewhere as well, at the same time: that record comes later
	bool tls_port;                 // TLS was expected from the first byte
	bool refused;                  // the server answered the client's SYN with a reset
	// Facts that depend on what was not seen (enum seen).
	enum tls_mode tls_mode;
	enum seen starttls_requested, starttls_accepted, tls_established, credentials_exposed;
	bool messages_known;           // session->messages is the whole truth, or at least not nothing
	bool message_bytes_known;
	bool in_the_clear;             // mail was transferred, or a log-in tried, in the clear
	bool headers_read;             // those of its messages were to be
	struct view messages; // what is told of them: message_facts.h, one behind the other
	bool ended;                    // the client has closed: it cannot have said anything more
};

// Takes whatever there is to know of sessions. It outlives the call only by session_record_copy.
typedef void session_sink(void *context, const struct session_record *record);

// Bytes that a copy takes, and the copy: the record, its session and all texts in one piece at `room`
// (aligned to 16), pointing to nothing outside.
size_t session_record_size(const struct session_record *record);
void session_record_copy(const struct session_record *record, void *room);

// Freezes a flow whose dialogue is concluded.
struct session_record session_record_make(const struct flow *flow, enum end_reason reason);

#endif
