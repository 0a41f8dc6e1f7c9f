// SPDX-License-Identifier: Apache-2.0
// What is said of the certificates of one session: whose chain holds, for which name, where it was
// seen, and whether the client looked at it. Brings together what each certificate says
// (certificate_store), what the list is worth (chain_judge), the name (name_match) and what the server
// shows elsewhere (leaf_memory), and, where DNS is read, what that says of the server (mx_hosts, dane). Owned by the analytics thread; not thread safe.
//
// Does the client verify? Yes, if it refused the server's certificate with a fatal alert that only a
// check can bring about: whoever sends unknown_ca has looked, even where the tap could not see at what.
// No, if it went on over a
// certificate that no check lets pass: self-signed, expired, not yet valid, or for another name than
// the one it asked for. What else may displease (an unknown issuer, weakness, no name known) proves
// nothing: the client may trust that issuer, or know another name. Nor does a certificate that its domain publishes
// (DANE). One that leaves behind the handshake may have looked, or may have seen enough: not known.
#ifndef MAILTAP_ANALYTICS_CERTIFICATE_JUDGE_H
#define MAILTAP_ANALYTICS_CERTIFICATE_JUDGE_H

#include "analytics/chain_judge.h"
#include "analytics/dane.h"
#include "analytics/leaf_memory.h"
#include "analytics/name_match.h"
#include "decode/certificate_announcer.h"

// Where the server's certificates were seen.
enum certificate_source {
	CERTIFICATES_NOT_SEEN,
	CERTIFICATES_IN_HANDSHAKE,
	CERTIFICATES_IN_KEYLOG, // decrypted with a key log that the user gave
	CERTIFICATES_IN_MEMORY, // in other sessions of the run: this one hides them
};

struct certificate_judgement {
	enum certificate_source source;
	const uint8_t *remembered_leaf; // with CERTIFICATES_IN_MEMORY; good until the next session
	const struct certificate *leaf; // the server's; NULL: not held; good until the next session
	bool judged[2];                 // by enum direction: the list's faults are known
	struct chain_judgement chain[2];
	unsigned faults;                // of the server: its chain's, and the name's
	bool expires_soon;              // the server's leaf is in the last tenth of its lifetime
	enum name_match name_match;
	enum name_source name_source;   // meaningful unless NAME_UNKNOWN
	bool unacceptable;              // the server's, as shown here: no check lets it pass
	enum seen client_verifies;
	// By DNS (certificate_judge_use_dns); good until the next session. NULL: nobody reads it.
	const struct mx_names *mx_names; // that lead to the server, on port 25; there may be none
	const struct dane_judgement *dane;
};

struct certificate_judge_options {
	struct trust_store_options trust;
	size_t memory; // bytes for certificates and judgements
};

struct certificate_judge_counters {
	struct trust_store_counters trust;
	struct certificate_store_counters certificates;
	struct chain_judge_counters chains;
	struct leaf_memory_counters servers;
};

struct certificate_judge;

// NULL: *error says why.
struct certificate_judge *certificate_judge_create(
    const struct certificate_judge_options *options, struct error *error);
void certificate_judge_destroy(struct certificate_judge *judge);

// Another trust store from here on, between two sessions: the judge's own now.
void certificate_judge_use_trust(struct certificate_judge *judge, struct trust_store *trust);

// What is known by DNS is asked for from here on: it must outlive the judge. False: no memory.
bool certificate_judge_use_dns(struct certificate_judge *judge, const struct dns_known *known);

// A certificate was shown. What it says, if it is the first time in this run (then its record is due);
// else NULL. Good until the next session is judged.
const struct certificate *certificate_judge_shown(
    struct certificate_judge *judge, const struct shown_certificate *shown);

// Judges a session. All of its certificates were shown before.
struct certificate_judgement certificate_judge_session(
    struct certificate_judge *judge, const struct session_record *record);

// Which trust store judges, for people.
const char *certificate_judge_trust(const struct certificate_judge *judge);

struct certificate_judge_counters certificate_judge_counters(const struct certificate_judge *judge);

#endif
