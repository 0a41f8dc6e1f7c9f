// SPDX-License-Identifier: Apache-2.0
// The reader of certificates: every fact, every fault, certificates cut anywhere and changed anywhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/x509.h"
#include "decode/x509_der.h"
#include "tests/unit/certificates.h"
#include "tests/unit/der_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static uint8_t *exact_copy(const uint8_t *octets, size_t length)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);
	assert_non_null(copy);
	memcpy(copy, octets, length);
	return copy;
}

static struct read read_recipe(const struct certificate_recipe *recipe)
{
	static uint8_t octets[CERTIFICATE_MAX];
	size_t length = certificate_make(recipe, octets);
	struct read read = {.der = view_of(exact_copy(octets, length), length)};
	x509_read(read.der, &read.facts);
	return read;
}

static void done(struct read *read)
{
	free((void *)(uintptr_t)read->der.data);
}

static void assert_view(struct view view, const char *der)
{
	static uint8_t octets[TEXT_SIZE];
	assert_non_null(view.data);
	size_t length = der_text(der, octets, sizeof octets);
	assert_int_equal(view.length, length);
	assert_memory_equal(view.data, octets, length);
}

static void assert_inside(struct view outer, struct view inner)
{
	if (inner.data == NULL) {
		assert_int_equal(inner.length, 0);
		return;
	}
	assert_in_range(
	    (uintptr_t)inner.data, (uintptr_t)outer.data, (uintptr_t)outer.data + outer.length);
	assert_true(inner.length <= (size_t)(outer.data + outer.length - inner.data));
}

// Everything that can be asked of a certificate, for what a sanitizer has to say about it.
static void ask_everything(struct view der, const struct x509 *facts)
{
	static uint8_t text[TEXT_SIZE];
	char number[64];
	const struct view views[] = {facts->serial, facts->issuer, facts->subject, facts->spki,
	    facts->key_oid, facts->curve_oid, facts->signature_oid, facts->alternative_names,
	    x509_common_name(facts->subject), x509_common_name(facts->issuer)};
	for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
		assert_inside(der, views[i]);
	assert_true(x509_name_text(facts->subject, text, sizeof text) <= sizeof text);
	assert_true(x509_name_text(facts->issuer, text, sizeof text) <= sizeof text);
	x509_oid_text(facts->signature_oid, number, sizeof number);
	x509_oid_text(facts->curve_oid, number, sizeof number);
	struct view names = facts->alternative_names, name;
	enum x509_name_type type;
	while (x509_next_name(&names, &type, &name)) {
		assert_inside(der, name);
		assert_true(type != X509_NAME_IP || name.length == 4 || name.length == 16);
	}
}

// --- faults ------------------------------------------------------------------------------------

static void every_fault_is_named(void **state)
{
	(void)state;
	unsigned wrong = 0;
	for (const struct certificate_recipe *recipe = certificate_recipes; recipe->name;
	     recipe++) {
		struct read read = read_recipe(recipe);
		const char *expected = recipe->malformed ? recipe->malformed : "-";
		const char *found = read.facts.malformed ? read.facts.malformed : "-";
		if (strcmp(expected, found) != 0) {
			print_message("%s: %s, not %s\n", recipe->name, found, expected);
			wrong++;
		}
		ask_everything(read.der, &read.facts);
		done(&read);
	}
	assert_int_equal(wrong, 0);
}

static void the_first_fault_counts_and_the_rest_is_read(void **state)
{
	(void)state;
	const struct certificate_recipe recipe = {.serial = "02{0001}",
	    .issuer = "30{31{}}",
	    .validity = "30{17{'240230000000Z'} 17{'250101000000Z'}}",
	    .extensions = "30{06{551d13} 04{0500}}" SAN("82{'a.example'}"),
	    .outer_algorithm = "30{06{2a8648ce3d040303}}"};
	struct read read = read_recipe(&recipe);
	assert_string_equal(read.facts.malformed, "serial number is not minimal");
	assert_view(read.facts.serial, "0001");
	assert_view(read.facts.issuer, "30{31{}}");
	assert_view(read.facts.subject, "30{31{30{" CN "0c{'Subject'}}}}");
	assert_false(read.facts.validity_read);
	assert_string_equal(read.facts.curve, "P-256");
	assert_view(read.facts.alternative_names, "82{'a.example'}");
	assert_string_equal(read.facts.signature_algorithm, "ecdsa-with-SHA256");
	done(&read);
}

static bool same_or_unread(struct view part, struct view whole)
{
	return part.data == NULL || (part.data == whole.data && part.length == whole.length);
}

// Cut anywhere, a certificate is malformed, and what is read of it is what stands in the whole.
static void cut_anywhere(void **state)
{
	(void)state;
	static uint8_t octets[CERTIFICATE_MAX];
	for (const struct certificate_recipe *recipe = certificate_recipes; recipe->name;
	     recipe++) {
		size_t length = certificate_make(recipe, octets);
		struct x509 whole, cut;
		x509_read(view_of(octets, length), &whole);
		for (size_t end = 0; recipe->malformed == NULL && end < length; end++) {
			uint8_t *copy = exact_copy(octets, end);
			x509_read(view_of(copy, end), &cut);
			assert_non_null(cut.malformed);
			ask_everything(view_of(copy, end), &cut);
			free(copy);
			x509_read(view_of(octets, end), &cut);
			assert_true(cut.version == 0 || cut.version == whole.version);
			assert_true(same_or_unread(cut.serial, whole.serial));
			assert_true(same_or_unread(cut.issuer, whole.issuer));
			assert_true(same_or_unread(cut.subject, whole.subject));
			assert_true(same_or_unread(cut.spki, whole.spki));
			assert_true(same_or_unread(cut.key_oid, whole.key_oid));
			assert_true(same_or_unread(cut.curve_oid, whole.curve_oid));
			assert_true(same_or_unread(cut.signature_oid, whole.signature_oid));
			assert_true(same_or_unread(cut.alternative_names, whole.alternative_names));
			assert_true(!cut.validity_read || (cut.not_before == whole.not_before &&
			                                      cut.not_after == whole.not_after));
			assert_true(cut.key_bits == 0 || cut.key_bits == whole.key_bits);
			assert_true(!cut.is_ca || whole.is_ca);
			assert_true(!cut.has_scts || whole.has_scts);
		}
	}
}

static void a_cut_certificate_keeps_what_was_there(void **state)
{
	(void)state;
	static uint8_t octets[CERTIFICATE_MAX];
	size_t length = certificate_make(&certificate_recipes[0], octets);
	struct x509 cut;
	x509_read(view_of(octets, length - 1), &cut);
	assert_string_equal(cut.malformed, "certificate is cut short");
	assert_view(cut.alternative_names, "82{'mail.example'}");
	assert_view(cut.subject, "30{31{30{" CN "0c{'Subject'}}}}");
}

static void changed_anywhere(void **state)
{
	(void)state;
	static uint8_t octets[CERTIFICATE_MAX];
	struct certificate_recipe recipe = {
	    .extensions = SAN("82{'a'} 87{01020304} a4{30{31{30{" CN
	                      "1e{00410042}}}}}") "30{06{551d13} 01{ff} 04{30{01{ff}02{01}}}}"
	                                          "30{06{551d25} 04{30{06{2b06010505070301}}}}"};
	size_t length = certificate_make(&recipe, octets);
	uint8_t *copy = exact_copy(octets, length);
	struct x509 facts;
	x509_read(view_of(copy, length), &facts);
	assert_null(facts.malformed);
	for (size_t at = 0; at < length; at++) {
		for (unsigned value = 0; value < 256; value++) {
			copy[at] = (uint8_t)value;
			x509_read(view_of(copy, length), &facts);
			ask_everything(view_of(copy, length), &facts);
		}
		copy[at] = octets[at];
	}
	free(copy);
}

// The rule of X.690 8.19.2 as it is written, for comparison.
static bool plain_object_identifier_ok(const uint8_t *octets, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (octets[i] == 0x80 && (i == 0 || octets[i - 1] < 0x80))
			return false;
	return length > 0 && octets[length - 1] < 0x80;
}

static void object_identifiers_of_any_length(void **state)
{
	(void)state;
	static const uint8_t kinds[] = {0x2a, 0x00, 0x01, 0x7f, 0x80, 0x81, 0xff, 0x03};
	uint32_t number = 1;
	unsigned good = 0;
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t octets[20];
		size_t length = i % (sizeof octets + 1);
		unsigned rare = i / 1000 % 5; // how seldom an octet is one of those that matter
		for (size_t n = 0; n < length; n++) {
			number = number * 1103515245 + 12345;
			bool plain = (number >> 20) % 5 < rare;
			octets[n] = plain ? 0x05 : kinds[(number >> 12) % sizeof kinds];
		}
		uint8_t *copy = exact_copy(octets, length);
		bool expected = plain_object_identifier_ok(octets, length);
		assert_int_equal(der_object_identifier_ok(view_of(copy, length)), expected);
		good += expected;
		free(copy);
	}
	assert_in_range(good, 10000, 190000);
}

// --- facts -------------------------------------------------------------------------------------

static void plain_facts(void **state)
{
	(void)state;
	struct read read = read_recipe(&certificate_recipes[0]);
	const struct x509 *facts = &read.facts;
	assert_null(facts->malformed);
	assert_ptr_equal(facts->der.data, read.der.data);
	assert_int_equal(facts->version, 3);
	assert_view(facts->serial, "01");
	assert_view(facts->issuer, "30{31{30{" CN "0c{'Issuer'}}}}");
	assert_view(facts->subject, "30{31{30{" CN "0c{'Subject'}}}}");
	assert_true(facts->validity_read);
	assert_int_equal(facts->not_before, 1704067200);
	assert_int_equal(facts->not_after, 1735689600);
	assert_int_equal(facts->spki.data[0], 0x30);
	assert_int_equal(facts->spki.length, 91);
	assert_view(facts->key_oid, "2a8648ce3d0201");
	assert_int_equal(facts->key_type, X509_KEY_EC);
	assert_int_equal(facts->key_bits, 256);
	assert_string_equal(facts->curve, "P-256");
	assert_view(facts->curve_oid, "2a8648ce3d030107");
	assert_string_equal(facts->signature_algorithm, "ecdsa-with-SHA256");
	assert_view(facts->signature_oid, "2a8648ce3d040302");
	assert_int_equal(facts->signature_digest, X509_DIGEST_SHA256);
	assert_false(facts->self_issued);
	assert_false(facts->basic_constraints || facts->is_ca || facts->extended_key_usage);
	assert_false(facts->for_servers || facts->for_clients || facts->for_anything);
	assert_false(facts->has_scts);
	assert_view(facts->alternative_names, "82{'mail.example'}");
	done(&read);
}

static void times(void **state)
{
	(void)state;
	static const struct {
		const char *time;
		int64_t seconds;
	} cases[] = {
	    {"17{'700101000000Z'}", 0},
	    {"17{'691231235959Z'}", -1},
	    {"17{'500101000000Z'}", -631152000},
	    {"17{'491231235959Z'}", 2524607999},
	    {"17{'000229120000Z'}", 951825600},
	    {"17{'000301000000Z'}", 951868800},
	    {"18{'20500101000000Z'}", 2524608000},
	    {"18{'21000301000000Z'}", 4107542400},
	    {"18{'99991231235959Z'}", 253402300799},
	    {"18{'00000101000000Z'}", -62167219200},
	    {"18{'19700101000000Z'}", 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char validity[128];
		snprintf(validity, sizeof validity, "30{%s 17{'240229235959Z'}}", cases[i].time);
		const struct certificate_recipe recipe = {.validity = validity};
		struct read read = read_recipe(&recipe);
		assert_true(read.facts.validity_read);
		assert_int_equal(read.facts.not_before, cases[i].seconds);
		assert_int_equal(read.facts.not_after, 1709251199);
		done(&read);
	}
}

static void keys(void **state)
{
	(void)state;
	static const struct {
		const char *algorithm, *key;
		enum x509_key_type type;
		unsigned bits;
		const char *curve, *malformed;
	} cases[] = {
	    {"06{2a864886f70d010101} 0500", "30{02{00ff" OCTETS_128 "} 02{010001}}", X509_KEY_RSA,
	        1032, NULL, NULL},
	    {"06{2a864886f70d010101} 0500", "30{02{01" OCTETS_128 "} 02{03}}", X509_KEY_RSA, 1025,
	        NULL, NULL},
	    {"06{55080101} 0500", "30{02{40" OCTETS_64 "} 02{03}}", X509_KEY_RSA, 519, NULL, NULL},
	    {"06{2a864886f70d010101} 0500", "30{02{80" OCTETS_64 "} 02{03}}", X509_KEY_RSA, 520,
	        NULL, "RSA key is malformed"},
	    {"06{2a864886f70d01010a}", "30{02{7f" OCTETS_128 "} 02{03}}", X509_KEY_RSA_PSS, 1031,
	        NULL, NULL},
	    {"06{2a8648ce380401} 30{02{00ff" OCTETS_64 "} 02{0b} 02{05}}", "02{07}", X509_KEY_DSA,
	        520, NULL, NULL},
	    {"06{2a8648ce380401}", "02{07}", X509_KEY_DSA, 0, NULL, NULL},
	    {"06{2a8648ce3d0201} 06{2b81040022}", "02" OCTETS_32 OCTETS_16, X509_KEY_EC, 384,
	        "P-384", NULL},
	    {"06{2a8648ce3d0201} 06{2b81040023}", "04" OCTETS_128 "00010203", X509_KEY_EC, 521,
	        "P-521", NULL},
	    {"06{2a8648ce3d0201} 06{2b8104000a}", "03" OCTETS_32, X509_KEY_EC, 256, "secp256k1",
	        NULL},
	    {"06{2a8648ce3d0201} 06{2b240303020801010d}", "04" OCTETS_128, X509_KEY_EC, 512,
	        "brainpoolP512r1", NULL},
	    {"06{2a8648ce3d0201} 06{2b81040001}", "02" OCTETS_16 "0001020304", X509_KEY_EC, 163,
	        "sect163k1", NULL},
	    {"06{2a8648ce3d0201} 06{2a030405}", "02" OCTETS_16, X509_KEY_EC, 0, NULL, NULL},
	    {"06{2a8648ce3d0201} 30{02{01} 30{06{2a8648ce3d0101} 02{00ff" OCTETS_32 "}}}", "04",
	        X509_KEY_EC, 264, NULL, NULL},
	    {"06{2a8648ce3d0201} 30{02{01} 30{06{2a8648ce3d0102} 30{02{0119} 06{00}}}}", "04",
	        X509_KEY_EC, 281, NULL, NULL},
	    {"06{2a8648ce3d0201} 30{02{01} 30{06{2a8648ce3d0102} 30{02{71} 06{00}}}}", "04",
	        X509_KEY_EC, 113, NULL, NULL},
	    {"06{2a8648ce3d0201} 30{02{01} 30{06{2a8648ce3d0102} 30{02{010000} 06{00}}}}", "04",
	        X509_KEY_EC, 0, NULL, "curve parameters are malformed"},
	    {"06{2a8648ce3d0201} 30{02{01} 30{06{2a8648ce3d0102} 30{02{0071} 06{00}}}}", "04",
	        X509_KEY_EC, 0, NULL, "curve parameters are malformed"},
	    {"06{2a8648ce3d0201} 30{02{01} 30{06{2a8648ce3d0102} 30{02{80} 06{00}}}}", "04",
	        X509_KEY_EC, 0, NULL, "curve parameters are malformed"},
	    {"06{2a8648ce3d0201} 30{02{01} 30{06{2a0304} 02{05}}}", "04", X509_KEY_EC, 0, NULL,
	        NULL},
	    {"06{2b6570}", OCTETS_32, X509_KEY_ED25519, 256, NULL, NULL},
	    {"06{2b6571}", OCTETS_32 OCTETS_16 "000102030405060708", X509_KEY_ED448, 456, NULL,
	        NULL},
	    {"06{2b656e}", OCTETS_32, X509_KEY_X25519, 253, NULL, NULL},
	    {"06{2b656f}", OCTETS_32 OCTETS_16 "0001020304050607", X509_KEY_X448, 448, NULL, NULL},
	    {"06{608648016503040311}", OCTETS_128, X509_KEY_ML_DSA, 0, NULL,
	        "key has a wrong length"},
	    {"06{2a0304} 0500", OCTETS_32, X509_KEY_UNKNOWN, 0, NULL, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char key[1024];
		snprintf(key, sizeof key, "30{30{%s} 03{00 %s}}", cases[i].algorithm, cases[i].key);
		const struct certificate_recipe recipe = {.key = key};
		struct read read = read_recipe(&recipe);
		assert_int_equal(read.facts.key_type, cases[i].type);
		assert_int_equal(read.facts.key_bits, cases[i].bits);
		if (cases[i].curve != NULL)
			assert_string_equal(read.facts.curve, cases[i].curve);
		else
			assert_null(read.facts.curve);
		if (cases[i].malformed != NULL)
			assert_string_equal(read.facts.malformed, cases[i].malformed);
		else
			assert_null(read.facts.malformed);
		assert_non_null(read.facts.key_oid.data);
		done(&read);
	}
}

static void ml_dsa_keys(void **state)
{
	(void)state;
	static const struct {
		unsigned number, octets;
	} sets[] = {{17, 1312}, {18, 1952}, {19, 2592}};
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		char key[2592 * 2 + 128];
		int used = snprintf(
		    key, sizeof key, "30{30{06{6086480165030403%02x}} 03{00 ", sets[i].number);
		memset(key + used, '1', 2 * sets[i].octets);
		memcpy(key + used + 2 * sets[i].octets, "}}", 3);
		const struct certificate_recipe recipe = {.key = key};
		struct read read = read_recipe(&recipe);
		assert_null(read.facts.malformed);
		assert_int_equal(read.facts.key_type, X509_KEY_ML_DSA);
		done(&read);
	}
}

static void signatures(void **state)
{
	(void)state;
#define PSS "06{2a864886f70d01010a}"
	static const struct {
		const char *algorithm, *name;
		enum x509_digest digest;
	} cases[] = {
	    {"06{2a864886f70d01010b} 0500", "sha256WithRSAEncryption", X509_DIGEST_SHA256},
	    {"06{2a864886f70d010105} 0500", "sha1WithRSAEncryption", X509_DIGEST_SHA1},
	    {"06{2a864886f70d010104} 0500", "md5WithRSAEncryption", X509_DIGEST_MD5},
	    {"06{2a864886f70d010103} 0500", "md4WithRSAEncryption", X509_DIGEST_MD4},
	    {"06{2a864886f70d010102} 0500", "md2WithRSAEncryption", X509_DIGEST_MD2},
	    {"06{2b0e03021d}", "sha1WithRSA", X509_DIGEST_SHA1},
	    {"06{2a8648ce3d040304}", "ecdsa-with-SHA512", X509_DIGEST_SHA512},
	    {"06{60864801650304030a}", "ecdsa_with_SHA3-256", X509_DIGEST_SHA3_256},
	    {"06{2a8648ce380403}", "dsaWithSHA1", X509_DIGEST_SHA1},
	    {"06{2b6570}", "ED25519", X509_DIGEST_NONE},
	    {"06{2b6571}", "ED448", X509_DIGEST_NONE},
	    {"06{608648016503040312}", "ML-DSA-65", X509_DIGEST_NONE},
	    {"06{2a85030701010302}", "GOST R 34.10-2012 with GOST R 34.11-2012 (256 bit)",
	        X509_DIGEST_UNKNOWN},
	    {PSS "30{}", "rsassaPss", X509_DIGEST_SHA1},
	    {PSS "30{a2{02{20}}}", "rsassaPss", X509_DIGEST_SHA1},
	    {PSS "30{a0{30{06{608648016503040201} 0500}} a2{02{20}}}", "rsassaPss",
	        X509_DIGEST_SHA256},
	    {PSS "30{a0{30{06{608648016503040202}}}}", "rsassaPss", X509_DIGEST_SHA384},
	    {PSS "30{a0{30{06{60864801650304020a}}}}", "rsassaPss", X509_DIGEST_SHA3_512},
	    {PSS "30{a0{30{06{2a030405}}}}", "rsassaPss", X509_DIGEST_UNKNOWN},
	    {"06{2a030405}", NULL, X509_DIGEST_UNKNOWN},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char algorithm[128];
		snprintf(algorithm, sizeof algorithm, "30{%s}", cases[i].algorithm);
		const struct certificate_recipe recipe = {
		    .algorithm = algorithm, .outer_algorithm = algorithm};
		struct read read = read_recipe(&recipe);
		assert_null(read.facts.malformed);
		if (cases[i].name != NULL)
			assert_string_equal(read.facts.signature_algorithm, cases[i].name);
		else
			assert_null(read.facts.signature_algorithm);
		assert_int_equal(read.facts.signature_digest, cases[i].digest);
		assert_non_null(read.facts.signature_oid.data);
		done(&read);
	}
}

// Where the inner algorithm was not read, the outer one is what is known.
static void outer_signature_algorithm(void **state)
{
	(void)state;
	const struct certificate_recipe recipe = {.serial = "0500"};
	struct read read = read_recipe(&recipe);
	assert_string_equal(read.facts.malformed, "no serial number");
	assert_string_equal(read.facts.signature_algorithm, "ecdsa-with-SHA256");
	assert_null(read.facts.issuer.data);
	done(&read);
}

static void versions_and_authorities(void **state)
{
	(void)state;
#define SELF "30{31{30{" CN "0c{'Self'}}}}"
#define CA(value) "30{06{551d13} 04{30{" value "}}}"
	static const struct {
		struct certificate_recipe recipe;
		unsigned version;
		bool self_issued, constraints, ca;
	} cases[] = {
	    {{.version = "", .extension_list = "", .issuer = SELF, .subject = SELF}, 1, true, false,
	        true},
	    {{.version = "", .extension_list = ""}, 1, false, false, false},
	    {{.version = "a0{02{01}}", .extension_list = "", .issuer = SELF, .subject = SELF}, 2,
	        true, false, false},
	    {{.issuer = SELF, .subject = SELF}, 3, true, false, false},
	    {{.extensions = CA("01{ff}")}, 3, false, true, true},
	    {{.extensions = CA("01{00}")}, 3, false, true, false},
	    {{.extensions = CA("")}, 3, false, true, false},
	    {{.version = "a0{02{07}}"}, 0, false, false, false},
	    {{.version = "a0{}"}, 0, false, false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct read read = read_recipe(&cases[i].recipe);
		assert_int_equal(read.facts.version, cases[i].version);
		assert_non_null(read.facts.subject.data);
		assert_int_equal(read.facts.self_issued, cases[i].self_issued);
		assert_int_equal(read.facts.basic_constraints, cases[i].constraints);
		assert_int_equal(read.facts.is_ca, cases[i].ca);
		done(&read);
	}
}

static void uses_and_scts(void **state)
{
	(void)state;
	const struct certificate_recipe recipe = {
	    .extensions = "30{06{551d25} 04{30{06{2b06010505070302} 06{2b06010505070304}}}}"
	                  "30{06{2b06010401d679020402} 04{04{0004 00020001}}}"};
	struct read read = read_recipe(&recipe);
	assert_null(read.facts.malformed);
	assert_true(read.facts.extended_key_usage && read.facts.for_clients);
	assert_false(read.facts.for_servers || read.facts.for_anything);
	assert_true(read.facts.has_scts);
	assert_null(read.facts.alternative_names.data);
	done(&read);
	const struct certificate_recipe other = {
	    .extensions = "30{06{551d25} 04{30{06{551d2500} 06{2b06010505070301}}}}"};
	read = read_recipe(&other);
	assert_true(read.facts.for_servers && read.facts.for_anything && !read.facts.for_clients);
	done(&read);
}

// The first of two counts, whatever is in the second.
static void doubled_extension(void **state)
{
	(void)state;
	const struct certificate_recipe recipe = {
	    .extensions = SAN("82{'a'}") SAN("82{'b'}") "30{06{551d13} 04{30{01{ff}}}}"};
	struct read read = read_recipe(&recipe);
	assert_string_equal(read.facts.malformed, "extension occurs twice");
	assert_view(read.facts.alternative_names, "82{'a'}");
	assert_true(read.facts.is_ca);
	done(&read);
}

// Doubles are found among the first 32 extensions outside of 2.5.29.
static void doubled_private_extension(void **state)
{
	(void)state;
	enum { DIFFERENT = 32 };
	char extensions[(DIFFERENT + 1) * 32];
	for (unsigned twice = 1; twice <= DIFFERENT; twice++) {
		size_t used = 0;
		for (unsigned i = 1; i <= DIFFERENT; i++)
			used += (size_t)snprintf(
			    extensions + used, sizeof extensions - used, "30{06{2a03%02x}04{}}", i);
		const struct certificate_recipe once = {.extensions = extensions};
		struct read read = read_recipe(&once);
		assert_null(read.facts.malformed);
		done(&read);
		snprintf(
		    extensions + used, sizeof extensions - used, "30{06{2a03%02x}04{}}", twice);
		read = read_recipe(&once);
		assert_string_equal(read.facts.malformed, "extension occurs twice");
		done(&read);
	}
}

// --- names -------------------------------------------------------------------------------------

static void alternative_names(void **state)
{
	(void)state;
	static const struct {
		enum x509_name_type type;
		const char *der;
	} expected[] = {
	    {X509_NAME_DNS, "'a.example'00'.b.example'"},
	    {X509_NAME_DNS, ""},
	    {X509_NAME_DNS, "'*.example'"},
	    {X509_NAME_IP, "c0000201"},
	    {X509_NAME_IP, OCTETS_16},
	    {X509_NAME_OTHER, "c000020100"},
	    {X509_NAME_EMAIL, "'postmaster@example'"},
	    {X509_NAME_URI, "'https://example/'"},
	    {X509_NAME_OTHER, "30{}"},
	    {X509_NAME_OTHER, "'odd'"},
	    {X509_NAME_DNS, "'last'"},
	};
	const struct certificate_recipe recipe = {
	    .extensions =
	        SAN("82{'a.example'00'.b.example'} 82{} 82{'*.example'} 87{c0000201} 87{" OCTETS_16
	            "} 87{c000020100} 81{'postmaster@example'} 86{'https://example/'} a4{30{}}"
	            "a2{'odd'} 82{'last'}")};
	struct read read = read_recipe(&recipe);
	assert_string_equal(read.facts.malformed, "alternative name is malformed");
	struct view names = read.facts.alternative_names, name;
	enum x509_name_type type;
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		assert_true(x509_next_name(&names, &type, &name));
		assert_int_equal(type, expected[i].type);
		assert_view(name, expected[i].der);
	}
	assert_false(x509_next_name(&names, &type, &name));
	done(&read);
}

static void names_end_at_a_fault(void **state)
{
	(void)state;
	const struct certificate_recipe recipe = {.extensions = SAN("82{'a'} 8209'b'")};
	struct read read = read_recipe(&recipe);
	struct view names = read.facts.alternative_names, name;
	enum x509_name_type type;
	assert_true(x509_next_name(&names, &type, &name));
	assert_false(x509_next_name(&names, &type, &name));
	assert_false(x509_next_name(&names, &type, &name));
	done(&read);
	names = (struct view){NULL, 0};
	assert_false(x509_next_name(&names, &type, &name));
}

// More names than fit 64 KiB, and extensions past those that are compared for doubles.
static void very_many(void **state)
{
	(void)state;
	enum { NAMES = 5000, EXTENSIONS = 2000 };
	static char extensions[NAMES * 32 + EXTENSIONS * 32];
	size_t used = (size_t)snprintf(extensions, sizeof extensions, "30{06{551d11} 04{30{");
	for (unsigned i = 0; i < NAMES; i++)
		used += (size_t)snprintf(
		    extensions + used, sizeof extensions - used, "82{'host%u.example'}", i);
	used += (size_t)snprintf(extensions + used, sizeof extensions - used, "}}}");
	for (unsigned i = 0; i < EXTENSIONS; i++)
		used += (size_t)snprintf(extensions + used, sizeof extensions - used,
		    "30{06{2a%02x%02x}04{}}", 1 + i / 100, i % 100);
	const struct certificate_recipe recipe = {.extensions = extensions};
	struct read read = read_recipe(&recipe);
	assert_null(read.facts.malformed);
	assert_true(read.der.length > 65536);
	struct view names = read.facts.alternative_names, name;
	enum x509_name_type type;
	unsigned count = 0;
	for (; x509_next_name(&names, &type, &name); count++) {
		char expected[32];
		int length = snprintf(expected, sizeof expected, "host%u.example", count);
		assert_int_equal(name.length, length);
		assert_memory_equal(name.data, expected, name.length);
	}
	assert_int_equal(count, NAMES);
	done(&read);
}

struct name_case {
	const char *der, *text;
};

static const struct name_case name_cases[] = {
    {"30{}", ""},
    {"30{31{30{" CN "0c{'mail.example'}}}}", "CN=mail.example"},
    {"30{31{30{06{550406} 13{'AT'}}} 31{30{06{55040a} 0c{'Post'}}} 31{30{" CN "0c{'x'}}}}",
        "CN=x,O=Post,C=AT"},
    {"30{31{30{06{550406} 13{'AT'}}} 31{30{06{55040a} 0c{'O'}} 30{" CN
     "0c{'x'}}} 31{30{06{55040b} 0c{'U'}}}}",
        "OU=U,CN=x+O=O,C=AT"},
    {"30{31{30{" CN "0c{'a,b+c\"d\\e<f>g;h=i#j'}}}}", "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h=i#j"},
    {"30{31{30{" CN "0c{' a b '}}}}", "CN=\\ a b\\ "},
    {"30{31{30{" CN "0c{' '}}}}", "CN=\\ "},
    {"30{31{30{" CN "0c{'#a'}}}}", "CN=\\#a"},
    {"30{31{30{" CN "0c{00'a'0a7f}}}}", "CN=\\00a\\0A\\7F"},
    {"30{31{30{" CN "0c{'f'c3bc'r'}}}}", "CN=f\xc3\xbcr"},
    {"30{31{30{" CN "0c{f09f9880}}}}", "CN=\xf0\x9f\x98\x80"},
    {"30{31{30{" CN "0c{7fc280e0a080f0908080}}}}", "CN=\\7F\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80"},
    {"30{31{30{" CN "1e{ffffd7ffe000}}}}", "CN=\xef\xbf\xbf\xed\x9f\xbf\xee\x80\x80"},
    {"30{31{30{" CN "0c{'a'ff'b'c3}}}}", "CN=a\xff"
                                         "b\xc3"},
    {"30{31{30{" CN "14{'f'fc'r'}}}}", "CN=f\xc3\xbcr"},
    {"30{31{30{" CN "16{'f'fc'r'}}}}", "CN=f\xc3\xbcr"},
    {"30{31{30{" CN "1e{004600fc20ac002c}}}}", "CN=F\xc3\xbc\xe2\x82\xac\\,"},
    {"30{31{30{" CN "1e{d83d004600}}}}", "CN=\xef\xbf\xbd"
                                         "F\xef\xbf\xbd"},
    {"30{31{30{" CN "1c{000000460001f600}}}}", "CN=F\xf0\x9f\x98\x80"},
    {"30{31{30{" CN "1c{00110000}}}}", "CN=\xef\xbf\xbd"},
    {"30{31{30{" CN "0c{}}}}", "CN="},
    {"30{31{30{" CN "02{05}}}}", "CN=#020105"},
    {"30{31{30{06{2a0304} 0c{'x'}}}}", "1.2.3.4=#0C0178"},
    {"30{31{30{06{55047f} 0c{'x'}}}}", "2.5.4.127=#0C0178"},
    {"30{31{30{06{550402} 0c{'x'}}}}", "2.5.4.2=#0C0178"},
    {"30{31{30{06{80} 0c{'x'}}}}", "?=#0C0178"},
    {"30{31{30{06{0992268993f22c640119} 16{'example'}}} 31{30{06{2a864886f70d010901} "
     "16{'a@b'}}}}",
        "emailAddress=a@b,DC=example"},
    {"30{31{30{" CN "0c{'x'}}} 31{30{" CN "}}}", "CN=x"}, // the second is malformed
    {"31{}", ""},
    {"", ""},
};

static void name_texts(void **state)
{
	(void)state;
	uint8_t der[512], text[512];
	for (size_t i = 0; i < sizeof name_cases / sizeof name_cases[0]; i++) {
		size_t der_length = der_text(name_cases[i].der, der, sizeof der);
		uint8_t *copy = exact_copy(der, der_length);
		struct view name = view_of(copy, der_length);
		size_t length = x509_name_text(name, text, sizeof text);
		size_t expected = strlen(name_cases[i].text);
		assert_int_equal(length, expected);
		assert_memory_equal(text, name_cases[i].text, length);
		free(copy);
	}
	assert_int_equal(x509_name_text((struct view){NULL, 0}, text, sizeof text), 0);
}

static bool continues_character(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

// Whatever the room, the text is a beginning of the whole and ends behind a character.
static void name_texts_are_cut_cleanly(void **state)
{
	(void)state;
	uint8_t der[512], whole[512];
	for (size_t i = 0; i < sizeof name_cases / sizeof name_cases[0]; i++) {
		struct view name = view_of(der, der_text(name_cases[i].der, der, sizeof der));
		size_t length = x509_name_text(name, whole, sizeof whole);
		assert_int_equal(x509_name_text(name, whole, length), length);
		for (size_t size = 0; size < length; size++) {
			uint8_t *text = exact_copy(whole, size);
			size_t written = x509_name_text(name, text, size);
			assert_true(written <= size);
			assert_memory_equal(text, whole, written);
			assert_false(
			    continues_character(whole[written]) && whole[written - 1] >= 0x80);
			unsigned backslashes = 0;
			for (size_t at = written; at > 0 && text[at - 1] == '\\'; at--)
				backslashes++;
			assert_int_equal(backslashes % 2, 0);
			free(text);
		}
	}
}

// More attributes than are held at a time, still from the last to the first.
static void long_names(void **state)
{
	(void)state;
	static char recipe[65536];
	static uint8_t der[32768];
	static uint8_t text[32768], expected[32768];
	static const unsigned counts[] = {1, 63, 64, 65, 127, 128, 129, 1000};
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		size_t used = (size_t)snprintf(recipe, sizeof recipe, "30{"), length = 0;
		for (unsigned n = 0; n < counts[i]; n++)
			used += (size_t)snprintf(recipe + used, sizeof recipe - used,
			    "%s30{06{550403} 0c{'%u'}}%s", n % 3 == 0 ? "31{" : "", n,
			    n % 3 == 2 || n + 1 == counts[i] ? "}" : "");
		snprintf(recipe + used, sizeof recipe - used, "}");
		for (unsigned n = counts[i]; n-- > 0;)
			length += (size_t)snprintf((char *)expected + length,
			    sizeof expected - length, "CN=%u%s", n,
			    n == 0       ? ""
			    : n % 3 == 0 ? ","
			                 : "+");
		struct view name = view_of(der, der_text(recipe, der, sizeof der));
		assert_int_equal(x509_name_text(name, text, sizeof text), length);
		assert_memory_equal(text, expected, length);
		size_t cut = x509_name_text(name, text, length / 2);
		assert_true(cut <= length / 2 && cut + 5 > length / 2);
		assert_memory_equal(text, expected, cut);
	}
}

static void common_names(void **state)
{
	(void)state;
	static const struct {
		const char *name, *common_name;
	} cases[] = {
	    {"30{31{30{" CN "0c{'a'}}}}", "'a'"},
	    {"30{31{30{" CN "0c{'a'}}} 31{30{" CN "0c{'b'}}} 31{30{06{55040a} 0c{'c'}}}}", "'b'"},
	    {"30{31{30{" CN "0c{'a'} } 30{06{55040a} 0c{'c'}}}}", "'a'"},
	    {"30{31{30{" CN "0c{'a'00'b'}}}}", "'a'00'b'"},
	    {"30{31{30{" CN "1e{0061}}}}", "0061"},
	    {"30{31{30{" CN "0c{}}}}", ""},
	    {"30{31{30{06{55040a} 0c{'c'}}}}", NULL},
	    {"30{}", NULL},
	    {"", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t der[256];
		struct view name = view_of(der, der_text(cases[i].name, der, sizeof der));
		struct view found = x509_common_name(name);
		if (cases[i].common_name != NULL)
			assert_view(found, cases[i].common_name);
		else
			assert_null(found.data);
	}
}

static void object_identifiers(void **state)
{
	(void)state;
	static const struct {
		const char *oid, *text;
	} cases[] = {
	    {"2a864886f70d01010b", "1.2.840.113549.1.1.11"},
	    {"00", "0.0"},
	    {"27", "0.39"},
	    {"28", "1.0"},
	    {"4f", "1.39"},
	    {"50", "2.0"},
	    {"8837", "2.999"},
	    {"2a81ffffffffffffffff7f", "1.2.18446744073709551615"},
	    {"2a82808080808080808000", "?"},
	    {"81ffffffffffffffff7f", "2.18446744073709551535"},
	    {"", "?"},
	    {"80", "?"},
	    {"2a80", "?"},
	    {"2a8001", "?"},
	    {"2a81", "?"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t der[64];
		char text[64];
		struct view oid = view_of(der, der_text(cases[i].oid, der, sizeof der));
		x509_oid_text(oid, text, sizeof text);
		assert_string_equal(text, cases[i].text);
		size_t length = strlen(cases[i].text);
		x509_oid_text(oid, text, length + 1);
		assert_string_equal(text, cases[i].text);
		if (length > 1) {
			x509_oid_text(oid, text, length);
			assert_string_equal(text, "?");
		}
		x509_oid_text(oid, text, 1);
		assert_string_equal(text, "");
	}
	char text[80];
	uint8_t arcs[100];
	memset(arcs, 1, sizeof arcs);
	x509_oid_text(view_of(arcs, 31), text, sizeof text); // 63 characters
	assert_int_equal(strlen(text), 63);
	arcs[30] = 10; // 64
	x509_oid_text(view_of(arcs, 31), text, sizeof text);
	assert_string_equal(text, "?");
	x509_oid_text(view_of(arcs, sizeof arcs), text, sizeof text);
	assert_string_equal(text, "?");
	x509_oid_text((struct view){NULL, 0}, text, sizeof text);
	assert_string_equal(text, "?");
}

static void key_type_names(void **state)
{
	(void)state;
	for (unsigned type = X509_KEY_UNKNOWN + 1; type < X509_KEY_TYPES; type++)
		assert_non_null(x509_key_type_name(type));
	assert_string_equal(x509_key_type_name(X509_KEY_RSA_PSS), "rsa_pss");
	assert_null(x509_key_type_name(X509_KEY_UNKNOWN));
	assert_null(x509_key_type_name(X509_KEY_TYPES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_fault_is_named),
	    cmocka_unit_test(the_first_fault_counts_and_the_rest_is_read),
	    cmocka_unit_test(cut_anywhere),
	    cmocka_unit_test(a_cut_certificate_keeps_what_was_there),
	    cmocka_unit_test(changed_anywhere),
	    cmocka_unit_test(object_identifiers_of_any_length),
	    cmocka_unit_test(plain_facts),
	    cmocka_unit_test(times),
	    cmocka_unit_test(keys),
	    cmocka_unit_test(ml_dsa_keys),
	    cmocka_unit_test(signatures),
	    cmocka_unit_test(outer_signature_algorithm),
	    cmocka_unit_test(versions_and_authorities),
	    cmocka_unit_test(uses_and_scts),
	    cmocka_unit_test(doubled_extension),
	    cmocka_unit_test(doubled_private_extension),
	    cmocka_unit_test(alternative_names),
	    cmocka_unit_test(names_end_at_a_fault),
	    cmocka_unit_test(very_many),
	    cmocka_unit_test(name_texts),
	    cmocka_unit_test(name_texts_are_cut_cleanly),
	    cmocka_unit_test(long_names),
	    cmocka_unit_test(common_names),
	    cmocka_unit_test(object_identifiers),
	    cmocka_unit_test(key_type_names),
	};
	return cmocka_run_group_tests_name("x509", tests, NULL, NULL);
}
