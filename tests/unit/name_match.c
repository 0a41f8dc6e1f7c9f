// SPDX-License-Identifier: Apache-2.0
// Names of certificates against the name that was meant: the rules of RFC 9525 one by one, and every pair
// of two lists of names beside X509_check_host and X509_check_ip.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/name_match.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// A certificate with these names; `der` has to be freed when done with the facts.
struct named {
	X509 *parsed;
	uint8_t *der;
	struct x509 facts;
};

static EVP_PKEY *key;

static struct view text_view(const char *text)
{
	return view_of((const uint8_t *)text, strlen(text));
}

static void add_name(GENERAL_NAMES *names, int type, const void *bytes, size_t length)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *value =
	    type == GEN_IPADD ? (ASN1_STRING *)ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
	ASN1_STRING_set(value, bytes, (int)length);
	GENERAL_NAME_set0_value(name, type, value);
	sk_GENERAL_NAME_push(names, name);
}

// `common_name`: data NULL for none. `names`: taken, NULL for none.
static struct named make(struct view common_name, GENERAL_NAMES *names)
{
	struct named named = {.parsed = X509_new()};
	if (common_name.data != NULL)
		X509_NAME_add_entry_by_NID(X509_get_subject_name(named.parsed), NID_commonName,
		    V_ASN1_UTF8STRING, common_name.data, (int)common_name.length, -1, 0);
	X509_NAME_add_entry_by_NID(X509_get_issuer_name(named.parsed), NID_commonName,
	    V_ASN1_UTF8STRING, (const unsigned char *)"CA", -1, -1, 0);
	ASN1_INTEGER_set(X509_get_serialNumber(named.parsed), 1);
	ASN1_TIME_set_string_X509(X509_getm_notBefore(named.parsed), "20200101000000Z");
	ASN1_TIME_set_string_X509(X509_getm_notAfter(named.parsed), "20300101000000Z");
	X509_set_version(named.parsed, X509_VERSION_3);
	X509_set_pubkey(named.parsed, key);
	if (names != NULL)
		X509_add1_ext_i2d(named.parsed, NID_subject_alt_name, names, 0, 0);
	GENERAL_NAMES_free(names);
	assert_true(X509_sign(named.parsed, key, EVP_sha256()) > 0);
	int length = i2d_X509(named.parsed, &named.der);
	assert_true(length > 0);
	x509_read(view_of(named.der, (size_t)length), &named.facts);
	return named;
}

static void drop(struct named *named)
{
	X509_free(named->parsed);
	OPENSSL_free(named->der);
}

static struct named with_dns(const char *common_name, const char *dns)
{
	GENERAL_NAMES *names = dns != NULL ? sk_GENERAL_NAME_new_null() : NULL;
	if (dns != NULL)
		add_name(names, GEN_DNS, dns, strlen(dns));
	return make(common_name != NULL ? text_view(common_name) : view_of(NULL, 0), names);
}

/* ---- the rules ---- */

struct rule {
	const char *common_name, *dns, *reference;
	enum name_match sni, dialogue;
};

#define BOTH(result) .sni = result, .dialogue = result

static const struct rule rules[] = {
    {NULL, "mail.example.com", "mail.example.com", BOTH(NAME_MATCH_SAN)},
    {NULL, "Mail.Example.COM", "mAIL.eXAMPLE.com", BOTH(NAME_MATCH_SAN)},
    {NULL, "mail.example.com", "mail.example.com.", BOTH(NAME_MATCH_SAN)},
    {NULL, "mail.example.com.", "mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "mail.example.com", "mail.example.org", BOTH(NAME_MISMATCH)},
    {NULL, "mail.example.com", "mail.example.co", BOTH(NAME_MISMATCH)},
    {NULL, "mail.example.com", "a.mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "mail.example.com", "example.com", BOTH(NAME_MISMATCH)},
    {NULL, "example.com", "mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "mail", "mail", NAME_MATCH_SAN, NAME_UNKNOWN},
    {NULL, "mail_1.example.com", "mail_1.example.com", BOTH(NAME_MATCH_SAN)},
    // wildcards
    {NULL, "*.example.com", "mail.example.com", BOTH(NAME_MATCH_SAN)},
    {NULL, "*.EXAMPLE.com", "MAIL.example.com.", BOTH(NAME_MATCH_SAN)},
    {NULL, "*.example.com", "example.com", BOTH(NAME_MISMATCH)},
    {NULL, "*.example.com", "a.mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "*.example.com", "mail.example.org", BOTH(NAME_MISMATCH)},
    {NULL, "*.example.com", "mailexample.com", BOTH(NAME_MISMATCH)},
    {NULL, "*.com", "example.com", BOTH(NAME_MISMATCH)},
    {NULL, "*", "mail", NAME_MISMATCH, NAME_UNKNOWN},
    {NULL, "*.", "mail", NAME_MISMATCH, NAME_UNKNOWN},
    {NULL, "*", "mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "m*.example.com", "mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "*l.example.com", "mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "**.example.com", "mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "mail.*.com", "mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "*.*.com", "mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "*.*.example.com", "a.mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "*.example.com", "xn--bcher-kva.example.com", BOTH(NAME_MATCH_SAN)},
    {NULL, "xn--*.example.com", "xn--bcher-kva.example.com", BOTH(NAME_MISMATCH)},
    {NULL, "*.example.com", "*.example.com", BOTH(NAME_UNKNOWN)},
    // internationalised
    {NULL, "xn--bcher-kva.example", "b\303\274cher.example", BOTH(NAME_MATCH_SAN)},
    {NULL, "xn--bcher-kva.example", "B\303\234CHER.example.", BOTH(NAME_MATCH_SAN)},
    {NULL, "xn--bcher-kva.example", "bu\314\210cher.example", BOTH(NAME_MATCH_SAN)},
    {NULL, "xn--strae-oqa.example", "stra\303\237e.example", BOTH(NAME_MATCH_SAN)},
    {NULL, "strasse.example", "stra\303\237e.example", BOTH(NAME_MISMATCH)},
    {NULL, "*.example", "b\303\274cher.example", BOTH(NAME_MISMATCH)},
    {NULL, "*.xn--bcher-kva.example", "mail.b\303\274cher.example", BOTH(NAME_MATCH_SAN)},
    {NULL, "b\303\274cher.example", "b\303\274cher.example", BOTH(NAME_MISMATCH)},
    {NULL, "mail.example.com", "mail\343\200\202example.com", BOTH(NAME_MATCH_SAN)},
    {NULL, "b.example", "b\374cher.example", BOTH(NAME_UNKNOWN)}, // no UTF-8
    {NULL, "1.2.3.4", "\357\274\221.2.3.4", BOTH(NAME_UNKNOWN)}, // full-width: becomes an address
    // names that are none
    {NULL, "mail.example.com", "", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.com", ".", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.com", "mail.example.com..", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.com", ".example.com", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.com", "mail..example.com", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.com", "mail example.com", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.com", "mail.example.com:25", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.com", "mail@example.com", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.1", "mail.example.1", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.1a", "mail.example.1a", BOTH(NAME_MATCH_SAN)},
    {NULL, "localhost", "localhost", NAME_MATCH_SAN, NAME_UNKNOWN},
    {NULL, "mail.example.com", "localhost", NAME_MISMATCH, NAME_UNKNOWN},
    {NULL, "mail.example.com", "localhost.localdomain", NAME_MISMATCH, NAME_UNKNOWN},
    {NULL, "mail.example.com", "LOCALHOST.localdomain.", NAME_MISMATCH, NAME_UNKNOWN},
    // addresses
    {NULL, "192.0.2.1", "192.0.2.1", NAME_MISMATCH, NAME_UNKNOWN},
    {NULL, "*.0.2.1", "192.0.2.1", NAME_MISMATCH, NAME_UNKNOWN},
    {NULL, "mail.example.com", "[192.0.2.1]", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.com", "[IPv6:2001:db8::1]", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.com", "192.0.2", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.com", "192.0.2.256", BOTH(NAME_UNKNOWN)},
    {NULL, "mail.example.com", "fe80::1%eth0", BOTH(NAME_UNKNOWN)},
    // the common name
    {"mail.example.com", NULL, "mail.example.com", BOTH(NAME_MATCH_COMMON_NAME_ONLY)},
    {"*.example.com", NULL, "mail.example.com", BOTH(NAME_MATCH_COMMON_NAME_ONLY)},
    {"mail.example.com", NULL, "mail.example.org", BOTH(NAME_MISMATCH)},
    {"mail.example.com", "mail.example.org", "mail.example.com", BOTH(NAME_MISMATCH)},
    {"mail.example.com", "mail.example.com", "mail.example.com", BOTH(NAME_MATCH_SAN)},
    {"192.0.2.1", NULL, "192.0.2.1", NAME_MATCH_COMMON_NAME_ONLY, NAME_UNKNOWN},
    {"192.0.2.1", "mail.example.com", "192.0.2.1", NAME_MATCH_COMMON_NAME_ONLY, NAME_UNKNOWN},
    {"Mail server", NULL, "mail.example.com", BOTH(NAME_MISMATCH)},
    {NULL, NULL, "mail.example.com", BOTH(NAME_MISMATCH)},
};

static void the_rules(void **state)
{
	(void)state;
	size_t wrong = 0;
	for (size_t i = 0; i < COUNT(rules); i++) {
		const struct rule *rule = &rules[i];
		struct named named = with_dns(rule->common_name, rule->dns);
		struct view reference = text_view(rule->reference);
		enum name_match sni = name_match(&named.facts, reference, NAME_FROM_SNI);
		enum name_match dialogue = name_match(&named.facts, reference, NAME_FROM_DIALOGUE);
		if (sni != rule->sni || dialogue != rule->dialogue) {
			print_message("%s for %s (CN %s): %d and %d\n", rule->dns, rule->reference,
			    rule->common_name, sni, dialogue);
			wrong++;
		}
		drop(&named);
	}
	assert_int_equal(wrong, 0);
}

static enum name_match asked(const struct named *named, const char *reference)
{
	return name_match(&named->facts, text_view(reference), NAME_FROM_SNI);
}

static void addresses(void **state)
{
	(void)state;
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	add_name(names, GEN_DNS, "mail.example.com", 16);
	add_name(names, GEN_IPADD, "\xc0\x00\x02\x01", 4);
	add_name(names, GEN_IPADD, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	struct named named = make(text_view("192.0.2.9"), names);
	assert_int_equal(asked(&named, "192.0.2.1"), NAME_MATCH_SAN);
	assert_int_equal(asked(&named, "192.0.2.1."), NAME_MATCH_SAN);
	assert_int_equal(asked(&named, "2001:db8::1"), NAME_MATCH_SAN);
	assert_int_equal(asked(&named, "2001:DB8:0:0::0:1"), NAME_MATCH_SAN);
	assert_int_equal(asked(&named, "2001:db8::2"), NAME_MISMATCH);
	assert_int_equal(asked(&named, "192.0.2.2"), NAME_MISMATCH);
	assert_int_equal(asked(&named, "::ffff:192.0.2.1"), NAME_MISMATCH);
	assert_int_equal(asked(&named, "192.0.2.9"), NAME_MISMATCH); // only in the common name
	assert_int_equal(asked(&named, "mail.example.com"), NAME_MATCH_SAN);
	assert_int_equal(
	    name_match(&named.facts, text_view("192.0.2.1"), NAME_FROM_DIALOGUE), NAME_UNKNOWN);
	drop(&named);
}

static void one_of_several_names(void **state)
{
	(void)state;
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	add_name(names, GEN_EMAIL, "mail.example.com", 16);
	add_name(names, GEN_URI, "mail.example.com", 16);
	struct named named = make(text_view("mail.example.com"), names);
	// other kinds of names neither match nor keep the common name from it
	assert_int_equal(asked(&named, "mail.example.com"), NAME_MATCH_COMMON_NAME_ONLY);
	drop(&named);
	names = sk_GENERAL_NAME_new_null();
	for (int i = 0; i < 5000; i++)
		add_name(names, GEN_DNS, "other.example.com", 17);
	add_name(names, GEN_DNS, "mail.example.com", 16);
	named = make(view_of(NULL, 0), names);
	assert_int_equal(asked(&named, "mail.example.com"), NAME_MATCH_SAN);
	drop(&named);
}

// A name with a NUL in it fooled clients that took it for terminated there.
static void names_with_bytes_that_no_name_has(void **state)
{
	static const char name[] = "mail.example.com\0.evil.example";
	(void)state;
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	add_name(names, GEN_DNS, name, sizeof name - 1);
	add_name(names, GEN_DNS, "", 0);
	add_name(names, GEN_DNS, " mail.example.com", 17);
	add_name(names, GEN_DNS, "mail.example.com ", 17);
	struct named named = make(view_of((const uint8_t *)name, sizeof name - 1), names);
	assert_int_equal(asked(&named, "mail.example.com"), NAME_MISMATCH);
	assert_int_equal(name_match(&named.facts, view_of((const uint8_t *)name, sizeof name - 1),
	                     NAME_FROM_SNI),
	    NAME_UNKNOWN);
	drop(&named);
	named = make(view_of((const uint8_t *)name, sizeof name - 1), NULL);
	assert_int_equal(asked(&named, "mail.example.com"), NAME_MISMATCH);
	drop(&named);
}

static void lengths(void **state)
{
	char name[1100], dotted[256];
	(void)state;
	memset(name, 'a', sizeof name);
	memset(dotted, 'a', sizeof dotted);
	for (size_t i = 63; i < sizeof dotted; i += 64)
		dotted[i] = '.';
	for (size_t length = 0; length <= 253; length++) {
		// the longest labels, with something shorter at the end
		struct view reference = view_of((const uint8_t *)dotted, length);
		bool ends_in_dot = length > 0 && dotted[length - 1] == '.';
		GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
		add_name(names, GEN_DNS, dotted, length - ends_in_dot);
		struct named named = make(view_of(NULL, 0), names);
		assert_int_equal(name_match(&named.facts, reference, NAME_FROM_SNI),
		    length == 0 ? NAME_UNKNOWN : NAME_MATCH_SAN);
		drop(&named);
	}
	struct named named = with_dns(NULL, "mail.example.com");
	assert_int_equal(
	    name_match(&named.facts, view_of((const uint8_t *)dotted, 254), NAME_FROM_SNI),
	    NAME_UNKNOWN);
	assert_int_equal(
	    name_match(&named.facts, view_of((const uint8_t *)name, 64), NAME_FROM_SNI),
	    NAME_UNKNOWN);
	for (size_t length = 1000; length <= sizeof name; length++) {
		name[0] = '\xc3'; // UTF-8
		name[1] = '\xbc';
		assert_int_equal(
		    name_match(&named.facts, view_of((const uint8_t *)name, length), NAME_FROM_SNI),
		    NAME_UNKNOWN);
	}
	assert_int_equal(name_match(&named.facts, view_of(NULL, 0), NAME_FROM_SNI), NAME_UNKNOWN);
	drop(&named);
}

// Of a certificate that is cut short before its names nobody knows which it has.
static void names_that_were_not_read(void **state)
{
	(void)state;
	struct named named = with_dns("mail.example.com", "mail.example.org");
	size_t whole = named.facts.der.length;
	size_t names_at = (size_t)(named.facts.alternative_names.data - named.der);
	for (size_t length = 0; length < whole; length++) {
		struct x509 facts;
		x509_read(view_of(named.der, length), &facts);
		bool read = length >= names_at + 18;
		assert_int_equal(name_match(&facts, text_view("mail.example.com"), NAME_FROM_SNI),
		    facts.alternative_names.data != NULL ? NAME_MISMATCH : NAME_UNKNOWN);
		assert_int_equal(name_match(&facts, text_view("mail.example.org"), NAME_FROM_SNI),
		    read ? NAME_MATCH_SAN : NAME_UNKNOWN);
	}
	drop(&named);
}

/* ---- beside OpenSSL ---- */

static const char *const presented[] = {"mail.example.com", "MAIL.EXAMPLE.COM", "*.example.com",
    "*.com", "*", "*.", "*.*", "m*.example.com", "*l.example.com", "m*l.example.com",
    "ma*il.example.com", "**.example.com", "*.*.com", "mail.*.com", "mail.*", "a.*.example.com",
    "*.mail.example.com", "xn--bcher-kva.example", "xn--*.example", "*.xn--bcher-kva.example",
    "b\303\274cher.example", "example.com", "com", "mail", "localhost", "*.localhost",
    ".example.com", "mail.example.com.", "*.example.com.", "mail..com", "-mail.example.com",
    "*-.example.com", "mail_1.example.com", "192.0.2.1", "*.0.2.1", "mail.example.1", "",
    " mail.example.com", "mail.example.com:25", "a.b.c.d.e.f.example.com",
    "*.b.c.d.e.f.example.com"};

static const char *const references[] = {"mail.example.com", "Mail.example.COM", "a.example.com",
    "mail.example.com.", "m.example.com", "ml.example.com", "mail.mail.example.com",
    "a.mail.example.com", "a.b.example.com", "example.com", "com", "mail", "localhost",
    "mail.localhost", "xn--bcher-kva.example", "mail.xn--bcher-kva.example",
    "b\303\274cher.example", ".example.com", ".com", "", ".", "..", "mail..com", "*.example.com",
    "-mail.example.com", "a-.example.com", "mail_1.example.com", "_mail.example.com", "192.0.2.1",
    "192.0.2.2", "2001:db8::1", "mail.example.1", "mail example.com", "mail.example.com:25",
    "a.b.c.d.e.f.example.com", "xn--a.example.com", "mail.example.org", "mailexample.com"};

// Why OpenSSL and name_match may say different things of a pair; NULL: they may not.
static const char *reason(const char *name, const char *reference, enum name_match ours)
{
	if (ours == NAME_UNKNOWN)
		return "no name that a client could ask for; OpenSSL compares whatever it is given";
	if (reference[strlen(reference) - 1] == '.')
		return "the dot at the end does not count; to OpenSSL it does";
	if (strchr(reference, '_') != NULL && strncmp(name, "*.", 2) == 0)
		return "OpenSSL has no wildcard stand for an underscore";
	if ((unsigned char)reference[1] > 0x7f)
		return "OpenSSL compares U-labels as bytes";
	if (strcmp(reference, "192.0.2.1") == 0 && ours == NAME_MATCH_COMMON_NAME_ONLY)
		return "OpenSSL does not look for addresses in the common name";
	return NULL;
}

static bool openssl_matches(X509 *certificate, const char *reference)
{
	if (X509_check_ip_asc(certificate, reference, 0) == 1)
		return true;
	// an address is no host name, whatever the certificate has as a host name
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(reference);
	ASN1_OCTET_STRING_free(address);
	if (address != NULL)
		return false;
	return X509_check_host(certificate, reference, strlen(reference),
	           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

static size_t compare_all(bool as_common_name, size_t *differences)
{
	size_t wrong = 0;
	for (size_t i = 0; i < COUNT(presented) * COUNT(references); i++) {
		const char *name = presented[i / COUNT(references)];
		const char *reference = references[i % COUNT(references)];
		struct named named =
		    with_dns(as_common_name ? name : NULL, as_common_name ? NULL : name);
		enum name_match ours = asked(&named, reference);
		bool theirs = openssl_matches(named.parsed, reference);
		if (theirs != (ours == NAME_MATCH_SAN || ours == NAME_MATCH_COMMON_NAME_ONLY)) {
			++*differences;
			if (reason(name, reference, ours) == NULL) {
				print_message(
				    "%s for %s: %d, OpenSSL %d\n", name, reference, ours, theirs);
				wrong++;
			}
		}
		drop(&named);
	}
	return wrong;
}

static void as_openssl_but_for_reasons(void **state)
{
	(void)state;
	size_t differences = 0;
	size_t wrong = compare_all(false, &differences) + compare_all(true, &differences);
	print_message("# %zu pairs, %zu of them different for a reason\n",
	    2 * COUNT(presented) * COUNT(references), differences);
	assert_int_equal(wrong, 0);
}

static int set_up(void **state)
{
	(void)state;
	key = EVP_EC_gen("prime256v1");
	return key == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_rules),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(one_of_several_names),
	    cmocka_unit_test(names_with_bytes_that_no_name_has),
	    cmocka_unit_test(lengths),
	    cmocka_unit_test(names_that_were_not_read),
	    cmocka_unit_test(as_openssl_but_for_reasons),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
