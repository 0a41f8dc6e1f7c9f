// SPDX-License-Identifier: Apache-2.0
// A worker under test, connections that talk through it packet by packet, and the records it wrote.
// Whatever the test, lab_end checks that every packet was counted and every byte of memory came back.
#ifndef MAILTAP_TESTS_UNIT_LAB_H
#define MAILTAP_TESTS_UNIT_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/clues.h"
#include "decode/crew.h"
#include "tests/unit/tcp_packet.h"

enum {
	KEPT_RECORDS = 32, // the first ones
	KEPT_TEXT = 128,
	LAB_MEMORY = 16 << 20,
};

// A record with what it pointed to.
struct kept_record {
	struct session_record record;
	struct session session; // its texts are not valid any more
	char banner[KEPT_TEXT], client_name[KEPT_TEXT], capabilities[KEPT_TEXT];
	uint8_t clues[CLUES_MAX]; // as session.clues
	uint32_t clues_length;
};

struct lab {
	struct crew *crew;
	struct kept_record records[KEPT_RECORDS];
	size_t count;
	struct kept_record told; // the last one of a session still open
	size_t told_count; // how many of these; in none of the other figures
	bool only_ended; // keep records of connections that ended, no others
	uint64_t ends[END_EVICTED + 1]; // records by end_reason
	uint64_t written; // all records
	uint64_t packets; // of all records
	uint64_t sent;
	size_t memory_at_start;
	nanoseconds now;
	uint16_t interface;
	uint32_t snap_length; // 0: none
};

struct lab lab_begin(size_t memory, bool drop_wrong_checksums);

// The same, following every port.
struct lab lab_begin_on_every_port(size_t memory);

// Must not move once its first packet is sent: the worker knows where it is.
void lab_send(struct lab *lab, const struct tcp_packet *packet);

// Ends all sessions and checks the accounts; the records stay readable.
void lab_end(struct lab *lab);

// One connection. Sequence numbers of texts are given as offsets from the direction's first byte.
struct talk {
	struct lab *lab;
	struct tcp_packet base[2]; // by sender: addresses, ports, VLANs
	uint32_t start[2], next[2]; // sequence number of the first byte, of the next
};

// Client 10.0.0.`host` to server port `port`.
struct talk talk_begin(struct lab *lab, uint8_t host, uint16_t port);

// The three packets of a handshake.
void talk_open(struct talk *talk);

// The next bytes of a direction.
void talk_say(struct talk *talk, enum direction from, const char *text);

// Bytes somewhere in a direction; what comes next stays as it is.
void talk_say_at(struct talk *talk, enum direction from, uint32_t offset, const char *text);

// A packet without payload; SYN and FIN count as one byte.
void talk_flags(struct talk *talk, enum direction from, uint8_t flags);

// FIN from both, client first.
void talk_close(struct talk *talk);

// An SMTP dialogue up to the answer to EHLO.
void talk_greetings(struct talk *talk);

#endif
