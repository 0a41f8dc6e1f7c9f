// SPDX-License-Identifier: Apache-2.0
// The lengths of the records in which a TLS 1.3 server hides its certificate: what it sends encrypted
// between its ServerHello and the client's answer to it. A tap cannot read them, but it sees when they
// change. They tell as much as their lengths do: a server that packs messages into records in another
// way shows another flight with the same chain, and what a server may send before the client's answer
// (data of its own, tickets; mail servers speak only after it) is among them.
#include "decode/tls_state.h"

struct tls_flight {
	unsigned count; // records of it; above TLS_FLIGHT_MAX only counted
	uint16_t lengths[TLS_FLIGHT_MAX];
};

void tls_flight_add(struct tls *tls, uint16_t length)
{
	struct tls_flight *flight = tls->flight;
	if (tls->flight_over)
		return;
	if (flight == NULL)
		tls->flight = flight = memory_take_zeroed(tls->memory, sizeof(*flight));
	if (flight == NULL) {
		tls->flight_over = true; // no memory: not seen
		return;
	}
	if (flight->count < TLS_FLIGHT_MAX)
		flight->lengths[flight->count] = length;
	flight->count++;
}

void tls_flight_drop(struct tls *tls)
{
	memory_give(tls->memory, tls->flight);
	tls->flight = NULL;
	tls->flight_over = true;
}

void tls_flight_answered(struct tls *tls)
{
	const struct tls_flight *flight = tls->flight;
	// What looks like an answer may be early data.
	bool whole = !tls->half[FROM_SERVER].gap && !tls->half[FROM_CLIENT].gap && !tls->early_data;
	if (flight != NULL && whole && flight->count <= TLS_FLIGHT_MAX &&
	    tls->sink->hidden_flight != NULL)
		tls->sink->hidden_flight(tls->context, flight->lengths, flight->count);
	tls_flight_drop(tls);
}
