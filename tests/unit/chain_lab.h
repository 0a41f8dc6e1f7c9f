// SPDX-License-Identifier: Apache-2.0
// For tests: a certificate store, a trust store and a judge, with certificates of a test PKI.
#ifndef MAILTAP_TESTS_UNIT_CHAIN_LAB_H
#define MAILTAP_TESTS_UNIT_CHAIN_LAB_H

#include "tests/unit/chain_cases.h"

struct chain_lab {
	struct pki *pki; // not its own
	struct certificate_store *certificates;
	struct trust_store *trust;
	struct chain_judge *judge;
	char directory[64];
};

enum { CHAIN_LAB_BYTES = 4 << 20 };

// With these anchors ("": no trust store at all) and CRLs (NULL: none). `bytes`: limits of both the
// certificate store and the judge.
void chain_lab_open(struct chain_lab *lab, struct pki *pki, const char *anchors, const char *crls,
    size_t bytes);
void chain_lab_close(struct chain_lab *lab);

// The hash of a certificate of the PKI.
void chain_lab_hash(struct chain_lab *lab, const char *name, uint8_t sha256[SHA256_BYTES]);

// Adds the certificates as a session would show them. Returns how many; their hashes in *chain.
size_t chain_lab_show(struct chain_lab *lab, const char *names, uint8_t (*chain)[SHA256_BYTES]);

// Shows, judges and trims. `at`: seconds since 1970.
struct chain_judgement chain_lab_judge(
    struct chain_lab *lab, const char *sent, enum certificate_role role, int64_t at);

#endif
