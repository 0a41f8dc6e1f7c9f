// SPDX-License-Identifier: Apache-2.0
// Blocks of PEM: whole and damaged ones, and whether what is read is what OpenSSL writes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/pem_reader.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096 };

static struct view text_of(const char *text)
{
	return view_of((const uint8_t *)text, strlen(text));
}

// What a text has: "LABEL:bytes" of each block that is whole, "LABEL!" of the others; blocks apart by a space.
static const char *blocks_of(const char *text)
{
	static char found[TEXT_MAX];
	struct view rest = text_of(text);
	struct pem_block block;
	size_t used = 0;
	found[0] = '\0';
	while (pem_next(&rest, &block)) {
		uint8_t *der = malloc(2 * block.body.length + 1);
		size_t length = 0;
		bool good = block.ended && pem_decode(block.body, der, &length);
		used += (size_t)snprintf(found + used, sizeof found - used, "%s%.*s%c%.*s",
		    used > 0 ? " " : "", (int)block.label.length, (const char *)block.label.data,
		    good ? ':' : '!', good ? (int)length : 0, (const char *)der);
		free(der);
	}
	return found;
}

static void whole_blocks(void **state)
{
	(void)state;
	assert_string_equal(blocks_of(""), "");
	assert_string_equal(blocks_of("nothing\n-----BEGIN A\n"), "");
	assert_string_equal(blocks_of("-----BEGIN A-----\nTWFpbA==\n-----END A-----\n"), "A:Mail");
	assert_string_equal(
	    blocks_of("said before\n-----BEGIN A-----\nTWFp\n-----END A-----\nbetween\n"
	              "-----BEGIN B C-----\nbHRhcA==\n-----END B C-----"),
	    "A:Mai B C:ltap");
}

static void odd_lines(void **state)
{
	(void)state;
	assert_string_equal(
	    blocks_of("-----BEGIN A-----\r\nTWFpbHRh\r\ncA==\r\n-----END A-----\r\n"), "A:Mailtap");
	assert_string_equal(
	    blocks_of("-----BEGIN A-----  \n\nT\nWFpbH\n\nRhcA=\n=\t\n-----END A----- \n"),
	    "A:Mailtap");
}

static void damaged_blocks(void **state)
{
	(void)state;
	const char *const bodies[] = {"", "TWFpbA=", "TWFp*A==", "TW==FpbA",
	    "TWFpb===", "====", "Proc-Type: 4,ENCRYPTED\n\nTWFp", "TWFpbA=A", "TW Fp", "TWFp-"};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		char text[TEXT_MAX];
		snprintf(text, sizeof text,
		    "-----BEGIN A-----\n%s\n-----END A-----\n-----BEGIN B-----\nTWFp\n"
		    "-----END B-----\n",
		    bodies[i]);
		assert_string_equal(blocks_of(text), "A! B:Mai");
	}
}

static void blocks_that_do_not_end(void **state)
{
	(void)state;
	assert_string_equal(blocks_of("-----BEGIN A-----"), "A!");
	assert_string_equal(blocks_of("-----BEGIN A-----\nTWFp\n"), "A!");
	assert_string_equal(blocks_of("-----BEGIN A-----\nTWFp\n-----END B-----\n"), "A!");
	assert_string_equal(blocks_of("-----BEGIN A-----\nTWFp\n-----END A---\n"), "A!");
	assert_string_equal(
	    blocks_of("-----BEGIN A-----\nTWFp\n-----BEGIN B-----\nbHRh\n-----END B-----\n"),
	    "A! B:lta");
}

// All lengths of bytes and of lines, as OpenSSL encodes them; and each text cut anywhere is survived.
static void as_openssl_writes(void **state)
{
	(void)state;
	uint8_t bytes[100];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (int length = 1; length <= (int)sizeof bytes; length++) {
		uint8_t base64[200], der[400];
		size_t decoded = 0;
		int count = EVP_EncodeBlock(base64, bytes, length);
		assert_true(pem_decode(view_of(base64, (size_t)count), der, &decoded));
		assert_int_equal(decoded, length);
		assert_memory_equal(der, bytes, decoded);
		for (size_t cut = 0; cut < (size_t)count; cut++)
			(void)pem_decode(view_of(base64, cut), der, &decoded);
	}
}

static void labels(void **state)
{
	(void)state;
	struct view rest = text_of("-----BEGIN X509 CRL-----\n");
	struct pem_block block;
	assert_true(pem_next(&rest, &block));
	assert_true(pem_has_label(&block, "X509 CRL"));
	assert_false(pem_has_label(&block, "X509"));
	assert_false(pem_has_label(&block, "X509 CRLS"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_blocks),
	    cmocka_unit_test(odd_lines),
	    cmocka_unit_test(damaged_blocks),
	    cmocka_unit_test(blocks_that_do_not_end),
	    cmocka_unit_test(as_openssl_writes),
	    cmocka_unit_test(labels),
	};
	return cmocka_run_group_tests_name("pem_reader", tests, NULL, NULL);
}
