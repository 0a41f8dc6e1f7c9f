// SPDX-License-Identifier: Apache-2.0
// For tests: certificate lists of every kind and what is to be said of them.
#ifndef MAILTAP_TESTS_UNIT_CHAIN_CASES_H
#define MAILTAP_TESTS_UNIT_CHAIN_CASES_H

#include "analytics/chain_judge.h"
#include "tests/unit/pki.h"

// Names are separated by spaces.
struct chain_case {
	const char *what;
	const char *sent;    // the list
	const char *anchors; // the trust store; NULL: "root"; "": none
	const char *shown;   // by other sessions; NULL: nothing
	const char *crls;    // given; NULL: none
	const char *at;      // NULL: 2024-06-15
	bool from_client;
	unsigned faults;
	const char *reason;  // part of it; NULL: none
	const char *missing; // the missing issuer; NULL: none
	bool trust_unknown;
	const char *differs; // why `openssl verify` says something else; NULL: it does not
	const char *versions_differ; // what OpenSSL 3.0.19 and 3.0.22 answer differently; NULL: nothing
};

extern const struct chain_case chain_cases[];
extern const size_t chain_case_count;

struct pki *chain_cases_pki(void);

// Takes the next name of a list of names. False: there is none.
bool chain_cases_next(const char **names, char name[64]);

#endif
