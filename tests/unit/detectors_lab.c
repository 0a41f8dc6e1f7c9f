// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/detectors_lab.h"

#include <string.h>

struct evidence_lab lab;

int begin(void **state)
{
	(void)state;
	evidence_lab_begin(&lab);
	return 0;
}

int end(void **state)
{
	(void)state;
	evidence_lab_end(&lab);
	return 0;
}

void expect(enum evidence_kind kind, enum confidence confidence)
{
	assert_int_equal(evidence_lab_confidence(&lab, kind), confidence);
	assert_int_equal(lab.count, confidence != CONFIDENCE_NONE);
}

void clue(enum clue_kind kind, const char *line)
{
	clue_add(&lab.session, kind, line, strlen(line));
}

void server_offers(void)
{
	lab.server = (struct server_history){.known = true,
	    .offer_proven = true,
	    .offered = 10,
	    .offered_networks = 2,
	    .offered_last = LAB_NOW - SECONDS(60),
	    .accepted = 9,
	    .accepted_last = LAB_NOW - SECONDS(60),
	    .established = 9,
	    .established_last = LAB_NOW - SECONDS(60),
	    .ehlo_taken = 10,
	    .ehlo_networks = 2,
	    .capabilities_fingerprint = 7,
	    .banner_fingerprint = 8};
}

void lists_without_offer(void)
{
	evidence_lab_text(&lab, &lab.session.capabilities, "PIPELINING\nSIZE 1000");
	lab.session.starttls_offered = SEEN_NO;
}
