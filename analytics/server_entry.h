// SPDX-License-Identifier: Apache-2.0
// One server as the memory holds it: what its sessions taught, and what is told of it as of a moment. Used
// by server_memory.c, which owns the entries, and by the reader and writer of the memory's file.
#ifndef MAILTAP_ANALYTICS_SERVER_ENTRY_H
#define MAILTAP_ANALYTICS_SERVER_ENTRY_H

#include "analytics/bounded_table.h"
#include "analytics/host_name.h"
#include "analytics/network_set.h"
#include "analytics/server_memory.h"

// What a session may answer, each counted by itself.
enum question {
	QUESTION_OFFERED, // STARTTLS/STLS in its list
	QUESTION_NOT_OFFERED, // a whole list without it
	QUESTION_PROVEN, // TLS completed behind STARTTLS/STLS
	QUESTION_ACCEPTED,
	QUESTION_REFUSED,
	QUESTION_ESTABLISHED,
	QUESTION_EHLO_TAKEN,
	QUESTION_GREETED_OK,
	QUESTION_GREETED_PREAUTH,
	QUESTIONS,
};

struct tally {
	uint32_t count; // of sessions, of each network no more than NETWORK_SHARE
	nanoseconds first, last; // meaningful if count > 0
	struct network_set networks;
};

struct entry_leaf {
	struct server_leaf leaf; // leaf.networks is not used: see below
	struct network_set networks;
};

struct server_entry {
	struct bounded_node node; // first
	struct ip_address address; // of a server known by address: name.length is 0
	uint16_t port;
	nanoseconds first, last;
	uint64_t sessions;
	struct tally tallies[QUESTIONS];
	nanoseconds fingerprinted; // when the fingerprints were taken
	uint64_t capabilities_fingerprint, banner_fingerprint;
	size_t leaf_count;
	struct entry_leaf leaves[SERVER_LEAVES_MAX]; // in no order
	size_t name_length;
	char name[]; // of a server known by name, terminated
};

// A session as the memory sees it.
struct lesson {
	const struct judged_session *session;
	uint32_t network; // of the client
	nanoseconds age; // what is older is forgotten
};

// Makes an entry with nothing known. Exactly one of address and name is given. NULL: no memory.
struct server_entry *server_entry_create(
    const struct ip_address *address, const struct host_name *name, uint16_t port);

// The session says enough of its server to be taken note of.
bool server_entry_concerns(const struct session_record *record);

// Adds what a session taught.
void server_entry_learn(struct server_entry *entry, const struct lesson *lesson);

// The server has been known for a while, so that its entry is worth keeping.
bool server_entry_is_settled(const struct server_entry *entry);

// What was known at `at`, but for what was older by more than `age`. Facts that only later packets brought
// are not told: captures may be read in any order. False: nothing, and *history is all zero.
bool server_entry_tell(const struct server_entry *entry, nanoseconds at, nanoseconds age,
    uint32_t network, struct server_history *history);

// The name of a question in the memory's file.
const char *question_name(enum question question);

#endif
