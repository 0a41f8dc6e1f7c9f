// SPDX-License-Identifier: Apache-2.0
// For tests of the reader of certificates: certificates by their recipes, in memory of just their length.
#ifndef MAILTAP_TESTS_UNIT_X509_LAB_H
#define MAILTAP_TESTS_UNIT_X509_LAB_H

#include "decode/x509.h"
#include "tests/unit/certificates.h"
#include "tests/unit/der_text.h"

// Parts of recipes.
#define CN "06{550403}"
#define SAN(names) "30{06{551d11} 04{30{" names "}}}"
#define OCTETS_16 "000102030405060708090a0b0c0d0e0f"
#define OCTETS_32 OCTETS_16 OCTETS_16
#define OCTETS_64 OCTETS_32 OCTETS_32
#define OCTETS_128 OCTETS_64 OCTETS_64

enum { TEXT_SIZE = 8192 };

// A certificate in memory of just its length, and what is read of it.
struct read {
	struct view der;
	struct x509 facts;
};

// To be freed by the caller.
uint8_t *exact_copy(const uint8_t *octets, size_t length);

// To be given back with done().
struct read read_recipe(const struct certificate_recipe *recipe);
void done(struct read *read);

// `der`: as der_text.h has it.
void assert_view(struct view view, const char *der);

#endif
