// SPDX-License-Identifier: Apache-2.0
// DNS over TCP (RFC 7766): each message behind two bytes with its length, in both directions, as many as there are.
// The bytes come from a dialogue, as those of mail do; whole messages are looked at and handed on. Where bytes are
// missing it is not known where the next message begins: the rest of the connection is left out.
#ifndef MAILTAP_DECODE_DNS_STREAM_H
#define MAILTAP_DECODE_DNS_STREAM_H

#include "decode/dns_filter.h"
#include "decode/protocol.h"

// Takes a message, borrowed for the call. False: there was no room for it.
typedef bool names_sink(void *context, const struct dns_message *message);

// Where messages go that were found to be of use.
struct dns_tap {
	names_sink *sink;
	void *context;
	struct dns_counters counters;
};

// Hands a message on, and counts it.
void dns_tap_give(struct dns_tap *tap, const struct dns_message *message);

// The two ends of the connection, by enum direction.
struct dns_ends {
	struct ip_address address[2];
	uint16_t port[2];
};

extern const struct protocol_ops dns_stream_protocol;

// Behind its `begin`, before the first byte.
void dns_stream_between(void *state, const struct dns_ends *ends);

#endif
