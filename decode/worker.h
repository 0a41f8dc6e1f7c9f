// SPDX-License-Identifier: Apache-2.0
// One worker: takes batches of packets and turns them into session records. Owns all state of the
// connections it sees and shares nothing; several workers are several of these. One thread each.
#ifndef MAILTAP_DECODE_WORKER_H
#define MAILTAP_DECODE_WORKER_H

#include "capture/packet.h"
#include "decode/certificate_announcer.h"
#include "decode/dialogue.h"
#include "decode/flow.h"
#include "decode/foreign.h"
#include "decode/fragment.h"
#include "decode/headers.h"
#include "decode/session_record.h"
#include "decode/tcp.h"

struct worker;

// Which ports are followed, and what is expected on them.
struct port_table {
	struct port_set set;
	struct port_hint hints[65536];
};

struct worker_options {
	const struct port_table *ports; // borrowed for the worker's life
	size_t memory;                  // bytes for connections, their texts and fragments
	bool without_foreign;           // what our own first look cannot name has no name
	const struct tls_keylog *keylog; // borrowed for the worker's life; NULL: there is none
	const struct pattern_set *patterns; // likewise
	bool drop_wrong_checksums;      // default: kept, as offloading leaves them wrong at the sender
	session_sink *on_session;       // at the end of a session; at most once before: END_STILL_OPEN
	certificate_sink *on_certificate; // NULL: nobody wants them. Before the session's record
	void *context;                  // of both
};

// Every packet given to the worker is in exactly one of headers.outcomes; every segment among them
// (or put together from fragments) in exactly one of segments_tracked, _dropped, _set_aside, _no_mail
// and flow.refused, once its connection has ended.
struct worker_counters {
	uint64_t packets;
	struct headers_counters headers;
	uint64_t reassembled[HEADERS_OUTCOMES]; // datagrams put together, by what became of them
	struct fragment_counters fragment;
	struct flow_counters flow;
	struct tcp_counters tcp;
	struct foreign_counters foreign;
	uint64_t segments_tracked;
	uint64_t segments_dropped;      // wrong checksum, with drop_wrong_checksums
	uint64_t segments_set_aside;    // SYNs in the middle of a connection: forged, or its ends began anew
	uint64_t segments_no_mail;      // on ports not known for mail, of connections without a record
	uint64_t connections_no_mail;   // there, followed and not found to be mail
	size_t memory_in_use, memory_reserved;
	uint64_t memory_refusals;
};

// NULL: no memory.
struct worker *worker_create(const struct worker_options *options);

// Ends all sessions and frees everything.
void worker_destroy(struct worker *worker);

// The packets' bytes are borrowed for the call.
void worker_batch(struct worker *worker, const struct packet_batch *batch);

// Ends all sessions, as at the end of the capture.
void worker_finish(struct worker *worker);

struct worker_counters worker_counters(const struct worker *worker);

#endif
