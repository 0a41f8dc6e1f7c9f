// SPDX-License-Identifier: Apache-2.0
// Names and object identifiers of certificates as text: escaped, cut, and what cannot be said.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/x509_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	    cmocka_unit_test(name_texts),
	    cmocka_unit_test(name_texts_are_cut_cleanly),
	    cmocka_unit_test(long_names),
	    cmocka_unit_test(common_names),
	    cmocka_unit_test(object_identifiers),
	    cmocka_unit_test(key_type_names),
	};
	return cmocka_run_group_tests_name("x509_text", tests, NULL, NULL);
}
