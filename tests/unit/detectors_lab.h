// SPDX-License-Identifier: Apache-2.0
// For tests of each kind of evidence: one session after the other, and what is found in it.
#ifndef MAILTAP_TESTS_UNIT_DETECTORS_LAB_H
#define MAILTAP_TESTS_UNIT_DETECTORS_LAB_H

#include "tests/unit/evidence_lab.h"

// The session of the test that runs.
extern struct evidence_lab lab;

// For cmocka, around each test.
int begin(void **state);
int end(void **state);

#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)

// Fails the test unless this piece of evidence is found, and no other; CONFIDENCE_NONE: unless none is.
void expect(enum evidence_kind kind, enum confidence confidence);

void clue(enum clue_kind kind, const char *line);

// This session's server has offered STARTTLS often, to several networks, up to a minute ago.
void server_offers(void);

void lists_without_offer(void);

#endif
