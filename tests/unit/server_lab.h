// SPDX-License-Identifier: Apache-2.0
// Sessions as the memories of servers and clients are given them, made by hand: a mail session with
// everything seen, of which a test changes what it is about.
#ifndef MAILTAP_TESTS_SERVER_LAB_H
#define MAILTAP_TESTS_SERVER_LAB_H

#include "analytics/exporter.h"

// The record, its session and certificates, ready to be changed. `server` and `client` are addresses as
// text; the session begins at `start` and takes a second. Valid until eight more were made.
struct lab_session {
	struct session session;
	struct session_record record;
	struct judged_session judged;
	struct certificate certificate;
};

// SMTP on port 25 that offers STARTTLS; the client leaves.
struct lab_session *lab_smtp(const char *server, const char *client, nanoseconds start);

// Lets the client take it, and TLS be completed.
void lab_establish(struct lab_session *lab);

// The list, one entry a line, with or without STARTTLS.
void lab_list(struct lab_session *lab, const char *entries);

// Shows this leaf (a letter), trusted or self-signed.
void lab_leaf(struct lab_session *lab, char leaf, bool trusted);

// The client asks for this name (SNI), and the certificate is for it.
void lab_name(struct lab_session *lab, const char *name);

// A text as a record has it, valid until 64 more were made.
struct text *lab_text(const char *text);

struct ip_address lab_address(const char *text);

#endif
