// SPDX-License-Identifier: Apache-2.0
// Certificates are hashed each time and handed on once, or more often, never less.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/certificate_announcer.h"

#include <stdio.h>
#include <string.h>

static const struct hash_key key = {{1, 2}};

struct heard {
	unsigned times;
	struct shown_certificate last;
	uint8_t sha256[CERTIFICATE_HASH_BYTES];
};

static struct memory *memory;

static void hear(void *context, const struct shown_certificate *shown)
{
	struct heard *heard = context;
	heard->times++;
	heard->last = *shown;
	memcpy(heard->sha256, shown->sha256, sizeof heard->sha256);
}

static struct view bytes_of(const char *text)
{
	return view_of((const uint8_t *)text, strlen(text));
}

static void handed_on_once(void **state)
{
	static const uint8_t of_abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41,
	    0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
	    0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad}; // FIPS 180-2, B.1
	uint8_t sha256[CERTIFICATE_HASH_BYTES];
	struct heard heard = {0};
	(void)state;
	struct certificate_announcer *announcer =
	    certificate_announcer_create(memory, &key, hear, &heard);
	struct view abc = bytes_of("abc");
	assert_true(certificate_announce(announcer, abc, FROM_CLIENT, 3, 17, sha256));
	assert_memory_equal(sha256, of_abc, sizeof of_abc);
	assert_int_equal(heard.times, 1);
	assert_memory_equal(heard.sha256, of_abc, sizeof of_abc);
	assert_ptr_equal(heard.last.der.data, abc.data);
	assert_int_equal(heard.last.der.length, 3);
	assert_int_equal(heard.last.sender, FROM_CLIENT);
	assert_int_equal(heard.last.position, 3);
	assert_int_equal(heard.last.time, 17);
	memset(sha256, 0, sizeof sha256);
	assert_true(certificate_announce(announcer, abc, FROM_SERVER, 0, 18, sha256));
	assert_memory_equal(sha256, of_abc, sizeof of_abc);
	assert_int_equal(heard.times, 1);
	assert_true(certificate_announce(announcer, bytes_of("abd"), FROM_SERVER, 0, 18, sha256));
	assert_int_equal(heard.times, 2);
	certificate_announcer_destroy(announcer);
}

static void never_forgotten_unheard(void **state)
{
	enum { CERTIFICATES = 20000 };
	uint8_t sha256[CERTIFICATE_HASH_BYTES];
	struct heard heard = {0};
	(void)state;
	struct certificate_announcer *announcer =
	    certificate_announcer_create(memory, &key, hear, &heard);
	for (unsigned round = 1; round <= 2; round++) {
		for (int i = 0; i < CERTIFICATES; i++) {
			char text[16];
			snprintf(text, sizeof text, "%d", i);
			certificate_announce(announcer, bytes_of(text), FROM_SERVER, 0, 1, sha256);
		}
		assert_true(heard.times >= CERTIFICATES);
		assert_true(heard.times <= round * CERTIFICATES);
	}
	certificate_announcer_destroy(announcer);
	announcer = certificate_announcer_create(memory, &key, NULL, NULL);
	assert_true(certificate_announce(announcer, bytes_of("a"), FROM_SERVER, 0, 1, sha256));
	certificate_announcer_destroy(announcer);
}

// The same end and the same length: each is told from the other, whatever was kept.
static void alike_but_not_the_same(void **state)
{
	enum { LONGEST = 20000 };
	static uint8_t one[LONGEST], other[LONGEST];
	uint8_t first[CERTIFICATE_HASH_BYTES], sha256[CERTIFICATE_HASH_BYTES];
	struct heard heard = {0};
	(void)state;
	memset(one, 1, sizeof one);
	memset(other, 1, sizeof other);
	other[0] = 2;
	for (size_t length = 100; length <= LONGEST; length *= 5) {
		struct certificate_announcer *announcer =
		    certificate_announcer_create(memory, &key, hear, &heard);
		struct view a = view_of(one, length), b = view_of(other, length);
		heard.times = 0;
		assert_true(certificate_announce(announcer, a, FROM_SERVER, 0, 1, first));
		assert_true(certificate_announce(announcer, b, FROM_SERVER, 0, 1, sha256));
		assert_memory_not_equal(first, sha256, sizeof first);
		assert_int_equal(heard.times, 2);
		assert_true(certificate_announce(announcer, b, FROM_SERVER, 0, 1, sha256));
		assert_memory_not_equal(first, sha256, sizeof first);
		assert_int_equal(heard.times, 2);
		assert_true(certificate_announce(announcer, a, FROM_SERVER, 0, 1, sha256));
		assert_memory_equal(first, sha256, sizeof first);
		certificate_announcer_destroy(announcer);
		assert_int_equal(memory_in_use(memory), 0);
	}
}

// However many long ones are shown, what is kept of them is bounded; one that comes again is kept again.
static void few_long_ones_are_kept(void **state)
{
	enum { LENGTH = 32 * 1024 - 64, SHOWN = 400, KEPT = 4 << 20 };
	static uint8_t der[LENGTH];
	uint8_t first[CERTIFICATE_HASH_BYTES], sha256[CERTIFICATE_HASH_BYTES];
	struct heard heard = {0};
	(void)state;
	struct certificate_announcer *announcer =
	    certificate_announcer_create(memory, &key, hear, &heard);
	for (uint32_t i = 0; i < 2 * SHOWN; i++) {
		uint32_t number = i % SHOWN;
		memcpy(der + LENGTH - sizeof number, &number, sizeof number);
		assert_true(certificate_announce(
		    announcer, view_of(der, LENGTH), FROM_SERVER, 0, 1, i == 0 ? first : sha256));
		if (i == SHOWN)
			assert_memory_equal(first, sha256, sizeof first);
		assert_true(memory_in_use(memory) <= KEPT);
	}
	assert_true(memory_in_use(memory) > KEPT / 2);
	assert_true(heard.times >= SHOWN);
	certificate_announcer_destroy(announcer);
	assert_int_equal(memory_in_use(memory), 0);
}

// One that was shown is recalled by its beginning, and stays for whoever compares, though others push it out.
static void recalled_by_its_beginning(void **state)
{
	enum { LENGTH = 9000, OTHERS = 3000 };
	static uint8_t der[LENGTH], other[LENGTH];
	uint8_t sha256[CERTIFICATE_HASH_BYTES];
	(void)state;
	struct certificate_announcer *announcer =
	    certificate_announcer_create(memory, &key, NULL, NULL);
	memset(der, 1, sizeof der);
	struct view head = view_of(der, CERTIFICATE_HEAD);
	assert_null(certificate_recall(announcer, head, LENGTH));
	assert_true(certificate_announce(announcer, view_of(der, LENGTH), FROM_SERVER, 0, 1, sha256));
	assert_null(certificate_recall(announcer, view_of(der, CERTIFICATE_HEAD - 1), LENGTH));
	assert_null(certificate_recall(announcer, head, LENGTH - 1));
	const uint8_t *known = certificate_recall(announcer, head, LENGTH);
	const uint8_t *again = certificate_recall(announcer, view_of(der, 100), LENGTH);
	assert_non_null(known);
	assert_ptr_equal(known, again);
	der[99] ^= 1;
	assert_null(certificate_recall(announcer, view_of(der, 100), LENGTH));
	der[99] ^= 1;
	certificate_let_go(announcer, again);
	for (uint32_t i = 1; i <= OTHERS; i++) {
		memcpy(other, &i, sizeof i);
		memcpy(other + LENGTH - sizeof i, &i, sizeof i);
		certificate_announce(announcer, view_of(other, LENGTH), FROM_SERVER, 0, 1, sha256);
	}
	assert_memory_equal(known, der, LENGTH);
	assert_null(certificate_recall(announcer, head, LENGTH)); // 3000 are more than 4 MiB
	certificate_let_go(announcer, known);
	certificate_announcer_destroy(announcer);
	assert_int_equal(memory_in_use(memory), 0);
}

// Where nothing can be kept, all is hashed, and still handed on once.
static void without_memory(void **state)
{
	uint8_t sha256[CERTIFICATE_HASH_BYTES];
	struct heard heard = {0};
	(void)state;
	struct memory *none = memory_create(0);
	struct certificate_announcer *announcer =
	    certificate_announcer_create(none, &key, hear, &heard);
	for (int i = 0; i < 3; i++)
		assert_true(
		    certificate_announce(announcer, bytes_of("abc"), FROM_SERVER, 0, 1, sha256));
	assert_int_equal(heard.times, 1);
	assert_false(certificate_announce(announcer, bytes_of(""), FROM_SERVER, 0, 1, sha256));
	certificate_announcer_destroy(announcer);
	memory_destroy(none);
}

static int begin(void **state)
{
	(void)state;
	memory = memory_create(64 << 20);
	return memory == NULL;
}

static int end(void **state)
{
	(void)state;
	size_t left = memory_in_use(memory);
	memory_destroy(memory);
	return left != 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(handed_on_once),
	    cmocka_unit_test(alike_but_not_the_same),
	    cmocka_unit_test(few_long_ones_are_kept),
	    cmocka_unit_test(recalled_by_its_beginning),
	    cmocka_unit_test(without_memory),
	    cmocka_unit_test(never_forgotten_unheard),
	};
	return cmocka_run_group_tests_name("certificate_announcer", tests, begin, end);
}
