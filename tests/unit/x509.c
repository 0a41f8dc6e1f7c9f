// SPDX-License-Identifier: Apache-2.0
// The reader of certificates: every fact, every fault, certificates cut anywhere and changed anywhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/x509_der.h"
#include "tests/unit/x509_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	};
	return cmocka_run_group_tests_name("x509", tests, NULL, NULL);
}
