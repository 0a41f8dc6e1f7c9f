// SPDX-License-Identifier: Apache-2.0
// The connections of one worker: a table by 5-tuple and tap point, time-outs in packet time, and
// eviction when the memory's budget is used up. Sized once for that budget, so that it never stops to
// grow; untouched parts cost nothing. Owns the flows; one thread.
#ifndef MAILTAP_DECODE_FLOW_H
#define MAILTAP_DECODE_FLOW_H

#include "capture/base/chain_table.h"
#include "decode/backlog.h"
#include "decode/dialogue.h"
#include "decode/headers.h"
#include "decode/holes.h"
#include "decode/session.h"

// The two ends of a connection, the lower (address, port) first, so that both directions give the
// same key.
struct flow_key {
	struct ip_address address[2];
	uint16_t port[2]; // host order
};

// How a connection ended.
enum end_reason {
	END_FIN,
	END_RST,
	END_TIMEOUT,
	END_OF_CAPTURE,
	END_EVICTED,
	END_STILL_OPEN, // not yet: what was found so far is told of at once
};

// What a flow is to the table: each class has its own time-out and its own turn at eviction.
enum flow_class {
	FLOW_OPENING, // no payload yet
	FLOW_DIALOGUE, // being read
	FLOW_CUT_OVER, // nothing more to learn: only counted
	FLOW_CLOSING, // ended; kept a moment for what is still on its way
	FLOW_ELSEWHERE, // on a port that is not known for mail, and not yet found to be mail
	FLOW_CLASSES,
};

// One direction of a TCP connection, as tcp.c keeps it.
struct stream {
	uint32_t next; // sequence number of the next byte to deliver
	uint32_t acknowledged; // highest acknowledgement the other side sent for this direction
	uint32_t fin_sequence; // where the stream ends, if fin_seen
	uint32_t packets;
	struct holes *holes; // NULL: nothing was missing so far
	uint8_t far_segments; // in a row beyond what a window allows
	uint32_t fin_acknowledgement; // what its sender had seen of the other direction by then
	bool known; // next is valid
	bool start_known; // and was the very first byte's when it was set
	bool holding; // the backlog holds segments back
	bool syn_seen, fin_seen, closed, acknowledged_known;
	bool reset_sent : 1; // its sender has reset the connection, as far as it is known (tcp_end.h)
	bool reset_waits : 1; // for the bytes in front of where that is
	bool spoke_again : 1; // its sender has sent something else since
	bool fin_for_byte : 1; // the number of its FIN had been counted as a byte that is missing
	uint32_t tap_point; // where this direction is seen, once packets > 0
	uint32_t reset_sequence; // where it was reset: what has been acknowledged beyond it says that it was not
	uint64_t bytes; // payload seen, each byte once
	uint64_t missing; // payload known to exist and not seen
	struct backlog *backlog; // while it is being read and something was delivered or held back
};

struct flow {
	struct chained in_table; // with the hash of the key
	struct flow *queue_next, *queue_previous;
	struct flow_key key;
	uint8_t client_end; // index into key of the side that opened the connection
	uint8_t class; // enum flow_class
	uint8_t end_reason; // enum end_reason; meaningful in FLOW_CLOSING
	uint8_t vlan_count;
	uint16_t vlans[HEADERS_VLANS_MAX]; // of the first packet
	bool saw_start : 1; // a SYN was captured
	bool given_up : 1; // hint.elsewhere: it is no mail, or nothing that could be told
	bool waits_off : 1; // one direction is not in the capture: nothing waits for it
	bool reuse_pending : 1; // a SYN with another initial sequence number was seen
	bool kept_out : 1; // its SYN for a port of TLS had to come again: nobody answered
	bool told : 1; // a record was written while it was open
	struct port_hint hint;
	uint32_t reuse_sequence; // that number
	uint32_t syn_sequence; // the client's initial sequence number, if its SYN was seen
	uint32_t queued_at; // the position at which it was put at the end of its queue (flow_table_moment)
	nanoseconds first, last; // packets
	nanoseconds queued; // when it was put at the end of its queue
	nanoseconds waiting_since; // since when something is held; 0: nothing is
	struct stream streams[2]; // by enum direction
	struct dialogue *dialogue; // from the first payload until cut over
	struct session *session; // from the first payload
};

// With its place in the table, a connection that is only counted stays below 512 bytes.
_Static_assert(sizeof(struct flow) <= 288, "a connection that said nothing yet");
_Static_assert(sizeof(struct session) <= 192, "the facts of a connection");

// How long a packet may take from one tap point to the other.
#define TWIN_DELAY SECONDS(1)

struct flow_counters {
	uint64_t created, ended;
	uint64_t evicted;
	uint64_t evicted_elsewhere; // besides: of FLOW_ELSEWHERE
	uint64_t
	    refused; // packets of connections for which there was no memory, even after eviction
	uint64_t live, live_peak;
	uint64_t live_in[FLOW_CLASSES]; // of them
};

struct flow_table;

// Called for a flow that leaves the table, before its memory is given back. It must not add flows.
typedef void flow_end_function(void *context, struct flow *flow, enum end_reason reason);

// `budget`: bytes that all flows and what hangs on them may take, the same as the memory's.
struct flow_table *flow_table_create(
    struct memory *memory, size_t budget, flow_end_function *on_end, void *context);

// Ends every flow: END_OF_CAPTURE, or what ended it before.
void flow_table_end_all(struct flow_table *table);

// Ends every flow and frees the table. NULL is allowed.
void flow_table_destroy(struct flow_table *table);

// Tells a segment to which connection it belongs: sets its `sender` and `hash`, by which it is looked for.
void flow_mark(const struct hash_key *secret, struct segment *segment);

// The key of a segment that was told.
struct flow_key flow_key_of(const struct segment *segment);

uint64_t flow_hash(const struct hash_key *secret, const struct flow_key *key);

// The flow that a segment belongs to, or NULL. Two copies of one connection at two tap points are two flows; a
// connection whose directions are seen at different tap points, or that moves from one to another, is one.
struct flow *flow_find(struct flow_table *table, const struct segment *segment);

// Starts to bring the memory that a segment will need into the cache: what flow_find looks at, the flow, what reading
// goes through, and what the parser keeps. Each step looks into what the one before it asked for, and so is worth it
// some packets behind that, and some ahead of the next.
void flow_prefetch_bucket(const struct flow_table *table, const struct segment *segment);
void flow_prefetch_first(const struct flow_table *table, const struct segment *segment);
void flow_prefetch(const struct flow_table *table, const struct segment *segment);
void flow_prefetch_state(const struct flow_table *table, const struct segment *segment);
void flow_prefetch_parser(const struct flow_table *table, const struct segment *segment);

// Where in the traffic it all happens from here on: numbers that go on, and may wrap.
void flow_table_moment(struct flow_table *table, uint32_t position);

// A new flow, zeroed but for key, class (opening) and times; NULL: no memory, even after eviction.
// `hash` is flow_hash of the key.
struct flow *flow_add(
    struct flow_table *table, const struct flow_key *key, uint64_t hash, nanoseconds now);

// Ends a flow now.
void flow_remove(struct flow_table *table, struct flow *flow, enum end_reason reason);

// Moves a flow to another class.
void flow_set_class(
    struct flow_table *table, struct flow *flow, enum flow_class class, nanoseconds now);

// True if the table has a copy of this flow's connection, seen at another tap point at the same time.
bool flow_has_twin(const struct flow_table *table, const struct flow *flow);

// Takes note of a packet of the flow. Cheap.
void flow_seen(struct flow_table *table, struct flow *flow, nanoseconds now);

// Ends flows that have timed out as of `now`, at most a sixteenth of their time late; looks at `most` of
// them.
void flow_expire(struct flow_table *table, nanoseconds now, size_t most);

// Gives memory free by ending the flow that is missed least; false: there is none but `spared`.
bool flow_evict(struct flow_table *table, const struct flow *spared);

struct flow_counters flow_table_counters(const struct flow_table *table);

#endif
