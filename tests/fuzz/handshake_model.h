// SPDX-License-Identifier: Apache-2.0
// Handshakes of SSLv3 to TLS 1.3 that are as they should be, made of an input's choices: the records that both sides
// send, and all that a tap must be told of them. Written from the RFCs, and from nothing that reads TLS. handshakes.c
// holds the parser against it.
#ifndef MAILTAP_TESTS_FUZZ_HANDSHAKE_MODEL_H
#define MAILTAP_TESTS_FUZZ_HANDSHAKE_MODEL_H

#include "decode/tls.h"
#include "tests/fuzz/fuzzer.h"
#include "tests/unit/tls_bytes.h"

enum {
	MODEL_TURNS_MAX = 16,
	MODEL_EVENTS_MAX = 32,
	MODEL_TYPES_MAX = 64, // extensions of a hello
};

// In the order of the sink's members.
enum event_kind {
	EVENT_CLIENT_HELLO,
	EVENT_SERVER_HELLO,
	EVENT_CERTIFICATE,
	EVENT_CHAIN_END,
	EVENT_KEY_EXCHANGE,
	EVENT_REQUEST,
	EVENT_ALERT,
	EVENT_FLIGHT,
};

struct event {
	enum event_kind kind;
	enum direction from;
	uint16_t
	    number; // a certificate's position, a chain's count, a group, an alert's description, which hello
	uint8_t level; // of an alert
	struct view der; // of a certificate
};

struct model {
	struct bytes messages; // all of them, one after the other; the views below are in it
	struct bytes records; // of both sides
	struct turn {
		enum direction from;
		size_t at, length; // in records
	} turns[MODEL_TURNS_MAX];
	unsigned turn_count;
	bool closed; // by both sides, at the end

	struct event events[MODEL_EVENTS_MAX]; // what must be told, in this order
	unsigned event_count;
	struct tls_client_hello clients[2];
	struct tls_server_hello servers[2];
	unsigned client_count, server_count;
	uint16_t types[MODEL_TYPES_MAX]; // of the extensions of the first client hello
	unsigned type_count;
	uint16_t flight[TLS_FLIGHT_MAX + 4]; // lengths of the server's hidden records
	unsigned flight_count;
	uint16_t group; // the one that is told last; 0: none
	unsigned data_records[2]; // that are sent behind the handshake
	struct tls_outcome outcome; // but for application_data and client_went_on

	size_t unsent; // where the messages begin that are in no record yet
	enum direction speaker;
};

// Takes its choices from the input.
void model_make(struct model *model, struct input *input);

#endif
