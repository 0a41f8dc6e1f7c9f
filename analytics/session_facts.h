// SPDX-License-Identifier: Apache-2.0
// What statistics need of one judged session, flat and without pointers into anything else: made of a
// session that was just judged, or of its line in sessions.jsonl. Both give the same facts, so that a
// run and a report on its logs cannot differ.
#ifndef MAILTAP_ANALYTICS_SESSION_FACTS_H
#define MAILTAP_ANALYTICS_SESSION_FACTS_H

#include "analytics/evidence.h"
#include "analytics/host_name.h"
#include "analytics/mail_summary.h"
#include "analytics/verdict.h"
#include "analytics/whereabouts.h"
#include "capture/base/view.h"
#include "decode/tls_suite.h"

enum {
	MECHANISM_MAX = 20, // RFC 4422 3.1
	SPOKEN_MAX = 31, // of the name of a protocol
	TLS_NAME_MAX = 63, // of a version, cipher or group
	// Suites that a listener opens with means that many have.
	FACTS_BREAKABLE = 1 << TLS_WEAK_NO_ENCRYPTION | 1 << TLS_WEAK_EXPORT | 1 << TLS_WEAK_DES,
};

// Who runs a machine: a registered domain, or the number of a network ("AS64500"). Empty: not known.
struct operator_name {
	char text[HOST_NAME_MAX_BYTES + 1];
};

struct session_facts {
	nanoseconds start, end;
	struct ip_address address[2]; // by enum direction
	bool anonymised; // they are others in their place
	uint16_t server_port;
	enum protocol protocol;
	char spoken[SPOKEN_MAX + 1]; // its name, also of what is only known by name; empty: nothing was said
	enum hop hop;
	enum tls_mode tls_mode;
	enum verdict verdict;
	enum reason reason;
	// The dialogue.
	struct host_name client_name, server_name, asked_name; // HELO or EHLO; greeting; SNI
	enum seen greeted, listed; // the server's greeting, its list of capabilities
	enum seen starttls_offered, starttls_requested, starttls_accepted, tls_established;
	enum seen tls_required; // the server refused mail or log-in in the clear
	// TLS.
	bool cipher_known, cipher_breakable; // FACTS_BREAKABLE
	// As records name them; empty: not seen.
	char tls_version[TLS_NAME_MAX + 1], tls_cipher[TLS_NAME_MAX + 1],
	    tls_group[TLS_NAME_MAX + 1];
	enum tls_post_quantum post_quantum;
	bool anonymous; // established without a certificate
	bool certificate_seen; // the server's, or what it shows elsewhere
	bool certificate_recalled; // the latter
	bool faults_known; // a trust store judged
	unsigned faults; // enum certificate_fault, the name's included
	enum seen name_match, client_verifies;
	bool dns_read; // the run read DNS (--dns)
	// In the clear.
	char mechanism[MECHANISM_MAX + 1]; // of a log-in; empty: none
	enum seen credentials_exposed;
	bool messages_known, message_bytes_known;
	uint64_t messages, message_bytes;
	struct mail_summary mail; // of its transactions
	uint8_t evidence[EVIDENCE_KINDS]; // the highest enum confidence of each kind
	// Of the real addresses, by enum direction; in a line there is none: whoever has it looks it up.
	struct whereabouts where[2];
	// Added by facts_lookup.c.
	struct operator_name operator[2]; // by enum direction
	bool server_operator_is_domain;
};

struct judged_session;

// Of a session of this run.
void session_facts_of_session(struct session_facts *facts, const struct judged_session *session);

enum facts_outcome {
	FACTS_TAKEN,
	FACTS_TAKEN_IN_PART, // it has keys or values that this program does not know
	FACTS_DAMAGED, // it is no session record
};

// Of a line of sessions.jsonl, without its end.
enum facts_outcome session_facts_of_line(
    struct session_facts *facts, const char *line, size_t length);

// The strongest evidence in a session.
enum confidence session_facts_confidence(const struct session_facts *facts);

// SMTP between servers or from a client that hands in its mail, as far as is known.
bool session_facts_is_sending(const struct session_facts *facts);

// Mail or a log-in could be protected or not: the session got that far, and it is known how.
bool session_facts_carried(const struct session_facts *facts);

#endif
