// SPDX-License-Identifier: Apache-2.0
// What the patterns (configs/patterns/) say of a session's texts: the server's software, an overwritten
// banner, filler in the place of a capability or command, what kind of refusal a line is. A value.
#ifndef MAILTAP_ANALYTICS_PATTERN_FINDINGS_H
#define MAILTAP_ANALYTICS_PATTERN_FINDINGS_H

#include "decode/pattern_set.h"
#include "decode/session_record.h"

struct pattern_findings {
	const char *server_software; // NULL: not known
	bool banner_garbled; // the greeting is overwritten, as a "fixup" firewall does
	int garbled_capability; // which line of a list of capabilities is filler, from 0; -1: none
	struct view garbled_capability_line; // its bytes, as in the record
	// Of the server's answer to STARTTLS/STLS that was no yes (CLUE_STARTTLS_ANSWER).
	bool answer_unknown_command; // it says that it does not know or implement the command
	bool answer_echoes_filler; // it quotes filler, not the command that the client sent
};

// Asks the patterns for one thread, and remembers what they said of the banners and lists of capabilities
// seen last: a server greets a million sessions with the same words. Bounded.
struct pattern_reader;

// Takes a share of the patterns, and what comes in their place. NULL: no memory.
struct pattern_reader *pattern_reader_create(const struct pattern_set *patterns);

// NULL is allowed.
void pattern_reader_destroy(struct pattern_reader *reader);

// What the patterns say of the record; the line points into it. The identifiers are good until the next record.
struct pattern_findings pattern_findings_of(
    struct pattern_reader *reader, const struct session_record *record);

#endif
