// SPDX-License-Identifier: Apache-2.0
// For tests of evidence: a session in the clear, with all that detectors are given, to be changed row by row.
#ifndef MAILTAP_TESTS_UNIT_EVIDENCE_LAB_H
#define MAILTAP_TESTS_UNIT_EVIDENCE_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/detector.h"
#include "decode/clues.h"

#define LAB_NOW SECONDS((nanoseconds)1700000000)

// All zero but: an SMTP session of a client in 198.51.100.0/24 at 192.0.2.25:25, whole and ended, mail in the
// clear, no filler, nothing known.
struct evidence_lab {
	struct session session;
	struct session_shared shared;
	struct memory *memory;
	struct session_record record;
	struct judgement judgement;
	struct certificate_judgement certificates;
	struct pattern_findings patterns;
	struct server_history server, implicit;
	struct client_history client;
	struct path_history path;
	struct detector_input input;
	struct evidence found[EVIDENCE_KINDS];
	size_t count;
};

// `lab` must not move until evidence_lab_end.
void evidence_lab_begin(struct evidence_lab *lab);
void evidence_lab_end(struct evidence_lab *lab);

void evidence_lab_text(struct evidence_lab *lab, struct text **slot, const char *text);

// What the detectors find now, by kind; CONFIDENCE_NONE: no such piece.
enum confidence evidence_lab_confidence(struct evidence_lab *lab, enum evidence_kind kind);

// A piece that was found last, and a fact of it; fails the test if there is none.
const struct evidence *evidence_lab_piece(struct evidence_lab *lab, enum evidence_kind kind);
const struct fact *evidence_lab_fact(
    struct evidence_lab *lab, enum evidence_kind kind, const char *key);

// Addresses by their last byte, in 192.0.2.0/24 (server) or 198.51.100.0/24.
struct ip_address evidence_lab_address(uint8_t third, uint8_t last);

#endif
