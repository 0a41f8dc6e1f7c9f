// SPDX-License-Identifier: Apache-2.0
// Certificates made part by part, good ones and one for everything that can be wrong with one. Used by
// the unit tests of the reader and by its comparison with OpenSSL.
#ifndef MAILTAP_TESTS_UNIT_CERTIFICATES_H
#define MAILTAP_TESTS_UNIT_CERTIFICATES_H

#include <stddef.h>
#include <stdint.h>

enum { CERTIFICATE_MAX = 1 << 20 };

// Parts as der_text.h writes them; NULL: as in a plain certificate, "": left out.
struct certificate_recipe {
	const char *name;
	const char *malformed; // what the reader should say; NULL: nothing
	const char *version, *serial, *algorithm, *issuer, *validity, *subject, *key, *unique_ids;
	const char *extensions; // without the two elements around all of them
	const char *extension_list; // with them
	const char *outer_algorithm, *signature;
	const char *behind; // the certificate
	const char *whole; // instead of all parts
};

// Ends with a name of NULL.
extern const struct certificate_recipe certificate_recipes[];

// Writes the certificate, which has CERTIFICATE_MAX octets of room. Returns its length.
size_t certificate_make(const struct certificate_recipe *recipe, uint8_t *octets);

#endif
