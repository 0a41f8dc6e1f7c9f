// SPDX-License-Identifier: Apache-2.0
// One worker: takes TCP segments and turns them into session records. Owns all state of the connections
// it sees and shares nothing; several workers are several of these. One thread each.
#ifndef MAILTAP_DECODE_WORKER_H
#define MAILTAP_DECODE_WORKER_H

#include "capture/packet.h"
#include "decode/certificate_announcer.h"
#include "decode/dialogue.h"
#include "decode/dns_stream.h"
#include "decode/flow.h"
#include "decode/foreign.h"
#include "decode/headers.h"
#include "decode/message_reader.h"
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
	size_t memory;                  // bytes for connections and their texts
	bool without_foreign;           // what our own first look cannot name has no name
	const struct tls_keylog *keylog; // borrowed for the worker's life; NULL: there is none
	const struct pattern_set *patterns; // the worker takes a share, and what comes in their place
	const struct mail_names *mail_names; // borrowed for the worker's life; NULL: headers of mail are not read
	bool mail_hashes;               // with them: what signatures of mail are to be verified by
	bool live;                      // after a pause time-outs are taken a few at a time
	struct quiet_set *quiet;         // where connections that are only counted are to be noted; or NULL
	bool drop_wrong_checksums;      // default: kept, as offloading leaves them wrong at the sender
	session_sink *on_session;       // at the end of a session; at most once before: END_STILL_OPEN
	certificate_sink *on_certificate; // NULL: nobody wants them. Before the session's record
	names_sink *on_names;            // with ports that have names
	void *context;                  // of all three
};

// Every segment is in exactly one of segments_tracked, _duplicated, _dropped, _set_aside, _no_mail and
// flow.refused, once its connection has ended. Nothing but unsigned figures of 64 bits.
struct worker_counters {
	struct flow_counters flow;
	struct tcp_counters tcp;
	struct foreign_counters foreign;
	struct dns_counters names; // in streams; and of those in datagrams what became of what came here
	struct message_counters messages;
	uint64_t segments_tracked;
	uint64_t segments_duplicated;   // copies of others, of the tap or the network (duplicates.h)
	uint64_t segments_dropped;      // wrong checksum, with drop_wrong_checksums
	uint64_t segments_set_aside;    // SYNs in the middle of a connection: forged, or its ends began anew
	uint64_t segments_no_mail;      // on ports not known for mail, of connections without a record
	uint64_t connections_no_mail;   // there, followed and not found to be mail
	uint64_t memory_in_use, memory_reserved;
	uint64_t memory_refusals;
};
_Static_assert(sizeof(struct worker_counters) % sizeof(uint64_t) == 0, "can be added up");

// Where in the traffic a record or a certificate came up: what several workers find is put in order by it,
// lower positions and turns first, and greater ages.
struct record_order {
	uint64_t position; // of the segment, or of the moment between two, that brought it about
	uint32_t turn; // of those that end together: which class of connections goes first
	uint32_t age; // and in it, how long ago something came, more or less, in positions
};

// NULL: no memory.
struct worker *worker_create(const struct worker_options *options);

// Ends all sessions and frees everything.
void worker_destroy(struct worker *worker);

// At most PACKET_BATCH_MAX segments, in order, with positions that do not go back. All is borrowed for the
// call.
void worker_segments(struct worker *worker, const struct segment *const *segments, size_t count);

// A message of DNS that came in a datagram, between two segments, at a position of its own. Borrowed for the call.
void worker_names(struct worker *worker, const struct dns_message *message, uint64_t position);

// Ends what has timed out as of `now`: between two segments, at a position of its own.
void worker_expire(struct worker *worker, nanoseconds now, uint64_t position);

// Something else happens, between two segments: worker_order tells it from here on.
void worker_moment(struct worker *worker, uint64_t position);

// Ends all sessions, as at the end of the capture.
void worker_finish(struct worker *worker, uint64_t position);

// Of what the worker hands on; good while a sink is called.
struct record_order worker_order(const struct worker *worker);

bool record_order_before(const struct record_order *one, const struct record_order *other);

struct worker_counters worker_counters(const struct worker *worker);

// Adds up. A peak of live connections becomes the most that there can have been.
void worker_counters_add(struct worker_counters *sum, const struct worker_counters *one);

#endif
