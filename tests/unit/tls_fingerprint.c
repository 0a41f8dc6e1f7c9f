// SPDX-License-Identifier: Apache-2.0
// Fingerprints: the examples of the published definitions, and what these leave to be got wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/tls_fingerprint.h"
#include "decode/tls_hello.h"
#include "hello.h"

#include <stdio.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct tls_fingerprints *fingerprints;
static struct hello hello;

static struct tls_client_fingerprint fingerprint(void)
{
	struct tls_client_hello parsed;
	tls_parse_client_hello(view_of(hello.bytes, hello.length), &parsed);
	struct tls_client_fingerprint found = tls_fingerprint_client(fingerprints, &parsed);
	struct tls_client_fingerprint again = tls_fingerprint_client(fingerprints, &parsed);
	assert_memory_equal(&found, &again, sizeof found); // made, and remembered
	return found;
}

static void assert_hex(const uint8_t bytes[TLS_JA3_BYTES], const char *expected)
{
	char text[2 * TLS_JA3_BYTES + 1];
	for (size_t i = 0; i < TLS_JA3_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	assert_string_equal(text, expected);
}

static void assert_ja3(const char *expected)
{
	struct tls_client_fingerprint found = fingerprint();
	assert_true(found.has_ja3);
	assert_hex(found.ja3, expected);
}

static void assert_ja4(const char *expected)
{
	struct tls_client_fingerprint found = fingerprint();
	char text[TLS_JA4_LENGTH + 1] = {0};
	assert_true(found.has_ja4);
	memcpy(text, found.ja4, TLS_JA4_LENGTH);
	assert_string_equal(text, expected);
}

static void assert_none(void)
{
	struct tls_client_fingerprint found = fingerprint();
	assert_false(found.has_ja3);
	assert_false(found.has_ja4);
}

/* ---- JA3: github.com/salesforce/ja3, README.md ---- */

static const uint16_t ja3_suites[] = {47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4};
static const uint16_t ja3_groups[] = {23, 24, 25};

static void put_ja3_example(void)
{
	hello_of_client(&hello, 769, ja3_suites, COUNT(ja3_suites));
	hello_extend(&hello, 0, "\0\x04\0\0\x01x", 6);
	hello_extend_list(&hello, 10, 2, ja3_groups, COUNT(ja3_groups));
	hello_extend(&hello, 11, "\x01\0", 2);
}

static void ja3_examples(void **state)
{
	static const uint16_t bare[] = {4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99};
	(void)state;
	put_ja3_example();
	assert_ja3("ada70206e40642a3e4461f35503241d5");
	hello_of_client(&hello, 769, bare, COUNT(bare));
	assert_ja3("de350869b8c85de67a350c8d186f11e6");
}

static void ja3_leaves_grease_out(void **state)
{
	static const uint16_t suites[] = {
	    0x0a0a, 47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4, 0xfafa};
	static const uint16_t groups[] = {0x3a3a, 23, 24, 0xbaba, 25};
	(void)state;
	hello_of_client(&hello, 769, suites, COUNT(suites));
	hello_extend(&hello, 0x1a1a, NULL, 0);
	hello_extend(&hello, 0, "\0\x04\0\0\x01x", 6);
	hello_extend_list(&hello, 10, 2, groups, COUNT(groups));
	hello_extend(&hello, 11, "\x01\0", 2);
	hello_extend(&hello, 0xcaca, "x", 1);
	assert_ja3("ada70206e40642a3e4461f35503241d5");
}

// MD5 of 771,4865,51-43: the answer of many a server to TLS 1.3, found in any list of JA3S.
static void ja3s_examples(void **state)
{
	struct tls_server_hello parsed;
	uint8_t ja3s[TLS_JA3_BYTES];
	(void)state;
	hello_of_server(&hello, 771, 4865, 0);
	hello_extend(&hello, 51, "\0\x1d\0\x01x", 5);
	hello_extend(&hello, 43, "\x03\x04", 2);
	tls_parse_server_hello(view_of(hello.bytes, hello.length), &parsed);
	assert_true(tls_fingerprint_server(fingerprints, &parsed, ja3s));
	assert_hex(ja3s, "eb1d94daa7e0344597e756a1fb6e7054");

	hello_of_server(&hello, 769, 47, 0); // 769,47,
	tls_parse_server_hello(view_of(hello.bytes, hello.length), &parsed);
	assert_true(tls_fingerprint_server(fingerprints, &parsed, ja3s));
	assert_hex(ja3s, "18e962e106761869a61045bed0e81c2c");
}

static void no_ja3s(void **state)
{
	// SHA-256 of "HelloRetryRequest" (RFC 8446 4.1.3)
	static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe,
	    0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c,
	    0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
	struct tls_server_hello parsed;
	uint8_t ja3s[TLS_JA3_BYTES];
	(void)state;
	hello_of_server(&hello, 771, 4865, 0);
	hello_extend(&hello, 43, "\x03\x04", 2);
	memcpy(hello.bytes + 2, retry, sizeof retry);
	tls_parse_server_hello(view_of(hello.bytes, hello.length), &parsed);
	assert_true(parsed.hello_retry_request);
	assert_false(tls_fingerprint_server(fingerprints, &parsed, ja3s));

	hello_of_server(&hello, 771, 4865, 0);
	hello_extend(&hello, 43, "\x03\x04", 2);
	hello_put(&hello, 1, 0); // behind the extensions
	tls_parse_server_hello(view_of(hello.bytes, hello.length), &parsed);
	assert_false(tls_fingerprint_server(fingerprints, &parsed, ja3s));

	hello_of_server(&hello, 771, 49199, 0);
	for (uint16_t i = 0; i <= TLS_FINGERPRINT_LIST_MAX; i++)
		hello_extend(&hello, (uint16_t)(1000 + i), NULL, 0);
	tls_parse_server_hello(view_of(hello.bytes, hello.length), &parsed);
	assert_false(parsed.malformed);
	assert_false(tls_fingerprint_server(fingerprints, &parsed, ja3s));

	parsed = (struct tls_server_hello){.version = TLS_SSL2, .legacy_version = TLS_SSL2};
	assert_false(tls_fingerprint_server(fingerprints, &parsed, ja3s));
}

/* ---- JA4: github.com/FoxIO-LLC/ja4, technical_details/JA4.md ---- */

static const uint16_t ja4_suites[] = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
    0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
static const uint16_t ja4_signatures[] = {
    0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601};
static const uint16_t ja4_extensions[] = {0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d,
    0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015};

// One extension of the published example, with a body where mailtap reads it.
static void put_ja4_extension(uint16_t type, size_t signatures)
{
	static const uint16_t versions[] = {0x2a2a, 0x0304, 0x0303};
	if (type == 0)
		hello_extend(&hello, type, "\0\x04\0\0\x01x", 6);
	else if (type == 0x000a)
		hello_extend_list(&hello, type, 2, ja3_groups, COUNT(ja3_groups));
	else if (type == 0x000b)
		hello_extend(&hello, type, "\x01\0", 2);
	else if (type == 0x000d)
		hello_extend_list(&hello, type, 2, ja4_signatures, signatures);
	else if (type == 0x0010)
		hello_extend(&hello, type, "\0\x0c\x02h2\x08http/1.1", 14);
	else if (type == 0x002b)
		hello_extend_list(&hello, type, 1, versions, COUNT(versions));
	else if (type == 0x0033)
		hello_extend(&hello, type, "\0\x05\0\x1d\0\x01x", 7);
	else
		hello_extend(&hello, type, NULL, 0);
}

static void put_ja4_example(size_t signatures)
{
	hello_of_client(&hello, 0x0303, ja4_suites, COUNT(ja4_suites));
	for (size_t i = 0; i < COUNT(ja4_extensions); i++)
		put_ja4_extension(ja4_extensions[i], signatures);
}

static void ja4_examples(void **state)
{
	(void)state;
	put_ja4_example(COUNT(ja4_signatures));
	assert_ja4("t13d1516h2_8daaf6152771_e5627efa2ab1");
	put_ja4_example(0); // no underscore then
	assert_ja4("t13d1516h2_8daaf6152771_6d807ffa2a79");
}

// What a browser of 2026 sends, ECH and a post-quantum group included, and what a public test site says.
static void both_of_a_browser(void **state)
{
	static const uint16_t types[] = {
	    45, 51, 16, 65037, 23, 17613, 0, 11, 10, 43, 65281, 35, 18, 5, 13, 27};
	static const uint16_t groups[] = {0x8a8a, 4588, 29, 23, 24};
	(void)state;
	hello_of_client(&hello, 0x0303, ja4_suites, COUNT(ja4_suites));
	for (size_t i = 0; i < COUNT(types); i++) {
		if (types[i] == 10)
			hello_extend_list(&hello, 10, 2, groups, COUNT(groups));
		else
			put_ja4_extension(types[i], COUNT(ja4_signatures));
	}
	assert_ja3("98487aa16281980e7d1120d399efb6a4");
	assert_ja4("t13d1516h2_8daaf6152771_d8a2da3f94cd");
}

static void ja4_of_little(void **state)
{
	static const uint16_t one[] = {0x002f};
	(void)state;
	hello_of_client(&hello, 0x0301, NULL, 0);
	assert_ja4("t10i000000_000000000000_000000000000");
	hello_of_client(&hello, 0x0300, NULL, 0);
	hello_extend(&hello, 0, "\0\x04\0\0\x01x", 6); // told by the d alone
	assert_ja4("ts3d000100_000000000000_000000000000");
	hello_of_client(&hello, 0x0302, one, 1); // sha256 of 002f
	assert_ja4("t11i010000_ba72b8082249_000000000000");
}

static void ja4_leaves_grease_out(void **state)
{
	uint16_t suites[COUNT(ja4_suites) + 2] = {0x9a9a};
	uint16_t signatures[COUNT(ja4_signatures) + 1] = {0x4a4a};
	(void)state;
	memcpy(suites + 1, ja4_suites, sizeof ja4_suites);
	suites[COUNT(suites) - 1] = 0x0a0a;
	memcpy(signatures + 1, ja4_signatures, sizeof ja4_signatures);
	hello_of_client(&hello, 0x0303, suites, COUNT(suites));
	hello_extend(&hello, 0xdada, NULL, 0);
	for (size_t i = 0; i < COUNT(ja4_extensions); i++) {
		if (ja4_extensions[i] == 0x000d)
			hello_extend_list(&hello, 0x000d, 2, signatures, COUNT(signatures));
		else if (ja4_extensions[i] == 0x0010)
			hello_extend(&hello, 0x0010, "\0\x06\x02\x6a\x6a\x02h2", 8);
		else
			put_ja4_extension(ja4_extensions[i], 0);
	}
	hello_extend(&hello, 0x2a2a, "\0", 1);
	assert_ja4("t13d1516h2_8daaf6152771_e5627efa2ab1");
}

// The two characters of JA4 for a list of protocols.
static void assert_protocol(const char *list, size_t length, const char *expected)
{
	hello_of_client(&hello, 0x0303, NULL, 0);
	hello_extend(&hello, 16, list, length);
	struct tls_client_fingerprint found = fingerprint();
	assert_true(found.has_ja4);
	assert_memory_equal(found.ja4 + 8, expected, 2);
}

static void ja4_protocols(void **state)
{
	(void)state;
	assert_protocol("\0\x05\x04imap", 7, "ip");
	assert_protocol("\0\x09\x08http/1.1", 11, "h1");
	assert_protocol("\0\x02\x01Z", 4, "ZZ");
	assert_protocol("\0\x02\x01\xab", 4, "ab");
	assert_protocol("\0\x03\x02\xab\xcd", 5, "ad");
	assert_protocol("\0\x03\x02\x30\xab", 5, "3b");
	assert_protocol("\0\x05\x04\x30\x31\xab\xcd", 7, "3d");
	assert_protocol("\0\x05\x04\x30\xab\xcd\x31", 7, "01");
	assert_protocol("\0\x03\x02h/", 5, "6f");
	assert_protocol("\0\x03\x02/h", 5, "28");
	assert_protocol("\0\0", 2, "00");
	assert_protocol("\0\x01\0", 3, "00");
	assert_protocol("\0\x03\x02\x1a\x1a", 5, "00"); // GREASE, and nothing else
}

static void assert_version(
    uint16_t legacy, const uint16_t *versions, size_t count, const char *code)
{
	hello_of_client(&hello, legacy, NULL, 0);
	if (versions != NULL)
		hello_extend_list(&hello, 43, 1, versions, count);
	struct tls_client_fingerprint found = fingerprint();
	assert_true(found.has_ja4);
	assert_memory_equal(found.ja4 + 1, code, 2);
}

static void ja4_versions(void **state)
{
	static const uint16_t downwards[] = {0x0304, 0x0303}, upwards[] = {0x0301, 0x0302, 0x0303};
	static const uint16_t draft[] = {0x7f1c, 0x0303}, grease[] = {0xfafa};
	(void)state;
	assert_version(0x0303, downwards, 2, "13");
	assert_version(0x0301, upwards, 3, "12");
	assert_version(0x0303, upwards, 2, "11");
	assert_version(0x0303, draft, 2, "00");
	assert_version(0x0303, grease, 1, "00");
	assert_version(0x0002, NULL, 0, "s2");
	assert_version(0x0305, NULL, 0, "00");
}

static void ja4_counts_to_99(void **state)
{
	enum { MANY = 300 };
	uint16_t suites[MANY];
	(void)state;
	for (uint16_t i = 0; i < MANY; i++)
		suites[i] = (uint16_t)(0xffff - 7 * i);
	hello_of_client(&hello, 0x0303, suites, MANY);
	for (uint16_t i = 0; i < 100; i++)
		hello_extend(&hello, (uint16_t)(3000 - i), NULL, 0);
	struct tls_client_fingerprint found = fingerprint();
	assert_memory_equal(found.ja4, "t12i999900_", 11);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

// The order of suites and extensions makes no difference to a JA4, whatever there are.
static void ja4_knows_no_order(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed < 200; seed++) {
		enum { MOST = 64 };
		uint16_t suites[MOST], types[MOST];
		char expected[TLS_JA4_LENGTH];
		uint32_t dice = seed;
		unsigned count = 1 + next_random(&dice) % MOST;
		for (unsigned i = 0; i < count; i++) {
			suites[i] = (uint16_t)next_random(&dice);
			types[i] = (uint16_t)(100 + 256 * i + next_random(&dice) % 256);
		}
		for (unsigned round = 0; round < 3; round++) {
			hello_of_client(&hello, 0x0303, suites, count);
			for (unsigned i = 0; i < count; i++)
				hello_extend(&hello, types[i], NULL, 0);
			struct tls_client_fingerprint found = fingerprint();
			assert_true(found.has_ja4);
			if (round > 0)
				assert_memory_equal(found.ja4, expected, TLS_JA4_LENGTH);
			memcpy(expected, found.ja4, TLS_JA4_LENGTH);
			for (unsigned i = count; i-- > 1;) {
				unsigned other = next_random(&dice) % (i + 1);
				uint16_t suite = suites[i], type = types[i];
				suites[i] = suites[other];
				suites[other] = suite;
				types[i] = types[other];
				types[other] = type;
			}
		}
	}
}

/* ---- none ---- */

static void nothing_of_a_malformed_hello(void **state)
{
	static const uint16_t suite[] = {47};
	(void)state;
	put_ja4_example(COUNT(ja4_signatures));
	hello_put(&hello, 1, 0); // behind the extensions
	assert_none();
	put_ja4_example(COUNT(ja4_signatures));
	hello.length--;
	assert_none();
	hello_of_client(&hello, 0x0303, suite, 1);
	hello_extend(&hello, 10, "\0\x03\0\x1d\0", 5); // half a group
	assert_none();
	hello_of_client(&hello, 0x0303, suite, 1);
	hello_extend(&hello, 13, "\0\x02\x04\x03", 4);
	hello_extend(&hello, 13, "\0\x02\x04\x03", 4); // twice
	assert_none();
	hello_of_client(&hello, 0x0303, suite, 1);
	hello_extend(&hello, 16, "\0\x03\x04h2", 5); // a name longer than its list
	assert_none();
	hello_of_client(&hello, 0x0303, suite, 1);
	hello_extend(&hello, 51, "\0\x05\0\x1d\0\x02x", 7); // a key longer than its list
	assert_none();
}

static void nothing_of_an_sslv2_hello(void **state)
{
	static const uint8_t message[] = {1, 3, 1, 0, 3, 0, 0, 0, 4, 0, 0, 0x2f, 1, 2, 3, 4};
	struct tls_client_hello parsed;
	(void)state;
	tls_parse_sslv2_client_hello(view_of(message, sizeof message), &parsed);
	assert_false(parsed.malformed);
	struct tls_client_fingerprint found = tls_fingerprint_client(fingerprints, &parsed);
	assert_false(found.has_ja3 || found.has_ja4);
}

static void nothing_of_endless_lists(void **state)
{
	enum { MOST = TLS_FINGERPRINT_LIST_MAX };
	uint16_t values[MOST + 1];
	(void)state;
	for (uint16_t i = 0; i <= MOST; i++)
		values[i] = i;
	hello_of_client(&hello, 0x0303, values, MOST);
	hello_extend_list(&hello, 10, 2, values, MOST);
	hello_extend_list(&hello, 13, 2, values, MOST);
	assert_true(fingerprint().has_ja3 && fingerprint().has_ja4);
	hello_of_client(&hello, 0x0303, values, MOST + 1);
	assert_none();
	hello_of_client(&hello, 0x0303, values, 1);
	hello_extend_list(&hello, 10, 2, values, MOST + 1);
	assert_none();
	hello_of_client(&hello, 0x0303, values, 1);
	hello_extend_list(&hello, 13, 2, values, MOST + 1);
	assert_none();
	hello_of_client(&hello, 0x0303, values, 1);
	for (uint16_t i = 0; i <= MOST; i++)
		hello_extend(&hello, (uint16_t)(0x4000 + i), NULL, 0);
	assert_none();
}

/* ---- all that counts, counts ---- */

// Hellos that differ in one thing are not taken for each other because they were seen before.
static void each_difference_shows(void **state)
{
	static const uint16_t suites[2] = {47, 53}, other[2] = {53, 47};
	(void)state;
	hello_of_client(&hello, 0x0303, suites, 2);
	struct tls_client_fingerprint plain = fingerprint();
	hello_of_client(&hello, 0x0302, suites, 2);
	assert_memory_not_equal(fingerprint().ja3, plain.ja3, TLS_JA3_BYTES);
	assert_memory_not_equal(fingerprint().ja4, plain.ja4, TLS_JA4_LENGTH);
	hello_of_client(&hello, 0x0303, other, 2);
	assert_memory_not_equal(fingerprint().ja3, plain.ja3, TLS_JA3_BYTES);
	assert_memory_equal(fingerprint().ja4, plain.ja4, TLS_JA4_LENGTH);
	put_ja4_example(1);
	plain = fingerprint();
	put_ja4_example(2);
	assert_memory_equal(fingerprint().ja3, plain.ja3, TLS_JA3_BYTES);
	assert_memory_not_equal(fingerprint().ja4, plain.ja4, TLS_JA4_LENGTH);
}

static int begin(void **state)
{
	(void)state;
	fingerprints = tls_fingerprints_create();
	return fingerprints == NULL;
}

static int end(void **state)
{
	(void)state;
	tls_fingerprints_destroy(fingerprints);
	tls_fingerprints_destroy(NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ja3_examples),
	    cmocka_unit_test(ja3_leaves_grease_out),
	    cmocka_unit_test(ja3s_examples),
	    cmocka_unit_test(no_ja3s),
	    cmocka_unit_test(ja4_examples),
	    cmocka_unit_test(both_of_a_browser),
	    cmocka_unit_test(ja4_of_little),
	    cmocka_unit_test(ja4_leaves_grease_out),
	    cmocka_unit_test(ja4_protocols),
	    cmocka_unit_test(ja4_versions),
	    cmocka_unit_test(ja4_counts_to_99),
	    cmocka_unit_test(ja4_knows_no_order),
	    cmocka_unit_test(nothing_of_a_malformed_hello),
	    cmocka_unit_test(nothing_of_an_sslv2_hello),
	    cmocka_unit_test(nothing_of_endless_lists),
	    cmocka_unit_test(each_difference_shows),
	};
	return cmocka_run_group_tests_name("tls_fingerprint", tests, begin, end);
}
