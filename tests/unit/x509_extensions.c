// SPDX-License-Identifier: Apache-2.0
// Extensions of certificates: what they say, which of two counts, and names in any number.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/x509_lab.h"

#include <stdio.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(uses_and_scts),
	    cmocka_unit_test(doubled_extension),
	    cmocka_unit_test(doubled_private_extension),
	    cmocka_unit_test(alternative_names),
	    cmocka_unit_test(names_end_at_a_fault),
	    cmocka_unit_test(very_many),
	};
	return cmocka_run_group_tests_name("x509_extensions", tests, NULL, NULL);
}
