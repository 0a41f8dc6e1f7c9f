// SPDX-License-Identifier: Apache-2.0
// DANE (RFC 6698, 7671, 7672): whether what a session's server showed fits the records of type TLSA that were seen for
// the name that the client meant. That is the name asked for (SNI: who follows RFC 7672 8.1 sends it); where there is
// none, on port 25, any of the names of mail hosts that lead to the address.
//
// It fits if any of the names has a record that fits. It does not, only if each name that may have been meant has
// records, seen before the session and still good, none of them fits, and neither does any that another resolver gave
// or that was good before: keys are changed, and resolvers do not learn of it at once. What is not certain is
// not said. Records that DNSSEC says are not signed, or wrongly, count for nothing (RFC 7672 2.2).
//
// Remembers where a set of records fitted, for what differs from it. Bounded. Owned by certificate_judge.c; one thread.
#ifndef MAILTAP_ANALYTICS_DANE_H
#define MAILTAP_ANALYTICS_DANE_H

#include "analytics/dnssec_verdict.h"
#include "analytics/mx_hosts.h"
#include "analytics/tlsa_match.h"
#include "decode/session_record.h"

// What is known by DNS, lent by whoever reads it.
struct dns_known {
	const struct dns_memory *memory;
	const struct mx_hosts *hosts;
	// Of the answer that dns_memory_find gives.
	enum dnssec_status (*status)(void *context, const struct dns_name *name, uint16_t type);
	void *context;
};

enum dane_outcome {
	DANE_NOT_KNOWN,
	DANE_MATCH,
	DANE_MISMATCH,
};

struct dane_judgement {
	enum dane_outcome outcome;
	struct host_name name; // whose records the rest is about; length 0: none were seen of any
	bool asked_for; // it is the SNI
	unsigned records; // of its
	bool
	    shown; // the next three: of the record that fits, or else the first that could, or else the first
	uint8_t usage, selector, matching_type;
	enum dnssec_status status; // of its records
	// With DANE_MISMATCH: these records fitted what this server showed in another session.
	bool fitted;
	nanoseconds fitted_last;
	uint8_t fitted_leaf[SHA256_BYTES];
};

// What is judged. `names`: that may have been meant.
struct dane_question {
	const struct session_record *record;
	const struct mx_names *names;
	bool asked_for; // there is one, and it is the SNI
	const uint8_t (*chain)[SHA256_BYTES]; // what the server showed
	size_t count;
	bool judged; // the list was (chain_judge.h): its signatures may be computed
	bool
	    recalled; // it is what the server shows in other sessions: that it does not fit is not said then
};

struct dane;

// Both are borrowed. NULL: no memory.
struct dane *dane_create(const struct dns_known *known, struct certificate_store *certificates);
void dane_destroy(struct dane *dane); // NULL is allowed

// Good until the next call.
const struct dane_judgement *dane_judge(struct dane *dane, const struct dane_question *question);

#endif
